package sheet

import (
	"fmt"
	"strings"

	"tianbao"
)

// A self-checking workbook finds faults while it is filled in, far from any server:
// hidden columns hold each cell's normal form and state, 错误说明 puts the states into
// words, conditional formats colour what it names, and validations ask before a wrong
// value is accepted. All of it is made from the form (formula.go); what each rule comes
// to is what internal/check says, and a test holds the two against each other.
const (
	// selfRows is how many rows of an export have formulas, and spareRows how many
	// empty ones behind the last. A check for doubles looks at all rows above, so the
	// cost grows with the square; a longer sheet is checked where it is handed in.
	selfRows  = 2000
	spareRows = 200
)

// protection keeps title, notes and header from being changed by accident: there is
// no password. Everything that fills a sheet in stays allowed, deleting rows too, as
// no cell below the header is locked ("0" means allowed, ECMA-376 part 1 §18.3.1.85).
const protection = `<sheetProtection sheet="1" objects="0" scenarios="0" formatCells="0" formatColumns="0" formatRows="0" ` +
	`insertColumns="0" insertRows="0" insertHyperlinks="0" deleteRows="0" sort="0" autoFilter="0"/>`

// formulaEscaper escapes a formula for an element. Unlike a text it has no _xHHHH_.
var formulaEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// formulas is how many rows have formulas.
func (s *sheetWriter) formulas() int { return selfRows + spareRows }

// formula adds the cell of a helper in the n-th row of data: written out in the first,
// shared by the others.
func (s *sheetWriter) formula(h int, n int) {
	if n > s.formulas() {
		return
	}
	helper := &s.l.self.explain
	style := styleOpenExplain
	if h >= 0 {
		helper, style = &s.l.self.columns[h], styleOpen
	}
	s.open(style)
	if n > 1 {
		s.str(fmt.Sprintf(`"><f t="shared" si="%d"/></c>`, h+1))
		return
	}
	col := s.col - 1
	s.str(fmt.Sprintf(`"><f t="shared" ref="%s:%s" si="%d">`, Address(col, s.row), Address(col, s.row+s.formulas()-1), h+1))
	s.str(formulaEscaper.Replace(helper.formula))
	s.str(`</f></c>`)
}

// helpers adds the hidden formulas of the n-th row.
func (s *sheetWriter) helpers(n int) {
	if s.l.self == nil {
		return
	}
	for h := range s.l.self.columns {
		s.formula(h, n)
	}
}

// spare adds empty rows behind n rows of data.
func (s *sheetWriter) spare(n int) {
	if n >= selfRows {
		return
	}
	for i := n + 1; i <= n+spareRows && s.err == nil; i++ {
		s.startRow()
		s.text("", s.style(shapeSeq, sevNone))
		for range s.l.form.Fields {
			s.text("", s.style(shapeText, sevNone))
		}
		s.formula(-1, i)
		if s.l.marked {
			s.col++
		}
		s.helpers(i)
		_ = s.endRow()
	}
}

// colours writes the conditional formats: what 错误说明 names is coloured.
func (s *sheetWriter) colours() {
	l := s.l
	last := l.first + s.formulas() - 1
	explain := "$" + Address(l.columns-1, l.first)
	priority := 0
	rule := func(mark string, sev severity) {
		priority++
		s.str(fmt.Sprintf(`<cfRule type="expression" dxfId="%d" priority="%d"><formula>`, int(sev)-1, priority))
		s.str(formulaEscaper.Replace(`ISNUMBER(FIND("`+mark+`",`+explain+`))`) + `</formula></cfRule>`)
	}
	for col := range 1 + len(l.form.Fields) {
		name := wholeRow
		if col > 0 {
			name = l.form.Fields[col-1].Letter + "列"
		}
		s.str(`<conditionalFormatting sqref="` + Address(col, l.first) + ":" + Address(col, last) + `">`)
		for _, sev := range []tianbao.Severity{tianbao.SeverityError, tianbao.SeverityJustify, tianbao.SeverityHint} {
			rule(inBrackets(name, sev), severityOf(sev))
		}
		s.str(`</conditionalFormatting>`)
	}
}

const wholeRow = "整行"

// inBrackets marks a sentence of 错误说明 with the column and what it stops.
func inBrackets(name string, sev tianbao.Severity) string {
	switch sev {
	case tianbao.SeverityJustify:
		return "【" + name + " 核实】"
	case tianbao.SeverityHint:
		return "【" + name + " 提示】"
	}
	return "【" + name + "】"
}

// selfValidations shows each column's note while it is filled in, and asks when a
// value cannot be right. It asks and does not refuse: a sheet that is not finished may
// be saved as it is.
func (s *sheetWriter) selfValidations() {
	l := s.l
	list := make([]validation, 0, len(l.form.Fields))
	for i := range l.form.Fields {
		f := &l.form.Fields[i]
		v, ok := choiceValidation(f)
		if !ok {
			v = l.self.asks[i]
		}
		v.promptTitle, v.prompt = f.Title, f.Note+"。"
		if f.Note == "" {
			v.prompt = ""
		}
		v.sqref = Address(i+1, l.first) + ":" + Address(i+1, maxRow)
		list = append(list, v)
	}
	s.writeValidations(list)
}
