package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"zombiezen.com/go/sqlite"
)

// sqliteConn is one connection, used by one goroutine at a time. Everything that
// touches the driver's direct API is in this file, so that the driver can be
// exchanged here.
type sqliteConn struct {
	c     *sqlite.Conn
	stmts map[string]*stmt
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

func (c *sqliteConn) close() error {
	var err error
	for _, s := range c.stmts {
		err = errors.Join(err, s.s.Finalize())
	}
	return errors.Join(err, c.c.Close())
}

// inTx reports whether a transaction is open.
func (c *sqliteConn) inTx() bool { return !c.c.AutocommitEnabled() }

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
func (c *sqliteConn) prepare(sql string) (s *stmt, done func(), err error) {
	if s = c.stmts[sql]; s != nil && !s.running {
		if err = s.s.ClearBindings(); err != nil {
			return nil, nil, err
		}
	} else {
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
	for {
		more, err := s.s.Step()
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
