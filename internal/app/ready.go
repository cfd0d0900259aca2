package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/web"
)

const (
	// readyFor is how long an answer holds, so that asking often costs nothing.
	readyFor = time.Second
	// readyWait is how long the database may take.
	readyWait = 3 * time.Second
	// leastFree is how much room the disk must have: a WAL at its limit, and what is
	// written while somebody comes.
	leastFree = 128 << 20
	// aheadGrace is how long a server goes on being ready on a schema that a newer program
	// has made: until that one is ready itself, so that an upgrade of several servers
	// leaves no moment without one.
	aheadGrace = 30 * time.Second
)

// readiness tells whether people should be sent to this server.
type readiness struct {
	in       *installation
	keyFile  string
	disk     string // where what is written goes
	now      clock.Clock
	stopping atomic.Bool
	free     func(string) (free, all uint64, known bool)

	mu     sync.Mutex
	at     time.Time
	last   []web.Check
	schema int64     // of this program
	ahead  time.Time // since when the database's is newer
}

func newReadiness(ctx context.Context, in *installation, p *place) (*readiness, error) {
	r := &readiness{in: in, keyFile: p.keyFile, disk: p.data, now: clock.System, free: freeOn}
	if in.db.Kind() == db.SQLite {
		r.disk = filepath.Dir(p.db)
	}
	var err error
	r.schema, err = in.store.Schema(ctx) // opening brought it up to this program's
	return r, err
}

// checks are all of them, in the order of their urgency.
func (r *readiness) checks(ctx context.Context) []web.Check {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); r.last == nil || now.Sub(r.at) >= readyFor || now.Before(r.at) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWait)
		defer cancel()
		r.last = []web.Check{
			{Name: "database", Trouble: r.database(ctx)},
			{Name: "schema", Trouble: r.schemaTrouble(ctx, now)},
			{Name: "disk", Trouble: r.diskTrouble()},
			{Name: "keys", Trouble: r.keyTrouble()},
		}
		r.at = now
	}
	stop := web.Check{Name: "running"}
	if r.stopping.Load() {
		stop.Trouble = "stopping"
	}
	return append([]web.Check{stop}, r.last...)
}

// database says whether a change would be taken. One that is refused because many wait is
// no trouble of the database: elsewhere they would wait for the same one.
func (r *readiness) database(ctx context.Context) string {
	switch err := r.in.store.Writable(ctx); {
	case err == nil, errors.Is(err, db.ErrBusy):
		return ""
	case db.IsFull(err):
		return "full"
	}
	return "unavailable"
}

func (r *readiness) schemaTrouble(ctx context.Context, now time.Time) string {
	v, err := r.in.store.Schema(ctx)
	switch {
	case err != nil:
		return "unavailable"
	case v < r.schema:
		return "behind"
	case v == r.schema:
		r.ahead = time.Time{}
	case r.ahead.IsZero():
		r.ahead = now
	case now.Sub(r.ahead) > aheadGrace:
		return "ahead"
	}
	return ""
}

func (r *readiness) diskTrouble() string {
	if free, _, known := r.free(r.disk); known && free < leastFree {
		return "full"
	}
	return ""
}

func (r *readiness) keyTrouble() string {
	f, err := os.Open(r.keyFile)
	if err != nil {
		return "missing"
	}
	_ = f.Close() // it was only read
	return ""
}
