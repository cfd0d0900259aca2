package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/remind"
)

// Copies of notices by mail: they lie in the outbox of reminders without a collection.

const (
	sqlNoticesToCopy = `SELECT n.id FROM notice n WHERE n.mail = $1 AND n.mailed = 0 AND n.state = 'published' ORDER BY n.id`
	sqlCopyEveryone  = `SELECT n.everyone FROM notice n WHERE n.id = $1`
	sqlMailboxes     = `SELECT COUNT(*) FROM unit_mail m JOIN unit u ON u.id = m.unit_id
 WHERE SCOPE(u.path) AND m.copies = $1 AND (u.valid_to = 0 OR u.valid_to > $2)`
	sqlUncopied = `SELECT m.unit_id FROM unit_mail m JOIN unit u ON u.id = m.unit_id
 WHERE SCOPE(u.path) AND m.copies = $1 AND (u.valid_to = 0 OR u.valid_to > $2)
 AND NOT EXISTS (SELECT 1 FROM remind_outbox o WHERE o.campaign_id = 0 AND o.notice_id = $3 AND o.unit_id = m.unit_id)
 ORDER BY m.unit_id LIMIT $4`
	sqlPutCopy = `INSERT INTO remind_outbox
 (id, campaign_id, notice_id, unit_id, due, channel, hand, made, by_id, next, body, state, reason, attempts, node, sent, read_at, read_by)
 VALUES ($1, 0, $2, $3, 0, 'mail', $4, $5, 0, $5, $6, 'waiting', '', 0, '', 0, 0, 0)`
	sqlCopied    = `UPDATE notice SET mailed = $1 WHERE id = $2`
	sqlCopyOf    = `SELECT n.title, n.issuer, n.body, n.state, (SELECT COUNT(*) FROM attachment a WHERE a.notice_id = n.id AND a.gone = 0) FROM notice n WHERE n.id = $1`
	sqlCopyUnits = `SELECT u.id, u.name, u.budget_code, m.address, m.copies FROM unit u JOIN unit_mail m ON m.unit_id = u.id
 WHERE (u.valid_to = 0 OR u.valid_to > $1) AND u.id IN LIST`
	sqlCountCopies = `SELECT o.state, o.channel, COUNT(*) FROM remind_outbox o JOIN unit u ON u.id = o.unit_id
 WHERE SCOPE(u.path) AND o.campaign_id = 0 AND o.notice_id = $1 GROUP BY o.state, o.channel ORDER BY o.state`
)

// NoticesToCopy implements remind.Store.
func (s *Store) NoticesToCopy(ctx context.Context) ([]tianbao.ID, error) {
	return db.Collect(ctx, s.db, scanID, sqlNoticesToCopy, true)
}

// Mailboxes implements remind.Store.
func (s *Store) Mailboxes(ctx context.Context, scope tianbao.Scope, at time.Time) (n int, err error) {
	sql, args := within(sqlMailboxes, scope, true, ms(at))
	err = s.db.One(ctx, []any{&n}, sql, args...)
	return n, err
}

// QueueCopies implements remind.Store.
func (s *Store) QueueCopies(ctx context.Context, notice tianbao.ID, at time.Time, limit int, id func() tianbao.ID, events func(units int) []tianbao.Event) (n int, more bool, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var everyone bool
		if err := tx.One(ctx, []any{&everyone}, sqlCopyEveryone, notice); err != nil {
			return fmt.Errorf("store: read notice %s: %w", notice, err)
		}
		scope := tianbao.Scope{Paths: []string{"/"}}
		if !everyone {
			scope.Paths = nil
			if err := tx.Each(ctx, func(scan db.Scan) error {
				var u tianbao.Unit
				err := scan(&u.ID, &u.Path, &u.Name, &u.BudgetCode)
				scope.Paths = append(scope.Paths, u.Path)
				return err
			}, sqlNoticeUnits, notice); err != nil {
				return fmt.Errorf("store: read whom notice %s is for: %w", notice, err)
			}
		}
		var batch []db.Statement
		sql, args := within(sqlUncopied, scope, true, ms(at), notice, limit)
		if err := tx.Each(ctx, func(scan db.Scan) error {
			unit, err := scanID(scan)
			batch = append(batch, db.Statement{SQL: sqlPutCopy, Args: []any{id(), notice, unit, false, ms(at), []byte{}}})
			return err
		}, sql, args...); err != nil {
			return fmt.Errorf("store: read who gets copies of notice %s: %w", notice, err)
		}
		if n, more = len(batch), len(batch) == limit; !more {
			batch = append(batch, db.Statement{SQL: sqlCopied, Args: []any{ms(at), notice}})
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: put copies of notice %s into the outbox: %w", notice, err)
		}
		return s.trail(ctx, tx, events(n)...)
	})
	if db.IsUnique(err) {
		return 0, false, nil // another server puts them there
	}
	return n, more && err == nil, err
}

// CountCopies implements remind.Store.
func (s *Store) CountCopies(ctx context.Context, scope tianbao.Scope, notice tianbao.ID) ([]remind.Count, error) {
	sql, args := within(sqlCountCopies, scope, notice)
	return db.Collect(ctx, s.db, scanSent, sql, args...)
}

// copies decides about the copies of a notice that were taken.
func (k *claiming) copies(ctx context.Context, notice tianbao.ID, list []claimed) error {
	var c remind.Copy
	var state tianbao.NoticeState
	if err := k.tx.One(ctx, []any{&c.Title, &c.Issuer, &c.Body, &state, &c.Files}, sqlCopyOf, notice); err != nil {
		return fmt.Errorf("store: read notice %s: %w", notice, err)
	}
	c.Published = state == tianbao.NoticePublished
	type box struct {
		unit   tianbao.Unit
		sealed []byte
		wanted bool
	}
	boxes := make(map[tianbao.ID]box)
	var units []tianbao.ID
	for i := range list {
		units = append(units, list[i].Unit)
	}
	slices.Sort(units)
	if err := listed(sqlCopyUnits, units, []any{ms(k.At)}, func(sql string, args []any) error {
		return k.tx.Each(ctx, func(scan db.Scan) error {
			var b box
			err := scan(&b.unit.ID, &b.unit.Name, &b.unit.BudgetCode, &b.sealed, &b.wanted)
			boxes[b.unit.ID] = b
			return err
		}, sql, args...)
	}); err != nil {
		return fmt.Errorf("store: read where copies go: %w", err)
	}
	for i := range list {
		r := &list[i]
		b, there := boxes[r.Unit]
		c.Mail, c.Wanted = there, b.wanted
		if why := c.Decide(); why != remind.WhyNot {
			k.dropped++
			k.add(sqlDropReminder, why, r.ID)
			continue
		}
		address, err := k.s.openText(b.sealed, mailPlace(r.Unit))
		if err != nil {
			return fmt.Errorf("store: open the mail address of unit %s: %w", r.Unit, err)
		}
		k.out = append(k.out, remind.Message{
			ID: r.ID, Attempts: r.Attempts, Channel: r.Channel, Unit: b.unit, Notice: notice, Title: c.Title, Text: c.Text(), Mail: address,
		})
	}
	return nil
}
