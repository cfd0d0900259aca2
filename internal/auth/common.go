package auth

import (
	_ "embed"
	"slices"
	"strings"
	"time"
	"unicode"
)

//go:embed common.txt
var commonWords string

// around is how much a password may have around a word and still be that word: a year,
// a date, a row of digits or signs.
const around = 8

// common reports whether a password is one that guessers try first: a word of the
// list, a walk over the keyboard, a row, a repetition, a date or a phone number; in
// whatever case, with digits or signs around it or in place of letters. One rule does
// for more passwords than any list of the 3,000 most common would hold.
func common(password string) bool {
	text := strings.ToLower(password)
	core := strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if core == "" {
		return dull(text)
	}
	if dull(text) {
		return true
	}
	// Signs may be letters at the edges too: "@dmin", "p@$$w0rd", "pa55".
	for _, c := range []string{core, letters(core), letters(strings.TrimRightFunc(text, outer)), letters(strings.TrimFunc(text, outer))} {
		if (len(text)-len(c) <= around || dull(strings.Trim(text, core))) && (dull(c) || spelled(c, 2)) {
			return true
		}
	}
	return false
}

// outer are characters that stand for no letter at the end of a word.
func outer(r rune) bool { return !unicode.IsLetter(r) && r != '@' && r != '$' && r != '0' }

// letters writes the letters that digits and signs stand for.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if i := strings.IndexRune("@$013457!", r); i >= 0 {
			return rune("asoieasti"[i])
		}
		return r
	}, s)
}

// spelled reports whether s is one of the list's words or at most n of them.
func spelled(s string, n int) bool {
	for line := range strings.Lines(commonWords) {
		if line[0] == '#' {
			continue
		}
		for w := range strings.FieldsSeq(line) {
			if s == w || n > 1 && len(w) > 2 && strings.HasPrefix(s, w) && spelled(s[len(w):], n-1) {
				return true
			}
		}
	}
	return false
}

// dull reports whether s needs no guessing: one piece again and again, a walk, a date
// or a Chinese mobile number.
func dull(s string) bool {
	r := []rune(s)
	return repeated(r) || walks(r) || dates(s) || mobile(s)
}

func repeated(r []rune) bool {
	for n := 1; n <= min(len(r)/2, around); n++ {
		again := true
		for i := n; i < len(r); i++ {
			again = again && r[i] == r[i-n]
		}
		if again {
			return true
		}
	}
	return false
}

// rows are what fingers walk along; each also backwards.
const rows = "01234567890 abcdefghijklmnopqrstuvwxyz qwertyuiop asdfghjkl zxcvbnm !@#$%^&*() qazwsxedcrfvtgbyhnujmikolp 1q2w3e4r5t6y7u8i9o0p 147258369 zaqxswcdevfrbgtnhymju 1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p !qaz@wsx#edc$rfv"

// walks reports whether r consists of at most three walks, each of three characters or
// more; a single one may be shorter at the end.
func walks(r []rune) bool {
	if len(r) < 4 {
		return false
	}
	back := []rune(rows)
	slices.Reverse(back)
	backwards := string(back)
	pieces := 0
	for len(r) > 0 {
		n := min(3, len(r))
		piece := func(n int) bool {
			p := string(r[:n])
			return !strings.Contains(p, " ") && (strings.Contains(rows, p) || strings.Contains(backwards, p) || strings.Count(p, p[:1]) == n)
		}
		if pieces++; pieces > 3 || !piece(n) {
			return false
		}
		for n < len(r) && piece(n+1) {
			n++
		}
		r = r[n:]
	}
	return true
}

// dates reports whether s is a day, with or without marks, once or twice.
func dates(s string) bool {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-/._年月日", r) {
			return -1
		}
		return r
	}, s)
	for _, layout := range []string{"20060102", "02012006", "01022006", "060102"} {
		if t, err := time.Parse(layout, digits); err == nil && t.Year() > 1900 && t.Year() < 2100 {
			return true
		}
	}
	return len(digits) == 16 && dates(digits[:8]) && dates(digits[8:])
}

func mobile(s string) bool {
	if len(s) != 11 || s[0] != '1' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
