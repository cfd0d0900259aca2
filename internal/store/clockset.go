package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/db"
)

// What a clock that ran ahead has written, and who would wait for it once the clock is right
// again: waits and leases become due, what counts from a time counts from now, days that are
// not over are not kept. What tells who did what when (the trail, versions, receipts) stays
// as it was written; its order is that of numbers.
const (
	sqlNewestRecord = `SELECT COALESCE(MAX(t.id), 0) FROM trail t`

	sqlBackMail      = `UPDATE mail_message SET next = $1 WHERE state = 'received' AND next > $1`
	sqlBackReplies   = `UPDATE mail_reply SET next = $1 WHERE state IN ('waiting', 'sending') AND next > $1`
	sqlBackReminders = `UPDATE remind_outbox SET next = $1 WHERE state IN ('waiting', 'sending') AND next > $1`
	sqlBackTurns     = `UPDATE remind_turn SET last = $1 WHERE last > $1`
	sqlBackCodes     = `UPDATE phone_code SET next = $1 WHERE state IN ('waiting', 'sending') AND next > $1`
	sqlBackHooks     = `UPDATE webhook SET next = $1 WHERE next > $1`
	sqlBackHookLease = `UPDATE webhook SET until = $1 WHERE until > $1`
	sqlBackPlans     = `UPDATE platform_plan SET until = $1 WHERE state = 'approved' AND until > $1`
	sqlBackStagings  = `UPDATE staging SET seen = $1 WHERE seen > $1`

	sqlBackSeen     = `UPDATE session SET seen = $1 WHERE seen > $1`
	sqlBackCreated  = `UPDATE session SET created = $1 WHERE created > $1`
	sqlBackStepped  = `UPDATE session SET stepped = $1 WHERE stepped > $1`
	sqlBackUsers    = `UPDATE app_user SET last_seen = $1 WHERE last_seen > $1`
	sqlBackFailures = `UPDATE failure SET at = $1 WHERE at > $1`
	sqlBackReveals  = `UPDATE reveal SET at = $1 WHERE at > $1`

	sqlBackStandings = `UPDATE unit_status SET since = $1 WHERE since > $1`
	sqlBackLog       = `UPDATE unit_status_log SET at = $1 WHERE at > $1`
	sqlBackDays      = `DELETE FROM unit_status_day WHERE at > $1`
)

// Newest returns the newest id of the trail and when it was made, the zero time: none was.
func (s *Store) Newest(ctx context.Context) (id int64, at time.Time, err error) {
	if err = s.db.One(ctx, []any{&id}, sqlNewestRecord); err == nil && id != 0 {
		at = clock.TimeOf(id)
	}
	return id, at, err
}

// ClockSet records that the clock was set, and where it was set back brings what it wrote
// while it ran ahead back to now. It returns how many things that were.
func (s *Store) ClockSet(ctx context.Context, jump time.Duration) (n int64, err error) {
	now := s.now()
	var batch []db.Statement
	if jump < 0 {
		for _, sql := range []string{
			sqlBackMail, sqlBackReplies, sqlBackReminders, sqlBackTurns, sqlBackCodes, sqlBackHooks, sqlBackHookLease, sqlBackPlans, sqlBackStagings,
			sqlBackSeen, sqlBackCreated, sqlBackStepped, sqlBackUsers, sqlBackFailures, sqlBackReveals, sqlBackStandings, sqlBackLog,
		} {
			batch = append(batch, db.Statement{SQL: sql, Args: []any{ms(now)}})
		}
		batch = append(batch, db.Statement{SQL: sqlBackDays, Args: []any{ms(now.Add(-campaign.KeepAfter))}})
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		counts, err := tx.Send(ctx, batch)
		if err != nil {
			return fmt.Errorf("store: bring back what a clock wrote that ran ahead: %w", err)
		}
		n = 0
		for _, c := range counts {
			n += c
		}
		return s.trail(ctx, tx, tianbao.Event{At: now, What: "clock.set", Detail: fmt.Sprintf("by=%s back=%d", jump.Round(time.Second), n)})
	})
	return n, err
}
