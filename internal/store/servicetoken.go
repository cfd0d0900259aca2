package store

import (
	"context"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
)

const (
	sqlInsertToken = `INSERT INTO service_token (id, k, name, verbs, unit_id, by_id, created, expires, ended, used, mac)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	tokenColumns = `t.id, t.k, t.name, t.verbs, t.unit_id, t.by_id, t.created, t.expires, t.ended, t.used, t.mac,
 COALESCE(u.path, ''), COALESCE(u.name, ''), COALESCE(p.name, '')
 FROM service_token t LEFT JOIN unit u ON u.id = t.unit_id LEFT JOIN app_user p ON p.id = t.by_id`
	sqlTokenByKey = `SELECT ` + tokenColumns + ` WHERE t.k = $1`
	sqlTokenByID  = `SELECT ` + tokenColumns + ` WHERE t.id = $1`
	sqlTokens     = `SELECT ` + tokenColumns + ` ORDER BY t.id DESC LIMIT $1`
	sqlAllTokens  = `SELECT ` + tokenColumns + ` ORDER BY t.id`
	sqlLockToken  = `UPDATE service_token SET used = used WHERE id = $1`
	sqlEndToken   = `UPDATE service_token SET ended = $1, mac = $2 WHERE id = $3`
	sqlTouchToken = `UPDATE service_token SET used = $1 WHERE id = $2 AND used < $1`
)

// storedToken is a token with its hash and digest.
type storedToken struct {
	auth.ServiceToken
	k   []byte
	mac string
}

func verbText(vs []auth.Verb) string {
	var b strings.Builder
	for i, v := range vs {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(v))
	}
	return b.String()
}

// tokenMAC is the digest of what a row says; when it was used is no right.
func (s *Store) tokenMAC(t *storedToken) string {
	return s.digestOf("service_token", int64(t.ID), t.k, t.Name, verbText(t.Verbs), int64(t.Unit), int64(t.By), ms(t.Created), ms(t.Expires), ms(t.Ended))
}

// scanToken reads a token and holds it against its digest.
func (s *Store) scanToken(scan db.Scan) (t storedToken, err error) {
	var verbs string
	var created, expires, ended, used int64
	err = scan(&t.ID, &t.k, &t.Name, &verbs, &t.Unit, &t.By, &created, &expires, &ended, &used, &t.mac, &t.UnitPath, &t.UnitName, &t.ByName)
	t.Created, t.Expires, t.Ended, t.Used = when(created), when(expires), when(ended), when(used)
	for v := range strings.SplitSeq(verbs, "\n") {
		t.Verbs = append(t.Verbs, auth.Verb(v))
	}
	t.Altered = !sameMAC(t.mac, s.tokenMAC(&t))
	return t, err
}

// PutServiceToken implements auth.Store.
func (s *Store) PutServiceToken(ctx context.Context, t auth.ServiceToken, hash []byte, events ...tianbao.Event) error {
	mac := s.tokenMAC(&storedToken{ServiceToken: t, k: hash})
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlInsertToken, t.ID, hash, t.Name, verbText(t.Verbs), t.Unit, t.By, ms(t.Created), ms(t.Expires), ms(t.Ended), ms(t.Used), mac)
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// ServiceToken implements auth.Store.
func (s *Store) ServiceToken(ctx context.Context, hash []byte) (auth.ServiceToken, error) {
	t, err := first(ctx, s.db, s.scanToken, sqlTokenByKey, hash)
	return t.ServiceToken, err
}

// ServiceTokens implements auth.Store.
func (s *Store) ServiceTokens(ctx context.Context, limit int) ([]auth.ServiceToken, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (auth.ServiceToken, error) {
		t, err := s.scanToken(scan)
		return t.ServiceToken, err
	}, sqlTokens, max(limit, 0))
}

// EndServiceToken implements auth.Store. One that was altered ends too: it had no power.
func (s *Store) EndServiceToken(ctx context.Context, id tianbao.ID, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockToken, id); err != nil {
			return err
		}
		t, err := first(ctx, tx, s.scanToken, sqlTokenByID, id)
		if err != nil {
			return err
		}
		if !t.Ended.IsZero() && !t.Altered {
			return tianbao.NotFound()
		}
		t.Ended = time.UnixMilli(ms(at))
		if _, err := tx.Exec(ctx, sqlEndToken, ms(at), s.tokenMAC(&t), id); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// TouchServiceToken implements auth.Store.
func (s *Store) TouchServiceToken(ctx context.Context, id tianbao.ID, at time.Time) error {
	_, err := s.exec(ctx, sqlTouchToken, ms(at), id)
	return err
}
