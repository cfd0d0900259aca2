package db

import (
	"context"
	"fmt"
	"time"
)

// What the committer does for who follows its log, and the copy of the whole.

// commit commits and notes when, and at which frame.
func (l *Log) commit(conn *sqliteConn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := conn.commit(); err != nil || l.lost {
		return err
	}
	s, err := conn.checkpoint("NOOP", 0)
	if err != nil {
		return nil // the commit stands; it gets the time of the next look
	}
	at := l.stampNow()
	l.stamps = append(l.stamps, stamp{s.frames, at})
	l.oldest.CompareAndSwap(0, at.UnixMicro())
	l.length.Store(s.frames * l.frame)
	select {
	case l.wake <- struct{}{}:
	default: // it has one
	}
	return nil
}

// holds reports whether the log is kept for somebody.
func (l *Log) holds() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.lost
}

// turn lets the log begin anew, between two groups: what has not been taken is read into
// memory, if it is not too much, the rest of the log is moved, and the transaction that is
// held becomes one that needs nothing of it. The next change begins at the start.
// It reports whether that is so; else it is tried again after some more growth.
func (l *Log) turn(conn *sqliteConn) bool {
	if !l.reading.TryLock() {
		return false // it is being taken, perhaps by a slow disk
	}
	defer l.reading.Unlock()
	if !l.readAhead() {
		return false
	}
	if err := conn.run("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		l.o.Log.Warn("checkpoint", "err", err)
		return false
	}
	if !l.readAhead() || !l.freely {
		return false // another checkpoint is at work, or an older snapshot is being read
	}
	if !l.points.turn("RESTART") { // it waits for others that began a moment ago
		return false
	}
	l.length.Store(0)
	l.read.Store(0)
	return true
}

// waiting is how much of the log nobody has read.
func (l *Log) waiting() int64 { return l.length.Load() - l.read.Load() }

// readAhead reads what is committed into memory.
func (l *Log) readAhead() bool {
	n, freely, err := l.see(nil)
	if err != nil {
		return false
	}
	was := len(l.ahead)
	fits := int64(was)+int64(n-l.next)*l.frame <= l.o.Ahead
	sum := l.sum
	if fits {
		sum, err = l.frames(n, func(frame []byte) error {
			l.ahead = append(l.ahead, frame...)
			return nil
		})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !fits || err != nil || l.lost {
		l.ahead = l.ahead[:was]
		l.unpin()
		return false
	}
	l.sum, l.next, l.sure, l.freely = sum, n, n, freely
	l.read.Store(int64(n) * l.frame)
	l.swap()
	return true
}

// giveUp lets the log be cut although it was not taken.
func (l *Log) giveUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.o.Log.Warn("the log of changes was given up before it was copied; a new base copy follows", "bytes", l.waiting())
	l.lose()
}

// Rest lets the log go until [Log.Begin], where what is taken cannot be kept.
func (l *Log) Rest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lose()
}

// Copy is the whole database page by page. Its pages are of some commit from frame From
// to frame To of those that [Log.Read] gives, so that with the frames up to To it is the
// database of that moment, At.
type Copy struct {
	From, To int64
	At       time.Time
	PageSize int
	Pages    int
	conn     *sqliteConn
}

// Copy begins a copy of what is committed now. There may be one at a time, and it must be
// closed; until then the log grows.
func (l *Log) Copy() (*Copy, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	n, _, err := l.see(l.whole)
	if err != nil {
		return nil, err
	}
	l.durable.drain()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unpin()
	c := &Copy{From: l.taken, To: l.before + int64(n), At: l.last, PageSize: l.page, conn: l.whole}
	if err := c.conn.One(context.Background(), []any{&c.Pages}, "PRAGMA page_count"); err != nil {
		return nil, fmt.Errorf("db: copy: %w", err)
	}
	return c, nil
}

// Each gives the pages in order. data is another one each time.
func (c *Copy) Each(ctx context.Context, fn func(data []byte) error) error {
	c.conn.stopWith(ctx)
	defer c.conn.calm()
	next := 1
	err := c.conn.Each(ctx, func(scan Scan) error {
		var page int
		var data []byte
		if err := scan(&page, &data); err != nil {
			return err
		}
		if page != next || len(data) != c.PageSize {
			return fmt.Errorf("db: copy: page %d of %d bytes instead of page %d", page, len(data), next)
		}
		next++
		return fn(data)
	}, "SELECT d.pgno, d.data FROM sqlite_dbpage('main') d")
	if err == nil && next != c.Pages+1 {
		err = fmt.Errorf("db: copy: %d pages instead of %d", next-1, c.Pages)
	}
	return err
}

// Close ends the copy.
func (c *Copy) Close() { end(c.conn) }
