package db_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tianbao/internal/db"
)

// slowDisk lets each sync of d wait until go is sent to; begun tells of each.
func slowDisk(d *db.DB) (begun, release chan struct{}) {
	begun, release = make(chan struct{}), make(chan struct{})
	db.Syncing(d, func() error {
		begun <- struct{}{}
		<-release
		return nil
	})
	return begun, release
}

// started runs a change and tells when it runs, and how it ended.
func started(d *db.DB, fn func(db.Tx) error) (runs chan struct{}, ended chan error) {
	runs, ended = make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- d.Tx(context.Background(), func(tx db.Tx) error {
			close(runs)
			return fn(tx)
		})
	}()
	return runs, ended
}

// stillWaits fails if somebody is answered who must wait.
func stillWaits(t *testing.T, what string, ended chan error) {
	t.Helper()
	select {
	case err := <-ended:
		t.Errorf("%s was answered before the disk: %v", what, err)
	case <-time.After(20 * time.Millisecond):
	}
}

// While the disk is at work on one group the next one runs; nobody who changed or saw
// something is answered before it is on the disk.
func TestAnswersWaitForTheDisk(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	begun, release := slowDisk(d)
	_, first := started(d, insert(1))
	<-begun
	runs, second := started(d, insert(2))
	<-runs // amid the first one's sync
	third, alsoSecond := started(d, insert(3))
	<-third
	read := make(chan error, 1)
	seen := make(chan int64, 1)
	go func() {
		var n int64
		read <- d.One(context.Background(), []any{&n}, "SELECT COUNT(*) FROM t")
		seen <- n
	}()
	stillWaits(t, "the first change", first)
	stillWaits(t, "who read", read)
	release <- struct{}{}
	if err := errors.Join(<-first, <-read); err != nil {
		t.Error(err)
	}
	if n := <-seen; n != 1 {
		t.Errorf("%d rows were seen while the first was on its way, want 1", n)
	}
	<-begun // both others, by one sync
	stillWaits(t, "the second change", second)
	stillWaits(t, "the third change", alsoSecond)
	release <- struct{}{}
	if err := errors.Join(<-second, <-alsoSecond); err != nil {
		t.Error(err)
	}
	db.Syncing(d, nil)
	if n := count(t, d); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	if s := d.Stats(); s.Groups.Counts[0] != 1 || s.Groups.Counts[1] != 1 {
		t.Errorf("groups of %v, want one of one and one of two", s.Groups.Counts)
	}
}

// Who began to read before a commit does not wait for it.
func TestReaderOfBefore(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	begun, release := slowDisk(d)
	var first chan error
	read := func(q db.Queryer) error {
		if n := count(t, q); n != 0 {
			t.Errorf("%d rows at first", n)
		}
		if first == nil {
			_, first = started(d, insert(1))
			<-begun // others can see it now
		}
		if n := count(t, q); n != 0 {
			t.Errorf("%d rows of a later commit", n)
		}
		return nil
	}
	if err := d.Read(t.Context(), read); err != nil {
		t.Error(err)
	}
	stillWaits(t, "the change", first)
	release <- struct{}{}
	if err := <-first; err != nil {
		t.Error(err)
	}
	db.Syncing(d, nil)
}

// A group that ran for long is synced before its commit as well, so that those who read after
// it need not wait for all that it wrote. A sync that fails then leaves nothing in doubt.
func TestLongGroupIsSyncedBefore(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	syncs, failure := 0, error(nil)
	db.Syncing(d, func() error { syncs++; return failure })
	slowly := func(id int) func(db.Tx) error {
		return func(tx db.Tx) error {
			time.Sleep(60 * time.Millisecond)
			return insert(id)(tx)
		}
	}
	if err := d.Tx(t.Context(), slowly(1)); err != nil || syncs != 2 {
		t.Errorf("%d syncs: %v", syncs, err)
	}
	failure = errors.New("the disk failed")
	if err := d.Tx(t.Context(), slowly(2)); err == nil || errors.Is(err, db.ErrUnsure) || syncs != 3 {
		t.Errorf("%d syncs: %v", syncs, err)
	}
	if s := d.Stats(); !s.Failing || s.Failed != 1 || s.Unsure != 0 {
		t.Errorf("figures: %+v", s)
	}
	failure = nil
	if err := d.Tx(t.Context(), insert(3)); err != nil || syncs != 4 {
		t.Errorf("%d syncs: %v", syncs, err)
	}
	if n := count(t, d); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	db.Syncing(d, nil)
}

// A reader does not wait longer than its context.
func TestReaderGivesUp(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	begun, release := slowDisk(d)
	_, first := started(d, insert(1))
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var n int64
	if err := d.One(ctx, []any{&n}, "SELECT COUNT(*) FROM t"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	release <- struct{}{}
	if err := <-first; err != nil {
		t.Error(err)
	}
	db.Syncing(d, nil)
}

// What was on its way when a sync failed is told as neither done nor undone; what ran
// meanwhile is not built on it and says so; and before anything more is taken, all of it is
// moved into the database by syncs that went well.
func TestSyncFails(t *testing.T) {
	path := sqlitePath(t)
	d := open(t, db.Options{URL: path, Migrations: migrations(table)})
	// A reader of before keeps the log from being moved.
	exec(t, d, `INSERT INTO t (id, name) VALUES (0, '0')`)
	reading, read := make(chan struct{}), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		read <- d.Read(ctx, func(q db.Queryer) error {
			var n int64
			err := q.One(ctx, []any{&n}, "SELECT COUNT(*) FROM t")
			close(reading)
			<-ctx.Done()
			return err
		})
	}()
	<-reading

	begun, release := make(chan struct{}), make(chan struct{})
	failure, fail := errors.New("the disk failed"), true
	db.Syncing(d, func() error {
		if !fail {
			return nil
		}
		fail = false
		begun <- struct{}{}
		<-release
		return failure
	})
	_, first := started(d, insert(1))
	<-begun
	runs, second := started(d, insert(2))
	<-runs
	release <- struct{}{}
	if err := <-first; !errors.Is(err, db.ErrUnsure) || !errors.Is(err, failure) {
		t.Errorf("the change that was on its way: %v", err)
	}
	if err := <-second; err == nil || errors.Is(err, db.ErrUnsure) {
		t.Errorf("the change that ran meanwhile: %v", err)
	}
	if s := d.Stats(); !s.Failing || s.Unsure != 1 {
		t.Errorf("figures: %+v", s)
	}
	if err := d.Tx(t.Context(), insert(3)); err == nil {
		t.Error("a change was taken on top of one in doubt")
	}
	stop()
	if err := <-read; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	exec(t, d, `INSERT INTO t (id, name) VALUES (4, '4')`)
	if d.Stats().Failing {
		t.Error("it fails no more, and still says so")
	}

	alone := filepath.Join(t.TempDir(), "alone.db") // what is in the database without its log
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(alone, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int]int64{1: 1, 2: 0, 3: 0} {
		var n int64
		if err := open(t, db.Options{URL: alone}).One(t.Context(), []any{&n}, "SELECT COUNT(*) FROM t WHERE id = $1", id); err != nil || n != want {
			t.Errorf("change %d is in the database %d times, want %d: %v", id, n, want, err)
		}
	}
}
