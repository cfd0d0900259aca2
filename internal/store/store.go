package store

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"sync/atomic"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/ident"
	"tianbao/internal/seal"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the schema's migrations, for db.Options.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the embedded directory is there
	}
	return sub
}

// Forms finds a form by name and version.
type Forms func(name string, version int) (*tianbao.Form, error)

// Store keeps everything. It is safe for use by several goroutines.
type Store struct {
	db    *db.DB
	ring  seal.Sealer
	ids   *clock.IDs
	forms Forms
	now   clock.Clock
	// pinyin makes what units are found by.
	pinyin ident.Pinyin
	// known is the register as it was read last, to look units up in.
	known unitCache
	olds  oldCache
	// size is how large the register is, about.
	size atomic.Pointer[registerSize]
	// plans are those of the collections, read once a version.
	plans plans
	// keyLog are the search keys on their way into row_key.
	keyLog keyLog
	// sessions are those of the last moment.
	sessions sessionMemory
	// events counts what went on the trail.
	events eventCounts
}

// New returns a Store on an open database, whose schema must be that of
// [Migrations].
func New(d *db.DB, ring seal.Sealer, ids *clock.IDs, forms func(name string, version int) (*tianbao.Form, error), now clock.Clock) *Store {
	s := &Store{db: d, ring: ring, ids: ids, forms: forms, now: now}
	s.sessions.changes = d.Watch(sessionTables...)
	return s
}

// DB returns the database below, for closing it and for tests.
func (s *Store) DB() *db.DB { return s.db }

// id returns a new id.
func (s *Store) id() tianbao.ID { return tianbao.ID(s.ids.Next()) }

// The zero time is stored as 0.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func when(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// one reads a row, with tianbao.NotFound when there is none.
func one(ctx context.Context, q db.Queryer, dest []any, sql string, args ...any) error {
	err := q.One(ctx, dest, sql, args...)
	if errors.Is(err, db.ErrNoRows) {
		return tianbao.NotFound()
	}
	return err
}

// exec executes one statement in a transaction of its own and returns the number
// of rows it changed.
func (s *Store) exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) (err error) {
		n, err = tx.Exec(ctx, sql, args...)
		return err
	})
	return n, err
}

// upsert updates a row, or inserts it when there is none to update. Both texts take
// the same arguments.
func upsert(ctx context.Context, tx db.Tx, update, insert string, args ...any) error {
	n, err := tx.Exec(ctx, update, args...)
	if err == nil && n == 0 {
		_, err = tx.Exec(ctx, insert, args...)
	}
	return err
}
