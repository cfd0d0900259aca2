package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tianbao"
	"tianbao/internal/report"
)

// everything counts the rows of all tables that an import touches.
func (w *world) everything() string {
	s := w.footprint()
	for _, table := range []string{"staging", "staged_row", "piece", "import_record"} {
		s += fmt.Sprintf("%s=%d ", table, w.count(table))
	}
	return s
}

// batch makes a part of a draft: what was drafted since, nothing kept.
func (d *draft) batch(raw string) *report.Batch {
	b := &report.Batch{Puts: d.Puts, Deletes: d.Deletes, Recorded: d.Recorded, Raw: []byte(raw)}
	d.Puts, d.Deletes, d.Recorded = nil, nil, nil
	return b
}

func (d *draft) importRecord() *report.ImportRecord {
	return &report.ImportRecord{ID: d.w.id(), Report: d.Report.ID, File: "长.xlsx", Digest: "长", Mode: "merge", Rows: 3, By: clerk, At: epoch().UnixMilli(), Raw: []byte("{}")}
}

// An import in parts becomes the report's like any commit: rows, their places and
// keys, history, receipt, record.
func testStaged(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	kept, edited, gone := d.insert(0, Values(1)), tianbao.ID(0), tianbao.ID(0)
	edited = d.insert(kept, Values(2))
	gone = d.insert(edited, Values(3))
	r = d.save()
	rows := w.rows(r.ID)

	d = w.draft(r)
	rec := d.importRecord()
	st, err := w.Stage(ctx, r, w.id(), rec.ID)
	w.ok(err)
	d.edit(rows[1], Values(20))
	d.remove(gone)
	a := d.insert(tianbao.AtEnd, Values(30))
	w.ok(st.Add(ctx, d.batch(`{"a":1}`)))
	b := d.insert(tianbao.AtEnd, Values(31))
	w.ok(st.Add(ctx, d.batch(`{"b":2}`)))
	// Nobody sees any of it yet.
	w.wantOrder(r.ID, kept, edited, gone)
	id, _ := Person(30)
	if refs, err := w.FindByKey(ctx, all(), "person_id", id); err != nil || len(refs) != 0 {
		w.t.Errorf("a staged row is found: %v %v", refs, err)
	}
	d.Receipt.Rows = d.Report.Rows
	w.ok(st.Commit(ctx, d.Commit, rec))
	w.ok(st.Drop(ctx))

	w.wantOrder(r.ID, kept, edited, a, b)
	now := w.rows(r.ID)
	if now[1].Values[4] != "user20" || now[1].Version != 2 || now[0].Version != 1 || now[3].Version != 2 || now[3].Values[6] != Values(31)[6] {
		w.t.Error("the rows are not those that were staged")
	}
	for n, want := range map[int]int{1: 1, 2: 0, 3: 0, 20: 1, 30: 1, 31: 1} {
		id, _ := Person(n)
		if refs, err := w.FindByKey(ctx, all(), "person_id", id); err != nil || len(refs) != want {
			w.t.Errorf("person %d is found %d times, want %d (%v)", n, len(refs), want, err)
		}
	}
	revs, err := w.History(ctx, all(), r.ID, 0, 1)
	w.ok(err)
	var ops []tianbao.Op
	for _, c := range revs[0].Changes {
		ops = append(ops, c.Op)
	}
	if !slices.Equal(ops, []tianbao.Op{tianbao.OpEdit, tianbao.OpDelete, tianbao.OpInsert, tianbao.OpInsert}) || revs[0].Changes[3].Row != b {
		w.t.Errorf("history has %v", ops)
	}
	recs, err := w.Imports(ctx, r.ID, []tianbao.ID{rec.ID})
	w.ok(err)
	if len(recs) != 1 || recs[0].Version != 2 || len(recs[0].More) != 2 || string(recs[0].More[1]) != `{"b":2}` {
		w.t.Errorf("records: %+v", recs)
	}
	if n := w.count("staged_row") + w.count("staging"); n != 0 {
		w.t.Errorf("%d staged rows are left", n)
	}
}

// Rows with places of their own stand in between, and those that stay move.
func testStagedOrder(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	first := d.insert(0, Values(1))
	second := d.insert(first, Values(2))
	r = d.save()
	d = w.draft(r)
	rec := d.importRecord()
	st, err := w.Stage(ctx, r, w.id(), rec.ID)
	w.ok(err)
	w.ok(st.Add(ctx, &report.Batch{Moves: []report.Move{{Row: first, Order: 2}, {Row: second, Order: 3}}}))
	a, b := d.insert(0, Values(3)), d.insert(second, Values(4))
	part := d.batch("")
	part.Order = []int{1, 4}
	w.ok(st.Add(ctx, part))
	w.ok(st.Commit(ctx, d.Commit, rec))
	w.ok(st.Drop(ctx))
	w.wantOrder(r.ID, a, first, second, b)
}

// A staged import that meets another commit is stale, may be committed upon it, and
// is never committed twice; one that is dropped, or whose process died, leaves nothing.
func testStagedStale(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	stage := func(n int) (*draft, report.Staging, *report.ImportRecord) {
		d := w.draft(r)
		rec := d.importRecord()
		st, err := w.Stage(ctx, r, w.id(), rec.ID)
		w.ok(err)
		for i := range 3 {
			d.insert(tianbao.AtEnd, Values(n+i))
		}
		w.ok(st.Add(ctx, d.batch(`{"a":1}`)))
		return d, st, rec
	}
	before := w.everything()
	_, st, _ := stage(10)
	w.ok(st.Drop(ctx))
	if after := w.everything(); after != before {
		w.t.Errorf("dropped: %s became %s", before, after)
	}

	d, st, rec := stage(20)
	other := w.draft(r)
	other.insert(0, Values(1))
	now := other.save()
	before = w.footprint()
	if err := st.Commit(ctx, d.Commit, rec); !errors.Is(err, report.ErrStale) {
		w.t.Errorf("a stale import: %v", err)
	}
	if after := w.footprint(); after == before {
		w.t.Error("the keys are meant to be there before the rows")
	}
	d.Report, d.Receipt.Version = now, now.Version+1
	d.Report.Rows += 3
	d.Receipt.Rows = d.Report.Rows
	w.ok(st.Commit(ctx, d.Commit, rec))
	before = w.footprint()
	if err := st.Commit(ctx, d.Commit, rec); err == nil {
		w.t.Error("an import was committed twice")
	}
	w.ok(st.Drop(ctx))
	if after := w.footprint(); after != before || len(w.rows(r.ID)) != 4 {
		w.t.Errorf("%s became %s with %d rows", before, after, len(w.rows(r.ID)))
	}
	r = w.open(unitA)

	// The process dies: after some parts, when the keys are written, after the commit.
	before = w.everything()
	stage(30)
	d, st, rec = stage(40)
	d.Report.Version--
	if err := st.Commit(ctx, d.Commit, rec); !errors.Is(err, report.ErrStale) {
		w.t.Errorf("a stale import: %v", err)
	}
	if n, err := w.SweepStagings(ctx, 1<<40); err != nil || n != 0 {
		w.t.Errorf("%d imports that may live are swept, %v", n, err)
	}
	if n, err := w.SweepStagings(ctx, 0); err != nil || n != 2 {
		w.t.Errorf("%d imports swept, %v, want 2", n, err)
	}
	if after := w.everything(); after != before {
		w.t.Errorf("swept: %s became %s", before, after)
	}
	if err := st.Add(ctx, &report.Batch{Deletes: []tianbao.ID{1}}); err == nil {
		w.t.Error("an import that was swept goes on")
	}
	d, st, rec = stage(50)
	d.Receipt.Rows = d.Report.Rows
	w.ok(st.Commit(ctx, d.Commit, rec))
	before = w.footprint()
	if n, err := w.SweepStagings(ctx, 0); err != nil || n != 1 {
		w.t.Errorf("%d imports swept, %v, want 1", n, err)
	}
	if after := w.footprint(); after != before || w.count("staged_row") != 0 {
		w.t.Errorf("%s became %s", before, after)
	}
	if revs, err := w.History(ctx, all(), r.ID, 0, 1); err != nil || len(revs[0].Changes) != 3 {
		w.t.Errorf("the history of a committed import was swept: %v", err)
	}

	gone := &report.Batch{Deletes: []tianbao.ID{4711}}
	d = w.draft(w.open(unitA))
	rec = d.importRecord()
	st, err := w.Stage(ctx, d.Report, w.id(), rec.ID)
	w.ok(err)
	w.ok(st.Add(ctx, gone))
	if err := st.Commit(ctx, d.Commit, rec); err == nil || errors.Is(err, report.ErrStale) {
		w.t.Errorf("an import that deletes a row that is not there: %v", err)
	}
	w.ok(st.Drop(context.WithoutCancel(ctx)))
}
