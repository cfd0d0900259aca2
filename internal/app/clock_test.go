package app

import (
	"bytes"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
)

// A clock that is set is noticed, logged, told on the trail and by the figures; far forward,
// what cannot be undone waits until it is back, or a day has passed.
func TestClockIsWatched(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	p := place{data: filepath.Join(t.TempDir(), "data"), alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close(log)
	now, passed := time.Now(), time.Duration(0)
	in.clockWatch = &clock.Watch{Clock: func() time.Time { return now }, Passed: func() time.Duration { return passed }}
	in.clockWatch.Look()
	for _, step := range []struct {
		name  string
		jump  time.Duration
		after time.Duration // passes first
		over  bool
	}{
		{"an hour back", -time.Hour, 0, true},
		{"and forward again", time.Hour, 0, true},
		{"years forward", 3 * 365 * 24 * time.Hour, 0, false},
		{"an hour later", 0, time.Hour, false},
		{"and back", -3 * 365 * 24 * time.Hour, 0, true},
		{"a day forward", 24 * time.Hour, 0, false},
		{"a day later", 0, clockDoubt, true},
	} {
		now, passed = now.Add(step.jump+step.after), passed+step.after
		in.lookAtClock(t.Context(), log)
		if got := in.timeIsOver(); got != step.over {
			t.Errorf("%s: believed %v, want %v", step.name, got, step.over)
		}
	}
	told, err := db.Collect(t.Context(), in.db, func(scan db.Scan) (s string, err error) { err = scan(&s); return s, err }, `SELECT detail FROM trail WHERE what = 'clock.set' ORDER BY id`)
	if err != nil || len(told) != 5 || !strings.HasPrefix(told[0], "by=-1h0m0s ") {
		t.Errorf("the trail tells %q %v", told, err)
	}
	if got := in.clockWatch.Jumps(); got.N != 5 || got.Net != 24*time.Hour {
		t.Errorf("%+v", got)
	}
	if n := strings.Count(said.String(), "the clock was set"); n != 5 {
		t.Errorf("logged %d times: %s", n, &said)
	}
}

// What an earlier run wrote by a clock that ran ahead is found at the next start, and doctor
// tells of it before.
func TestClockAtTheStart(t *testing.T) {
	data := filled(t)
	_, before, _ := examine(t, "--data", data, "--quick")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	p := place{data: data, alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	in.ids.Past((&clock.IDs{Clock: func() time.Time { return time.Now().Add(48 * time.Hour) }}).Next())
	if err := in.store.Record(t.Context(), tianbao.Event{At: time.Now(), What: "signin"}); err != nil {
		t.Fatal(err)
	}
	in.close(log)
	_, after, _ := examine(t, "--data", data, "--quick")
	if len(after) != len(before)+1 || !strings.Contains(strings.Join(after, "\n"), "比现在还晚 48h") && !strings.Contains(strings.Join(after, "\n"), "比现在还晚 47h59m") {
		t.Errorf("doctor says %q", after)
	}
	if in, err = p.open(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	defer in.close(log)
	last, _, err := in.store.Newest(t.Context())
	if err == nil {
		err = in.checkClock(t.Context(), log)
	}
	if err != nil {
		t.Fatal(err)
	}
	if next, _, err := in.store.Newest(t.Context()); err != nil || next <= last {
		t.Errorf("ids go on from %d with %d: %v", last, next, err)
	}
	// A long silence before the start is no proof against the clock, and no proof for it.
	in.clockWatch = &clock.Watch{Clock: func() time.Time { return time.Now().AddDate(3, 0, 0) }}
	if err := in.checkClock(t.Context(), log); err != nil || in.timeIsOver() {
		t.Errorf("three years later all is believed: %v", err)
	}
}
