package sheet

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// flushAt is how much of the sheet is gathered before it goes to the compressor.
const flushAt = 32 << 10

// sheetWriter writes the worksheet part row by row. The order of its elements is
// that of CT_Worksheet, ECMA-376 part 1 §18.3.1.99; Excel refuses any other.
type sheetWriter struct {
	w   io.Writer
	l   *layout
	buf []byte
	row int // number of the row being written
	col int // column of the next cell
	err error
}

// sheet starts the worksheet and writes it down to the header.
func (p *pack) sheet() (*sheetWriter, error) {
	w, err := p.part("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, err
	}
	l := p.l
	s := &sheetWriter{w: w, l: l, buf: make([]byte, 0, flushAt+16<<10)}
	s.str(xmlHead + `<worksheet xmlns="` + nsMain + `" xmlns:r="` + nsRel + `">` +
		`<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>`)
	corner := Address(1, l.first)
	s.str(fmt.Sprintf(`<sheetViews><sheetView tabSelected="1" workbookViewId="0">`+
		`<pane xSplit="1" ySplit="%d" topLeftCell="%s" activePane="bottomRight" state="frozen"/>`+
		`<selection pane="topRight"/><selection pane="bottomLeft"/>`+
		`<selection pane="bottomRight" activeCell="%s" sqref="%s"/></sheetView></sheetViews>`, l.header, corner, corner, corner))
	// Rows of an annotated copy grow with their explanation, all others are even.
	if l.explain {
		s.str(`<sheetFormatPr defaultRowHeight="18"/>`)
	} else {
		s.str(`<sheetFormatPr defaultRowHeight="18" customHeight="1"/>`)
	}
	s.str(`<cols><col min="1" max="1" width="8" customWidth="1"/>`)
	for i := range l.form.Fields {
		// The column's own style is text too: what is typed below the last row
		// stays text, and an id keeps its tail.
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="%d" style="%d" customWidth="1"/>`, i+2, i+2, max(l.form.Fields[i].Width, 8), styleColumn))
	}
	if l.explain {
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="60" customWidth="1"/>`, l.columns, l.columns))
	}
	s.str(`</cols><sheetData>`)
	s.head()
	return s, s.err
}

// head writes title, notes, letters and header.
func (s *sheetWriter) head() {
	l := s.l
	s.row = 1
	s.startTall(32)
	s.text(l.form.Title, styleTitle)
	s.fill(styleTitle)
	_ = s.endRow()
	for _, n := range l.notes {
		s.startTall(17)
		s.text(n, styleNote)
		_ = s.endRow()
	}
	s.startTall(18)
	s.text(l.form.SeqTitle, styleLetter)
	for i := range l.form.Fields {
		s.text(l.form.Fields[i].Letter, styleLetter)
	}
	s.fill(styleLetter)
	_ = s.endRow()
	s.startTall(36)
	s.text(l.form.SeqTitle, styleHeader)
	for i := range l.form.Fields {
		style := styleHeader
		if l.form.Fields[i].Required {
			style = styleRequired
		}
		s.text(l.form.Fields[i].Title, style)
	}
	if l.explain {
		s.text(explainTitle, styleHeader)
	}
	_ = s.endRow()
}

func (s *sheetWriter) str(t string) { s.buf = append(s.buf, t...) }

func (s *sheetWriter) startRow() {
	s.col = 0
	s.str(`<row r="`)
	s.buf = appendInt(s.buf, s.row)
	s.str(`">`)
}

func (s *sheetWriter) startTall(height int) {
	s.col = 0
	s.str(fmt.Sprintf(`<row r="%d" ht="%d" customHeight="1">`, s.row, height))
}

func (s *sheetWriter) endRow() error {
	s.str(`</row>`)
	s.row++
	if len(s.buf) >= flushAt {
		s.flush()
	}
	return s.err
}

func (s *sheetWriter) flush() {
	if s.err == nil {
		if _, err := s.w.Write(s.buf); err != nil {
			s.err = fmt.Errorf("sheet: writing rows: %w", err)
		}
	}
	s.buf = s.buf[:0]
}

// open starts a cell.
func (s *sheetWriter) open(style int) {
	s.str(`<c r="`)
	s.buf = appendRef(s.buf, s.col, s.row)
	s.str(`" s="`)
	s.buf = appendInt(s.buf, style)
	s.col++
}

// fill adds empty cells up to the last column.
func (s *sheetWriter) fill(style int) {
	for s.col < s.l.columns {
		s.open(style)
		s.str(`"/>`)
	}
}

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
	s.str(`" t="inlineStr"><is><t`)
	if t[0] <= ' ' || t[len(t)-1] <= ' ' || strings.IndexByte(t, '\n') >= 0 {
		s.str(` xml:space="preserve"`)
	}
	s.str(`>`)
	s.buf = appendEscaped(s.buf, t)
	s.str(`</t></is></c>`)
}

// maxCell is the longest text of a cell.
const maxCell = 32767

// number adds a cell with a raw value: a number, or with kind "e" an error.
func (s *sheetWriter) number(v string, kind string, style int) {
	s.open(style)
	if kind != "" {
		s.str(`" t="`)
		s.str(kind)
	}
	s.str(`"><v>`)
	s.str(v)
	s.str(`</v></c>`)
}

// seq adds the row number.
func (s *sheetWriter) seq(n int, sev severity) {
	s.open(dataStyle(shapeSeq, sev))
	s.str(`"><v>`)
	s.buf = appendInt(s.buf, n)
	s.str(`</v></c>`)
}

// value adds a cell of data. A mark is kept by writing the cell in the type that
// reading it again gives the same text and mark for; where there is none, as text.
func (s *sheetWriter) value(t string, mark tianbao.Mark, sev severity) {
	switch mark {
	case tianbao.MarkNumber:
		if text, lost := numberText(t, NumFmt{}); lost && text == t {
			s.number(t, "", dataStyle(shapeNumber, sev))
			return
		}
	case tianbao.MarkDate:
		if serial, withTime, ok := dateSerial(t); ok {
			if back, _ := dateText(serial, false); back == t {
				shape := shapeDate
				if withTime {
					shape = shapeTime
				}
				s.number(serial, "", dataStyle(shape, sev))
				return
			}
		}
	case tianbao.MarkError:
		switch t {
		case "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A":
			s.number(t, "e", dataStyle(shapeText, sev))
			return
		}
	}
	s.text(t, dataStyle(shapeText, sev))
}

// end writes what stands behind the rows.
func (s *sheetWriter) end(comments bool) error {
	l := s.l
	last := l.columns - 1
	s.str(`</sheetData><mergeCells>`)
	for row := 1; row <= 1+len(l.notes); row++ {
		s.str(`<mergeCell ref="` + Address(0, row) + ":" + Address(last, row) + `"/>`)
	}
	s.str(`</mergeCells>`)
	s.validations()
	s.str(`<printOptions horizontalCentered="1"/>` +
		`<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>` +
		`<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>` +
		`<headerFooter><oddFooter>&amp;C第 &amp;P 页，共 &amp;N 页</oddFooter></headerFooter>` +
		`<ignoredErrors><ignoredError sqref="A1:` + Address(last, maxRow) + `" numberStoredAsText="1"/></ignoredErrors>`)
	if comments {
		s.str(`<legacyDrawing r:id="rId1"/>`)
	}
	s.str(`</worksheet>`)
	s.flush()
	return s.err
}

// maxList is the longest list that a validation may hold literally.
const maxList = 255

// validations gives each choice field its drop-down list, down to the last row.
func (s *sheetWriter) validations() {
	n := 0
	var out []byte
	for i := range s.l.form.Fields {
		f := &s.l.form.Fields[i]
		list := strings.Join(f.Enum, ",")
		if f.Kind != tianbao.KindChoice || len(f.Enum) == 0 || strings.Count(list, ",") != len(f.Enum)-1 ||
			utf8.RuneCountInString(list) > maxList || strings.Contains(list, `"`) {
			continue
		}
		n++
		out = append(out, `<dataValidation type="list" allowBlank="1" showInputMessage="1" showErrorMessage="1" errorTitle="`...)
		out = appendEscaped(out, shortTitle(f.Title))
		out = append(out, `" error="`...)
		out = appendEscaped(out, "请从下拉列表中选择："+strings.Join(f.Enum, "、")+"。")
		out = append(out, `" sqref="`+Address(i+1, s.l.first)+":"+Address(i+1, maxRow)+`"><formula1>"`...)
		out = appendEscaped(out, list)
		out = append(out, `"</formula1></dataValidation>`...)
	}
	if n > 0 {
		s.str(fmt.Sprintf(`<dataValidations count="%d">`, n))
		s.buf = append(s.buf, out...)
		s.str(`</dataValidations>`)
	}
}

// shortTitle fits the 32 characters of a message's title.
func shortTitle(t string) string {
	if r := []rune(t); len(r) > 32 {
		return string(r[:32])
	}
	return t
}
