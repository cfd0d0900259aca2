package sheet

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// names finds the field that a header names. It is made from the form, so a new
// form needs no new code.
type names struct {
	form  *tianbao.Form
	exact map[string]int // by headerKey; fields from 0, the row number is seqField
	title map[string]bool
}

// Fields that are not in the form's list.
const (
	seqField     = -1
	explainField = -2
	noField      = -3
	// unknownField - k is the k-th column that the form does not have.
	unknownField = -10
)

func namesOf(f *tianbao.Form) *names {
	n := &names{form: f, exact: make(map[string]int), title: make(map[string]bool)}
	// Titles first: a synonym never takes another field's title.
	for i := range f.Fields {
		n.exact[headerKey(f.Fields[i].Title)] = i
		n.title[headerKey(f.Fields[i].Title)] = true
	}
	add := func(s string, i int) {
		if k := headerKey(s); k != "" {
			if _, taken := n.exact[k]; !taken {
				n.exact[k] = i
			}
		}
	}
	add(f.SeqTitle, seqField)
	add(explainTitle, explainField)
	add(checkTitle, explainField)
	for i := range f.Fields {
		for _, s := range f.Fields[i].Synonyms {
			add(s, i)
		}
	}
	for _, s := range f.SeqSynonyms {
		add(s, seqField)
	}
	return n
}

// with takes in what a person said of headers.
func (n *names) with(headers map[string]string) *names {
	for header, key := range headers {
		i := n.form.Index(key)
		if i < 0 {
			i = explainField // passed over in silence
		}
		n.exact[header], n.title[header] = i, i >= 0
	}
	return n
}

// checkTitle heads a column of our own templates that is passed over in silence, as
// is every one whose header begins with hiddenPrefix.
const checkTitle = "检查"

// find returns the field that a header names and how well: 2 by its title, 1 by
// another name, 0 not at all.
func (n *names) find(text string) (field, grade int) {
	if strings.HasPrefix(text, hiddenPrefix) {
		return explainField, 1
	}
	for _, s := range []string{text, outsideBrackets(text)} {
		k := headerKey(s)
		if i, ok := n.exact[k]; ok {
			if n.title[k] {
				return i, 2
			}
			return i, 1
		}
	}
	return noField, 0
}

// header is the header row of a sheet.
type header struct {
	row     int
	columns []int // of each field; -1: absent
	seq     int
	explain int
	origin  int          // of the rows' hidden marks
	unknown []headerCell // columns that are not of the form
	matched int          // fields found
	at      []int        // the field in each column, seqField, noField, or unknownField-k
	missing []string     // titles of must-be-filled fields that are absent
}

func (h *header) complete() bool { return h != nil && len(h.missing) == 0 }

// match reads a line as a header, or two lines. It returns nil when no cell names a
// field.
func (n *names) match(upper, lower *line) *header {
	h := &header{row: lower.num, columns: make([]int, len(n.form.Fields)), seq: -1, explain: -1, origin: -1}
	cells := n.cells(upper, lower)
	best := make([]int, len(h.columns)) // 1 + the cell chosen for each field
	for i := range cells {
		switch c := &cells[i]; {
		case c.field == seqField && h.seq < 0:
			h.seq = c.col
		case c.field == explainField && c.text == originTitle:
			if h.origin < 0 {
				h.origin = c.col
			}
		case c.field == explainField:
			h.explain = c.col
		case c.field >= 0:
			// Of two columns that fit, the one with the title counts, else the first;
			// the other is named among those left out.
			if b := &best[c.field]; *b == 0 || c.grade > cells[*b-1].grade {
				*b = i + 1
			}
		}
	}
	if len(cells) > 0 {
		h.at = make([]int, cells[len(cells)-1].col+1)
	}
	for i := range h.at {
		h.at[i] = noField
	}
	for i := range cells {
		c := &cells[i]
		switch {
		case c.field >= 0 && best[c.field] == i+1:
			h.matched++
			h.at[c.col] = c.field
		case c.col == h.seq:
			h.at[c.col] = seqField
		case c.field != explainField:
			h.at[c.col] = unknownField - len(h.unknown)
			h.unknown = append(h.unknown, *c)
		}
	}
	if h.matched == 0 {
		return nil
	}
	for f, b := range best {
		h.columns[f] = -1
		if b > 0 {
			h.columns[f] = cells[b-1].col
		} else if n.form.Fields[f].Required {
			h.missing = append(h.missing, n.form.Fields[f].Title)
		}
	}
	return h
}

// shorten makes a header fit into a sentence.
func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if isBlank(r) {
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > 20 {
		s = string([]rune(s)[:20]) + "…"
	}
	return s
}

// minMatch is how many fields a row must name to be taken for a header that lacks
// some; a notice may well hold the word 单位名称.
const minMatch = 2

// errChoose asks which of several sheets is meant.
func errChoose(sentence string, choices []string) error {
	e := tianbao.WorkbookError("choose_sheet", sentence, errors.New("sheet: several sheets hold the form"))
	e.Choices = choices
	return e
}

// errNoHeader tells what is missing of the best header seen, or that there is none.
func errNoHeader(f *tianbao.Form, best *header) error {
	if best == nil || best.matched < minMatch {
		return tianbao.WorkbookError("no_header",
			fmt.Sprintf("没有找到《%s》的表头；请下载模板，把内容填到模板里再上传。", f.Title), nil)
	}
	return tianbao.WorkbookError("no_header",
		fmt.Sprintf("表头中缺少必填的列“%s”；请在表头行补上这一列（名称与模板一致）后再上传。", strings.Join(best.missing, "”“")), nil)
}
