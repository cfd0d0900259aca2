package db

import (
	"context"
	"fmt"
	"sync"
)

// Together calls fn with a context under which the questions that fn asks cost less: on
// SQLite all see one moment, by one connection, which finds in its memory what the question
// before it has read. A commit of anybody empties that memory between two moments. On
// PostgreSQL each question is one as ever.
//
// A change that is made under the context gives the connection back, and another moment
// begins after it. fn must not wait for people meanwhile, since it holds one of few
// connections. The last one is never held so, because fn may ask for another, under a context
// of its own: where too many hold one, fn's questions are single ones.
func (d *DB) Together(ctx context.Context, fn func(context.Context) error) error {
	e, ok := d.engine.(*sqliteDB)
	if l, _ := ctx.Value(lentKey{}).(*lent); !ok || l != nil {
		return fn(ctx)
	}
	select {
	case e.readers.together <- struct{}{}:
		defer func() { <-e.readers.together }()
	default:
		return fn(ctx)
	}
	l := &lent{from: e, ctx: ctx}
	defer l.end()
	if err := fn(context.WithValue(ctx, lentKey{}, l)); err != nil {
		return err
	}
	return e.commit.durable.settled(ctx, l.end())
}

// Apart returns a context for work that goes on after what began it: it does not end with
// ctx, and has no part in its [DB.Together].
func Apart(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), lentKey{}, (*lent)(nil))
}

type lentKey struct{}

// lent is a connection that is lent for several questions, from the first on.
type lent struct {
	from *sqliteDB
	ctx  context.Context //nolint:containedctx // of the whole, which stops what runs on the connection
	mu   sync.Mutex
	conn *sqliteConn // nil before the first question, after a change, and after the end
	over bool
	seen uint64 // of [sqliteConn.seen], of those given back
}

// lentIn returns what is lent under a context, locked; nil: there is nothing, or it is in use
// for another question, whose rows fn is going through.
func lentIn(ctx context.Context) *lent {
	l, _ := ctx.Value(lentKey{}).(*lent)
	if l == nil || !l.mu.TryLock() {
		return nil
	}
	if l.over {
		l.mu.Unlock()
		return nil
	}
	return l
}

// ask calls fn within the moment of all.
func (l *lent) ask(fn func(*sqliteConn) error) (err error) {
	defer l.mu.Unlock()
	if l.conn == nil {
		if l.conn, err = l.from.borrow(l.ctx); err != nil {
			return err
		}
	}
	if !l.conn.inTx() {
		if err := l.conn.again("BEGIN"); err != nil {
			return fmt.Errorf("db: begin: %w", err)
		}
		l.conn.noted = false
	}
	return fn(l.conn)
}

// rest gives the connection back until the next question, which begins another moment.
func (l *lent) rest() {
	if l.conn == nil {
		return
	}
	l.conn.calm() // or an ended context would keep the snapshot open
	if l.conn.inTx() {
		_ = l.conn.again("ROLLBACK") // the next BEGIN tells if this failed
	}
	l.seen = max(l.seen, l.conn.seen)
	l.from.giveBack(l.conn)
	l.conn = nil
}

// end gives the connection back for good and returns which commits were seen.
func (l *lent) end() (seen uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.rest()
	return l.seen
}
