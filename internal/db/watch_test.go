package db_test

import (
	"errors"
	"testing"

	"tianbao/internal/db"
)

func TestWatch(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		exec(t, d, `CREATE TABLE tt (id BIGINT PRIMARY KEY)`)
		count := d.Watch("t", "u")
		again := d.Watch("t", "u")
		moved := func(name string, want bool, act func()) {
			t.Helper()
			was := count()
			if act(); (count() != was) != want {
				t.Errorf("%s: counted %d, want %v", name, count()-was, want)
			}
		}
		run := func(sql string, args ...any) func() { return func() { t.Helper(); exec(t, d, sql, args...) } }
		moved("insert", true, run(`INSERT INTO t (id, name) VALUES ($1, 'a'), (2, 'b')`, 1))
		moved("update", true, run(`update t set flag = true where id = $1`, 1))
		moved("delete", true, run("DELETE\nFROM t WHERE id = $1", 2))
		moved("another table", false, run(`INSERT INTO tt (id) SELECT id FROM t`))
		moved("reading", false, func() {
			if err := d.One(ctx, []any{new(int64)}, `SELECT id FROM t`); err != nil {
				t.Error(err)
			}
		})
		moved("several", true, func() {
			err := d.Tx(ctx, func(tx db.Tx) error {
				_, err := tx.Send(ctx, []db.Statement{{SQL: `DELETE FROM tt`}, {SQL: `UPDATE t SET name = $1`, Args: []any{"c"}}})
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		no := errors.New("no")
		moved("nothing came of it", false, func() {
			err := d.Tx(ctx, func(tx db.Tx) error {
				_, err := tx.Exec(ctx, `DELETE FROM t`)
				return errors.Join(err, no)
			})
			if !errors.Is(err, no) {
				t.Error(err)
			}
		})
		// Who reads what a change made finds the count beyond what it was before the change.
		was := count()
		err := d.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE t SET name = 'd'`)
			return err
		})
		var name string
		if err := errors.Join(err, d.One(ctx, []any{&name}, `SELECT name FROM t`)); err != nil || name != "d" || count() == was {
			t.Errorf("%q %d %v", name, count()-was, err)
		}
		if again() != count() {
			t.Error("the same tables have two counts")
		}
	})
}

// Of a change whose outcome nobody knows, it may be that it was made.
func TestWatchUnsure(t *testing.T) {
	d := open(t, db.Options{URL: t.TempDir() + "/data/x.db", Migrations: migrations(table)})
	count := d.Watch("t")
	db.Syncing(d, func() error { return errors.New("the disk failed") })
	defer db.Syncing(d, nil)
	was := count()
	err := d.Tx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO t (id) VALUES (1)`)
		return err
	})
	if !errors.Is(err, db.ErrUnsure) || count() == was {
		t.Errorf("counted %d: %v", count()-was, err)
	}
}
