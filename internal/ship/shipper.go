package ship

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tianbao/internal/db"
	"tianbao/internal/seal"
)

const (
	// gather is how long commits are gathered before they are written, look how often it is
	// looked for those of other processes.
	gather = 300 * time.Millisecond
	look   = time.Second
	// stateEvery is how often it is written down that nothing more was committed, besides
	// the first time.
	stateEvery = 10 * time.Second
	// again is how long to wait after a failure, at first and at most; tellEvery how often
	// it is told.
	againFirst, againMost, tellEvery = time.Second, 15 * time.Second, 10 * time.Minute
	// lastTries is how often it is tried again at the end.
	lastTries = 5
	// A base is made at night when it has lasted baseNight, else after baseMost, and when
	// the logs since are logTimes its size.
	baseNight, baseMost = 20 * time.Hour, 36 * time.Hour
	baseAgain           = 10 * time.Minute // after one that failed
	logTimes            = 4
	logLeast            = 64 << 20
	// logMost is how many bytes of frames a log gets, but whole commits: what there is to
	// be caught up with is not begun anew each time.
	logMost = 32 << 20
	// joinAt is how many small logs become one.
	joinAt = 60
	// clockBack is how far the clock may go back before a line is ended: in a line times only
	// grow.
	clockBack = time.Minute
)

// Options say what is shipped where.
type Options struct {
	DB   *db.DB
	Dir  string // it may be away at the start too
	Seal seal.Pieces
	Keep time.Duration
	Now  func() time.Time
	Log  *slog.Logger
	// Follow is how the log is followed; Now and Log of it are those of above.
	Follow db.FollowOptions
	// Night tells whether it is a time for a base (default: any).
	Night func(time.Time) bool
}

// Status is how shipping fares.
type Status struct {
	// Behind is for how long something is committed that is not in the folder.
	Behind time.Duration
	// Trouble is why nothing can be written there, nil: it can.
	Trouble error
	// Base is when the newest base was made; zero: there is none of this process.
	Base time.Time
	// Bytes, Files and Failed count what was written and how often it could not be; Gaps
	// counts the lines that ended because something was missed.
	Bytes, Files, Failed, Gaps uint64
}

// Shipper copies what is committed into a folder.
type Shipper struct {
	o    Options
	log  *db.Log
	pack *packer
	join *packer

	folder os.FileInfo // as it was at first; of Run's goroutine after New

	// of the line that is being written; of Run's goroutine
	line   string
	known  string // the last one that was there
	sums   sums
	at     int64 // frames that are in the folder
	base   int64 // the frame of the newest base
	baseAt time.Time
	size   int64 // of the newest base
	// notBefore is when the next may be begun, after one that failed
	notBefore time.Time
	since     int64 // bytes of logs since
	last      time.Time
	noted     time.Time // when the state was written
	// notedAt is how far it reaches
	notedAt int64
	small   []logFile
	making  chan made // of a base that is being made beside
	stop    context.CancelFunc

	mu     sync.Mutex
	status Status
	alive  time.Time // until when everything was in the folder
	told   time.Time
	none   bool // there is no line
}

// New begins to follow the database, so that nothing is missed from now on.
func New(o Options) (*Shipper, error) {
	s := &Shipper{o: o}
	var err error
	if s.pack, err = newPacker(o.Seal); err != nil {
		return nil, err
	}
	if s.join, err = newPacker(o.Seal); err != nil {
		return nil, err
	}
	o.Follow.Now, o.Follow.Log = o.Now, o.Log
	if s.folder, err = os.Stat(o.Dir); err != nil {
		s.folder = nil // it is away, and tried again
	}
	if s.log, err = o.DB.Follow(o.Follow); err != nil {
		return nil, err
	}
	s.alive, s.none = o.Now(), true
	return s, nil
}

// Status returns how it fares now.
func (s *Shipper) Status() Status {
	oldest := s.log.Oldest()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	if s.none {
		oldest = s.alive
	}
	if !oldest.IsZero() {
		st.Behind = max(0, s.o.Now().Sub(oldest))
	}
	return st
}

// Run ships until the context ends, then once more, and lets the log go. What fails is
// logged and tried again. It must have ended before the database is closed.
func (s *Shipper) Run(ctx context.Context) {
	wait := time.Duration(0)
	for ctx.Err() == nil {
		if err := s.step(ctx, false); err != nil && ctx.Err() == nil {
			wait = min(max(againFirst, 2*wait), againMost)
			s.failed(err)
			sleep(ctx, wait)
			continue
		}
		wait = 0
		select {
		case <-s.log.Wake():
			sleep(ctx, gather)
		case <-ctx.Done():
		case <-time.After(look):
		}
	}
	s.endBase()
	for try := 0; ; try++ {
		err := s.step(context.WithoutCancel(ctx), true)
		if err == nil {
			break
		}
		if s.failed(err); try == lastTries {
			break
		}
		time.Sleep(againFirst)
	}
	if err := s.log.Close(); err != nil {
		s.o.Log.Warn("the log of changes did not close", "err", err)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// step ships what there is and does what is due.
func (s *Shipper) step(ctx context.Context, last bool) error {
	now, before := s.o.Now(), s.at
	err := error(nil)
	if s.line != "" {
		switch err = s.ship(); {
		case errors.Is(err, db.ErrGap):
			s.endLine("changes were missed")
			err = nil
		case errors.Is(err, fs.ErrNotExist) && s.there() == nil:
			s.endLine("the folder was emptied")
			err = nil
		case s.last.Sub(now) > clockBack:
			s.endLine("the clock was set back")
		}
	}
	if err == nil && s.line == "" && !last {
		if err = s.begin(ctx, now); err == nil {
			err = s.ship()
		}
	}
	if err != nil || s.line == "" {
		return err
	}
	s.well(now)
	if err := s.finishBase(); err != nil {
		return err
	}
	switch {
	case last:
		return s.note(now, true)
	case now.Sub(s.noted) >= stateEvery || s.at != s.notedAt && s.at == before:
		if err := s.note(now, false); err != nil {
			return err
		}
	}
	if s.due(now) {
		if err := s.startBase(ctx); err != nil {
			return err
		}
	}
	if len(s.small) >= joinAt {
		return s.joinSmall()
	}
	return nil
}

func (s *Shipper) count(fn func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(&s.status)
}

// well notes that all is in the folder that was committed at a moment.
func (s *Shipper) well(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.Trouble != nil {
		s.o.Log.Info("changes are copied again", "dir", s.o.Dir, "behind", at.Sub(s.alive).Round(time.Second))
	}
	s.status.Trouble, s.alive, s.told, s.none = nil, at, time.Time{}, false
}

func (s *Shipper) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	s.status.Failed++
	s.status.Trouble = err
	if s.told.IsZero() || now.Sub(s.told) >= tellEvery {
		s.told = now
		s.o.Log.Error("changes are not copied; saving goes on, and it is tried again", "dir", s.o.Dir, "behind", now.Sub(s.alive).Round(time.Second), "err", err)
	}
}

func (s *Shipper) path() string { return filepath.Join(s.o.Dir, s.line) }

// ship writes logs of what was committed since the last one.
func (s *Shipper) ship() error {
	for {
		if more, err := s.shipOne(); err != nil || !more {
			return err
		}
	}
}

func (s *Shipper) shipOne() (bool, error) {
	var o *outFile
	s.sums.mark()
	e := entry{n: s.at}
	more, err := s.log.Read(logMost, func(f db.Frame) (err error) {
		if o == nil {
			if o, err = s.pack.create(s.path(), kindLog, kindLog); err != nil {
				return err
			}
			o.logHead(s.log.PageSize(), s.at)
		}
		e.n++
		e.page, e.data, e.pages = f.Page, f.Data, f.Pages
		s.sums.set(f.Page, f.Data)
		if f.Pages != 0 {
			s.sums.cut(f.Pages)
			e.at, e.digest = micro(f.At), s.sums.all
		}
		return o.frame(&e)
	}, func() error {
		if o == nil {
			return nil
		}
		o.logEnd(e.n)
		file := logFile{name: nameOf(kindLog, s.at, e.n, e.at), from: s.at, to: e.n, at: e.at}
		size, err := o.finish(file.name)
		o = nil
		if err != nil {
			return err
		}
		s.at, s.last = e.n, e.at
		s.since += size
		s.small = append(s.small, file)
		s.count(func(st *Status) { st.Files, st.Bytes = st.Files+1, st.Bytes+uint64(size) }) //nolint:gosec // a size
		return nil
	})
	if o != nil {
		o.drop()
	}
	if err != nil {
		s.sums.back()
	}
	s.sums.kept = false
	return more, err
}

// begin begins a line with its base.
func (s *Shipper) begin(ctx context.Context, now time.Time) (err error) {
	if err := s.there(); err != nil {
		return err
	}
	if err := s.log.Begin(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.log.Rest() // nothing is kept that has no base
		}
	}()
	c, err := s.log.Copy()
	if err != nil {
		return err
	}
	defer c.Close()
	name, err := nextLine(s.o.Dir, now)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.o.Dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(dir) // only if it is empty
		}
	}()
	if err := seal.SyncDir(s.o.Dir); err != nil {
		return err
	}
	m := s.write(ctx, dir, c)
	if m.err != nil {
		return m.err
	}
	s.line, s.known, s.sums, s.at, s.small = name, name, m.sums, 0, nil
	s.last, s.noted = time.Time{}, time.Time{}
	s.based(m)
	s.o.Log.Info("a base copy was made", "line", name, "pages", c.Pages, "bytes", m.size)
	return s.prune(now)
}

// there tells whether the folder is the one of the start: where a disk or share is away,
// the place where it belongs is often there, and empty.
func (s *Shipper) there() error {
	info, err := os.Stat(s.o.Dir)
	if err != nil {
		return err
	}
	if s.folder == nil {
		s.folder = info
	}
	if os.SameFile(info, s.folder) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(s.o.Dir, s.known)); s.known != "" && err == nil {
		return nil // it came back under another number
	}
	return fmt.Errorf("ship: %s is another folder than at the start; a disk is away, or the server must be started anew", s.o.Dir)
}

// endLine ends a line after something was missed.
func (s *Shipper) endLine(why string) {
	s.o.Log.Error("the record of changes is interrupted; a new base copy is made, and moments between cannot be put back", "line", s.line, "why", why)
	s.endBase()
	s.line, s.small, s.sums = "", nil, sums{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Gaps++
	s.none = true
}

// note writes the state of the line.
func (s *Shipper) note(now time.Time, ended bool) error {
	// What was committed after now was is not known of.
	if s.last.After(now) {
		now = s.last
	}
	if err := s.join.putState(s.path(), state{s.at, now, ended}); err != nil {
		return err
	}
	s.noted, s.notedAt = now, s.at
	return nil
}
