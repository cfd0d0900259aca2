package campaign

import (
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

func on(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, clock.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// The province 1 with the city 2 (region 2107), its department 5 and unit 6, and
// Dalian's bureau 3 (2102) with a unit 7 in its district.
var (
	provincial = Place{"/1/4/", 21}
	city       = Place{"/1/2/", 2107}
	unit       = Place{"/1/2/5/6/", 2107}
	county     = Place{"/1/2/8/", 210726}
	dalian     = Place{"/1/3/7/", 210202}
)

func regions() []tianbao.Region {
	return []tianbao.Region{
		{ID: 21}, {ID: 2107, Parent: 21}, {ID: 210726, Parent: 2107}, {ID: 2102, Parent: 21}, {ID: 210202, Parent: 2102},
	}
}

// notice is the collection as the notice has it: departments of the province until 23
// September, cities until 30 September, Dalian not.
func notice(more ...tianbao.CampaignRule) *Plan {
	begin := on("2022-09-01 09:00:00")
	c := tianbao.Campaign{ID: 9, Released: true, Opened: begin, Opens: begin, Closes: on("2022-10-01 00:00:00"), Owner: 1}
	rules := append([]tianbao.CampaignRule{
		{ID: 1, Kind: tianbao.RuleWindow, Unit: 1, Opens: begin, Closes: on("2022-09-24 00:00:00")},
		{ID: 2, Kind: tianbao.RuleWindow, Unit: 2, Opens: begin, Closes: on("2022-10-01 00:00:00")},
		{ID: 3, Kind: tianbao.RuleExclude, Region: 2102},
	}, more...)
	return NewPlan(c, rules, regions())
}

func TestDoors(t *testing.T) {
	sep := func(text string) time.Time { return on("2022-09-" + text) }
	lock := tianbao.CampaignRule{ID: 10, Kind: tianbao.RuleLock, Unit: 5, Reason: "数据核对", Made: sep("10 08:00:00"), Closes: sep("12 00:00:00")}
	lockCity := tianbao.CampaignRule{ID: 11, Kind: tianbao.RuleLock, Region: 2107, Reason: "停机", Made: sep("11 08:00:00")}
	again := tianbao.CampaignRule{ID: 12, Kind: tianbao.RuleReopen, Unit: 6, Reason: "补报", Made: sep("24 10:00:00"), Closes: on("2022-10-08 00:00:00")}
	undone := lock
	undone.Ended = sep("10 09:00:00")
	tests := []struct {
		name string
		plan *Plan
		at   Place
		when string
		want Why
		late bool
	}{
		{"a second before it opens", notice(), provincial, "2022-09-01 08:59:59", WhyPreparing, false},
		{"as it opens", notice(), provincial, "2022-09-01 09:00:00", WhyOpen, false},
		{"省直 a second before", notice(), provincial, "2022-09-23 23:59:59", WhyOpen, false},
		{"省直 at 24:00", notice(), provincial, "2022-09-24 00:00:00", WhyClosed, true},
		{"a city then", notice(), city, "2022-09-24 00:00:00", WhyOpen, false},
		{"a unit below it a second before", notice(), unit, "2022-09-30 23:59:59", WhyOpen, false},
		{"a unit below it at 24:00", notice(), unit, "2022-10-01 00:00:00", WhyClosed, true},
		{"大连", notice(), dalian, "2022-09-10 00:00:00", WhyOutside, false},
		{"大连 after the end", notice(), dalian, "2023-01-01 00:00:00", WhyOutside, false},
		{"a unit of 大连 that is included", notice(tianbao.CampaignRule{ID: 4, Kind: tianbao.RuleInclude, Unit: 7}), dalian, "2022-09-10 00:00:00", WhyOpen, false},
		{"one beside it", notice(tianbao.CampaignRule{ID: 4, Kind: tianbao.RuleInclude, Unit: 7}), city, "2022-09-10 00:00:00", WhyOutside, false},
		{"before the lock", notice(lock), unit, "2022-09-10 07:59:59", WhyOpen, false},
		{"from the lock on", notice(lock), unit, "2022-09-10 08:00:00", WhyLocked, false},
		{"before the lock's end", notice(lock), unit, "2022-09-11 23:59:59", WhyLocked, false},
		{"at the lock's end", notice(lock), unit, "2022-09-12 00:00:00", WhyOpen, false},
		{"a lock that was lifted", notice(undone), unit, "2022-09-10 09:00:00", WhyOpen, false},
		{"and as it was before", notice(undone), unit, "2022-09-10 08:59:59", WhyLocked, false},
		{"not locked beside", notice(lock), county, "2022-09-11 00:00:00", WhyOpen, false},
		{"the region's lock, for a county in it", notice(lockCity), county, "2022-09-20 00:00:00", WhyLocked, false},
		{"the last lock counts when the first ends", notice(lock, lockCity), unit, "2022-09-20 00:00:00", WhyLocked, false},
		{"locked and late", notice(lockCity), county, "2022-10-01 00:00:00", WhyLocked, true},
		{"reopened", notice(again), unit, "2022-10-01 00:00:00", WhyReopened, false},
		{"reopened a second before", notice(again), unit, "2022-10-07 23:59:59", WhyReopened, false},
		{"reopened until 24:00", notice(again), unit, "2022-10-08 00:00:00", WhyClosed, true},
		{"reopened, not beside", notice(again), county, "2022-10-01 00:00:00", WhyClosed, true},
		{"the last decision counts", notice(lockCity, again), unit, "2022-10-01 00:00:00", WhyReopened, false},
		{"and then the one before", notice(lockCity, again), unit, "2022-10-08 00:00:00", WhyLocked, true},
		{"outside of the owner's subtree", notice(), Place{"/12/", 21}, "2022-09-10 00:00:00", WhyOutside, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := tt.plan.At(tt.at, on(tt.when)); d.Why != tt.want || d.Late != tt.late {
				t.Errorf("got %s, late %v; want %s, %v", d.Why, d.Late, tt.want, tt.late)
			}
		})
	}
	ended := notice()
	ended.Campaign.Ended = sep("15 12:00:00")
	if d := ended.At(unit, sep("15 11:59:59")); d.Why != WhyOpen {
		t.Errorf("before the end: %s", d.Why)
	}
	if d := ended.At(unit, sep("15 12:00:00")); d.Why != WhyEnded || !d.Late {
		t.Errorf("after the end: %s", d.Why)
	}
}

// What a refusal says: which unit, why, until when it was, and whom to ask.
func TestRefusalSaysWhatToDo(t *testing.T) {
	lock := tianbao.CampaignRule{ID: 10, Kind: tianbao.RuleLock, Unit: 5, Reason: "数据核对", Made: on("2022-09-10 08:00:00"), Closes: on("2022-09-12 00:00:00")}
	tests := []struct {
		name string
		door Door
		want []string
	}{
		{"closed", notice().At(provincial, on("2022-09-24 00:00:00")), []string{"“示范小学”", "2022年9月23日 24:00", "市财政局"}},
		{"locked", notice(lock).At(unit, on("2022-09-11 00:00:00")), []string{"“示范小学”", "数据核对", "2022年9月11日 24:00", "市财政局"}},
		{"outside", notice().At(dalian, on("2022-09-11 00:00:00")), []string{"“示范小学”", "不在", "市财政局"}},
		{"passed", notice().At(unit, on("2022-09-11 00:00:00")).Passed(), []string{"审核通过", "市财政局"}},
		{"not yet", Door{Why: WhyNotYet, When: on("2022-09-05 09:00:00")}, []string{"2022年9月5日 09:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Refusal([]Refused{{"示范小学", tt.door}}, "市财政局")
			var e *tianbao.Error
			if e, _ = err.(*tianbao.Error); e == nil || e.Kind != tianbao.ErrConflict {
				t.Fatalf("%v", err)
			}
			for _, w := range tt.want {
				if !strings.Contains(e.Message, w) {
					t.Errorf("%q lacks %q", e.Message, w)
				}
			}
		})
	}
	many := make([]Refused, 5)
	for i := range many {
		many[i] = Refused{"甲", Door{Why: WhyEnded}}
	}
	if got := namesOf(many); got != "“甲”“甲”“甲”等 5 个单位" {
		t.Errorf("five units: %s", got)
	}
}

func TestStandingOf(t *testing.T) {
	tests := []struct {
		name string
		f    Facts
		want tianbao.Standing
	}{
		{"nothing", Facts{}, tianbao.StandingNone},
		{"typed", Facts{Drafts: 1}, tianbao.StandingDraft},
		{"errors", Facts{Rows: 2, Faulty: 1, Waiting: true}, tianbao.StandingFaulty},
		{"saved", Facts{Rows: 2, Waiting: true, Drafts: 1}, tianbao.StandingSaved},
		{"reported", Facts{Rows: 2}, tianbao.StandingReported},
		{"returned", Facts{Rows: 2, Faulty: 1, Waiting: true, Review: ReviewReturned}, tianbao.StandingReturned},
		{"passed on the way", Facts{Rows: 2, Passes: 1 << 2}, tianbao.StandingReported},
		{"passed", Facts{Rows: 2, Review: ReviewPassed, Passes: 1<<2 | 1<<4}, tianbao.StandingPassed},
		{"nil", Facts{Declared: tianbao.DeclareNil, Drafts: 1}, tianbao.StandingNil},
		{"exempt", Facts{Declared: tianbao.DeclareExempt}, tianbao.StandingExempt},
		{"nil with rows", Facts{Declared: tianbao.DeclareNil, Rows: 1, Waiting: true}, tianbao.StandingSaved},
		{"returned to nothing", Facts{Review: ReviewReturned}, tianbao.StandingReturned},
	}
	seen := map[tianbao.Standing]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := StandingOf(&tt.f)
			seen[got] = true
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			shown := Shown(got, Door{Why: WhyClosed, Late: true})
			if want := got; !got.Done() && shown != tianbao.StandingOverdue || got.Done() && shown != want {
				t.Errorf("late it shows as %q", shown)
			}
		})
	}
	for _, s := range tianbao.Standings() {
		if s != tianbao.StandingOverdue && !seen[s] {
			t.Errorf("%q is not reached", s)
		}
	}
}

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		r    Rate
		want string
	}{{Rate{0, 0, ""}, "—"}, {Rate{0, 3, ""}, "0.0%"}, {Rate{2, 3, ""}, "66.6%"}, {Rate{3, 3, ""}, "100.0%"}, {Rate{39999, 40000, ""}, "99.9%"}} {
		if got := tt.r.String(); got != tt.want {
			t.Errorf("%d of %d: %s, want %s", tt.r.Part, tt.r.Whole, got, tt.want)
		}
	}
}
