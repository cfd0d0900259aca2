package sheet

import (
	"fmt"
	"io"
	"strings"

	"tianbao"
)

// flushAt is how much of the sheet is gathered before it goes to the compressor.
const flushAt = 32 << 10

// sheetWriter writes a worksheet part row by row. The order of its elements is that
// of CT_Worksheet, ECMA-376 part 1 §18.3.1.99; Excel refuses any other.
type sheetWriter struct {
	w     io.Writer
	l     *layout
	buf   []byte
	row   int      // number of the row being written
	rowAt []byte   // the same as text
	col   int      // column of the next cell
	cells [][]byte // how a cell of each column begins
	err   error
	trace *Trace // nil: the cells are not marked
	// footer stands at the left below each printed page.
	footer string
}

// sheet starts the worksheet and writes it down to the header.
func (p *pack) sheet() (*sheetWriter, error) {
	w, err := p.part("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, err
	}
	l := p.l
	s := newSheetWriter(w, l)
	s.trace, s.footer = p.opt.Trace, p.opt.Footer
	s.str(xmlHead + `<worksheet xmlns="` + nsMain + `" xmlns:r="` + nsRel + `">` +
		`<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>`)
	corner := Address(1, l.first)
	s.str(fmt.Sprintf(`<sheetViews><sheetView tabSelected="1" workbookViewId="0">`+
		`<pane xSplit="1" ySplit="%d" topLeftCell="%s" activePane="bottomRight" state="frozen"/>`+
		`<selection pane="topRight"/><selection pane="bottomLeft"/>`+
		`<selection pane="bottomRight" activeCell="%s" sqref="%s"/></sheetView></sheetViews>`, l.header, corner, corner, corner))
	// Rows of an annotated copy grow with their explanation, all others are even.
	if l.explain && l.self == nil {
		s.str(`<sheetFormatPr defaultRowHeight="18"/>`)
	} else {
		s.str(`<sheetFormatPr defaultRowHeight="18" customHeight="1"/>`)
	}
	s.columns()
	s.str(`<sheetData>`)
	s.head()
	return s, s.err
}

func newSheetWriter(w io.Writer, l *layout) *sheetWriter {
	return &sheetWriter{w: w, l: l, buf: make([]byte, 0, flushAt+16<<10), row: 1}
}

// columns writes widths and column styles.
func (s *sheetWriter) columns() {
	l := s.l
	seqStyle, style, after := "", styleColumn, -1
	if l.self != nil {
		// A protected sheet refuses to delete a row with any locked cell, so nothing
		// but the head is locked, out to the last column.
		style, after = styleOpenColumn, maxColumn
		seqStyle = fmt.Sprintf(` style="%d"`, styleOpen)
	}
	s.str(`<cols><col min="1" max="1" width="8"` + seqStyle + ` customWidth="1"/>`)
	for i := range l.form.Fields {
		// The column's own style is text too: what is typed below the last row
		// stays text, and an id keeps its tail.
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="%d" style="%d" customWidth="1"/>`, i+2, i+2, max(l.form.Fields[i].Width, 8), style))
	}
	for i := range l.unknown {
		n := len(l.form.Fields) + i + 2
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="16" style="%d" customWidth="1"/>`, n, n, style))
	}
	if l.explain {
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="60"%s customWidth="1"/>`, l.columns, l.columns, seqStyle))
	}
	if hidden := l.hidden(); hidden > 0 {
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="9" style="%d" hidden="1" customWidth="1"/>`, l.columns+1, l.columns+hidden, style))
	}
	if after > 0 {
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="9" style="%d"/>`, l.columns+l.hidden()+1, after, styleOpen))
	}
	s.str(`</cols>`)
}

// maxColumn is the last column of a sheet, XFD.
const maxColumn = 1 << 14

// hidden is how many hidden columns there are.
func (l *layout) hidden() int {
	n := l.helpers() - l.columns
	if l.self != nil {
		n += len(l.self.columns)
	}
	return n
}

// head writes title, notes, letters and header.
func (s *sheetWriter) head() {
	l := s.l
	s.startTall(32)
	s.text(l.form.Title, styleTitle)
	s.fill(styleTitle)
	_ = s.endRow()
	for _, n := range l.notes {
		s.startTall(17)
		s.text(n, styleNote)
		if l.self != nil {
			s.fill(styleNote) // locked to the right end of the merged range
		}
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
	for _, u := range l.unknown {
		s.text(u, styleHeader)
	}
	if l.explain {
		s.text(explainTitle, styleHeader)
	}
	if l.marked {
		s.text(originTitle, styleHeader)
	}
	if l.self != nil {
		for i := range l.self.columns {
			s.text(l.self.columns[i].name, styleHeader)
		}
	}
	_ = s.endRow()
}

func (s *sheetWriter) str(t string) { s.buf = append(s.buf, t...) }

func (s *sheetWriter) startRow() {
	s.col = 0
	s.rowAt = appendInt(s.rowAt[:0], s.row)
	s.str(`<row r="`)
	s.buf = append(s.buf, s.rowAt...)
	s.str(`">`)
}

func (s *sheetWriter) startTall(height int) {
	s.col = 0
	s.rowAt = appendInt(s.rowAt[:0], s.row)
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
	if s.col == len(s.cells) {
		s.cells = append(s.cells, appendColumn([]byte(`<c r="`), s.col))
	}
	s.buf = append(s.buf, s.cells[s.col]...)
	s.buf = append(s.buf, s.rowAt...)
	s.str(`" s="`)
	s.buf = appendInt(s.buf, style)
	s.col++
}

// fill adds empty cells up to the last visible column.
func (s *sheetWriter) fill(style int) {
	for s.col < s.l.columns {
		s.open(style)
		s.str(`"/>`)
	}
}

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
	s.open(s.style(shapeSeq, sev))
	s.str(`"><v>`)
	s.buf = appendInt(s.buf, n)
	s.str(`</v></c>`)
}

// value adds a cell of data. A mark is kept by writing the cell in the type that
// reading it again gives the same text and mark for; where there is none, as text.
func (s *sheetWriter) value(t string, mark tianbao.Mark, sev severity) {
	if mark == tianbao.MarkNone {
		s.text(t, s.style(shapeText, sev))
		return
	}
	switch keptMark(t, mark) {
	case tianbao.MarkNumber:
		s.number(t, "", s.style(shapeNumber, sev))
	case tianbao.MarkDate:
		serial, withTime, _ := dateSerial(t)
		shape := shapeDate
		if withTime {
			shape = shapeTime
		}
		s.number(serial, "", s.style(shape, sev))
	case tianbao.MarkError:
		s.number(t, "e", s.style(shapeText, sev))
	default:
		s.text(t, s.style(shapeText, sev))
	}
}

// style is the style of a cell of data. In a protected sheet it may be edited.
func (s *sheetWriter) style(sh shape, sev severity) int {
	if s.l.self != nil {
		return s.traceStyle(styleOpenData+int(sh), sh, sev)
	}
	return s.traceStyle(dataStyle(sh, sev), sh, sev)
}

// keptMark is the mark that a cell still has when it was written and read again.
func keptMark(t string, mark tianbao.Mark) tianbao.Mark {
	switch mark {
	case tianbao.MarkNumber:
		if text, lost := numberText(t, NumFmt{}); lost && text == t {
			return mark
		}
	case tianbao.MarkDate:
		if serial, _, ok := dateSerial(t); ok {
			if back, _ := dateText(serial, false); back == t {
				return mark
			}
		}
	case tianbao.MarkError:
		switch t {
		case "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A":
			return mark
		}
	}
	return tianbao.MarkNone
}

// end writes what stands behind the rows.
func (s *sheetWriter) end(comments bool) error {
	l := s.l
	last := l.columns - 1
	s.str(`</sheetData>`)
	if l.self != nil {
		s.str(protection)
	}
	s.str(`<mergeCells>`)
	for row := 1; row <= 1+len(l.notes); row++ {
		s.str(`<mergeCell ref="` + Address(0, row) + ":" + Address(last, row) + `"/>`)
	}
	s.str(`</mergeCells>`)
	if l.self != nil {
		s.colours()
		s.selfValidations()
	} else {
		s.validations()
	}
	s.str(`<printOptions horizontalCentered="1"/>` +
		`<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>` +
		`<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>` +
		`<headerFooter><oddFooter>` + footerCode(s.footer) + `&amp;C第 &amp;P 页，共 &amp;N 页</oddFooter></headerFooter>` +
		`<ignoredErrors><ignoredError sqref="A1:` + Address(last, maxRow) + `" numberStoredAsText="1"/></ignoredErrors>`)
	if comments {
		s.str(`<legacyDrawing r:id="rId1"/>`)
	}
	s.str(`</worksheet>`)
	s.flush()
	return s.err
}

// footerCode writes a text for the left of a footer, ECMA-376 part 1 §18.3.1.39: an
// ampersand is doubled. A footer has at most 255 characters.
func footerCode(t string) string {
	if t == "" {
		return ""
	}
	return escaped("&L" + strings.ReplaceAll(clip(t, 100), "&", "&&"))
}

// validations gives each choice field its drop-down list, down to the last row.
func (s *sheetWriter) validations() {
	var list []validation
	for i := range s.l.form.Fields {
		if v, ok := choiceValidation(&s.l.form.Fields[i]); ok {
			v.sqref = Address(i+1, s.l.first) + ":" + Address(i+1, maxRow)
			list = append(list, v)
		}
	}
	s.writeValidations(list)
}

// validation is one CT_DataValidation, ECMA-376 part 1 §18.3.1.32.
type validation struct {
	kind, formula       string // "list" or "custom"; without a kind it only shows its prompt
	style               string // of the refusal: "stop", "warning"
	errTitle, errText   string
	promptTitle, prompt string
	sqref               string
}

// maxList is the longest list that a validation may hold literally.
const maxList = 255

// choiceValidation is the drop-down list of a choice field, if it can have one.
func choiceValidation(f *tianbao.Field) (v validation, ok bool) {
	list := strings.Join(f.Enum, ",")
	if f.Kind != tianbao.KindChoice || len(f.Enum) == 0 || strings.Count(list, ",") != len(f.Enum)-1 ||
		len([]rune(list)) > maxList || strings.Contains(list, `"`) {
		return v, false
	}
	return validation{
		kind: "list", formula: `"` + list + `"`, errTitle: f.Title,
		errText: "请从下拉列表中选择：" + strings.Join(f.Enum, "、") + "。",
	}, true
}

func (s *sheetWriter) writeValidations(list []validation) {
	if len(list) == 0 {
		return
	}
	s.str(fmt.Sprintf(`<dataValidations count="%d">`, len(list)))
	attr := func(name, text string, most int) {
		if text != "" {
			s.str(` ` + name + `="`)
			s.buf = appendEscaped(s.buf, clip(text, most))
			s.str(`"`)
		}
	}
	for _, v := range list {
		s.str(`<dataValidation`)
		attr("type", v.kind, 32)
		attr("errorStyle", v.style, 32)
		s.str(` allowBlank="1" showInputMessage="1"`)
		if v.kind != "" {
			s.str(` showErrorMessage="1"`)
		}
		// Excel refuses a file with longer ones.
		attr("errorTitle", v.errTitle, 32)
		attr("error", v.errText, 255)
		attr("promptTitle", v.promptTitle, 32)
		attr("prompt", v.prompt, 255)
		s.str(` sqref="` + v.sqref + `"`)
		if v.formula == "" {
			s.str(`/>`)
			continue
		}
		s.str(`><formula1>`)
		s.str(formulaEscaper.Replace(v.formula))
		s.str(`</formula1></dataValidation>`)
	}
	s.str(`</dataValidations>`)
}

// clip cuts a text to so many UTF-16 units, as Excel counts them.
func clip(t string, most int) string {
	n := 0
	for i, r := range t {
		if n++; r > 0xFFFF {
			n++
		}
		if n > most {
			return t[:i]
		}
	}
	return t
}
