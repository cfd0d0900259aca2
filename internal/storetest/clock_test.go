package storetest

import (
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	camp "tianbao/internal/campaign"
	"tianbao/internal/store"
)

// The clock goes forward a day under a server, which goes on, and back again: nothing that
// was saved is lost or done twice, ids and the trail go on in order, and nothing waits for a
// time that was never there.
func TestClockSet(t *testing.T) {
	right := time.Date(2022, 9, 23, 10, 0, 0, 0, time.FixedZone("", 8*3600))
	now := right
	Engines(t, func(t *testing.T, s *store.Store) {
		now = right
		ctx := t.Context()
		w := newWorld(t, s)
		newest := func() int64 {
			id, _, err := w.Newest(ctx)
			w.ok(err)
			return id
		}
		set := func(by time.Duration) {
			t.Helper()
			before := newest()
			now = now.Add(by)
			_, err := w.ClockSet(ctx, by)
			w.ok(err)
			if newest() <= before {
				t.Error("ids do not rise")
			}
		}
		state := func() string {
			t.Helper()
			var out string
			w.ok(w.DB().One(ctx, []any{&out}, `SELECT state FROM unit_status_log WHERE campaign_id = $1 AND unit_id = $2 ORDER BY at DESC, id DESC LIMIT 1`, campaign, unitA))
			return out
		}
		w.ok(w.PutCampaign(ctx, tianbao.Campaign{ID: campaign, Title: "采集", Form: "asset-role", FormV: 1, Opens: right.Add(-48 * time.Hour), Closes: right.Add(2 * time.Hour), Released: true}))

		d := w.draft(w.open(unitA))
		d.insert(tianbao.AtEnd, Values(1))
		rep := d.save()
		first := d.Set.Key

		set(24 * time.Hour) // the collection is over
		d = w.draft(rep)
		d.insert(tianbao.AtEnd, Values(2))
		refused(t, "a save after the end", w.Commit(ctx, d.Commit), tianbao.ErrConflict)
		w.ok(w.KeepDay(ctx, campaign, camp.EndOf(right)))
		w.ok(w.PutSession(ctx, auth.Session{TokenHash: []byte("h"), User: clerk, Created: now, Seen: now}, 0))
		_, err := w.AddFailure(ctx, []string{"clerk"}, now, now.Add(-time.Minute))
		w.ok(err)
		id := w.mail("key", "a@example.gov.cn", now)
		_, err = w.ClaimMail(ctx, id, "one", now, now.Add(time.Minute))
		w.ok(err)
		w.raw(`UPDATE unit_status_log SET at = $1`, now.UnixMilli()) // as if saved while it was open still

		set(-25 * time.Hour)
		for _, c := range []string{"session.seen", "session.created", "app_user.last_seen", "failure.at", "unit_status_log.at", "unit_status.since", "mail_message.next"} {
			table, column, _ := strings.Cut(c, ".")
			var n int
			if w.ok(w.DB().One(ctx, []any{&n}, `SELECT COUNT(*) FROM `+table+` WHERE `+column+` > $1`, now.UnixMilli())); n != 0 {
				t.Errorf("%d of %s are of a time to come", n, c)
			}
		}
		days, err := w.KeptDays(ctx, campaign)
		if w.ok(err); len(days) != 0 {
			t.Errorf("a day that is not over is kept: %v", days)
		}
		if _, err := w.ClaimMail(ctx, id, "two", now, now.Add(time.Minute)); err != nil {
			t.Errorf("what a dead server held is not free: %v", err)
		}
		if o, ok, err := w.Outcome(ctx, rep.ID, first); err != nil || !ok || o.Receipt.Version != 1 {
			t.Errorf("the first key gives %+v %v %v", o, ok, err)
		}
		rep = d.save() // the very same, now that the collection is open again
		w.upward(rep)
		if got := state(); got != string(tianbao.StandingReported) {
			t.Errorf("where the unit stands was %q last", got)
		}
		if f := w.found(); !f.OK() {
			t.Errorf("the trail: %v", f.Faults)
		}
	}, WithClock(func() time.Time { return now }))
}
