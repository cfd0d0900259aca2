package report_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/report"
)

// away is a workbook that was exported and travels: its rows with their ids.
type away struct {
	o   *office
	imp *tianbao.Import
}

// export takes the sheet away as it is stored.
func (o *office) export() *away {
	v := o.view()
	a := &away{o: o, imp: &tianbao.Import{Sheet: "采集表", Origin: &tianbao.Origin{
		Report: o.id, Form: o.form.Name, FormV: o.form.Version, Version: v.Report.Version, At: time.Now(),
	}}}
	for i, r := range v.Rows {
		a.imp.Origin.Held = append(a.imp.Origin.Held, r.ID)
		values := slices.Clone(r.Values)
		a.imp.Rows = append(a.imp.Rows, tianbao.ImportedRow{
			Row: tianbao.Row{ID: r.ID, Version: r.Version, Values: values},
			Raw: values, Seq: fmt.Sprint(i + 1), SheetRow: 12 + i, Untouched: true,
		})
	}
	return a
}

func (a *away) set(row, field int, value string) {
	a.imp.Rows[row].Row.Values[field] = value
	a.imp.Rows[row].Untouched = false
}

func (a *away) delete(row int) { a.imp.Rows = slices.Delete(a.imp.Rows, row, row+1) }

func (a *away) add(seq string, v tianbao.Values) {
	a.imp.Rows = append(a.imp.Rows, tianbao.ImportedRow{Row: tianbao.Row{Values: v}, Raw: v, Seq: seq, SheetRow: 100 + len(a.imp.Rows)})
}

const (
	name  = 5
	phone = 7
)

// A workbook is exported; another person edits row 3's phone; offline row 3's name
// is edited, row 2 deleted, two rows added numbered 1 and 2. Coming home, row 3 has
// both edits, row 2 is gone, two rows are appended, nothing is overwritten.
func TestWorkbookComesHome(t *testing.T) {
	onBoth(t, func(o *office) {
		o.fill(values(1), values(2), values(3), values(4))
		book := o.export()
		rows := o.view().Rows
		_, err := o.Save(o.ctx(), o.other, o.set(1, edit(rows[2].ID, phone, "16012340000")))
		must(o.t, err)
		book.set(2, name, "新名字")
		book.delete(1)
		book.add("1", values(11))
		book.add("2", values(12))
		p := o.plan(report.ModeMerge, book.imp)
		if p.Added != 2 || p.Changed != 1 || p.Deleted != 1 || len(p.Conflicts) != 0 || p.Confirm == "" {
			o.t.Fatalf("preview +%d ~%d -%d, %d conflicts, asks %q", p.Added, p.Changed, p.Deleted, len(p.Conflicts), p.Confirm)
		}
		o.carry(p)
		got := o.view().Rows
		if len(got) != 5 || got[0].ID != rows[0].ID || got[1].ID != rows[2].ID || got[2].ID != rows[3].ID {
			o.t.Fatalf("%d rows", len(got))
		}
		if got[1].Values[name] != "新名字" || got[1].Values[phone] != "16012340000" {
			o.t.Errorf("row 3 is %q %q, want both edits", got[1].Values[name], got[1].Values[phone])
		}
		if got[3].Values[4] != "user11" || got[4].Values[4] != "user12" {
			o.t.Error("the added rows are not at the end")
		}
		// The very same file again changes nothing but adds nobody twice: its new
		// people are matched by unit and id.
		if p := o.plan(report.ModeMerge, book.imp); p.Added+p.Changed+p.Deleted+len(p.Conflicts) != 0 || p.Again == nil {
			o.t.Errorf("again: +%d ~%d -%d, %d conflicts", p.Added, p.Changed, p.Deleted, len(p.Conflicts))
		}
	})
}

func TestWorkbookConflicts(t *testing.T) {
	tests := []struct {
		name   string
		there  func(a *away)                             // what happens to the file
		here   func(rows []tianbao.Row) []tianbao.Change // and meanwhile to the sheet
		kind   string                                    // of the one conflict; "" for none
		counts [3]int                                    // added, changed, deleted
	}{
		{
			"both edit a cell", func(a *away) { a.set(1, phone, "16077770001") },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[1].ID, phone, "16077770002")} }, "edited",
			[3]int{},
		},
		{
			"both edit a cell alike", func(a *away) { a.set(1, phone, "16077770001") },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[1].ID, phone, "16077770001")} }, "",
			[3]int{},
		},
		{
			"only here", func(*away) {},
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[1].ID, phone, "16077770002")} }, "",
			[3]int{},
		},
		{
			"only there", func(a *away) { a.set(1, phone, "") },
			func([]tianbao.Row) []tianbao.Change { return nil }, "",
			[3]int{0, 1, 0},
		},
		{
			"deleted there, edited here", func(a *away) { a.delete(1) },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[1].ID, phone, "16077770002")} }, "delete-edited",
			[3]int{},
		},
		{
			"edited there, deleted here", func(a *away) { a.set(1, phone, "16077770001") },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} }, "deleted",
			[3]int{},
		},
		{
			"untouched there, deleted here", func(*away) {},
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} }, "",
			[3]int{},
		},
		{
			"deleted on both sides", func(a *away) { a.delete(1) },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} }, "",
			[3]int{},
		},
		{"a row copied there is a new row", func(a *away) {
			c := a.imp.Rows[0]
			c.Row.Values = slices.Clone(values(21))
			c.Untouched = false
			a.imp.Rows = append(a.imp.Rows, c)
		}, func([]tianbao.Row) []tianbao.Change { return nil }, "", [3]int{1, 0, 0}},
		{
			"rows sorted there", func(a *away) { slices.Reverse(a.imp.Rows) },
			func([]tianbao.Row) []tianbao.Change { return nil }, "",
			[3]int{},
		},
		{"a column removed there", func(a *away) {
			a.imp.Columns = []int{1, 2, 3, 4, 5, 6, 7, -1}
			for i := range a.imp.Rows {
				a.set(i, phone, "")
			}
		}, func([]tianbao.Row) []tianbao.Change { return nil }, "", [3]int{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, "")
			o.fill(values(1), values(2), values(3))
			book := o.export()
			if cs := tt.here(o.view().Rows); len(cs) > 0 {
				_, err := o.Save(o.ctx(), o.other, o.set(1, cs...))
				must(t, err)
			}
			tt.there(book)
			before := o.view()
			p := o.plan(report.ModeMerge, book.imp)
			if got := [3]int{p.Added, p.Changed, p.Deleted}; got != tt.counts {
				t.Errorf("counts %v, want %v", got, tt.counts)
			}
			kinds := ""
			for _, c := range p.Conflicts {
				kinds += c.Kind
				if c.By != "乙" || c.At.IsZero() {
					t.Error("the conflict does not say who and when")
				}
			}
			if kinds != tt.kind {
				t.Fatalf("conflicts %q, want %q", kinds, tt.kind)
			}
			set := o.set(before.Report.Version)
			set.Source = tianbao.SourceImport
			_, _, err := o.Apply(t.Context(), o.who, set, book.imp, report.ModeMerge, "f", []byte("x"), true, quiet)
			if tt.kind == "" {
				must(t, err)
				return
			}
			if tianbao.KindOf(err) != tianbao.ErrConflict {
				t.Fatalf("carried out with a conflict: %v", err)
			}
			if diff := cmp.Diff(before.Rows, o.view().Rows, cmp.Transformer("cells", func(v tianbao.Values) []string { return v })); diff != "" {
				t.Errorf("a refused import changed the sheet:\n%s", diff)
			}
			// Taking the file's side does what the file says.
			o.save(before.Report.Version, p.Conflicts[0].Take)
			after := o.view().Rows
			switch tt.kind {
			case "edited":
				if after[1].Values[phone] != "16077770001" {
					t.Error("the file's value was not taken")
				}
			case "delete-edited":
				if len(after) != 2 {
					t.Error("the row is still there")
				}
			case "deleted":
				if len(after) != 3 || after[2].Values[phone] != "16077770001" || after[2].Values[4] != "user2" {
					t.Error("the row did not come back whole")
				}
			}
		})
	}
}
