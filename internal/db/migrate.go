package db

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// How often and how many times a starting server asks whether another one is done
// with the migrations: five minutes.
const (
	lockTick  = 200 * time.Millisecond
	lockTries = 1500
)

// migrate brings the schema up to the newest migration. On PostgreSQL several
// servers may start at once; a row with a lease lets one of them do it.
func migrate(ctx context.Context, kind Kind, conn *sql.DB, o Options) error {
	for try := 1; ; try++ {
		err := migrateOnce(ctx, kind, conn, o)
		var pg *pgconn.PgError
		// CREATE TABLE IF NOT EXISTS is not atomic on PostgreSQL: of two that come at
		// once, one may fail on the catalogue's own unique index.
		raced := errors.As(err, &pg) && (pg.Code == pgUnique || pg.Code == pgDuplicateTable)
		if !raced || try == maxTries {
			return err
		}
		time.Sleep(lockTick)
	}
}

func migrateOnce(ctx context.Context, kind Kind, conn *sql.DB, o Options) error {
	if kind == SQLite && upToDate(ctx, conn, o) {
		return nil
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
	}
	if kind == Postgres {
		dialect = goose.DialectPostgres
		l, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(lockTick, lockTries))
		if err != nil {
			return fmt.Errorf("db: migration lock: %w", err)
		}
		opts = append(opts, goose.WithLocker(l))
	}
	p, err := goose.NewProvider(dialect, conn, engineFS{FS: o.Migrations, kind: kind}, opts...)
	if err != nil {
		return fmt.Errorf("db: read migrations: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("不能读数据库的版本，请检查它是不是本系统的数据库：%w", err)
	}
	if o.UpTo > target {
		return fmt.Errorf("备份的结构版本是 %d，本程序只认识到 %d；请换用新版程序：%w", o.UpTo, target, ErrNewer)
	}
	if o.UpTo > 0 {
		target = o.UpTo
	}
	if current > target {
		return fmt.Errorf("数据库的结构版本是 %d，本程序只认识到 %d；请换用新版程序，不要用旧版打开：%w", current, target, ErrNewer)
	}
	if current == target {
		return nil
	}
	done, err := p.UpTo(ctx, target)
	if err != nil {
		return fmt.Errorf("数据库从版本 %d 升级到 %d 没有成功，已退回出错的一步；请保留数据库并查看原因：%w", current, target, err)
	}
	for _, r := range done {
		o.Log.Info("migration applied", "version", r.Source.Version, "took", r.Duration)
	}
	return nil
}

const sqlNewestMigration = `SELECT MAX(version_id) FROM goose_db_version`

// upToDate tells whether the database has the newest migration, as nearly always: goose
// reads all of them before it can say so. Whatever else is the case, it is left to goose.
func upToDate(ctx context.Context, conn *sql.DB, o Options) bool {
	var current, newest int64
	if o.UpTo > 0 || conn.QueryRowContext(ctx, sqlNewestMigration).Scan(&current) != nil {
		return false
	}
	files, err := fs.Glob(o.Migrations, "*.sql")
	for _, name := range files {
		n, verr := goose.NumericComponent(name)
		newest, err = max(newest, n), errors.Join(err, verr)
	}
	return err == nil && current == newest
}

// engineFS shows each migration as one engine reads it.
type engineFS struct {
	fs.FS
	kind Kind
}

// Open implements fs.FS.
func (e engineFS) Open(name string) (fs.File, error) {
	f, err := e.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	b, err := io.ReadAll(f)
	st, serr := f.Stat()
	if err = errors.Join(err, serr, f.Close()); err != nil {
		return nil, err
	}
	return &textFile{Reader: bytes.NewReader([]byte(ForEngine(e.kind, string(b)))), info: st}, nil
}

// textFile is a migration after its fragments were chosen.
type textFile struct {
	*bytes.Reader
	info fs.FileInfo
}

// Stat implements fs.File. The size is the original's; nobody here asks for it.
func (f *textFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements fs.File.
func (f *textFile) Close() error { return nil }

// ForEngine returns the text of a migration as the engine reads it; see
// [Options.Migrations].
func ForEngine(kind Kind, text string) string {
	fragment := regexp.MustCompile(`(?s)/\*(sqlite|postgres)\s(.*?)\*/`)
	text = fragment.ReplaceAllStringFunc(text, func(s string) string {
		m := fragment.FindStringSubmatch(s)
		if m[1] == kind.String() {
			return " " + strings.TrimSpace(m[2])
		}
		return ""
	})
	if kind == SQLite {
		return strings.ReplaceAll(text, "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
	}
	return strings.ReplaceAll(text, " TEXT NOT NULL", ` TEXT COLLATE "C" NOT NULL`)
}
