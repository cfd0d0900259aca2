package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrGap: changes were committed that cannot be read any more, since the log had to be
// cut, or another program cut it. Whoever follows takes a copy and begins anew.
var ErrGap = errors.New("db: what was committed is not whole any more")

const (
	// aheadMost is how much of a log is read into memory so that it may begin anew before
	// it has been taken.
	aheadMost = 16 << 20
	// heldLeast is how much may wait before it is given up, in bytes, at least.
	heldLeast = 512 << 20
	// readFrames is how many frames are read at once.
	readFrames = 32
)

// FollowOptions say how a log is followed.
type FollowOptions struct {
	// Now tells when a commit was made.
	Now func() time.Time
	// Log receives what no caller can be told.
	Log *slog.Logger
	// Turn is the length in bytes from which the log begins anew (default 64 MB).
	Turn int64
	// Ahead is how much is read into memory for that (default 16 MB).
	Ahead int64
	// Most is how much of it may wait to be read before it is given up (default 512 MB, or
	// half the database).
	Most int64
}

// Frame is a page as a commit wrote it.
type Frame struct {
	Page uint32
	Data []byte // valid until the next frame
	// Pages is how many pages the database has after the commit whose last frame this is;
	// 0 where more of it follows. At is when it was committed: after the change was asked
	// for and before it was answered.
	Pages uint32
	At    time.Time
}

// Log follows what is committed to an SQLite database, by whatever process, frame by
// frame, by reading its write-ahead log.
//
// The log begins anew at its start when all of it has been moved into the database and no
// reader needs it. So that no frame is overwritten before it was read, a Log always holds
// a read transaction, and takes the next before it lets go of the last. One of a snapshot
// that is in the log keeps it from beginning anew; one that needs nothing of the log (all
// had been moved when it began) lets it begin anew right after what it sees, and not after
// another frame, since nothing that comes then can be moved while it lasts. So between two
// looks the log is the same and longer, or, if it might, has begun anew right after what was
// read. The salts of its head tell which, and bind each frame to it; the sums of frames
// tell the rest. Anything else is [ErrGap]: a program that does not keep SQLite's locks, or
// the limit of [FollowOptions].
type Log struct {
	o      FollowOptions
	points *checkpoints
	// durable tells when what is committed is on the disk.
	durable *durable
	wal     *os.File
	wake    chan struct{}
	frame   int64 // size of a frame
	page    int

	length atomic.Int64 // of the log, in bytes, after the last commit of this process
	read   atomic.Int64 // how much of that has been read
	oldest atomic.Int64 // µs: when the first commit was made that has not been taken; 0: none

	// reading is held by whoever reads frames: who takes them, or the committer at a turn.
	// Taking may last, so the committer never waits for it.
	reading sync.Mutex
	head    walHead
	begun   bool   // head has been seen
	sum     walSum // after frame next
	next    uint32 // how many frames of head have been read
	sure    uint32 // how many when the transaction that is held began
	freely  bool   // that one needs nothing of the log
	before  int64  // how many frames there were before the first of head
	taken   int64  // how many frames have been given away, of all
	ahead   []byte // frames that were read and not given away
	times   []stamp
	buf     []byte

	// mu is held for moments only, also by the committer.
	mu          sync.Mutex
	held, free  *sqliteConn // the transaction that is held, and the connection of the next
	look, whole *sqliteConn
	stamps      []stamp // commits of this process since the last look
	last        time.Time
	lost        bool
	closed      bool
}

// stamp is when a commit was made, by the frame that ends it.
type stamp struct {
	frame int64
	at    time.Time
}

// Follow begins to follow the log. There may be one Log at a time, which must be closed
// before the database.
func (d *DB) Follow(o FollowOptions) (*Log, error) {
	e, ok := d.engine.(*sqliteDB)
	if !ok {
		return nil, fmt.Errorf("db: follow %s: %w", d.kind, errors.ErrUnsupported)
	}
	return e.follow(o)
}

func (e *sqliteDB) follow(o FollowOptions) (_ *Log, err error) {
	p := e.commit.points
	l := &Log{o: o, points: p, durable: e.commit.durable, wake: make(chan struct{}, 1)}
	if l.o.Log == nil {
		l.o.Log = p.log
	}
	if l.o.Turn <= 0 {
		l.o.Turn = walLimit
	}
	if l.o.Ahead <= 0 {
		l.o.Ahead = aheadMost
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	for _, c := range []**sqliteConn{&l.held, &l.free, &l.look, &l.whole} {
		if *c, err = openConn(e.path, false, "cache_size = -1000", "temp_store = MEMORY"); err != nil {
			return nil, fmt.Errorf("db: follow: %w", err)
		}
	}
	ctx := context.Background()
	var pages int64
	if err := errors.Join(l.look.One(ctx, []any{&l.page}, "PRAGMA page_size"), l.look.One(ctx, []any{&pages}, "PRAGMA page_count")); err != nil {
		return nil, fmt.Errorf("db: follow: %w", err)
	}
	l.frame = frameSize(l.page)
	l.buf = make([]byte, readFrames*l.frame)
	if l.o.Most <= 0 {
		l.o.Most = max(heldLeast, pages*int64(l.page)/2)
	}
	// The log is there: the database is in WAL mode and has a writer. No lock of SQLite's
	// is on this file, so it may be opened and closed beside it.
	if l.wal, err = os.Open(e.commit.durable.wal); err != nil {
		return nil, fmt.Errorf("db: follow: %w", err)
	}
	if err := l.Begin(); err != nil {
		return nil, err
	}
	if !p.followed.CompareAndSwap(nil, l) {
		return nil, errors.New("db: the log is followed already")
	}
	return l, nil
}

// beginTries is how often the place to begin is looked for.
const beginTries = 10

var errMoved = errors.New("db: the log has begun anew meanwhile")

// PageSize is the size of a page.
func (l *Log) PageSize() int { return l.page }

// Wake has a value after a commit.
func (l *Log) Wake() <-chan struct{} { return l.wake }

// Oldest is when the first commit was made that has not been taken; zero: there is none.
func (l *Log) Oldest() time.Time {
	if us := l.oldest.Load(); us != 0 {
		return time.UnixMicro(us)
	}
	return time.Time{}
}

// Begin takes what is committed from now on, counted from 0. What was before is lost for
// the Log, and in a [Log.Copy] only.
func (l *Log) Begin() error {
	l.reading.Lock()
	defer l.reading.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	var n uint32
	var freely bool
	for try := 1; ; try++ {
		err := l.pin()
		if err == nil {
			l.head, l.begun, n, freely, err = l.now()
		}
		l.begun, l.next, l.sum = l.begun && n > 0 && l.head.page == l.page, 0, l.head.sum
		if err == nil && l.begun {
			// The log may begin anew just now, where the transaction needs nothing of it.
			frame := l.buf[:l.frame]
			if _, err = l.wal.ReadAt(frame, l.head.offset(n)); err == nil && frameSalt(frame) != l.head.salt {
				err = errMoved
			}
			l.next, l.sum = n, storedSum(frame)
		}
		if err == nil {
			break
		}
		if l.unpin(); try == beginTries {
			return fmt.Errorf("db: follow: %w", err)
		}
	}
	l.sure, l.before, l.taken = l.next, -int64(l.next), 0
	l.ahead, l.times, l.stamps = nil, nil, nil
	l.lost, l.last = false, time.Time{}
	l.length.Store(int64(l.next) * l.frame)
	l.read.Store(int64(l.next) * l.frame)
	l.oldest.Store(0)
	l.freely = freely
	l.swap()
	return nil
}

// errStop ends reading at the end of a commit.
var errStop = errors.New("db: enough")

// Read gives the frames that were committed and not yet taken to fn, in order, whole
// commits, and then calls done. After some most bytes it stops, and more tells so. If fn or
// done fails, all of them come again the next time. On [ErrGap] nothing more comes before
// Begin.
func (l *Log) Read(most int64, fn func(Frame) error, done func() error) (more bool, err error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	n, freely, err := l.see(nil)
	if err != nil {
		return false, err
	}
	l.durable.drain() // what a power cut takes back goes nowhere
	i, size, times := l.taken, int64(0), l.times
	give := func(frame []byte) error {
		i++
		size += l.frame
		f := Frame{Data: frame[walFrameHead:]}
		if f.Page, f.Pages = framePage(frame); f.Pages != 0 {
			for len(times) > 1 && times[0].frame < i {
				times = times[1:]
			}
			f.At = times[0].at // see leaves no commit without a time
		}
		err := fn(f)
		if err == nil && f.Pages != 0 && size >= most {
			return errStop
		}
		return err
	}
	ahead, sum, next := l.ahead, l.sum, l.next
	for len(ahead) > 0 && err == nil {
		err = give(ahead[:l.frame])
		ahead = ahead[l.frame:]
	}
	if err == nil {
		sum, err = l.frames(n, give)
		next = uint32(i - l.before) //nolint:gosec // a number of frames of one log
	}
	if errors.Is(err, errStop) {
		err, more = nil, len(ahead) > 0 || next < n
	}
	if err == nil {
		err = done()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost && err == nil {
		err = ErrGap // what was read is right, but what follows is not known
	}
	if err != nil {
		l.unpin()
		if errors.Is(err, ErrGap) {
			l.lose()
		}
		return false, err
	}
	l.sum, l.next, l.taken, l.ahead = sum, next, i, ahead
	l.read.Store(int64(next) * l.frame)
	for len(l.times) > 0 && l.times[0].frame <= i {
		l.times = l.times[1:]
	}
	if more {
		l.unpin() // what is held stays until all has been read
		l.oldest.Store(l.times[0].at.UnixMicro())
		return true, nil
	}
	l.sure, l.freely = n, freely
	l.swap()
	l.oldest.Store(0)
	if len(l.stamps) > 0 {
		l.oldest.Store(l.stamps[0].at.UnixMicro())
	}
	return false, nil
}

// see pins what is committed now and returns how many frames of the head that is, and
// whether the transaction needs none of them. It notes that the log has begun anew. The
// caller keeps the new transaction by swap, or ends it by unpin. also is a connection that
// begins a transaction just before.
func (l *Log) see(also *sqliteConn) (n uint32, freely bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, false, ErrClosed
	}
	if l.lost {
		return 0, false, ErrGap
	}
	if err := l.pin(); err != nil {
		return 0, false, err
	}
	if also != nil {
		if err := begin(also); err != nil {
			l.unpin()
			return 0, false, err
		}
	}
	head, begun, n, freely, err := l.now()
	if err == nil {
		n, err = l.place(head, begun, n)
	}
	if err != nil {
		l.unpin()
		if errors.Is(err, ErrGap) {
			l.lose()
		}
		return 0, false, err
	}
	at := l.stampNow()
	for _, s := range l.stamps {
		l.times = append(l.times, stamp{l.before + s.frame, s.at})
	}
	l.stamps = l.stamps[:0]
	if end := l.before + int64(n); len(l.times) == 0 || l.times[len(l.times)-1].frame < end {
		l.times = append(l.times, stamp{end, at}) // what other processes committed
	}
	return n, freely, nil
}

// place finds the place of what is seen in what was read.
func (l *Log) place(head walHead, begun bool, n uint32) (uint32, error) {
	switch {
	case n == 0: // nothing since the log began anew, if it did
		return l.next, nil
	case !begun || head.page != l.page:
		return 0, fmt.Errorf("db: a log without a head: %w", ErrGap)
	case l.begun && head.same(&l.head):
		if n < l.next {
			return 0, fmt.Errorf("db: the log has become shorter: %w", ErrGap)
		}
		return n, nil
	case l.begun && (!l.freely || l.next != l.sure):
		return 0, fmt.Errorf("db: the log has begun anew too early: %w", ErrGap)
	}
	l.before += int64(l.next)
	l.begun, l.head, l.sum, l.next, l.sure = true, head, head.sum, 0, 0
	l.read.Store(0)
	return n, nil
}

// now reads the head and how many frames are committed, both of one moment; freely:
// all of them are in the database too.
func (l *Log) now() (head walHead, begun bool, n uint32, freely bool, err error) {
	for range 100 {
		was, there := l.readHead()
		s, err := l.look.checkpoint("NOOP", 0)
		if err != nil {
			return head, false, 0, false, err
		}
		if head, begun = l.readHead(); there == begun && head == was {
			return head, begun, uint32(max(s.frames, 0)), s.moved >= s.frames, nil //nolint:gosec // SQLite counts frames in 32 bits
		}
	}
	return head, false, 0, false, errors.New("db: the log's head does not rest")
}

func (l *Log) readHead() (walHead, bool) {
	var b [walHeadSize]byte
	if _, err := l.wal.ReadAt(b[:], 0); err != nil {
		return walHead{}, false
	}
	h, ok := parseWALHead(b[:])
	if !ok {
		return walHead{}, false
	}
	return h, true
}

// frames reads those up to n and checks them.
func (l *Log) frames(n uint32, fn func([]byte) error) (walSum, error) {
	sum := l.sum
	for i := l.next; i < n; {
		b := l.buf[:min(int64(n-i), readFrames)*l.frame]
		if _, err := l.wal.ReadAt(b, l.head.offset(i+1)); err != nil {
			return sum, fmt.Errorf("db: read the log: %w", err)
		}
		for ; len(b) > 0; b = b[l.frame:] {
			var ok bool
			if sum, ok = l.head.check(sum, b[:l.frame]); !ok {
				return sum, fmt.Errorf("db: frame %d is another: %w", i+1, ErrGap)
			}
			if err := fn(b[:l.frame]); err != nil {
				return sum, err
			}
			i++
		}
	}
	return sum, nil
}

// stampNow never goes back, whatever the clock does.
func (l *Log) stampNow() time.Time {
	if now := l.o.Now(); now.After(l.last) {
		l.last = now
	}
	return l.last
}

// begin begins a read transaction on what is committed now.
func begin(c *sqliteConn) error {
	if err := c.again("BEGIN"); err != nil {
		return fmt.Errorf("db: begin: %w", err)
	}
	var one int
	if err := c.One(context.Background(), []any{&one}, "SELECT COUNT(*) FROM (SELECT 1 FROM sqlite_schema LIMIT 1)"); err != nil {
		return errors.Join(err, c.again("ROLLBACK"))
	}
	return nil
}

// pin begins the next transaction, beside the one that is held.
func (l *Log) pin() error { return begin(l.free) }

func (l *Log) unpin() { end(l.free) }

// swap lets go of the last transaction.
func (l *Log) swap() {
	l.held, l.free = l.free, l.held
	end(l.free)
}

func end(c *sqliteConn) {
	if c != nil && c.inTx() {
		_ = c.again("ROLLBACK") // a transaction that has read nothing but its beginning
	}
}

// lose gives up what was not taken: nothing keeps the log any more.
func (l *Log) lose() {
	l.lost = true
	end(l.held)
	end(l.free)
	l.stamps = nil
}

// Close lets the log go.
func (l *Log) Close() error {
	l.points.followed.CompareAndSwap(l, nil)
	l.reading.Lock()
	defer l.reading.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.lose()
	var err error
	for _, c := range []*sqliteConn{l.held, l.free, l.look, l.whole} {
		if c != nil {
			err = errors.Join(err, c.close())
		}
	}
	if l.wal != nil {
		err = errors.Join(err, l.wal.Close())
	}
	return err
}
