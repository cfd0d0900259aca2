package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/store"
)

// Option changes how a store is opened.
type Option func(*config)

type config struct {
	forms store.Forms
	now   clock.Clock
	ring  *seal.Ring
	db    db.Options
}

// WithForms gives the store other forms than [Forms].
func WithForms(f func(name string, version int) (*tianbao.Form, error)) Option {
	return func(c *config) { c.forms = f }
}

// WithClock gives the store another clock than the system's.
func WithClock(now clock.Clock) Option { return func(c *config) { c.now = now } }

// WithRing gives the store another key ring than [Ring].
func WithRing(r *seal.Ring) Option { return func(c *config) { c.ring = r } }

// WithDB changes the options of the database.
func WithDB(change func(*db.Options)) Option { return func(c *config) { change(&c.db) } }

// Ring returns a key ring that is the same for every test.
func Ring(t testing.TB) *seal.Ring {
	t.Helper()
	r, err := seal.New(seal.SM4, []byte("storetest"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// OpenSQLite opens a store on a new SQLite file that goes with the test.
func OpenSQLite(t testing.TB, opts ...Option) *store.Store {
	t.Helper()
	return Open(t, filepath.Join(t.TempDir(), "data", "tianbao.db"), opts...)
}

// OpenPostgres opens a store on a new PostgreSQL schema that goes with the test.
func OpenPostgres(t testing.TB, opts ...Option) *store.Store {
	t.Helper()
	return Open(t, PostgresURL(t), opts...)
}

// Open opens a store on the given database and closes it with the test.
func Open(t testing.TB, url string, opts ...Option) *store.Store {
	t.Helper()
	c := config{forms: Forms, now: clock.System, ring: nil, db: db.Options{URL: url, Migrations: store.Migrations()}}
	for _, o := range opts {
		o(&c)
	}
	if c.ring == nil {
		c.ring = Ring(t)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := Prepare(ctx, url); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(ctx, c.db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store.New(d, c.ring, &clock.IDs{Clock: c.now}, c.forms, c.now)
}

// PostgresURL makes a new schema, which goes with the test, and returns a URL that
// leads into it, for a server process or for [Open]. A schema is as good as a
// database to whoever uses it, and dropping it needs no checkpoint.
func PostgresURL(t testing.TB) string {
	t.Helper()
	super := os.Getenv("TIANBAO_TEST_PG")
	if super == "" {
		const hint = "no PostgreSQL: run the tests by scripts/with-postgres.sh, which sets TIANBAO_TEST_PG"
		if os.Getenv("TIANBAO_TEST_ALL") == "1" {
			t.Fatal(hint)
		}
		t.Skip(hint)
	}
	u, err := url.Parse(super)
	if err != nil {
		t.Fatal("TIANBAO_TEST_PG is not a URL")
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	name := "tianbao_test_" + hex.EncodeToString(b[:])
	if err := pgExec(super, "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pgExec(super, "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func pgExec(url, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to TIANBAO_TEST_PG: %w", err)
	}
	defer func() { _ = c.Close(ctx) }()
	_, err = c.Exec(ctx, sql)
	return err
}

// Engines runs a test on both engines.
func Engines(t *testing.T, fn func(t *testing.T, s *store.Store), opts ...Option) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, OpenSQLite(t, opts...)) })
	t.Run("postgres", func(t *testing.T) { fn(t, OpenPostgres(t, opts...)) })
}
