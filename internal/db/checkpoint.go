package db

import (
	"log/slog"
	"os"
	"time"
)

const (
	// walLimit is the size of the WAL above which the committer itself moves it into
	// the database and cuts it off: a passive checkpoint never gets to the end while
	// changes keep coming, and the WAL would grow without bound.
	walLimit = 64 << 20
	// walPassive is the growth after which the background checkpoint is woken.
	walPassive = 4 << 20
	// passiveEvery is the number of groups after which it is woken in any case once
	// the WAL is walPassive long: a WAL that is used again from its start does not
	// grow.
	passiveEvery = 128
	// truncateWait is how long a cut may wait for readers of an old snapshot.
	truncateWait = 100 * time.Millisecond
)

// checkpoints moves the WAL into the database outside of commits.
type checkpoints struct {
	conn *sqliteConn // the committer's
	wal  string
	log  *slog.Logger

	wake  chan struct{}
	ended chan struct{}

	passiveAt int64 // size of the WAL at the last wake-up
	groups    int   // since then
	cutAt     int64 // size from which the next cut is tried
}

func newCheckpoints(conn, passive *sqliteConn, wal string, log *slog.Logger) *checkpoints {
	p := &checkpoints{conn: conn, wal: wal, log: log, wake: make(chan struct{}, 1), ended: make(chan struct{}), cutAt: walLimit}
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
	st, err := os.Stat(p.wal)
	if err != nil {
		return // no WAL, nothing to move
	}
	size := st.Size()
	p.groups++
	if size >= p.cutAt {
		p.cut()
		return
	}
	if size < p.passiveAt {
		p.passiveAt = 0
	}
	if size-p.passiveAt >= walPassive || size >= walPassive && p.groups >= passiveEvery {
		p.passiveAt, p.groups = size, 0
		select {
		case p.wake <- struct{}{}:
		default: // it is at work
		}
	}
}

// cut moves all of the WAL and cuts it to nothing. A reader that holds an old
// snapshot can prevent it; then it is tried again after some more growth.
func (p *checkpoints) cut() {
	p.conn.c.SetBusyTimeout(truncateWait)
	defer p.conn.c.SetBusyTimeout(busyTimeout)
	if err := p.conn.run("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		p.log.Warn("checkpoint", "err", err)
	}
	p.passiveAt, p.groups, p.cutAt = 0, 0, walLimit
	if st, err := os.Stat(p.wal); err == nil && st.Size() >= walLimit {
		p.cutAt = st.Size() + walLimit/4
	}
}

// last is called by the committer at its end.
func (p *checkpoints) last() {
	close(p.wake)
	<-p.ended
	p.cut()
}
