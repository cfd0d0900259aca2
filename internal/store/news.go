package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/news"
)

const (
	sqlInsertNews = `INSERT INTO news (lane, seq, n, id, kind, at, unit_id, campaign_id, report_id, version, row_count, put, deleted)
 VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	sqlAnyNews    = `SELECT x.lane FROM news x WHERE x.n = 0 LIMIT 1`
	sqlHoldCount  = `UPDATE news_count SET n = n WHERE id = 1`
	sqlNewsCount  = `SELECT c.n FROM news_count c WHERE c.id = 1`
	sqlSetCount   = `UPDATE news_count SET n = $1 WHERE id = 1`
	sqlUnnumbered = `SELECT x.lane, x.seq, x.kind, COALESCE(u.path, '') FROM news x LEFT JOIN unit u ON u.id = x.unit_id
 WHERE x.n = 0 ORDER BY x.lane, x.seq LIMIT $1`
	sqlNumberNews = `UPDATE news SET n = $1 WHERE lane = $2 AND seq = $3`
	sqlListeners  = `SELECT h.id, h.kinds, u.path FROM webhook h JOIN unit u ON u.id = h.unit_id WHERE h.state <> 'ended' ORDER BY h.id`
	sqlDeliver    = `INSERT INTO webhook_delivery (webhook_id, n, state, attempts, code, at) VALUES ($1, $2, 'waiting', 0, 0, 0)`
	newsColumns   = `x.n, x.id, x.kind, x.at, x.unit_id, x.campaign_id, x.report_id, x.version, x.row_count, x.put, x.deleted, COALESCE(r.id, 0), COALESCE(u.budget_code, ''), COALESCE(u.org_code, '')`
	newsTables    = ` LEFT JOIN unit u ON u.id = x.unit_id LEFT JOIN report r ON r.campaign_id = x.campaign_id AND r.owner_id = x.unit_id`
	sqlNewsOf     = `SELECT ` + newsColumns + ` FROM news x` + newsTables + `
 WHERE SCOPE(u.path) AND x.n > $1 AND x.n <= $2 ORDER BY x.n LIMIT $3`
	sqlOldNews       = `SELECT x.lane, x.seq, x.n, x.at FROM news x WHERE x.n > 0 ORDER BY x.n LIMIT $1`
	sqlDropNews      = `DELETE FROM news WHERE lane = $1 AND seq = $2`
	sqlAllHooks      = `SELECT h.id FROM webhook h ORDER BY h.id`
	sqlDropDelivered = `DELETE FROM webhook_delivery WHERE webhook_id = $1 AND n <= $2`
)

// insertNews writes what others are told of a record of the trail.
func insertNews(r *entry) db.Statement {
	w := r.News
	return db.Statement{SQL: sqlInsertNews, Args: []any{
		r.Lane, r.Seq, r.ID, w.Kind, ms(r.At), r.Owner, w.Campaign, w.Report, w.Version, w.Rows, w.Put, w.Deleted,
	}}
}

// listener is a subscription as numbering knows it.
type listener struct {
	id    tianbao.ID
	kinds []string
	path  string
}

// NumberNews implements news.Store. Whoever numbers holds the count to the end of the
// transaction, so that who sees a number has seen all smaller ones; and records of one lane
// are committed in their order.
func (s *Store) NumberNews(ctx context.Context, limit int) (count int, err error) {
	var lane int
	switch err := s.db.One(ctx, []any{&lane}, sqlAnyNews); {
	case errors.Is(err, db.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("store: look for news: %w", err)
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlHoldCount); err != nil {
			return fmt.Errorf("store: hold the count of news: %w", err)
		}
		var last int64
		if err := tx.One(ctx, []any{&last}, sqlNewsCount); err != nil {
			return fmt.Errorf("store: count news: %w", err)
		}
		listeners, err := db.Collect(ctx, tx, func(scan db.Scan) (l listener, err error) {
			var kinds string
			err = scan(&l.id, &kinds, &l.path)
			l.kinds = strings.Split(kinds, "\n")
			return l, err
		}, sqlListeners)
		if err != nil {
			return fmt.Errorf("store: read who listens: %w", err)
		}
		var batch []db.Statement
		n := last
		err = tx.Each(ctx, func(scan db.Scan) error {
			var lane, seq int64
			var kind, path string
			if err := scan(&lane, &seq, &kind, &path); err != nil {
				return err
			}
			n++
			batch = append(batch, db.Statement{SQL: sqlNumberNews, Args: []any{n, lane, seq}})
			for i := range listeners {
				l := &listeners[i]
				if path != "" && strings.HasPrefix(path, l.path) && slices.Contains(l.kinds, kind) {
					batch = append(batch, db.Statement{SQL: sqlDeliver, Args: []any{l.id, n}})
				}
			}
			return nil
		}, sqlUnnumbered, limit)
		if err != nil {
			return fmt.Errorf("store: read news: %w", err)
		}
		count = int(n - last)
		batch = append(batch, db.Statement{SQL: sqlSetCount, Args: []any{n}})
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: number news: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

// newsDest are the places for newsColumns; done finishes the item.
func newsDest(it *news.Item) (dest []any, done func()) {
	var at int64
	var own tianbao.ID // the unit's report
	dest = []any{
		&it.N, &it.ID, &it.Kind, &at, &it.Unit, &it.Campaign, &it.Report, &it.Version, &it.Rows, &it.Put, &it.Deleted, &own, &it.BudgetCode, &it.OrgCode,
	}
	return dest, func() {
		it.At = when(at)
		if it.Report == 0 {
			it.Report = own
		}
	}
}

// News implements news.Store.
func (s *Store) News(ctx context.Context, scope tianbao.Scope, behind int64, limit int) (items []news.Item, last int64, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		if err := q.One(ctx, []any{&last}, sqlNewsCount); err != nil {
			return err
		}
		sql, args := within(sqlNewsOf, scope, behind, last, max(limit, 0))
		items, err = db.Collect(ctx, q, func(scan db.Scan) (it news.Item, err error) {
			dest, done := newsDest(&it)
			err = scan(dest...)
			done()
			return it, err
		}, sql, args...)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store: read news: %w", err)
	}
	if len(items) == limit && limit > 0 {
		last = items[limit-1].N
	}
	return items, max(last, behind), nil
}

// dropAtOnce bounds a transaction of DropNews.
const dropAtOnce = 500

// DropNews implements news.Store. It looks from the smallest number on and ends where news
// is not old: what is numbered later happened later, but for some seconds.
func (s *Store) DropNews(ctx context.Context, before time.Time) (sum int, err error) {
	hooks, err := db.Collect(ctx, s.db, func(scan db.Scan) (id tianbao.ID, err error) { return id, scan(&id) }, sqlAllHooks)
	if err != nil {
		return 0, fmt.Errorf("store: read subscriptions: %w", err)
	}
	for {
		var batch []db.Statement
		var last int64
		young := false
		err := s.db.Each(ctx, func(scan db.Scan) error {
			var lane, seq, n, at int64
			if err := scan(&lane, &seq, &n, &at); err != nil {
				return err
			}
			if young = young || at >= ms(before); !young {
				batch, last = append(batch, db.Statement{SQL: sqlDropNews, Args: []any{lane, seq}}), n
			}
			return nil
		}, sqlOldNews, dropAtOnce)
		if err != nil || len(batch) == 0 {
			return sum, err
		}
		n := len(batch)
		for _, id := range hooks {
			batch = append(batch, db.Statement{SQL: sqlDropDelivered, Args: []any{id, last}})
		}
		err = s.db.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Send(ctx, batch)
			return err
		})
		if err != nil {
			return sum, fmt.Errorf("store: forget old news: %w", err)
		}
		if sum += n; n < dropAtOnce {
			return sum, nil
		}
	}
}
