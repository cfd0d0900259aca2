package db

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// durable makes what was committed durable while the committer runs the next group: COMMIT
// writes to the log and does not wait for the disk, durable does, and answers the changes
// then. One group at a time is on its way to the disk.
//
// Between the two others could see what a power cut may still take, so whoever reads is
// answered after it, too: see [durable.settled].
type durable struct {
	wal    string
	sync   func(*os.File) error
	meter  *meter
	log    *slog.Logger
	groups chan group
	synced chan error // the outcome of each group
	ended  chan struct{}

	begun atomic.Uint64 // commits, counted before they can be seen
	mu    sync.Mutex
	done  uint64        // how many of them are on the disk, or failed
	turn  chan struct{} // closed when done grows
}

// group is what one commit did, and when that began; without changes the log is synced as it
// stands, before its commit.
type group struct {
	ran   []*change
	since time.Time
}

func newDurable(wal string, m *meter, log *slog.Logger) *durable {
	d := &durable{wal: wal, sync: syncData, meter: m, log: log, groups: make(chan group), synced: make(chan error, 1), ended: make(chan struct{}), turn: make(chan struct{})}
	go d.run()
	return d
}

func (d *durable) run() {
	defer close(d.ended)
	var log *os.File
	for g := range d.groups {
		var err error
		if log == nil {
			// SQLite keeps its locks on other files, so that closing this one ends none.
			log, err = os.Open(d.wal)
		}
		if err == nil {
			err = d.sync(log)
		}
		if len(g.ran) == 0 {
			if err != nil {
				d.meter.committed(g.since, err) // nothing was, so nothing is in doubt
			}
			d.synced <- err
			continue
		}
		d.note(g.since, err)
		for _, ch := range g.ran {
			if err != nil && ch.good() {
				ch.err = fmt.Errorf("%w: %w", ErrUnsure, err)
			}
			close(ch.done)
		}
		d.reached()
		d.synced <- err
	}
	if log != nil {
		_ = log.Close() // it was only read
	}
}

// note counts a commit, before anybody is told.
func (d *durable) note(since time.Time, err error) {
	if d.meter.committed(since, err); err != nil {
		d.meter.unsure.Add(1)
		d.log.Error("what was committed last was not synced to the disk; nothing more is taken before it is in the database", "err", err)
	}
}

// reached notes that a commit needs no more waiting.
func (d *durable) reached() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done++
	close(d.turn)
	d.turn = make(chan struct{})
}

// settled waits until so many commits of all that were begun are on the disk.
func (d *durable) settled(ctx context.Context, want uint64) error {
	for {
		d.mu.Lock()
		done, turn := d.done, d.turn
		d.mu.Unlock()
		if done >= want {
			return nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain waits until all commits that were begun are on the disk.
func (d *durable) drain() {
	_ = d.settled(context.Background(), d.begun.Load()) // it fails with its context only
}

// close ends it; nothing is on its way any more.
func (d *durable) close() {
	close(d.groups)
	<-d.ended
}
