package check

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/ident"
)

// message returns the sentence for a finding: what is wrong with this value, and
// how to put it right. See the danger in the package comment.
func (f *field) message(v string, x finding) string {
	switch {
	case x.rule == "required":
		return sayRequired.fill("{title}", f.Title)
	case x.fault&wrongType != 0 && x.mark == tianbao.MarkDate:
		return sayDate.fill("{title}", f.Title)
	case x.fault&wrongType != 0:
		return sayBroken.fill("{title}", f.Title)
	case x.fault&lostTail != 0:
		return sayLostTail.fill("{title}", f.Title)
	case x.fault&ident.Replaced != 0:
		return sayReplaced.fill("{i}", strconv.Itoa(placeOf(v, isReplaced)+1))
	}
	switch f.Kind {
	case tianbao.KindCode:
		return f.codeMessage(v, x)
	case tianbao.KindCreditCode:
		return creditMessage(v, x)
	case tianbao.KindChoice:
		return f.choiceMessage(v)
	case tianbao.KindName:
		return f.nameMessage(v, x)
	case tianbao.KindResidentID:
		return residentMessage(v, x)
	case tianbao.KindPhone:
		return phoneMessage(v, x)
	}
	return f.textMessage(v, x)
}

func (f *field) textMessage(v string, x finding) string {
	if x.fault&ident.Length != 0 {
		return f.lengthMessage(v, "个字")
	}
	return sayTextChar.at(v, x.at, "{title}", f.Title)
}

// lengthMessage tells how long the value is and how long it may be.
func (f *field) lengthMessage(v, unit string) string {
	n := utf8.RuneCountInString(v)
	say := sayShort
	if f.longest > 0 && n > f.longest {
		say = sayLong
	}
	return f.known(say, unit).fill("{n}", strconv.Itoa(n))
}

// known fills in what the form tells, with the unit in which lengths are counted.
func (f *field) known(say sentence, unit string) sentence {
	return sentence(say.fill("{title}", f.Title, "{unit}", unit, "{list}", "“"+strings.Join(f.Enum, "”“")+"”",
		"{min}", strconv.Itoa(f.shortest), "{max}", strconv.Itoa(f.longest)))
}

func (f *field) codeMessage(v string, x finding) string {
	switch {
	case x.fault&ident.Excel != 0:
		return sayCodeNumber.fill("{title}", f.Title)
	case x.fault&noZeros != 0:
		return sayCodeZeros.fill("{title}", f.Title, "{code}", x.right)
	case x.fault&ident.Charset != 0:
		i := placeOf(v, func(r rune) bool { return !isDigit(r) && !isCapital(r) })
		return sayCodeChar.at(v, i, "{title}", f.Title)
	}
	return f.lengthMessage(v, "位")
}

func (f *field) choiceMessage(v string) string {
	// A slip or a kindred word (企业) is worth quoting; what has no character in
	// common with the list may be a value of another column, a person's even.
	kindred := strings.ContainsAny(v, strings.Join(f.Enum, ""))
	say := sayChoiceOther
	if kindred && utf8.RuneCountInString(v) <= quoted && placeOf(v, func(r rune) bool { return !isWord(r) }) < 0 {
		say = sayChoiceThis
	}
	return f.known(say, "").fill("{it}", v)
}

func (f *field) nameMessage(v string, x finding) string {
	switch {
	case x.fault&ident.PrivateUse != 0:
		return sayNamePrivate.at(v, x.at)
	case x.fault&ident.Dot != 0:
		return string(sayNameDot)
	case x.fault&ident.Charset != 0:
		r := runeAt(v, x.at)
		switch {
		case strings.HasPrefix(v, "="):
			return string(sayNameFormula)
		case strings.ContainsRune(betweenNames, r):
			return sayNameTwo.at(v, x.at)
		case isLatin(r):
			return sayNameLatin.at(v, x.at)
		}
		return sayNameChar.at(v, x.at)
	}
	return f.known(sayNameLength, "").fill("{n}", strconv.Itoa(utf8.RuneCountInString(v)))
}

// betweenNames are the characters that stand between two people in one cell.
const betweenNames = "\n 、,，;；/／\\|&+"

// quoted is the length up to which a wrong member of a list is quoted.
const quoted = 8

// at fills in the place of a character and what it is.
func (s sentence) at(v string, i int, more ...string) string {
	return s.fill(append(more, "{i}", strconv.Itoa(i+1), "{char}", char(v, i))...)
}

// char names the character at a place, so that it can be found and read: itself,
// or its code point where the reader's font may not have it.
func char(v string, at int) string {
	r := runeAt(v, at)
	switch {
	case r == '\n', r == '\r', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
		return "换行"
	case r == '\t':
		return "制表符"
	case unicode.IsSpace(r):
		return "空格"
	case isShown(r):
		return "“" + string(r) + "”"
	}
	return fmt.Sprintf("U+%04X", r)
}

// runeAt returns the character at a place, counted from 0, or U+FFFD.
func runeAt(v string, at int) rune {
	n := 0
	for _, r := range v {
		if n == at {
			return r
		}
		n++
	}
	return utf8.RuneError
}

// placeOf returns the place of the first character that f holds of, or -1.
func placeOf(v string, f func(rune) bool) int {
	n := 0
	for _, r := range v {
		if f(r) {
			return n
		}
		n++
	}
	return -1
}

func isReplaced(r rune) bool { return r == utf8.RuneError }
func isDigit(r rune) bool    { return r >= '0' && r <= '9' }

// isShown reports whether a character is its own name in a message.
func isShown(r rune) bool { return unicode.IsPrint(r) && r < 0x20000 }

// isWord reports whether r is a Han character in common use or a Latin letter.
func isWord(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}
func isCapital(r rune) bool { return r >= 'A' && r <= 'Z' }

// isLatin reports whether r is a Latin letter.
func isLatin(r rune) bool { return unicode.Is(unicode.Latin, r) }
