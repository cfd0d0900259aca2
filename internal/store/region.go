package store

import (
	"context"
	"fmt"
	"strconv"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/ident"
)

// zoneID is the id of the region without a national code, 沈抚改革创新示范区: no code of
// GB/T 2260 is like it, as counties end at 99.
const zoneID tianbao.ID = 219999

// StandardRegions are the regions of the province as they are stored when there are
// none, with ids from their codes.
func StandardRegions() []tianbao.Region {
	id := func(code string) tianbao.ID {
		n, err := strconv.ParseInt(code, 10, 64)
		if err != nil {
			return 0 // above the province is nothing
		}
		return tianbao.ID(n)
	}
	var out []tianbao.Region
	for _, r := range ident.Regions() {
		region := tianbao.Region{ID: id(r.Code), Parent: id(r.Parent), Code: r.Code, Name: r.Name, InScope: r.InScope}
		if r.Code == "" {
			region.ID = zoneID
		}
		out = append(out, region)
	}
	return out
}

const sqlCountAllRegions = `SELECT COUNT(*) FROM region`

// EnsureRegions stores the standard regions where there are none.
func (s *Store) EnsureRegions(ctx context.Context) error {
	var n int64
	if err := s.db.One(ctx, []any{&n}, sqlCountAllRegions); err != nil || n > 0 {
		return err
	}
	return s.PutRegions(ctx, StandardRegions()...)
}

const sqlSetRegion = `UPDATE region SET fiscal = $1, in_scope = $2 WHERE id = $3`

// SetRegion stores what the province decides of a region, with its event: the code of
// the fiscal division and whether it takes part. Code and name are the standard's.
func (s *Store) SetRegion(ctx context.Context, id tianbao.ID, fiscal string, inScope bool, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlSetRegion, fiscal, inScope, id)
		if err != nil {
			return fmt.Errorf("store: set region %s: %w", id, err)
		}
		if n != 1 {
			return tianbao.NotFound()
		}
		return s.trail(ctx, tx, events...)
	})
}
