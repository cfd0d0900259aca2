package web

import (
	"net/http"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// What is read is recorded before the answer, on the disk like any event. The same reading
// again, by the same session from the same address within readAgain while nobody has saved,
// tells nothing that the trail does not say already, and is not recorded anew
// (docs/adr/0058).
const (
	readAgain = 10 * time.Minute
	maxReads  = 10_000 // remembered of each of two spans
)

// reading is what somebody read: the rows of a report at a version.
type reading struct {
	session, report tianbao.ID
	version         int64
	rows, from      string
}

// readings remembers what was recorded, in the span of readAgain that runs and in the one
// before it. What is forgotten too early is recorded once more. Safe for concurrent use.
type readings struct {
	now clock.Clock

	mu        sync.Mutex
	since     time.Time
	this, old map[reading]time.Time
}

func newReadings(now clock.Clock) *readings {
	return &readings{now: now, since: now(), this: make(map[reading]time.Time)}
}

// known tells whether a reading was recorded within readAgain.
func (l *readings) known(what reading) bool {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.this[what]
	if !ok {
		at, ok = l.old[what]
	}
	age := now.Sub(at)
	return ok && age >= 0 && age < readAgain // a clock that was set back knows nothing
}

// note remembers what has been recorded.
func (l *readings) note(what reading) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= readAgain || len(l.this) >= maxReads {
		l.old, l.this, l.since = l.this, make(map[reading]time.Time), now
	}
	l.this[what] = now
}

// recordRead writes on the trail that the viewer reads rows of the report of the path at a
// version; rows says which.
func (s *Server) recordRead(r *http.Request, v *viewer, version int64, rows string) error {
	what := reading{v.signed.Session, v.report.ID, version, rows, address(r)}
	if s.readings.known(what) {
		return nil
	}
	if err := s.Auth.Record(r.Context(), v.event(r, "report.read", rows)); err != nil {
		return err
	}
	s.readings.note(what)
	return nil
}
