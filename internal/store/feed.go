package store

import (
	"context"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
)

const sqlFeedUnits = `SELECT ` + unitColumns + `, COALESCE(g.code, ''), COALESCE(g.name, '') FROM unit u LEFT JOIN region g ON g.id = u.region_id
 WHERE SCOPE(u.path) AND u.id > $1 AND (u.valid_to = 0 OR u.valid_to > $2) ORDER BY u.id LIMIT $3`

// FeedUnits returns units in scope that are there now, behind an id, in the order of ids,
// with code and name of their regions.
func (s *Store) FeedUnits(ctx context.Context, scope tianbao.Scope, behind tianbao.ID, limit int) ([]tianbao.PlacedUnit, error) {
	sql, args := within(sqlFeedUnits, scope, behind, ms(s.now()), max(limit, 0))
	list, err := db.Collect(ctx, s.db, func(scan db.Scan) (u tianbao.PlacedUnit, err error) {
		err = scan(&u.ID, &u.Parent, &u.Region, &u.Path, &u.Name, &u.BudgetCode, &u.OrgCode, &u.Type, &u.Kind, &u.RegionCode, &u.RegionName)
		return u, err
	}, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("store: read units: %w", err)
	}
	return list, nil
}
