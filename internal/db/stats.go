package db

import (
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// Stats are figures of an open database for who watches it. Counters begin at 0 when it
// is opened.
type Stats struct {
	// Waiting is how many changes wait (on PostgreSQL: wait or run), Queue how many may.
	Waiting, Queue int
	// Refused counts the changes that were not taken because too many waited, Retried
	// the transactions that PostgreSQL asked for again.
	Refused, Retried uint64
	// Groups is how many changes were committed together, Commit how many seconds making
	// that durable took: on SQLite the fsync of a group, on PostgreSQL a whole transaction.
	Groups, Commit Histogram
	// Failed counts the groups and transactions whose commit failed; Failing: the last did.
	Failed  uint64
	Failing bool
	// Away: the PostgreSQL server is not heard of. Cuts counts how often that was so, Unsure
	// the commits of which nobody knows whether they were made.
	Away         bool
	Cuts, Unsure uint64
	// Busy is how many connections are in use, Open how many there are, Most how many
	// there may be: on SQLite of those that read.
	Busy, Open, Most int
	// Waits counts who had to wait for a connection, on PostgreSQL only.
	Waits uint64
	// WAL is the size of SQLite's write-ahead log in bytes.
	WAL int64
}

// Histogram are counts of values by size.
type Histogram struct {
	// Bounds are upper bounds, ascending; Counts has one more, of what is above them all.
	Bounds []float64
	Counts []uint64
	Sum    float64
}

// meter counts; safe for concurrent use.
type meter struct {
	refused, retried, failed, unsure atomic.Uint64
	failing                          atomic.Bool
	groups, commit                   counts
}

// counts are a Histogram that is being filled. Sums are kept in millionths, so that they
// can be added without a lock.
type counts struct {
	bounds []float64
	n      []atomic.Uint64
	sum    atomic.Uint64
}

const micro = 1e6

func newCounts(bounds ...float64) counts {
	return counts{bounds: bounds, n: make([]atomic.Uint64, len(bounds)+1)}
}

func (c *counts) add(v float64) {
	i, _ := slices.BinarySearch(c.bounds, v)
	c.n[i].Add(1)
	c.sum.Add(uint64(v * micro))
}

func (c *counts) read() Histogram {
	h := Histogram{Bounds: c.bounds, Counts: make([]uint64, len(c.n)), Sum: float64(c.sum.Load()) / micro}
	for i := range c.n {
		h.Counts[i] = c.n[i].Load()
	}
	return h
}

func newMeter() *meter {
	return &meter{
		groups: newCounts(1, 2, 4, 8, 16, 32, 64, 128, 256),
		commit: newCounts(.0002, .0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 5),
	}
}

// committed notes the end of a commit that began at start.
func (m *meter) committed(start time.Time, err error) {
	m.commit.add(time.Since(start).Seconds())
	if m.failing.Store(err != nil); err != nil {
		m.failed.Add(1)
	}
}

func (m *meter) stats() Stats {
	return Stats{
		Refused: m.refused.Load(), Retried: m.retried.Load(), Failed: m.failed.Load(), Failing: m.failing.Load(), Unsure: m.unsure.Load(),
		Groups: m.groups.read(), Commit: m.commit.read(),
	}
}

// Stats returns the figures of now.
func (d *DB) Stats() Stats { return d.engine.Stats() }

// Stats implements the engine.
func (e *sqliteDB) Stats() Stats {
	s := e.commit.meter.stats()
	s.Waiting, s.Queue = len(e.commit.queue), cap(e.commit.queue)
	s.Most = cap(e.readers.places)
	s.Open = e.readers.opened()
	s.Busy = s.Most - len(e.readers.places)
	if st, err := os.Stat(e.commit.durable.wal); err == nil {
		s.WAL = st.Size()
	}
	return s
}

// Stats implements the engine.
func (e *postgresDB) Stats() Stats {
	s := e.meter.stats()
	s.Waiting, s.Queue = int(e.busy.Load()), int(e.queue)
	p := e.pool.Stat()
	s.Busy, s.Open, s.Most = int(p.AcquiredConns()), int(p.TotalConns()), int(p.MaxConns())
	s.Waits = uint64(max(p.EmptyAcquireCount(), 0))
	s.Away, s.Cuts = e.link.away.Load(), e.link.cuts.Load()
	return s
}
