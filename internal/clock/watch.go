package clock

import (
	"sync"
	"time"
)

// slack is what may lie between the clock and the time that has passed without being a jump:
// a clock that is steered by NTP runs at most half a thousandth fast or slow.
const slack = time.Second

// Watch notices when the machine's clock is set while the program runs: it goes apart from
// the time that has passed. A machine that stood still (a suspended virtual one) is one whose
// clock was set forward. Call Look every few seconds. Safe for concurrent use.
type Watch struct {
	Clock Clock
	// Passed tells how much time has passed since some moment, whatever the clock says; nil:
	// by the monotonic reading of what Clock tells, which the system's has.
	Passed func() time.Duration

	mu     sync.Mutex
	begun  time.Time
	wall   time.Time
	passed time.Duration
	jumps  int
	net    time.Duration
	doubt  time.Duration // until when, in passed time
}

// Jumps are how often a clock was set, and how far it has been set altogether.
type Jumps struct {
	N   int
	Net time.Duration
}

// Look returns how far the clock was set since the last look, 0: it was not.
func (w *Watch) Look() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Clock()
	passed := w.since(now)
	jump := now.Round(0).Sub(w.wall) - (passed - w.passed) // Round drops the monotonic reading
	first := w.wall.IsZero()
	w.wall, w.passed = now.Round(0), passed
	if first || jump.Abs() < slack {
		return 0
	}
	w.jumps++
	w.net += jump
	return jump
}

func (w *Watch) since(now time.Time) time.Duration {
	if w.Passed != nil {
		return w.Passed()
	}
	if w.begun.IsZero() {
		w.begun = now
	}
	return now.Sub(w.begun)
}

// Doubt says that the clock is not to be trusted for some time, beginning now. No time takes
// the doubt back.
func (w *Watch) Doubt(length time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.doubt = 0; length > 0 {
		w.doubt = w.since(w.Clock()) + length
	}
}

// Doubted reports whether the clock is not to be trusted yet.
func (w *Watch) Doubted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.doubt > 0 && w.since(w.Clock()) < w.doubt
}

// Jumps returns what has been noticed so far.
func (w *Watch) Jumps() Jumps {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Jumps{w.jumps, w.net}
}
