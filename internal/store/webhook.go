package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/news"
	"tianbao/internal/seal"
)

const (
	sqlInsertWebhook = `INSERT INTO webhook (id, name, unit_id, kinds, body, state, by_id, made, failures, failing, next, code, sent, node, until)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, 0, '', 0)`
	webhookColumns = `h.id, h.name, h.unit_id, h.kinds, h.body, h.state, h.by_id, h.made, h.failures, h.failing, h.next, h.code, h.sent, u.path, u.name, COALESCE(p.name, ''),
 (SELECT COUNT(*) FROM webhook_delivery d WHERE d.webhook_id = h.id AND d.state = 'waiting'), (SELECT COUNT(*) FROM webhook_delivery d WHERE d.webhook_id = h.id AND d.state = 'refused')
 FROM webhook h JOIN unit u ON u.id = h.unit_id LEFT JOIN app_user p ON p.id = h.by_id`
	sqlWebhooks = `SELECT ` + webhookColumns + ` WHERE SCOPE(u.path) AND h.state <> 'ended' ORDER BY h.id DESC`
	sqlWebhook  = `SELECT ` + webhookColumns + ` WHERE SCOPE(u.path) AND h.id = $1`
	sqlHoldHook = `UPDATE webhook SET name = $1, kinds = $2 WHERE id = $3 AND state <> 'ended'`
	sqlSetHook  = `UPDATE webhook SET state = $1 WHERE id = $2 AND state <> $1`
	// Failures begin anew when an officer lets it go on.
	sqlWakeHook    = `UPDATE webhook SET failures = 0, failing = 0, next = 0 WHERE id = $1`
	sqlHookWaiting = `DELETE FROM webhook_delivery WHERE webhook_id = $1 AND state = 'waiting'`
	sqlDeliveries  = `SELECT ` + newsColumns + `, d.state, d.attempts, d.code, d.at, COALESCE(u.name, '') FROM webhook_delivery d JOIN news x ON x.n = d.n` + newsTables + `
 WHERE d.webhook_id = $1 AND (d.state = $2 OR $2 = '') AND d.n < $3 ORDER BY d.n DESC LIMIT $4`
	sqlReplayed = `SELECT x.n, x.kind, COALESCE(d.state, '') FROM news x JOIN unit u ON u.id = x.unit_id
 LEFT JOIN webhook_delivery d ON d.webhook_id = $1 AND d.n = x.n WHERE SCOPE(u.path) AND x.n > 0 AND x.at >= $2 AND x.at < $3 ORDER BY x.n LIMIT $4`
	sqlReplayedOne = `SELECT x.n, x.kind, d.state FROM webhook_delivery d JOIN news x ON x.n = d.n WHERE d.webhook_id = $1 AND d.n = $2`
	sqlWaitAgain   = `UPDATE webhook_delivery SET state = 'waiting', attempts = 0 WHERE webhook_id = $1 AND n = $2`
	sqlDueHooks    = `SELECT h.id FROM webhook h WHERE h.state = 'active' AND h.next <= $1 AND h.until <= $1
 AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = h.id AND d.state = 'waiting') ORDER BY h.id`
	sqlTakeHook    = `UPDATE webhook SET node = $1, until = $2 WHERE id = $3 AND state = 'active' AND next <= $4 AND until <= $4`
	sqlWaitingNews = `SELECT ` + newsColumns + `, d.attempts FROM webhook_delivery d JOIN news x ON x.n = d.n` + newsTables + `
 WHERE d.webhook_id = $1 AND d.state = 'waiting' ORDER BY d.n LIMIT $2`
	sqlFinishDelivery = `UPDATE webhook_delivery SET state = $1, attempts = attempts + 1, code = $2, at = $3 WHERE webhook_id = $4 AND n = $5 AND state = 'waiting'`
	sqlLeaveHook      = `UPDATE webhook SET failures = $1, failing = $2, next = $3, code = $4, sent = $5, node = '', until = 0 WHERE id = $6 AND node = $7`
	sqlStopHook       = `UPDATE webhook SET state = $1 WHERE id = $2 AND state = 'active'`
)

func webhookPlace(id tianbao.ID) []byte { return seal.Place("webhook", "body", id.String()) }

// webhookJSON is what is sealed of a subscription.
type webhookJSON struct {
	URL    string `json:"u"`
	Secret []byte `json:"s"`
}

func kindText(kinds []tianbao.NewsKind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, "\n")
}

// PutSubscription implements news.Store.
func (s *Store) PutSubscription(ctx context.Context, sub *news.Subscription, events ...tianbao.Event) error {
	plain, err := json.Marshal(webhookJSON{sub.URL, sub.Secret})
	if err != nil {
		return errors.New("store: a subscription cannot be encoded")
	}
	sealed := s.ring.Seal(nil, plain, webhookPlace(sub.ID))
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlInsertWebhook, sub.ID, sub.Name, sub.Unit, kindText(sub.Kinds), sealed, sub.State, sub.By, ms(sub.Made)); err != nil {
			return fmt.Errorf("store: write a subscription: %w", err)
		}
		return s.trail(ctx, tx, events...)
	})
}

func (s *Store) scanWebhook(scan db.Scan) (h news.Subscription, err error) {
	var kinds string
	var sealed []byte
	var made, failing, next, sent int64
	err = scan(&h.ID, &h.Name, &h.Unit, &kinds, &sealed, &h.State, &h.By, &made, &h.Failures, &failing, &next, &h.Code, &sent, &h.UnitPath, &h.UnitName, &h.ByName, &h.Waiting, &h.Refused)
	if err != nil {
		return h, err
	}
	h.Made, h.Failing, h.Next, h.Sent = when(made), when(failing), when(next), when(sent)
	for k := range strings.SplitSeq(kinds, "\n") {
		h.Kinds = append(h.Kinds, tianbao.NewsKind(k))
	}
	plain, err := s.ring.Open(nil, sealed, webhookPlace(h.ID))
	if err != nil {
		return h, fmt.Errorf("store: open subscription %s: %w", h.ID, err)
	}
	var j webhookJSON
	if json.Unmarshal(plain, &j) != nil {
		return h, fmt.Errorf("store: subscription %s is not readable", h.ID)
	}
	h.URL, h.Secret = j.URL, j.Secret
	return h, nil
}

// Subscriptions implements news.Store.
func (s *Store) Subscriptions(ctx context.Context, scope tianbao.Scope) ([]news.Subscription, error) {
	sql, args := within(sqlWebhooks, scope)
	return db.Collect(ctx, s.db, s.scanWebhook, sql, args...)
}

// Subscription implements news.Store.
func (s *Store) Subscription(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (news.Subscription, error) {
	sql, args := within(sqlWebhook, scope, id)
	return first(ctx, s.db, s.scanWebhook, sql, args...)
}

// SetSubscription implements news.Store. What waits of one that ends is forgotten.
func (s *Store) SetSubscription(ctx context.Context, sub *news.Subscription, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlHoldHook, sub.Name, kindText(sub.Kinds), sub.ID)
		if err != nil {
			return err
		}
		if n != 1 {
			return tianbao.NotFound()
		}
		changed, err := tx.Exec(ctx, sqlSetHook, sub.State, sub.ID)
		if err == nil && changed == 1 {
			switch sub.State {
			case news.Active:
				_, err = tx.Exec(ctx, sqlWakeHook, sub.ID)
			case news.Ended:
				_, err = tx.Exec(ctx, sqlHookWaiting, sub.ID)
			}
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// Deliveries implements news.Store.
func (s *Store) Deliveries(ctx context.Context, id tianbao.ID, state news.DeliveryState, before int64, limit int) ([]news.Delivery, error) {
	if before == 0 {
		before = 1 << 62
	}
	return db.Collect(ctx, s.db, func(scan db.Scan) (d news.Delivery, err error) {
		var tried int64
		dest, done := newsDest(&d.Item)
		err = scan(append(dest, &d.State, &d.Attempts, &d.Code, &tried, &d.UnitName)...)
		done()
		d.Tried = when(tried)
		return d, err
	}, sqlDeliveries, id, state, before, max(limit, 0))
}

// Replay implements news.Store. A time also brings what was never put down: what happened
// before the subscription was made, or of kinds that it did not have.
func (s *Store) Replay(ctx context.Context, sub *news.Subscription, r news.Range, limit int, events func(n int) []tianbao.Event) (count int, err error) {
	sql, args := sqlReplayedOne, []any{sub.ID, r.N}
	if r.N == 0 {
		sql, args = within(sqlReplayed, tianbao.Scope{Paths: []string{sub.UnitPath}}, sub.ID, ms(r.From), ms(r.To), limit+1)
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var batch []db.Statement
		seen := 0
		err := tx.Each(ctx, func(scan db.Scan) error {
			var n int64
			var kind string
			var state news.DeliveryState
			if err := scan(&n, &kind, &state); err != nil {
				return err
			}
			seen++
			switch {
			case state == news.Waiting, r.Refused && state != news.Refused:
			case state != "":
				batch = append(batch, db.Statement{SQL: sqlWaitAgain, Args: []any{sub.ID, n}})
			case strings.Contains("\n"+kindText(sub.Kinds)+"\n", "\n"+kind+"\n"):
				batch = append(batch, db.Statement{SQL: sqlDeliver, Args: []any{sub.ID, n}})
			}
			return nil
		}, sql, args...)
		if err != nil {
			return fmt.Errorf("store: find news to be told again: %w", err)
		}
		if seen > limit {
			return tianbao.Invalid("too_many", fmt.Sprintf("一次最多重发 %d 个事件，请把时间分成几段。", limit))
		}
		count = len(batch)
		if count == 0 {
			return nil
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: tell news again: %w", err)
		}
		return s.trail(ctx, tx, events(count)...)
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

// DueSubscriptions implements news.Store.
func (s *Store) DueSubscriptions(ctx context.Context, at time.Time) ([]tianbao.ID, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (id tianbao.ID, err error) { return id, scan(&id) }, sqlDueHooks, ms(at))
}

// TakeSubscription implements news.Store.
func (s *Store) TakeSubscription(ctx context.Context, id tianbao.ID, node string, at, until time.Time) (bool, error) {
	n, err := s.exec(ctx, sqlTakeHook, node, ms(until), id, ms(at))
	return n == 1, err
}

// WaitingNews implements news.Store.
func (s *Store) WaitingNews(ctx context.Context, id tianbao.ID, limit int) ([]news.Item, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (it news.Item, err error) {
		dest, done := newsDest(&it)
		err = scan(append(dest, &it.Attempts)...)
		done()
		return it, err
	}, sqlWaitingNews, id, max(limit, 0))
}

// FinishDelivery implements news.Store.
func (s *Store) FinishDelivery(ctx context.Context, id tianbao.ID, n int64, state news.DeliveryState, code int, at time.Time) error {
	_, err := s.exec(ctx, sqlFinishDelivery, state, code, ms(at), id, n)
	return err
}

// LeaveSubscription implements news.Store.
func (s *Store) LeaveSubscription(ctx context.Context, sub *news.Subscription, node string, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlLeaveHook, sub.Failures, ms(sub.Failing), ms(sub.Next), sub.Code, ms(sub.Sent), sub.ID, node)
		if err != nil || n != 1 {
			return err
		}
		if sub.State != news.Stopped {
			return nil
		}
		if n, err = tx.Exec(ctx, sqlStopHook, sub.State, sub.ID); err != nil || n != 1 {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
