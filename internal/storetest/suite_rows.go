package storetest

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

func testOrder(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	a := d.insert(0, Values(1))
	b := d.insert(a, Values(2))
	c := d.insert(b, Values(3))
	r = d.save()
	w.wantOrder(r.ID, a, b, c)

	d = w.draft(r)
	first := d.insert(0, Values(4))   // before all
	second := d.insert(0, Values(5))  // directly at the top, so before first
	mid := d.insert(a, Values(6))     // between a and b
	mid2 := d.insert(mid, Values(7))  // after the new one
	mid3 := d.insert(a, Values(8))    // directly after a, so before mid
	last := d.insert(c, Values(9))    // after the last
	last2 := d.insert(c, Values(10))  // directly after c, so before last
	end := d.insert(last, Values(11)) // after the new last
	r = d.save()
	w.wantOrder(r.ID, second, first, a, mid3, mid, mid2, b, c, last2, last, end)

	d = w.draft(r)
	d.remove(b)
	x := d.insert(b, Values(12)) // follows a row that goes: it takes its place
	d.remove(second)
	r = d.save()
	w.wantOrder(r.ID, first, a, mid3, mid, mid2, x, c, last2, last, end)
	if r.Rows != 10 || r.Version != 3 || r.State != tianbao.StateDraft || r.UpdatedBy != "填报员" {
		w.t.Errorf("the report stands at %d rows, version %d, %s, by %s", r.Rows, r.Version, r.State, r.UpdatedBy)
	}
	// An edit moves nothing.
	rows := w.rows(r.ID)
	d = w.draft(r)
	d.edit(rows[4], Values(99))
	r = d.save()
	w.wantOrder(r.ID, first, a, mid3, mid, mid2, x, c, last2, last, end)
	if got := w.rows(r.ID)[4]; got.Version != 4 || !slices.Equal(got.Values, Values(99)) {
		w.t.Errorf("the edited row has version %d", got.Version)
	}
}

func testOrderAtEnd(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	a := d.insert(tianbao.AtEnd, Values(1)) // into nothing
	b := d.insert(tianbao.AtEnd, Values(2))
	a2 := d.insert(a, Values(3))
	r = d.save()
	w.wantOrder(r.ID, a, a2, b)

	d = w.draft(r)
	c := d.insert(tianbao.AtEnd, Values(4))
	afterB := d.insert(b, Values(5)) // directly after b, so before c
	e := d.insert(tianbao.AtEnd, Values(6))
	afterE := d.insert(e, Values(7))
	f := d.insert(tianbao.AtEnd, Values(8))
	lost := d.insert(987654, Values(9)) // follows a row that is not there
	r = d.save()
	w.wantOrder(r.ID, a, a2, b, afterB, c, e, afterE, f, lost)
}

// The gap between two rows is used up by rows put directly after the first one.
func testRenumber(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	a := d.insert(0, Values(1))
	z := d.insert(a, Values(2))
	r = d.save()
	want := []tianbao.ID{a, z}
	for i := range 60 {
		d = w.draft(r)
		id := d.insert(a, Values(3+i))
		r = d.save()
		want = slices.Insert(want, 1, id)
	}
	w.wantOrder(r.ID, want...)
	// More rows at once than any gap holds.
	d = w.draft(r)
	prev := a
	var block []tianbao.ID
	for i := range 400 {
		prev = d.insert(prev, Values(100+i))
		block = append(block, prev)
	}
	r = d.save()
	w.wantOrder(r.ID, slices.Insert(want, 1, block...)...)
}

// Random commits are compared with the same done to a list.
func testRandomOrder(w *world) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := w.open(unitA)
	var list []tianbao.ID
	for range 40 {
		d := w.draft(r)
		stored := slices.Clone(list)
		for range 1 + rng.IntN(8) {
			switch n := rng.IntN(10); {
			case n < 7 || len(stored) == 0:
				i := rng.IntN(len(list) + 1) // the place of the new row
				after := tianbao.ID(0)
				if i > 0 {
					after = list[i-1]
				}
				if i == len(list) && rng.IntN(2) == 0 {
					after = tianbao.AtEnd
				}
				list = slices.Insert(list, i, d.insert(after, Values(rng.IntN(1000))))
			default:
				i := rng.IntN(len(stored))
				d.remove(stored[i])
				list = slices.DeleteFunc(list, func(id tianbao.ID) bool { return id == stored[i] })
				stored = slices.Delete(stored, i, i+1)
			}
		}
		r = d.save()
		w.wantOrder(r.ID, list...)
		if w.t.Failed() {
			return
		}
	}
}

func testRoundTrip(w *world) {
	r := w.open(unitA)
	rows := []tianbao.Row{
		{Unit: unitA, Values: Values(1)},
		{Unit: 0, Values: make(tianbao.Values, 8)},
		{Unit: unitB, Values: tianbao.Values{"", "\"\\/\b\n\t\x01\u202eé𠮷", "", "", "<&>", "", "", ""}},
		{
			Unit: unitA, Values: Values(2),
			Marks: []tianbao.Mark{0, tianbao.MarkNumber, 0, 0, 0, 0, tianbao.MarkDate, tianbao.MarkError},
			Reasons: []tianbao.Reason{
				{Code: "org_code.old_form", Text: "证书尚未换发", By: "clerk", At: epoch().UTC()},
				{Code: "legacy.unknown", Text: "旧系统没有此人", By: "clerk", At: epoch().UTC()},
			},
		},
	}
	d := w.draft(r)
	for i := range rows {
		rows[i].ID, rows[i].Version, rows[i].Seq = w.id(), 1, i+1
		d.Puts = append(d.Puts, report.Put{Row: rows[i], New: true, After: tianbao.AtEnd})
		d.Report.Rows++
	}
	r = d.save()
	got := w.rows(r.ID)
	if diff := cmp.Diff(rows, got, showCells()); diff != "" {
		w.t.Error(diff)
	}
}

// showCells compares values as text, which they do not show otherwise.
func showCells() cmp.Option {
	return cmp.Transformer("cells", func(v tianbao.Values) []string { return v })
}

func testTouched(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	var ids []tianbao.ID
	for i := range 700 {
		ids = append(ids, d.insert(tianbao.AtEnd, Values(i)))
	}
	r = d.save()
	rep, rows, err := w.Touched(w.t.Context(), at("/1/2/3/"), r.ID, append(ids[:600:600], 424242))
	w.ok(err)
	if rep.Version != 1 || len(rows) != 600 || !slices.Equal(rows[ids[599]].Values, Values(599)) {
		w.t.Errorf("version %d, %d rows", rep.Version, len(rows))
	}
	if _, rows, err := w.Touched(w.t.Context(), all(), r.ID, nil); err != nil || len(rows) != 0 {
		w.t.Errorf("no rows asked for: %d, %v", len(rows), err)
	}
	if _, _, err := w.Touched(w.t.Context(), at("/12/"), r.ID, ids); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("out of scope: %v", err)
	}
}

// While commits go on, every snapshot has as many rows as its report says, all of
// one version.
func testSnapshot(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	for i := range 5 {
		d.insert(tianbao.AtEnd, Values(i))
	}
	r = d.save()
	done := make(chan error, 1)
	go func() {
		rep := r
		for i := range 30 {
			_, rows, err := w.Snapshot(w.t.Context(), all(), rep.ID)
			if err != nil {
				done <- err
				return
			}
			d := w.draft(rep)
			for _, row := range rows {
				d.edit(row, Values(1000+i))
			}
			d.insert(tianbao.AtEnd, Values(1000+i))
			if err := w.Commit(w.t.Context(), d.Commit); err != nil {
				done <- err
				return
			}
			if rep, err = w.Report(w.t.Context(), all(), rep.ID); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		rep, rows, err := w.Snapshot(w.t.Context(), all(), r.ID)
		w.ok(err)
		if len(rows) != rep.Rows {
			w.t.Errorf("a snapshot of version %d has %d rows of %d", rep.Version, len(rows), rep.Rows)
		}
		for _, row := range rows {
			if rep.Version > 1 && row.Version != rep.Version {
				w.t.Errorf("a row of version %d in a snapshot of version %d", row.Version, rep.Version)
			}
		}
		select {
		case err := <-done:
			w.ok(err)
			return
		default:
		}
	}
}

func testFindByKey(w *world) {
	r := w.open(unitA)
	other := w.open(elsewhere)
	d := w.draft(r)
	a := d.insert(tianbao.AtEnd, Values(1))
	b := d.insert(tianbao.AtEnd, Values(2))
	twin := d.insert(tianbao.AtEnd, Values(1))
	r = d.save()
	d = w.draft(other)
	far := d.insert(tianbao.AtEnd, Values(1))
	d.save()
	id1, phone1 := Person(1)
	id2, phone2 := Person(2)
	id3, _ := Person(3)
	want := func(scope tianbao.Scope, field, value string, rows ...tianbao.ID) {
		w.t.Helper()
		refs, err := w.FindByKey(w.t.Context(), scope, field, value)
		w.ok(err)
		var got []tianbao.ID
		for _, ref := range refs {
			got = append(got, ref.Row)
		}
		slices.Sort(got)
		if !slices.Equal(got, rows) {
			w.t.Errorf("%s found in %v, want %v", field, got, rows)
		}
	}
	want(all(), "person_id", id1, a, twin, far)
	want(at("/1/"), "person_id", id1, a, twin)
	want(at("/12/"), "phone", phone1, far)
	want(at(), "person_id", id1)
	want(all(), "person_id", phone1)
	want(all(), "person_id", "")
	want(all(), "person_id", id2, b)

	// Replaced and deleted values are not found any more.
	rows := w.rows(r.ID)
	d = w.draft(r)
	d.remove(a)
	d.edit(rows[1], Values(3))
	r = d.save()
	want(at("/1/"), "person_id", id1, twin)
	want(all(), "person_id", id2)
	want(all(), "phone", phone2)
	want(all(), "person_id", id3, b)
	w.ok(w.BringKeys(w.t.Context()))
	var keys int64
	w.ok(w.DB().One(w.t.Context(), []any{&keys}, `SELECT COUNT(*) FROM row_key`))
	if keys != 2*3 {
		w.t.Errorf("%d keys for 3 rows of 2 sealed cells", keys)
	}
	// An emptied cell has no key; the row goes on.
	d = w.draft(r)
	v := Values(3)
	v[6], v[7] = "", ""
	d.edit(w.rows(r.ID)[0], v)
	d.save()
	want(all(), "person_id", id3)
}

// A cell that is copied into another row, or another column, does not open there.
func testSwapped(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	a := d.insert(tianbao.AtEnd, Values(1))
	b := d.insert(tianbao.AtEnd, Values(2))
	r = d.save()
	ctx := w.t.Context()
	vals := func(id tianbao.ID) (v []byte) {
		w.ok(w.DB().One(ctx, []any{&v}, `SELECT vals FROM report_row WHERE report_id = $1 AND row_id = $2`, r.ID, id))
		return v
	}
	put := func(id tianbao.ID, v []byte) {
		w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE report_row SET vals = $1 WHERE report_id = $2 AND row_id = $3`, v, r.ID, id)
			return err
		}))
	}
	va, vb := vals(a), vals(b)
	put(a, vb)
	put(b, va)
	if _, _, err := w.Snapshot(ctx, all(), r.ID); err == nil {
		w.t.Error("two rows with their cells swapped were read")
	}
	put(a, va)
	put(b, vb)
	if _, _, err := w.Snapshot(ctx, all(), r.ID); err != nil {
		w.t.Errorf("after swapping back: %v", err)
	}
	w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE change_set SET version = 7 WHERE report_id = $1`, r.ID)
		return err
	}))
	if _, err := w.History(ctx, all(), r.ID, 0, 10); err == nil {
		w.t.Error("a change set that was given another version was read")
	}
}

// ago is the given time before the world's events.
func ago(d time.Duration) time.Time { return epoch().Add(-d) }
