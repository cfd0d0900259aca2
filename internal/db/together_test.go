package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"tianbao/internal/db"
)

// Questions that are asked together see one moment until a change of their own is made; work
// that goes on apart, questions amid the rows of another, and who comes later see the newest.
func TestTogether(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	exec(t, d, `INSERT INTO t (id, name) VALUES (0, '0')`)
	seen := func(ctx context.Context) (n int64) {
		t.Helper()
		if err := d.One(ctx, []any{&n}, "SELECT COUNT(*) FROM t"); err != nil {
			t.Error(err)
		}
		return n
	}
	want := func(ctx context.Context, n int64, when string) {
		t.Helper()
		if got := seen(ctx); got != n {
			t.Errorf("%d rows are seen %s, want %d", got, when, n)
		}
	}
	var after context.Context
	stop := errors.New("stop")
	err := d.Together(t.Context(), func(ctx context.Context) error {
		after = ctx
		want(ctx, 1, "at first")
		if err := d.Tx(t.Context(), insert(1)); err != nil { // somebody else
			return err
		}
		want(ctx, 1, "while another commits")
		err := d.Read(ctx, func(q db.Queryer) error {
			if n := count(t, q); n != 1 {
				t.Errorf("%d rows are seen in a transaction of its own, want 1", n)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := d.Together(ctx, func(ctx context.Context) error { want(ctx, 1, "further in"); return nil }); err != nil {
			return err
		}
		want(db.Apart(ctx), 2, "apart")
		if err := d.Together(db.Apart(ctx), func(ctx context.Context) error { want(ctx, 2, "together apart"); return nil }); err != nil {
			return err
		}
		err = d.Each(ctx, func(db.Scan) error { want(ctx, 2, "amid rows"); return nil }, "SELECT id FROM t")
		if err != nil {
			return err
		}
		err = d.Tx(ctx, func(tx db.Tx) error {
			if n := d.Stats().Busy; n != 0 {
				t.Errorf("%d connections are held while a change waits", n)
			}
			return insert(2)(tx)
		})
		if err != nil {
			return err
		}
		want(ctx, 3, "after a change of its own")
		return stop
	})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	exec(t, d, `INSERT INTO t (id, name) VALUES (4, '4')`)
	want(after, 4, "after the end")
	ended, cancel := context.WithCancel(t.Context())
	err = d.Together(ended, func(ctx context.Context) error {
		cancel()
		var n int64
		return d.One(ctx, []any{&n}, "WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x) SELECT COUNT(*) FROM x")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a question without end under an ended context: %v", err)
	}
	want(t.Context(), 4, "at last")
}

// However many ask together, each of them may ask apart at the same time.
func TestTogetherAndApart(t *testing.T) {
	for _, readers := range []int{1, 2, 4} {
		d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table), Readers: readers})
		var all sync.WaitGroup
		for range 8 * readers {
			all.Go(func() {
				err := d.Together(t.Context(), func(ctx context.Context) error {
					var n int64
					return errors.Join(
						d.One(ctx, []any{&n}, "SELECT COUNT(*) FROM t"),
						d.One(db.Apart(ctx), []any{&n}, "SELECT COUNT(*) FROM t"),
					)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// Who panics while asking together gives the connection back.
func TestTogetherPanics(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table), Readers: 2})
	for range 5 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is gone")
				}
			}()
			_ = d.Together(t.Context(), func(ctx context.Context) error {
				count(t, d)
				var n int64
				if err := d.One(ctx, []any{&n}, "SELECT COUNT(*) FROM t"); err != nil {
					t.Error(err)
				}
				panic("stop")
			})
		}()
	}
	if s := d.Stats(); s.Busy != 0 {
		t.Errorf("%d connections are lost", s.Busy)
	}
}
