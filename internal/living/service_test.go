package living_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/living"
	"tianbao/internal/storetest"
)

func phone(n int) string {
	_, p := storetest.Person(n)
	return p
}

// Changes wait until the bureau accepts them, and are rows like any other then.
func TestChangesWait(t *testing.T) {
	engines(t, func(o *office) {
		ctx := t.Context()
		clerk, officer := o.clerk(school), o.officer(city)
		_, err := o.Report(ctx, clerk, collection, school, living.Wish{Kind: tianbao.ChangeLeave, Row: 1, Day: at("2022-11-01 00:00")})
		o.refused("while the round runs", err, "not_ended")
		o.round(true)
		wish := living.Wish{Kind: tianbao.ChangeJoin, Day: at("2022-11-01 00:00"), Values: o.cells(11, "李示例")}
		join, err := o.Report(ctx, clerk, collection, school, wish)
		o.ok(err)
		_, err = o.Report(ctx, clerk, collection, school, wish)
		o.refused("twice", err, "waits_already")
		leave, err := o.Report(ctx, clerk, collection, school, living.Wish{Kind: tianbao.ChangeLeave, Row: o.row(school, 1), Day: at("2022-11-02 00:00"), Why: "退休"})
		o.ok(err)
		number, err := o.Report(ctx, clerk, collection, school, living.Wish{Kind: tianbao.ChangePhone, Row: o.row(school, 2), Day: at("2022-11-03 00:00"), Values: map[string]string{"phone": phone(12)}})
		o.ok(err)
		if d := cmp.Diff([]string{phone(1), phone(2)}, sorted(o.who(school))); d != "" {
			t.Error("what waits counts already: " + d)
		}

		o.refused("by the own unit", o.Accept(ctx, o.officer(school), collection, join.ID, ""), "not_below")
		o.refused("by another bureau", o.Accept(ctx, o.officer(far), collection, join.ID, ""), "not_found")
		o.refused("in another collection", o.Accept(ctx, officer, 91, join.ID, ""), "not_found")
		o.refused("returned without a word", o.Return(ctx, officer, collection, number.ID, ""), "no_remark")
		o.ok(o.Return(ctx, officer, collection, number.ID, "请用本人的号码"))
		o.refused("returned twice", o.Return(ctx, officer, collection, number.ID, "请用本人的号码"), "decided")
		o.ok(o.Accept(ctx, officer, collection, join.ID, ""))
		o.refused("accepted twice", o.Accept(ctx, officer, collection, join.ID, ""), "decided")
		o.ok(o.Accept(ctx, officer, collection, leave.ID, "同意"))
		o.refused("withdrawn too late", o.Withdraw(ctx, clerk, collection, school, leave.ID), "decided")
		if d := cmp.Diff([]string{phone(2), phone(11)}, sorted(o.who(school))); d != "" {
			t.Error(d)
		}
		o.stands(school, tianbao.StandingReported)

		r, err := o.Roster(ctx, clerk, collection, school, at("2022-11-01 00:00"))
		o.ok(err)
		if got := o.phones(r); !slices.Equal(got, sorted([]string{phone(1), phone(2), phone(11)})) {
			t.Errorf("on 1 November: %q", got)
		}
		if r, err = o.Roster(ctx, clerk, collection, school, at("2022-10-20 00:00")); err != nil || !slices.Equal(o.phones(r), sorted([]string{phone(1), phone(2)})) {
			t.Errorf("on 20 October: %q %v", o.phones(r), err)
		}
		// What was reported in the round is in the versions as it was.
		rep, err := o.store.OpenReport(ctx, everything(), collection, school)
		o.ok(err)
		revs, err := o.store.History(ctx, everything(), rep.ID, 0, 10)
		o.ok(err)
		if len(revs) != 3 || revs[0].Source != tianbao.SourceChange || rep.State != tianbao.StateReported {
			t.Errorf("%d versions, the report is %q", len(revs), rep.State)
		}
		// No other way leads in.
		_, err = o.reports.Save(ctx, o.filler(school), &tianbao.ChangeSet{Report: rep.ID, Key: o.key(), Base: rep.Version, Changes: []tianbao.Change{{Op: tianbao.OpDelete, Row: o.row(school, 2)}}})
		if tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("a save into the register: %v", err)
		}
		o.ok(o.campaigns.Keep(ctx, runner(), collection, false, false))
		_, err = o.Report(ctx, clerk, collection, school, living.Wish{Kind: tianbao.ChangeLeave, Row: o.row(school, 2), Day: at("2022-11-03 00:00")})
		o.refused("after it was stopped", err, "not_kept")
	})
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func (o *office) phones(r *living.Roster) (out []string) {
	for _, m := range r.People {
		out = append(out, m.Values[o.form.Index("phone")])
	}
	return sorted(out)
}

// Where nobody accepts, a change is made at once; who comes from elsewhere waits all the
// same, and moves in one step by somebody above both.
func TestMove(t *testing.T) {
	engines(t, func(o *office) {
		ctx := t.Context()
		o.round(false)
		day := at("2022-11-05 00:00")
		c, err := o.Report(ctx, o.clerk(school), collection, school, living.Wish{Kind: tianbao.ChangePhone, Row: o.row(school, 1), Day: day, Values: map[string]string{"phone": phone(21)}})
		o.ok(err)
		if c.State != tianbao.ChangeAccepted || !slices.Contains(o.who(school), phone(21)) {
			t.Errorf("a new phone is %q", c.State)
		}
		come := func(k tianbao.ChangeKind, n int, why string) (*tianbao.PersonChange, error) {
			return o.Report(ctx, o.clerk(school), collection, school, living.Wish{Kind: k, Day: day, Values: o.cells(n, "王示例"), Why: why})
		}
		_, err = come(tianbao.ChangeJoin, 3, "")
		o.refused("who is elsewhere", err, "elsewhere")
		_, err = come(tianbao.ChangeMove, 31, "")
		o.refused("who is nowhere", err, "nowhere")
		_, err = come(tianbao.ChangePart, 3, "")
		o.refused("two posts without a reason", err, "no_why")
		_, err = come(tianbao.ChangeJoin, 2, "")
		o.refused("who is here", err, "here_already")

		move, err := come(tianbao.ChangeMove, 3, "")
		o.ok(err)
		if move.State != tianbao.ChangeWaiting {
			t.Errorf("a move is %q", move.State)
		}
		o.ok(o.Accept(ctx, o.officer(city), collection, move.ID, ""))
		if got := o.who(second); len(got) != 0 {
			t.Errorf("is still where they were: %q", got)
		}
		if !slices.Contains(o.who(school), phone(3)) {
			t.Error("did not arrive")
		}
		o.stands(second, tianbao.StandingNil)
		o.stands(school, tianbao.StandingReported)

		away, err := come(tianbao.ChangeMove, 4, "")
		o.ok(err)
		o.refused("by who is above one only", o.Accept(ctx, o.officer(city), collection, away.ID, ""), "not_above_both")
		o.ok(o.Accept(ctx, o.officer(province), collection, away.ID, ""))

		// The timeline of each is what its units know.
		o.sees(school, 3, o.clerk(school), "第一小学 调入", "第一小学 2022-11-05 -")
		row := move.FromAt.Row
		if row == 0 {
			list, err := o.List(ctx, o.officer(province), living.Filter{Campaign: collection, Unit: second, Limit: 10})
			o.ok(err)
			row = list[0].FromAt.Row
		}
		o.seesRow(second, row, o.clerk(second), "第二小学 采集登记,第二小学 调出", "第二小学 2022-10-08 2022-11-05")
		o.seesRow(second, row, o.officer(city), "第二小学 采集登记,第二小学 调出 第一小学,第一小学 调入 第二小学", "第二小学 2022-10-08 2022-11-05,第一小学 2022-11-05 -")
		list, err := o.List(ctx, o.clerk(second), living.Filter{Campaign: collection, Limit: 10})
		o.ok(err)
		if len(list) != 1 || strings.Contains(fmt.Sprintf("%+v", list[0]), "第一小学") || list[0].Unit != 0 || list[0].ByName != "" {
			t.Errorf("the unit that was left sees %+v", list)
		}
		if list, err = o.List(ctx, o.clerk(school), living.Filter{Campaign: collection, Unit: school, Limit: 10}); err != nil || slices.ContainsFunc(list, func(c tianbao.PersonChange) bool { return c.From != 0 || c.Before != nil && c.Kind.Comes() }) {
			t.Errorf("the unit that gained sees whence: %+v %v", list, err)
		}
		// And back: the second school has somebody again.
		back, err := o.Report(ctx, o.clerk(second), collection, second, living.Wish{Kind: tianbao.ChangeMove, Day: at("2022-11-10 00:00"), Values: o.cells(3, "王示例")})
		o.ok(err)
		o.ok(o.Accept(ctx, o.officer(city), collection, back.ID, ""))
		o.stands(second, tianbao.StandingReported)
		o.sees(second, 3, o.clerk(second), "第二小学 采集登记,第二小学 调出,第二小学 调入", "第二小学 2022-10-08 2022-11-05,第二小学 2022-11-10 -")
		_, err = o.Report(ctx, o.clerk(second), collection, second, living.Wish{Kind: tianbao.ChangeLeave, Row: o.row(second, 3), Day: at("2022-11-09 00:00")})
		o.refused("before they came", err, "early_day")
	})
}

func (o *office) sees(unit tianbao.ID, n int, a living.Actor, facts, spans string) {
	o.t.Helper()
	o.seesRow(unit, o.row(unit, n), a, facts, spans)
}

func (o *office) seesRow(unit, row tianbao.ID, a living.Actor, facts, spans string) {
	o.t.Helper()
	l, err := o.Life(o.t.Context(), a, collection, unit, row)
	o.ok(err)
	var fs, ss []string
	for _, f := range l.Facts {
		fs = append(fs, strings.TrimSpace(f.UnitName+" "+f.What()+" "+f.Other))
	}
	for _, s := range l.Spans {
		to := "-"
		if !s.To.IsZero() {
			to = s.To.Format("2006-01-02")
		}
		ss = append(ss, s.UnitName+" "+s.From.Format("2006-01-02")+" "+to)
	}
	if d := cmp.Diff(facts, strings.Join(fs, ",")) + cmp.Diff(spans, strings.Join(ss, ",")); d != "" {
		o.t.Error(d)
	}
}

// Faults keep a change out, and days that cannot be.
func TestRefusedChanges(t *testing.T) {
	o := newOffice(t, storetest.OpenSQLite)
	o.round(true)
	ctx := t.Context()
	good := func() living.Wish {
		return living.Wish{Kind: tianbao.ChangeJoin, Day: at("2022-11-01 00:00"), Values: o.cells(41, "赵示例")}
	}
	for _, tc := range []struct {
		name, code string
		change     func(w *living.Wish)
	}{
		{"tomorrow", "future_day", func(w *living.Wish) { w.Day = at("2022-11-21 00:00") }},
		{"within the round", "early_day", func(w *living.Wish) { w.Day = at("2022-10-07 00:00") }},
		{"no day", "no_day", func(w *living.Wish) { w.Day = time.Time{} }},
		{"a wrong id", "faulty", func(w *living.Wish) { w.Values["person_id"] = "210102199001011234" }},
		{"no name", "faulty", func(w *living.Wish) { delete(w.Values, "person_name") }},
		{"a kind that is none", "bad_kind", func(w *living.Wish) { w.Kind = "x" }},
		{"somebody of another unit", "not_here", func(w *living.Wish) { w.Kind, w.Row = tianbao.ChangeLeave, o.row(second, 3) }},
		{"the same phone", "same_phone", func(w *living.Wish) {
			w.Kind, w.Row, w.Values = tianbao.ChangePhone, o.row(school, 1), map[string]string{"phone": phone(1)}
		}},
		{"no phone", "faulty", func(w *living.Wish) { w.Kind, w.Row, w.Values = tianbao.ChangePhone, o.row(school, 1), nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := good()
			tc.change(&w)
			_, err := o.Report(ctx, o.clerk(school), collection, school, w)
			o.refused(tc.name, err, tc.code)
		})
	}
	_, err := o.Report(ctx, o.clerk(second), collection, school, good())
	o.refused("of another's unit", err, "not_found")
	if n, err := o.store.CountChanges(ctx, everything()); err != nil || len(n) != 0 {
		t.Errorf("%v wait: %v", n, err)
	}
}

// Twenty officers accept one change, and twenty units one person: each is once.
func TestChangesRace(t *testing.T) {
	engines(t, func(o *office) {
		o.round(true)
		ctx := t.Context()
		join, err := o.Report(ctx, o.clerk(school), collection, school, living.Wish{Kind: tianbao.ChangeJoin, Day: at("2022-11-01 00:00"), Values: o.cells(51, "钱示例")})
		o.ok(err)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { errs[i] = o.Accept(ctx, o.officer(city), collection, join.ID, "") })
		}
		wg.Wait()
		ok := 0
		for _, err := range errs {
			if err == nil {
				ok++
			} else if tianbao.KindOf(err) == tianbao.ErrInternal {
				t.Error(err)
			}
		}
		if got := o.who(school); ok != 1 || len(got) != 3 {
			t.Errorf("%d went through, the unit has %q", ok, got)
		}
		o.stands(school, tianbao.StandingReported)
	})
}

// What plans of accounts read: of a reviewed round the units that were passed, and the
// reason of who has two posts.
func TestReviewedRegister(t *testing.T) {
	engines(t, func(o *office) {
		ctx := t.Context()
		c, err := o.store.Collection(ctx, collection)
		o.ok(err)
		c.Levels = tianbao.LevelsOf(tianbao.LevelCity)
		o.ok(o.store.PutCampaign(ctx, c))
		o.round(true)
		o.stands(department, tianbao.StandingNone)
		cells := o.cells(81, "孙示例")
		cells["org_code"] = "1121010060181590XA"
		_, err = o.Report(ctx, o.clerk(department), collection, department, living.Wish{Kind: tianbao.ChangeJoin, Day: at("2022-11-01 00:00"), Values: cells, Why: "登记册里还没有代码"})
		o.refused("under the code of another unit", err, "other_unit")
		cells["org_code"] = "11210700MB1D234689"
		join, err := o.Report(ctx, o.clerk(department), collection, department, living.Wish{Kind: tianbao.ChangeJoin, Day: at("2022-11-01 00:00"), Values: cells, Why: "登记册里还没有代码"})
		o.ok(err)
		o.ok(o.Accept(ctx, o.officer(city), collection, join.ID, ""))
		o.stands(department, tianbao.StandingPassed)

		part, err := o.Report(ctx, o.clerk(school), collection, school, living.Wish{Kind: tianbao.ChangePart, Day: at("2022-11-02 00:00"), Values: o.cells(3, "王示例"), Why: "两校由一人兼管资产"})
		o.ok(err)
		o.ok(o.Accept(ctx, o.officer(city), collection, part.ID, ""))
		if len(o.who(second)) != 1 {
			t.Error("who has a second post lost the first")
		}
		o.stands(school, tianbao.StandingReported) // as the round left it
		list, err := o.store.People(ctx, everything(), collection, school, 10)
		o.ok(err)
		i := slices.IndexFunc(list, func(p living.Person) bool { return p.Row.ID == o.row(school, 3) })
		if rs := list[i].Row.Reasons; len(rs) != 1 || rs[0].Code != "person.elsewhere" || rs[0].Text != "两校由一人兼管资产" {
			t.Errorf("the reason is %+v", rs)
		}
	})
}
