package campaign_test

import (
	"runtime"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
)

// whole asks for a trend until all its days are counted.
func (o *office) whole(scope tianbao.Scope) (campaign.Trend, *campaign.Progress) {
	o.t.Helper()
	p, err := o.Progress(o.ctx(), scope, collection, time.Time{})
	o.ok(err)
	for {
		tr, err := o.Trend(o.ctx(), scope, p, &p.Total)
		o.ok(err)
		if tr.Pending == 0 {
			return tr, p
		}
		runtime.Gosched()
	}
}

// Each day of a trend says what the page of that day says, also when the register or the
// rules change afterwards.
func TestTrendIsProgressOfEachDay(t *testing.T) {
	engines(t, func(o *office) {
		o.collect()
		scope := tianbao.Scope{Paths: []string{"/1/"}}
		check := func(when string, days int) {
			o.t.Helper()
			tr, now := o.whole(scope)
			if len(tr.Days) != days {
				o.t.Errorf("%s: %d days, want %d", when, len(tr.Days), days)
			}
			for i, d := range tr.Days {
				p := now
				if i < len(tr.Days)-1 {
					var err error
					p, err = o.Progress(o.ctx(), scope, collection, d.At)
					o.ok(err)
				}
				if d.Expected != p.Total.Expected || d.Done != p.Total.Done() {
					o.t.Errorf("%s: %s: %d of %d, the page says %d of %d", when, d.At, d.Done, d.Expected, p.Total.Done(), p.Total.Expected)
				}
			}
		}
		o.at("2022-09-01 10:00:00")
		check("on the first day", 1)
		for i, u := range []tianbao.ID{school, second, department} {
			o.set(o.now.AddDate(0, 0, 1))
			o.ok(o.store.Declare(o.ctx(), []tianbao.Declaration{{ID: tianbao.ID(600 + i), Campaign: collection, Unit: u, Kind: tianbao.DeclareNil, Reason: "没有", At: o.now}}, true))
			check("day by day", i+2)
		}
		o.ok(o.store.EndDeclaration(o.ctx(), collection, school, 1, true))
		o.set(o.now.AddDate(0, 0, 1))
		check("after one was taken back", 5)
		o.rule(tianbao.CampaignRule{Kind: tianbao.RuleExclude, Unit: second, Reason: "撤销"})
		o.set(o.now.AddDate(0, 0, 1))
		check("after one was excluded", 6)
	})
}

func TestForecast(t *testing.T) {
	day := func(n int) time.Time { return shanghai("2022-09-01 00:00:00").AddDate(0, 0, n) }
	along := func(done ...int) *campaign.Trend {
		tr := &campaign.Trend{}
		for i, n := range done {
			tr.Days = append(tr.Days, campaign.Day{At: day(i), Expected: 100, Done: n})
		}
		return tr
	}
	for _, c := range []struct {
		name    string
		trend   *campaign.Trend
		closes  time.Time
		days    int
		perDay  float64
		atClose int
		ready   time.Time
	}{
		{"no whole day", along(5), day(9), 0, 0, 0, time.Time{}},
		{"days that are still counted", &campaign.Trend{Days: along(1, 2, 3).Days, Pending: 1}, day(9), 0, 0, 0, time.Time{}},
		{"ten a day", along(0, 10, 20), day(5), 2, 10, 50, day(10)},
		{"ready before the deadline", along(0, 40, 80), day(9), 2, 40, 100, day(2).Add(12 * time.Hour)},
		{"nobody", along(20, 20, 20), day(9), 2, 0, 20, time.Time{}},
		{"taken back", along(20, 10, 0), day(9), 2, -10, 0, time.Time{}},
		{"no deadline", along(0, 10, 20), time.Time{}, 2, 10, 0, day(10)},
		{"the deadline is over", along(0, 10, 20), day(1), 2, 10, 0, day(10)},
		{"only the last week counts", along(0, 0, 0, 0, 10, 20, 30, 40, 50, 60), day(10), 7, 60.0 / 7, 68, day(9).Add(112 * time.Hour)},
	} {
		f := campaign.NewForecast(c.trend, c.closes)
		if f.Days != c.days || f.PerDay != c.perDay || f.AtClose != c.atClose || f.Ready.Sub(c.ready).Abs() > time.Second {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

func TestSlowest(t *testing.T) {
	node := func(name string, of ...tianbao.Standing) *campaign.Node {
		n := &campaign.Node{Unit: tianbao.Unit{Name: name}}
		for _, s := range of {
			n.Count(s)
		}
		return n
	}
	const none, done = tianbao.StandingNone, tianbao.StandingReported
	got := ""
	for _, n := range campaign.Slowest([]*campaign.Node{
		node("全完成", done), node("没有单位"), node("一半", done, none), node("两个都没有", none, none), node("一个没有", none), node("三分之一", done, none, none),
	}, 4) {
		got += n.Unit.Name + " "
	}
	if want := "两个都没有 一个没有 三分之一 一半 "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for r, want := range map[campaign.Rate]string{{Part: 1, Whole: 300}: "0.34", {}: "—", {Part: 0, Whole: 3}: "0.00", {Part: 3, Whole: 3}: "100.00"} {
		if got := r.Hundredth(); got != want {
			t.Errorf("%d of %d: %s, want %s", r.Part, r.Whole, got, want)
		}
	}
}
