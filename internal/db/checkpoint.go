package db

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// walLimit is the size of the WAL above which the committer itself moves it into
	// the database, so that it begins anew: a passive checkpoint never gets to the end
	// while changes keep coming, and the WAL would grow without bound. The file keeps its
	// length, since to write over what is there is synced in half the time of new length.
	walLimit = 64 << 20
	// walPassive is the growth after which the background checkpoint is woken.
	walPassive = 4 << 20
	// lookEvery is the number of groups after which the size is looked at: a group is far
	// smaller than either limit.
	lookEvery = 8
	// turnWait is how long a new beginning may wait for readers of an old snapshot.
	turnWait = 100 * time.Millisecond
)

// checkpoints moves the WAL into the database outside of commits.
type checkpoints struct {
	conn *sqliteConn // the committer's
	log  *slog.Logger

	wake  chan struct{}
	ended chan struct{}

	// followed is who reads the log and keeps it from being cut before that, if anybody does.
	followed atomic.Pointer[Log]

	frame     int64 // size of a frame
	passiveAt int64 // length of the log at the last wake-up
	groups    int   // since the last look
	turnAt    int64 // length from which it is next tried to let it begin anew; 0: from its limit
}

func newCheckpoints(conn, passive *sqliteConn, log *slog.Logger) *checkpoints {
	p := &checkpoints{conn: conn, log: log, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		for range p.wake {
			if err := passive.run("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
				p.log.Warn("checkpoint", "err", err)
			}
		}
	}()
	return p
}

// after is called by the committer between two groups.
func (p *checkpoints) after() {
	if l := p.followed.Load(); l.holds() {
		p.afterFollowed(l)
		return
	}
	if p.groups++; p.groups < lookEvery {
		return
	}
	p.groups = 0
	size := p.length()
	if size < max(walLimit, p.turnAt) {
		p.passive(size)
		return
	}
	p.passiveAt, p.turnAt = 0, 0
	if !p.turn("RESTART") {
		p.turnAt = size + walLimit/4 // somebody reads an old snapshot
	}
}

// length is how much of the log is in use. The file may be longer.
func (p *checkpoints) length() int64 {
	s, err := p.conn.checkpoint("NOOP", 0)
	if err != nil {
		return 0 // a figure to decide by, at the next look again
	}
	if p.frame == 0 {
		var page int
		if err := p.conn.One(context.Background(), []any{&page}, "PRAGMA page_size"); err != nil {
			return 0
		}
		p.frame = frameSize(page)
	}
	return s.frames * p.frame
}

// afterFollowed is after where somebody follows: the log begins anew when it has been read.
func (p *checkpoints) afterFollowed(l *Log) {
	size := l.length.Load()
	if size < l.o.Turn {
		p.turnAt = 0
	}
	if size < max(l.o.Turn, p.turnAt) {
		p.passive(size)
		return
	}
	p.passiveAt, p.turnAt = 0, 0
	if l.turn(p.conn) {
		return
	}
	if l.waiting() < l.o.Most { // it is somebody else who reads an old snapshot, or it goes on soon
		p.turnAt = size + l.o.Turn/16
		return
	}
	l.giveUp()
	p.turn("RESTART")
}

// passive wakes the checkpoint in the background where it is time.
func (p *checkpoints) passive(size int64) {
	if size < p.passiveAt {
		p.passiveAt = 0
	}
	if size-p.passiveAt >= walPassive {
		p.passiveAt = size
		select {
		case p.wake <- struct{}{}:
		default: // it is at work
		}
	}
}

// turn moves all of the log, so that the next change begins it anew ("RESTART"), or cuts
// it to nothing ("TRUNCATE"), and reports whether that is so: a reader that holds an old
// snapshot can prevent it.
func (p *checkpoints) turn(mode string) bool {
	s, err := p.conn.checkpoint(mode, turnWait)
	if err != nil {
		p.log.Warn("checkpoint", "err", err)
		return false
	}
	return !s.busy
}

// walState is how a checkpoint left the log.
type walState struct {
	busy          bool  // somebody kept it from doing all that it was to do
	frames, moved int64 // that are committed, and of these in the database
}

// checkpoint runs a checkpoint of a mode of SQLite's, waiting at most so long for others.
// "NOOP" moves nothing and tells how the log stands.
func (c *sqliteConn) checkpoint(mode string, wait time.Duration) (s walState, err error) {
	if wait > 0 {
		c.c.SetBusyTimeout(wait)
		defer c.c.SetBusyTimeout(busyTimeout)
	}
	err = c.One(context.Background(), []any{&s.busy, &s.frames, &s.moved}, "PRAGMA wal_checkpoint("+mode+")")
	return s, err
}

// last is called by the committer at its end.
func (p *checkpoints) last() {
	close(p.wake)
	<-p.ended
	p.turn("TRUNCATE")
}
