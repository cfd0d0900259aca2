package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// maxTries is how often a transaction is run when the engine asks for it again.
const maxTries = 6

// postgresDB is the engine on a PostgreSQL server, or one that speaks its protocol.
type postgresDB struct {
	pool  *pgxpool.Pool
	queue int64
	busy  atomic.Int64 // changes that wait or run
	done  atomic.Bool
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
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("db: open: %w", err)
	}
	e := &postgresDB{pool: pool, queue: int64(o.Queue)}
	if err := e.check(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	if o.Migrations != nil {
		conn := stdlib.OpenDB(*cfg.ConnConfig)
		if err := errors.Join(migrate(ctx, Postgres, conn, o), conn.Close()); err != nil {
			pool.Close()
			return nil, err
		}
	}
	return e, nil
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
	return pgEach(ctx, e.pool, fn, sql, args)
}

// One implements [Queryer].
func (e *postgresDB) One(ctx context.Context, dest []any, sql string, args ...any) error {
	return pgOne(ctx, e.pool, dest, sql, args)
}

// Read implements the engine. Repeatable read is one snapshot for all statements.
func (e *postgresDB) Read(ctx context.Context, fn func(Queryer) error) error {
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, e.pool, opts, func(tx pgx.Tx) error { return fn(&pgTx{tx: tx}) })
}

// Tx implements the engine.
func (e *postgresDB) Tx(ctx context.Context, fn func(Tx) error) error {
	if e.done.Load() {
		return ErrClosed
	}
	defer e.busy.Add(-1)
	if e.busy.Add(1) > e.queue {
		return ErrBusy
	}
	for try := 1; ; try++ {
		err := pgx.BeginTxFunc(ctx, e.pool, pgx.TxOptions{}, func(tx pgx.Tx) error { return fn(&pgTx{tx: tx}) })
		if err == nil || try == maxTries || !retryable(err) {
			return err
		}
		// Full jitter: those who met must not meet again.
		wait := time.NewTimer(rand.N(time.Millisecond << try)) //#nosec G404 -- jitter, no secret
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
	}
}

// Prepares implements the engine.
func (e *postgresDB) Prepares(ctx context.Context, sql string) error {
	return e.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Conn().Prepare(ctx, "", sql)
		return err
	})
}

// Close implements the engine.
func (e *postgresDB) Close(ctx context.Context) error {
	e.done.Store(true)
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
type pgTx struct{ tx pgx.Tx }

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

// Send implements [Tx].
func (t *pgTx) Send(ctx context.Context, batch []Statement) ([]int64, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	b := &pgx.Batch{}
	for _, s := range batch {
		args, err := plains(s.Args)
		if err != nil {
			return nil, err
		}
		b.Queue(s.SQL, args...)
	}
	out := make([]int64, len(batch))
	res := t.tx.SendBatch(ctx, b)
	for i := range batch {
		tag, err := res.Exec()
		if err != nil {
			_ = res.Close() // repeats the error
			return nil, fmt.Errorf("db: exec: %w", err)
		}
		out[i] = tag.RowsAffected()
	}
	if err := res.Close(); err != nil {
		return nil, fmt.Errorf("db: exec: %w", err)
	}
	return out, nil
}
