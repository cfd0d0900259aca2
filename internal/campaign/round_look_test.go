package campaign_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
)

// What is looked at in a round: answers and states after each act, all figures after each
// day.

const lastSteps = 60

func (r *round) note(format string, args ...any) {
	if len(r.steps) == lastSteps {
		r.steps = append(r.steps[:0], r.steps[1:]...)
	}
	r.steps = append(r.steps, r.now.In(clock.Shanghai).Format("01-02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// fail ends the test with the steps that led here; the name of the test has the seed.
func (r *round) fail(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(r.steps, "\n"))
}

// ok fails with the steps that led here.
func (r *round) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.fail("%v", err)
	}
}

// answer holds what an act was answered against what the observer expected, and reports
// whether it was done.
func (r *round) answer(act string, u *standing, want string, err error) bool {
	r.t.Helper()
	got := ""
	var e *tianbao.Error
	switch {
	case errors.As(err, &e):
		got = e.Code
	case err != nil:
		r.fail("%s of %s: %v", act, u.name, err)
	}
	r.note("%s: %s: %s", u.name, act, got)
	if got != want {
		why, until, late := r.m.door(u, r.now)
		r.fail("%s of %s was answered %q, and should be %q; its door: %s until %v, late %t; it stands as %q", act, u.name, got, want, why, until, late, u.state())
	}
	if got == "" {
		r.did[act]++
	} else {
		r.did["refused"]++
		r.did[got]++
	}
	return got == ""
}

// withdraws are the acts after which a unit may have to report again.
var withdraws = []string{"save", "faulty save", "fill in above", "late correction", "take out", "correct", "correct above", "answer", "workbook", "return", "take back"}

// look holds where the first units of an act stand after it against what was written
// down; the others have their turn when the day is over.
func (r *round) look(act string, units ...*standing) {
	r.t.Helper()
	for i, u := range units {
		r.lost(act, u)
		if i > 1 || i > 0 && u == units[0] {
			continue
		}
		st, err := r.State(r.ctx(), everything(), r.c, u.id)
		r.ok(err)
		rows, faulty, _ := u.sums()
		if string(st.State) != u.state() || st.Rows != rows || st.Faulty != faulty || st.Passes.Level() != u.top() {
			r.fail("after %s %s stands as %q with %d rows, %d faulty, passed by %d; want %q with %d, %d, by %d", act, u.name, st.State, st.Rows, st.Faulty, st.Passes.Level(), u.state(), rows, faulty, u.top())
		}
		if why := r.m.lets(u, r.now); st.Door.Open() != (why == "") || why != "" && string(st.Door.Why) != why {
			r.fail("after %s the door of %s is %q, want %q", act, u.name, st.Door.Why, why)
		}
	}
}

// lost counts a unit that was done and is not any more.
func (r *round) lost(act string, u *standing) {
	if done(u.was) && !done(u.state()) {
		if !slices.Contains(withdraws, act) {
			r.fail("%s took %s from %q to %q", act, u.name, u.was, u.state())
		}
		r.withdrawn++
	}
	u.was = u.state()
}

// whole holds all figures against a count of all units.
func (r *round) whole() {
	r.t.Helper()
	want, rows, done := map[string]int{}, 0, 0
	for _, u := range r.m.units {
		s := r.m.shown(u, r.now)
		want[s]++
		if s == "outside" {
			continue
		}
		r.seen[s]++
		n, _, _ := u.sums()
		rows += n
		if s == "reported" || s == "passed" || s == "nil" || s == "exempt" {
			done++
		}
	}
	p, err := r.Progress(r.ctx(), tianbao.Scope{Paths: []string{"/1/"}}, r.c, time.Time{})
	r.ok(err)
	sum := 0
	for _, s := range tianbao.Standings() {
		if p.Total.By(s) != want[string(s)] {
			r.fail("%d units stand as %q, want %d", p.Total.By(s), s, want[string(s)])
		}
		sum += p.Total.By(s)
	}
	if p.Total.Outside != want["outside"] || p.Total.Expected != sum || p.Total.Rows != rows || p.Total.Done() != done {
		r.fail("%d outside, %d expected, %d rows, %d done; want %d, %d, %d, %d", p.Total.Outside, p.Total.Expected, p.Total.Rows, p.Total.Done(), want["outside"], sum, rows, done)
	}
	if done < r.done-r.withdrawn {
		r.fail("%d were done, %d took it back, and %d are", r.done, r.withdrawn, done)
	}
	r.done, r.withdrawn = done, 0
	r.ok(r.Each(r.ctx(), everything(), campaign.Question{Campaign: r.c, At: r.now}, campaign.Filter{Outside: true}, "", func(u *campaign.UnitState) error {
		m := r.m.of[u.Unit.ID]
		shown := string(u.Shown)
		if u.Door.Why == campaign.WhyOutside {
			shown = "outside"
		}
		if want := r.m.shown(m, r.now); shown != want {
			return fmt.Errorf("%s is shown as %q, want %q", m.name, shown, want)
		}
		return nil
	}))
}
