package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/store"
)

// The person who is erased, and somebody who is not. laterPhone is one that the person
// had for a while, so that only the history knows it.
const (
	gone       = 5
	stays      = 9
	laterPhone = "16099900005"
	ongoing    = tianbao.ID(102)
)

// FillPerson puts a person into everything that can hold one: a row, a row that was
// deleted, one that is somebody else's by now, history, draft, import in pieces and whole,
// receipt, note, contact, request, reasons on the trail; and into a collection that is
// not over.
func FillPerson(t testing.TB, s *store.Store) {
	t.Helper()
	fillPerson(newWorld(t, s))
}

func fillPerson(w *world) {
	ctx := w.t.Context()
	w.ok(w.PutCampaign(ctx, tianbao.Campaign{ID: ongoing, Title: "另一次", Form: "asset-role", FormV: 1, Opens: epoch(), Released: true}))
	id, phone := Person(gone)
	r := w.open(unitA)
	d := w.draft(r)
	d.Set.Note = "名册 " + strings.ToLower(id) + ".xlsx"
	d.Inserted = map[string]tianbao.ID{"row-" + phone: 1}
	was := d.insert(tianbao.AtEnd, Values(gone))
	deleted := d.insert(was, Values(gone))
	d.insert(deleted, Values(stays))
	d.Puts[0].Row.Reasons = []tianbao.Reason{{Code: "c", Text: "说明 " + phone, By: "某人", At: epoch()}}
	r = d.save()
	rows := w.rows(r.ID)
	d = w.draft(r)
	later := append(tianbao.Values{}, rows[0].Values...)
	later[7] = laterPhone
	d.edit(rows[0], later)
	d.edit(rows[2], Values(gone)) // the other becomes this person, and is itself again
	r = d.save()
	rows = w.rows(r.ID)
	d = w.draft(r)
	d.edit(rows[0], Values(gone))
	d.edit(rows[2], Values(stays))
	d.remove(deleted)
	r = d.save()
	w.ok(w.PutImport(ctx, &report.ImportRecord{ID: w.id(), Report: r.ID, File: "名册.xlsx", Digest: "d", Raw: []byte("２" + id[1:] + " raw")}))
	long := w.draft(r)
	st, err := w.Stage(ctx, r, w.id(), long.importRecord().ID)
	w.ok(err)
	long.insert(tianbao.AtEnd, Values(gone))
	w.ok(st.Add(ctx, long.batch("raw "+id)))
	w.ok(w.PutDraft(ctx, tianbao.Draft{Report: r.ID, User: clerk, Name: "d", At: epoch(), Body: []byte(`{"x":"` + id + `"}`)}))
	for _, reason := range []string{"核对 " + phone, "核对 160 9990-0005", "与本人核对"} {
		w.ok(w.Record(ctx, tianbao.Event{At: epoch(), Actor: clerk, What: "reveal", Reason: reason}))
	}
	w.fillRegister(phone, phone)
	rep, err := w.OpenReport(ctx, all(), ongoing, unitA)
	w.ok(err)
	d = w.draft(rep)
	d.insert(tianbao.AtEnd, Values(gone))
	d.save()
	// It takes in nothing from now on.
	w.ok(w.PutCampaign(ctx, tianbao.Campaign{ID: campaign, Title: "采集", Form: "asset-role", FormV: 1, Opens: epoch(), Closes: epoch().AddDate(0, 1, 0), Released: true}))
}

// ErasePerson erases the person of [FillPerson].
func ErasePerson(t testing.TB, s *store.Store) (tianbao.PersonErased, error) {
	id, _ := Person(gone)
	return s.ErasePerson(t.Context(), all(), " "+strings.ToLower(id), 24, tianbao.Event{Actor: clerk, Reason: "书面申请第 12 号"})
}

// SEC-19: a person is erased everywhere but in a collection that is not over; everybody
// else stays, and the chain verifies.
func testErasePerson(w *world) {
	ctx := w.t.Context()
	fillPerson(w)
	id, phone := Person(gone)
	for why, do := range map[string]func() error{
		"no id": func() error { _, err := w.ErasePerson(ctx, all(), " ", 24, tianbao.Event{}); return err },
		"a reason names the person": func() error {
			_, err := w.ErasePerson(ctx, all(), id, 24, tianbao.Event{Reason: "删 " + phone})
			return err
		},
	} {
		if err := do(); tianbao.KindOf(err) != tianbao.ErrInvalid {
			w.t.Errorf("%s: %v", why, err)
		}
	}
	for what, c := range map[string]struct {
		scope  tianbao.Scope
		months int
		want   tianbao.PersonErased
	}{
		"in time":        {all(), 24, tianbao.PersonErased{Rows: 1, Kept: 1}},
		"too early":      {all(), 1200, tianbao.PersonErased{Kept: 2}},
		"elsewhere":      {at("/12/"), 24, tianbao.PersonErased{}},
		"without a tree": {tianbao.Scope{}, 24, tianbao.PersonErased{}},
	} {
		if got, err := w.CountPerson(ctx, c.scope, id, c.months); err != nil || got != c.want {
			w.t.Errorf("%s: %+v %v, want %+v", what, got, err, c.want)
		}
	}
	w.ok(w.SetRetention(ctx, campaign, 1200, tianbao.Event{}))
	if got, err := w.CountPerson(ctx, all(), id, 24); err != nil || got.Rows != 0 {
		w.t.Errorf("the collection's own time: %+v %v", got, err)
	}
	w.ok(w.SetRetention(ctx, campaign, 0, tianbao.Event{}))
	sum, err := ErasePerson(w.t, w.Store)
	w.ok(err)
	if sum.Rows != 1 || sum.Kept != 1 || sum.Saves < 3 || sum.Others < 7 {
		w.t.Errorf("erased %+v", sum)
	}
	checkErased(w)
	version := func() int64 {
		r, err := w.OpenReport(ctx, all(), campaign, unitA)
		w.ok(err)
		return r.Version
	}
	before := version()
	if sum, err = ErasePerson(w.t, w.Store); err != nil || sum.Rows+sum.Saves+sum.Others != 0 || version() != before {
		w.t.Errorf("erased again: %+v %v, version %d then %d", sum, err, before, version())
	}
}

// CheckErased looks for the person of [FillPerson] after an erasure.
func CheckErased(t testing.TB, s *store.Store) {
	t.Helper()
	checkErased(&world{Store: s, t: t, ids: 9000})
}

func checkErased(w *world) {
	w.t.Helper()
	ctx := w.t.Context()
	id, phone := Person(gone)
	r, err := w.OpenReport(ctx, all(), campaign, unitA)
	w.ok(err)
	rows := w.rows(r.ID)
	if len(rows) != 2 || !rows[0].Erased || rows[1].Erased || rows[1].Values[6] != Values(stays)[6] {
		w.t.Fatalf("%d rows, not those that should be left", len(rows))
	}
	for i, value := range rows[0].Values {
		if want := Values(gone)[i]; i < 4 && value != want || i >= 4 && value != tianbao.ErasedMark {
			w.t.Errorf("cell %d of the erased row is not as it should be", i)
		}
	}
	if ok, err := w.ProveErased(ctx, r.ID, rows[0].ID, Values(gone)); err != nil || !ok {
		w.t.Errorf("the proof: %v %v", ok, err)
	}
	for _, field := range []string{"person_id", "phone"} {
		value := map[string]string{"person_id": id, "phone": phone}[field]
		if found, err := w.FindByKey(ctx, all(), field, value); err != nil || len(found) != 1 || found[0].Report == r.ID {
			w.t.Errorf("%s is found in %d rows: %v", field, len(found), err)
		}
	}
	names := func(what, text string) {
		w.t.Helper()
		for _, s := range []string{id, strings.ToLower(id), id[1:], phone, laterPhone, "9990-0005"} {
			if strings.Contains(text, s) {
				w.t.Errorf("%s still names the person", what)
				return
			}
		}
	}
	revs, err := w.Since(ctx, r.ID, 0)
	w.ok(err)
	erasures, left := 0, false
	for _, rev := range revs {
		names("a note", rev.Note)
		if rev.Source == tianbao.SourceErase {
			erasures++
		}
		for _, c := range rev.Changes {
			names("a reason", c.Reason.Text)
			for _, cell := range c.Cells {
				names("the history", cell.Before+" "+cell.After)
				left = left || cell.Field < 4
			}
		}
	}
	if erasures != 1 || !left || len(revs) != 4 {
		w.t.Errorf("%d versions with %d erasures, unit cells left: %v", len(revs), erasures, left)
	}
	if _, err := w.Draft(ctx, r.ID, clerk); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("the draft: %v", err)
	}
	var imports []tianbao.ID
	w.ok(w.DB().Each(ctx, func(scan db.Scan) error {
		var x tianbao.ID
		err := scan(&x)
		imports = append(imports, x)
		return err
	}, `SELECT id FROM import_record`))
	recs, err := w.Imports(ctx, r.ID, imports)
	w.ok(err)
	if len(recs) == 0 {
		w.t.Error("the record of the import is gone")
	}
	for _, rec := range recs {
		names("an import", rec.File+string(rec.Raw)+string(bytes.Join(rec.More, nil)))
	}
	for _, table := range []string{"staged_row", "staging", "piece", "unit_contact"} {
		var n int
		w.ok(w.DB().One(ctx, []any{&n}, fmt.Sprintf("SELECT COUNT(*) FROM %s", table)))
		if n > 0 {
			w.t.Errorf("%d rows left in %s", n, table)
		}
	}
	reqs, err := w.Requests(ctx, all(), "", 0, 10)
	w.ok(err)
	for _, q := range reqs {
		names("a request", q.Value+q.Why+q.Remark)
	}
	lines, err := w.Trail(ctx, audit.Query{What: "reveal", Limit: 10})
	w.ok(err)
	marks := 0
	for _, l := range lines {
		names("the trail", l.Reason)
		if l.Reason == tianbao.ErasedMark {
			marks++
		}
	}
	if len(lines) != 3 || marks != 2 {
		w.t.Errorf("%d lines of the trail with %d marks, want 3 with 2", len(lines), marks)
	}
	ends, err := w.Trail(ctx, audit.Query{What: "erase.person", Limit: 10})
	w.ok(err)
	for _, l := range ends {
		names("the event", l.Reason+l.Detail+l.Object)
	}
	var open int
	w.ok(w.DB().One(ctx, []any{&open}, `SELECT COUNT(*) FROM erasure WHERE state = 0 OR length(person) > 0`))
	if open > 0 || len(ends) < 2 {
		w.t.Errorf("%d erasures open, %d events", open, len(ends))
	}
	if f := w.found(); !f.OK() {
		w.t.Errorf("the trail: %v", f.Faults)
	}
}
