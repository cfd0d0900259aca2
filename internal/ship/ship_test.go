package ship_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/ship"
)

// harbour is a database that is shipped.
type harbour struct {
	t    *testing.T
	path string
	dir  string
	ring *seal.Ring
	d    *db.DB
	s    *ship.Shipper
	mu   sync.Mutex
	off  time.Duration // how wrong the clock is
	last time.Time
}

// now never tells the same time twice.
func (h *harbour) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := time.Now().Add(h.off)
	if !at.After(h.last.Add(time.Microsecond)) && h.last.Sub(at) < time.Second {
		at = h.last.Add(2 * time.Microsecond)
	}
	h.last = at
	return at
}

func ring(t testing.TB) *seal.Ring {
	t.Helper()
	r, err := seal.New(seal.SM4, []byte("ship"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newHarbour(t *testing.T) *harbour {
	t.Helper()
	h := &harbour{t: t, path: filepath.Join(t.TempDir(), "a.db"), dir: t.TempDir(), ring: ring(t)}
	h.open()
	h.put("CREATE TABLE a (id BIGINT PRIMARY KEY, txt TEXT NOT NULL)")
	return h
}

func (h *harbour) open() {
	h.t.Helper()
	var err error
	if h.d, err = db.Open(h.t.Context(), db.Options{URL: h.path}); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(h.close)
}

func (h *harbour) close() {
	if err := h.d.Close(context.Background()); err != nil {
		h.t.Error(err)
	}
}

func (h *harbour) follow(o db.FollowOptions) {
	h.t.Helper()
	var err error
	h.s, err = ship.New(ship.Options{
		DB: h.d, Dir: h.dir, Seal: h.ring, Keep: 24 * time.Hour, Now: h.now, Log: slog.New(slog.DiscardHandler), Follow: o,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := h.s.Kill(); err != nil {
			h.t.Error(err)
		}
	})
	h.step()
}

func (h *harbour) step() {
	h.t.Helper()
	for range 2 { // the second one notes that nothing followed
		if err := h.s.Step(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *harbour) put(sql string, args ...any) {
	h.t.Helper()
	if err := h.d.Tx(h.t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(h.t.Context(), sql, args...)
		return err
	}); err != nil {
		h.t.Error(err)
	}
}

const putRow = "INSERT INTO a (id, txt) VALUES ($1, $2)"

func (h *harbour) rows(from, to int) {
	h.t.Helper()
	for i := from; i < to; i++ {
		h.put(putRow, i, strings.Repeat(fmt.Sprint(i), 1+i%900))
	}
}

func contents(t testing.TB, q db.Queryer) string {
	t.Helper()
	sum, n := sha256.New(), 0
	err := q.Each(t.Context(), func(scan db.Scan) error {
		var id int64
		var txt string
		n++
		err := scan(&id, &txt)
		fmt.Fprintln(sum, id, txt)
		return err
	}, "SELECT a.id, a.txt FROM a ORDER BY a.id")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d rows %x", n, sum.Sum(nil)[:8])
}

// moment is what the database was.
type moment struct {
	at   time.Time
	what string
}

func (h *harbour) moment() moment {
	h.t.Helper()
	return moment{h.now(), contents(h.t, h.d)}
}

func (h *harbour) archive() *ship.Archive {
	h.t.Helper()
	a, err := ship.Open(h.dir, h.ring)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// back puts a moment back and returns what it is.
func (h *harbour) back(at time.Time) (string, error) {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "b.db")
	r, err := h.archive().Restore(h.t.Context(), at, path)
	if err != nil {
		if _, serr := os.Stat(path); !errors.Is(serr, fs.ErrNotExist) {
			h.t.Errorf("something was left: %v", serr)
		}
		return "", err
	}
	if r.At.After(at) || r.Base.After(at) {
		h.t.Errorf("of %v and %v, after %v", r.At, r.Base, at)
	}
	d, err := db.Open(h.t.Context(), db.Options{URL: path})
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = d.Close(context.Background()) }()
	if found, err := d.Checkup(h.t.Context(), false); err != nil || len(found) > 0 {
		h.t.Fatal(found, err)
	}
	return contents(h.t, d), nil
}

func (h *harbour) same(what string, list ...moment) {
	h.t.Helper()
	for i, m := range list {
		if got, err := h.back(m.at); err != nil || got != m.what {
			h.t.Errorf("%s, moment %d: %s, not %s, %v", what, i, got, m.what, err)
		}
	}
}

// Every moment comes back as it was: before and after a base, between commits of one log,
// joined logs, another base beside writes, a log that begins anew, a start after a kill.
func TestMoments(t *testing.T) {
	h := newHarbour(t)
	h.follow(db.FollowOptions{Turn: 100 << 10})
	var list []moment
	for i := range 5 {
		h.rows(40*i, 40*i+20)
		list = append(list, h.moment())
		h.rows(40*i+20, 40*i+40)
		list = append(list, h.moment())
		h.step()
	}
	h.put("DELETE FROM a WHERE id < 50")
	list = append(list, h.moment())
	h.step()
	h.same("logs", list[0], list[3], list[9], list[10])
	if err := h.s.Join(); err != nil {
		t.Fatal(err)
	}
	if files := h.archive().Files(); len(files) != 2 {
		t.Errorf("%v", files)
	}
	h.same("joined", list[4], list[10])

	var wg sync.WaitGroup
	wg.Go(func() { h.rows(1000, 1100) })
	for range 2 {
		if err := h.s.Base(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	list = append(list, h.moment())
	h.step()
	h.same("the second base", list[5], list[len(list)-1])

	if err := h.s.Kill(); err != nil { // without its last words
		t.Fatal(err)
	}
	h.rows(2000, 2010)
	lost := h.moment()
	h.close()
	h.open()
	h.follow(db.FollowOptions{})
	list = append(list, h.moment())
	h.rows(3000, 3010)
	list = append(list, h.moment())
	if err := h.s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.same("after a kill", list[1], list[len(list)-3], list[len(list)-2], list[len(list)-1])
	var outside *ship.OutsideError
	if _, err := h.back(lost.at); !errors.As(err, &outside) || len(outside.Windows) != 2 {
		t.Errorf("what nobody has seen: %v", err)
	}
	if _, err := h.back(list[0].at.Add(-time.Hour)); !errors.As(err, &outside) {
		t.Errorf("before the first: %v", err)
	}
	if _, err := h.back(h.now().Add(time.Hour)); !errors.As(err, &outside) {
		t.Errorf("in the future: %v", err)
	}
	if got, err := h.back(h.archive().Newest()); err != nil || got != list[len(list)-1].what {
		t.Errorf("the newest: %s, %v", got, err)
	}
	if gaps := h.archive().Gaps(); len(gaps) > 0 {
		t.Errorf("%v", gaps)
	}
}

// A folder that is away is caught up with; while it is, that is told and saving goes on. A
// log that had to be cut meanwhile is a gap with windows on both sides.
func TestFolderAway(t *testing.T) {
	h := newHarbour(t)
	h.follow(db.FollowOptions{Turn: 50 << 10, Ahead: 100 << 10, Most: 500 << 10})
	h.rows(0, 10)
	first := h.moment()
	h.step()
	away := h.dir + ".away"
	leave := func() {
		if err := os.Rename(h.dir, away); err != nil {
			t.Fatal(err)
		}
	}
	come := func() {
		if err := os.Rename(away, h.dir); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	h.rows(10, 60)
	second := h.moment()
	if err := h.s.Step(t.Context()); err == nil {
		t.Error("it is away and nobody says so")
	}
	if st := h.s.Status(); st.Behind <= 0 || st.Trouble == nil {
		t.Errorf("%+v", st)
	}
	// What stands in its place is another folder.
	if err := os.Mkdir(h.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := h.s.Step(t.Context()); err == nil {
		t.Error("another folder is taken")
	}
	if err := os.Remove(h.dir); err != nil {
		t.Fatal(err)
	}
	come()
	h.step()
	if st := h.s.Status(); st.Behind != 0 || st.Trouble != nil || st.Gaps != 0 {
		t.Errorf("%+v", st)
	}
	h.same("caught up", first, second)

	leave()
	h.rows(100, 260)
	missed := h.moment()
	if err := h.s.Step(t.Context()); err == nil {
		t.Error("it is away and nobody says so")
	}
	come()
	h.step()
	third := h.moment()
	h.rows(3000, 3010)
	fourth := h.moment()
	h.step()
	if st := h.s.Status(); st.Behind != 0 || st.Gaps != 1 {
		t.Errorf("%+v", st)
	}
	h.same("after a gap", first, second, third, fourth)
	if _, err := h.back(missed.at); err == nil {
		t.Error("a moment within the gap")
	}
	if err := os.RemoveAll(h.s.Line()); err != nil { // somebody makes room
		t.Fatal(err)
	}
	h.rows(2000, 2010)
	h.step()
	fifth := h.moment()
	h.rows(2010, 2020)
	h.step()
	h.same("after it was emptied", fifth)
}

// A folder that is away at the start is none yet, and nothing is held for it.
func TestFolderAwayAtTheStart(t *testing.T) {
	h := newHarbour(t)
	dir := h.dir
	h.dir = filepath.Join(dir, "later")
	h.rows(0, 10)
	s, err := ship.New(ship.Options{DB: h.d, Dir: h.dir, Seal: h.ring, Keep: time.Hour, Now: h.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h.s = s
	t.Cleanup(func() { _ = s.Kill() })
	if err := s.Step(t.Context()); err == nil {
		t.Error("it is away and nobody says so")
	}
	if st := s.Status(); st.Behind <= 0 || !st.Base.IsZero() {
		t.Errorf("%+v", st)
	}
	if err := os.Mkdir(h.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h.rows(10, 20)
	h.step()
	m := h.moment()
	h.rows(20, 30)
	h.step()
	h.same("later", m)
	if st := s.Status(); st.Behind != 0 || st.Trouble != nil || st.Base.IsZero() {
		t.Errorf("%+v", st)
	}
}

// A disk that is full in the middle of a log: what was written down for its commits is
// written down again, right.
func TestFolderFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	h := newHarbour(t)
	h.follow(db.FollowOptions{})
	h.rows(700, 760) // several pages
	h.step()
	h.put("UPDATE a SET txt = 'one' WHERE id = 700")
	first := h.moment()
	h.put("UPDATE a SET txt = 'fifty' WHERE id = 755")
	if err := os.Symlink("/dev/full", filepath.Join(h.s.Line(), "log.part")); err != nil {
		t.Fatal(err)
	}
	if err := h.s.Step(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	second := h.moment()
	h.rows(60, 70)
	third := h.moment()
	h.step()
	h.same("after a full disk", first, second, third)
	if errs := h.archive().Check(t.Context()); len(errs) > 0 {
		t.Errorf("%v", errs)
	}
}

// A clock that goes back ends the line; what is newest is what came last.
func TestClockBack(t *testing.T) {
	h := newHarbour(t)
	h.off = time.Hour
	h.follow(db.FollowOptions{})
	h.rows(0, 10)
	h.step()
	h.off = 0
	h.rows(10, 20)
	h.step()
	m := h.moment()
	h.rows(20, 30)
	h.step()
	h.same("after", m)
	if got, err := h.back(h.archive().Newest()); err != nil || got != contents(t, h.d) {
		t.Errorf("%s, %v", got, err)
	}
}

// What is too old goes when a newer base covers what is kept, and nothing else.
func TestPrune(t *testing.T) {
	h := newHarbour(t)
	h.off = -72 * time.Hour
	h.follow(db.FollowOptions{})
	h.rows(0, 10)
	h.step()
	h.off = -48 * time.Hour
	h.rows(10, 20)
	if err := h.s.Base(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := h.moment()
	h.rows(20, 30)
	h.step()
	if n := len(h.archive().Files()); n != 5 {
		t.Errorf("%d files, nothing is too old: %v", n, h.archive().Files())
	}
	h.off = -time.Hour
	h.rows(30, 40)
	if err := h.s.Base(t.Context()); err != nil {
		t.Fatal(err)
	}
	newest := h.moment()
	h.step()
	files := h.archive().Files()
	h.same("kept", kept, newest)
	if w := h.archive().Windows(); len(w) != 1 || len(files) != 4 || time.Since(w[0].From) > 49*time.Hour {
		t.Errorf("%v, %v", w, files)
	}
}

// Files that are missing, torn, swapped or another's are told of and never passed over.
func TestDamage(t *testing.T) {
	h := newHarbour(t)
	h.follow(db.FollowOptions{})
	var list []moment
	for i := range 4 {
		h.rows(10*i, 10*i+10)
		list = append(list, h.moment())
		h.step()
	}
	if err := h.s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := h.archive().Files() // a base and four logs
	slices.Sort(names[1:])
	read := func(i int) []byte {
		b, err := os.ReadFile(filepath.Join(h.dir, names[i]))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tc := range []struct {
		name   string
		file   int
		damage func(b []byte) []byte
		whole  int // how many moments come back still; one just before the damage is not known to be over
		format bool
	}{
		{"a log cut short", 2, func(b []byte) []byte { return b[:len(b)-7] }, 0, true},
		{"a log with another byte", 3, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, 1, true},
		{"an empty log", 2, func([]byte) []byte { return nil }, 0, true},
		{"a log of another place", 2, func([]byte) []byte { return read(3) }, 0, true},
		{"a log longer than it was", 4, func(b []byte) []byte { return append(b, 0) }, 2, true},
		{"a log that is missing", 2, nil, 0, false},
		{"the newest log that is missing", 4, nil, 2, false},
		{"a base cut short", 0, func(b []byte) []byte { return b[:len(b)/2] }, 0, true},
		{"a base that is a log", 0, func([]byte) []byte { return read(1) }, 0, true},
		{"a base that is missing", 0, nil, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(h.dir, names[tc.file])
			whole := read(tc.file)
			if tc.damage == nil {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else if err := os.WriteFile(path, tc.damage(slices.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := os.WriteFile(path, whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}()
			for i, m := range list {
				got, err := h.back(m.at)
				var outside *ship.OutsideError
				var file *ship.FileError
				switch {
				case i < tc.whole:
					if err != nil || got != m.what {
						t.Errorf("moment %d: %v", i, err)
					}
				case tc.format && (!errors.As(err, &file) || !errors.Is(err, ship.ErrFormat) || file.Name != names[tc.file]):
					t.Errorf("moment %d: %v", i, err)
				case !tc.format && !errors.As(err, &outside):
					t.Errorf("moment %d: %v", i, err)
				}
			}
			a := h.archive()
			if n := len(a.Check(t.Context())) + len(a.Gaps()); n == 0 && tc.file > 0 {
				t.Error("nothing is told")
			}
		})
	}
	t.Run("with other keys", func(t *testing.T) {
		other, err := seal.New(seal.SM4, []byte("another"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := ship.Open(h.dir, other)
		if err != nil {
			t.Fatal(err)
		}
		var file *ship.FileError
		if _, err := a.Restore(t.Context(), list[0].at, filepath.Join(t.TempDir(), "x.db")); !errors.As(err, &file) {
			t.Errorf("%v", err)
		}
	})
	t.Run("over what is there", func(t *testing.T) {
		if _, err := h.archive().Restore(t.Context(), list[0].at, h.path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v", err)
		}
	})
	h.same("whole", list...)
	if errs := h.archive().Check(t.Context()); len(errs) > 0 {
		t.Errorf("%v", errs)
	}
}
