package store

import (
	"context"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

const (
	sqlHash       = `SELECT p.hash FROM app_user p WHERE p.id = $1`
	sqlPasswordAt = `UPDATE app_user SET password_at = $1 WHERE id = $2`
	sqlKeepHash   = `INSERT INTO password_past (user_id, id, hash) VALUES ($1, $2, $3)`
	sqlPastHashes = `SELECT h.hash FROM password_past h WHERE h.user_id = $1 ORDER BY h.id DESC`
	sqlPastIDs    = `SELECT h.id FROM password_past h WHERE h.user_id = $1 ORDER BY h.id DESC`
	sqlDropPast   = `DELETE FROM password_past WHERE user_id = $1 AND id <= $2`
)

// SetPassword implements auth.Store.
func (s *Store) SetPassword(ctx context.Context, user tianbao.ID, hash string, keep int, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.setPassword(ctx, tx, user, false, hash, keep, s.now()); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// Repair implements auth.Store.
func (s *Store) Repair(ctx context.Context, user tianbao.ID, hash string, keep int, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.setPassword(ctx, tx, user, true, hash, keep, s.now()); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

func (s *Store) setPassword(ctx context.Context, tx db.Tx, user tianbao.ID, repair bool, hash string, keep int, at time.Time) error {
	err := s.amend(ctx, tx, user, repair, func(u *storedUser) error {
		before := u.hash // none of an altered account
		u.hash = hash
		if repair {
			u.user.Disabled = false
		}
		if before == "" {
			return nil
		}
		_, err := tx.Exec(ctx, sqlKeepHash, user, s.id(), before)
		return err
	})
	if err != nil {
		return err
	}
	_, err = tx.Send(ctx, []db.Statement{
		{SQL: sqlPasswordAt, Args: []any{ms(at), user}},
		{SQL: sqlEndSessions, Args: []any{user}},
	})
	if err != nil {
		return err
	}
	past, err := db.Collect(ctx, tx, scanID, sqlPastIDs, user)
	if err == nil && len(past) > keep {
		_, err = tx.Exec(ctx, sqlDropPast, user, past[keep])
	}
	return err
}

// Rehash implements auth.Store.
func (s *Store) Rehash(ctx context.Context, user tianbao.ID, hash string) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		return s.amend(ctx, tx, user, false, func(u *storedUser) error {
			u.hash = hash
			return nil
		})
	})
}

// PasswordHashes implements auth.Store.
func (s *Store) PasswordHashes(ctx context.Context, user tianbao.ID) ([]string, error) {
	var hashes []string
	err := s.db.Read(ctx, func(q db.Queryer) error {
		var now string
		if err := one(ctx, q, []any{&now}, sqlHash, user); err != nil {
			return err
		}
		past, err := db.Collect(ctx, q, scanText, sqlPastHashes, user)
		hashes = append([]string{now}, past...)
		return err
	})
	return hashes, err
}

func scanText(scan db.Scan) (t string, err error) {
	err = scan(&t)
	return t, err
}

func scanID(scan db.Scan) (id tianbao.ID, err error) {
	err = scan(&id)
	return id, err
}
