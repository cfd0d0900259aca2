package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/remind"
)

// What became of reminders, for officers, and the messages on the units' own pages.

const (
	sqlReminders = `SELECT o.id, o.unit_id, u.name, u.budget_code, o.due, o.channel, o.hand, o.made, o.state, o.reason, o.attempts, o.next, o.sent, o.read_at
 FROM remind_outbox o JOIN unit u ON u.id = o.unit_id
 WHERE SCOPE(u.path) AND o.campaign_id = $1 AND o.id < $2 AND ($3 = '' OR o.state = $3) AND ($4 = '' OR o.channel = $4) AND o.notice_id = $5
 AND (lower(u.name) LIKE $6 ESCAPE '\' OR lower(u.budget_code) LIKE $6 ESCAPE '\') ORDER BY o.id DESC LIMIT $7`
	sqlCountReminders = `SELECT o.state, o.channel, COUNT(*) FROM remind_outbox o JOIN unit u ON u.id = o.unit_id
 WHERE SCOPE(u.path) AND o.campaign_id = $1 GROUP BY o.state, o.channel ORDER BY o.state, o.channel`
	sqlInbox = `SELECT o.id, o.campaign_id, c.title, o.unit_id, u.name, o.sent, o.body
 FROM remind_outbox o JOIN unit u ON u.id = o.unit_id JOIN campaign c ON c.id = o.campaign_id
 WHERE o.channel = 'page' AND o.state = 'sent' AND o.read_at = 0 AND c.released = $1 AND c.ended = 0 AND c.archived = 0 AND o.unit_id IN LIST
 ORDER BY o.sent DESC, o.id DESC`
	sqlUnread = `SELECT COUNT(*) FROM remind_outbox o JOIN campaign c ON c.id = o.campaign_id
 WHERE o.channel = 'page' AND o.state = 'sent' AND o.read_at = 0 AND c.released = $1 AND c.ended = 0 AND c.archived = 0 AND o.unit_id IN LIST`
	sqlInboxOne = `SELECT o.unit_id, o.campaign_id FROM remind_outbox o WHERE o.channel = 'page' AND o.state = 'sent' AND o.id = $1 AND o.unit_id IN LIST`
	sqlReadThem = `UPDATE remind_outbox SET read_at = $1, read_by = $2
 WHERE unit_id = $3 AND channel = 'page' AND state = 'sent' AND read_at = 0 AND campaign_id = $4 AND id <= $5`
)

// Reminders implements remind.Store.
func (s *Store) Reminders(ctx context.Context, scope tianbao.Scope, id tianbao.ID, q remind.Query) ([]remind.Reminder, error) {
	before := q.Before
	if before == 0 {
		before = 1<<63 - 1
	}
	sql, args := within(sqlReminders, scope, id, before, q.State, q.Channel, q.Notice, contains(q.Text), max(q.Limit, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (r remind.Reminder, err error) {
		var due, made, next, sent, read int64
		r.Campaign = id
		err = scan(&r.ID, &r.Unit, &r.UnitName, &r.UnitCode, &due, &r.Channel, &r.Hand, &made, &r.State, &r.Reason, &r.Attempts, &next, &sent, &read)
		r.Due, r.Made, r.Next, r.Sent, r.Read = when(due), when(made), when(next), when(sent), when(read)
		return r, err
	}, sql, args...)
}

// CountReminders implements remind.Store.
func (s *Store) CountReminders(ctx context.Context, scope tianbao.Scope, id tianbao.ID) ([]remind.Count, error) {
	sql, args := within(sqlCountReminders, scope, id)
	return db.Collect(ctx, s.db, scanSent, sql, args...)
}

func scanSent(scan db.Scan) (c remind.Count, err error) {
	err = scan(&c.State, &c.Channel, &c.N)
	return c, err
}

// Inbox implements remind.Store.
func (s *Store) Inbox(ctx context.Context, units []tianbao.ID) (out []remind.Reminder, err error) {
	err = listed(sqlInbox, units, []any{true}, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			r := remind.Reminder{Channel: remind.ChannelPage, State: remind.StateSent}
			var sent int64
			var body []byte
			err := scan(&r.ID, &r.Campaign, &r.Title, &r.Unit, &r.UnitName, &sent, &body)
			if err != nil {
				return err
			}
			r.Sent = when(sent)
			if r.Text, err = s.openText(body, remindPlace(r.ID)); err != nil {
				return fmt.Errorf("store: open the text of reminder %s: %w", r.ID, err)
			}
			out = append(out, r)
			return nil
		}, sql, args...)
	})
	return out, err
}

// UnreadReminders implements remind.Store.
func (s *Store) UnreadReminders(ctx context.Context, units []tianbao.ID) (sum int, err error) {
	err = listed(sqlUnread, units, []any{true}, func(sql string, args []any) error {
		var n int
		err := s.db.One(ctx, []any{&n}, sql, args...)
		sum += n
		return err
	})
	return sum, err
}

// ReadReminder implements remind.Store.
func (s *Store) ReadReminder(ctx context.Context, units []tianbao.ID, id, by tianbao.ID, at time.Time, events func(unit tianbao.ID) []tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var unit, of tianbao.ID
		err := listed(sqlInboxOne, units, []any{id}, func(sql string, args []any) error {
			return one(ctx, tx, []any{&unit, &of}, sql, args...)
		})
		if err != nil {
			return err
		}
		if unit == 0 {
			return tianbao.NotFound()
		}
		if _, err := tx.Exec(ctx, sqlReadThem, ms(at), by, unit, of, id); err != nil {
			return fmt.Errorf("store: read reminder %s: %w", id, err)
		}
		return s.trail(ctx, tx, events(unit)...)
	})
}
