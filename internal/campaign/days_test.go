package campaign_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/org"
)

// days returns the days that are kept, in their order.
func (o *office) daysKept() (out []string) {
	o.t.Helper()
	kept, err := o.store.KeptDays(o.ctx(), collection)
	o.ok(err)
	for day := o.now.AddDate(-1, 0, 0); day.Before(o.now.AddDate(1, 0, 0)); day = day.AddDate(0, 0, 1) {
		if kept[campaign.EndOf(day).UTC()] {
			out = append(out, campaign.EndOf(day).Format(time.DateOnly))
		}
	}
	return out
}

func (o *office) asOf(day string) campaign.Figures {
	o.t.Helper()
	p, err := o.Progress(o.ctx(), everything(), collection, campaign.EndOf(shanghai(day+" 12:00:00")))
	o.ok(err)
	return p.Total
}

func TestDaysThatAreOver(t *testing.T) {
	engines(t, func(o *office) {
		o.collect()
		for _, day := range []string{"2022-09-02", "2022-09-03", "2022-09-04"} {
			o.at(day + " 10:00:00")
			unit := map[string]tianbao.ID{"2022-09-02": school, "2022-09-03": second, "2022-09-04": department}[day]
			_, err := o.save(unit, o.open(unit), o.person(o.keys, "第一小学", false))
			if unit != school {
				_, err = o.save(unit, o.open(unit), o.person(o.keys, map[tianbao.ID]string{second: "第二小学", department: "市教育局"}[unit], false))
			}
			o.ok(err)
		}
		keep := func(now string, want ...string) {
			o.t.Helper()
			o.at(now)
			n, err := o.KeepDays(o.ctx())
			o.ok(err)
			if diff := cmp.Diff(want, o.daysKept()); diff != "" {
				o.t.Errorf("kept at %s, %d new: %s", now, n, diff)
			}
		}
		counted := []campaign.Figures{o.asOf("2022-09-01"), o.asOf("2022-09-02"), o.asOf("2022-09-03")}
		keep("2022-09-04 00:59:59", "2022-09-01", "2022-09-02")
		keep("2022-09-04 01:00:00", "2022-09-01", "2022-09-02", "2022-09-03")
		keep("2022-09-04 11:00:00", "2022-09-01", "2022-09-02", "2022-09-03")
		if err := o.store.KeepDay(o.ctx(), collection, campaign.EndOf(o.now)); err == nil {
			o.t.Error("a day that is not over was kept")
		}
		// They are read: what the log says does not matter any more.
		o.ok(o.store.DB().Tx(o.ctx(), func(tx db.Tx) error {
			_, err := tx.Exec(o.ctx(), "UPDATE unit_status_log SET state = 'draft'")
			return err
		}))
		read := []campaign.Figures{o.asOf("2022-09-01"), o.asOf("2022-09-02"), o.asOf("2022-09-03")}
		if diff := cmp.Diff(counted, read, cmp.AllowUnexported(campaign.Figures{})); diff != "" {
			o.t.Errorf("read, and not counted: %s", diff)
		}
		// The register may still be changed for them.
		_, err := o.org.Change(o.ctx(), org.Actor{Scope: everything()}, second, org.Act{Act: tianbao.UnitClose, Day: shanghai("2022-09-03 00:00:00")})
		o.ok(err)
		if f := o.asOf("2022-09-03"); f.Expected != counted[2].Expected-1 || f.By(tianbao.StandingSaved) != counted[2].By(tianbao.StandingSaved)-1 {
			o.t.Errorf("with a unit closed for a day that was kept: %+v, before %+v", f, counted[2])
		}
		// Putting right what was kept while rows came forgets what was kept of days.
		_, err = o.store.Recount(o.ctx(), collection, true)
		o.ok(err)
		keep("2022-09-04 11:00:00", "2022-09-01", "2022-09-02", "2022-09-03")
	})
}

// A collection that has ended keeps no more days; one whose trend goes back further than
// that has no more than its trend shows.
func TestDaysKeptEnd(t *testing.T) {
	engines(t, func(o *office) {
		o.collect()
		o.at("2022-09-10 08:00:00")
		o.ok(o.SetPhase(o.ctx(), runner(), collection, tianbao.PhaseEnded))
		o.at("2022-09-20 08:00:00")
		_, err := o.KeepDays(o.ctx())
		o.ok(err)
		if got := o.daysKept(); len(got) != 10 || got[9] != "2022-09-10" {
			o.t.Errorf("kept of an ended collection: %v", got)
		}
		o.ok(o.SetPhase(o.ctx(), runner(), collection, tianbao.PhaseOpen))
		o.at("2022-12-20 08:00:00")
		_, err = o.KeepDays(o.ctx())
		o.ok(err)
		if got := o.daysKept(); len(got) != campaign.DaysKept || got[len(got)-1] != "2022-12-19" {
			o.t.Errorf("%d days kept: %v", len(got), got)
		}
	})
}
