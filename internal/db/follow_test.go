package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"tianbao/internal/db"
)

// mirror is a database made of what a Log gives.
type mirror struct {
	size   int
	pages  map[uint32][]byte
	n      uint32
	part   map[uint32][]byte // of a commit whose end has not come
	frames int64
	times  []time.Time
}

func newMirror(size int) *mirror {
	return &mirror{size: size, pages: map[uint32][]byte{}, part: map[uint32][]byte{}}
}

func (m *mirror) take(f db.Frame) error {
	m.frames++
	m.part[f.Page] = bytes.Clone(f.Data)
	if f.Pages != 0 {
		for p, b := range m.part {
			m.pages[p] = b
		}
		clear(m.part)
		m.n = f.Pages
		m.times = append(m.times, f.At)
	}
	return nil
}

func (m *mirror) copyOf(t *testing.T, l *db.Log) {
	t.Helper()
	c, err := l.Copy()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m.n = uint32(c.Pages)
	p := uint32(0)
	if err := c.Each(t.Context(), func(b []byte) error {
		p++
		m.pages[p] = b
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if m.frames != c.From {
		t.Fatalf("a copy from frame %d, taken are %d", c.From, m.frames)
	}
}

// list is what the table of the mirror holds.
func (m *mirror) list(t *testing.T) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mirror.db")
	b := make([]byte, int(m.n)*m.size)
	for p, page := range m.pages {
		if p <= m.n {
			copy(b[int(p-1)*m.size:], page)
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), db.Options{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB(t, d)
	if found, err := d.Checkup(t.Context(), false); err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	return listed(t, d)
}

func closeDB(t *testing.T, d *db.DB) {
	t.Helper()
	if err := d.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func listed(t *testing.T, d *db.DB) []string {
	t.Helper()
	out, err := db.Collect(t.Context(), d, func(scan db.Scan) (s string, err error) {
		var id int64
		err = scan(&id, &s)
		return fmt.Sprintf("%d %.20s %d", id, s, len(s)), err
	}, "SELECT a.id, a.txt FROM a ORDER BY a.id")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// most is small, so that Read stops in the middle of what there is.
const most = 20 << 10

func fine() error { return nil }

func readAll(l *db.Log, fn func(db.Frame) error) error {
	for {
		if more, err := l.Read(most, fn, fine); err != nil || !more {
			return err
		}
	}
}

func openFollowed(t *testing.T, o db.FollowOptions) (string, *db.DB, *db.Log) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	d, err := db.Open(t.Context(), db.Options{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	putIn(t, d, "CREATE TABLE a (id BIGINT PRIMARY KEY, txt TEXT NOT NULL)")
	o.Now = time.Now
	l, err := d.Follow(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		closeDB(t, d)
	})
	return path, d, l
}

func putIn(t *testing.T, d *db.DB, sql string, args ...any) {
	t.Helper()
	if err := d.Tx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), sql, args...)
		return err
	}); err != nil {
		t.Error(err)
	}
}

const putRow = "INSERT INTO a (id, txt) VALUES ($1, $2)"

func text(i int) string { return fmt.Sprintf("%d ", i) + string(bytes.Repeat([]byte("x"), i%5000)) }

// What is read is the database, while several write, another process writes, opens and
// closes the file, the log begins anew again and again, and taking fails now and then.
func TestFollow(t *testing.T) {
	path, d, l := openFollowed(t, db.FollowOptions{Turn: 200 << 10})
	m := newMirror(l.PageSize())
	m.copyOf(t, l)
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 150 {
				putIn(t, d, putRow, 1000*w+i, text(100*i))
			}
		})
	}
	wg.Go(func() { // another program on the same file
		for i := range 5 {
			other, err := db.Open(t.Context(), db.Options{URL: path})
			if err != nil {
				t.Error(err)
				return
			}
			putIn(t, other, putRow, 10_000+i, text(i))
			closeDB(t, other)
		}
	})
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	failing := errors.New("the folder is away")
	turns, salt := 0, uint32(0)
	for round, ended := 0, false; !ended; round++ {
		select {
		case <-done:
			ended = true
		case <-time.After(time.Millisecond):
		}
		if round%3 == 0 && !ended {
			if _, err := l.Read(most, func(db.Frame) error { return failing }, fine); err != nil && !errors.Is(err, failing) {
				t.Fatal(err)
			}
			continue
		}
		if err := readAll(l, m.take); err != nil {
			t.Fatal(err)
		}
		if s := l.Salt(); s != salt {
			turns, salt = turns+1, s
		}
	}
	if got, want := m.list(t), listed(t, d); !slices.Equal(got, want) || len(got) != 455 {
		t.Errorf("%d rows, not %d", len(got), len(want))
	}
	if turns < 3 {
		t.Errorf("the log began anew %d times", turns)
	}
	if !slices.IsSortedFunc(m.times, time.Time.Compare) || len(m.times) < 5 {
		t.Errorf("times %v", m.times)
	}
	if l.Oldest() != (time.Time{}) {
		t.Error("something is left")
	}
}

// A copy that is made while others write is the database with the frames that follow.
func TestFollowCopyBesideWrites(t *testing.T) {
	_, d, l := openFollowed(t, db.FollowOptions{Turn: 200 << 10})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 200 {
			putIn(t, d, putRow, i, text(100*i))
		}
	})
	count := newMirror(l.PageSize())
	for i := 0; i < 5; i++ {
		if err := readAll(l, count.take); err != nil {
			t.Fatal(err)
		}
	}
	m := newMirror(l.PageSize())
	m.frames = count.frames
	m.copyOf(t, l)
	wg.Wait()
	if err := readAll(l, m.take); err != nil {
		t.Fatal(err)
	}
	if got, want := m.list(t), listed(t, d); !slices.Equal(got, want) {
		t.Errorf("%d rows, not %d", len(got), len(want))
	}
}

// A log that nobody takes is given up at its limit, which is told, and goes on after that.
func TestFollowGivesUp(t *testing.T) {
	path, d, l := openFollowed(t, db.FollowOptions{Turn: 100 << 10, Ahead: 500 << 10, Most: 1 << 20})
	for i := range 12 {
		putIn(t, d, putRow, i, string(bytes.Repeat([]byte{'y'}, 200<<10)))
	}
	if _, err := l.Read(most, func(db.Frame) error { return nil }, fine); !errors.Is(err, db.ErrGap) {
		t.Fatalf("%v", err)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() > 2<<20 {
		t.Errorf("the log was kept: %d bytes, %v", info.Size(), err)
	}
	if err := l.Begin(); err != nil {
		t.Fatal(err)
	}
	m := newMirror(l.PageSize())
	m.copyOf(t, l)
	putIn(t, d, putRow, 12, "twelve")
	if err := readAll(l, m.take); err != nil {
		t.Fatal(err)
	}
	if got, want := m.list(t), listed(t, d); !slices.Equal(got, want) || len(got) != 13 {
		t.Errorf("%v", got)
	}
}

// Who reads an old snapshot for long makes the log long, and is no reason to give it up.
func TestFollowBesideLongReader(t *testing.T) {
	_, d, l := openFollowed(t, db.FollowOptions{Turn: 100 << 10, Ahead: 100 << 10, Most: 400 << 10})
	m := newMirror(l.PageSize())
	m.copyOf(t, l)
	if err := d.Read(t.Context(), func(q db.Queryer) error {
		var n int
		if err := q.One(t.Context(), []any{&n}, "SELECT COUNT(*) FROM a"); err != nil {
			return err
		}
		for i := range 20 {
			putIn(t, d, putRow, i, string(bytes.Repeat([]byte{'z'}, 50<<10)))
			if err := readAll(l, m.take); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	salt := l.Salt()
	for i := range 10 {
		putIn(t, d, putRow, 100+i, string(bytes.Repeat([]byte{'z'}, 5<<10)))
	}
	if err := readAll(l, m.take); err != nil {
		t.Fatal(err)
	}
	if l.Salt() == salt {
		t.Error("the log has not begun anew after the reader went")
	}
	if got, want := m.list(t), listed(t, d); !slices.Equal(got, want) || len(got) != 30 {
		t.Errorf("%d rows", len(got))
	}
}

// It may begin at any moment, also just when the log begins anew.
func TestFollowBeginsAtAnyTime(t *testing.T) {
	path, d, l := openFollowed(t, db.FollowOptions{Turn: 30 << 10})
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			default:
				putIn(t, d, putRow, i, "a row")
			}
		}
	})
	wg.Go(func() { // another program, which cuts the log at its end where it may
		for {
			select {
			case <-ended:
				return
			default:
				other, err := db.Open(context.WithoutCancel(t.Context()), db.Options{URL: path, Readers: 1})
				if err != nil {
					t.Error(err)
					return
				}
				closeDB(t, other)
			}
		}
	})
	defer wg.Wait()
	defer close(ended)
	for range 50 {
		l.Rest() // the log is cut as if nobody followed
		if err := l.Begin(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := readAll(l, func(db.Frame) error { return nil }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(500 * time.Microsecond)
		}
	}
}

// There is one who follows, and none on PostgreSQL.
func TestFollowOnce(t *testing.T) {
	_, d, _ := openFollowed(t, db.FollowOptions{})
	if _, err := d.Follow(db.FollowOptions{Now: time.Now}); err == nil {
		t.Error("two follow")
	}
}

// The tail of a log that another program has cut and written anew is a gap, never frames.
func TestFollowForeignCut(t *testing.T) {
	path, d, l := openFollowed(t, db.FollowOptions{})
	putIn(t, d, putRow, 1, "one")
	if _, err := l.Read(most, func(db.Frame) error { return nil }, fine); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	putIn(t, d, putRow, 2, "two")
	b[16]++ // the salt, without its sum
	f, err := os.OpenFile(path+"-wal", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b[:32], 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read(most, func(db.Frame) error { return errors.New("a frame") }, fine); !errors.Is(err, db.ErrGap) {
		t.Errorf("%v", err)
	}
}

// What stands in a file that is called a log is none, or is one whose sums fit.
func FuzzWAL(f *testing.F) {
	path := filepath.Join(f.TempDir(), "a.db")
	d, err := db.Open(f.Context(), db.Options{URL: path})
	if err != nil {
		f.Fatal(err)
	}
	if err := d.Tx(f.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(f.Context(), "CREATE TABLE a (id BIGINT PRIMARY KEY)")
		return err
	}); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path + "-wal")
	if err != nil {
		f.Fatal(err)
	}
	if err := d.Close(context.Background()); err != nil {
		f.Fatal(err)
	}
	if n := db.Frames(b); n < 2 {
		f.Fatalf("%d frames", n)
	}
	f.Add(b)
	f.Add(b[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := db.Frames(b); n > len(b)/512 {
			t.Errorf("%d frames in %d bytes", n, len(b))
		}
	})
}
