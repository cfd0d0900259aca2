package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
)

const (
	sqlInsertSession = `INSERT INTO session (token_hash, user_id, created, seen, address) VALUES ($1, $2, $3, $4, $5)`
	sqlUserSeen      = `UPDATE app_user SET last_seen = $1 WHERE id = $2 AND last_seen < $1`
	sqlSession       = `SELECT s.user_id, s.created, s.seen, s.address FROM session s WHERE s.token_hash = $1`
	sqlUserByID      = `SELECT ` + userColumns + ` FROM app_user p WHERE p.id = $1`
	sqlTouchSession  = `UPDATE session SET seen = $1 WHERE token_hash = $2`
	sqlTouchUser     = `UPDATE app_user SET last_seen = $1
 WHERE last_seen < $1 AND id IN (SELECT s.user_id FROM session s WHERE s.token_hash = $2)`
	sqlDropSession = `DELETE FROM session WHERE token_hash = $1`
)

// sqlDropOldSessions removes the user's sessions that ended by time and that nobody
// asked for again.
const sqlDropOldSessions = `DELETE FROM session WHERE user_id = $1 AND created < $2`

// PutSession implements auth.Store. It also drops the user's sessions that are
// older than any may be.
func (s *Store) PutSession(ctx context.Context, v auth.Session, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlInsertSession, Args: []any{v.TokenHash, v.User, ms(v.Created), ms(v.Seen), v.Address}},
			{SQL: sqlUserSeen, Args: []any{ms(v.Seen), v.User}},
			{SQL: sqlDropOldSessions, Args: []any{v.User, ms(v.Created.Add(-auth.AbsoluteLimit))}},
		})
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// Session implements auth.Store.
func (s *Store) Session(ctx context.Context, tokenHash []byte) (auth.Session, tianbao.User, error) {
	v := auth.Session{TokenHash: tokenHash}
	var u storedUser
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		var created, seen int64
		if err := one(ctx, q, []any{&v.User, &created, &seen, &v.Address}, sqlSession, tokenHash); err != nil {
			return err
		}
		v.Created, v.Seen = when(created), when(seen)
		if u, err = first(ctx, q, scanUser, sqlUserByID, v.User); err != nil {
			return err
		}
		s.checked(&u)
		return s.withGrants(ctx, q, &u)
	})
	if err == nil {
		err = s.openUser(&u)
	}
	if err != nil {
		return auth.Session{}, tianbao.User{}, err
	}
	return v, u.user, nil
}

// TouchSession implements auth.Store. Touching a session that has ended is no
// error; it stays ended.
func (s *Store) TouchSession(ctx context.Context, tokenHash []byte, at time.Time) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlTouchSession, Args: []any{ms(at), tokenHash}},
			{SQL: sqlTouchUser, Args: []any{ms(at), tokenHash}},
		})
		return err
	})
}

// DropSession implements auth.Store.
func (s *Store) DropSession(ctx context.Context, tokenHash []byte, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlDropSession, tokenHash); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

const (
	sqlPutSetup   = `UPDATE setup_token SET token_hash = $1, expires = $2 WHERE id = $3`
	sqlCheckSetup = `SELECT id FROM setup_token WHERE token_hash = $1 AND expires > $2`
)

// setupRow is the row of an office's set-up link.
func setupRow(office tianbao.Role) int64 {
	return int64(slices.Index(tianbao.Offices(), office) + 1)
}

// PutSetupToken implements auth.Store.
func (s *Store) PutSetupToken(ctx context.Context, office tianbao.Role, tokenHash []byte, expires time.Time) error {
	_, err := s.exec(ctx, sqlPutSetup, tokenHash, ms(expires), setupRow(office))
	return err
}

// CheckSetupToken implements auth.Store. The empty hash stands for no token and is
// never right.
func (s *Store) CheckSetupToken(ctx context.Context, tokenHash []byte, now time.Time) (tianbao.Role, error) {
	if len(tokenHash) == 0 {
		return "", nil
	}
	var id int64
	err := s.db.One(ctx, []any{&id}, sqlCheckSetup, tokenHash, ms(now))
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	offices := tianbao.Offices()
	if err != nil || id < 1 || int(id) > len(offices) {
		return "", err
	}
	return offices[id-1], nil
}

// DropSetupToken implements auth.Store.
func (s *Store) DropSetupToken(ctx context.Context, office tianbao.Role) error {
	_, err := s.exec(ctx, sqlPutSetup, []byte{}, 0, setupRow(office))
	return err
}
