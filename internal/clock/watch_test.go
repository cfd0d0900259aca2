package clock

import (
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	now, passed := time.Date(2026, 9, 1, 8, 0, 0, 0, Shanghai), time.Duration(0)
	w := &Watch{Clock: func() time.Time { return now }, Passed: func() time.Duration { return passed }}
	for _, step := range []struct {
		name         string
		clock, timed time.Duration
		want         time.Duration
	}{
		{"the first look", 0, 0, 0},
		{"as it should be", 5 * time.Second, 5 * time.Second, 0},
		{"a look that is late", time.Hour, time.Hour, 0},
		{"steered by NTP", 5*time.Second + 2*time.Millisecond, 5 * time.Second, 0},
		{"an hour back", 5*time.Second - time.Hour, 5 * time.Second, -time.Hour},
		{"once is once", 5 * time.Second, 5 * time.Second, 0},
		{"a day forward", 5*time.Second + 24*time.Hour, 5 * time.Second, 24 * time.Hour},
		{"a leap second", 5*time.Second - time.Second, 5 * time.Second, -time.Second},
	} {
		now, passed = now.Add(step.clock), passed+step.timed
		if got := w.Look(); got != step.want {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
	if got := w.Jumps(); got != (Jumps{3, 23*time.Hour - time.Second}) {
		t.Errorf("%+v", got)
	}
	// Doubt ends by time that passes, not by the clock.
	w.Doubt(time.Hour)
	now = now.Add(48 * time.Hour)
	if !w.Doubted() {
		t.Error("a clock that is set ends the doubt about it")
	}
	if passed += time.Hour; w.Doubted() {
		t.Error("doubt does not end")
	}
	w.Doubt(time.Hour)
	if w.Doubt(0); w.Doubted() {
		t.Error("doubt is not taken back")
	}
}

// The system's clock does not jump by itself, and its own monotonic reading is used.
func TestWatchSystem(t *testing.T) {
	w := &Watch{Clock: System}
	w.Look()
	if got := w.Look(); got != 0 {
		t.Errorf("a jump of %v", got)
	}
}

// Ids rise also where a clock is set back: within a process, and behind those of the process
// before it.
func TestIDsRise(t *testing.T) {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, Shanghai)
	g := &IDs{Clock: func() time.Time { return now }}
	last := g.Next()
	for _, d := range []time.Duration{-time.Hour, 24 * time.Hour, -25 * time.Hour} {
		now = now.Add(d)
		id := g.Next()
		if id <= last {
			t.Errorf("%v: %d after %d", d, id, last)
		}
		last = id
	}
	next := &IDs{Clock: g.Clock}
	next.Past(last)
	if id := next.Next(); id <= last {
		t.Errorf("after a restart: %d after %d", id, last)
	}
	if at := TimeOf(last); at.Sub(now) < 24*time.Hour || at.Sub(now) > 26*time.Hour {
		t.Errorf("made at %v", at)
	}
	next.Past(1 << 62) // of no clock that there was
	if at := TimeOf(next.Next()); at.After(now.AddDate(1, 0, 0)) {
		t.Errorf("an id that nobody can have made leads to %v", at)
	}
}
