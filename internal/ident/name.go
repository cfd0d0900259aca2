package ident

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A name's length in characters. 民委发〔2016〕33号 asks for fields of at least 50.
const (
	NameMin = 2
	NameMax = 50
)

// middleDot separates the parts of a transcribed name: U+00B7, GB 18030 A1A4.
const middleDot = '·'

// NormalizeName returns the normal form of a personal name: invisible characters,
// outer blanks and a text marker go, blanks next to a Han character or a dot go
// (张　三 is alignment), the many dots that people type become U+00B7, and between
// Latin words one space remains. A line break inside stays, as it stands between
// two people in one cell, and so does the blank of 张伟 李芳. Characters are never
// composed, folded or replaced.
func NormalizeName(s string) string {
	if cleanName(s) {
		return s
	}
	in := []rune(NormalizeText(s))
	if a, b, two := twoNames(in); two {
		return string(a) + " " + string(b)
	}
	for i, r := range in {
		if isDot(r) || r == '.' && i > 0 && i < len(in)-1 && (isHan(before(in, i)) || isHan(after(in, i))) {
			in[i] = middleDot
		}
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(in); i++ {
		if !unicode.IsSpace(in[i]) {
			b.WriteRune(in[i])
			continue
		}
		// A run of blanks. The ends are trimmed, so it has neighbours.
		prev, breaks := in[i-1], false
		for ; unicode.IsSpace(in[i]); i++ {
			breaks = breaks || isBreak(in[i])
		}
		next := in[i]
		i--
		switch {
		case breaks && prev != middleDot && next != middleDot:
			b.WriteByte('\n')
		case joins(prev) || joins(next):
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// surnames begin the names of four people in five. Others are not taken for one: a
// wrong guess would refuse a right name.
const surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"

// twoNames reports whether a name is two, with blanks between: each of two or three
// Han characters and with a surname before. 张 三 is alignment, and so is 欧阳 建国.
func twoNames(in []rune) (a, b []rune, two bool) {
	i := slices.IndexFunc(in, unicode.IsSpace)
	if i < 0 {
		return nil, nil, false
	}
	a, b = in[:i], in[i:]
	for len(b) > 0 && unicode.IsSpace(b[0]) {
		if isBreak(b[0]) {
			return nil, nil, false
		}
		b = b[1:]
	}
	one := func(rs []rune) bool {
		return (len(rs) == 2 || len(rs) == 3) && strings.ContainsRune(surnames, rs[0]) &&
			!slices.ContainsFunc(rs, func(r rune) bool { return !isHan(r) })
	}
	return a, b, one(a) && one(b)
}

// before and after return the nearest character that is no blank, or 0.
func before(rs []rune, i int) rune {
	for i--; i >= 0; i-- {
		if !unicode.IsSpace(rs[i]) {
			return rs[i]
		}
	}
	return 0
}

func after(rs []rune, i int) rune {
	for i++; i < len(rs); i++ {
		if !unicode.IsSpace(rs[i]) {
			return rs[i]
		}
	}
	return 0
}

// joins reports whether blanks next to r are alignment.
func joins(r rune) bool { return isHan(r) || r == middleDot }

// isBreak reports whether r ends a line.
func isBreak(r rune) bool {
	return r >= '\n' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// cleanName reports whether s consists of Han characters and U+00B7 only.
func cleanName(s string) bool {
	for _, r := range s {
		if !isHan(r) && r != middleDot {
			return false
		}
	}
	return true
}

// PersonName checks the normal form of a personal name of shortest to longest
// characters. latin allows Latin letters, which only the holder of a foreigner's
// card may have. With a fault of one character it returns the character's place,
// counted from 0, else -1.
func PersonName(s string, latin bool, shortest, longest int) (f Fault, at int) {
	var prev rune
	n, at := 0, -1
	for _, r := range s {
		var bad Fault
		switch {
		case isHan(r), latin && isLatinName(r):
		case r == middleDot:
			if n == 0 || prev == middleDot {
				bad = Dot
			}
		case r == utf8.RuneError:
			bad = Replaced
		case isPrivate(r):
			bad = PrivateUse
		default:
			bad = Charset
		}
		if bad != OK && f == OK {
			f, at = bad, n
		}
		prev = r
		n++
	}
	if prev == middleDot && f == OK {
		f, at = Dot, n-1
	}
	if n < shortest || n > longest {
		f |= Length
	}
	return f, at
}

// isHan reports whether r is a Han character that a name may hold: GB 13000 with
// the CJK extensions A to J, the compatibility ideographs (people bear them), and
// the zero 〇.
func isHan(r rune) bool {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF:
		return true
	case r < 0x3400:
		return r == 0x3007
	case r < 0x20000:
		return r <= 0x4DBF || r >= 0xF900 && r <= 0xFAFF
	case r <= 0x2EE5F: // B, C, D, E, F, I
		return r <= 0x2A6DF || r >= 0x2A700
	}
	return r >= 0x2F800 && r <= 0x2FA1F || // compatibility supplement
		r >= 0x30000 && r <= 0x3347F // G, H, J
}

// isDot reports whether r is typed for the separator of a name's parts.
func isDot(r rune) bool {
	switch r {
	case 0x2022, 0x30FB, 0xFF65, 0x2027, 0x2219, 0x22C5, 0x0387, 0x25CF, 0x16EB, 0x2E31, 0x2E33, 0xFF0E:
		return true
	}
	return false
}

// isPrivate reports whether r is a private-use character (U+E000 to U+F8FF, and
// planes 15 and 16).
func isPrivate(r rune) bool { return r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000 }

// isLatinName reports whether r may stand in a name in Latin letters.
func isLatinName(r rune) bool {
	switch r {
	case ' ', '-', '\'', '.', ',', 0x2019:
		return true
	}
	return unicode.Is(unicode.Latin, r)
}
