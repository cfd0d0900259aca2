package report_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/report"
)

// memory is a workbook whose rows the test holds. It counts its passes.
type memory struct {
	imp    *tianbao.Import
	passes int
	before func(pass int) error // called before each pass, when set
}

func (m *memory) Scan(ctx context.Context, fn func(*tianbao.Import, *tianbao.ImportedRow) error) (*tianbao.Import, error) {
	m.passes++
	if m.before != nil {
		if err := m.before(m.passes); err != nil {
			return nil, err
		}
	}
	head := *m.imp
	head.Rows = nil
	row := tianbao.ImportedRow{}
	for i := range m.imp.Rows {
		raw, values := row.Raw[:0], row.Row.Values[:0]
		row = m.imp.Rows[i]
		row.Raw, row.Row.Values = append(raw, row.Raw...), append(values, row.Row.Values...)
		if err := fn(&head, &row); err != nil {
			return nil, err
		}
	}
	if o := m.imp.Origin; o != nil {
		copied := *o
		for i := range m.imp.Rows {
			copied.Home = append(copied.Home, m.imp.Rows[i].Row.ID)
		}
		head.Origin = &copied
	}
	return &head, nil
}

func (m *memory) Read(context.Context) (*tianbao.Import, error) { return m.imp, nil }

// twins are two offices in which the same happens: one keeps the rows of a file, the
// other lets them pass in parts of three.
type twins struct {
	t    *testing.T
	both [2]*office
}

func newTwins(t *testing.T) *twins {
	w := &twins{t: t, both: [2]*office{newOffice(t, ""), newOffice(t, "")}}
	w.both[1].Short, w.both[1].Part = -1, 3
	return w
}

// cells are the rows of both, which must be alike.
func (w *twins) cells(what string) [][]string {
	w.t.Helper()
	var out [2][][]string
	for i, o := range w.both {
		v := o.view()
		if v.Report.Rows != len(v.Rows) {
			w.t.Errorf("%s: office %d counts %d rows, has %d", what, i, v.Report.Rows, len(v.Rows))
		}
		for _, r := range v.Rows {
			out[i] = append(out[i], append(slices.Clone([]string(r.Values)), fmt.Sprint(r.Marks, r.Unit)))
		}
	}
	if d := cmp.Diff(out[0], out[1]); d != "" {
		w.t.Fatalf("%s (-kept +passed):\n%s", what, d)
	}
	return out[0]
}

// what is compared of the plans of both ways, and of their errors.
func outcomeOf(p *report.Plan, err error) string {
	var e *tianbao.Error
	if errors.As(err, &e) {
		return fmt.Sprint("refused ", e.Code, " ", e.Message, len(e.Conflicts))
	}
	if err != nil {
		return err.Error()
	}
	codes := ""
	for _, pr := range p.Problems {
		codes += fmt.Sprint(" ", pr.Row, pr.Code)
	}
	return fmt.Sprint("rows ", p.Rows, " +", p.Added, " ~", p.Changed, " -", p.Deleted, " =", p.Same, " errors ", p.Errors, " problems", codes)
}

// A long file does what it would do if it were short: random sheets and files, all
// modes, foreign files and those that came home while others went on working.
func TestStreamDoesWhatApplyDoes(t *testing.T) {
	w := newTwins(t)
	rnd := rand.New(rand.NewPCG(11, 7))
	n := len(w.both[0].form.Fields)
	some := func(k int) tianbao.Values {
		v := values(k)
		if rnd.IntN(3) == 0 {
			v[rnd.IntN(n)] = ""
		}
		if rnd.IntN(4) == 0 {
			v[4] = fmt.Sprint("other", rnd.IntN(3))
		}
		return v
	}
	seen := map[string]int{}
	for round := range 70 {
		var fresh []tianbao.Values
		for range rnd.IntN(12) {
			fresh = append(fresh, some(rnd.IntN(8)))
		}
		if rnd.IntN(3) == 0 {
			fresh = append(fresh, make(tianbao.Values, n)) // a line without content
		}
		for _, o := range w.both {
			v := o.view()
			var cs []tianbao.Change
			for _, r := range v.Rows {
				cs = append(cs, remove(r.ID))
			}
			for i, v := range fresh {
				cs = append(cs, insert(fmt.Sprint("t", i), tianbao.AtEnd, v...))
			}
			o.save(v.Report.Version, cs...)
		}
		exported := [2]*report.Sheet{w.both[0].view(), w.both[1].view()}
		w.othersWork(rnd, some)
		for _, mode := range []report.Mode{report.ModeMerge, report.ModeMerge, report.ModeAppend, report.ModeBySeq, report.ModeReplace} {
			what := fmt.Sprintf("round %d %s", round, mode)
			books := w.files(rnd, exported, some)
			confirm := rnd.IntN(4) > 0
			var got [2]string
			for i, o := range w.both {
				set := o.set(0)
				set.Source, set.Note = tianbao.SourceImport, "文件.xlsx"
				p, saved, err := o.ApplyBook(o.ctx(), o.who, set, &memory{imp: books[i]}, mode, "文件.xlsx", []byte(what), confirm, quiet)
				got[i] = outcomeOf(p, err)
				if err == nil {
					got[i] += fmt.Sprint(" receipt ", saved.Receipt.Rows, " ", saved.Receipt.Version)
				}
			}
			if got[0] != got[1] {
				t.Fatalf("%s:\nkept:   %s\npassed: %s", what, got[0], got[1])
			}
			seen[got[1][:min(len(got[1]), 12)]]++
			w.cells(what)
			if round%4 == 0 && got[0][:4] == "rows" {
				w.undo(what)
			}
		}
	}
	for _, kind := range []string{"rows", "refused confirm", "refused conflict", "refused no_seq", "refused seq_twice"} {
		found := false
		for k := range seen {
			found = found || k == kind[:min(len(kind), 12)] || k[:4] == kind
		}
		if !found {
			t.Errorf("no import was %q: %v", kind, seen)
		}
	}
}

// othersWork lets somebody else change the sheet of both.
func (w *twins) othersWork(rnd *rand.Rand, some func(int) tianbao.Values) {
	type act struct{ kind, at, field int }
	var acts []act
	for range rnd.IntN(4) {
		acts = append(acts, act{rnd.IntN(3), rnd.IntN(20), rnd.IntN(8)})
	}
	row := some(20)
	for _, o := range w.both {
		v := o.view()
		var cs []tianbao.Change
		gone := map[int]bool{}
		for i, a := range acts {
			if len(v.Rows) == 0 || gone[a.at%len(v.Rows)] {
				continue
			}
			at := a.at % len(v.Rows)
			switch a.kind {
			case 0:
				cs = append(cs, edit(v.Rows[at].ID, a.field, fmt.Sprint("改", i)))
			case 1:
				cs = append(cs, remove(v.Rows[at].ID))
				gone[at] = true
			case 2:
				cs = append(cs, insert(fmt.Sprint("o", i), v.Rows[at].ID, row...))
			}
		}
		_, err := o.Save(o.ctx(), o.other, o.set(v.Report.Version, cs...))
		must(o.t, err)
	}
}

// files makes the same file for both: a foreign one, or one that was exported and
// edited. A column may be missing.
func (w *twins) files(rnd *rand.Rand, exported [2]*report.Sheet, some func(int) tianbao.Values) [2]*tianbao.Import {
	type line struct {
		from   int // row of the export, -1: new
		values tianbao.Values
		seq    string
		mark   bool
	}
	var lines []line
	home := rnd.IntN(2) == 0
	if home {
		for i, r := range exported[0].Rows {
			if rnd.IntN(6) == 0 || !slices.ContainsFunc(r.Values, func(s string) bool { return s != "" }) {
				continue
			}
			v := slices.Clone(r.Values)
			if rnd.IntN(3) == 0 {
				v[rnd.IntN(len(v))] = fmt.Sprint("文件", rnd.IntN(2))
			}
			lines = append(lines, line{from: i, values: v})
		}
	}
	for range rnd.IntN(9) {
		l := line{from: -1, values: some(rnd.IntN(12)), mark: rnd.IntN(5) == 0}
		if l.mark { // a value of its own: in one way the mark follows the value, in the other the cell
			l.values[6] = fmt.Sprint(rnd.Int64())
		}
		lines = append(lines, l)
	}
	if rnd.IntN(3) == 0 {
		rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	}
	from := 1 + rnd.IntN(3)
	for i := range lines {
		lines[i].seq = fmt.Sprint(from + i)
		switch rnd.IntN(60) {
		case 0:
			lines[i].seq = ""
		case 1:
			lines[i].seq = "2"
		}
	}
	columns := []int{1, 2, 3, 4, 5, 6, 7, 8}
	lost := -1
	if rnd.IntN(4) == 0 {
		lost = 4
		columns[lost] = -1
	}
	var out [2]*tianbao.Import
	for k := range out {
		imp := &tianbao.Import{Sheet: "采集表", Columns: columns}
		for i, l := range lines {
			r := tianbao.ImportedRow{Row: tianbao.Row{Values: slices.Clone(l.values)}, Seq: l.seq, SheetRow: 12 + i}
			if lost >= 0 {
				r.Row.Values[lost] = ""
			}
			r.Raw = slices.Clone(r.Row.Values)
			r.Raw[5] += " "
			if _, err := fmt.Sscan(l.seq, &r.Row.Seq); err != nil {
				r.Row.Seq = 0
			}
			if l.mark {
				r.Row.Marks = make([]tianbao.Mark, len(l.values))
				r.Row.Marks[6] = tianbao.MarkNumber
			}
			if home && l.from >= 0 {
				r.Row.ID = exported[k].Rows[l.from].ID
			}
			imp.Rows = append(imp.Rows, r)
		}
		if home {
			imp.Origin = &tianbao.Origin{Report: exported[k].Report.ID, Version: exported[k].Report.Version}
			for _, r := range exported[k].Rows {
				imp.Origin.Held = append(imp.Origin.Held, r.ID)
			}
		}
		out[k] = imp
	}
	return out
}

// undo takes the last version back in both, and its undoing too.
func (w *twins) undo(what string) {
	w.t.Helper()
	for range 2 {
		var got [2]string
		for i, o := range w.both {
			o.keys++
			u, _, err := o.Undo(o.ctx(), o.who, o.id, o.view().Report.Version, fmt.Sprint("u", o.keys))
			if err != nil {
				got[i] = err.Error()
			} else {
				got[i] = fmt.Sprint(u.Cells, u.Removed, u.Back, len(u.Kept), u.Revision.Note, len(u.Revision.Changes))
			}
		}
		if got[0] != got[1] {
			w.t.Fatalf("%s, undo:\nkept:   %s\npassed: %s", what, got[0], got[1])
		}
		w.cells(what + ", undone")
	}
}
