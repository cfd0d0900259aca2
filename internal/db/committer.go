package db

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
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
	after []func()
	done  chan struct{}
}

// good reports whether a change that ran succeeded.
func (ch *change) good() bool { return ch.err == nil }

// committer owns the one write connection. Its goroutine takes what waits, without
// any timer: while the disk syncs one group, the next one runs and grows.
type committer struct {
	conn  *sqliteConn
	queue chan *change
	group int

	mu     sync.RWMutex // held for reading while sending to queue
	closed bool
	ended  chan struct{}

	points *checkpoints
	meter  *meter

	durable *durable
	syncing bool          // a group is on its way to the disk
	unsure  bool          // the last group did not get there
	spent   time.Duration // on the group that runs

	// beforeCommit stands for a disk that fails; tests set it.
	beforeCommit func() error
}

func newCommitter(conn, passive *sqliteConn, wal string, o Options) *committer {
	w := &committer{
		conn: conn, queue: make(chan *change, o.Queue), group: o.Group,
		ended:  make(chan struct{}),
		points: newCheckpoints(conn, passive, o.Log),
		meter:  newMeter(),
	}
	w.durable = newDurable(wal, w.meter, o.Log)
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
		w.meter.refused.Add(1)
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
	ran := make([]*change, 0, w.group)
	for first := w.next(true); first != nil; first = w.next(true) {
		ran = w.open(first, ran[:0])
		w.settle()
		switch good := succeeded(ran); {
		case good == 0:
			w.giveUp(ran, nil)
		case w.unsure: // nothing is built on what may not be there after a power cut
			w.giveUp(ran, errUnmended)
		default:
			w.meter.groups.add(float64(good))
			w.commit(ran)
		}
		w.points.after()
	}
	w.settle()
	w.durable.close()
	w.points.last()
}

func succeeded(ran []*change) (n int) {
	for _, ch := range ran {
		if ch.good() {
			n++
		}
	}
	return n
}

// next takes a change that waits. Without one it waits itself: for the first of a group
// until there is one, where nil means that there will be none; for others while a group is
// on its way to the disk, and then for those who are on their way to the queue.
func (w *committer) next(first bool) *change {
	for {
		select {
		case ch := <-w.queue:
			return ch
		default:
		}
		switch {
		case w.syncing:
		case first:
			return <-w.queue
		default:
			if w.gather(); len(w.queue) > 0 {
				continue
			}
			return nil
		}
		select {
		case ch := <-w.queue:
			return ch
		case err := <-w.durable.synced:
			w.synced(err)
		}
	}
}

// settle waits until no group is on its way to the disk.
func (w *committer) settle() {
	if w.syncing {
		w.synced(<-w.durable.synced)
	}
}

// synced notes how it went with the group that was on its way.
func (w *committer) synced(err error) {
	w.syncing, w.unsure = false, err != nil
}

// gather lets those run that are on their way to the queue: a commit costs about as much
// for eight changes as for one. It does so as long as each round of it brings somebody; a
// goroutine that is alone comes back at once, so nobody waits for nothing.
func (w *committer) gather() {
	const rounds = 6
	for n, left := 0, rounds; left > 0; left-- {
		runtime.Gosched()
		if m := len(w.queue); m > n {
			n, left = m, rounds
		}
	}
}

// open begins a group with a change and runs what comes until it can be committed. It adds
// what ran to ran. Also those that failed are told with the group: they may have met what
// another one of it did, and look for that.
func (w *committer) open(first *change, ran []*change) []*change {
	err := w.mend()
	if err == nil {
		err = w.conn.again("BEGIN IMMEDIATE")
	}
	if err != nil {
		first.err = fmt.Errorf("db: begin: %w", err)
		return append(ran, first)
	}
	w.spent = 0
	if !w.syncing {
		w.gather()
	}
	alone := !w.syncing && len(w.queue) == 0
	for ch := first; ch != nil; {
		if ch.state.CompareAndSwap(waiting, taken) {
			ran = append(ran, ch)
			if ch.err = ch.ctx.Err(); ch.err == nil {
				start := time.Now() // it only says whether there is one sync or two
				w.one(ch, alone)
				w.spent += time.Since(start)
			}
			if !w.conn.inTx() {
				// The engine gave the whole transaction up (disk full, out of memory):
				// what succeeded before is lost too, and nobody has been told otherwise.
				w.lose(ran, fmt.Errorf("db: the group was rolled back: %w", errors.Join(ch.err, errLost)))
				return ran
			}
		}
		if ch = nil; !alone && len(ran) < w.group {
			ch = w.next(false)
		}
	}
	return ran
}

// mendWait is how long mend waits for those who read an old snapshot.
const mendWait = time.Second

// mend makes durable what a failed sync left in doubt, by moving it into the database:
// only then more may be built on it.
func (w *committer) mend() error {
	if !w.unsure {
		return nil
	}
	if l := w.points.followed.Load(); l.holds() {
		l.Rest() // what it has read may be in doubt, and it keeps the log from being moved
	}
	s, err := w.conn.checkpoint("FULL", mendWait)
	if err == nil && (s.busy || s.moved < s.frames) {
		err = errUnmended
	}
	w.unsure = err != nil
	return err
}

var errUnmended = errors.New("db: a sync failed and what it was for is not in the database yet")

// commit commits what succeeded, and lets the disk begin.
func (w *committer) commit(ran []*change) {
	if w.spent > long && !w.before(ran) {
		return
	}
	since := time.Now() // a figure, never a decision
	w.durable.begun.Add(1)
	if err := w.end(); err != nil {
		w.meter.committed(since, err)
		w.durable.reached()
		w.giveUp(ran, err)
		return
	}
	for _, ch := range ran {
		if ch.good() {
			for _, fn := range ch.after {
				fn()
			}
		}
	}
	w.syncing = true
	w.durable.groups <- group{slices.Clone(ran), since}
}

// long is how long a group must have run to be synced before its commit as well: it wrote
// much, and those who read afterwards shall not wait for all of that.
const long = 50 * time.Millisecond

// before syncs what a group wrote so far, and reports whether that went well.
func (w *committer) before(ran []*change) bool {
	w.durable.groups <- group{since: time.Now()}
	w.syncing = true
	if w.settle(); w.unsure {
		w.giveUp(ran, errUnmended)
	}
	return !w.unsure
}

// giveUp takes back what a group did and tells it why.
func (w *committer) giveUp(ran []*change, err error) {
	w.rollback()
	if err != nil {
		w.lose(ran, fmt.Errorf("db: commit: %w", err))
	}
	for _, ch := range ran {
		close(ch.done)
	}
}

// lose notes that what succeeded is lost.
func (w *committer) lose(ran []*change, err error) {
	for _, ch := range ran {
		if ch.good() {
			ch.err = err
		}
	}
}

// end commits the group. COMMIT returns when it is written to the log.
func (w *committer) end() error {
	if w.beforeCommit != nil {
		if err := w.beforeCommit(); err != nil {
			return err
		}
	}
	if l := w.points.followed.Load(); l != nil {
		return l.commit(w.conn)
	}
	return w.conn.commit()
}

var errLost = errors.New("db: transaction lost")

// one runs a change in its own savepoint, or without one where it is the only one of its
// group: if it fails the whole transaction is given up then. A savepoint keeps a copy of
// each page that is written.
func (w *committer) one(ch *change, alone bool) {
	if alone {
		ch.err = w.call(ch)
		return
	}
	if ch.err = w.conn.again("SAVEPOINT one"); ch.err != nil {
		return
	}
	if ch.err = w.call(ch); ch.err == nil {
		ch.err = w.conn.again("RELEASE one")
		return
	}
	if w.conn.inTx() {
		if err := errors.Join(w.conn.again("ROLLBACK TO one"), w.conn.again("RELEASE one")); err != nil {
			// The savepoint stands, so its change would be committed with the group:
			// give the group up.
			ch.err = errors.Join(ch.err, err)
			w.rollback()
		}
	}
}

// call calls the change's function and catches its panic.
func (w *committer) call(ch *change) (err error) {
	defer func() {
		if p := recover(); p != nil {
			ch.panic = p
			err = fmt.Errorf("db: panic in a change: %v", p)
		}
	}()
	return ch.fn(&sqliteTx{conn: w.conn, ch: ch})
}

func (w *committer) rollback() {
	if w.conn.inTx() {
		_ = w.conn.again("ROLLBACK") // the next BEGIN tells if this failed
	}
}

// sqliteTx is the Tx that a change gets. It hides the rest of the connection.
type sqliteTx struct {
	conn *sqliteConn
	ch   *change
}

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

// After implements [Tx].
func (t *sqliteTx) After(fn func()) { t.ch.after = append(t.ch.after, fn) }

// Send implements [Tx].
func (t *sqliteTx) Send(ctx context.Context, batch []Statement) ([]int64, error) {
	return t.conn.Send(ctx, batch)
}
