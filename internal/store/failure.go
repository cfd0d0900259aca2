package store

import (
	"context"
	"time"

	"tianbao/internal/db"
)

const (
	sqlInsertFailure = `INSERT INTO failure (k, id, at) VALUES ($1, $2, $3)`
	sqlOldFailures   = `DELETE FROM failure WHERE at < $1`
	sqlCountFailures = `SELECT COUNT(*) FROM failure WHERE k = $1 AND at >= $2`
	sqlClearFailures = `DELETE FROM failure WHERE k = $1`
)

// failureKey hides accounts and addresses: what people type into the login field
// may be anything.
func (s *Store) failureKey(key string) []byte { return s.ring.Index("failure", key) }

// AddFailure implements auth.Store. It counts after its own failure is stored for
// good, so that of many guesses at once none sees fewer than have been made.
func (s *Store) AddFailure(ctx context.Context, keys []string, at, since time.Time) ([]int, error) {
	batch := []db.Statement{{SQL: sqlOldFailures, Args: []any{ms(since)}}}
	for _, k := range keys {
		batch = append(batch, db.Statement{SQL: sqlInsertFailure, Args: []any{s.failureKey(k), s.id(), ms(at)}})
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, batch)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Failures(ctx, keys, since)
}

// Failures implements auth.Store.
func (s *Store) Failures(ctx context.Context, keys []string, since time.Time) ([]int, error) {
	counts := make([]int, len(keys))
	for i, k := range keys {
		if err := s.db.One(ctx, []any{&counts[i]}, sqlCountFailures, s.failureKey(k), ms(since)); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// ClearFailures implements auth.Store.
func (s *Store) ClearFailures(ctx context.Context, key string) error {
	_, err := s.exec(ctx, sqlClearFailures, s.failureKey(key))
	return err
}
