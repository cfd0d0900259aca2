package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// The secret of an authenticator is sealed in its place: in another row it opens
// nothing.
func secretPlace(factor tianbao.ID) []byte { return seal.Place("factor", "secret", factor.String()) }

func (s *Store) recoveryKey(user tianbao.ID, code string) []byte {
	return s.ring.Index("recovery_code", user.String()+"\x00"+code)
}

const (
	sqlFactor = `SELECT f.id, f.user_id, f.secret, f.created, f.confirmed, f.used FROM factor f
 WHERE f.user_id = $1 AND (f.confirmed > 0) = $2`
	sqlInsertFactor  = `INSERT INTO factor (id, user_id, secret, created, confirmed, used) VALUES ($1, $2, $3, $4, 0, 0)`
	sqlDropOpen      = `DELETE FROM factor WHERE user_id = $1 AND confirmed = 0`
	sqlDropOther     = `DELETE FROM factor WHERE user_id = $1 AND id <> $2`
	sqlConfirm       = `UPDATE factor SET confirmed = $1, used = $2 WHERE id = $3 AND confirmed = 0`
	sqlUseStep       = `UPDATE factor SET used = $1 WHERE id = $2 AND used < $1 AND confirmed > 0`
	sqlDropFactors   = `DELETE FROM factor WHERE user_id = $1`
	sqlInsertCode    = `INSERT INTO recovery_code (user_id, k) VALUES ($1, $2)`
	sqlUseCode       = `DELETE FROM recovery_code WHERE user_id = $1 AND k = $2`
	sqlDropCodes     = `DELETE FROM recovery_code WHERE user_id = $1`
	sqlCountRecovery = `SELECT COUNT(*) FROM recovery_code WHERE user_id = $1`
)

// Factor implements auth.FactorStore.
func (s *Store) Factor(ctx context.Context, user tianbao.ID, confirmed bool) (auth.Factor, error) {
	var created, at int64
	var f auth.Factor
	var sealed []byte
	err := one(ctx, s.db, []any{&f.ID, &f.User, &sealed, &created, &at, &f.Used}, sqlFactor, user, confirmed)
	if err != nil {
		return auth.Factor{}, err
	}
	f.Created, f.Confirmed = when(created), when(at)
	if f.Secret, err = s.ring.Open(nil, sealed, secretPlace(f.ID)); err != nil {
		return auth.Factor{}, fmt.Errorf("store: open the second factor of user %s: %w", user, err)
	}
	return f, nil
}

// PutFactor implements auth.FactorStore.
func (s *Store) PutFactor(ctx context.Context, f auth.Factor) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlDropOpen, Args: []any{f.User}},
			{SQL: sqlInsertFactor, Args: []any{f.ID, f.User, s.ring.Seal(nil, f.Secret, secretPlace(f.ID)), ms(f.Created)}},
		})
		return err
	})
}

// ConfirmFactor implements auth.FactorStore.
func (s *Store) ConfirmFactor(ctx context.Context, f auth.Factor, step int64, codes []string, session tianbao.ID, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlConfirm, ms(at), step, f.ID)
		if err == nil && n == 0 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		_, err = tx.Send(ctx, []db.Statement{
			{SQL: sqlDropOther, Args: []any{f.User, f.ID}},
			{SQL: sqlEndOthers, Args: []any{f.User, session}},
		})
		if err != nil {
			return err
		}
		return s.putRecovery(ctx, tx, f.User, codes, events)
	})
}

func (s *Store) putRecovery(ctx context.Context, tx db.Tx, user tianbao.ID, codes []string, events []tianbao.Event) error {
	batch := []db.Statement{{SQL: sqlDropCodes, Args: []any{user}}}
	for _, c := range codes {
		batch = append(batch, db.Statement{SQL: sqlInsertCode, Args: []any{user, s.recoveryKey(user, auth.PlainCode(c))}})
	}
	if _, err := tx.Send(ctx, batch); err != nil {
		return err
	}
	return s.trail(ctx, tx, events...)
}

// UseStep implements auth.FactorStore.
func (s *Store) UseStep(ctx context.Context, factor tianbao.ID, step int64, events ...tianbao.Event) (bool, error) {
	return s.use(ctx, events, sqlUseStep, step, factor)
}

// UseRecovery implements auth.FactorStore.
func (s *Store) UseRecovery(ctx context.Context, user tianbao.ID, code string, events ...tianbao.Event) (bool, error) {
	return s.use(ctx, events, sqlUseCode, user, s.recoveryKey(user, code))
}

// use executes what uses something up; the events tell of it if it was there.
func (s *Store) use(ctx context.Context, events []tianbao.Event, sql string, args ...any) (used bool, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sql, args...)
		if used = n > 0; err != nil || !used {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
	return used && err == nil, err
}

// PutRecovery implements auth.FactorStore.
func (s *Store) PutRecovery(ctx context.Context, user tianbao.ID, codes []string, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error { return s.putRecovery(ctx, tx, user, codes, events) })
}

// RecoveryLeft implements auth.FactorStore.
func (s *Store) RecoveryLeft(ctx context.Context, user tianbao.ID) (n int, err error) {
	err = s.db.One(ctx, []any{&n}, sqlCountRecovery, user)
	return n, err
}

// DropFactor implements auth.FactorStore.
func (s *Store) DropFactor(ctx context.Context, user tianbao.ID, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		counts, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlDropFactors, Args: []any{user}},
			{SQL: sqlDropKeys, Args: []any{user}},
			{SQL: sqlDropCodes, Args: []any{user}},
			{SQL: sqlEndSessions, Args: []any{user}},
		})
		if err == nil && counts[0]+counts[1] == 0 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
