package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/report"
	"tianbao/internal/store"
)

// The ids of the world: a bureau with a department, two units below that, and a
// bureau beside it.
const (
	bureau     tianbao.ID = 1
	department tianbao.ID = 2
	unitA      tianbao.ID = 3
	unitB      tianbao.ID = 4
	elsewhere  tianbao.ID = 12
	campaign   tianbao.ID = 100
	hidden     tianbao.ID = 101
	clerk      tianbao.ID = 200
)

func all() tianbao.Scope { return tianbao.Scope{Paths: []string{"/"}} }
func at(paths ...string) tianbao.Scope {
	return tianbao.Scope{Paths: paths}
}

// epoch is the time of the world's events.
func epoch() time.Time { return time.UnixMilli(1663891200000) }

// world is a store with an organisation, and what tests of it need.
type world struct {
	*store.Store
	t    testing.TB
	ids  tianbao.ID
	keys int
}

func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	w := &world{Store: s, t: t, ids: 1000}
	ctx := t.Context()
	w.ok(s.PutRegions(ctx, tianbao.Region{ID: 9, Code: "210000", Name: "辽宁省", InScope: true}))
	w.ok(s.PutUnits(ctx,
		tianbao.Unit{ID: bureau, Region: 9, Name: "市财政局", BudgetCode: "001", OrgCode: "11210100000000001A", Kind: "bureau"},
		tianbao.Unit{ID: department, Parent: bureau, Region: 9, Name: "市教育局", BudgetCode: "101", OrgCode: "11210100000000002B", Kind: "department"},
		tianbao.Unit{ID: unitA, Parent: department, Region: 9, Name: "第一中学", BudgetCode: "101001", OrgCode: "12210100000000003C", Kind: "unit", Type: "事业单位"},
		tianbao.Unit{ID: unitB, Parent: department, Region: 9, Name: "第二中学", BudgetCode: "101002", OrgCode: "12210100000000004D", Kind: "unit"},
		tianbao.Unit{ID: elsewhere, Region: 9, Name: "邻市财政局", BudgetCode: "002", OrgCode: "11210200000000005E", Kind: "bureau"},
	))
	w.ok(s.PutCampaign(ctx, tianbao.Campaign{ID: campaign, Title: "采集", Form: "asset-role", FormV: 1, Opens: epoch(), Released: true}))
	w.ok(s.PutCampaign(ctx, tianbao.Campaign{ID: hidden, Title: "草稿", Form: "asset-role", FormV: 1, Opens: epoch()}))
	w.ok(s.CreateUser(ctx, tianbao.User{
		ID: clerk, Login: "clerk", Name: "填报员", Created: epoch(),
		Grants: []tianbao.Grant{{ID: 300, Role: tianbao.RoleFiller, Unit: unitA}},
	}, "hash", false))
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused fails the test unless err is of the kind.
func refused(t testing.TB, what string, err error, kind tianbao.ErrKind) {
	t.Helper()
	var e *tianbao.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("%s: got %v, want an error of kind %d", what, err, kind)
	}
}

func (w *world) open(unit tianbao.ID) tianbao.Report {
	w.t.Helper()
	r, err := w.OpenReport(w.t.Context(), all(), campaign, unit)
	w.ok(err)
	return r
}

func (w *world) id() tianbao.ID {
	w.ids++
	return w.ids
}

// draft is a commit being made.
type draft struct {
	w *world
	*report.Commit
}

// draft begins a commit from a report as it was read.
func (w *world) draft(r tianbao.Report) *draft {
	w.keys++
	key := fmt.Sprintf("key-%d", w.keys)
	when := epoch().Add(time.Duration(r.Version+1) * time.Second)
	r.State = tianbao.StateDraft
	return &draft{w: w, Commit: &report.Commit{
		Report:        r,
		Set:           &tianbao.ChangeSet{Report: r.ID, Key: key, Base: r.Version, Source: tianbao.SourcePage, By: clerk, At: when},
		RequestDigest: "asked " + key,
		Receipt: tianbao.Receipt{
			ID: w.id(), Report: r.ID, Kind: "save", Number: "TB-" + key, Version: r.Version + 1,
			Digest: "d", By: "填报员", At: when,
		},
	}}
}

// insert adds a new row after another and returns its id.
func (d *draft) insert(after tianbao.ID, v tianbao.Values) tianbao.ID {
	row := tianbao.Row{ID: d.w.id(), Unit: d.Report.Owner, Values: v}
	d.Puts = append(d.Puts, report.Put{Row: row, New: true, After: after})
	d.record(tianbao.Recorded{Op: tianbao.OpInsert, Row: row.ID, AfterRow: after, Cells: changed(make(tianbao.Values, len(v)), v)})
	d.Report.Rows++
	return row.ID
}

// edit replaces a row.
func (d *draft) edit(old tianbao.Row, v tianbao.Values) {
	row := old
	row.Values = v
	d.Puts = append(d.Puts, report.Put{Row: row})
	d.record(tianbao.Recorded{Op: tianbao.OpEdit, Row: row.ID, Cells: changed(old.Values, v)})
}

// remove deletes a row.
func (d *draft) remove(id tianbao.ID) {
	d.Deletes = append(d.Deletes, id)
	d.record(tianbao.Recorded{Op: tianbao.OpDelete, Row: id})
	d.Report.Rows--
}

func (d *draft) record(r tianbao.Recorded) { d.Recorded = append(d.Recorded, r) }

// save commits and returns the report as it stands then.
func (d *draft) save() tianbao.Report {
	d.w.t.Helper()
	d.Receipt.Rows = d.Report.Rows
	d.w.ok(d.w.Commit(d.w.t.Context(), d.Commit))
	r, err := d.w.Report(d.w.t.Context(), all(), d.Report.ID)
	d.w.ok(err)
	return r
}

func changed(before, after tianbao.Values) []tianbao.RecordedCell {
	var out []tianbao.RecordedCell
	for i := range after {
		if before[i] != after[i] {
			out = append(out, tianbao.RecordedCell{Field: i, Before: before[i], After: after[i]})
		}
	}
	return out
}

// rows returns the rows of a report as everybody sees them.
func (w *world) rows(r tianbao.ID) []tianbao.Row {
	w.t.Helper()
	_, rows, err := w.Snapshot(w.t.Context(), all(), r)
	w.ok(err)
	return rows
}

// order returns the ids of the rows as they stand.
func (w *world) order(r tianbao.ID) []tianbao.ID {
	w.t.Helper()
	var out []tianbao.ID
	for i, row := range w.rows(r) {
		if row.Seq != i+1 {
			w.t.Errorf("row %d has number %d", i+1, row.Seq)
		}
		out = append(out, row.ID)
	}
	return out
}

func (w *world) wantOrder(r tianbao.ID, want ...tianbao.ID) {
	w.t.Helper()
	if got := w.order(r); !slices.Equal(got, want) {
		w.t.Errorf("rows stand as %v, want %v", got, want)
	}
}
