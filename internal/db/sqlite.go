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
	"sync"
	"time"

	modernc "modernc.org/sqlite"
)

const busyTimeout = 10 * time.Second

// sqliteDB is the engine on an SQLite file: some connections that read, one that
// writes.
type sqliteDB struct {
	path    string
	readers readers
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
	e := &sqliteDB{path: path}
	defer func() {
		if err != nil {
			for _, c := range e.all {
				err = errors.Join(err, c.close())
			}
		}
	}()
	always := []string{"temp_store = MEMORY", "foreign_keys = OFF"}
	open := func(pragmas ...string) (*sqliteConn, error) {
		c, err := openConn(path, true, append(pragmas, always...)...)
		if err != nil {
			return nil, fmt.Errorf("db: open %s: %w", path, err)
		}
		e.all = append(e.all, c)
		return c, nil
	}
	writing := []string{"journal_mode = WAL", "wal_autocheckpoint = 0", fmt.Sprintf("journal_size_limit = %d", walLimit), "secure_delete = ON"}
	w, err := open(append(writing, "synchronous = FULL", "cache_size = -8192")...)
	if err != nil {
		return nil, err
	}
	cp, err := open(append(writing, "synchronous = FULL", "cache_size = -2000")...)
	if err != nil {
		return nil, err
	}
	var mode string
	if err := w.One(ctx, []any{&mode}, "PRAGMA journal_mode"); err != nil || mode != "wal" {
		return nil, fmt.Errorf("数据库所在的文件系统不支持 WAL 方式（%s），请改放到本地磁盘：%w", mode, errors.Join(err, errors.ErrUnsupported))
	}
	if err := w.gatherLog(); err != nil {
		return nil, err
	}
	n := o.Readers
	if n <= 0 {
		n = 4
	}
	e.readers.places, e.readers.together = make(chan struct{}, n), make(chan struct{}, n-1)
	for range n {
		e.readers.places <- struct{}{}
	}
	e.readers.open = func() (*sqliteConn, error) {
		c, err := openConn(path, false, append(always, "cache_size = -16384")...)
		if err != nil {
			return nil, fmt.Errorf("db: open %s: %w", path, err)
		}
		return c, nil
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

// readers are the connections that read. The one that was given back last is lent first:
// what its cache holds was read last, and where one is enough there is no other: each reads
// the whole schema first, and keeps it.
type readers struct {
	open   func() (*sqliteConn, error)
	places chan struct{} // one for each that is free, or not open yet
	// together holds one for each that is lent for several questions, one less than there are.
	together chan struct{}
	mu       sync.Mutex
	free     []*sqliteConn
	all      []*sqliteConn
}

func (r *readers) give(c *sqliteConn) {
	r.mu.Lock()
	r.free = append(r.free, c)
	r.mu.Unlock()
	r.places <- struct{}{}
}

// take takes one that is free, of which a place was taken, or opens one. Without one the
// place is free again.
func (r *readers) take() (*sqliteConn, error) {
	r.mu.Lock()
	if n := len(r.free); n > 0 {
		defer r.mu.Unlock()
		c := r.free[n-1]
		r.free = r.free[:n-1]
		return c, nil
	}
	r.mu.Unlock() // others go on reading meanwhile
	c, err := r.open()
	if err != nil {
		r.places <- struct{}{}
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, c)
	return c, nil
}

// opened is how many there are.
func (r *readers) opened() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// lend calls fn with a read connection. It returns when what fn may have seen is on the disk.
func (e *sqliteDB) lend(ctx context.Context, fn func(*sqliteConn) error) error {
	if l := lentIn(ctx); l != nil {
		return l.ask(fn)
	}
	seen, err := e.lent(ctx, fn)
	if err != nil {
		return err
	}
	return e.commit.durable.settled(ctx, seen)
}

func (e *sqliteDB) lent(ctx context.Context, fn func(*sqliteConn) error) (seen uint64, err error) {
	c, err := e.borrow(ctx)
	if err != nil {
		return 0, err
	}
	defer e.giveBack(c)
	err = fn(c)
	return c.seen, err
}

// borrow takes a read connection that stops when the context ends.
func (e *sqliteDB) borrow(ctx context.Context) (*sqliteConn, error) {
	select {
	case _, open := <-e.readers.places:
		if !open {
			return nil, ErrClosed
		}
		c, err := e.readers.take()
		if err != nil {
			return nil, err
		}
		c.begun, c.seen, c.noted = &e.commit.durable.begun, 0, false
		c.stopWith(ctx)
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *sqliteDB) giveBack(c *sqliteConn) {
	c.calm()
	e.readers.give(c)
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
	if l := lentIn(ctx); l != nil {
		return l.ask(func(c *sqliteConn) error { return fn(c) })
	}
	return e.lend(ctx, func(c *sqliteConn) (err error) {
		if err := c.again("BEGIN"); err != nil {
			return fmt.Errorf("db: begin: %w", err)
		}
		defer func() {
			c.calm() // or an ended context would keep the snapshot open
			if c.inTx() {
				err = errors.Join(err, c.again("ROLLBACK"))
			}
		}()
		return fn(c)
	})
}

// Tx implements the engine.
func (e *sqliteDB) Tx(ctx context.Context, fn func(Tx) error) error {
	if l := lentIn(ctx); l != nil {
		l.rest() // others need it while this one waits
		l.mu.Unlock()
	}
	return e.commit.do(ctx, fn)
}

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
	for range cap(e.readers.places) { // each is waited for until its reader is done
		select {
		case _, open := <-e.readers.places:
			if !open {
				return nil // closed before
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	close(e.readers.places)
	var err error
	for _, c := range append(e.all, e.readers.all...) {
		err = errors.Join(err, c.close())
	}
	return err
}
