package living_test

import (
	"slices"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/living"
	"tianbao/internal/storetest"
)

const next tianbao.ID = 91

// again makes the round of the year after, prefilled from the first, and opens it.
func (o *office) again() {
	o.t.Helper()
	ctx := o.t.Context()
	o.ok(o.store.PutCampaign(ctx, tianbao.Campaign{ID: next, Title: "2023年确认", Form: o.form.Name, FormV: o.form.Version, Opens: at("2023-09-01 09:00"), Owner: province}))
	o.ok(o.campaigns.Prefill(ctx, runner(), next, collection))
	o.now = at("2023-09-02 09:00")
	o.ok(o.campaigns.SetPhase(ctx, runner(), next, tianbao.PhaseOpen))
	o.refused("another source by now", o.campaigns.Prefill(ctx, runner(), next, 0), "begun")
}

func (o *office) report(unit tianbao.ID) *tianbao.Report {
	o.t.Helper()
	r, err := o.store.OpenReport(o.t.Context(), everything(), next, unit)
	o.ok(err)
	return &r
}

// missing is how many answers a unit owes, and the places of those who have none.
func (o *office) missing(unit tianbao.ID) (int, []tianbao.RowPlace) {
	o.t.Helper()
	asked, ok, err := o.Asked(o.t.Context(), o.report(unit))
	o.ok(err)
	if !ok {
		o.t.Fatal("nobody is asked")
	}
	var out []tianbao.RowPlace
	for _, p := range asked.People {
		if p.Answer == tianbao.ConfirmNone && !p.Here {
			out = append(out, tianbao.RowPlace{Report: p.Report.ID, Row: p.Row.ID})
		}
	}
	return asked.Missing, out
}

func TestConfirm(t *testing.T) {
	engines(t, func(o *office) {
		ctx := t.Context()
		o.round(false)
		// What changed since the round is what stands.
		_, err := o.Report(ctx, o.clerk(school), collection, school, living.Wish{Kind: tianbao.ChangePhone, Row: o.row(school, 1), Day: at("2022-11-01 00:00"), Values: map[string]string{"phone": phone(61)}})
		o.ok(err)
		_, err = o.Report(ctx, o.clerk(school), collection, school, living.Wish{Kind: tianbao.ChangeJoin, Day: at("2022-11-01 00:00"), Values: o.cells(62, "周示例")})
		o.ok(err)
		gone := o.row(school, 2)
		o.again()
		clerk := o.clerk(school)
		n, places := o.missing(school)
		if n != 3 || len(places) != 3 {
			t.Fatalf("%d are asked about", n)
		}
		rep := o.report(school)
		if rep.Rows != 0 {
			t.Error("somebody is in the round before anybody said so")
		}
		stay := slices.DeleteFunc(slices.Clone(places), func(p tianbao.RowPlace) bool { return p.Row == gone })
		left := slices.DeleteFunc(slices.Clone(places), func(p tianbao.RowPlace) bool { return p.Row != gone })
		if got, err := o.Confirm(ctx, clerk, rep, living.Answer{Key: "c1", Stays: stay[:1]}); err != nil || got != 1 {
			t.Fatalf("%d confirmed: %v", got, err)
		}
		if got, err := o.Confirm(ctx, clerk, rep, living.Answer{Key: "c1", Stays: stay[:1]}); err != nil || got != 1 {
			t.Errorf("the same again: %d %v", got, err)
		}
		_, err = o.Confirm(ctx, clerk, o.report(school), living.Answer{Key: "c2", Stays: stay[:1]})
		o.refused("confirmed twice", err, "answered")
		_, err = o.reports.Submit(ctx, o.filler(school), rep.ID, "up1")
		o.refused("上报 with answers missing", err, "unconfirmed")
		if got, err := o.Confirm(ctx, clerk, o.report(school), living.Answer{Key: "c3", Stays: stay[1:], Left: left}); err != nil || got != 1 {
			t.Fatalf("%d confirmed: %v", got, err)
		}
		if n, _ := o.missing(school); n != 0 {
			t.Errorf("%d answers are missing", n)
		}
		if _, err := o.reports.Submit(ctx, o.filler(school), rep.ID, "up2"); err != nil {
			t.Errorf("上报: %v", err)
		}
		view, err := o.reports.View(ctx, o.filler(school), rep.ID)
		o.ok(err)
		var got []string
		for _, r := range view.Rows {
			got = append(got, r.Values[o.form.Index("phone")])
		}
		if !slices.Equal(sorted(got), sorted([]string{phone(61), phone(62)})) {
			t.Errorf("the new round has %q", got)
		}
		// A year later the timeline has both rounds, and who left has left.
		l, err := o.Life(ctx, clerk, collection, school, gone)
		o.ok(err)
		if len(l.Facts) != 2 || l.Facts[1].Kind != living.FactGone || len(l.Spans) != 1 || l.Spans[0].To.IsZero() || l.Spans[0].Sure {
			t.Errorf("%+v", l)
		}
		if l, err = o.Life(ctx, clerk, collection, school, o.row(school, 1)); err != nil || len(l.Facts) != 3 || len(l.Spans) != 1 || !l.Spans[0].To.IsZero() {
			t.Errorf("%+v %v", l, err)
		}
		// The answer can be taken back, as long as the round runs.
		if _, err := o.Confirm(ctx, clerk, o.report(school), living.Answer{Key: "c4", Again: left}); err != nil {
			t.Error(err)
		}
		if n, _ := o.missing(school); n != 1 {
			t.Errorf("%d answers are missing", n)
		}
	})
}

// Who stood in a sheet above is asked about there and at their own unit, and once answered
// is answered for both. Who was typed in by hand is there without an answer.
func TestConfirmAbove(t *testing.T) {
	engines(t, func(o *office) {
		ctx := t.Context()
		o.round(true)
		o.again()
		if n, _ := o.missing(department); n != 1 {
			t.Errorf("the department is asked about %d", n)
		}
		n, places := o.missing(second)
		if n != 1 {
			t.Fatalf("the unit is asked about %d", n)
		}
		_, err := o.Confirm(ctx, o.clerk(school), o.report(school), living.Answer{Key: "k", Stays: places})
		o.refused("about another's", err, "not_found")
		if _, err := o.Confirm(ctx, o.clerk(second), o.report(second), living.Answer{Key: "k", Stays: places}); err != nil {
			t.Fatal(err)
		}
		if n, _ := o.missing(department); n != 0 {
			t.Errorf("the department is still asked about %d", n)
		}
		o.filled(next, farSchool, map[int]tianbao.ID{4: farSchool})
		if n, _ := o.missing(farSchool); n != 0 {
			t.Errorf("who was typed in is asked about: %d", n)
		}
		o.now = at("2023-10-08 09:00")
		o.ok(o.campaigns.SetPhase(ctx, runner(), next, tianbao.PhaseEnded))
		_, places = o.missing(school)
		_, err = o.Confirm(ctx, o.clerk(school), o.report(school), living.Answer{Key: "l", Left: places})
		if tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("an answer after the end: %v", err)
		}
	})
}

func TestKeep(t *testing.T) {
	engines(t, func(o *office) {
		ctx := t.Context()
		o.refused("while it runs", o.campaigns.Keep(ctx, runner(), collection, true, true), "not_ended")
		o.refused("of another's", o.campaigns.Keep(ctx, campaign.Actor{Runs: tianbao.Scope{Paths: []string{"/1/2/"}}}, collection, true, true), "not_found")
		o.round(true)
		list, err := o.Registers(ctx)
		o.ok(err)
		if len(list) != 1 || !list[0].Accepts {
			t.Errorf("%+v", list)
		}
		ret, err := o.store.Retentions(ctx)
		o.ok(err)
		if !ret[0].Closes.IsZero() {
			t.Error("a register has an end of keeping")
		}
		if _, err := o.store.EraseCampaign(ctx, collection, func(c time.Time) time.Time { return c }, tianbao.Event{}); err == nil {
			t.Error("a register was erased")
		}
	})
}

// Who is erased is erased from the changes too, and leaves no trace in timelines.
func TestErasedChanges(t *testing.T) {
	engines(t, func(o *office) {
		ctx := t.Context()
		o.round(false)
		for n, name := range map[int]string{71: "吴示例", 72: "郑示例"} {
			_, err := o.Report(ctx, o.clerk(school), collection, school, living.Wish{Kind: tianbao.ChangeJoin, Day: at("2022-11-01 00:00"), Values: o.cells(n, name)})
			o.ok(err)
		}
		id, _ := storetest.Person(71)
		sum, err := o.store.ErasePerson(ctx, everything(), id, 1, tianbao.Event{Actor: 1, Reason: "本人申请"})
		if err != nil || sum.Rows != 0 || sum.Kept != 1 {
			t.Errorf("while the register is kept: %+v %v", sum, err)
		}
		o.ok(o.campaigns.Keep(ctx, runner(), collection, false, false))
		o.now = at("2030-01-01 09:00")
		if _, err := o.store.ErasePerson(ctx, everything(), id, 1, tianbao.Event{Actor: 1, Reason: "本人申请"}); err != nil {
			t.Fatal(err)
		}
		list, err := o.store.Changes(ctx, everything(), living.Filter{Campaign: collection, Limit: 10})
		o.ok(err)
		erased := 0
		for i := range list {
			if list[i].Erased {
				erased++
			}
		}
		if len(list) != 2 || erased != 1 {
			t.Errorf("%d of %d changes are erased", erased, len(list))
		}
		if facts, err := o.store.Traces(ctx, everything(), "person_id", id); err != nil || len(facts) != 0 {
			t.Errorf("%d traces are left: %v", len(facts), err)
		}
	})
}
