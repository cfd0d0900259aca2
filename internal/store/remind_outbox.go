package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/remind"
	"tianbao/internal/seal"
)

const (
	sqlDueReminders = `SELECT o.id FROM remind_outbox o
 WHERE o.state IN ('waiting', 'sending') AND o.next <= $1 AND o.channel IN LIST ORDER BY o.next, o.id LIMIT $2`
	sqlClaimReminder = `UPDATE remind_outbox SET state = 'sending', node = $1, next = $2, attempts = attempts + 1
 WHERE id = $3 AND state IN ('waiting', 'sending') AND next <= $4`
	sqlClaimedReminders = `SELECT o.id, o.campaign_id, o.unit_id, o.due, o.channel, o.hand, o.attempts, o.body, o.notice_id FROM remind_outbox o WHERE o.id IN LIST`
	sqlLinesOf          = `SELECT ` + unitColumns + `, ` + stateNow + `, COALESCE(s.row_count, 0), COALESCE(s.faulty, 0), COALESCE(s.since, 0), COALESCE(s.review, ''), COALESCE(s.passes, 0)
 FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $1 AND s.unit_id = u.id WHERE u.id IN LIST`
	sqlAccountsOf = `SELECT DISTINCT g.unit_id FROM role_grant g JOIN app_user p ON p.id = g.user_id
 WHERE p.disabled = $1 AND g.role <> 'service' AND g.role <> 'reviewer' AND g.valid_from <= $2 AND (g.valid_to = 0 OR g.valid_to > $2) AND g.unit_id IN LIST`
	sqlBureauOf       = `SELECT u.id FROM unit u WHERE u.kind = 'bureau' AND u.id IN LIST ORDER BY u.path DESC LIMIT 1`
	sqlContactOf      = `SELECT c.contact FROM unit_contact c WHERE c.unit_id = $1`
	sqlPagedReminder  = `UPDATE remind_outbox SET state = 'sent', node = '', next = 0, sent = $1, body = $2 WHERE id = $3`
	sqlTextReminder   = `UPDATE remind_outbox SET body = $1 WHERE id = $2`
	sqlDropReminder   = `UPDATE remind_outbox SET state = 'dropped', reason = $1, node = '', next = 0 WHERE id = $2`
	sqlDelayReminder  = `UPDATE remind_outbox SET state = 'waiting', node = '', next = $1, attempts = attempts - 1 WHERE id = $2`
	sqlFinishReminder = `UPDATE remind_outbox SET state = $1, reason = $2, next = $3, sent = $4, node = ''
 WHERE id = $5 AND state = 'sending' AND node = $6 AND attempts = $7`
	sqlWaitingIn = `SELECT o.id, o.by_id, o.hand FROM remind_outbox o JOIN unit u ON u.id = o.unit_id
 WHERE SCOPE(u.path) AND o.campaign_id = $1 AND o.state = 'waiting' ORDER BY o.id`
	sqlStopReminder = `UPDATE remind_outbox SET state = 'dropped', reason = $1, next = 0 WHERE id = $2 AND state = 'waiting'`
)

func remindPlace(id tianbao.ID) []byte { return seal.Place("remind_outbox", "body", id.String()) }
func mailPlace(unit tianbao.ID) []byte { return seal.Place("unit_mail", "address", unit.String()) }

// DueReminders implements remind.Store.
func (s *Store) DueReminders(ctx context.Context, channels []remind.Channel, at time.Time, limit int) (ids []tianbao.ID, err error) {
	err = listed(sqlDueReminders, channels, []any{ms(at), limit}, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			err := scan(&id)
			ids = append(ids, id)
			return err
		}, sql, args...)
	})
	return ids, err
}

// claimed is a reminder of a claim.
type claimed struct {
	remind.Reminder
	body   []byte
	notice tianbao.ID // of which it is a copy, 0: of none
}

// claiming is the transaction of a claim.
type claiming struct {
	*remind.Claim
	s        *Store
	tx       db.Tx
	decide   func(*remind.Policy, *remind.Reminder, *remind.Facts) remind.Decision
	phones   map[string]string // of the bureau above, by the path of what is above a unit
	accounts map[tianbao.ID]bool
	batch    []db.Statement
	sent     int // of the page
	dropped  int
	out      []remind.Message
}

// ClaimReminders implements remind.Store.
func (s *Store) ClaimReminders(ctx context.Context, c *remind.Claim, decide func(*remind.Policy, *remind.Reminder, *remind.Facts) remind.Decision) (out []remind.Message, err error) {
	ids := slices.Sorted(slices.Values(c.IDs)) // so that no two claims wait for each other
	var takes []db.Statement
	for _, id := range ids {
		takes = append(takes, db.Statement{SQL: sqlClaimReminder, Args: []any{c.Node, ms(c.Until), id, ms(c.At)}})
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		counts, err := tx.Send(ctx, takes)
		if err != nil {
			return fmt.Errorf("store: claim reminders: %w", err)
		}
		var taken []tianbao.ID
		for i, id := range ids {
			if counts[i] == 1 {
				taken = append(taken, id)
			}
		}
		k := &claiming{Claim: c, s: s, tx: tx, decide: decide, phones: make(map[string]string)}
		if err := k.run(ctx, taken); err != nil {
			return err
		}
		out = k.out
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// run decides about the reminders that were taken, a collection at a time, and about
// copies, a notice at a time.
func (k *claiming) run(ctx context.Context, ids []tianbao.ID) error {
	of, copies := make(map[tianbao.ID][]claimed), make(map[tianbao.ID][]claimed)
	err := listed(sqlClaimedReminders, ids, nil, func(sql string, args []any) error {
		return k.tx.Each(ctx, func(scan db.Scan) error {
			var r claimed
			var due int64
			err := scan(&r.ID, &r.Campaign, &r.Unit, &due, &r.Channel, &r.Hand, &r.Attempts, &r.body, &r.notice)
			r.Due = when(due)
			if r.notice != 0 {
				copies[r.notice] = append(copies[r.notice], r)
			} else {
				of[r.Campaign] = append(of[r.Campaign], r)
			}
			return err
		}, sql, args...)
	})
	if err != nil {
		return fmt.Errorf("store: read claimed reminders: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(of)) {
		if err := k.collection(ctx, id, of[id]); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(copies)) {
		if err := k.copies(ctx, id, copies[id]); err != nil {
			return err
		}
	}
	if _, err := k.tx.Send(ctx, k.batch); err != nil {
		return fmt.Errorf("store: write claimed reminders: %w", err)
	}
	if k.sent+k.dropped == 0 {
		return nil
	}
	return k.s.trail(ctx, k.tx, k.Trail(k.sent, k.dropped)...)
}

func (k *claiming) collection(ctx context.Context, id tianbao.ID, list []claimed) error {
	plan, err := k.s.planOf(ctx, k.tx, id)
	if err != nil {
		return err
	}
	policy, err := first(ctx, k.tx, scanPolicy, sqlRemindPolicy, id)
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
		return fmt.Errorf("store: read the reminding of collection %s: %w", id, err)
	} else if err != nil {
		policy = remind.Default(id)
	}
	var units []tianbao.ID
	for i := range list {
		units = append(units, list[i].Unit)
	}
	slices.Sort(units)
	units = slices.Compact(units)
	// Whoever reports meanwhile waits until this is decided, or this for him.
	if err := listed(sqlTurn, units, []any{id}, func(sql string, args []any) error {
		_, err := k.tx.Exec(ctx, sql, args...)
		return err
	}); err != nil {
		return fmt.Errorf("store: take turns: %w", err)
	}
	facts := make(map[tianbao.ID]remind.Facts, len(units))
	if err := listed(sqlLinesOf, units, []any{id}, func(sql string, args []any) error {
		return k.tx.Each(ctx, func(scan db.Scan) error {
			var l campaign.Line
			if err := scanLine(scan, &l); err != nil {
				return err
			}
			facts[l.Unit.ID] = factsOf(plan, &l, k.At)
			return nil
		}, sql, args...)
	}); err != nil {
		return fmt.Errorf("store: read where units stand: %w", err)
	}
	if err := k.withAccounts(ctx, units); err != nil {
		return err
	}
	for i := range list {
		f := facts[list[i].Unit] // of a unit that is gone: nothing is known, it does not take part
		if err := k.one(ctx, plan, &policy, &list[i], &f); err != nil {
			return err
		}
	}
	return nil
}

// withAccounts finds which units have an account that sees their page.
func (k *claiming) withAccounts(ctx context.Context, units []tianbao.ID) error {
	k.accounts = make(map[tianbao.ID]bool)
	err := listed(sqlAccountsOf, units, []any{false, ms(k.At)}, func(sql string, args []any) error {
		return k.tx.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			err := scan(&id)
			k.accounts[id] = true
			return err
		}, sql, args...)
	})
	if err != nil {
		return fmt.Errorf("store: read who has an account: %w", err)
	}
	return nil
}

// one decides about one reminder.
func (k *claiming) one(ctx context.Context, plan *campaign.Plan, p *remind.Policy, r *claimed, f *remind.Facts) error {
	m := remind.Message{ID: r.ID, Attempts: r.Attempts, Channel: r.Channel, Unit: f.Unit, Title: plan.Campaign.Title, Due: r.Due}
	var err error
	switch r.Channel {
	case remind.ChannelPage:
		f.Account = k.accounts[r.Unit]
	case remind.ChannelMail:
		var box remind.Mailbox
		box, err = k.s.unitMail(ctx, k.tx, r.Unit)
		m.Mail, f.Mail = box.Address, box.Address != ""
	case remind.ChannelHook:
		m.Phone, err = k.phone(ctx, r.Unit)
		f.Phone = m.Phone != ""
	}
	if err != nil {
		return err
	}
	switch d := k.decide(p, &r.Reminder, f); {
	case d.Why != remind.WhyNot:
		k.dropped++
		k.add(sqlDropReminder, d.Why, r.ID)
		return nil
	case !d.Wait.IsZero():
		k.add(sqlDelayReminder, ms(d.Wait), r.ID)
		return nil
	}
	sealed := r.body
	if len(sealed) == 0 {
		if m.Text, err = k.text(ctx, p, f); err != nil {
			return err
		}
		sealed = k.s.sealText(m.Text, remindPlace(r.ID))
	} else if m.Text, err = k.s.openText(sealed, remindPlace(r.ID)); err != nil {
		return fmt.Errorf("store: open the text of reminder %s: %w", r.ID, err)
	}
	if r.Channel == remind.ChannelPage {
		k.sent++
		k.add(sqlPagedReminder, ms(k.At), sealed, r.ID)
		return nil
	}
	k.add(sqlTextReminder, sealed, r.ID)
	k.out = append(k.out, m)
	return nil
}

func (k *claiming) add(sql string, args ...any) {
	k.batch = append(k.batch, db.Statement{SQL: sql, Args: args})
}

// text writes the text for a unit.
func (k *claiming) text(ctx context.Context, p *remind.Policy, f *remind.Facts) (string, error) {
	fields := remind.Fields{Unit: f.Unit.Name, State: f.Shown.Title()}
	if !f.Closes.IsZero() {
		fields.Until = campaign.Moment(f.Closes)
	}
	if remind.UsesPhone(p.Text) {
		ids := above(f.Unit.Path)
		key := fmt.Sprint(ids)
		phone, known := k.phones[key]
		if !known {
			var bureau tianbao.ID
			err := listed(sqlBureauOf, ids, nil, func(sql string, args []any) error {
				err := k.tx.One(ctx, []any{&bureau}, sql, args...)
				if errors.Is(err, db.ErrNoRows) {
					return nil
				}
				return err
			})
			if err == nil && bureau != 0 {
				phone, err = k.phone(ctx, bureau)
			}
			if err != nil {
				return "", err
			}
			k.phones[key] = phone
		}
		fields.Phone = phone
	}
	return remind.Render(p.Text, &fields), nil
}

// phone returns the phone of a unit's contact, "" without one.
func (k *claiming) phone(ctx context.Context, unit tianbao.ID) (string, error) {
	var sealed []byte
	err := k.tx.One(ctx, []any{&sealed}, sqlContactOf, unit)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("store: read the contact of unit %s: %w", unit, err)
	}
	c, err := k.s.openContact(unit, sealed)
	return strings.TrimSpace(c.Phone), err
}

// FinishReminder implements remind.Store.
func (s *Store) FinishReminder(ctx context.Context, f *remind.Finish, events ...tianbao.Event) (mine bool, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlFinishReminder, f.State, f.Reason, ms(f.Next), ms(f.Sent), f.ID, f.Node, f.Attempts)
		if err != nil {
			return fmt.Errorf("store: finish reminder %s: %w", f.ID, err)
		}
		if mine = n == 1; !mine {
			return nil
		}
		return s.trail(ctx, tx, events...)
	})
	return mine && err == nil, err
}

// StopReminders implements remind.Store.
func (s *Store) StopReminders(ctx context.Context, scope tianbao.Scope, id, by tianbao.ID, events func(n int) []tianbao.Event) (n int, err error) {
	sql, args := within(sqlWaitingIn, scope, id)
	var batch []db.Statement
	err = s.db.Each(ctx, func(scan db.Scan) error {
		var rid, who tianbao.ID
		var hand bool
		if err := scan(&rid, &who, &hand); err != nil {
			return err
		}
		if by == 0 || hand && who == by {
			batch = append(batch, db.Statement{SQL: sqlStopReminder, Args: []any{remind.WhyStopped, rid}})
		}
		return nil
	}, sql, args...)
	if err != nil {
		return 0, fmt.Errorf("store: find waiting reminders: %w", err)
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		counts, err := tx.Send(ctx, batch)
		if err != nil {
			return fmt.Errorf("store: stop reminders: %w", err)
		}
		stopped := 0
		for _, c := range counts {
			stopped += int(c)
		}
		n = stopped
		return s.trail(ctx, tx, events(stopped)...)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
