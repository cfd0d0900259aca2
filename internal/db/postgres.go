package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// maxTries is how often a transaction is run when the engine asks for it again: a third of a
// second in the mean, where many meet at the strictest isolation.
const maxTries = 12

// postgresDB is the engine on a PostgreSQL server, or one that speaks its protocol.
type postgresDB struct {
	pool   *pgxpool.Pool
	queue  int64
	busy   atomic.Int64 // changes that wait or run
	done   atomic.Bool
	meter  *meter
	link   *link
	unwind func()      // ends the link's watch
	idle   atomic.Bool // the server ends transactions that are left alone
}

func openPostgres(ctx context.Context, o Options) (*postgresDB, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		// pgx leaves the password out of its message.
		return nil, fmt.Errorf("数据库地址的写法不对，应为 postgres://用户:密码@主机:端口/库名：%w", err)
	}
	if !strings.Contains(o.URL, "pool_max_conns") {
		cfg.MaxConns = 16
		if o.Readers > 0 {
			cfg.MaxConns = int32(min(o.Readers, 1000))
		}
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "tianbao"
	}
	if !strings.Contains(o.URL, "connect_timeout") {
		cfg.ConnConfig.ConnectTimeout = connectWait
	}
	cfg.ConnConfig.DialFunc = dialer().DialContext
	plain := cfg.ConnConfig.Copy() // of migrations and of signs of life: nobody cuts these off
	e := &postgresDB{queue: int64(o.Queue), meter: newMeter(), link: newLink(o.Log)}
	cfg.ConnConfig.DialFunc = e.link.dial
	cfg.AfterConnect = e.guard
	cfg.PingTimeout = connectWait
	if e.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("db: open: %w", err)
	}
	if err := e.check(ctx); err != nil {
		e.pool.Close()
		return nil, err
	}
	if o.Migrations != nil {
		conn := stdlib.OpenDB(*plain)
		if err := errors.Join(migrate(ctx, Postgres, conn, o), conn.Close()); err != nil {
			e.pool.Close()
			return nil, err
		}
	}
	watching, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.link.watch(watching, plain)
	}()
	e.unwind = func() {
		stop()
		<-ended
	}
	return e, nil
}

// sqlGuard sets what lets the server notice that we are gone, so that locks of a transaction
// whose network was cut do not outlive it: where it knows the setting, and nobody has set it
// for this user or in the URL. A lock that is not had in time is told to whoever waits for it.
// Plans are kept whatever the arguments, as on SQLite: planning anew cost more than most
// statements do, and more the larger the tables.
const sqlGuard = `SELECT s.name, set_config(s.name, g.value, false)
 FROM (VALUES ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '10000'),
  ('client_connection_check_interval', '5000'), ('idle_in_transaction_session_timeout', '10000'), ('lock_timeout', '20000'), ('plan_cache_mode', 'force_generic_plan')) AS g(name, value)
 JOIN pg_settings s ON s.name = g.name WHERE s.source IN ('default', 'configuration file')`

// guard prepares a new connection. An engine that only speaks the protocol may know none of
// this, which is no reason to refuse it.
func (e *postgresDB) guard(ctx context.Context, c *pgx.Conn) error {
	rows, err := c.Query(ctx, sqlGuard)
	if err == nil {
		var name, value string
		_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
			if name == "idle_in_transaction_session_timeout" {
				e.idle.Store(true)
			}
			return nil
		})
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return nil
	}
	return err
}

// check refuses a server that would not keep what it acknowledged, or not the
// characters of a name.
func (e *postgresDB) check(ctx context.Context) error {
	var commit, encoding string
	err := e.One(ctx, []any{&commit, &encoding}, `SELECT current_setting('synchronous_commit'), current_setting('server_encoding')`)
	if err != nil {
		return fmt.Errorf("连不上 PostgreSQL，请检查地址、用户、密码和网络：%w", err)
	}
	if commit == "off" {
		return errors.New("PostgreSQL 的 synchronous_commit 是 off，断电会丢失已确认的数据；请改为 on 后再启动。")
	}
	if encoding != "UTF8" {
		return fmt.Errorf("PostgreSQL 数据库的编码是 %s；请用 UTF8 编码重新建库。", encoding)
	}
	return nil
}

// pgQueryer is what a pool and a transaction have in common.
type pgQueryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func pgEach(ctx context.Context, q pgQueryer, fn func(Scan) error, sql string, args []any) error {
	args, err := plains(args)
	if err != nil {
		return err
	}
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("db: query: %w", err)
	}
	defer rows.Close()
	scan := rows.Scan
	for rows.Next() {
		if err := fn(scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("db: query: %w", err)
	}
	return nil
}

func pgOne(ctx context.Context, q pgQueryer, dest []any, sql string, args []any) error {
	err := pgEach(ctx, q, func(scan Scan) error {
		if err := scan(dest...); err != nil {
			return err
		}
		return errFirst
	}, sql, args)
	switch {
	case errors.Is(err, errFirst):
		return nil
	case err == nil:
		return ErrNoRows
	}
	return err
}

// Each implements [Queryer].
func (e *postgresDB) Each(ctx context.Context, fn func(Scan) error, sql string, args ...any) error {
	begun := false
	return e.again(ctx, func() error {
		return pgEach(ctx, e.pool, func(scan Scan) error {
			begun = true
			return fn(scan)
		}, sql, args)
	}, func() bool { return begun })
}

// One implements [Queryer].
func (e *postgresDB) One(ctx context.Context, dest []any, sql string, args ...any) error {
	return e.again(ctx, func() error { return pgOne(ctx, e.pool, dest, sql, args) }, func() bool { return false })
}

// Read implements the engine. Repeatable read is one snapshot for all statements. It locks
// nothing, so it may be left alone while what it read goes out to somebody slow.
func (e *postgresDB) Read(ctx context.Context, fn func(Queryer) error) error {
	if e.link.away.Load() {
		return ErrAway
	}
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	if e.idle.Load() {
		opts.BeginQuery = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0`
	}
	return told(pgx.BeginTxFunc(ctx, e.pool, opts, func(tx pgx.Tx) error { return fn(&pgTx{tx: tx}) }))
}

// Tx implements the engine.
func (e *postgresDB) Tx(ctx context.Context, fn func(Tx) error) error {
	if e.done.Load() {
		return ErrClosed
	}
	defer e.busy.Add(-1)
	if e.busy.Add(1) > e.queue {
		e.meter.refused.Add(1)
		return ErrBusy
	}
	return e.again(ctx, func() error { return e.once(ctx, fn) }, func() bool { return false })
}

// again does what the engine asks for again, and, on another connection, what broke off before
// anything came of it: not a COMMIT that was sent, and not what is spent.
func (e *postgresDB) again(ctx context.Context, do func() error, spent func() bool) error {
	for try := 1; ; try++ {
		if e.link.away.Load() {
			return ErrAway
		}
		err := do()
		if err == nil || try == maxTries || spent() || !retryable(err) && (!isLost(err) || errors.Is(err, ErrUnsure)) {
			return told(err)
		}
		e.meter.retried.Add(1)
		// Full jitter: those who met must not meet again.
		wait := time.NewTimer(rand.N(time.Millisecond << min(try, 6))) //#nosec G404 -- jitter, no secret
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
	}
}

// once runs fn in one transaction. An error of fn is no failed commit. The commit goes on
// when the context ends: whoever asked is to know its outcome.
func (e *postgresDB) once(ctx context.Context, fn func(Tx) error) error {
	start := time.Now() // a figure, never a decision
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{})
	if err != nil {
		return fmt.Errorf("db: begin: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }() // of what was not committed, also by a panic
	t := &pgTx{tx: tx}
	if err := fn(t); err != nil {
		return err
	}
	if tx.Conn().IsClosed() { // else nobody could tell whether COMMIT was sent
		return fmt.Errorf("db: commit: %w", net.ErrClosed)
	}
	if err = tx.Commit(context.WithoutCancel(ctx)); err == nil || !retryable(err) {
		e.meter.groups.add(1)
		e.meter.committed(start, err)
	}
	switch {
	case err == nil:
		for _, after := range t.after {
			after()
		}
		return nil
	case isUnsure(err):
		e.meter.unsure.Add(1)
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	return fmt.Errorf("db: commit: %w", err)
}

// Prepares implements the engine.
func (e *postgresDB) Prepares(ctx context.Context, sql string) error {
	return told(e.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Conn().Prepare(ctx, "", sql)
		return err
	}))
}

// Close implements the engine.
func (e *postgresDB) Close(ctx context.Context) error {
	e.done.Store(true)
	e.unwind()
	ended := make(chan struct{})
	go func() {
		e.pool.Close() // waits for the connections that are in use
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pgTx is a transaction.
type pgTx struct {
	tx    pgx.Tx
	after []func()
}

// Each implements [Tx].
func (t *pgTx) Each(ctx context.Context, fn func(Scan) error, sql string, args ...any) error {
	return pgEach(ctx, t.tx, fn, sql, args)
}

// One implements [Tx].
func (t *pgTx) One(ctx context.Context, dest []any, sql string, args ...any) error {
	return pgOne(ctx, t.tx, dest, sql, args)
}

// Exec implements [Tx].
func (t *pgTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	args, err := plains(args)
	if err != nil {
		return 0, err
	}
	tag, err := t.tx.Exec(ctx, sql, args...)
	if err != nil {
		return 0, fmt.Errorf("db: exec: %w", err)
	}
	return tag.RowsAffected(), nil
}

// Hold implements [Tx]. Not a row is locked, as FOR SHARE would: of that many who share
// would write who shares it into the row, and let who does not share wait for ever.
func (t *pgTx) Hold(ctx context.Context, n int64, share bool) error {
	sql := `SELECT pg_advisory_xact_lock($1)`
	if share {
		sql = `SELECT pg_advisory_xact_lock_shared($1)`
	}
	_, err := t.Exec(ctx, sql, n)
	return err
}

// After implements [Tx].
func (t *pgTx) After(fn func()) { t.after = append(t.after, fn) }

// Send implements [Tx].
func (t *pgTx) Send(ctx context.Context, batch []Statement) ([]int64, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	b := &pgx.Batch{}
	var rows []int // of each statement
	err := gather(batch, func(s Statement, n int) error {
		args, err := plains(s.Args)
		if err != nil {
			return err
		}
		b.Queue(s.SQL, args...)
		rows = append(rows, n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]int64, 0, len(batch))
	res := t.tx.SendBatch(ctx, b)
	for _, n := range rows {
		tag, err := res.Exec()
		if err != nil {
			_ = res.Close() // repeats the error
			return nil, fmt.Errorf("db: exec: %w", err)
		}
		for range n { // an INSERT of several rows inserts all of them or fails
			out = append(out, tag.RowsAffected()/int64(n))
		}
	}
	if err := res.Close(); err != nil {
		return nil, fmt.Errorf("db: exec: %w", err)
	}
	return out, nil
}
