package db_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"tianbao/internal/db"
)

// sound fails if a database's file is not, looked at by another connection.
func sound(t *testing.T, path string, rows int64) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(context.Background())
	if n := count(t, d); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	var found string
	if err := d.One(t.Context(), []any{&found}, "PRAGMA integrity_check"); err != nil || found != "ok" {
		t.Error(found, err)
	}
}

// A commit is written to the log by few calls, and only the head of a log is synced by SQLite.
func TestLogIsWrittenAtOnce(t *testing.T) {
	path := sqlitePath(t)
	d := open(t, db.Options{URL: path, Migrations: migrations(table)})
	calls := db.WatchLog(d)
	put := func(id, kb int) {
		exec(t, d, `INSERT INTO t (id, name, data) VALUES ($1, $2, $3)`, id, fmt.Sprint(id), bytes.Repeat([]byte{byte(id)}, kb<<10))
	}
	put(1, 80)
	if n := calls.Writes.Load(); n > 3 {
		t.Errorf("twenty pages were written by %d calls", n)
	}
	calls.Reset()
	put(2, 80)
	if writes, syncs := calls.Writes.Load(), calls.Syncs.Load(); writes != 1 || syncs != 0 {
		t.Errorf("%d writes and %d syncs for a commit of twenty pages", writes, syncs)
	}
	put(3, 4<<10) // more than is gathered
	if n, most := calls.Writes.Load(), int64(1+4<<20/100_000); n > most {
		t.Errorf("%d writes, want at most %d", n, most)
	}
	if n := calls.Syncs.Load(); n != 0 {
		t.Errorf("SQLite synced %d times, which is not its task", n)
	}
	calls.Reset()
	for i := 4; calls.Syncs.Load() == 0 && i < 40; i++ { // until the log begins anew
		put(i, 4<<10)
	}
	if calls.Syncs.Load() == 0 {
		t.Error("the head of a log that began anew was not synced before its frames")
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What cannot be written is not committed, and the next commit is whole.
func TestLogWriteFails(t *testing.T) {
	path := sqlitePath(t)
	d := open(t, db.Options{URL: path, Migrations: migrations(table)})
	calls := db.WatchLog(d)
	add := func(id int) error {
		return d.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO t (id, name, data) VALUES ($1, $2, $3)`, id, fmt.Sprint(id), make([]byte, 300<<10))
			return err
		})
	}
	if err := add(1); err != nil {
		t.Fatal(err)
	}
	for _, code := range []int32{sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE} {
		if calls.Fail.Store(code); add(2) == nil {
			t.Errorf("a commit that was not written is told as one, code %d", code)
		}
		calls.Fail.Store(0)
		if n := count(t, d); n != 1 {
			t.Errorf("%d rows are seen, want 1", n)
		}
	}
	if err := add(3); err != nil {
		t.Error(err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	sound(t, path, 2)
}

// A transaction that is larger than the writer's memory comes to the log before its commit; it
// is whole, or nothing of it is left, and what comes after it is whole, too.
func TestLogOfLargeTransactions(t *testing.T) {
	path := sqlitePath(t)
	d := open(t, db.Options{URL: path, Migrations: migrations(table)})
	large := func(from int, end error) error {
		return d.Tx(t.Context(), func(tx db.Tx) error {
			for round := range 2 { // the second time over pages that are in the log already
				for i := range 40 {
					_, err := tx.Exec(t.Context(), `INSERT INTO t (id, name, data) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET data = excluded.data`,
						from+i, fmt.Sprint(from+i), bytes.Repeat([]byte{byte(round)}, 1<<20))
					if err != nil {
						return err
					}
				}
			}
			return end
		})
	}
	exec(t, d, `INSERT INTO t (id, name, data) VALUES (1, 'one', $1)`, []byte("x"))
	if err := large(1000, context.Canceled); err == nil {
		t.Error("it was to fail")
	}
	exec(t, d, `INSERT INTO t (id, name, data) VALUES (2, 'two', $1)`, []byte("x"))
	if err := large(2000, nil); err != nil {
		t.Error(err)
	}
	exec(t, d, `INSERT INTO t (id, name, data) VALUES (3, 'three', $1)`, []byte("x"))
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	sound(t, path, 43)
}
