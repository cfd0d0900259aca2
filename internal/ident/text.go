package ident

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The steps N1 to N5 of identifiers.md §0. Three points go beyond the letter, so
// that the normal form is a fixed point (what was exported and comes back is no
// change): invalid UTF-8 becomes U+FFFD, and a value that starts with several
// text markers or with blanks behind one loses all of them.

// NormalizeText returns the normal form of free text: invisible characters, outer
// blanks and a spreadsheet's leading text marker go (N1, N3, N4). Full-width
// characters stay, they belong to names of units.
func NormalizeText(s string) string {
	if cleanInside(s) && cleanEnds(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if !invisible(r) {
			b.WriteRune(r)
		}
	}
	return trim(b.String())
}

// NormalizeChoice returns the normal form of a member of a list: as text, and
// all blanks go.
func NormalizeChoice(s string) string {
	t := NormalizeText(s)
	if strings.IndexFunc(t, unicode.IsSpace) < 0 {
		return t
	}
	// Once more, as a blank may have stood before a text marker.
	return trim(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, t))
}

// NormalizeCode returns the normal form of a code (N1 to N5): full-width
// characters become ASCII, all blanks go, a to z become capitals.
func NormalizeCode(s string) string {
	if cleanCode(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r >= 0xFF01 && r <= 0xFF5E { // N2
			r -= 0xFF01 - '!'
		}
		switch {
		case invisible(r), unicode.IsSpace(r), r == '\'' && b.Len() == 0:
			continue
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// cleanCode reports whether s is its own normal form and ASCII; it may say no of
// a clean value.
func cleanCode(s string) bool {
	if s != "" && s[0] == '\'' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7F || c >= 'a' && c <= 'z' {
			return false
		}
	}
	return true
}

// cleanInside reports whether s is valid and holds no invisible character.
func cleanInside(s string) bool {
	suspect := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case 0xC2, 0xE1, 0xE2, 0xEF: // the lead bytes of all invisible characters
			suspect = true
		}
	}
	if !utf8.ValidString(s) {
		return false
	}
	return !suspect || strings.IndexFunc(s, invisible) < 0
}

// cleanEnds reports whether s neither starts nor ends with something to trim.
func cleanEnds(s string) bool {
	if s == "" {
		return true
	}
	if s[0] == '\'' {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	return !unicode.IsSpace(first) && !unicode.IsSpace(last)
}

// trim drops outer blanks and leading text markers.
func trim(s string) string {
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	return strings.TrimLeftFunc(s, func(r rune) bool { return r == '\'' || unicode.IsSpace(r) })
}

// invisible reports whether r is dropped wherever it stands (N1).
func invisible(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case r == 0xAD, r == 0x180E, r == 0xFEFF:
		return true
	case r < 0x200B || r > 0x2069:
		return false
	}
	return r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2060
}

// excelDamage reports whether a code has the form that a spreadsheet gives to a
// number: 2.11102E+17, or 105001.0.
func excelDamage(s string) bool {
	i := digits(s, 0)
	switch {
	case i == 0 || i == len(s):
		return false
	case s[i] == '.':
		j := digits(s, i+1)
		if j == len(s) {
			return j > i+1 && strings.Trim(s[i+1:], "0") == ""
		}
		return i == 1 && j > i+1 && exponent(s[j:])
	}
	return i == 1 && exponent(s[i:])
}

// exponent reports whether s is E, an optional plus, and digits.
func exponent(s string) bool {
	if s == "" || s[0] != 'E' {
		return false
	}
	s = strings.TrimPrefix(s[1:], "+")
	return s != "" && digits(s, 0) == len(s)
}

// digits returns the index of the first byte of s from i on that is no digit.
func digits(s string, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}

// number returns the value of a short run of digits.
func number(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// replaced reports whether a character of s was lost before it came here.
func replaced(s string) bool {
	return strings.Contains(s, "\uFFFD") || !utf8.ValidString(s)
}
