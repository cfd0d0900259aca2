package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/report"
	"tianbao/internal/sheet"
)

func (o *office) fill(rows ...tianbao.Values) {
	o.t.Helper()
	var cs []tianbao.Change
	for i, v := range rows {
		cs = append(cs, insert(fmt.Sprint("t", i), tianbao.AtEnd, v...))
	}
	o.save(o.view().Report.Version, cs...)
}

func (o *office) plan(mode report.Mode, imp *tianbao.Import) *report.Plan {
	o.t.Helper()
	p, err := o.Import(o.ctx(), o.who, &tianbao.ChangeSet{Report: o.id}, imp, mode, "表.xlsx", []byte("file"))
	must(o.t, err)
	return p
}

// carry saves what a plan says.
func (o *office) carry(p *report.Plan) {
	o.t.Helper()
	set := o.set(o.view().Report.Version, p.Changes...)
	set.Imports, set.Source = []tianbao.ID{p.Import}, tianbao.SourceImport
	_, err := o.Save(o.ctx(), o.who, set)
	must(o.t, err)
}

// The manual's worked example: four rows on screen, a file of other people.
func TestWorkedExample(t *testing.T) {
	tests := []struct {
		mode            report.Mode
		from            int
		add, change     int
		rows            int
		asks            bool
		firstIsReplaced bool
	}{
		{report.ModeMerge, 1, 4, 0, 8, false, false},
		{report.ModeAppend, 1, 4, 0, 8, false, false},
		{report.ModeBySeq, 1, 0, 4, 4, true, true},
		{report.ModeBySeq, 5, 4, 0, 8, false, false},
		{report.ModeReplace, 1, 4, 0, 4, true, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.mode, " from ", tt.from), func(t *testing.T) {
			onBoth(t, func(o *office) {
				o.fill(values(1), values(2), values(3), values(4))
				p := o.plan(tt.mode, o.file(tt.from, values(11), values(12), values(13), values(14)))
				if p.Added != tt.add || p.Changed != tt.change || (p.Confirm != "") != tt.asks {
					o.t.Errorf("added %d, changed %d, asks %q", p.Added, p.Changed, p.Confirm)
				}
				if tt.mode == report.ModeBySeq && tt.asks && !strings.Contains(p.Confirm, "第 1–4 行") {
					o.t.Errorf("the question %q does not name the rows", p.Confirm)
				}
				if got := len(o.view().Rows); got != 4 {
					o.t.Fatalf("the preview changed the sheet: %d rows", got)
				}
				o.carry(p)
				rows := o.view().Rows
				if len(rows) != tt.rows || (rows[0].Values[4] == "user11") != tt.firstIsReplaced {
					o.t.Errorf("%d rows, first %s", len(rows), rows[0].Values[4])
				}
			})
		})
	}
}

// The counts of every preview equal what then happens, and the sheet becomes what
// the mode promises: random sheets, random files, all modes.
func TestPlansDoWhatTheySay(t *testing.T) {
	onBoth(t, func(o *office) {
		rnd := rand.New(rand.NewPCG(3, 4))
		some := func(n int) tianbao.Values {
			v := values(n)
			if rnd.IntN(3) == 0 {
				v[rnd.IntN(len(v))] = ""
			}
			if rnd.IntN(4) == 0 {
				v[4] = fmt.Sprint("other", rnd.IntN(3))
			}
			return v
		}
		for round := range 30 {
			v := o.view()
			var gone []tianbao.Change
			for _, r := range v.Rows {
				gone = append(gone, remove(r.ID))
			}
			o.save(v.Report.Version, gone...)
			var have, file []tianbao.Values
			for range rnd.IntN(8) {
				have = append(have, some(rnd.IntN(6)))
			}
			for range rnd.IntN(8) {
				file = append(file, some(rnd.IntN(9)))
			}
			o.fill(have...)
			for _, mode := range []report.Mode{report.ModeMerge, report.ModeAppend, report.ModeBySeq, report.ModeReplace} {
				before := o.view().Rows
				imp := o.file(1+rnd.IntN(4), file...)
				p := o.plan(mode, imp)
				o.carry(p)
				after := o.view().Rows
				compare(o.t, fmt.Sprintf("round %d %s", round, mode), p, before, after)
				promise(o.t, mode, imp, before, after)
			}
		}
	})
}

// compare counts what happened and holds it against the plan.
func compare(t testing.TB, what string, p *report.Plan, before, after []tianbao.Row) {
	t.Helper()
	was := map[tianbao.ID]tianbao.Row{}
	for _, r := range before {
		was[r.ID] = r
	}
	added, changed := 0, 0
	for _, r := range after {
		old, ok := was[r.ID]
		delete(was, r.ID)
		switch {
		case !ok:
			added++
		case !cmp.Equal([]string(old.Values), []string(r.Values)):
			changed++
		}
	}
	if added != p.Added || changed != p.Changed || len(was) != p.Deleted {
		t.Errorf("%s: happened +%d ~%d -%d, the preview said +%d ~%d -%d", what, added, changed, len(was), p.Added, p.Changed, p.Deleted)
	}
}

// promise checks what each mode promises of the sheet afterwards.
func promise(t testing.TB, mode report.Mode, imp *tianbao.Import, before, after []tianbao.Row) {
	t.Helper()
	texts := func(rows []tianbao.Row) (out []string) {
		for _, r := range rows {
			out = append(out, strings.Join(r.Values, "|"))
		}
		return out
	}
	var file []string
	for _, r := range imp.Rows {
		file = append(file, strings.Join(r.Row.Values, "|"))
	}
	switch mode {
	case report.ModeAppend:
		if diff := cmp.Diff(append(texts(before), file...), texts(after)); diff != "" {
			t.Errorf("append (-want +got):\n%s", diff)
		}
	case report.ModeReplace:
		if got := texts(after); len(got)+len(file) > 0 && !cmp.Equal(got, file) {
			t.Errorf("replace: %v, want %v", got, file)
		}
	case report.ModeBySeq:
		want := texts(before)
		for _, r := range imp.Rows {
			var n int
			_, _ = fmt.Sscan(r.Seq, &n)
			if n <= len(before) {
				want[n-1] = strings.Join(r.Row.Values, "|")
			} else {
				want = append(want, strings.Join(r.Row.Values, "|"))
			}
		}
		if got := texts(after); len(got)+len(want) > 0 && !cmp.Equal(got, want) {
			t.Errorf("by number: %v, want %v", got, want)
		}
	case report.ModeMerge:
		// No row that was there is gone, and no cell of it became empty.
		if len(after) < len(before) {
			t.Fatalf("merge lost rows: %d of %d", len(after), len(before))
		}
		for i := range before {
			for f, v := range before[i].Values {
				if v != "" && after[i].Values[f] == "" {
					t.Errorf("merge emptied a cell")
				}
			}
		}
	}
}

// 按序号 refuses files whose numbers do not say which row is meant.
func TestBySeqNeedsClearNumbers(t *testing.T) {
	o := newOffice(t, "")
	o.fill(values(1), values(2))
	twice := o.file(1, values(3), values(4))
	twice.Rows[1].Seq = "1"
	none := o.file(1, values(3))
	none.Rows[0].Seq = ""
	for code, imp := range map[string]*tianbao.Import{"seq_twice": twice, "no_seq": none} {
		_, err := o.Import(t.Context(), o.who, &tianbao.ChangeSet{Report: o.id}, imp, report.ModeBySeq, "f", nil)
		var e *tianbao.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}

// The same file twice says so, and by whom.
func TestSameFileTwice(t *testing.T) {
	onBoth(t, func(o *office) {
		imp := o.file(1, values(1))
		p := o.plan(report.ModeMerge, imp)
		if p.Again != nil {
			o.t.Error("a new file is said to have come before")
		}
		if p := o.plan(report.ModeMerge, imp); p.Again != nil {
			o.t.Error("a preview alone counts as an import")
		}
		o.carry(p)
		p = o.plan(report.ModeMerge, imp)
		if p.Again == nil || p.Again.ByName != "甲" || p.Same != 1 || len(p.Changes) != 0 {
			o.t.Errorf("again %+v, same %d", p.Again, p.Same)
		}
	})
}

// An id that was a number in the workbook stays a fault on its whole way, also when
// the zeroed tail happens to pass the check digit; typing it anew ends that.
func TestDamagedNumberFollowsTheValue(t *testing.T) {
	onBoth(t, func(o *office) {
		v := values(1)
		v[2] = "12210700MB0000019G"
		imp := o.file(1, v)
		imp.Rows[0].Row.Marks = make([]tianbao.Mark, len(v))
		imp.Rows[0].Row.Marks[6] = tianbao.MarkNumber
		p := o.plan(report.ModeMerge, imp)
		// The page knows nothing of marks: it sends plain cells and names the import.
		for i := range p.Changes {
			for j := range p.Changes[i].Cells {
				p.Changes[i].Cells[j].Mark = tianbao.MarkNone
			}
		}
		codes := func(ps []tianbao.Problem) (out []string) {
			for _, p := range ps {
				out = append(out, p.Code)
			}
			return out
		}
		set := o.set(0, p.Changes...)
		set.Imports = []tianbao.ID{p.Import}
		_, ps, err := o.Check(o.ctx(), o.who, set)
		must(o.t, err)
		if got := codes(ps); !cmp.Equal(got, []string{"person_id.precision_lost"}) {
			o.t.Errorf("on the screen: %v", got)
		}
		_, err = o.Save(o.ctx(), o.who, set)
		must(o.t, err)
		_, err = o.Submit(o.ctx(), o.who, o.id, "s1")
		var e *tianbao.Error
		if !errors.As(err, &e) || !cmp.Equal(codes(e.Problems), []string{"person_id.precision_lost"}) {
			o.t.Errorf("上报: %v", err)
		}
		row := o.view().Rows[0].ID
		o.save(1, edit(row, 6, values(2)[6]))
		if _, err = o.Submit(o.ctx(), o.who, o.id, "s2"); err != nil {
			o.t.Errorf("after typing the id anew: %v", err)
		}
	})
}

// Exporting a sheet and importing the file changes nothing, whatever the sheet holds.
func TestExportThenImportChangesNothing(t *testing.T) {
	o := newOffice(t, "")
	rnd := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"", "001", "00012", "某单位", "12210700MB0000019G", "主管部门", "=1+1", "'带引号", "a\"b,c", "<&>", "𠮷野家", "㐂", "210702196001019019", "1.0", "  ", "合计", "填报人：", "024-23861234-801", "1E+17"}
	for range 40 {
		v := o.view()
		var cs []tianbao.Change
		for _, r := range v.Rows {
			cs = append(cs, remove(r.ID))
		}
		for i := range rnd.IntN(12) {
			row := make([]string, len(o.form.Fields))
			for f := range row {
				if i == 3 {
					break // a row that was emptied and not deleted
				}
				row[f] = pieces[rnd.IntN(len(pieces))]
			}
			cs = append(cs, insert(fmt.Sprint("t", i), tianbao.AtEnd, row...))
		}
		o.save(v.Report.Version, cs...)
		v = o.view()
		var book bytes.Buffer
		must(t, sheet.Write(&book, o.form, func(yield func(tianbao.Row, error) bool) {
			for _, r := range v.Rows {
				if !yield(r, nil) {
					return
				}
			}
		}, sheet.WriteOptions{Created: time.Now()}))
		imp, err := sheet.Read(t.Context(), bytes.NewReader(book.Bytes()), int64(book.Len()), "a.xlsx", o.rules, sheet.ReadOptions{})
		must(t, err)
		for _, mode := range []report.Mode{report.ModeMerge, report.ModeReplace} {
			if p := o.plan(mode, imp); len(p.Changes) != 0 {
				for i, r := range v.Rows {
					t.Logf("row %d: %q", i+1, []string(r.Values))
				}
				for _, r := range imp.Rows {
					t.Logf("file %s: %q", r.Seq, []string(r.Row.Values))
				}
				t.Fatalf("%s: +%d ~%d -%d", mode, p.Added, p.Changed, p.Deleted)
			}
		}
	}
}
