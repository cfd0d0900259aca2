package remind_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/remind"
)

func shanghai(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, clock.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// holidays is the policy of a week with the National Day: Thursday 1 October 2026 to
// Wednesday the 7th off, Saturday the 10th at work.
func holidays(t testing.TB) remind.Policy {
	t.Helper()
	p := remind.Default(1)
	var err error
	if p.Off, err = remind.ParseDays("2026-10-01至2026-10-07"); err != nil {
		t.Fatal(err)
	}
	if p.On, err = remind.ParseDays("2026/10/10"); err != nil {
		t.Fatal(err)
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestQuietHours(t *testing.T) {
	p := holidays(t)
	for _, tt := range []struct{ name, at, next string }{
		{"a moment before the morning", "2026-09-28 08:59:59", "2026-09-28 09:00:00"},
		{"the morning itself", "2026-09-28 09:00:00", "2026-09-28 09:00:00"},
		{"the last second of the day", "2026-09-28 17:29:59", "2026-09-28 17:29:59"},
		{"the evening itself", "2026-09-28 17:30:00", "2026-09-29 09:00:00"},
		{"midnight", "2026-09-29 00:00:00", "2026-09-29 09:00:00"},
		{"Friday evening", "2026-09-25 18:00:00", "2026-09-28 09:00:00"},
		{"Sunday noon", "2026-09-27 12:00:00", "2026-09-28 09:00:00"},
		{"the evening before the holidays", "2026-09-30 17:30:00", "2026-10-08 09:00:00"},
		{"in the holidays", "2026-10-05 10:00:00", "2026-10-08 09:00:00"},
		{"a Saturday at work", "2026-10-10 10:00:00", "2026-10-10 10:00:00"},
		{"the Sunday after it", "2026-10-11 10:00:00", "2026-10-12 09:00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, want := shanghai(tt.at), shanghai(tt.next)
			if got := p.Next(at.UTC()); !got.Equal(want) {
				t.Errorf("next is %v, want %v", got, want)
			}
			if got := p.Quiet(at); got != !at.Equal(want) {
				t.Errorf("quiet is %t", got)
			}
		})
	}
	all := p
	all.Weekends, all.From, all.To = true, 0, 24*60
	if all.Quiet(shanghai("2026-09-27 23:59:59")) || !all.Quiet(shanghai("2026-10-03 12:00:00")) {
		t.Error("with weekends and all hours only days off are quiet")
	}
	year := p
	year.On = nil
	var err error
	if year.Off, err = remind.ParseDays("2026-01-01~2027-01-31"); err != nil {
		t.Fatal(err)
	}
	if got := year.Next(shanghai("2026-01-01 10:00:00")); !got.Equal(shanghai("2027-02-01 09:00:00")) {
		t.Errorf("after a year off comes %v", got)
	}
}

func TestDue(t *testing.T) {
	p := remind.Default(1) // 7 days before, every 48 hours
	closes := shanghai("2026-10-01 00:00:00")
	for _, tt := range []struct{ name, at, due string }{
		{"before the first day", "2026-09-23 23:59:59", ""},
		{"the first day begins", "2026-09-24 00:00:00", "2026-09-24 00:00:00"},
		{"before the second time", "2026-09-25 23:59:59", "2026-09-24 00:00:00"},
		{"the second time", "2026-09-26 00:00:00", "2026-09-26 00:00:00"},
		{"the last second", "2026-09-30 23:59:59", "2026-09-30 00:00:00"},
		{"the end", "2026-10-01 00:00:00", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			due, ok := p.Due(closes, shanghai(tt.at))
			if ok != (tt.due != "") || ok && !due.Equal(shanghai(tt.due)) {
				t.Errorf("due %v %t, want %s", due, ok, tt.due)
			}
		})
	}
	if _, ok := p.Due(time.Time{}, closes); ok {
		t.Error("due without an end")
	}
}

func TestDecide(t *testing.T) {
	p := remind.Default(1)
	p.Channels = remind.Channels()
	at := shanghai("2026-09-28 10:00:00")
	usual := remind.Facts{State: tianbao.StandingNone, Takes: true, Open: true, Closes: shanghai("2026-10-01 00:00:00"), Account: true, Phone: true, Mail: true}
	with := func(change func(f *remind.Facts)) remind.Facts {
		f := usual
		change(&f)
		return f
	}
	usable := func(c remind.Channel) bool { return c != remind.ChannelHook }
	for _, tt := range []struct {
		name     string
		f        remind.Facts
		hand     bool
		why      remind.Why
		channels []remind.Channel
	}{
		{"not begun", usual, false, remind.WhyNot, []remind.Channel{remind.ChannelPage, remind.ChannelMail}},
		{"reported", with(func(f *remind.Facts) { f.State = tianbao.StandingReported }), true, remind.WhyDone, nil},
		{"passed", with(func(f *remind.Facts) { f.State, f.Open = tianbao.StandingPassed, false }), true, remind.WhyDone, nil},
		{"nothing to report", with(func(f *remind.Facts) { f.State = tianbao.StandingNil }), true, remind.WhyDone, nil},
		{"exempt", with(func(f *remind.Facts) { f.State = tianbao.StandingExempt }), true, remind.WhyExempt, nil},
		{"returned", with(func(f *remind.Facts) { f.State = tianbao.StandingReturned }), false, remind.WhyNot, []remind.Channel{remind.ChannelPage, remind.ChannelMail}},
		{"takes no part", with(func(f *remind.Facts) { f.Takes = false }), true, remind.WhyOutside, nil},
		{"locked or over", with(func(f *remind.Facts) { f.Open = false }), true, remind.WhyClosed, nil},
		{"long before the end", with(func(f *remind.Facts) { f.Closes = shanghai("2026-10-06 00:00:00") }), false, remind.WhyEarly, nil},
		{"long before the end, by hand", with(func(f *remind.Facts) { f.Closes = shanghai("2026-10-06 00:00:00"); f.Mail = false }), true, remind.WhyNot, []remind.Channel{remind.ChannelPage}},
		{"no end", with(func(f *remind.Facts) { f.Closes = time.Time{} }), false, remind.WhyEarly, nil},
		{"a second too soon", with(func(f *remind.Facts) { f.Last = at.Add(-48*time.Hour + time.Second) }), true, remind.WhyRecent, nil},
		{"long ago", with(func(f *remind.Facts) { f.Last = at.Add(-48 * time.Hour) }), false, remind.WhyNot, []remind.Channel{remind.ChannelPage, remind.ChannelMail}},
		{"only by a channel that is not there", with(func(f *remind.Facts) { f.Account, f.Mail = false, false }), false, remind.WhyNoContact, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, channels, why := p.Decide(&tt.f, at, tt.hand, usable)
			if why != tt.why || !cmp.Equal(channels, tt.channels) {
				t.Errorf("%q %v, want %q %v", why, channels, tt.why, tt.channels)
			}
			if why != remind.WhyNot && why.Title() == "" {
				t.Error("the reason has no words")
			}
		})
	}
}

func TestDays(t *testing.T) {
	for _, tt := range []struct {
		name, text, again, code string
	}{
		{"a day and a range", "2026-10-10， 2026年10月1日到2026年10月3日", "2026-10-01至2026-10-03\n2026-10-10", ""},
		{"twice the same", "2026-1-1 2026/1/1", "2026-01-01", ""},
		{"over a month's end", "2026-04-30~2026-05-02", "2026-04-30至2026-05-02", ""},
		{"none", " \n", "", ""},
		{"no date", "国庆节", "", "bad_day"},
		{"backwards", "2026-10-07至2026-10-01", "", "bad_day"},
		{"no such day", "2026-02-30", "", "bad_day"},
		{"ten years", "2026-01-01~2036-01-01", "", "bad_day"},
		{"many ranges", strings.Repeat("2026-01-01~2026-12-31 ", 10), "", "too_many_days"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			days, err := remind.ParseDays(tt.text)
			if code(err) != tt.code {
				t.Fatalf("%v, want %q", err, tt.code)
			}
			if got := remind.FormatDays(days); err == nil && got != tt.again {
				t.Errorf("written as %q, want %q", got, tt.again)
			}
		})
	}
}

func code(err error) string {
	if e, ok := err.(*tianbao.Error); ok { //nolint:errorlint // these come bare
		return e.Code
	}
	return ""
}

func TestCheckPolicy(t *testing.T) {
	for _, tt := range []struct {
		name string
		bend func(p *remind.Policy)
		code string
	}{
		{"the default", func(*remind.Policy) {}, ""},
		{"no days", func(p *remind.Policy) { p.Days = 0 }, "bad_days"},
		{"all the time", func(p *remind.Policy) { p.Every = 0 }, "bad_every"},
		{"backwards", func(p *remind.Policy) { p.From, p.To = 600, 600 }, "bad_hours"},
		{"no channel", func(p *remind.Policy) { p.Channels = nil }, "no_channel"},
		{"another channel", func(p *remind.Policy) { p.Channels = []remind.Channel{"pigeon"} }, "bad_channel"},
		{"a day off and at work", func(p *remind.Policy) { p.Off, p.On = []string{"2026-10-01"}, []string{"2026-10-01"} }, "day_twice"},
		{"no text", func(p *remind.Policy) { p.Text = " " }, "no_text"},
		{"a long text", func(p *remind.Policy) { p.Text = strings.Repeat("催", 501) }, "long_text"},
		{"an unknown field", func(p *remind.Policy) { p.Text = "{姓名}请上报" }, "bad_field"},
		{"an open brace", func(p *remind.Policy) { p.Text = "{单位 请上报" }, "bad_braces"},
		{"braces in braces", func(p *remind.Policy) { p.Text = "{{单位}}" }, "bad_braces"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := remind.Default(1)
			tt.bend(&p)
			if err := p.Check(); code(err) != tt.code {
				t.Errorf("%v, want %q", err, tt.code)
			}
		})
	}
}

func TestRender(t *testing.T) {
	f := remind.Fields{Unit: "第一中学{状态}", Until: "2026年9月30日24:00", State: "草稿"}
	got := remind.Render("{单位}到{截止时间}为止，现在是{状态}，请找{经办电话}。{未知}{", &f)
	if want := "第一中学{状态}到2026年9月30日24:00为止，现在是草稿，请找上级财政部门。{未知}{"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "{", "}", "{单位}", "{{单位}}", "{单位", "a{}b", "{截止时间}{状态}{经办电话}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := remind.CheckText(s)
		out := remind.Render(s, &remind.Fields{Unit: "U", Until: "T", State: "S", Phone: "P"})
		if err == nil && strings.ContainsAny(out, "{") {
			t.Errorf("%q is taken and gives %q", s, out)
		}
		if days, err := remind.ParseDays(s); err == nil {
			again, err := remind.ParseDays(remind.FormatDays(days))
			if err != nil || !cmp.Equal(days, again) {
				t.Errorf("days of %q do not come back", s)
			}
		}
	})
}
