package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/remind"
	"tianbao/internal/report"
)

// 催报: the policies, what is known of units, and what goes into the outbox. What leaves
// it is in remind_outbox.go.

const (
	policyColumns = `p.campaign_id, p.version, p.active, p.days, p.every_hours, p.from_minute, p.to_minute, p.weekends, p.days_off, p.days_on,
 p.channels, p.body, p.at, p.by_id`
	sqlRemindPolicy   = `SELECT ` + policyColumns + ` FROM remind_policy p WHERE p.campaign_id = $1`
	sqlActivePolicies = `SELECT ` + policyColumns + ` FROM remind_policy p JOIN campaign c ON c.id = p.campaign_id
 WHERE p.active = $1 AND c.released = $1 AND c.ended = 0 AND c.archived = 0 ORDER BY p.campaign_id`
	sqlInsertPolicy = `INSERT INTO remind_policy
 (active, days, every_hours, from_minute, to_minute, weekends, days_off, days_on, channels, body, at, by_id, version, campaign_id)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	sqlUpdatePolicy = `UPDATE remind_policy SET active = $1, days = $2, every_hours = $3, from_minute = $4, to_minute = $5, weekends = $6,
 days_off = $7, days_on = $8, channels = $9, body = $10, at = $11, by_id = $12, version = $13 WHERE campaign_id = $14 AND version = $15`

	sqlWithMail    = `SELECT m.unit_id FROM unit_mail m JOIN unit u ON u.id = m.unit_id WHERE SCOPE(u.path)`
	sqlRemindTurns = `SELECT t.unit_id, t.last FROM remind_turn t JOIN unit u ON u.id = t.unit_id WHERE SCOPE(u.path) AND t.campaign_id = $1`

	// A turn that nobody took is older than all times.
	sqlFirstTurn      = `INSERT INTO remind_turn (campaign_id, unit_id, last) VALUES ($1, $2, 0)`
	sqlHasRemindTurn  = `SELECT t.unit_id FROM remind_turn t WHERE t.campaign_id = $1 AND t.unit_id IN LIST`
	sqlTakeRemindTurn = `UPDATE remind_turn SET last = $1 WHERE campaign_id = $2 AND unit_id = $3 AND last <= $4`
	sqlPutReminder    = `INSERT INTO remind_outbox
 (id, campaign_id, unit_id, due, channel, hand, made, by_id, next, body, state, reason, attempts, node, sent, read_at, read_by)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', '', 0, '', 0, 0, 0)`
)

func scanPolicy(scan db.Scan) (p remind.Policy, err error) {
	var off, on, channels string
	var at int64
	if err = scan(&p.Campaign, &p.Version, &p.Active, &p.Days, &p.Every, &p.From, &p.To, &p.Weekends, &off, &on, &channels, &p.Text, &at, &p.By); err != nil {
		return p, err
	}
	p.Off, p.On, p.At = strings.Fields(off), strings.Fields(on), when(at)
	for _, c := range strings.Fields(channels) {
		p.Channels = append(p.Channels, remind.Channel(c))
	}
	return p, nil
}

// RemindPolicy implements remind.Store.
func (s *Store) RemindPolicy(ctx context.Context, id tianbao.ID) (remind.Policy, error) {
	return first(ctx, s.db, scanPolicy, sqlRemindPolicy, id)
}

// ActivePolicies implements remind.Store.
func (s *Store) ActivePolicies(ctx context.Context) ([]remind.Policy, error) {
	return db.Collect(ctx, s.db, scanPolicy, sqlActivePolicies, true)
}

// PutRemindPolicy implements remind.Store.
func (s *Store) PutRemindPolicy(ctx context.Context, p *remind.Policy, events ...tianbao.Event) error {
	channels := make([]string, len(p.Channels))
	for i, c := range p.Channels {
		channels[i] = string(c)
	}
	args := []any{
		p.Active, p.Days, p.Every, p.From, p.To, p.Weekends, strings.Join(p.Off, "\n"), strings.Join(p.On, "\n"),
		strings.Join(channels, " "), p.Text, ms(p.At), p.By, s.id(), p.Campaign,
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var n int64
		var err error
		if p.Version == 0 {
			n, err = tx.Exec(ctx, sqlInsertPolicy, args...)
		} else {
			n, err = tx.Exec(ctx, sqlUpdatePolicy, append(args, p.Version)...)
		}
		if err != nil && !db.IsUnique(err) {
			return fmt.Errorf("store: put the reminding of collection %s: %w", p.Campaign, err)
		}
		if n != 1 {
			return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "policy_changed", Message: "催报安排刚刚由别人改过，请重新查看后再改一次。"}
		}
		return s.trail(ctx, tx, events...)
	})
}

// factsOf puts together what is known of a unit.
func factsOf(plan *campaign.Plan, l *campaign.Line, at time.Time) remind.Facts {
	d := plan.At(campaign.Place{Path: l.Unit.Path, Region: l.Unit.Region}, at)
	f := remind.Facts{Unit: l.Unit, State: l.State, Shown: campaign.Shown(l.State, d), Takes: d.Why != campaign.WhyOutside}
	if l.Passes > 0 {
		d = d.Passed()
	}
	if f.Open = d.Open(); f.Open {
		f.Closes = d.When
	}
	return f
}

// EachFacts implements remind.Store.
func (s *Store) EachFacts(ctx context.Context, scope tianbao.Scope, id tianbao.ID, at time.Time, fn func(*remind.Facts) error) error {
	plan, err := s.Plan(ctx, id)
	if err != nil {
		return err
	}
	accounts, contacts, err := s.Manned(ctx, scope, at)
	if err != nil {
		return err
	}
	mails, last := make(map[tianbao.ID]bool), make(map[tianbao.ID]time.Time)
	sql, args := within(sqlWithMail, scope)
	if err := s.db.Each(ctx, func(scan db.Scan) error {
		var unit tianbao.ID
		err := scan(&unit)
		mails[unit] = true
		return err
	}, sql, args...); err != nil {
		return fmt.Errorf("store: read who gets mail: %w", err)
	}
	sql, args = within(sqlRemindTurns, scope, id)
	if err := s.db.Each(ctx, func(scan db.Scan) error {
		var unit tianbao.ID
		var ms int64
		err := scan(&unit, &ms)
		last[unit] = when(ms)
		return err
	}, sql, args...); err != nil {
		return fmt.Errorf("store: read who was reminded: %w", err)
	}
	return s.EachLine(ctx, scope, campaign.Question{Campaign: id, At: at}, "", func(l *campaign.Line) error {
		f := factsOf(plan, l, at)
		u := l.Unit.ID
		f.Last, f.Account, f.Phone, f.Mail = last[u], accounts[u], contacts[u], mails[u]
		return fn(&f)
	})
}

// Enqueue implements remind.Store.
func (s *Store) Enqueue(ctx context.Context, b *remind.Batch, events func(units int) []tianbao.Event) (units int, err error) {
	if len(b.Items) == 0 {
		return 0, nil
	}
	ids := make([]tianbao.ID, len(b.Items))
	takes := make([]db.Statement, len(b.Items))
	for i := range b.Items {
		ids[i] = b.Items[i].Unit
		takes[i] = db.Statement{SQL: sqlTakeRemindTurn, Args: []any{ms(b.At), b.Campaign, ids[i], ms(b.At.Add(-b.Every))}}
	}
	err = s.again(ctx, func(tx db.Tx) error {
		if err := firstTurns(ctx, tx, b.Campaign, ids); err != nil {
			return err
		}
		counts, err := tx.Send(ctx, takes)
		if err != nil {
			return fmt.Errorf("store: take turns to remind: %w", err)
		}
		var puts []db.Statement
		taken := 0
		for i := range b.Items {
			if counts[i] != 1 {
				continue // somebody else reminds it, or did
			}
			taken++
			it := &b.Items[i]
			for j, c := range it.Channels {
				puts = append(puts, db.Statement{SQL: sqlPutReminder, Args: []any{
					it.IDs[j], b.Campaign, it.Unit, ms(it.Due), c, b.Hand, ms(b.At), b.By, ms(b.Next), []byte{},
				}})
			}
		}
		units = taken
		if taken == 0 {
			return nil
		}
		if _, err := tx.Send(ctx, puts); err != nil {
			return fmt.Errorf("store: put reminders into the outbox: %w", err)
		}
		return s.trail(ctx, tx, events(taken)...)
	})
	if err != nil {
		return 0, err
	}
	return units, nil
}

// firstTurns makes the turns of units that were never reminded. tianbao/report.ErrStale:
// somebody else just made one; try again.
func firstTurns(ctx context.Context, tx db.Tx, id tianbao.ID, units []tianbao.ID) error {
	there := make(map[tianbao.ID]bool)
	err := listed(sqlHasRemindTurn, units, []any{id}, func(sql string, args []any) error {
		return tx.Each(ctx, func(scan db.Scan) error {
			var unit tianbao.ID
			err := scan(&unit)
			there[unit] = true
			return err
		}, sql, args...)
	})
	if err != nil {
		return fmt.Errorf("store: read turns to remind: %w", err)
	}
	var batch []db.Statement
	for _, u := range units {
		if !there[u] {
			batch = append(batch, db.Statement{SQL: sqlFirstTurn, Args: []any{id, u}})
		}
	}
	if _, err := tx.Send(ctx, batch); db.IsUnique(err) {
		return report.ErrStale
	} else if err != nil {
		return fmt.Errorf("store: make turns to remind: %w", err)
	}
	return nil
}

// Where units get mail.

const (
	sqlUnitMail       = `SELECT m.address, m.copies FROM unit_mail m WHERE m.unit_id = $1`
	sqlUpdateUnitMail = `UPDATE unit_mail SET address = $1, copies = $2, at = $3, by_id = $4 WHERE unit_id = $5`
	sqlInsertUnitMail = `INSERT INTO unit_mail (address, copies, at, by_id, unit_id) VALUES ($1, $2, $3, $4, $5)`
	sqlDropUnitMail   = `DELETE FROM unit_mail WHERE unit_id = $1`
)

// UnitMail implements remind.Store.
func (s *Store) UnitMail(ctx context.Context, unit tianbao.ID) (remind.Mailbox, error) {
	return s.unitMail(ctx, s.db, unit)
}

func (s *Store) unitMail(ctx context.Context, q db.Queryer, unit tianbao.ID) (m remind.Mailbox, err error) {
	var sealed []byte
	err = q.One(ctx, []any{&sealed, &m.Copies}, sqlUnitMail, unit)
	if errors.Is(err, db.ErrNoRows) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("store: read the mail address of unit %s: %w", unit, err)
	}
	if m.Address, err = s.openText(sealed, mailPlace(unit)); err != nil {
		return m, fmt.Errorf("store: open the mail address of unit %s: %w", unit, err)
	}
	return m, nil
}

// PutUnitMail implements remind.Store.
func (s *Store) PutUnitMail(ctx context.Context, unit tianbao.ID, m remind.Mailbox, by tianbao.ID, at time.Time, events ...tianbao.Event) error {
	sealed := s.sealText(m.Address, mailPlace(unit))
	return s.db.Tx(ctx, func(tx db.Tx) (err error) {
		if m.Address == "" {
			_, err = tx.Exec(ctx, sqlDropUnitMail, unit)
		} else {
			err = upsert(ctx, tx, sqlUpdateUnitMail, sqlInsertUnitMail, sealed, m.Copies, ms(at), by, unit)
		}
		if err != nil {
			return fmt.Errorf("store: put the mail address of unit %s: %w", unit, err)
		}
		return s.trail(ctx, tx, events...)
	})
}
