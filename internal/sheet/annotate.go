package sheet

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"tianbao"
)

// maxComments bounds the comments of an annotated copy. Each is a drawing of its
// own, and some ten thousand make a spreadsheet program crawl; cells beyond are
// coloured and explained in the last column all the same.
const maxComments = 5000

// WriteAnnotated writes the rows of an import in the form's layout, in the
// sender's order and under the sender's numbers: faulty cells coloured with a
// comment, the sender's own columns to the right, a last column 错误说明, and a sheet
// 检查结果 that counts the faults and leads to them. Where normalisation left nothing
// of a cell, the raw text is shown. Colours, comments and explanations are made from
// the problems alone and none is copied from the sender's file, so annotating an
// annotated copy leaves no stale sign. Cells keep their type as in [Write]. What a
// workbook carries of its origin is carried on as it stands.
func WriteAnnotated(w io.Writer, f *tianbao.Form, imp *tianbao.Import, problems []tianbao.Problem, opt WriteOptions) error {
	opt.Rows = len(imp.Rows)
	a, err := NewAnnotated(w, f, imp.Unknown, imp.Carried, opt)
	if err != nil {
		return err
	}
	rest := slices.Clone(problems)
	slices.SortStableFunc(rest, func(a, b tianbao.Problem) int { return cmp.Compare(a.Row, b.Row) })
	for i := range imp.Rows {
		for len(rest) > 0 && rest[0].Row < i {
			rest = rest[1:]
		}
		n := 0
		for n < len(rest) && rest[n].Row == i {
			n++
		}
		if err := a.Row(&imp.Rows[i], rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return a.Close()
}

// Annotated writes an annotated workbook row by row. What it keeps is bounded: the
// first comments and findings, and one count for each sort of fault.
type Annotated struct {
	p        *pack
	l        *layout
	s        *sheetWriter
	carried  []string
	comments []comment
	results  results
	sev      []severity // of one row
	notes    [][]string
}

type comment struct {
	row, col int // row from 1, column from 0
	text     string
}

// NewAnnotated starts an annotated workbook. unknown heads the sender's own columns;
// carried is [tianbao.Import.Carried].
func NewAnnotated(w io.Writer, f *tianbao.Form, unknown, carried []string, opt WriteOptions) (*Annotated, error) {
	l := layoutOf(f, true, unknown...)
	l.marked = len(carried) > 0
	if opt.Rows > l.maxData() {
		return nil, errTooManyRows(l)
	}
	a := &Annotated{
		p: newPackage(w, l, opt), l: l, carried: carried,
		sev: make([]severity, 1+len(f.Fields)), notes: make([][]string, 1+len(f.Fields)),
	}
	a.p.result = true
	if err := a.p.head(); err != nil {
		return nil, err
	}
	var err error
	a.s, err = a.p.sheet()
	return a, err
}

// Row writes one row with its problems.
func (a *Annotated) Row(r *tianbao.ImportedRow, problems []tianbao.Problem) error {
	s := a.s
	if s.row > maxRow {
		return errTooManyRows(a.l)
	}
	s.startRow()
	clear(a.sev) // the row number first
	clear(a.notes)
	var explain strings.Builder
	for i := range problems {
		p := &problems[i]
		k := 1 + a.l.form.Index(p.Field) // the row as a whole at its number
		if i > 0 {
			explain.WriteByte('\n')
		}
		if k > 0 {
			explain.WriteString(a.l.form.Fields[k-1].Letter + "列 ")
		}
		explain.WriteString(p.Message)
		if v := severityOf(p.Severity); v != sevNone && (a.sev[k] == sevNone || v < a.sev[k]) {
			a.sev[k] = v
		}
		a.notes[k] = append(a.notes[k], severityName(p.Severity)+"："+p.Message)
		a.results.add(p, k, s.row)
	}
	a.results.rows++
	if len(problems) > 0 {
		for k, n := range a.notes {
			if len(n) > 0 && len(a.comments) < maxComments {
				a.comments = append(a.comments, comment{s.row, k, strings.Join(n, "\n")})
			}
		}
	}
	a.cells(r)
	s.text(explain.String(), styleExplain)
	if a.l.marked {
		mark := r.Carried
		if len(mark) > maxMark {
			mark = ""
		}
		s.text(mark, styleColumn)
	}
	return s.endRow()
}

// cells writes the row's own cells.
func (a *Annotated) cells(r *tianbao.ImportedRow) {
	s := a.s
	if n, ok := number([]byte(r.Seq), 1<<30); ok && r.Seq[0] != '0' {
		s.seq(n, a.sev[0])
	} else {
		s.text(r.Seq, dataStyle(shapeSeq, a.sev[0]))
	}
	for f := range a.l.form.Fields {
		text := ""
		if f < len(r.Row.Values) {
			text = r.Row.Values[f]
		}
		if text == "" && f < len(r.Raw) && !blankText([]byte(r.Raw[f])) {
			text = r.Raw[f]
		}
		s.value(text, r.Row.Mark(f), a.sev[1+f])
	}
	for i := range a.l.unknown {
		text := ""
		if i < len(r.Unknown) {
			text = r.Unknown[i]
		}
		s.text(text, dataStyle(shapeText, sevNone))
	}
}

// Close writes what stands behind the rows. A workbook that is not closed cannot be
// opened.
func (a *Annotated) Close() error {
	if err := errors.Join(a.s.end(true), a.parts(), a.resultSheet()); err != nil {
		return err
	}
	if a.l.marked {
		if err := a.p.originSheet(pairs(a.carried)); err != nil {
			return err
		}
	}
	return a.p.close()
}

func severityName(s tianbao.Severity) string {
	switch s {
	case tianbao.SeverityError:
		return "强制性"
	case tianbao.SeverityJustify:
		return "核实性"
	}
	return "提示性"
}

// pairs yields texts two by two.
func pairs(list []string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(list) && yield(list[i], list[i+1]); i += 2 {
		}
	}
}
