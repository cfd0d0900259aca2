package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

const (
	sqlInsertCertificate = `INSERT INTO certificate (id, campaign_id, unit_id, number, unit_name, at, by_id, expected, done, digest, body)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	sqlCertificate  = `SELECT x.digest, x.body FROM certificate x JOIN unit u ON u.id = x.unit_id WHERE x.id = $1 AND SCOPE(u.path)`
	sqlCertificates = `SELECT x.id, x.unit_id, x.unit_name, x.number, x.at, x.expected, x.done
 FROM certificate x JOIN unit u ON u.id = x.unit_id WHERE x.campaign_id = $1 AND SCOPE(u.path) ORDER BY x.id DESC LIMIT $2`
	sqlPulse = `SELECT c.version, COALESCE((SELECT MAX(l.id) FROM unit_status_log l WHERE l.campaign_id = c.id), 0),
 COALESCE((SELECT v.version FROM register_version v WHERE v.id = 1), 0) FROM campaign c WHERE c.id = $1`
)

// maxCertificate bounds what a stored certificate unpacks to.
const maxCertificate = 256 << 20

// PutCertificate implements campaign.CertificateStore.
func (s *Store) PutCertificate(ctx context.Context, c *campaign.Certificate, by tianbao.ID, events ...tianbao.Event) error {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := z.Write(c.Text()); err != nil {
		return fmt.Errorf("store: pack a certificate: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("store: pack a certificate: %w", err)
	}
	h := c.Head()
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlInsertCertificate, c.ID, c.Campaign, c.Unit, c.Number, c.UnitName, ms(c.At), by, h.Expected, h.Done, c.Digest, body.Bytes()); err != nil {
			return fmt.Errorf("store: keep a certificate: %w", err)
		}
		return s.trail(ctx, tx, events...)
	})
}

// Certificate implements campaign.CertificateStore.
func (s *Store) Certificate(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (*campaign.Certificate, error) {
	type stored struct {
		digest string
		body   []byte
	}
	sql, args := within(sqlCertificate, scope, id)
	v, err := first(ctx, s.db, func(scan db.Scan) (v stored, err error) {
		err = scan(&v.digest, &v.body)
		return v, err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(v.body))
	if err != nil {
		return nil, fmt.Errorf("store: unpack certificate %s: %w", id, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxCertificate))
	if err != nil {
		return nil, fmt.Errorf("store: unpack certificate %s: %w", id, err)
	}
	if campaign.DigestOf(text) != v.digest {
		return nil, fmt.Errorf("store: certificate %s is not what was handed out", id)
	}
	return campaign.ParseCertificate(text)
}

// Certificates implements campaign.CertificateStore.
func (s *Store) Certificates(ctx context.Context, scope tianbao.Scope, of tianbao.ID, limit int) ([]campaign.CertificateHead, error) {
	sql, args := within(sqlCertificates, scope, of, max(limit, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (h campaign.CertificateHead, err error) {
		var at int64
		err = scan(&h.ID, &h.Unit, &h.UnitName, &h.Number, &at, &h.Expected, &h.Done)
		h.At = when(at)
		return h, err
	}, sql, args...)
}

// Pulse implements campaign.Store.
func (s *Store) Pulse(ctx context.Context, id tianbao.ID) (campaign.Pulse, error) {
	return first(ctx, s.db, func(scan db.Scan) (p campaign.Pulse, err error) {
		err = scan(&p.Rules, &p.Last, &p.Register)
		return p, err
	}, sqlPulse, id)
}
