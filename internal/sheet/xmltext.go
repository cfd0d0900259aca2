package sheet

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// appendText appends raw XML text to dst: entities resolved, line ends as XML 1.0
// §2.11 wants them. What looks like an entity and is none stays as it is.
func appendText(dst, raw []byte, literal bool) []byte {
	for {
		i := bytes.IndexByte(raw, '&')
		if j := bytes.IndexByte(raw, '\r'); j >= 0 && (i < 0 || j < i) {
			dst = append(dst, raw[:j]...)
			dst = append(dst, '\n')
			raw = raw[j+1:]
			if len(raw) > 0 && raw[0] == '\n' {
				raw = raw[1:]
			}
			continue
		}
		if i < 0 || literal {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		raw = raw[i:]
		end := bytes.IndexByte(raw[:min(len(raw), entityTail)], ';')
		if end < 0 {
			dst = append(dst, '&')
			raw = raw[1:]
			continue
		}
		r, ok := entity(raw[1:end])
		if !ok {
			dst = append(dst, '&')
			raw = raw[1:]
			continue
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[end+1:]
	}
}

// entity resolves the name between '&' and ';'.
func entity(name []byte) (rune, bool) {
	switch string(name) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	base, digits := 10, name[1:]
	if digits[0] == 'x' || digits[0] == 'X' {
		base, digits = 16, digits[1:]
	}
	n := 0
	for _, c := range digits {
		d := hexDigit(c)
		if d < 0 || d >= base {
			return 0, false
		}
		if n = n*base + d; n > utf8.MaxRune {
			return utf8.RuneError, true
		}
	}
	if len(digits) == 0 {
		return 0, false
	}
	if n == 0 || !utf8.ValidRune(rune(n)) {
		return utf8.RuneError, true
	}
	return rune(n), true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// escapeAt reads a _xHHHH_ escape (ECMA-376 part 1 §22.9.2.19, ST_Xstring) at the
// start of b.
func escapeAt(b []byte) (unit uint16, ok bool) {
	if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	for _, c := range b[2:6] {
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		unit = unit<<4 | uint16(d)
	}
	return unit, true
}

var escapeMark = []byte("_x")

// unescapeX resolves _xHHHH_ escapes in place and returns the shorter text. A
// character outside the basic plane may come as two of them.
func unescapeX(b []byte) []byte {
	i := bytes.Index(b, escapeMark)
	if i < 0 {
		return b
	}
	out := b[:i]
	for i < len(b) {
		u, ok := escapeAt(b[i:])
		if !ok {
			out = append(out, b[i])
			i++
			continue
		}
		i += 7
		r := rune(u)
		if utf16.IsSurrogate(r) {
			low, ok := escapeAt(b[i:])
			if pair := utf16.DecodeRune(r, rune(low)); ok && pair != utf8.RuneError {
				r = pair
				i += 7
			} else {
				r = utf8.RuneError
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}
