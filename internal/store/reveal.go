package store

import (
	"context"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

const (
	sqlOldReveals   = `DELETE FROM reveal WHERE user_id = $1 AND at <= $2`
	sqlInsertReveal = `INSERT INTO reveal (user_id, id, at) VALUES ($1, $2, $3)`
	sqlCountReveals = `SELECT COUNT(*), COALESCE(MIN(v.at), 0) FROM reveal v WHERE v.user_id = $1`
)

// Reveal implements web.Reveals. Its own reveal is counted too and taken back when it
// is one too many; that it was refused is on the trail then.
func (s *Store) Reveal(ctx context.Context, limit int, window time.Duration, e tianbao.Event) (wait time.Duration, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var n int
		var oldest int64
		wait = 0
		if _, err := tx.Exec(ctx, sqlOldReveals, e.Actor, ms(e.At.Add(-window))); err != nil {
			return err
		}
		if err := tx.One(ctx, []any{&n, &oldest}, sqlCountReveals, e.Actor); err != nil {
			return err
		}
		event := e
		if n >= limit {
			wait = max(when(oldest).Add(window).Sub(e.At), time.Second)
			event.Result = tianbao.ResultDenied
		} else if _, err := tx.Exec(ctx, sqlInsertReveal, e.Actor, s.id(), ms(e.At)); err != nil {
			return err
		}
		return s.trail(ctx, tx, event)
	})
	return wait, err
}
