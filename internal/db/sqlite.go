package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	modernc "modernc.org/sqlite"
)

const busyTimeout = 10 * time.Second

// sqliteDB is the engine on an SQLite file: some connections that read, one that
// writes.
type sqliteDB struct {
	readers chan *sqliteConn
	all     []*sqliteConn
	commit  *committer
}

// openSQLite opens the file, with the pragmas of the design: WAL so that readers
// never wait, FULL so that a commit is on the disk before it is answered, pages
// overwritten when freed, nothing temporary on disk.
func openSQLite(ctx context.Context, o Options) (_ *sqliteDB, err error) {
	path, err := filepath.Abs(o.URL)
	if err != nil || o.URL == "" {
		return nil, fmt.Errorf("数据库文件的路径 %q 不对：%w", o.URL, errors.Join(err, fs.ErrInvalid))
	}
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("不能建立或打开数据库文件 %s，请检查目录是否可写、磁盘是否已满：%w", path, err)
	}
	// Linux: fdatasync syncs what a commit needs; the file's times are not part of
	// it. It is a switch of the whole engine, and elsewhere there is none.
	if _, err := modernc.Fdatasync(true); err != nil && !errors.Is(err, modernc.ErrFdatasyncUnavailable) {
		return nil, fmt.Errorf("db: fdatasync: %w", err)
	}
	if err := migrateSQLite(ctx, path, o); err != nil {
		return nil, err
	}
	e := &sqliteDB{}
	defer func() {
		if err != nil {
			for _, c := range e.all {
				err = errors.Join(err, c.close())
			}
		}
	}()
	open := func(writer bool, pragmas ...string) (*sqliteConn, error) {
		c, err := openConn(path, writer, append(pragmas, "temp_store = MEMORY", "foreign_keys = OFF")...)
		if err != nil {
			return nil, fmt.Errorf("db: open %s: %w", path, err)
		}
		e.all = append(e.all, c)
		return c, nil
	}
	writing := []string{"journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 0", "secure_delete = ON"}
	w, err := open(true, append(writing, "cache_size = -65536")...)
	if err != nil {
		return nil, err
	}
	cp, err := open(true, append(writing, "cache_size = -2000")...)
	if err != nil {
		return nil, err
	}
	var mode string
	if err := w.One(ctx, []any{&mode}, "PRAGMA journal_mode"); err != nil || mode != "wal" {
		return nil, fmt.Errorf("数据库所在的文件系统不支持 WAL 方式（%s），请改放到本地磁盘：%w", mode, errors.Join(err, errors.ErrUnsupported))
	}
	readers := o.Readers
	if readers <= 0 {
		readers = 4
	}
	e.readers = make(chan *sqliteConn, readers)
	for range readers {
		c, err := open(false, "cache_size = -16384")
		if err != nil {
			return nil, err
		}
		e.readers <- c
	}
	e.commit = newCommitter(w, cp, path+"-wal", o)
	return e, nil
}

// createPrivate makes the file, if it is missing, for its owner only, whatever the
// umask; SQLite gives the files beside it the same mode.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// migrateSQLite applies the migrations by a connection of their own.
func migrateSQLite(ctx context.Context, path string, o Options) error {
	if o.Migrations == nil {
		return nil
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	name := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	conn, err := sql.Open("sqlite", name.String())
	if err != nil {
		return fmt.Errorf("db: open %s: %w", path, err)
	}
	return errors.Join(migrate(ctx, SQLite, conn, o), conn.Close())
}

// lend calls fn with a read connection that stops when the context ends.
func (e *sqliteDB) lend(ctx context.Context, fn func(*sqliteConn) error) error {
	select {
	case c := <-e.readers:
		if c == nil {
			return ErrClosed
		}
		defer func() {
			c.c.SetInterrupt(nil)
			e.readers <- c
		}()
		c.c.SetInterrupt(ctx.Done())
		return fn(c)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Each implements [Queryer].
func (e *sqliteDB) Each(ctx context.Context, fn func(Scan) error, sql string, args ...any) error {
	return e.lend(ctx, func(c *sqliteConn) error { return c.Each(ctx, fn, sql, args...) })
}

// One implements [Queryer].
func (e *sqliteDB) One(ctx context.Context, dest []any, sql string, args ...any) error {
	return e.lend(ctx, func(c *sqliteConn) error { return c.One(ctx, dest, sql, args...) })
}

// Read implements the engine.
func (e *sqliteDB) Read(ctx context.Context, fn func(Queryer) error) error {
	return e.lend(ctx, func(c *sqliteConn) (err error) {
		if err := c.run("BEGIN"); err != nil {
			return fmt.Errorf("db: begin: %w", err)
		}
		defer func() {
			c.c.SetInterrupt(nil) // or an ended context would keep the snapshot open
			if c.inTx() {
				err = errors.Join(err, c.run("ROLLBACK"))
			}
		}()
		return fn(c)
	})
}

// Tx implements the engine.
func (e *sqliteDB) Tx(ctx context.Context, fn func(Tx) error) error { return e.commit.do(ctx, fn) }

// Prepares implements the engine.
func (e *sqliteDB) Prepares(ctx context.Context, sql string) error {
	return e.lend(ctx, func(c *sqliteConn) error {
		s, _, err := c.c.PrepareTransient(numbered(sql))
		if err != nil {
			return err
		}
		return s.Finalize()
	})
}

// Close implements the engine.
func (e *sqliteDB) Close(ctx context.Context) error {
	if err := e.commit.close(ctx); err != nil {
		return err
	}
	for range cap(e.readers) { // each is waited for until its reader is done
		select {
		case c := <-e.readers:
			if c == nil {
				return nil // closed before
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	close(e.readers)
	var err error
	for _, c := range e.all {
		err = errors.Join(err, c.close())
	}
	return err
}
