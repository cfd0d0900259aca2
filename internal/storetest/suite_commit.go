package storetest

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/report"
)

// count counts the rows of a table.
func (w *world) count(table string) (n int64) {
	w.t.Helper()
	w.ok(w.DB().One(w.t.Context(), []any{&n}, `SELECT COUNT(*) FROM `+table))
	return n
}

// footprint counts what a commit writes.
func (w *world) footprint() string {
	w.t.Helper()
	s := ""
	for _, table := range []string{"report_row", "row_key", "row_key_log", "change_set", "receipt", "trail"} {
		s += fmt.Sprintf("%s=%d ", table, w.count(table))
	}
	return s
}

func testStale(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	d.insert(0, Values(1))
	stale := w.draft(r)
	stale.insert(0, Values(2))
	r = d.save()
	before := w.footprint()
	if err := w.Commit(w.t.Context(), stale.Commit); !errors.Is(err, report.ErrStale) {
		w.t.Errorf("got %v, want ErrStale", err)
	}
	if after := w.footprint(); after != before {
		w.t.Errorf("%s became %s", before, after)
	}
	if now := w.open(unitA); now.Version != r.Version || now.Rows != 1 {
		w.t.Errorf("version %d with %d rows", now.Version, now.Rows)
	}
	missing := w.draft(tianbao.Report{ID: 5, Owner: unitA, Form: "asset-role", FormV: 1})
	if err := w.Commit(w.t.Context(), missing.Commit); !errors.Is(err, report.ErrStale) {
		w.t.Errorf("a report that is not there: %v", err)
	}
}

func testDuplicate(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	row := d.insert(0, Values(1))
	d.Inserted = map[string]tianbao.ID{"neu-1": row}
	r = d.save()
	before := w.footprint()
	again := w.draft(r) // from the version that stands, under the key that was used
	again.Set.Key = d.Set.Key
	again.insert(0, Values(2))
	if err := w.Commit(w.t.Context(), again.Commit); !errors.Is(err, report.ErrDuplicate) {
		w.t.Errorf("got %v, want ErrDuplicate", err)
	}
	if after := w.footprint(); after != before {
		w.t.Errorf("%s became %s", before, after)
	}
	if got := w.open(unitA); got.Version != 1 {
		w.t.Errorf("version %d, want 1", got.Version)
	}
	o, ok, err := w.Outcome(w.t.Context(), r.ID, d.Set.Key)
	w.ok(err)
	want := report.Outcome{RequestDigest: d.RequestDigest, Receipt: d.Receipt, Inserted: d.Inserted}
	if diff := cmp.Diff(want, o); diff != "" || !ok {
		w.t.Error(ok, diff)
	}
	if _, ok, err := w.Outcome(w.t.Context(), r.ID, "never"); ok || err != nil {
		w.t.Errorf("a key that was never used: %v %v", ok, err)
	}
	// In another report the key is free.
	free := w.draft(w.open(unitB))
	free.Set.Key = d.Set.Key
	free.save()
}

func testRacedKey(w *world) {
	r := w.open(unitA)
	const n = 20
	drafts := make([]*draft, n)
	for i := range drafts {
		drafts[i] = w.draft(r)
		drafts[i].Set.Key = "the-key"
		drafts[i].insert(0, Values(i))
	}
	results := w.commitAll(drafts)
	won := 0
	for i, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, report.ErrDuplicate):
			w.t.Errorf("sender %d: %v", i, err)
		}
	}
	if sets, rows := w.count("change_set"), w.count("report_row"); won != 1 || sets != 1 || rows != 1 {
		w.t.Errorf("%d of %d succeeded, %d change sets, %d rows; want one each", won, n, sets, rows)
	}
	if _, ok, err := w.Outcome(w.t.Context(), r.ID, "the-key"); !ok || err != nil {
		w.t.Errorf("the outcome is not there: %v", err)
	}
}

func testNamed(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	save := func(by tianbao.ID, names ...string) map[string]tianbao.ID {
		d := w.draft(r)
		d.Set.By = by
		d.Inserted = map[string]tianbao.ID{}
		for _, name := range names {
			d.Inserted[name] = d.insert(tianbao.AtEnd, Values(len(names)))
		}
		r = d.save()
		return d.Inserted
	}
	first, _, third := save(clerk, "a", "b"), save(clerk+1, "c"), save(clerk, "d")
	save(clerk)
	both := maps.Clone(first)
	maps.Copy(both, third)
	for _, tt := range []struct {
		name        string
		by          tianbao.ID
		since, upTo int64
		want        map[string]tianbao.ID
	}{
		{"all of a person's", clerk, 0, 4, both},
		{"after a version", clerk, 1, 4, third},
		{"up to a version", clerk, 0, 2, first},
		{"none", clerk, 3, 4, map[string]tianbao.ID{}},
		{"of somebody who saved nothing", clerk + 2, 0, 4, map[string]tianbao.ID{}},
	} {
		got, err := w.Named(ctx, r.ID, tt.by, tt.since, tt.upTo)
		w.ok(err)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			w.t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func testRacedVersion(w *world) {
	r := w.open(unitA)
	drafts := make([]*draft, 20)
	for i := range drafts {
		drafts[i] = w.draft(r)
		drafts[i].insert(0, Values(i))
	}
	won := 0
	for i, err := range w.commitAll(drafts) {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, report.ErrStale):
			w.t.Errorf("sender %d: %v", i, err)
		}
	}
	if got := w.open(unitA); won != 1 || got.Version != 1 || got.Rows != 1 || w.count("report_row") != 1 {
		w.t.Errorf("%d succeeded, version %d, %d rows", won, got.Version, got.Rows)
	}
}

// commitAll commits all drafts at once.
func (w *world) commitAll(drafts []*draft) []error {
	results := make([]error, len(drafts))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, d := range drafts {
		wg.Go(func() {
			<-start
			results[i] = w.Commit(w.t.Context(), d.Commit)
		})
	}
	close(start)
	wg.Wait()
	return results
}

func testFailedCommit(w *world) {
	r := w.open(unitA)
	d := w.draft(r)
	row := d.insert(0, Values(1))
	r = d.save()
	before := w.footprint()
	bad := map[string]func(d *draft){
		"edits a row that is not there":     func(d *draft) { d.edit(tianbao.Row{ID: 9, Values: Values(2)}, Values(3)) },
		"deletes a row that is not there":   func(d *draft) { d.Deletes = append(d.Deletes, 9) },
		"inserts a row that is there":       func(d *draft) { d.insert(0, Values(2)); d.Puts[0].Row.ID = row },
		"carries an import that is unknown": func(d *draft) { d.Set.Imports = []tianbao.ID{77} },
		"has too few cells":                 func(d *draft) { d.insert(0, make(tianbao.Values, 8)); d.Puts[0].Row.Values = make(tianbao.Values, 3) },
		"has a form that is unknown":        func(d *draft) { d.Report.Form = "other" },
	}
	for name, spoil := range bad {
		d := w.draft(r)
		spoil(d)
		if err := w.Commit(w.t.Context(), d.Commit); err == nil || errors.Is(err, report.ErrDuplicate) || errors.Is(err, report.ErrStale) {
			w.t.Errorf("a commit that %s: %v", name, err)
		}
	}
	if after := w.footprint(); after != before {
		w.t.Errorf("%s became %s", before, after)
	}
	w.wantOrder(r.ID, row)
}

func testHistory(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	a := d.insert(0, Values(1))
	b := d.insert(a, Values(2))
	d.Set.Source, d.Set.Note = tianbao.SourceImport, "名单.xlsx"
	first := d
	r = d.save()
	d = w.draft(r)
	v := Values(1)
	v[5], v[6] = "李某", "210102199001019001"
	d.edit(w.rows(r.ID)[0], v)
	d.Recorded[0].Cells[1].Mark = tianbao.MarkNumber
	d.remove(b)
	d.record(tianbao.Recorded{Op: tianbao.OpReason, Row: a, Reason: tianbao.Reason{Code: "c", Text: "说明说明说明", By: "clerk", At: epoch().UTC()}})
	second := d
	r = d.save()
	for range 3 {
		r = w.draft(r).save()
	}
	revs, err := w.History(ctx, at("/1/2/3/"), r.ID, 0, 100)
	w.ok(err)
	if len(revs) != 5 || revs[0].Version != 5 || revs[4].Version != 1 {
		w.t.Fatalf("%d revisions", len(revs))
	}
	want := []tianbao.Revision{
		{Version: 2, Source: tianbao.SourcePage, By: "填报员", At: second.Set.At, Changes: second.Recorded},
		{Version: 1, Source: tianbao.SourceImport, Note: "名单.xlsx", By: "填报员", At: first.Set.At, Changes: first.Recorded},
	}
	got := revs[3:]
	for i := range got {
		if got[i].ID == 0 {
			w.t.Error("a revision has no id")
		}
		got[i].ID = 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
	page, err := w.History(ctx, all(), r.ID, 4, 2)
	w.ok(err)
	if len(page) != 2 || page[0].Version != 3 || page[1].Version != 2 {
		w.t.Errorf("two before version 4: %d", len(page))
	}
	since, err := w.Since(ctx, r.ID, 3)
	w.ok(err)
	if len(since) != 2 || since[0].Version != 4 || since[1].Version != 5 {
		w.t.Errorf("since version 3: %d", len(since))
	}
	if none, err := w.Since(ctx, r.ID, 5); err != nil || len(none) != 0 {
		w.t.Errorf("since the newest: %d, %v", len(none), err)
	}
	if none, err := w.History(ctx, all(), w.open(unitB).ID, 0, 5); err != nil || len(none) != 0 {
		w.t.Errorf("a report without history: %d, %v", len(none), err)
	}
}

func testReported(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	d.insert(0, Values(1))
	r = d.save()
	rec := tianbao.Receipt{ID: w.id(), Report: r.ID, Kind: "report", Number: "TB-1", Version: r.Version, Rows: 1, Digest: "x", By: "填报员", At: epoch()}
	stale := rec
	stale.ID, stale.Version = w.id(), r.Version+1
	if err := w.MarkReported(ctx, stale, "k0", "asked", clerk); !errors.Is(err, report.ErrStale) {
		w.t.Errorf("another version: %v", err)
	}
	w.ok(w.MarkReported(ctx, rec, "k1", "asked", clerk))
	if got := w.open(unitA); got.State != tianbao.StateReported || got.Version != r.Version {
		w.t.Errorf("state %s at version %d", got.State, got.Version)
	}
	again := rec
	again.ID = w.id()
	if err := w.MarkReported(ctx, again, "k1", "asked", clerk); !errors.Is(err, report.ErrDuplicate) {
		w.t.Errorf("the key again: %v", err)
	}
	again.ID = w.id()
	if err := w.MarkReported(ctx, again, d.Set.Key, "asked", clerk); !errors.Is(err, report.ErrDuplicate) {
		w.t.Errorf("the key of a save: %v", err)
	}
	o, ok, err := w.Outcome(ctx, r.ID, "k1")
	w.ok(err)
	if diff := cmp.Diff(report.Outcome{RequestDigest: "asked", Receipt: rec, Inserted: map[string]tianbao.ID{}}, o); diff != "" || !ok {
		w.t.Error(ok, diff)
	}
	// Many at once: one is stored.
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 20 {
		mine := rec
		mine.ID = w.id()
		wg.Go(func() {
			err := w.MarkReported(ctx, mine, "k2", "asked", clerk)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, report.ErrDuplicate) {
				w.t.Errorf("at once: %v", err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		w.t.Errorf("%d of 20 were stored", won)
	}
}

func testReceipts(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	var receipts []tianbao.Receipt
	for range 4 {
		d := w.draft(r)
		r = d.save()
		receipts = append([]tianbao.Receipt{d.Receipt}, receipts...)
	}
	got, err := w.Receipts(ctx, all(), r.ID, 3)
	w.ok(err)
	if diff := cmp.Diff(receipts[:3], got); diff != "" {
		w.t.Error(diff)
	}
	one, err := w.Receipt(ctx, at("/1/2/3/"), r.ID, receipts[2].ID)
	w.ok(err)
	if diff := cmp.Diff(receipts[2], one); diff != "" {
		w.t.Error(diff)
	}
	_, err = w.Receipt(ctx, all(), w.open(unitB).ID, receipts[2].ID)
	refused(w.t, "a receipt of another report", err, tianbao.ErrNotFound)
}

func testImports(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	var recs []report.ImportRecord
	for i := range 3 {
		rec := report.ImportRecord{
			ID: w.id(), Report: r.ID, File: fmt.Sprintf("名单%d.xlsx", i), Digest: "same", Mode: "append", Rows: 7 + i,
			By: clerk, ByName: "填报员", At: epoch().UnixMilli(), Raw: []byte(`{"1":"２１０１"}`),
		}
		if i == 1 {
			rec.Raw = []byte{}
		}
		w.ok(w.PutImport(ctx, &rec))
		recs = append(recs, rec)
	}
	got, err := w.Imports(ctx, r.ID, []tianbao.ID{recs[2].ID, recs[0].ID, 4711})
	w.ok(err)
	if diff := cmp.Diff([]report.ImportRecord{recs[0], recs[2]}, got); diff != "" {
		w.t.Error(diff)
	}
	if none, err := w.ImportsOf(ctx, r.ID, "same"); err != nil || len(none) != 0 {
		w.t.Errorf("imports that nothing carried: %d, %v", len(none), err)
	}
	d := w.draft(r)
	d.Set.Imports = []tianbao.ID{recs[0].ID, recs[1].ID}
	r = d.save()
	recs[0].Version, recs[1].Version = r.Version, r.Version
	got, err = w.ImportsOf(ctx, r.ID, "same")
	w.ok(err)
	if len(got) == 2 && got[0].Raw == nil {
		got[0].Raw = []byte{}
	}
	if diff := cmp.Diff([]report.ImportRecord{recs[1], recs[0]}, got); diff != "" {
		w.t.Error(diff)
	}
	for _, digest := range []string{"other", ""} {
		if none, err := w.ImportsOf(ctx, r.ID, digest); err != nil || len(none) != 0 {
			w.t.Errorf("digest %q: %d, %v", digest, len(none), err)
		}
	}
	// Previews that nothing carried go when the next comes after a day; carried ones stay.
	late := report.ImportRecord{ID: w.id(), Report: r.ID, Digest: "late", Mode: "append", By: clerk, At: recs[0].At + 24*60*60*1000 + 1}
	w.ok(w.PutImport(ctx, &late))
	if got, err := w.Imports(ctx, r.ID, []tianbao.ID{recs[0].ID, recs[1].ID, recs[2].ID, late.ID}); err != nil || len(got) != 3 || got[2].ID != late.ID {
		w.t.Errorf("after a day %d imports are left, %v, want the two carried and the new one", len(got), err)
	}
	if none, err := w.Imports(ctx, w.open(unitB).ID, []tianbao.ID{recs[0].ID}); err != nil || len(none) != 0 {
		w.t.Errorf("another report's import: %d, %v", len(none), err)
	}
}
