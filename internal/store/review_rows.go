package store

import (
	"context"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// Rows as reviewers read them: of one unit, or those with reasons of many.

const (
	unitRowColumns = `u.id, u.parent, u.region_id, u.path, u.name, u.kind,
 r.id, r.campaign_id, r.owner_id, o.name, o.path, r.form, r.form_version, r.version, r.state,
 w.row_id, w.version, w.vals, COALESCE(p.name, ''), COALESCE(c.at, 0)`
	unitRowJoins = ` JOIN report r ON r.id = w.report_id JOIN unit o ON o.id = r.owner_id
 LEFT JOIN change_set c ON c.report_id = w.report_id AND c.version = w.version LEFT JOIN app_user p ON p.id = c.by_id`
	sqlUnitRows = `SELECT ` + unitRowColumns + ` FROM unit u JOIN report_row w ON w.unit_id = u.id` + unitRowJoins + `
 WHERE u.id = $1 AND r.campaign_id = $2 AND SCOPE(u.path) ORDER BY o.path DESC, w.report_id, w.pos, w.row_id LIMIT $3`
	sqlExplained = `SELECT ` + unitRowColumns + ` FROM unit u JOIN report_row w ON w.unit_id = u.id` + unitRowJoins + `
 WHERE r.campaign_id = $1 AND SCOPE(u.path) AND substr(w.vals, 1, 5) = $2
 AND (u.path > $3 OR u.path = $3 AND (w.report_id > $4 OR w.report_id = $4 AND w.row_id > $5))
 ORDER BY u.path, w.report_id, w.row_id LIMIT $6`
	sqlUnitsOf = `SELECT p.unit_id FROM unit_part p WHERE p.report_id = $1 AND p.row_count > 0 ORDER BY p.unit_id`
)

// UnitRows implements campaign.Store.
func (s *Store) UnitRows(ctx context.Context, scope tianbao.Scope, id, unit tianbao.ID, limit int) ([]campaign.UnitRow, error) {
	sql, args := within(sqlUnitRows, scope, unit, id, max(limit, 0))
	return s.unitRows(ctx, sql, args)
}

// Explained implements campaign.Store.
func (s *Store) Explained(ctx context.Context, scope tianbao.Scope, id tianbao.ID, after campaign.Cursor, limit int) ([]campaign.UnitRow, error) {
	sql, args := within(sqlExplained, scope, id, []byte(explainedHead), after.Path, after.Report, after.Row, max(limit, 0))
	return s.unitRows(ctx, sql, args)
}

func (s *Store) unitRows(ctx context.Context, sql string, args []any) ([]campaign.UnitRow, error) {
	return s.unitRowsLike(ctx, sql, args, nil)
}

// unitRowsLike reads rows whose query brings their look_keys last, and leaves out those that
// do not have the wanted key; with none it is unitRows.
func (s *Store) unitRowsLike(ctx context.Context, sql string, args []any, want []byte) ([]campaign.UnitRow, error) {
	type stored struct {
		campaign.UnitRow
		vals, look []byte
	}
	all, err := db.Collect(ctx, s.db, func(scan db.Scan) (x stored, err error) {
		var at int64
		u, r, w := &x.Unit, &x.Report, &x.Row
		dest := []any{
			&u.ID, &u.Parent, &u.Region, &u.Path, &u.Name, &u.Kind,
			&r.ID, &r.Campaign, &r.Owner, &r.OwnerName, &r.OwnerPath, &r.Form, &r.FormV, &r.Version, &r.State,
			&w.ID, &w.Version, &x.vals, &x.By, &at,
		}
		if want != nil {
			dest = append(dest, &x.look)
		}
		err = scan(dest...)
		w.Unit, x.At = u.ID, when(at)
		return x, err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	out := make([]campaign.UnitRow, 0, len(all))
	for i := range all {
		x := &all[i]
		if want != nil && !hasLook(x.look, want) {
			continue
		}
		form, err := s.forms(x.Report.Form, x.Report.FormV)
		if err != nil {
			return nil, err
		}
		if err := s.decodeRow(form, x.Report.ID, &x.Row, x.vals); err != nil {
			return nil, err
		}
		out = append(out, x.UnitRow)
	}
	return out, nil
}

// UnitsOf implements campaign.Store.
func (s *Store) UnitsOf(ctx context.Context, rep tianbao.ID) ([]tianbao.ID, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (id tianbao.ID, err error) { return id, scan(&id) }, sqlUnitsOf, rep)
}
