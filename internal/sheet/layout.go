package sheet

import (
	"strings"

	"tianbao"
)

// The words of the layout that are not in the form. The header search, the
// template, the export and the annotated copy share them.
const (
	// explainTitle heads the last column of an annotated copy. Reading passes it
	// over, so that an annotated copy may be corrected and sent again.
	explainTitle = "错误说明"
	sheetTitle   = "采集表"
)

// layout is where everything stands in a sheet that this package writes.
type layout struct {
	form    *tianbao.Form
	notes   []string // one merged row each
	letters int      // row of the letters
	header  int      // row of the header
	first   int      // first row of data
	columns int      // row number, fields, the sender's own columns, the explanation if there is one
	unknown []string // headers of the sender's own columns, right of the fields
	explain bool     // the last column is the explanation
	// Hidden columns stand right of all others.
	marked bool       // the first of them is the rows' mark, see origin.go
	self   *selfCheck // the others belong to the formulas, nil without
}

func layoutOf(f *tianbao.Form, explain bool, unknown ...string) *layout {
	l := &layout{form: f, explain: explain, unknown: unknown, columns: 1 + len(f.Fields) + len(unknown)}
	for i := range f.Fields {
		if fd := &f.Fields[i]; fd.Note != "" {
			l.notes = append(l.notes, fd.Letter+"列："+fd.Note+"；")
		}
	}
	if explain {
		l.columns++
	}
	l.letters = 2 + len(l.notes)
	l.header = l.letters + 1
	l.first = l.header + 1
	return l
}

// helpers is the first column of the formulas.
func (l *layout) helpers() int {
	if l.marked {
		return l.columns + 1
	}
	return l.columns
}

// maxData is how many rows of data fit below the header.
func (l *layout) maxData() int { return maxRow - l.header }

// appendRef appends the name of a cell: column from 0, row from 1.
func appendRef(b []byte, col, row int) []byte {
	b = appendColumn(b, col)
	return appendInt(b, row)
}

func appendColumn(b []byte, col int) []byte {
	var tmp [4]byte
	i := len(tmp)
	for n := col + 1; n > 0; n = (n - 1) / 26 {
		i--
		tmp[i] = byte('A' + (n-1)%26)
	}
	return append(b, tmp[i:]...)
}

func appendInt(b []byte, n int) []byte {
	if n < 10 {
		return append(b, byte('0'+n))
	}
	return append(appendInt(b, n/10), byte('0'+n%10))
}

// Address returns the name of a cell, such as H6: column from 0, row from 1.
func Address(col, row int) string { return string(appendRef(nil, max(col, 0), row)) }

// headerKey brings a header into the form in which headers are compared: blanks,
// brackets, colons, quotes and the star of must-be-filled columns gone, full-width
// letters and digits narrowed, upper case.
func headerKey(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case isBlank(r):
			return -1
		}
		switch r {
		case '(', ')', '[', ']', '{', '}', '【', '】', '〔', '〕', '《', '》', ':', '*', '"', '\'', '“', '”', '‘', '’', '※', '★':
			return -1
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, s)
}

// outsideBrackets drops what stands between brackets: 联系方式（手机） is 联系方式.
func outsideBrackets(s string) string {
	depth := 0
	return strings.Map(func(r rune) rune {
		switch r {
		case '(', '（', '[', '【', '〔':
			depth++
			return -1
		case ')', '）', ']', '】', '〕':
			if depth > 0 {
				depth--
			}
			return -1
		}
		if depth > 0 {
			return -1
		}
		return r
	}, s)
}

// isBlank reports whether a character shows nothing: blanks of every kind, control
// characters, and the invisible ones of identifiers.md §0 N1.
func isBlank(r rune) bool {
	switch {
	case r <= ' ', r >= 0x7F && r <= 0xA0, r == 0x3000, r >= 0x2000 && r <= 0x200F, r >= 0x2028 && r <= 0x202F,
		r >= 0x205F && r <= 0x206F, r == 0xFEFF, r == 0x00AD, r == 0x180E, r == 0x1680:
		return true
	}
	return false
}

// blankText reports whether a text shows nothing.
func blankText(b []byte) bool {
	for _, r := range string(b) {
		if !isBlank(r) {
			return false
		}
	}
	return true
}
