package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
)

// sqliteConn is one connection, used by one goroutine at a time. Everything that
// touches the driver's direct API is in this file, so that the driver can be
// exchanged here.
type sqliteConn struct {
	c     *sqlite.Conn
	stmts map[string]*stmt

	halt   chan struct{} // a value stops what runs
	halted chan struct{} // closed when one has been sent; of the context in hand
	calmed func() bool   // lets the context in hand go; false: it has ended

	log *logWriter // of the writer

	begun *atomic.Uint64 // commits that were begun, of who reads
	seen  uint64         // how many when the moment began that is read
	noted bool           // of the transaction in hand
}

// stmt is a prepared statement of the connection.
type stmt struct {
	s       *sqlite.Stmt
	running bool
}

func openConn(path string, writer bool, pragmas ...string) (*sqliteConn, error) {
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn := &sqliteConn{c: c, stmts: make(map[string]*stmt)}
	if err := conn.keepPlans(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.SetBusyTimeout(busyTimeout)
	if !writer {
		pragmas = append(pragmas, "query_only = ON")
	}
	for _, p := range pragmas {
		if err := conn.run("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return conn, nil
}

// keepPlans makes a prepared statement keep its plan whatever is bound to it
// (SQLITE_DBCONFIG_ENABLE_QPSG). Without it SQLite plans every statement with a join or
// a bound LIMIT anew each time it runs, since the arguments might allow a better plan:
// that cost ten times what the statements themselves do, and half of a page's time. The
// driver has no call for it.
func (c *sqliteConn) keepPlans() error {
	handle, err := c.handle()
	if err != nil {
		return err
	}
	tls := libc.NewTLS()
	defer tls.Close()
	args := libc.NewVaList(int32(1), uintptr(0))
	if args == 0 {
		return errors.New("db: no memory to set up a connection")
	}
	defer libc.Xfree(tls, args)
	if code := sqlite3.Xsqlite3_db_config(tls, handle, sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, args); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("db: set up a connection: code %d", code)
	}
	return nil
}

// handle is the engine's own handle of the connection. The driver keeps it to itself, so the
// field is read here; a test tells when a newer driver names it otherwise.
func (c *sqliteConn) handle() (uintptr, error) {
	handle := reflect.ValueOf(c.c).Elem().FieldByName("conn")
	if handle.Kind() != reflect.Uintptr {
		return 0, errors.New("db: the driver's connection has no handle to set up")
	}
	return uintptr(handle.Uint()), nil
}

func (c *sqliteConn) close() error {
	var err error
	for _, s := range c.stmts {
		err = errors.Join(err, s.s.Finalize())
	}
	err = errors.Join(err, c.c.Close())
	c.log.end()
	return err
}

// stopWith lets the end of a context stop what runs on the connection, until calm. The
// driver has a goroutine for a channel to stop by, so the connection keeps one channel: a
// goroutine made and ended for each query costs more than many a query.
func (c *sqliteConn) stopWith(ctx context.Context) {
	if c.halt == nil {
		c.halt = make(chan struct{}, 1)
		c.c.SetInterrupt(c.halt)
	}
	halted := make(chan struct{})
	c.halted = halted
	c.calmed = context.AfterFunc(ctx, func() {
		c.halt <- struct{}{}
		close(halted)
	})
}

// calm ends stopWith. Where the context has ended meanwhile, the channel is spent.
func (c *sqliteConn) calm() {
	if c.calmed == nil {
		return
	}
	if !c.calmed() {
		<-c.halted
		c.c.SetInterrupt(nil)
		c.halt = nil
	}
	c.calmed, c.halted = nil, nil
}

// note notes which commits what is read now may hold: the first step of a statement, or of a
// transaction, sets its moment.
func (c *sqliteConn) note() {
	if c.begun == nil || c.noted && c.inTx() {
		return
	}
	c.seen, c.noted = c.begun.Load(), true
}

// inTx reports whether a transaction is open.
func (c *sqliteConn) inTx() bool { return !c.c.AutocommitEnabled() }

// commit commits. Of the writer it returns when that is written to the log.
func (c *sqliteConn) commit() error {
	return c.log.commit(func() error { return c.again("COMMIT") })
}

// again executes a statement without arguments that comes again and again.
func (c *sqliteConn) again(sql string) error {
	_, err := c.Exec(context.Background(), sql)
	return err
}

// run executes a statement once, without arguments.
func (c *sqliteConn) run(sql string) error {
	s, _, err := c.c.PrepareTransient(sql)
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		more, err = s.Step()
	}
	return errors.Join(err, s.Finalize())
}

// prepare returns the connection's statement for the text. A statement that is
// being read is not disturbed: its second use gets one of its own.
//
// Bindings are not cleared in between: whoever prepares binds every parameter anew.
func (c *sqliteConn) prepare(sql string) (s *stmt, done func(), err error) {
	if s = c.stmts[sql]; s == nil || s.running {
		raw, trailing, err := c.c.PrepareTransient(numbered(sql))
		if err != nil {
			return nil, nil, err
		}
		if trailing != 0 {
			return nil, nil, errors.Join(errors.New("db: more than one statement"), raw.Finalize())
		}
		if s != nil {
			own := &stmt{s: raw, running: true}
			return own, func() { _ = raw.Finalize() }, nil
		}
		s = &stmt{s: raw}
		c.stmts[sql] = s
	}
	s.running = true
	return s, func() {
		_ = s.s.Reset() // repeats the error of the last step, which has been seen
		s.running = false
	}, nil
}

// start prepares a statement and binds its arguments.
func (c *sqliteConn) start(ctx context.Context, sql string, args []any) (*stmt, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s, done, err := c.prepare(sql)
	if err != nil {
		return nil, nil, fmt.Errorf("db: prepare: %w", err)
	}
	if want := s.s.BindParamCount(); want != len(args) {
		done()
		return nil, nil, fmt.Errorf("db: %d arguments for %d placeholders in %q", len(args), want, sql)
	}
	for i, a := range args {
		v, err := plain(a)
		if err != nil {
			done()
			return nil, nil, err
		}
		switch v := v.(type) {
		case nil:
			s.s.BindNull(i + 1)
		case int64:
			s.s.BindInt64(i+1, v)
		case bool:
			s.s.BindBool(i+1, v)
		case string:
			s.s.BindText(i+1, v)
		case []byte:
			s.s.BindBytes(i+1, v)
		}
	}
	return s, done, nil
}

// Each implements [Queryer].
func (c *sqliteConn) Each(ctx context.Context, fn func(Scan) error, sql string, args ...any) error {
	s, done, err := c.start(ctx, sql, args)
	if err != nil {
		return err
	}
	defer done()
	scan := s.scan
	for first := true; ; first = false {
		more, err := s.s.Step()
		if first {
			c.note()
		}
		if err != nil {
			if e := ctx.Err(); e != nil {
				return e // the step was interrupted
			}
			return fmt.Errorf("db: query: %w", err)
		}
		if !more {
			return nil
		}
		if err := fn(scan); err != nil {
			return err
		}
	}
}

// errFirst ends Each after the first row.
var errFirst = errors.New("db: first row read")

// One implements [Queryer].
func (c *sqliteConn) One(ctx context.Context, dest []any, sql string, args ...any) error {
	err := c.Each(ctx, func(scan Scan) error {
		if err := scan(dest...); err != nil {
			return err
		}
		return errFirst
	}, sql, args...)
	switch {
	case errors.Is(err, errFirst):
		return nil
	case err == nil:
		return ErrNoRows
	}
	return err
}

// Exec implements [Tx].
func (c *sqliteConn) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	s, done, err := c.start(ctx, sql, args)
	if err != nil {
		return 0, err
	}
	defer done()
	for more := true; more; {
		if more, err = s.s.Step(); err != nil {
			return 0, fmt.Errorf("db: exec: %w", err)
		}
	}
	return int64(c.c.Changes()), nil
}

// Send implements [Tx].
func (c *sqliteConn) Send(ctx context.Context, batch []Statement) ([]int64, error) {
	out := make([]int64, len(batch))
	for i, b := range batch {
		n, err := c.Exec(ctx, b.SQL, b.Args...)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// scan is the Scan of the current row.
func (s *stmt) scan(dest ...any) error {
	if n := s.s.ColumnCount(); n != len(dest) {
		return fmt.Errorf("db: %d variables for %d columns", len(dest), n)
	}
	for i, d := range dest {
		null := s.s.ColumnType(i) == sqlite.TypeNull
		if b, ok := d.(*[]byte); ok {
			*b = nil
			if !null {
				*b = make([]byte, s.s.ColumnLen(i))
				s.s.ColumnBytes(i, *b)
			}
			continue
		}
		if null {
			// As pgx: a NULL has no place in these, and a silent zero would hide it.
			return fmt.Errorf("db: column %d is NULL", i+1)
		}
		switch d := d.(type) {
		case *int64:
			*d = s.s.ColumnInt64(i)
		case *int:
			*d = int(s.s.ColumnInt64(i))
		case *string:
			*d = s.s.ColumnText(i)
		case *bool:
			*d = s.s.ColumnInt64(i) != 0
		case *float64:
			*d = s.s.ColumnFloat(i)
		default:
			if err := s.scanNamed(i, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanNamed scans into a named integer, string or bool.
func (s *stmt) scanNamed(i int, dest any) error {
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer {
		return fmt.Errorf("db: scan into %T", dest)
	}
	switch v = v.Elem(); v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(s.s.ColumnInt64(i))
	case reflect.String:
		v.SetString(s.s.ColumnText(i))
	case reflect.Bool:
		v.SetBool(s.s.ColumnInt64(i) != 0)
	default:
		return fmt.Errorf("db: scan into %T", dest)
	}
	return nil
}
