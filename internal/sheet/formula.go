package sheet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tianbao"
)

// selfCheck is a form's rules as formulas of the first row of data. They use only
// functions of Excel 2013, WPS and LibreOffice, and no array formulas: SUMPRODUCT
// makes arrays of its arguments everywhere.
type selfCheck struct {
	l       *layout
	form    *tianbao.Form
	fields  []fieldFormulas
	columns []helper // hidden, in the order of the sheet
	explain helper
	names   []helper // defined names, which the validations need
	asks    []validation
}

// helper is a column of formulas, or a defined name.
type helper struct{ name, formula string }

// fieldFormulas is where a field's cells stand in the first row of data.
type fieldFormulas struct {
	*tianbao.Field
	raw   string // as typed
	norm  string // normal form
	class string // of an identifier: which of its forms it has; empty: none
	value string // what is compared between rows
	// state is empty for an empty cell, else two digits and, unless the cell has a
	// fault that keeps it out of the rules between rows, its value. 00 is no fault.
	state    string
	stateCol int
	messages []string // for states 01, 02, …; empty where the form does not list the code
	outcomes []outcome
}

// outcome is a fault that the cell has when cond holds and none before it does.
type outcome struct{ cond, rule string }

// compileSelfCheck writes the formulas of a form.
func compileSelfCheck(l *layout) *selfCheck {
	c := &selfCheck{l: l, form: l.form, fields: make([]fieldFormulas, len(l.form.Fields))}
	// Ids come first: whether a name may have Latin letters depends on them.
	order := make([]int, 0, len(c.fields))
	for i := range c.fields {
		if l.form.Fields[i].Kind == tianbao.KindResidentID {
			order = slices.Insert(order, 0, i)
		} else {
			order = append(order, i)
		}
	}
	for i := range c.fields {
		c.fields[i] = fieldFormulas{Field: &l.form.Fields[i], raw: "$" + Address(1+i, l.first)}
	}
	for _, i := range order {
		f := &c.fields[i]
		c.kind(f)
		f.stateCol = l.helpers() + len(c.columns)
		f.state = c.column(f.Letter+".state", c.stateOf(f))
	}
	var text []string
	for i := range c.fields {
		if m := c.fields[i].sentence(); m != "" {
			text = append(text, m)
		}
	}
	for i := range l.form.CrossRules {
		if r := &l.form.CrossRules[i]; slices.Contains(l.form.Formula, r.Code) {
			text = append(text, c.cross(r))
		}
	}
	if len(text) == 0 {
		text = []string{`""`}
	}
	c.explain = helper{explainTitle, `IFERROR(` + strings.Join(text, "&") + `,"` + inBrackets(wholeRow, "") + `有单元格是错误值，请改填正确的内容。")`}
	// Validations are written behind the rows, but the names they define stand in the
	// workbook part, which comes first.
	for i := range c.fields {
		c.validation(c.fields[i].Field, i)
	}
	for i := range l.form.Fields {
		c.asks = append(c.asks, c.validation(&l.form.Fields[i], i))
	}
	return c
}

// column adds a hidden column and returns the name of its cell.
func (c *selfCheck) column(name, formula string) string {
	col := c.l.helpers() + len(c.columns)
	c.columns = append(c.columns, helper{hiddenPrefix + "." + name, formula})
	return "$" + Address(col, c.l.first)
}

// above is the range of a column from the header to the row above.
func (c *selfCheck) above(col int) string {
	name := string(appendColumn(nil, col))
	return fmt.Sprintf("%s$%d:%s%d", "$"+name, c.l.header, "$"+name, c.l.header)
}

// filled tells whether the row holds anything in the form's columns.
func (c *selfCheck) filled() string {
	all := make([]string, len(c.fields))
	for i := range c.fields {
		all[i] = c.fields[i].raw
	}
	return `TRIM(` + strings.Join(all, "&") + `)<>""`
}

// stateOf writes the formula of a field's state and sets its messages.
func (c *selfCheck) stateOf(f *fieldFormulas) string {
	outcome := func(rule string) string {
		code := f.Key + "." + rule
		if rule == "required" {
			code = rule
		}
		m := ""
		if slices.Contains(c.form.Formula, code) {
			m = inBrackets(f.Letter+"列", f.Rules[rule]) + f.sentenceOf(rule)
		}
		f.messages = append(f.messages, m)
		state := fmt.Sprintf(`"%02d"`, len(f.messages))
		if f.Rules[rule] != tianbao.SeverityError {
			state += "&" + f.value
		}
		return state
	}
	empty := `""`
	if _, asked := f.Rules["required"]; asked {
		empty = `IF(` + c.filled() + `,` + outcome("required") + `,"")`
	}
	b := `IF(` + f.norm + `="",` + empty + `,`
	depth := 1
	for _, o := range f.outcomes {
		if _, asked := f.Rules[o.rule]; asked {
			b += `IF(` + o.cond + `,` + outcome(o.rule) + `,`
			depth++
		}
	}
	return b + `"00"&` + f.value + strings.Repeat(")", depth)
}

// sentence puts the state into words.
func (f *fieldFormulas) sentence() string {
	if strings.Join(f.messages, "") == "" {
		return ""
	}
	quoted := make([]string, len(f.messages))
	for i, m := range f.messages {
		quoted[i] = quote(m)
	}
	return `IF(LEFT(` + f.state + `,2)>"00",CHOOSE(--LEFT(` + f.state + `,2),` + strings.Join(quoted, ",") + `),"")`
}

// cross writes the sentence of a rule between rows: empty where no row above breaks
// the rule together with this one.
func (c *selfCheck) cross(r *tianbao.CrossRule) string {
	key := func(name string) *fieldFormulas { return &c.fields[c.form.Index(name)] }
	known := func(state string) string { return `(LEN(` + state + `)>2)` }
	same := func(f *fieldFormulas) string { return `EXACT(` + c.above(f.stateCol) + `,` + f.state + `)` }
	var own, rows []string
	first := ""
	for _, element := range r.Same {
		var alts, filled []string
		before := ""
		for _, name := range strings.Split(element, "|") {
			f := key(name)
			alts = append(alts, before+known(f.state)+`*`+same(f))
			filled = append(filled, known(f.state))
			before += `(LEN(` + f.state + `)<=2)*(LEN(` + c.above(f.stateCol) + `)<=2)*`
			if len(alts) == 1 && !strings.Contains(element, "|") && f.wildless() {
				first = `ISNUMBER(MATCH(` + f.state + `,` + c.above(f.stateCol) + `,0))`
			}
		}
		rows = append(rows, `(`+strings.Join(alts, "+")+`)`)
		own = append(own, `(`+strings.Join(filled, "+")+`>0)`)
	}
	if len(r.Differ) > 0 {
		var equal []string
		for _, name := range r.Differ {
			f := key(name)
			own = append(own, known(f.state))
			rows = append(rows, known(c.above(f.stateCol)))
			equal = append(equal, same(f))
		}
		rows = append(rows, `(1-`+strings.Join(equal, "*")+`)`)
	}
	at := wholeRow
	if f := c.form.Field(r.At); f != nil {
		at = f.Letter + "列"
	}
	// People know a row of a workbook by the number at its left.
	place := `"&(SUMPRODUCT(MATCH(1,` + strings.Join(rows, "*") + `,0))+ROW(` + fmt.Sprintf("$A$%d", c.l.header) + `)-1)&"`
	m := strings.ReplaceAll(r.Message, "第{row}行", "工作表第{row}行")
	m = strings.ReplaceAll(quote(inBrackets(at, r.Severity)+m), "{row}", place)
	found := `IFERROR(` + m + `,"")`
	if first != "" { // cheap, and usually the end of it
		found = `IF(` + first + `,` + found + `,"")`
	}
	return `IF(` + strings.Join(own, "*") + `>0,` + found + `,"")`
}

// wildless tells whether the clean values of a kind are free of * ? and ~, which
// MATCH takes for wildcards.
func (f *fieldFormulas) wildless() bool {
	switch f.Kind {
	case tianbao.KindResidentID, tianbao.KindCreditCode, tianbao.KindPhone, tianbao.KindCode:
		return true
	}
	return false
}

// quote makes a text a constant of a formula.
func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// numbers makes an array constant.
func numbers(list ...int) string {
	s := make([]string, len(list))
	for i, n := range list {
		s[i] = strconv.Itoa(n)
	}
	return "{" + strings.Join(s, ",") + "}"
}

// upTo is {1,2,…,n}.
func upTo(n int) string {
	list := make([]int, n)
	for i := range list {
		list[i] = i + 1
	}
	return numbers(list...)
}

const (
	digitSet  = "0123456789"
	letterSet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	creditSet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
)

// only tells whether the first n characters of a text are all of a set. A text that
// is shorter passes: it is filled up, since programs differ on where FIND finds "".
func only(text string, n int, set string) string {
	return `SUMPRODUCT(--ISERROR(FIND(MID(` + text + `&REPT("` + set[:1] + `",` + strconv.Itoa(n) + `),` + upTo(n) + `,1),"` + set + `")))=0`
}

// holds tells whether a text contains another.
func holds(text, part string) string { return `ISNUMBER(FIND(` + quote(part) + `,` + text + `))` }

// without removes characters from a text.
func without(text string, chars ...string) string {
	for _, c := range chars {
		text = `SUBSTITUTE(` + text + `,` + quote(c) + `,"")`
	}
	return text
}

// oneOf is a list of texts as a constant.
func oneOf(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = quote(s)
	}
	return "{" + strings.Join(q, ",") + "}"
}
