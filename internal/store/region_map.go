package store

import (
	"context"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
)

const (
	sqlRegionMap       = `SELECT m.approval, m.shapes, m.at, m.by_id FROM region_map m WHERE m.region_id = $1`
	sqlUpdateRegionMap = `UPDATE region_map SET approval = $1, shapes = $2, at = $3, by_id = $4 WHERE region_id = $5`
	sqlInsertRegionMap = `INSERT INTO region_map (approval, shapes, at, by_id, region_id) VALUES ($1, $2, $3, $4, $5)`
	sqlDropRegionMap   = `DELETE FROM region_map WHERE region_id = $1`
)

// RegionMap implements web.Register.
func (s *Store) RegionMap(ctx context.Context, region tianbao.ID) (tianbao.RegionMap, error) {
	return first(ctx, s.db, func(scan db.Scan) (tianbao.RegionMap, error) {
		m := tianbao.RegionMap{Region: region}
		var shapes string
		var at int64
		err := scan(&m.Approval, &shapes, &at, &m.By)
		m.Shapes, m.At = []byte(shapes), when(at)
		return m, err
	}, sqlRegionMap, region)
}

// PutRegionMap implements web.Register.
func (s *Store) PutRegionMap(ctx context.Context, m *tianbao.RegionMap, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := upsert(ctx, tx, sqlUpdateRegionMap, sqlInsertRegionMap, m.Approval, string(m.Shapes), ms(m.At), m.By, m.Region); err != nil {
			return fmt.Errorf("store: put the map of region %s: %w", m.Region, err)
		}
		return s.trail(ctx, tx, events...)
	})
}

// DropRegionMap implements web.Register.
func (s *Store) DropRegionMap(ctx context.Context, region tianbao.ID, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlDropRegionMap, region)
		if err != nil {
			return fmt.Errorf("store: drop the map of region %s: %w", region, err)
		}
		if n != 1 {
			return tianbao.NotFound()
		}
		return s.trail(ctx, tx, events...)
	})
}
