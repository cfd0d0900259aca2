package sheet

import (
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

// find returns the field that a header names and how well: 2 by its title, 1 by
// another name, 0 not at all.
func (n *names) find(text string) (field, grade int) {
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
	origin  int      // of the rows' hidden marks
	unknown []string // columns that are not of the form
	matched int      // fields found
	at      []int    // the field in each column, seqField or noField
	missing []string // titles of must-be-filled fields that are absent
}

func (h *header) complete() bool { return h != nil && len(h.missing) == 0 }

// headerText is the longest text that can be a header; notes are longer.
const headerText = 64

// match reads a row as a header. It returns nil when no cell names a field.
func (n *names) match(r *RowData) *header {
	h := &header{row: r.Num, columns: make([]int, len(n.form.Fields)), seq: -1, explain: -1, origin: -1}
	grades := make([]int, len(h.columns))
	for i := range h.columns {
		h.columns[i] = -1
	}
	texts := make(map[int]string)
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Kind != Text || len(c.Raw) > 4*headerText || blankText(c.Raw) {
			continue
		}
		text := clean(string(c.Raw))
		if strings.HasPrefix(text, hiddenPrefix) { // ours alone, see origin.go
			if text == originTitle && h.origin < 0 {
				h.origin = c.Col
			}
			continue
		}
		texts[c.Col] = text
		field, grade := n.find(text)
		switch {
		case field == seqField && h.seq < 0:
			h.seq = c.Col
			delete(texts, c.Col)
		case field == explainField:
			h.explain = c.Col
			delete(texts, c.Col)
		case field >= 0 && grade > grades[field]:
			// Of two columns that fit, the one with the title counts, else the
			// first; the other is named among those left out.
			if old := h.columns[field]; old >= 0 {
				texts[old] = n.form.Fields[field].Title
			} else {
				h.matched++
			}
			h.columns[field], grades[field] = c.Col, grade
			delete(texts, c.Col)
		}
	}
	if h.matched == 0 {
		return nil
	}
	h.at = make([]int, r.Cells[len(r.Cells)-1].Col+1)
	for i := range h.at {
		h.at[i] = noField
	}
	for f, col := range h.columns {
		if col >= 0 {
			h.at[col] = f
		}
	}
	if h.seq >= 0 {
		h.at[h.seq] = seqField
	}
	for i := range r.Cells {
		if t, ok := texts[r.Cells[i].Col]; ok {
			h.unknown = append(h.unknown, shorten(t))
		}
	}
	for i, f := range n.form.Fields {
		if f.Required && h.columns[i] < 0 {
			h.missing = append(h.missing, f.Title)
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

// errNoHeader tells what is missing of the best header seen, or that there is none.
func errNoHeader(f *tianbao.Form, best *header) error {
	if best == nil || best.matched < minMatch {
		return tianbao.WorkbookError("no_header",
			fmt.Sprintf("没有找到《%s》的表头；请下载模板，把内容填到模板里再上传。", f.Title), nil)
	}
	return tianbao.WorkbookError("no_header",
		fmt.Sprintf("表头中缺少必填的列“%s”；请在表头行补上这一列（名称与模板一致）后再上传。", strings.Join(best.missing, "”“")), nil)
}
