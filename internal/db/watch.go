package db

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
)

// Watch returns a count of the changes by this process to any of the tables: who remembers
// what was read from them remembers the count from before the reading with it, and what is
// remembered holds as long as the count stays. It counts before [DB.Tx] returns, too often
// rather than too rarely, and knows nothing of what other processes change. A database is
// watched for one set of tables.
func (d *DB) Watch(tables ...string) (count func() uint64) {
	w := &watch{writes: regexp.MustCompile(`(?i)\b(?:INTO|UPDATE|DELETE\s+FROM|TABLE|EXISTS)\s+"?(?:` + strings.Join(tables, "|") + `)\b`)}
	if !d.watched.CompareAndSwap(nil, w) {
		had := d.watched.Load()
		if had.writes.String() != w.writes.String() {
			panic("db: other tables are watched already")
		}
		w = had
	}
	return w.count.Load
}

// watch finds the statements that change some tables by their text.
type watch struct {
	writes *regexp.Regexp
	known  sync.Map // text to whether it does
	count  atomic.Uint64
}

func (w *watch) matches(sql string) bool {
	if is, ok := w.known.Load(sql); ok {
		return is.(bool)
	}
	is := w.writes.MatchString(sql)
	w.known.Store(sql, is)
	return is
}

// tx runs a transaction whose statements are looked at.
func (w *watch) tx(ctx context.Context, e engine, fn func(Tx) error) error {
	err := e.Tx(ctx, func(tx Tx) error { return fn(&watchedTx{Tx: tx, watch: w}) })
	if errors.Is(err, ErrUnsure) {
		w.count.Add(1)
	}
	return err
}

// watchedTx has the change counted when it is committed.
type watchedTx struct {
	Tx
	watch   *watch
	counted bool
}

func (t *watchedTx) look(sql string) {
	if !t.counted && t.watch.matches(sql) {
		t.counted = true
		t.After(func() { t.watch.count.Add(1) })
	}
}

// Exec implements [Tx].
func (t *watchedTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	t.look(sql)
	return t.Tx.Exec(ctx, sql, args...)
}

// Send implements [Tx].
func (t *watchedTx) Send(ctx context.Context, batch []Statement) ([]int64, error) {
	for i := range batch {
		t.look(batch[i].SQL)
	}
	return t.Tx.Send(ctx, batch)
}
