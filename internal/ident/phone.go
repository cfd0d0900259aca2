package ident

import (
	"strings"
	"unicode/utf8"
)

// NormalizePhone returns the normal form of a telephone number: eleven digits of a
// mobile number, or area, number and extension of a landline joined by hyphens,
// 024-23861234-801. What is neither comes back as a code, with its separators, so
// that the clerk sees what was typed.
func NormalizePhone(s string) string {
	if len(s) == 11 && s[0] == '1' && digits(s, 0) == 11 {
		return s
	}
	t := NormalizeCode(s)
	if m := mobile(t); m != "" {
		return m
	}
	if area, num, ext, ok := splitLandline(t); ok {
		if ext != "" {
			ext = "-" + ext
		}
		return area + "-" + num + ext
	}
	return t
}

// mobile returns the eleven digits of a mobile number written with separators or
// the country's prefix, or "".
func mobile(t string) string {
	if excelDamage(t) { // 13912345678.0 is no separator's work
		return ""
	}
	var buf [16]byte
	n := 0
	for _, r := range t {
		switch {
		case r >= '0' && r <= '9', r == '+' && n == 0:
			if n == len(buf) {
				return ""
			}
			buf[n] = byte(r)
			n++
		case isSeparator(r):
		default:
			return ""
		}
	}
	d := string(buf[:n])
	for _, prefix := range []string{"", "86", "+86", "0086"} {
		if m, ok := strings.CutPrefix(d, prefix); ok && len(m) == 11 && m[0] == '1' {
			return m
		}
	}
	return ""
}

// isSeparator reports whether r is typed between the digits of a number.
func isSeparator(r rune) bool {
	switch r {
	case '-', '(', ')', '.', '[', ']', '{', '}', '【', '】', '〔', '〕', 0x2212, 0x30FC, 0xFE63:
		return true
	}
	return r >= 0x2010 && r <= 0x2015 // hyphens and dashes
}

// splitLandline takes a landline number apart: an area code that starts with 0,
// in brackets or not; an optional separator; seven or eight digits; and an
// optional extension behind -, 转, #, * or a comma. It looks at the form only.
func splitLandline(t string) (area, num, ext string, ok bool) {
	t = strings.TrimLeftFunc(t, isSeparator)
	if len(t) < 3 || t[0] != '0' {
		return "", "", "", false
	}
	// 010 and 02x are the areas of three digits, all others have four.
	n := 4
	if t[1] == '1' || t[1] == '2' {
		n = 3
	}
	if digits(t, 0) < n {
		return "", "", "", false
	}
	area, t = t[:n], strings.TrimLeftFunc(t[n:], isSeparator)
	n = digits(t, 0)
	if n != 7 && n != 8 {
		return "", "", "", false
	}
	num, t = t[:n], t[n:]
	if t == "" {
		return area, num, "", true
	}
	r, size := utf8.DecodeRuneInString(t)
	ext = t[size:]
	if r != '转' && r != '#' && r != '*' && r != ',' && !isHyphen(r) ||
		ext == "" || len(ext) > 6 || digits(ext, 0) != len(ext) {
		return "", "", "", false
	}
	return area, num, ext, true
}

func isHyphen(r rune) bool {
	return r == '-' || r == 0x2212 || r == 0x30FC || r == 0xFE63 || r >= 0x2010 && r <= 0x2015
}

// Phone checks the normal form of a telephone number. It returns [OK] for a mobile
// number, [Landline] for a right landline, or one fault: what is no number of
// either sort has no parts that could be faulty by themselves.
func Phone(s string) Fault {
	if len(s) == 11 && s[0] == '1' && digits(s, 0) == 11 {
		if s[1] < '3' {
			return Segment
		}
		return OK
	}
	if area, num, _, ok := splitLandline(s); ok {
		switch lengths := areaLengths(area); {
		case lengths == "":
			return AreaCode
		case num[0] < '2' || num[0] > '8', strings.IndexByte(lengths, byte(len(num))+'0') < 0:
			return Number
		}
		return Landline
	}
	switch n := len(s); {
	case replaced(s):
		return Replaced
	case strings.IndexByte(s, '*') >= 0:
		return Masked
	case excelDamage(s):
		return Excel
	case digits(s, 0) < n:
		return Charset
	case (n == 7 || n == 8) && s[0] >= '2' && s[0] <= '8':
		return NoArea
	}
	return Length
}

// areaLengths returns the lengths that numbers of the area have, as digits, or ""
// for an area that does not exist (identifiers.md §6; those of Liaoning exactly,
// the four-digit ones of other provinces by their form).
func areaLengths(area string) string {
	switch area {
	case "010", "020", "021", "022", "023", "024", "025", "027", "028", "029", "0411":
		return "8"
	case "0410", "0412", "0413", "0414", "0415", "0416", "0417", "0418", "0419", "0421", "0427", "0429":
		return "7"
	case "0420", "0422", "0423", "0424", "0425", "0426", "0428":
		return ""
	}
	if len(area) == 4 && area[1] >= '3' {
		return "78"
	}
	return ""
}
