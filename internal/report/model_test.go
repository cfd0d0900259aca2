package report_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tianbao"
	"tianbao/internal/report"
)

// The model keeps a sheet as a plain list; two columns are enough to have every
// meeting of base, mine and theirs.
type modelRow struct {
	id    tianbao.ID
	cells [2]string
}

// modelFields are the columns.
var modelFields = [2]int{1, 4} // 单位名称, 原用户名: free text, no identity

func (r modelRow) values(n int) tianbao.Values {
	v := make(tianbao.Values, n)
	for i, f := range modelFields {
		v[f] = r.cells[i]
	}
	return v
}

func (o *office) model() []modelRow {
	var out []modelRow
	for _, r := range o.view().Rows {
		m := modelRow{id: r.ID}
		for i, f := range modelFields {
			m.cells[i] = r.Values[f]
		}
		out = append(out, m)
	}
	return out
}

func index(rows []modelRow, id tianbao.ID) int {
	return slices.IndexFunc(rows, func(r modelRow) bool { return r.id == id })
}

// outcome is what the reference says of a merge.
type outcome struct {
	rows      []modelRow
	conflicts []string // "row field kind", sorted
}

// reference merges as the rules are written down, row by row and cell by cell;
// takes tells for each conflict whether the file's side wins.
func reference(base, theirs, mine []modelRow, takes func(key string) bool) outcome {
	var out outcome
	conflict := func(key string) bool {
		out.conflicts = append(out.conflicts, key)
		return takes(key)
	}
	var back []modelRow // rows that conflicts bring back, at the end
	for _, t := range theirs {
		b := index(base, t.id)
		if b < 0 {
			out.rows = append(out.rows, t) // new here
			continue
		}
		m := index(mine, t.id)
		if m < 0 { // deleted in the file
			if t.cells != base[b].cells {
				field := 0
				if t.cells[0] == base[b].cells[0] {
					field = 1
				}
				if conflict(fmt.Sprint(t.id, " ", field, " delete-edited")) {
					continue
				}
				out.rows = append(out.rows, t)
			}
			continue
		}
		merged := t
		for i := range merged.cells {
			bv, mv, tv := base[b].cells[i], mine[m].cells[i], t.cells[i]
			switch {
			case mv == bv || mv == tv:
			case tv == bv:
				merged.cells[i] = mv
			case conflict(fmt.Sprint(t.id, " ", i, " edited")):
				merged.cells[i] = mv
			}
		}
		out.rows = append(out.rows, merged)
	}
	var fresh []modelRow
	for _, m := range mine {
		b := index(base, m.id)
		switch {
		case m.id == 0:
			fresh = append(fresh, m)
		case index(theirs, m.id) < 0 && m.cells != base[b].cells: // deleted here, edited there
			if conflict(fmt.Sprint(m.id, " - deleted")) {
				back = append(back, m)
			}
		}
	}
	// New rows of the file that stand here word for word (among rows that the file
	// never held) are the same; the others are appended.
	var others []string
	for _, t := range theirs {
		if index(base, t.id) < 0 {
			others = append(others, strings.Join(t.cells[:], "|"))
		}
	}
	for _, m := range fresh {
		if i := slices.Index(others, strings.Join(m.cells[:], "|")); i >= 0 {
			others = slices.Delete(others, i, i+1)
			continue
		}
		out.rows = append(out.rows, m)
	}
	out.rows = append(out.rows, back...)
	slices.Sort(out.conflicts)
	return out
}

// Thousands of histories: a workbook is exported, others go on working, the file is
// edited, comes home, and what happens is what the reference says.
func TestThreeWayMergeAgainstAModel(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue && !testing.Short() {
		must(t, f.Value.Set("1000"))
		defer func() { must(t, f.Value.Set(f.DefValue)) }()
	}
	o := newOffice(t, "")
	n := len(o.form.Fields)
	text := rapid.SampledFrom([]string{"", "甲", "乙"})
	row := func(rt *rapid.T) modelRow {
		r := modelRow{cells: [2]string{text.Draw(rt, "a"), text.Draw(rt, "b")}}
		if r.cells == [2]string{} {
			r.cells[0] = "甲" // a blank line in a file is no row
		}
		return r
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := o.view()
		var cs []tianbao.Change
		for _, r := range v.Rows {
			cs = append(cs, remove(r.ID))
		}
		for i := range rapid.IntRange(0, 3).Draw(rt, "rows") {
			cs = append(cs, insert(fmt.Sprint("t", i), tianbao.AtEnd, row(rt).values(n)...))
		}
		o.save(v.Report.Version, cs...)
		base := o.model()
		book := o.export()

		theirs := work(rt, "theirs", base, row, text)
		o.become(theirs, n)
		theirs = o.model()
		mine := work(rt, "mine", base, row, text)
		if rapid.Bool().Draw(rt, "sorted") {
			slices.Reverse(mine)
		}
		book.imp.Rows = nil
		for i, m := range mine {
			values := m.values(n)
			b := index(base, m.id)
			book.imp.Rows = append(book.imp.Rows, tianbao.ImportedRow{
				Row: tianbao.Row{ID: m.id, Values: values}, Raw: values, Seq: fmt.Sprint(i + 1), SheetRow: 12 + i,
				Untouched: b >= 0 && m.cells == base[b].cells,
			})
		}

		takes := map[string]bool{}
		pick := func(key string) bool {
			if _, ok := takes[key]; !ok {
				takes[key] = rapid.Bool().Draw(rt, "take "+key)
			}
			return takes[key]
		}
		want := reference(base, theirs, mine, pick)
		p, err := o.Import(o.ctx(), o.who, &tianbao.ChangeSet{Report: o.id}, book.imp, report.ModeMerge, "f", nil)
		if err != nil {
			rt.Fatal(err)
		}
		changes := p.Changes
		var got []string
		for _, c := range p.Conflicts {
			field := "-"
			for i, f := range modelFields {
				if o.form.Fields[f].Key == c.Field {
					field = fmt.Sprint(i)
				}
			}
			key := fmt.Sprint(c.Row, " ", field, " ", c.Kind)
			got = append(got, key)
			if takes[key] {
				changes = append(changes, c.Take)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want.conflicts) {
			rt.Fatalf("conflicts %v, want %v", got, want.conflicts)
		}
		if _, err := o.Save(o.ctx(), o.who, o.set(o.view().Report.Version, changes...)); err != nil {
			rt.Fatal(err)
		}
		after := o.model()
		if len(after) != len(want.rows) {
			rt.Fatalf("%d rows, want %d\nbase %v\ntheirs %v\nmine %v\ngot %v\nwant %v", len(after), len(want.rows), base, theirs, mine, after, want.rows)
		}
		for i := range after {
			if after[i].cells != want.rows[i].cells || want.rows[i].id != 0 && index(theirs, want.rows[i].id) >= 0 && after[i].id != want.rows[i].id {
				rt.Fatalf("row %d is %v, want %v", i+1, after[i], want.rows[i])
			}
		}
	})
}

// work edits a sheet as a person does: cells, deletions, new rows.
func work(rt *rapid.T, who string, base []modelRow, row func(*rapid.T) modelRow, text *rapid.Generator[string]) []modelRow {
	rows := slices.Clone(base)
	for range rapid.IntRange(0, 5).Draw(rt, who) {
		switch k := rapid.IntRange(0, 3).Draw(rt, "what"); {
		case k == 0 || len(rows) == 0:
			rows = append(rows, row(rt))
		case k == 1:
			i := rapid.IntRange(0, len(rows)-1).Draw(rt, "row")
			rows = slices.Delete(rows, i, i+1)
		default:
			i := rapid.IntRange(0, len(rows)-1).Draw(rt, "row")
			r := rows[i]
			r.cells[rapid.IntRange(0, 1).Draw(rt, "cell")] = text.Draw(rt, "text")
			if r.cells != [2]string{} {
				rows[i] = r
			}
		}
	}
	return rows
}

// become saves what makes the stored sheet equal to rows.
func (o *office) become(rows []modelRow, n int) {
	o.t.Helper()
	v := o.view()
	var cs []tianbao.Change
	for i, r := range rows {
		if r.id == 0 {
			cs = append(cs, insert(fmt.Sprint("n", i), tianbao.AtEnd, r.values(n)...))
			continue
		}
		cs = append(cs, tianbao.Change{Op: tianbao.OpEdit, Row: r.id, Cells: []tianbao.CellEdit{
			{Field: modelFields[0], Value: r.cells[0]}, {Field: modelFields[1], Value: r.cells[1]},
		}})
	}
	for _, r := range v.Rows {
		if index(rows, r.ID) < 0 {
			cs = append(cs, remove(r.ID))
		}
	}
	_, err := o.Save(o.ctx(), o.other, o.set(v.Report.Version, cs...))
	must(o.t, err)
}
