package store

import (
	"context"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// A unit is counted by itself where a rule names it, where units lie below it, and where
// it is a bureau or department; all others together with their like. $1 is the time, $2 the
// collection.
const aloneNow = `CASE WHEN u.kind <> 'unit' OR u.id IN (SELECT r.unit_id FROM campaign_rule r WHERE r.campaign_id = $2)
 OR u.id IN (SELECT d.parent FROM unit d) THEN u.id ELSE 0 END`

const sqlWaitingFor = `SELECT MIN(y.path), y.region_id, y.passes, COUNT(*) FROM (
 SELECT u.path AS path, u.parent AS parent, u.region_id AS region_id, s.passes AS passes, ` + aloneNow + ` AS alone
 FROM unit_status s JOIN unit u ON u.id = s.unit_id
 WHERE s.campaign_id = $2 AND s.state = 'reported' AND SCOPE(u.path) AND u.since <= $1 AND (u.valid_to = 0 OR u.valid_to > $1)) y
 GROUP BY y.parent, y.alone, y.region_id, y.passes`

// Waiting implements campaign.Store.
func (s *Store) Waiting(ctx context.Context, scope tianbao.Scope, id tianbao.ID, at time.Time) ([]campaign.WaitingCell, error) {
	sql, args := within(sqlWaitingFor, scope, ms(at), id)
	return db.Collect(ctx, s.db, func(scan db.Scan) (c campaign.WaitingCell, err error) {
		err = scan(&c.Path, &c.Region, &c.Passes, &c.Count)
		return c, err
	}, sql, args...)
}
