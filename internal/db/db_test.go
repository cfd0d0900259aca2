package db_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao/internal/db"
)

type (
	id   int64
	word string
)

func TestRoundTrip(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		exec(t, d, `INSERT INTO t (data, flag, name, id) VALUES ($4, $3, $2, $1)`, id(7), word("長\xff\x00い"), true, []byte{0, 1, 255})
		exec(t, d, `INSERT INTO t (id, name, data) VALUES ($1, $2, $3)`, 8, "$1 'x'", []byte(nil))
		type row struct {
			ID   id
			Name word
			Flag bool
			Data string
		}
		got, err := db.Collect(t.Context(), d, func(s db.Scan) (r row, err error) {
			var data []byte
			err = s(&r.ID, &r.Name, &r.Flag, &data)
			r.Data = string(data)
			return r, err
		}, `SELECT id, name, flag, data FROM t WHERE id IN `+db.In(1, 4)+` ORDER BY id`, db.PadIn([]any{7, 8})...)
		if err != nil {
			t.Fatal(err)
		}
		want := []row{{7, "長\uFFFDい", true, "\x00\x01\xff"}, {8, "$1 'x'", false, ""}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := d.One(t.Context(), []any{new(int64)}, `SELECT id FROM t WHERE id = $1`, 99); !errors.Is(err, db.ErrNoRows) {
			t.Errorf("no row: %v", err)
		}
		// The second query runs while the same text is being read.
		const all = `SELECT id FROM t WHERE id >= $1 ORDER BY id`
		var pairs []string
		err = d.Read(t.Context(), func(q db.Queryer) error {
			outer, err := db.Collect(t.Context(), q, scanInt, all, 0)
			if err != nil {
				return err
			}
			for _, o := range outer {
				err := q.Each(t.Context(), func(s db.Scan) error {
					n, err := scanInt(s)
					pairs = append(pairs, fmt.Sprint(o, n))
					return err
				}, all, o)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if diff := cmp.Diff([]string{"7 7", "7 8", "8 8"}, pairs); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

func scanInt(s db.Scan) (n int64, err error) {
	err = s(&n)
	return n, err
}

func TestNestedSameText(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	for i := range 3 {
		exec(t, d, `INSERT INTO t (id, name) VALUES ($1, $2)`, i, fmt.Sprint(i))
	}
	const all = `SELECT id FROM t ORDER BY id`
	var n int
	err := d.Read(t.Context(), func(q db.Queryer) error {
		return q.Each(t.Context(), func(db.Scan) error {
			return q.Each(t.Context(), func(db.Scan) error { n++; return nil }, all)
		}, all)
	})
	if err != nil || n != 9 {
		t.Errorf("%d inner rows, want 9: %v", n, err)
	}
}

func TestBadStatements(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		tests := []struct {
			name string
			sql  string
			args []any
		}{
			{"syntax", `SELEC`, nil},
			{"missing argument", `SELECT id FROM t WHERE id = $1 AND name = $2`, []any{1}},
			{"argument too many", `SELECT id FROM t WHERE id = $1`, []any{1, 2}},
			{"type that is not plain", `SELECT id FROM t WHERE id = $1`, []any{1.5}},
			{"NULL", `SELECT CAST(NULL AS BIGINT)`, nil},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				if err := d.One(t.Context(), []any{new(int64)}, tt.sql, tt.args...); err == nil || errors.Is(err, db.ErrNoRows) {
					t.Errorf("got %v, want an error", err)
				}
			})
		}
		if err := d.Each(t.Context(), func(db.Scan) error { return nil }, `INSERT INTO t (id) VALUES (1)`); err == nil && d.Kind() == db.SQLite {
			t.Error("a read connection wrote")
		}
		if err := d.Prepares(t.Context(), `SELECT nothing FROM t`); err == nil {
			t.Error("a column that is not there was accepted")
		}
		if err := d.Prepares(t.Context(), `SELECT id FROM t WHERE name = $1`); err != nil {
			t.Error(err)
		}
	})
}

func TestTxErrorLeavesNothing(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		mine := errors.New("mine")
		err := d.Tx(t.Context(), func(tx db.Tx) error {
			if _, err := tx.Exec(t.Context(), `INSERT INTO t (id, name) VALUES (1, 'a')`); err != nil {
				return err
			}
			if n := count(t, tx); n != 1 {
				t.Errorf("the transaction does not see its own row: %d", n)
			}
			return mine
		})
		if !errors.Is(err, mine) {
			t.Errorf("got %v, want the function's error", err)
		}
		func() {
			defer func() {
				if p := recover(); p != "boom" {
					t.Errorf("recovered %v, want boom", p)
				}
			}()
			_ = d.Tx(t.Context(), func(tx db.Tx) error {
				if _, err := tx.Exec(t.Context(), `INSERT INTO t (id, name) VALUES (2, 'b')`); err != nil {
					return err
				}
				panic("boom")
			})
		}()
		if n := count(t, d); n != 0 {
			t.Errorf("%d rows left", n)
		}
		exec(t, d, `INSERT INTO t (id, name) VALUES (3, 'c')`)
		err = d.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Send(t.Context(), []db.Statement{
				{SQL: `INSERT INTO t (id, name) VALUES ($1, $2)`, Args: []any{4, "d"}},
				{SQL: `INSERT INTO t (id, name) VALUES ($1, $2)`, Args: []any{5, "c"}},
			})
			return err
		})
		if !db.IsUnique(err) {
			t.Errorf("got %v, want a unique violation", err)
		}
		err = d.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO t (id, name) VALUES (3, 'z')`)
			return err
		})
		if !db.IsUnique(err) {
			t.Errorf("got %v, want a unique violation of the primary key", err)
		}
		if db.IsUnique(mine) || db.IsUnique(nil) {
			t.Error("any error is a unique violation")
		}
		if n := count(t, d); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

func TestSendCounts(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		var got []int64
		err := d.Tx(t.Context(), func(tx db.Tx) (err error) {
			got, err = tx.Send(t.Context(), []db.Statement{
				{SQL: `INSERT INTO t (id, name) VALUES ($1, $2), ($3, $4)`, Args: []any{1, "a", 2, "b"}},
				{SQL: `UPDATE t SET flag = $1 WHERE id = $2`, Args: []any{true, 9}},
				{SQL: `DELETE FROM t WHERE id > $1`, Args: []any{1}},
			})
			return err
		})
		if diff := cmp.Diff([]int64{2, 0, 1}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

// A group holds good and bad changes; the bad ones take nothing with them.
func TestGroupKeepsTheGood(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		const n = 100
		var wrong atomic.Int64
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				defer func() {
					if p := recover(); (p != nil) != (i%5 == 4) {
						wrong.Add(1)
					}
				}()
				err := d.Tx(t.Context(), func(tx db.Tx) error {
					if _, err := tx.Exec(t.Context(), `INSERT INTO t (id, name) VALUES ($1, $2)`, i, fmt.Sprint(i)); err != nil {
						return err
					}
					switch i % 5 {
					case 3:
						return errors.New("no")
					case 4:
						panic("no")
					}
					return nil
				})
				if (err != nil) != (i%5 == 3) {
					wrong.Add(1)
				}
			})
		}
		wg.Wait()
		if w, c := wrong.Load(), count(t, d); w != 0 || c != n/5*3 {
			t.Errorf("%d wrong outcomes, %d rows, want %d", w, c, n/5*3)
		}
	})
}

// All who increment are counted: no lost update on either engine.
func TestIncrements(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		exec(t, d, `INSERT INTO t (id, name) VALUES (1, '')`)
		exec(t, d, `INSERT INTO t (id, name) VALUES (1000, 'c')`)
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				err := d.Tx(t.Context(), func(tx db.Tx) error {
					_, err := tx.Exec(t.Context(), `UPDATE t SET id = id + 1 WHERE name = $1`, "c")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var got int64
		if err := d.One(t.Context(), []any{&got}, `SELECT id FROM t WHERE name = $1`, "c"); err != nil || got != 1040 {
			t.Errorf("%d, want 1040: %v", got, err)
		}
	})
}

func TestReadIsOneMoment(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		err := d.Read(t.Context(), func(q db.Queryer) error {
			before := count(t, q)
			exec(t, d, `INSERT INTO t (id, name) VALUES (1, 'a')`)
			if after := count(t, q); before != after {
				t.Errorf("a snapshot saw %d, then %d rows", before, after)
			}
			return nil
		})
		if n := count(t, d); err != nil || n != 1 {
			t.Errorf("%d rows afterwards: %v", n, err)
		}
	})
}

func TestContextEnds(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table), Readers: 1, Queue: 2, Group: 1})
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := d.Tx(context.Background(), func(db.Tx) error { close(held); <-hold; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	ran := false
	wg.Go(func() {
		err := d.Tx(ctx, func(db.Tx) error { ran = true; return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a change whose sender left: %v", err)
		}
	})
	wg.Go(func() {
		// Waits with the other; both places are taken then.
		if err := d.Tx(t.Context(), func(db.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
	})
	db.AwaitQueue(d, 2)
	busy := 0
	for range 1000 {
		// When both places are taken, the next one is told so at once.
		c, stop := context.WithCancel(t.Context())
		stop()
		if err := d.Tx(c, func(db.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context: %v", err)
		}
	}
	results := make(chan error, 5)
	for range 5 {
		go func() { results <- d.Tx(t.Context(), func(db.Tx) error { return nil }) }()
	}
	for range 5 {
		if err := <-results; errors.Is(err, db.ErrBusy) {
			busy++
		}
	}
	if busy < 5 {
		t.Errorf("%d of 5 were refused", busy)
	}
	cancel()
	close(hold)
	wg.Wait()
	if ran {
		t.Error("a change ran though its sender had left")
	}

	c, stop := context.WithCancel(t.Context())
	err := d.Each(c, func(db.Scan) error { stop(); return nil },
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n`)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a long query: %v", err)
	}
	if n := count(t, d); n != 0 {
		t.Error("the only reader is not usable any more")
	}
}

func TestClose(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqlitePath, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			o := db.Options{URL: url(t), Migrations: migrations(table)}
			d, err := db.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			var acked atomic.Int64
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					err := d.Tx(context.Background(), func(tx db.Tx) error {
						_, err := tx.Exec(context.Background(), `INSERT INTO t (id, name) VALUES ($1, $2)`, i, fmt.Sprint(i))
						return err
					})
					if err == nil {
						acked.Add(1)
					} else if !errors.Is(err, db.ErrClosed) && name == "sqlite" {
						t.Error(err)
					}
				})
			}
			if err := d.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			wg.Wait()
			if err := d.Tx(t.Context(), func(db.Tx) error { return nil }); !errors.Is(err, db.ErrClosed) {
				t.Errorf("a change after Close: %v", err)
			}
			if err := d.Close(context.Background()); err != nil {
				t.Errorf("closing twice: %v", err)
			}
			if got := count(t, open(t, o)); got != acked.Load() {
				t.Errorf("%d rows, %d acknowledged", got, acked.Load())
			}
		})
	}
}

func TestFilesArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := sqlitePath(t)
	d := open(t, db.Options{URL: path, Migrations: migrations(table)})
	exec(t, d, `INSERT INTO t (id, name) VALUES (1, 'a')`)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v: %v", files, err)
	}
	for _, f := range append(files, filepath.Dir(path)) {
		want := fs.FileMode(0o600)
		if f == filepath.Dir(path) {
			want = 0o700
		}
		if st, err := os.Stat(f); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", filepath.Base(f), st.Mode(), want)
		}
	}
}

func TestPragmas(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	err := d.Tx(t.Context(), func(tx db.Tx) error {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "0", "secure_delete": "1",
			"temp_store": "2", "foreign_keys": "0", "query_only": "0", "busy_timeout": "10000",
		} {
			var got string
			if err := tx.One(t.Context(), []any{&got}, "PRAGMA "+pragma); err != nil || got != want {
				t.Errorf("%s is %s, want %s: %v", pragma, got, want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var ro string
	if err := d.One(t.Context(), []any{&ro}, "PRAGMA query_only"); err != nil || ro != "1" {
		t.Errorf("readers can write: %s %v", ro, err)
	}
}

// The WAL does not grow without bound under unbroken writing.
func TestWALIsCut(t *testing.T) {
	path := sqlitePath(t)
	d := open(t, db.Options{URL: path, Migrations: migrations(table)})
	blob := make([]byte, 1<<20)
	var high int64
	for i := range 120 {
		exec(t, d, `INSERT INTO t (id, name, data) VALUES ($1, $2, $3)`, i, fmt.Sprint(i), blob)
		if st, err := os.Stat(path + "-wal"); err == nil {
			high = max(high, st.Size())
		}
	}
	if high < 4<<20 || high > 80<<20 {
		t.Errorf("the WAL was up to %d MB, want at most 80", high>>20)
	}
}

func TestMigrations(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqlitePath, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			o := db.Options{URL: url(t), Migrations: migrations(table)}
			again := func(want string, files ...string) {
				t.Helper()
				o.Migrations = migrations(files...)
				d, err := db.Open(t.Context(), o)
				if err == nil {
					err = d.Close(t.Context())
				}
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
			second := "-- +goose Up\nALTER TABLE t ADD COLUMN more TEXT NOT NULL DEFAULT 'm';\nCREATE TABLE u (id BIGINT PRIMARY KEY);"
			again("", table)
			again("", table)
			again("升级到 2 没有成功", table, second+"\nINSERT INTO missing VALUES (1);")
			again("", table)
			again("", table, second)
			again("请换用新版程序", table)
			o.Migrations = migrations(table, second)
			d := open(t, o)
			exec(t, d, `INSERT INTO t (id, more) VALUES (1, 'x')`)
			if name == "sqlite" {
				o.Migrations = migrations(table)
				if _, err := db.Open(t.Context(), o); !errors.Is(err, db.ErrNewer) {
					t.Errorf("got %v, want ErrNewer", err)
				}
			}
		})
	}
}

func TestServersStartAtOnce(t *testing.T) {
	o := db.Options{URL: postgresURL(t), Migrations: migrations(table)}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			d, err := db.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Two transactions that lock two rows in opposite order: PostgreSQL ends one of
// them, Tx runs it again.
func TestDeadlockIsRetried(t *testing.T) {
	d := open(t, db.Options{URL: postgresURL(t), Migrations: migrations(table)})
	exec(t, d, `INSERT INTO t (id, name) VALUES (1, 'a'), (2, 'b')`)
	var met sync.WaitGroup
	met.Add(2)
	var runs atomic.Int64
	var wg sync.WaitGroup
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		wg.Go(func() {
			first := true
			err := d.Tx(t.Context(), func(tx db.Tx) error {
				runs.Add(1)
				if _, err := tx.Exec(t.Context(), `UPDATE t SET flag = TRUE WHERE id = $1`, order[0]); err != nil {
					return err
				}
				if first {
					first = false
					met.Done()
					met.Wait()
				}
				_, err := tx.Exec(t.Context(), `UPDATE t SET flag = TRUE WHERE id = $1`, order[1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if runs.Load() < 3 {
		t.Error("no deadlock came about")
	}
}

// At the strictest isolation PostgreSQL refuses what it cannot put in order; of many who count
// what is there and add one all succeed, and no two have counted the same.
func TestSerializationIsRetried(t *testing.T) {
	d := open(t, db.Options{URL: postgresURL(t) + "&default_transaction_isolation=serializable", Migrations: migrations(table)})
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for j := range 5 {
				err := d.Tx(t.Context(), func(tx db.Tx) error {
					var n int64
					if err := tx.One(t.Context(), []any{&n}, `SELECT COUNT(*) FROM t`); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), `INSERT INTO t (id, name, data) VALUES ($1, $2, $3)`, 10*i+j, fmt.Sprint(i, j), []byte{byte(n)})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := d.One(t.Context(), []any{&n}, `SELECT COUNT(DISTINCT data) FROM t`); err != nil || n != 30 || d.Stats().Retried == 0 {
		t.Errorf("%d counted of 30, %d retried, %v", n, d.Stats().Retried, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, url, want string }{
		{"no path", "", "路径"},
		{"file in the way", filepath.Join(file, "x.db"), "不能建立或打开"},
		{"no database", file, "not a database"},
		{"wrong URL", "postgres://user:secret@[", "数据库地址的写法不对"},
		{"nobody there", "postgres://user:secret@127.0.0.1:1/x?connect_timeout=2", "连不上 PostgreSQL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := db.Open(t.Context(), db.Options{URL: tt.url, Migrations: migrations(table)})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %q and no password", err, tt.want)
			}
		})
	}
}

// A statement keeps its plan whatever is bound to it: SQLite would plan joins and bound
// limits anew at every run.
func TestPlansAreKept(t *testing.T) {
	d := open(t, db.Options{URL: sqlitePath(t), Migrations: migrations(table)})
	args := func(i int) []any { return []any{int64(i), int64(i + 1)} }
	for name, sql := range map[string]string{
		"a join":   `SELECT a.id FROM t a JOIN t b ON b.id = a.id WHERE a.id = $1 AND b.id < $2`,
		"a limit":  `SELECT id FROM t WHERE id > $1 LIMIT $2`,
		"a prefix": `SELECT id FROM t WHERE name LIKE $1 || $2`,
	} {
		n, err := db.Replanned(t.Context(), d, 5, sql, args)
		if err != nil || n != 0 {
			t.Errorf("%s: planned anew %d times in 5: %v", name, n, err)
		}
	}
}
