package sheet

import (
	"strings"
	"unicode/utf8"
)

const (
	xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	nsMain  = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	nsRel   = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

const hexDigits = "0123456789ABCDEF"

// appendEscaped appends a text for an element or a double-quoted attribute.
// Characters that XML 1.0 cannot hold, and the carriage return, which every XML
// reader turns into a line feed, become _xHHHH_ (ST_Xstring); so does the
// underscore of a text that looks like such an escape.
func appendEscaped(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '&' && c != '<' && c != '>' && c != '"' && c != '_' && c != 0xEF {
			continue
		}
		var with string
		n := 1
		switch {
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '"':
			with = "&quot;"
		case c == '_':
			if _, ok := escapeAt([]byte(s[i:min(len(s), i+7)])); !ok {
				continue
			}
			with = "_x005F_"
		case c == 0xEF:
			if s[i+1] != 0xBF || s[i+2] < 0xBE {
				continue
			}
			// U+FFFE and U+FFFF
			with, n = "_xFFF"+hexDigits[s[i+2]-0xB0:][:1]+"_", 3
		case c == '\n', c == '\t':
			continue
		default:
			with = "_x00" + hexDigits[c>>4:][:1] + hexDigits[c&15:][:1] + "_"
		}
		dst = append(dst, s[from:i]...)
		dst = append(dst, with...)
		i += n - 1
		from = i + 1
	}
	return append(dst, s[from:]...)
}
