package store

import (
	"context"
	"errors"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
)

const (
	sqlSessions   = `SELECT ` + sessionColumns + ` FROM session s WHERE s.user_id = $1 ORDER BY s.created DESC, s.id DESC`
	sqlEndSession = `DELETE FROM session WHERE user_id = $1 AND id = $2`
	sqlEndOthers  = `DELETE FROM session WHERE user_id = $1 AND id <> $2`
	sqlStepUp     = `UPDATE session SET token_hash = $1, stepped = $2 WHERE token_hash = $3`
)

// endOldest ends the user's sessions beyond the newest most; 0: none.
func endOldest(ctx context.Context, tx db.Tx, user tianbao.ID, most int) error {
	if most <= 0 {
		return nil
	}
	all, err := db.Collect(ctx, tx, scanSession, sqlSessions, user)
	if err != nil {
		return err
	}
	for i := most; i < len(all); i++ {
		if _, err := tx.Exec(ctx, sqlEndSession, user, all[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// Sessions implements auth.Store.
func (s *Store) Sessions(ctx context.Context, user tianbao.ID) ([]auth.Session, error) {
	return db.Collect(ctx, s.db, scanSession, sqlSessions, user)
}

// EndSession implements auth.Store.
func (s *Store) EndSession(ctx context.Context, user, session tianbao.ID, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlEndSession, user, session)
		if err == nil && n == 0 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// EndSessions implements auth.Store.
func (s *Store) EndSessions(ctx context.Context, user, except tianbao.ID, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlEndOthers, user, except); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// StepUp implements auth.Store. A session that has ended stays ended.
func (s *Store) StepUp(ctx context.Context, old, tokenHash []byte, at time.Time) error {
	n, err := s.exec(ctx, sqlStepUp, tokenHash, ms(at), old)
	if err == nil && n == 0 {
		err = auth.SignedOut()
	}
	return err
}

const sqlDormant = `SELECT p.id FROM app_user p
 WHERE p.disabled = $1 AND p.last_seen < $2 AND p.created < $2 AND p.enabled_at < $2 ORDER BY p.id LIMIT $3`

// SetDormant implements auth.Store, some hundred accounts a transaction. Altered accounts
// are left to who looks after them: they are of no use to anybody.
func (s *Store) SetDormant(ctx context.Context, since time.Time, event tianbao.Event) (all []tianbao.ID, err error) {
	const batch = 200
	awake := errors.New("it was used in between")
	for {
		var done []tianbao.ID
		err := s.db.Tx(ctx, func(tx db.Tx) error {
			done = done[:0]
			ids, err := db.Collect(ctx, tx, scanID, sqlDormant, false, ms(since), batch)
			if err != nil {
				return err
			}
			var events []tianbao.Event
			for _, id := range ids {
				err := s.amend(ctx, tx, id, false, func(u *storedUser) error {
					if u.user.Disabled || !u.user.LastSeen.Before(since) {
						return awake
					}
					u.user.Disabled = true
					return nil
				})
				if errors.Is(err, awake) || tianbao.KindOf(err) == tianbao.ErrConflict && err != nil {
					continue
				}
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, sqlEndSessions, id); err != nil {
					return err
				}
				e := event
				e.Object = id.String()
				events, done = append(events, e), append(done, id)
			}
			return s.trail(ctx, tx, events...)
		})
		if err != nil {
			return all, err
		}
		if all = append(all, done...); len(done) < batch {
			return all, nil
		}
	}
}

const sqlEndAll = `DELETE FROM session`

// Restored notes that the database came out of a backup. It ends all sessions, which are
// those of the day of the backup: whoever was signed in then, or was thrown out since,
// signs in again.
func (s *Store) Restored(ctx context.Context, e tianbao.Event) error {
	e.What = "database.restore"
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlEndAll); err != nil {
			return err
		}
		return s.trail(ctx, tx, e)
	})
}
