package storetest

import (
	"slices"

	"tianbao"
	"tianbao/internal/report"
)

func rowIDs(rows []tianbao.Row) []tianbao.ID {
	out := make([]tianbao.ID, len(rows))
	for i := range rows {
		out[i] = rows[i].ID
	}
	return out
}

// Windows of a report are stretches of its snapshot, by position and behind a row.
func testWindow(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	ids := []tianbao.ID{d.insert(0, Values(0))}
	for i := 1; i < 9; i++ {
		ids = append(ids, d.insert(ids[i-1], Values(i)))
	}
	r = d.save()
	// Another report must not get into its windows.
	d = w.draft(w.open(unitB))
	d.insert(0, Values(20))
	d.save()
	d = w.draft(r)
	d.remove(ids[2])
	moved := d.insert(ids[0], Values(9))
	r = d.save()
	ids = slices.Insert(slices.Delete(ids, 2, 3), 1, moved)
	tests := []struct {
		after       tianbao.ID
		from, count int
		want        []tianbao.ID
	}{
		{0, 0, 4, ids[:4]},
		{0, 0, 100, ids},
		{0, 3, 2, ids[3:5]},
		{0, 8, 5, ids[8:]},
		{0, 9, 5, nil},
		{0, 5000, 5, nil},
		{0, -1, -1, nil},
		{ids[3], 0, 2, ids[4:6]},
		{ids[3], 7, 2, ids[4:6]}, // the row counts
		{ids[8], 0, 2, nil},
		{4711, 0, 2, nil}, // no such row
	}
	for _, tt := range tests {
		rep, rows, err := w.Window(ctx, all(), r.ID, tt.after, tt.from, tt.count)
		w.ok(err)
		if got := rowIDs(rows); !slices.Equal(got, tt.want) || rep.Version != r.Version {
			w.t.Errorf("behind %v from %d, %d rows: %v of version %d, want %v", tt.after, tt.from, tt.count, got, rep.Version, tt.want)
		}
	}
	_, rows, err := w.Window(ctx, all(), r.ID, 0, 1, 1)
	w.ok(err)
	if !slices.Equal(rows[0].Values, Values(9)) {
		w.t.Error("the cells of a window are not those of its row")
	}
	var each []tianbao.ID
	rep, err := w.EachRow(ctx, all(), r.ID, func(row *tianbao.Row) error {
		each = append(each, row.ID)
		if row.Seq != len(each) {
			w.t.Errorf("row %d has number %d", len(each), row.Seq)
		}
		return nil
	})
	w.ok(err)
	if !slices.Equal(each, ids) || rep.Version != r.Version {
		w.t.Errorf("one by one: %v of version %d", each, rep.Version)
	}
}

// A window across reports goes over those in scope in the order of the tree.
func testAcross(w *world) {
	ctx := w.t.Context()
	type place struct {
		report tianbao.ID
		row    tianbao.ID
	}
	var whole []place
	reports := map[tianbao.ID]tianbao.Report{}
	n := 0
	// In the order of their paths; the bureau has a report without rows.
	for _, u := range []struct {
		unit tianbao.ID
		rows int
	}{{bureau, 0}, {elsewhere, 2}, {department, 3}, {unitA, 4}, {unitB, 1}} {
		r := w.open(u.unit)
		d := w.draft(r)
		prev := tianbao.ID(0)
		for range u.rows {
			n++
			prev = d.insert(prev, Values(n))
			whole = append(whole, place{r.ID, prev})
		}
		if u.rows > 0 {
			d.Puts[0].Faults = u.rows
			r = d.save()
		}
		reports[u.unit] = r
	}
	// Paths sort as text: /1/ … before /12/.
	whole = append(whole[2:], whole[:2]...)
	flat := func(parts []report.Part) (out []place) {
		for _, p := range parts {
			if len(p.Rows) != len(p.Faults) || len(p.Rows) == 0 {
				w.t.Errorf("a part of %d rows with %d counts of faults", len(p.Rows), len(p.Faults))
			}
			if p.From == 0 && p.Faults[0] != p.Report.Rows {
				w.t.Errorf("the first row of report %v has %d faults", p.Report.ID, p.Faults[0])
			}
			for _, r := range p.Rows {
				out = append(out, place{p.Report.ID, r.ID})
			}
		}
		return out
	}
	for from := range len(whole) + 2 {
		for count := range len(whole) + 2 {
			parts, err := w.Across(ctx, all(), campaign, 0, from, count)
			w.ok(err)
			lo, hi := min(from, len(whole)), min(from+count, len(whole))
			if got := flat(parts); !slices.Equal(got, whole[lo:hi]) {
				w.t.Errorf("%d rows from %d: %v, want %v", count, from, got, whole[lo:hi])
			}
		}
	}
	tests := []struct {
		name        string
		scope       tianbao.Scope
		start       tianbao.ID
		from, count int
		want        []place
	}{
		{"from a report on", all(), reports[unitA].ID, 0, 100, whole[3:]},
		{"from within a report on", all(), reports[unitA].ID, 2, 4, whole[5:9]},
		{"beyond a report", all(), reports[department].ID, 4, 3, whole[4:7]},
		{"the department only", at("/1/2/"), 0, 0, 100, whole[:8]},
		{"a unit only", at("/1/2/3/"), 0, 0, 100, whole[3:7]},
		{"two subtrees", at("/12/", "/1/2/4/"), 0, 0, 100, whole[7:]},
		{"two subtrees from a report on", at("/12/", "/1/2/4/"), reports[elsewhere].ID, 1, 100, whole[9:]},
		{"nobody", at(), 0, 0, 100, nil},
	}
	for _, tt := range tests {
		parts, err := w.Across(ctx, tt.scope, campaign, tt.start, tt.from, tt.count)
		w.ok(err)
		if got := flat(parts); !slices.Equal(got, tt.want) {
			w.t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	_, err := w.Across(ctx, at("/1/2/3/"), campaign, reports[unitB].ID, 0, 10)
	refused(w.t, "from a report outside", err, tianbao.ErrNotFound)
	_, err = w.Across(ctx, all(), hidden, reports[unitB].ID, 0, 10)
	refused(w.t, "from a report of another campaign", err, tianbao.ErrNotFound)

	filed := func(scope tianbao.Scope) (out []tianbao.ID) {
		list, err := w.Filed(ctx, scope, campaign)
		w.ok(err)
		for _, r := range list {
			out = append(out, r.Owner)
		}
		return out
	}
	if got := filed(all()); !slices.Equal(got, []tianbao.ID{department, unitA, unitB, elsewhere}) {
		w.t.Errorf("filed: %v", got)
	}
	if got := filed(at("/1/2/4/", "/12/")); !slices.Equal(got, []tianbao.ID{unitB, elsewhere}) {
		w.t.Errorf("filed in two subtrees: %v", got)
	}
}
