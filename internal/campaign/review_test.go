package campaign_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/storetest"
)

// reviewers are the offices that judge the school, by level.
func reviewers() map[tianbao.Level]campaign.Reviewer {
	of := func(path string) campaign.Reviewer {
		return campaign.Reviewer{User: 700, Scope: tianbao.Scope{Paths: []string{path}}}
	}
	return map[tianbao.Level]campaign.Reviewer{tianbao.LevelUnit: of("/1/2/5/"), tianbao.LevelCity: of("/1/2/"), tianbao.LevelProvince: of("/1/")}
}

// reviewed is a collection that all levels review, in its time.
func (o *office) reviewed() {
	o.t.Helper()
	o.at("2022-08-31 08:00:00")
	o.collect()
	o.at("2022-09-05 08:00:00")
	o.ok(o.SetLevels(o.ctx(), runner(), collection, tianbao.LevelsOf(tianbao.LevelUnit, tianbao.LevelCounty, tianbao.LevelCity, tianbao.LevelProvince)))
}

func (o *office) judge(level tianbao.Level, k tianbao.VerdictKind, unit tianbao.ID) error {
	return o.Review(o.ctx(), reviewers()[level], collection, campaign.ReviewAct{Units: []tianbao.ID{unit}, Kind: k, Remark: "看过了"})
}

// newSchool is another school of the department, with a name of its own.
func (o *office) newSchool(n int) (tianbao.ID, string) {
	id, name := tianbao.ID(1000+n), fmt.Sprintf("第%d实验学校", n)
	o.ok(o.store.PutUnits(o.ctx(), tianbao.Unit{ID: id, Parent: department, Region: 2107, Name: name, BudgetCode: fmt.Sprint(501001000 + 100 + n), Kind: "unit"}))
	return id, name
}

// bring brings a unit into a state.
func (o *office) bring(state string, unit tianbao.ID, name string, n int) {
	o.t.Helper()
	declare := func(k tianbao.DeclarationKind) {
		o.ok(o.Declare(o.ctx(), declarer("/1/2/5/"), collection, campaign.Say{Kind: k, Units: []tianbao.ID{unit}, Reason: "没有资产管理人员"}))
	}
	switch state {
	case "none":
		return
	case "nil":
		declare(tianbao.DeclareNil)
		return
	case "exempt":
		declare(tianbao.DeclareExempt)
		return
	}
	rep := o.open(unit)
	_, err := o.save(unit, rep, o.person(n, name, state == "faulty"))
	o.ok(err)
	if state == "faulty" || state == "saved" {
		return
	}
	o.up(unit)
	pass := func(ls ...tianbao.Level) {
		for _, l := range ls {
			o.ok(o.judge(l, tianbao.VerdictPass, unit))
		}
	}
	switch state {
	case "passed by the unit":
		pass(tianbao.LevelUnit)
	case "passed by the city":
		pass(tianbao.LevelUnit, tianbao.LevelCity)
	case "passed":
		pass(tianbao.LevelUnit, tianbao.LevelCity, tianbao.LevelProvince)
	case "returned":
		o.ok(o.judge(tianbao.LevelCity, tianbao.VerdictReturn, unit))
	}
}

// up reports the own sheet of a unit upward.
func (o *office) up(unit tianbao.ID) {
	o.t.Helper()
	_, err := o.reports.Submit(o.ctx(), o.filler(unit), o.open(unit).ID, o.key())
	o.ok(err)
}

func declarer(path string) campaign.Declarer {
	s := tianbao.Scope{Paths: []string{path}}
	return campaign.Declarer{User: 701, Fills: s, Locks: s}
}

func (o *office) standing(unit tianbao.ID) (tianbao.Standing, campaign.Passes) {
	o.t.Helper()
	l, err := o.store.LineOf(o.ctx(), everything(), collection, unit)
	o.ok(err)
	return l.State, l.Passes
}

// Every state, every act, every level: what is allowed and where it leads, all else is
// refused and changes nothing.
func TestVerdicts(t *testing.T) {
	const unit, city, prov = tianbao.LevelUnit, tianbao.LevelCity, tianbao.LevelProvince
	type act struct {
		kind  tianbao.VerdictKind
		level tianbao.Level
	}
	type end struct {
		state  tianbao.Standing
		passes campaign.Passes
	}
	const p1, p3, p4 = 1 << unit, 1 << city, 1 << prov
	back := end{tianbao.StandingReturned, 0}
	allowed := map[string]map[act]end{
		"none": nil, "faulty": nil, "saved": nil, "returned": nil, "nil": nil, "exempt": nil,
		"reported": {
			{tianbao.VerdictPass, unit}:   {tianbao.StandingReported, p1},
			{tianbao.VerdictReturn, unit}: back, {tianbao.VerdictReturn, city}: back, {tianbao.VerdictReturn, prov}: back,
		},
		"passed by the unit": {
			{tianbao.VerdictPass, city}:   {tianbao.StandingReported, p1 | p3},
			{tianbao.VerdictReturn, city}: back, {tianbao.VerdictReturn, prov}: back,
			{tianbao.VerdictWithdraw, unit}: {tianbao.StandingReported, 0},
		},
		"passed by the city": {
			{tianbao.VerdictPass, prov}:     {tianbao.StandingPassed, p1 | p3 | p4},
			{tianbao.VerdictReturn, prov}:   back,
			{tianbao.VerdictWithdraw, city}: {tianbao.StandingReported, p1},
		},
		"passed": {{tianbao.VerdictWithdraw, prov}: {tianbao.StandingReported, p1 | p3}},
	}
	engines(t, func(o *office) {
		o.reviewed()
		n := 0
		for _, state := range slices.Sorted(maps.Keys(allowed)) {
			for _, kind := range []tianbao.VerdictKind{tianbao.VerdictPass, tianbao.VerdictReturn, tianbao.VerdictWithdraw} {
				for _, level := range []tianbao.Level{unit, city, prov} {
					want, ok := allowed[state][act{kind, level}]
					n++
					id, name := o.newSchool(n)
					o.bring(state, id, name, n)
					var before, got end
					before.state, before.passes = o.standing(id)
					err := o.judge(level, kind, id)
					got.state, got.passes = o.standing(id)
					what := fmt.Sprintf("%s: %s by level %d", state, kind, level)
					if ok && (err != nil || got != want) {
						o.t.Errorf("%s: %v, and stands %+v, want %+v", what, err, got, want)
					}
					if !ok && (tianbao.KindOf(err) != tianbao.ErrInvalid || got != before) {
						o.t.Errorf("%s: answered %v, and stands %+v, before %+v", what, err, got, before)
					}
				}
			}
		}
		if r, err := o.store.Recount(o.ctx(), collection, false); err != nil || r.Parts+r.Standings > 0 {
			o.t.Errorf("a recount differs: %+v, %v", r, err)
		}
	})
}

// The levels of units at other places, and those who judge nothing there.
func TestLadder(t *testing.T) {
	o := newOffice(t, storetest.OpenSQLite)
	o.reviewed()
	o.ok(o.store.PutUnits(o.ctx(),
		tianbao.Unit{ID: 11, Parent: city, Region: 2107, Name: "县财政局", BudgetCode: "501901", Kind: "bureau"},
		tianbao.Unit{ID: 12, Parent: 11, Region: 2107, Name: "县中学", BudgetCode: "501901001", Kind: "unit"},
		tianbao.Unit{ID: 13, Parent: province, Region: 21, Name: "省图书馆", BudgetCode: "105001", Kind: "unit"},
	))
	for _, tt := range []struct {
		name   string
		scope  string
		unit   tianbao.ID
		ladder []tianbao.Level
		mine   []tianbao.Level
	}{
		{"the county's unit, the county", "/1/2/11/", 12, []tianbao.Level{1, 2, 3, 4}, []tianbao.Level{2}},
		{"the county's unit, the city", "/1/2/", 12, []tianbao.Level{1, 2, 3, 4}, []tianbao.Level{3}},
		{"the county's unit, itself", "/1/2/11/12/", 12, []tianbao.Level{1, 2, 3, 4}, []tianbao.Level{1}},
		{"the province's own", "/1/", 13, []tianbao.Level{1, 4}, []tianbao.Level{4}},
		{"a bureau's own rows", "/1/2/", city, []tianbao.Level{1, 3, 4}, []tianbao.Level{3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := o.ReviewOf(o.ctx(), campaign.Reviewer{Scope: tianbao.Scope{Paths: []string{tt.scope}}}, collection, tt.unit)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.ladder, l.Ladder.List()) + cmp.Diff(tt.mine, l.Mine.List()); d != "" {
				t.Error(d)
			}
		})
	}
	if _, err := o.ReviewOf(o.ctx(), reviewers()[tianbao.LevelUnit], collection, 13); tianbao.KindOf(err) != tianbao.ErrNotFound {
		t.Errorf("a unit elsewhere: %v", err)
	}
	if err := o.judge(tianbao.LevelUnit, tianbao.VerdictPass, 13); tianbao.KindOf(err) != tianbao.ErrNotFound {
		t.Errorf("a verdict elsewhere: %v", err)
	}
}

// A unit that was passed takes nothing in by any channel, until the pass is withdrawn.
func TestPassedIsLocked(t *testing.T) {
	for _, ch := range channels() {
		t.Run(ch.name, func(t *testing.T) {
			engines(t, func(o *office) {
				o.reviewed()
				write := ch.first(o)
				if _, err := o.save(school, o.open(school), o.person(900, "第一小学", false)); err != nil {
					t.Fatal(err)
				}
				if ch.name != "上报" {
					o.up(school)
				}
				if o.open(department).Rows > 0 {
					o.up(department)
				}
				if ch.name == "上报" {
					o.up(school)
				}
				o.ok(o.judge(tianbao.LevelUnit, tianbao.VerdictPass, school))
				before := o.digest(school)
				err := write(1000)
				var e *tianbao.Error
				if ch.name == "a save of nothing" || ch.name == "上报" || ch.name == "零申报" {
					// Writes no row, or has rows: whatever the answer.
				} else if !errors.As(err, &e) || e.Code != "gate_passed" && e.Code != "gate_note" || !strings.Contains(e.Message, "市财政局") {
					t.Errorf("%s was let in: %v", ch.name, err)
				}
				if o.digest(school) != before {
					t.Error("the passed rows are others now")
				}
				o.ok(o.judge(tianbao.LevelUnit, tianbao.VerdictWithdraw, school))
				if err := write(1001); ch.name != "零申报" && err != nil {
					t.Errorf("after the pass was withdrawn: %v", err)
				}
			})
		})
	}
}

// digest is one text of all rows of a unit.
func (o *office) digest(unit tianbao.ID) string {
	o.t.Helper()
	rows, err := o.store.UnitRows(o.ctx(), everything(), collection, unit, 1000)
	o.ok(err)
	var all []tianbao.Row
	for _, r := range rows {
		all = append(all, r.Row)
	}
	return o.reports.RowsDigest(all)
}

// Random acts by everybody: passes are withdrawn from the top, and while one stands no row
// of the unit changes.
func TestRandomReviews(t *testing.T) {
	engines(t, func(o *office) {
		o.reviewed()
		reached := 0
		for seed := range uint64(6) {
			reached = max(reached, o.randomReviews(rand.New(rand.NewPCG(seed, 6)), int(seed)))
		}
		if reached < 3 {
			t.Errorf("no unit came further than %d levels", reached)
		}
	})
}

func (o *office) randomReviews(rnd *rand.Rand, seed int) (reached int) {
	unit, name := o.newSchool(seed)
	kinds := []tianbao.VerdictKind{tianbao.VerdictPass, tianbao.VerdictPass, tianbao.VerdictReturn, tianbao.VerdictWithdraw}
	levels := []tianbao.Level{tianbao.LevelUnit, tianbao.LevelCity, tianbao.LevelProvince}
	var passed []tianbao.Level // the model: those that passed, from below
	for step := range 60 {
		before := o.digest(unit)
		state, _ := o.standing(unit)
		switch what := rnd.IntN(10); {
		case what < 2:
			_, err := o.save(unit, o.open(unit), o.person(2000+100*seed+step, name, false))
			if (err == nil) == (len(passed) > 0) {
				o.t.Fatalf("seed %d step %d: a save with %v passed: %v", seed, step, passed, err)
			}
		case what < 4:
			_, _ = o.reports.Submit(o.ctx(), o.filler(unit), o.open(unit).ID, o.key())
		default:
			level, kind := levels[rnd.IntN(3)], kinds[rnd.IntN(len(kinds))]
			err := o.judge(level, kind, unit)
			top := len(passed) - 1
			ok := false
			switch kind {
			case tianbao.VerdictPass:
				if ok = state == tianbao.StandingReported && len(passed) < 3 && level == levels[len(passed)]; ok {
					passed = append(passed, level)
				}
			case tianbao.VerdictReturn:
				if ok = state == tianbao.StandingReported && (top < 0 || level > passed[top]); ok {
					passed = nil
				}
			case tianbao.VerdictWithdraw:
				if ok = top >= 0 && passed[top] == level; ok {
					passed = passed[:top]
				}
			}
			if ok != (err == nil) {
				o.t.Fatalf("seed %d step %d: %s by %d of %q: %v", seed, step, kind, level, state, err)
			}
			reached = max(reached, len(passed))
		}
		now, bits := o.standing(unit)
		if bits.Level() != 0 && len(passed) == 0 || len(passed) > 0 && tianbao.Level(bits.Level()) != passed[len(passed)-1] || (now == tianbao.StandingPassed) != (len(passed) == 3) {
			o.t.Fatalf("seed %d step %d: stands %q with %b, want %v", seed, step, now, bits, passed)
		}
		if len(passed) > 0 && o.digest(unit) != before {
			o.t.Fatalf("seed %d step %d: rows changed while %v passed", seed, step, passed)
		}
	}
	return reached
}

// Two remarks are what the sheet shows, and each goes when its cell is another; the second
// look shows what changed.
func TestRemarks(t *testing.T) {
	engines(t, func(o *office) {
		o.reviewed()
		rep := o.open(school)
		saved, err := o.save(school, rep, o.person(1, "第一小学", false), o.person(2, "第一小学", false), o.person(3, "第一小学", false))
		o.ok(err)
		a, b, c := saved.Inserted["t1"], saved.Inserted["t2"], saved.Inserted["t3"]
		o.up(school)
		city := reviewers()[tianbao.LevelCity]
		act := campaign.ReviewAct{Units: []tianbao.ID{school}, Kind: tianbao.VerdictReturn, Cells: []tianbao.Remark{
			{Report: rep.ID, Row: a, Field: "phone", Text: "与名册不一致"}, {Report: rep.ID, Row: b, Field: "person_name", Text: "请核对姓名"}, {Report: rep.ID, Row: c, Text: "此人已调离"},
		}}
		wrong := act
		wrong.Cells = append(slices.Clone(act.Cells), tianbao.Remark{Report: rep.ID, Row: 12345, Field: "phone", Text: "没有这行"})
		if err := o.Review(o.ctx(), city, collection, wrong); tianbao.KindOf(err) != tianbao.ErrNotFound {
			t.Errorf("a remark on no row: %v", err)
		}
		o.ok(o.Review(o.ctx(), city, collection, act))
		if st, _ := o.standing(school); st != tianbao.StandingReturned {
			t.Errorf("stands %q", st)
		}
		see := func(want ...string) {
			t.Helper()
			f, err := o.reports.Faults(o.ctx(), o.filler(school), &tianbao.ChangeSet{Report: rep.ID, Base: o.open(school).Version})
			o.ok(err)
			var got []string
			for _, p := range f.Problems {
				if p.Code == tianbao.RemarkCode {
					got = append(got, fmt.Sprint(p.Row+1, p.Field, " ", p.Message))
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		}
		see("1phone 审核意见：与名册不一致", "2person_name 审核意见：请核对姓名", "3 审核意见：此人已调离")
		o.reports.Long = 1
		see("1phone 审核意见：与名册不一致", "2person_name 审核意见：请核对姓名", "3 审核意见：此人已调离")
		edit := func(row tianbao.ID, field, value string) tianbao.Change {
			return tianbao.Change{Op: tianbao.OpEdit, Row: row, Cells: []tianbao.CellEdit{{Field: o.form.Index(field), Value: value}}}
		}
		now := o.open(school)
		_, err = o.save(school, now, edit(a, "phone", "16012345678"), tianbao.Change{Op: tianbao.OpDelete, Row: c}, o.person(4, "第一小学", false))
		o.ok(err)
		see("2person_name 审核意见：请核对姓名")
		o.up(school)
		see()
		got, err := o.Read(o.ctx(), city, collection, school)
		o.ok(err)
		var seen []string
		for _, r := range got.Rows {
			for f, before := range r.Before {
				seen = append(seen, fmt.Sprint(o.form.Fields[f].Key, " was ", before != "", len(r.Remarks)))
			}
			if r.New {
				seen = append(seen, "new")
			}
		}
		if d := cmp.Diff([]string{"phone was true 1", "new"}, seen); d != "" || len(got.Gone) != 1 || len(got.Rows) != 3 {
			t.Errorf("the second look: %s, %d gone", d, len(got.Gone))
		}
	})
}

// A return after the deadline lets the unit edit until the officer's date, itself alone.
func TestReturnReopens(t *testing.T) {
	engines(t, func(o *office) {
		o.reviewed()
		for _, u := range []tianbao.ID{school, city} {
			_, err := o.save(u, o.open(u), o.person(int(u), map[tianbao.ID]string{school: "第一小学", city: "市财政局"}[u], false))
			o.ok(err)
			o.up(u)
		}
		o.at("2022-10-05 08:00:00")
		prov := reviewers()[tianbao.LevelProvince]
		act := campaign.ReviewAct{Units: []tianbao.ID{school, city}, Kind: tianbao.VerdictReturn, Remark: "请重新核对"}
		if err := o.Review(o.ctx(), prov, collection, act); tianbao.KindOf(err) != tianbao.ErrInvalid {
			t.Errorf("a return after the deadline without a date: %v", err)
		}
		act.Until = shanghai("2022-10-08 00:00:00")
		o.ok(o.Review(o.ctx(), prov, collection, act))
		write := func(u tianbao.ID, name string, n int) error {
			_, err := o.save(u, o.open(u), o.person(n, name, false))
			return err
		}
		o.at("2022-10-07 23:59:59")
		o.ok(write(school, "第一小学", 50))
		o.ok(write(city, "市财政局", 51))
		if err := write(second, "第二小学", 52); tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("a unit below a returned one: %v", err)
		}
		o.at("2022-10-08 00:00:00")
		if err := write(school, "第一小学", 53); tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("after the date: %v", err)
		}
	})
}

// The levels stay while a unit is passed.
func TestLevelsFixed(t *testing.T) {
	engines(t, func(o *office) {
		o.reviewed()
		o.bring("passed by the unit", second, "第二小学", 1)
		other := tianbao.LevelsOf(tianbao.LevelCity)
		if err := o.SetLevels(o.ctx(), runner(), collection, other); tianbao.KindOf(err) != tianbao.ErrInvalid {
			t.Errorf("other levels while one is passed: %v", err)
		}
		o.ok(o.judge(tianbao.LevelUnit, tianbao.VerdictWithdraw, second))
		o.ok(o.SetLevels(o.ctx(), runner(), collection, other))
		o.ok(o.judge(tianbao.LevelCity, tianbao.VerdictPass, second))
		if st, _ := o.standing(second); st != tianbao.StandingPassed {
			t.Errorf("the only level passed, and it stands %q", st)
		}
		if err := o.SetLevels(o.ctx(), runner(), collection, 1); tianbao.KindOf(err) != tianbao.ErrInvalid {
			t.Errorf("a level that there is not: %v", err)
		}
	})
}

// What waits at a level, by branch, sheet and reason, page by page.
func TestReviewList(t *testing.T) {
	engines(t, func(o *office) {
		o.reviewed()
		var units []tianbao.ID
		for n := range 5 {
			id, name := o.newSchool(n)
			units = append(units, id)
			o.bring("reported", id, name, n)
		}
		o.ok(o.judge(tianbao.LevelUnit, tianbao.VerdictPass, units[1]))
		o.ok(o.judge(tianbao.LevelUnit, tianbao.VerdictReturn, units[2]))
		list := func(level tianbao.Level, f campaign.ReviewFilter, limit int) (out []tianbao.ID) {
			t.Helper()
			after := ""
			for {
				page, next, err := o.Reviews(o.ctx(), reviewers()[level], collection, f, after, limit)
				o.ok(err)
				for _, l := range page {
					out = append(out, l.Unit.ID)
				}
				if next == "" {
					return out
				}
				after = next
			}
		}
		for _, tt := range []struct {
			name  string
			level tianbao.Level
			f     campaign.ReviewFilter
			want  []tianbao.ID
		}{
			{"the unit's turn", tianbao.LevelUnit, campaign.ReviewFilter{}, []tianbao.ID{units[0], units[3], units[4]}},
			{"the city's turn", tianbao.LevelCity, campaign.ReviewFilter{}, []tianbao.ID{units[1]}},
			{"not the province's yet", tianbao.LevelProvince, campaign.ReviewFilter{}, nil},
			{"returned", tianbao.LevelProvince, campaign.ReviewFilter{View: campaign.ViewReturned}, []tianbao.ID{units[2]}},
			{"to be withdrawn", tianbao.LevelUnit, campaign.ReviewFilter{View: campaign.ViewPassed}, []tianbao.ID{units[1]}},
			{"of one sheet", tianbao.LevelUnit, campaign.ReviewFilter{Sheet: o.open(units[3]).ID}, []tianbao.ID{units[3]}},
			{"with a reason that nobody gave", tianbao.LevelUnit, campaign.ReviewFilter{Code: "phone.odd"}, nil},
			{"of one unit", tianbao.LevelUnit, campaign.ReviewFilter{Below: units[4]}, []tianbao.ID{units[4]}},
		} {
			if tt.f == (campaign.ReviewFilter{}) {
				if w, err := o.Waiting(o.ctx(), reviewers()[tt.level], collection); err != nil || w.Mine != len(tt.want) {
					t.Errorf("%s: %d wait, want %d: %v", tt.name, w.Mine, len(tt.want), err)
				}
			}
			for _, limit := range []int{1, 2, 50} {
				if d := cmp.Diff(tt.want, list(tt.level, tt.f, limit)); d != "" {
					t.Errorf("%s, %d a page: %s", tt.name, limit, d)
				}
			}
		}
	})
}

// What waits is counted without a list, and is what the lists hold: also where a unit is
// named by a rule, excluded, of another region, or passed by some.
func TestWaiting(t *testing.T) {
	engines(t, func(o *office) {
		o.reviewed()
		var units []tianbao.ID
		for n := range 9 {
			id, name := o.newSchool(n)
			units = append(units, id)
			if n < 8 {
				o.bring("reported", id, name, n)
			}
		}
		for _, u := range units[1:4] {
			o.ok(o.judge(tianbao.LevelUnit, tianbao.VerdictPass, u))
		}
		o.ok(o.judge(tianbao.LevelCity, tianbao.VerdictPass, units[2]))
		o.ok(o.judge(tianbao.LevelUnit, tianbao.VerdictReturn, units[4]))
		o.rule(tianbao.CampaignRule{Kind: tianbao.RuleExclude, Unit: units[5], Reason: "不参加"})
		w, err := o.Waiting(o.ctx(), reviewers()[tianbao.LevelProvince], collection)
		o.ok(err)
		if d := cmp.Diff(map[tianbao.Level]int{tianbao.LevelUnit: 3, tianbao.LevelCity: 2, tianbao.LevelProvince: 1}, w.At); d != "" || w.Mine != 1 {
			t.Errorf("%d at the province; by level %s", w.Mine, d)
		}
		for level, rv := range reviewers() {
			page, _, err := o.Reviews(o.ctx(), rv, collection, campaign.ReviewFilter{}, "", 50)
			o.ok(err)
			if w, err := o.Waiting(o.ctx(), rv, collection); err != nil || w.Mine != len(page) {
				t.Errorf("level %d: %d wait, the list has %d: %v", level, w.Mine, len(page), err)
			}
		}
	})
}

// Rows with reasons are found without opening the others.
func TestReasons(t *testing.T) {
	engines(t, func(o *office) {
		o.reviewed()
		rep := o.open(school)
		saved, err := o.save(school, rep, o.person(1, "第一小学", false), o.person(2, "第一小学", false))
		o.ok(err)
		why := tianbao.Change{Op: tianbao.OpReason, Row: saved.Inserted["t2"], Reason: tianbao.Reason{Code: "person_name.odd", Text: "确实是这个名字"}}
		_, err = o.save(school, o.open(school), why)
		o.ok(err)
		for _, tt := range []struct {
			f    campaign.ReasonFilter
			want int
		}{{campaign.ReasonFilter{}, 1}, {campaign.ReasonFilter{Code: "person_name.odd"}, 1}, {campaign.ReasonFilter{Code: "phone.odd"}, 0}, {campaign.ReasonFilter{Region: 21}, 1}, {campaign.ReasonFilter{Region: 2102}, 0}} {
			rows, next, err := o.Reasons(o.ctx(), reviewers()[tianbao.LevelCity], collection, tt.f, campaign.Cursor{}, 10)
			if err != nil || len(rows) != tt.want || next != (campaign.Cursor{}) {
				t.Errorf("%+v: %d rows, %v, %v", tt.f, len(rows), next, err)
			}
		}
		page, _, err := o.Reviews(o.ctx(), reviewers()[tianbao.LevelUnit], collection, campaign.ReviewFilter{Code: "person_name.odd", View: campaign.ViewAll}, "", 10)
		if err != nil || len(page) != 1 || page[0].Unit.ID != school {
			t.Errorf("units with the reason: %d, %v", len(page), err)
		}
	})
}

// 零申报 and 免报: who may, of what, when, and with which file.
func TestDeclare(t *testing.T) {
	pdf := &tianbao.Proof{Name: "C:\\目录\\证明<1>.pdf", Data: []byte("%PDF-1.7 x")}
	say := func(k tianbao.DeclarationKind, units ...tianbao.ID) campaign.Say {
		return campaign.Say{Kind: k, Units: units, Reason: "没有资产管理人员"}
	}
	engines(t, func(o *office) {
		o.reviewed()
		with := say(tianbao.DeclareNil, school)
		with.Proof = pdf
		o.ok(o.Declare(o.ctx(), declarer("/1/2/5/6/"), collection, with))
		p, err := o.store.Proof(o.ctx(), collection, school, tianbao.Event{At: o.now, What: "proof.read"})
		if err != nil || p.Name != "证明1.pdf" || p.Type != "application/pdf" || string(p.Data) != string(pdf.Data) {
			t.Errorf("the proof: %q %q, %v", p.Name, p.Type, err)
		}
		short, script, big := say(tianbao.DeclareNil, school), say(tianbao.DeclareNil, school), say(tianbao.DeclareNil, school)
		short.Reason = "无"
		script.Proof = &tianbao.Proof{Name: "a.pdf", Data: []byte("<html><script>")}
		big.Proof = &tianbao.Proof{Name: "a.pdf", Data: append([]byte("%PDF-"), make([]byte, campaign.MaxProof)...)}
		unit := declarer("/1/2/5/6/")
		for name, tt := range map[string]struct {
			who  campaign.Declarer
			say  campaign.Say
			kind tianbao.ErrKind
		}{
			"a reason too short":     {unit, short, tianbao.ErrInvalid},
			"a page as a proof":      {unit, script, tianbao.ErrInvalid},
			"a proof too large":      {unit, big, tianbao.ErrTooLarge},
			"a unit elsewhere":       {unit, say(tianbao.DeclareNil, second), tianbao.ErrNotFound},
			"免报 by itself":           {unit, say(tianbao.DeclareExempt, school), tianbao.ErrInvalid},
			"免报 of a unit elsewhere": {unit, say(tianbao.DeclareExempt, second), tianbao.ErrNotFound},
			"nobody":                 {unit, say(tianbao.DeclareNil), tianbao.ErrInvalid},
			"another kind":           {unit, say("gone", school), tianbao.ErrInvalid},
		} {
			if err := o.Declare(o.ctx(), tt.who, collection, tt.say); tianbao.KindOf(err) != tt.kind || err == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		bureau := declarer("/1/2/")
		o.ok(o.Declare(o.ctx(), bureau, collection, say(tianbao.DeclareExempt, school, second)))
		if err := o.TakeBack(o.ctx(), unit, collection, school); tianbao.KindOf(err) != tianbao.ErrInvalid {
			t.Errorf("the unit takes the bureau's 免报 back: %v", err)
		}
		list, err := o.store.Declarations(o.ctx(), everything(), collection, 10)
		if err != nil || len(list) != 2 || list[0].Reason != "没有资产管理人员" {
			t.Errorf("%d declarations: %v", len(list), err)
		}
		o.at("2022-10-02 08:00:00") // their time is over
		o.ok(o.TakeBack(o.ctx(), bureau, collection, school))
		if err := o.Declare(o.ctx(), unit, collection, say(tianbao.DeclareNil, school)); tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("零申报 after the deadline: %v", err)
		}
		o.ok(o.Declare(o.ctx(), bureau, collection, say(tianbao.DeclareExempt, school)))
		o.at("2022-09-06 08:00:00")
		o.bring("saved", second, "第二小学", 9)
		if st, _ := o.standing(second); st != tianbao.StandingSaved {
			t.Errorf("an exempt unit with rows stands %q", st)
		}
		if err := o.Declare(o.ctx(), bureau, collection, say(tianbao.DeclareExempt, second)); tianbao.KindOf(err) != tianbao.ErrInvalid {
			t.Errorf("免报 of a unit with rows: %v", err)
		}
	})
}
