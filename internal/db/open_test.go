package db_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"tianbao/internal/db"
)

const table = `-- +goose Up
CREATE TABLE t (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL DEFAULT '',
  flag BOOLEAN NOT NULL DEFAULT FALSE,
  data BYTEA NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX t_name ON t (name);
`

func migrations(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i, f := range files {
		fsys[string(rune('1'+i))+"_x.sql"] = &fstest.MapFile{Data: []byte(f)}
	}
	return fsys
}

func open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d
}

// postgresURL makes a database of the test's own.
func postgresURL(t testing.TB) string {
	t.Helper()
	super := os.Getenv("TIANBAO_TEST_PG")
	if super == "" {
		if os.Getenv("TIANBAO_TEST_ALL") == "1" {
			t.Fatal("TIANBAO_TEST_PG is not set; run by scripts/with-postgres.sh")
		}
		t.Skip("TIANBAO_TEST_PG is not set; run by scripts/with-postgres.sh")
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	name := "test_" + hex.EncodeToString(b[:])
	run := func(sql string) {
		c, err := pgx.Connect(context.Background(), super)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.Background())
		if _, err := c.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE DATABASE " + name)
	t.Cleanup(func() { run("DROP DATABASE " + name + " WITH (FORCE)") })
	u, err := url.Parse(super)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func sqlitePath(t testing.TB) string { return filepath.Join(t.TempDir(), "data", "t.db") }

// both runs a test on each engine with the table t.
func both(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqlitePath, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			fn(t, open(t, db.Options{URL: url(t), Migrations: migrations(table)}))
		})
	}
}

func exec(t testing.TB, d *db.DB, sql string, args ...any) {
	t.Helper()
	err := d.Tx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), sql, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, q db.Queryer) int64 {
	t.Helper()
	var n int64
	if err := q.One(t.Context(), []any{&n}, `SELECT count(*) FROM t`); err != nil {
		t.Fatal(err)
	}
	return n
}
