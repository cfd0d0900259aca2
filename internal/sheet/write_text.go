package sheet

import (
	"strings"
	"unicode/utf8"
)

// maxCell is the longest text of a cell.
const maxCell = 32767

// text adds a cell of text.
func (s *sheetWriter) text(t string, style int) {
	s.open(style)
	if t == "" {
		s.str(`"/>`)
		return
	}
	if len(t) > maxCell && utf8.RuneCountInString(t) > maxCell {
		// Such a text cannot come from a checked row; Excel would refuse the file.
		t = string([]rune(t)[:maxCell])
	}
	if t[0] <= ' ' || t[len(t)-1] <= ' ' || strings.IndexByte(t, '\n') >= 0 {
		s.str(`" t="inlineStr"><is><t xml:space="preserve">`)
	} else {
		s.str(`" t="inlineStr"><is><t>`)
	}
	s.buf = appendEscaped(s.buf, t)
	s.str(`</t></is></c>`)
}
