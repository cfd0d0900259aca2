package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync/atomic"
)

// Kind is the engine behind a DB.
type Kind int

// The engines.
const (
	SQLite Kind = iota + 1
	Postgres
)

// String returns the engine's name, as the fragments of migrations write it.
func (k Kind) String() string {
	switch k {
	case SQLite:
		return "sqlite"
	case Postgres:
		return "postgres"
	}
	return fmt.Sprintf("kind-%d", int(k))
}

// Errors of this package. An error of a statement is wrapped and stays as it is.
var (
	// ErrNoRows: the query of One gave no row.
	ErrNoRows = errors.New("db: no rows")
	// ErrBusy: too many changes wait already; try again later.
	ErrBusy = errors.New("db: too many changes wait")
	// ErrClosed: the database is being closed.
	ErrClosed = errors.New("db: closed")
	// ErrAway: the database server cannot be reached, or the connection broke before anything
	// was committed; try again later.
	ErrAway = errors.New("db: the server is away")
	// ErrUnsure: the connection broke after COMMIT was sent, or the disk failed to sync what
	// it wrote, so nobody knows whether the change was made, or outlasts a power cut. It must
	// be told as neither; a key that was written with the change tells once all is well.
	ErrUnsure = errors.New("db: it is not known whether the change was made")
	// ErrNewer: the database was written by a newer version of the program.
	ErrNewer = errors.New("db: the database is newer than the program")
)

// Options say which database to open and how.
type Options struct {
	// URL is "postgres://…", or the path of an SQLite file, which is made if it is
	// missing, with mode 0600 in a directory of mode 0700.
	URL string
	// Migrations holds files 0001_name.sql in the form of goose, applied in order,
	// forward only; nil applies none. A file is one text for both engines;
	// /*sqlite …*/ and /*postgres …*/ hold a fragment that only the named engine
	// reads. BIGINT PRIMARY KEY becomes SQLite's INTEGER PRIMARY KEY, which saves an
	// index; TEXT NOT NULL gets PostgreSQL's COLLATE "C", by which text has the same
	// order as on SQLite, whatever the locale.
	Migrations fs.FS
	// UpTo stops at the migration of that number (default: all are applied), for a copy of
	// an older database, which is brought up to date afterwards.
	UpTo int64
	// Readers is the number of read connections of SQLite (default 4) or of all
	// connections of PostgreSQL (default 16, if the URL has no pool_max_conns).
	Readers int
	// Queue is how many changes may wait before ErrBusy (default 1024).
	Queue int
	// Group is how many changes SQLite may commit together (default 256). One
	// turns group commit off, which only a benchmark wants.
	Group int
	// Log receives what no caller can be told, e.g. a failed checkpoint.
	Log *slog.Logger
}

// Scan copies the columns of the current row to the variables pointed at.
type Scan func(dest ...any) error

// Queryer reads.
type Queryer interface {
	// Each runs a query and calls fn once for each row.
	Each(ctx context.Context, fn func(Scan) error, sql string, args ...any) error
	// One reads the first row of a query into dest, or returns ErrNoRows.
	One(ctx context.Context, dest []any, sql string, args ...any) error
}

// Statement is a statement to be executed with its arguments.
type Statement struct {
	SQL  string
	Args []any
}

// Tx reads and writes within one transaction.
type Tx interface {
	Queryer
	// Exec executes a statement and returns how many rows it changed.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Send executes the statements in order, on PostgreSQL in one round trip, and
	// returns how many rows each changed. It stops at the first error.
	Send(ctx context.Context, batch []Statement) ([]int64, error)
	// Hold keeps others that hold the same number waiting until the transaction ends;
	// who shares it waits only for those that do not. Waiting is in the order of asking.
	// On SQLite there is one writer and nothing to wait for.
	Hold(ctx context.Context, n int64, share bool) error
	// After has fn called when the transaction is committed and before Tx returns: on SQLite
	// in the order of the commits, holding up the next one, while the disk has still to take
	// it, so fn tells nobody outside. It is not called when nothing of the transaction is left.
	After(fn func())
}

// engine is what the two engines do differently.
type engine interface {
	Queryer
	Read(ctx context.Context, fn func(Queryer) error) error
	Tx(ctx context.Context, fn func(Tx) error) error
	Prepares(ctx context.Context, sql string) error
	Stats() Stats
	Close(ctx context.Context) error
}

// DB is an open database, safe for use by several goroutines.
type DB struct {
	engine
	kind    Kind
	watched atomic.Pointer[watch]
}

// Open opens the database, applies the migrations it lacks, and refuses one that
// a newer program wrote.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Queue <= 0 {
		o.Queue = 1024
	}
	if o.Group <= 0 {
		o.Group = 256
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if IsPostgresURL(o.URL) {
		e, err := openPostgres(ctx, o)
		if err != nil {
			return nil, err
		}
		return &DB{engine: e, kind: Postgres}, nil
	}
	e, err := openSQLite(ctx, o)
	if err != nil {
		return nil, err
	}
	return &DB{engine: e, kind: SQLite}, nil
}

// IsPostgresURL reports whether Open would take the text for a PostgreSQL URL.
func IsPostgresURL(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// Kind returns the engine.
func (d *DB) Kind() Kind { return d.kind }

// Read calls fn with a Queryer whose queries all see the database of one moment.
func (d *DB) Read(ctx context.Context, fn func(Queryer) error) error { return d.engine.Read(ctx, fn) }

// Tx calls fn within a transaction and returns when what it did is durable, or
// nothing of it is left: after an error or panic of fn, which Tx passes on, or a
// failed commit. Read the dangers in the package comment.
//
// When the context ends while the change still waits, it is never run; once it
// runs, Tx waits for its outcome. On PostgreSQL that may be lost with the connection, which
// is ErrUnsure.
func (d *DB) Tx(ctx context.Context, fn func(Tx) error) error {
	if w := d.watched.Load(); w != nil {
		return w.tx(ctx, d.engine, fn)
	}
	return d.engine.Tx(ctx, fn)
}

// Prepares reports whether the engine accepts a statement, without running it.
func (d *DB) Prepares(ctx context.Context, sql string) error { return d.engine.Prepares(ctx, sql) }

// Close lets the waiting changes finish, as long as the context allows, and
// closes the database.
func (d *DB) Close(ctx context.Context) error { return d.engine.Close(ctx) }

// Collect returns what scan makes of each row of a query.
func Collect[T any](ctx context.Context, q Queryer, scan func(Scan) (T, error), sql string, args ...any) ([]T, error) {
	var out []T
	err := q.Each(ctx, func(s Scan) error {
		v, err := scan(s)
		if err == nil {
			out = append(out, v)
		}
		return err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}
