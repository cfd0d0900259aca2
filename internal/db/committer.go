package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// The states of a change.
const (
	waiting int32 = iota
	taken         // the committer runs it; its outcome will be told
	gone          // its sender stopped waiting; it never runs
)

// change is a function that waits to be run and committed.
type change struct {
	ctx   context.Context
	fn    func(Tx) error
	state atomic.Int32
	err   error
	panic any // what fn panicked with
	done  chan struct{}
}

// committer owns the one write connection. Its goroutine takes what waits, without
// any timer: while one fsync runs, the next group gathers.
type committer struct {
	conn  *sqliteConn
	queue chan *change
	group int

	mu     sync.RWMutex // held for reading while sending to queue
	closed bool
	ended  chan struct{}

	points *checkpoints

	// beforeCommit stands for a disk that fails; tests set it.
	beforeCommit func() error
}

func newCommitter(conn, passive *sqliteConn, wal string, o Options) *committer {
	w := &committer{
		conn: conn, queue: make(chan *change, o.Queue), group: o.Group,
		ended:  make(chan struct{}),
		points: newCheckpoints(conn, passive, wal, o.Log),
	}
	go w.run()
	return w
}

// do hands fn to the committer and waits for its outcome.
func (w *committer) do(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ch := &change{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := w.send(ch); err != nil {
		return err
	}
	select {
	case <-ch.done:
	case <-ctx.Done():
		if ch.state.CompareAndSwap(waiting, gone) {
			return ctx.Err()
		}
		<-ch.done
	}
	if ch.panic != nil {
		panic(ch.panic) // where the sender can recover it, as in any call
	}
	return ch.err
}

func (w *committer) send(ch *change) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- ch:
		return nil
	default:
		return ErrBusy
	}
}

// close refuses new changes and waits until the last one is committed.
func (w *committer) close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	select {
	case <-w.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *committer) run() {
	defer close(w.ended)
	batch := make([]*change, 0, w.group)
	for first := range w.queue {
		batch = append(batch[:0], first)
	drain:
		for len(batch) < w.group {
			select {
			case ch, ok := <-w.queue:
				if !ok {
					break drain
				}
				batch = append(batch, ch)
			default:
				break drain
			}
		}
		w.commit(batch)
		for _, ch := range batch {
			close(ch.done) // after the fsync, never before
		}
		clear(batch)
		w.points.after()
	}
	w.points.last()
}

// commit runs the changes of a group and commits those that succeeded.
func (w *committer) commit(batch []*change) {
	if err := w.conn.run("BEGIN IMMEDIATE"); err != nil {
		for _, ch := range batch {
			ch.err = fmt.Errorf("db: begin: %w", err)
		}
		return
	}
	good := make([]*change, 0, len(batch))
	for i, ch := range batch {
		if !ch.state.CompareAndSwap(waiting, taken) {
			continue
		}
		if ch.err = ch.ctx.Err(); ch.err != nil {
			continue
		}
		if w.one(ch) {
			good = append(good, ch)
		}
		if !w.conn.inTx() {
			// The engine gave the whole transaction up (disk full, out of memory):
			// what succeeded before is lost too, and nobody has been told otherwise.
			for _, other := range append(good, batch[i+1:]...) {
				other.err = fmt.Errorf("db: the group was rolled back: %w", errors.Join(ch.err, errLost))
			}
			return
		}
	}
	if len(good) == 0 {
		w.rollback()
		return
	}
	if err := w.end(); err != nil {
		for _, ch := range good {
			ch.err = fmt.Errorf("db: commit: %w", err)
		}
		w.rollback()
	}
}

// end commits the group. COMMIT returns when the WAL is synced.
func (w *committer) end() error {
	if w.beforeCommit != nil {
		if err := w.beforeCommit(); err != nil {
			return err
		}
	}
	return w.conn.run("COMMIT")
}

var errLost = errors.New("db: transaction lost")

// one runs a change in its own savepoint and reports whether it succeeded.
func (w *committer) one(ch *change) bool {
	if ch.err = w.conn.run("SAVEPOINT one"); ch.err != nil {
		return false
	}
	ch.err = w.call(ch)
	if ch.err == nil && ch.panic == nil {
		ch.err = w.conn.run("RELEASE one")
		return ch.err == nil
	}
	if w.conn.inTx() {
		if err := errors.Join(w.conn.run("ROLLBACK TO one"), w.conn.run("RELEASE one")); err != nil {
			// The savepoint stands, so its change would be committed with the group:
			// give the group up.
			ch.err = errors.Join(ch.err, err)
			w.rollback()
		}
	}
	return false
}

// call calls the change's function and catches its panic.
func (w *committer) call(ch *change) error {
	defer func() {
		if p := recover(); p != nil {
			ch.panic = p
			ch.err = fmt.Errorf("db: panic in a change: %v", p)
		}
	}()
	return ch.fn(&sqliteTx{conn: w.conn})
}

func (w *committer) rollback() {
	if w.conn.inTx() {
		_ = w.conn.run("ROLLBACK") // the next BEGIN tells if this failed
	}
}

// sqliteTx is the Tx that a change gets. It hides the rest of the connection.
type sqliteTx struct{ conn *sqliteConn }

// Each implements [Tx].
func (t *sqliteTx) Each(ctx context.Context, fn func(Scan) error, sql string, args ...any) error {
	return t.conn.Each(ctx, fn, sql, args...)
}

// One implements [Tx].
func (t *sqliteTx) One(ctx context.Context, dest []any, sql string, args ...any) error {
	return t.conn.One(ctx, dest, sql, args...)
}

// Exec implements [Tx].
func (t *sqliteTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return t.conn.Exec(ctx, sql, args...)
}

// Hold implements [Tx].
func (t *sqliteTx) Hold(context.Context, int64, bool) error { return nil }

// Send implements [Tx].
func (t *sqliteTx) Send(ctx context.Context, batch []Statement) ([]int64, error) {
	return t.conn.Send(ctx, batch)
}
