package db

import (
	"context"
	"errors"
	"time"
)

// AwaitQueue waits until n changes wait for the committer.
func AwaitQueue(d *DB, n int) {
	for len(d.engine.(*sqliteDB).commit.queue) < n {
		time.Sleep(100 * time.Microsecond)
	}
}

// FailCommit lets every COMMIT fail from now on, or none.
func FailCommit(d *DB, err error) {
	w := d.engine.(*sqliteDB).commit
	// By a change that fails itself, on the goroutine that owns the field.
	_ = w.do(context.Background(), func(Tx) error {
		w.beforeCommit = func() error { return err }
		return errors.New("not to be committed")
	})
}
