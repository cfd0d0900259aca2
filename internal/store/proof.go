package store

import (
	"context"
	"fmt"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// Files that come with 零申报 and 免报, and the list of these.

const (
	sqlInsertProof = `INSERT INTO unit_proof (id, campaign_id, type, size, name, data) VALUES ($1, $2, $3, $4, $5, $6)`
	sqlProof       = `SELECT f.id, f.type, f.name, f.data FROM unit_declaration d JOIN unit_proof f ON f.id = d.attachment_id
 WHERE d.campaign_id = $1 AND d.unit_id = $2 AND d.ended = 0 ORDER BY d.id DESC`
	sqlDeclarations = `SELECT u.id, u.path, u.name, u.kind, u.region_id, d.id, d.kind, d.reason, d.attachment_id, d.by_id, d.at, COALESCE(p.name, '')
 FROM unit_declaration d JOIN unit u ON u.id = d.unit_id LEFT JOIN app_user p ON p.id = d.by_id
 WHERE d.campaign_id = $1 AND d.ended = 0 AND SCOPE(u.path) ORDER BY u.path LIMIT $2`
)

func proofPlace(column string, id tianbao.ID) []byte {
	return seal.Place("unit_proof", column, id.String())
}

// insertProof keeps the file of a declaration.
func (s *Store) insertProof(d *tianbao.Declaration) db.Statement {
	p, id := d.Proof, d.Attachment
	return db.Statement{SQL: sqlInsertProof, Args: []any{
		id, d.Campaign, p.Type, len(p.Data), s.ring.Seal(nil, []byte(p.Name), proofPlace("name", id)), s.ring.Seal(nil, p.Data, proofPlace("data", id)),
	}}
}

// Proof implements campaign.Store.
func (s *Store) Proof(ctx context.Context, collection, unit tianbao.ID, e tianbao.Event) (tianbao.Proof, error) {
	var p tianbao.Proof
	var id tianbao.ID
	var name, data []byte
	if err := one(ctx, s.db, []any{&id, &p.Type, &name, &data}, sqlProof, collection, unit); err != nil {
		return p, err
	}
	if len(data) == 0 {
		return p, tianbao.NotFound() // it was erased
	}
	plain, err := s.ring.Open(nil, name, proofPlace("name", id))
	if err != nil {
		return p, fmt.Errorf("store: open the name of proof %s: %w", id, err)
	}
	p.Name = string(plain)
	if p.Data, err = s.ring.Open(nil, data, proofPlace("data", id)); err != nil {
		return p, fmt.Errorf("store: open proof %s: %w", id, err)
	}
	return p, s.db.Tx(ctx, func(tx db.Tx) error { return s.trail(ctx, tx, e) })
}

// Declarations implements campaign.Store.
func (s *Store) Declarations(ctx context.Context, scope tianbao.Scope, id tianbao.ID, limit int) ([]campaign.Declared, error) {
	sql, args := within(sqlDeclarations, scope, id, max(limit, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (d campaign.Declared, err error) {
		var at int64
		var reason []byte
		u := &d.Unit
		d.Campaign = id
		err = scan(&u.ID, &u.Path, &u.Name, &u.Kind, &u.Region, &d.ID, &d.Kind, &reason, &d.Attachment, &d.By, &at, &d.ByName)
		if err != nil {
			return d, err
		}
		d.Declaration.Unit, d.At = u.ID, when(at)
		if d.Reason, err = s.openText(reason, declarationPlace(d.ID)); err != nil {
			return d, fmt.Errorf("store: open the reason of declaration %s: %w", d.ID, err)
		}
		return d, nil
	}, sql, args...)
}
