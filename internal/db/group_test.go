package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tianbao/internal/db"
)

// group runs the functions as one group: they gather while another change runs.
func group(t *testing.T, d *db.DB, fns ...func(db.Tx) error) []error {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- d.Tx(context.Background(), func(db.Tx) error { close(held); <-hold; return nil })
	}()
	<-held
	errs := make([]error, len(fns))
	done := make(chan struct{}, len(fns))
	for i, fn := range fns {
		go func() {
			errs[i] = d.Tx(context.Background(), fn)
			done <- struct{}{}
		}()
		db.AwaitQueue(d, i+1)
	}
	close(hold)
	for range fns {
		<-done
	}
	<-first // a group of its own, whose outcome does not matter
	return errs
}

func insert(id int) func(db.Tx) error {
	return func(tx db.Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO t (id, name) VALUES ($1, $2)`, id, fmt.Sprint(id))
		return err
	}
}

// When the engine gives a transaction up, nobody of those who ran in it is told that his
// change is stored, and who comes after is not disturbed.
func TestGroupThatIsLost(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	errs := group(t, d, insert(1), func(tx db.Tx) error {
		// What SQLite does by itself when the disk is full.
		_, err := tx.Exec(context.Background(), `ROLLBACK`)
		return errors.Join(err, errors.New("full"))
	}, insert(3))
	for i, err := range errs {
		if (err == nil) != (i == 2) {
			t.Errorf("change %d: %v", i, err)
		}
	}
	if n := count(t, d); n != 1 {
		t.Errorf("%d rows are stored, want the one after the lost group", n)
	}
	exec(t, d, `INSERT INTO t (id, name) VALUES (4, '4')`)
}

// A change sees those before it in its group, and one that fails is not seen.
func TestGroupInOrder(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	sees := func(want int64) func(db.Tx) error {
		return func(tx db.Tx) error {
			if n := count(t, tx); n != want {
				t.Errorf("%d rows are seen, want %d", n, want)
			}
			return nil
		}
	}
	no := errors.New("no")
	errs := group(t, d, insert(1), sees(1), func(tx db.Tx) error { return errors.Join(insert(2)(tx), no) }, sees(1), insert(1), insert(3), sees(2))
	for i, want := range []bool{true, true, false, true, false, true, true} {
		if (errs[i] == nil) != want {
			t.Errorf("change %d: %v", i, errs[i])
		}
	}
	if !errors.Is(errs[2], no) || !db.IsUnique(errs[4]) {
		t.Errorf("errors %v, %v", errs[2], errs[4])
	}
	if n := count(t, d); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

// The rows of a commit that fails are gone, and all of the group learn it.
func TestCommitFails(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	failed := errors.New("disk")
	db.FailCommit(d, failed)
	errs := group(t, d, insert(1), insert(2))
	for i, err := range errs {
		if !errors.Is(err, failed) {
			t.Errorf("change %d: %v", i, err)
		}
	}
	db.FailCommit(d, nil)
	if n := count(t, d); n != 0 {
		t.Errorf("%d rows are stored", n)
	}
	exec(t, d, `INSERT INTO t (id, name) VALUES (4, '4')`)
	if n := count(t, d); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}
