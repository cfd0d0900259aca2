package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

// The Put methods store what set-up, demo and administration bring: each updates
// the thing with the same id, or inserts it.

const (
	sqlUpdateRegion = `UPDATE region SET parent = $1, code = $2, name = $3, in_scope = $4, fiscal = $5 WHERE id = $6`
	sqlInsertRegion = `INSERT INTO region (parent, code, name, in_scope, fiscal, id) VALUES ($1, $2, $3, $4, $5, $6)`
	sqlRegions      = `SELECT id, parent, code, name, in_scope, fiscal FROM region ORDER BY code, id`
)

// PutRegions stores regions.
func (s *Store) PutRegions(ctx context.Context, regions ...tianbao.Region) error {
	defer s.forgetPlans() // they know what lies in what
	return s.db.Tx(ctx, func(tx db.Tx) error {
		for _, r := range regions {
			if err := upsert(ctx, tx, sqlUpdateRegion, sqlInsertRegion, r.Parent, r.Code, r.Name, r.InScope, r.Fiscal, r.ID); err != nil {
				return fmt.Errorf("store: put region %s: %w", r.ID, err)
			}
		}
		return nil
	})
}

// Regions returns all regions by code.
func (s *Store) Regions(ctx context.Context) ([]tianbao.Region, error) {
	return db.Collect(ctx, s.db, scanRegion, sqlRegions)
}

func scanRegion(scan db.Scan) (r tianbao.Region, err error) {
	err = scan(&r.ID, &r.Parent, &r.Code, &r.Name, &r.InScope, &r.Fiscal)
	return r, err
}

const (
	sqlUnitPath   = `SELECT path FROM unit WHERE id = $1`
	sqlUpdateUnit = `UPDATE unit SET parent = $1, region_id = $2, path = $3, name = $4, budget_code = $5, org_code = $6,
 type = $7, kind = $8, search = $9 WHERE id = $10`
	sqlInsertUnit = `INSERT INTO unit (parent, region_id, path, name, budget_code, org_code, type, kind, search, id)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	sqlMoveBelow = `UPDATE unit SET path = $1 || substr(path, $2) WHERE path >= $3 AND path < $4`
)

// PutUnits stores units, parents before their children, without keeping what they were
// ([Store.ChangeRegister] does). The path follows from the
// parent; a unit that moves takes what is below it along.
func (s *Store) PutUnits(ctx context.Context, units ...tianbao.Unit) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		for i := range units {
			if err := s.putUnit(ctx, tx, &units[i]); err != nil {
				return fmt.Errorf("store: put unit %s: %w", units[i].ID, err)
			}
		}
		_, err := tx.Exec(ctx, sqlTouchRegister)
		return err
	})
}

func (s *Store) putUnit(ctx context.Context, tx db.Tx, u *tianbao.Unit) error {
	parent, old := "/", ""
	if u.Parent != 0 {
		if err := one(ctx, tx, []any{&parent}, sqlUnitPath, u.Parent); err != nil {
			return fmt.Errorf("parent: %w", err)
		}
	}
	path := parent + u.ID.String() + "/"
	if err := tx.One(ctx, []any{&old}, sqlUnitPath, u.ID); err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	if old != "" && old != path {
		if strings.HasPrefix(path, old) {
			return tianbao.Invalid("unit_cycle", "单位不能移到自己的下级单位之下，请另选上级单位。")
		}
		if _, err := tx.Exec(ctx, sqlMoveBelow, path, len(old)+1, old, old+"~"); err != nil {
			return err
		}
	}
	return upsert(ctx, tx, sqlUpdateUnit, sqlInsertUnit,
		u.Parent, u.Region, path, u.Name, u.BudgetCode, u.OrgCode, u.Type, u.Kind, s.searchText(u), u.ID)
}

const (
	sqlHasAlias    = `SELECT unit_id FROM unit_alias WHERE field = $1 AND value = $2 AND unit_id = $3`
	sqlInsertAlias = `INSERT INTO unit_alias (field, value, unit_id) VALUES ($1, $2, $3)`
)

// PutUnitAlias lets a unit be found by another value of a field (org_code,
// budget_code or unit_name).
func (s *Store) PutUnitAlias(ctx context.Context, unit tianbao.ID, field, value string) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		err := tx.One(ctx, []any{new(int64)}, sqlHasAlias, field, value, unit)
		if errors.Is(err, db.ErrNoRows) {
			if _, err = tx.Exec(ctx, sqlInsertAlias, field, value, unit); err == nil {
				_, err = tx.Exec(ctx, sqlTouchRegister)
			}
		}
		return err
	})
}

const (
	sqlFormDefinition = `SELECT definition FROM form WHERE name = $1 AND version = $2`
	sqlInsertForm     = `INSERT INTO form (name, version, definition, published_at) VALUES ($1, $2, $3, $4)`
)

// PutForm stores a published form. A published version never changes: the same
// definition again is no error, another one is.
func (s *Store) PutForm(ctx context.Context, name string, version int, definition []byte, published time.Time) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var stored []byte
		err := tx.One(ctx, []any{&stored}, sqlFormDefinition, name, version)
		if errors.Is(err, db.ErrNoRows) {
			_, err = tx.Exec(ctx, sqlInsertForm, name, version, definition, ms(published))
			return err
		}
		if err == nil && !bytes.Equal(stored, definition) {
			return &tianbao.Error{
				Kind: tianbao.ErrConflict, Code: "form_published",
				Message: fmt.Sprintf("表单 %s 的第 %d 版已经发布，内容不能再改；请发布新的一版。", name, version),
			}
		}
		return err
	})
}

const (
	sqlUpdateCampaign = `UPDATE campaign SET title = $1, form = $2, form_version = $3, opens = $4, closes = $5, released = $6,
 owner_id = $7, notice_id = $8, version = $9, opened = $10, ended = $11, archived = $12, levels = $13, kept = $14, accepts = $15, prefill_id = $16 WHERE id = $17`
)

// PutCampaign stores a campaign without its rules. One that is released and does not say
// since when is released since it opens.
func (s *Store) PutCampaign(ctx context.Context, c tianbao.Campaign) error {
	if c.Released && c.Opened.IsZero() {
		c.Opened = c.Opens
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		return upsert(ctx, tx, sqlUpdateCampaign, sqlNewCollection,
			c.Title, c.Form, c.FormV, ms(c.Opens), ms(c.Closes), c.Released, c.Owner, c.Notice, s.id(),
			ms(c.Opened), ms(c.Ended), ms(c.Archived), c.Levels, ms(c.Kept), c.Accepts, c.Prefill, c.ID)
	})
}
