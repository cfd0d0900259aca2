package storetest

import (
	"fmt"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/store"
)

// afterTwoYears says until when a campaign is kept.
func afterTwoYears(closes time.Time) time.Time { return closes.AddDate(2, 0, 0) }

// SEC-19: after its time a campaign holds nothing of people; what was counted, saved and
// confirmed stays, and a row can still be proven by who has it.
func testErase(w *world) {
	ctx := w.t.Context()
	r := w.fillAll()
	before := w.rows(r.ID)
	refusedBy := func(why string, until func(time.Time) time.Time) {
		w.t.Helper()
		if _, err := w.EraseCampaign(ctx, campaign, until, tianbao.Event{}); err == nil {
			w.t.Errorf("erased although %s", why)
		}
	}
	refusedBy("it has no end", afterTwoYears)
	w.ok(w.PutCampaign(ctx, tianbao.Campaign{ID: campaign, Title: "采集", Form: "asset-role", FormV: 1, Opens: epoch(), Closes: epoch().AddDate(0, 1, 0), Released: true}))
	refusedBy("it is kept for long", func(c time.Time) time.Time { return c.AddDate(100, 0, 0) })
	if got := w.rows(r.ID); got[3].Values[6] != before[3].Values[6] {
		w.t.Fatal("a refused erasure erased")
	}
	sum, err := w.EraseCampaign(ctx, campaign, afterTwoYears, tianbao.Event{})
	w.ok(err)
	if sum.Rows != int64(len(before)) || sum.Saves != 1 || sum.Reports < 1 {
		w.t.Errorf("erased %+v", sum)
	}
	refusedBy("it is erased already", afterTwoYears)

	now, err := w.Report(ctx, all(), r.ID)
	w.ok(err)
	if now.State != tianbao.StateErased || now.Rows != r.Rows || now.Version != r.Version+1 {
		w.t.Errorf("the report is %+v", now)
	}
	after := w.rows(r.ID)
	for i, row := range after {
		was := before[i]
		for k, value := range row.Values {
			unit := k < 4 // codes, name and type of the unit
			want := was.Values[k]
			if !unit && want != "" {
				want = tianbao.ErasedMark
			}
			if value != want {
				w.t.Fatalf("row %d, cell %d: %d characters left of %d", i, k, len(value), len(was.Values[k]))
			}
		}
		if len(row.Reasons) > 0 || row.ID != was.ID {
			w.t.Errorf("row %d keeps its reasons, or is another", i)
		}
	}
	id, phone := Person(5)
	for field, value := range map[string]string{"person_id": id, "phone": phone} {
		if found, err := w.FindByKey(ctx, all(), field, value); err != nil || len(found) > 0 {
			w.t.Errorf("%s is still found: %v %v", field, found, err)
		}
	}
	revs, err := w.Since(ctx, r.ID, 0)
	w.ok(err)
	if len(revs) != 1 || len(revs[0].Changes) != len(before) || revs[0].By != "填报员" {
		w.t.Fatalf("history: %d versions", len(revs))
	}
	for _, c := range revs[0].Changes {
		if len(c.Cells) > 0 || c.Reason != (tianbao.Reason{}) {
			w.t.Fatal("the history still holds cells")
		}
	}
	for _, table := range []string{"import_record", "piece", "draft", "staged_row", "row_key", "row_key_log"} {
		var n int
		w.ok(w.DB().One(ctx, []any{&n}, fmt.Sprintf("SELECT COUNT(*) FROM %s", table)))
		if n > 0 {
			w.t.Errorf("%d rows left in %s", n, table)
		}
	}
	if recs, err := w.Receipts(ctx, all(), r.ID, 10); err != nil || len(recs) != 1 || recs[0].Rows != len(before) {
		w.t.Errorf("receipts: %v %v", recs, err)
	}
	if f := w.found(); !f.OK() {
		w.t.Errorf("the trail: %v", f.Faults)
	}
	for values, want := range map[*tianbao.Values]bool{&before[3].Values: true, &before[4].Values: false, &after[3].Values: false} {
		if ok, err := w.ProveErased(ctx, r.ID, before[3].ID, *values); err != nil || ok != want {
			w.t.Errorf("the proof of a row: %v %v, want %v", ok, err, want)
		}
	}
}

// Campaign is the campaign of the world.
const Campaign = campaign

// FillForErasure makes a world in a store with people in everything that an erasure
// concerns, in a campaign that closes then.
func FillForErasure(t testing.TB, s *store.Store, closes time.Time) {
	t.Helper()
	w := newWorld(t, s)
	w.ok(s.PutCampaign(t.Context(), tianbao.Campaign{ID: campaign, Title: "采集", Form: "asset-role", FormV: 1, Opens: epoch(), Closes: closes, Released: true}))
	w.fillAll()
}
