package store

import (
	"context"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
)

const sqlLoginsTaken = `SELECT p.login_key FROM app_user p WHERE p.login_key IN LIST`

// LoginsTaken implements auth.BatchStore.
func (s *Store) LoginsTaken(ctx context.Context, logins []string) ([]bool, error) {
	keys := make([][]byte, len(logins))
	for i, l := range logins {
		keys[i] = s.loginKey(l)
	}
	met := make(map[string]bool)
	err := listed(sqlLoginsTaken, keys, nil, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var k []byte
			err := scan(&k)
			met[string(k)] = true
			return err
		}, sql, args...)
	})
	taken := make([]bool, len(logins))
	for i := range keys {
		taken[i] = met[string(keys[i])]
	}
	return taken, err
}

// CreateActivated implements auth.BatchStore. No password is no hash: such an account is
// to a sign-in like one that is not there.
func (s *Store) CreateActivated(ctx context.Context, by tianbao.ID, users []tianbao.User, as []auth.Activation, events ...tianbao.Event) error {
	codes := s.activations(by, as)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		for i := range users {
			if err := s.insertUser(ctx, tx, &users[i], ""); err != nil {
				return err
			}
		}
		if _, err := tx.Send(ctx, codes); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
