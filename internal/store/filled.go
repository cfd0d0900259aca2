package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

const (
	// Rows of units in scope that stand in reports of the campaign $1 whose owner is one
	// of a list.
	filledRows  = ` FROM report_row w JOIN unit u ON u.id = w.unit_id JOIN report r ON r.id = w.report_id`
	filledWhere = ` WHERE r.campaign_id = $1 AND SCOPE(u.path) AND r.owner_id IN LIST`
	sqlFilled   = `SELECT r.id, r.campaign_id, r.owner_id, o.name, o.path, r.form, r.form_version, r.version,
 w.row_id, w.unit_id, w.version, w.vals, COALESCE(p.name, ''), COALESCE(c.at, 0)` + filledRows + ` JOIN unit o ON o.id = r.owner_id
 LEFT JOIN change_set c ON c.report_id = w.report_id AND c.version = w.version LEFT JOIN app_user p ON p.id = c.by_id` + filledWhere + ` ORDER BY w.report_id, w.pos, w.row_id`
	sqlCountFilled = `SELECT COUNT(*)` + filledRows + filledWhere
	// The inner u is the row's unit, the outer one the report's owner.
	sqlHolding = `SELECT ` + reportColumns + `
 FROM report r JOIN unit u ON u.id = r.owner_id LEFT JOIN app_user p ON p.id = r.updated_by
 WHERE r.id = $1 AND EXISTS (SELECT 1 FROM report_row w JOIN unit u ON u.id = w.unit_id WHERE w.report_id = r.id AND SCOPE(u.path))`
	sqlCountUnits = `SELECT COUNT(*) FROM unit u WHERE SCOPE(u.path) AND u.id IN LIST`
)

// above returns the ids of the units above a path: none has a report that holds rows of
// the path's unit but these, since a row belongs to its report's owner or below it.
func above(path string) []tianbao.ID {
	out := onPath(path)
	return out[:max(len(out)-1, 0)]
}

// onPath returns the ids of the units above a path and of its own unit.
func onPath(path string) []tianbao.ID {
	var out []tianbao.ID
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		if id, err := tianbao.ParseID(part); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// Filled implements report.Store.
func (s *Store) Filled(ctx context.Context, own tianbao.Report, limit int) ([]report.Filled, error) {
	type stored struct {
		report.Filled
		vals []byte
	}
	var all []stored
	sql, args := within(sqlFilled, tianbao.Scope{Paths: []string{own.OwnerPath}}, own.Campaign)
	err := listed(sql, above(own.OwnerPath), args, func(sql string, args []any) error {
		err := s.db.Each(ctx, func(scan db.Scan) error {
			if len(all) == limit {
				return errStop
			}
			var f stored
			var at int64
			r, w := &f.Report, &f.Row
			err := scan(&r.ID, &r.Campaign, &r.Owner, &r.OwnerName, &r.OwnerPath, &r.Form, &r.FormV, &r.Version,
				&w.ID, &w.Unit, &w.Version, &f.vals, &f.By, &at)
			f.At = when(at)
			all = append(all, f)
			return err
		}, sql, args...)
		if errors.Is(err, errStop) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]report.Filled, len(all))
	for i := range all {
		f := &all[i]
		form, err := s.forms(f.Report.Form, f.Report.FormV)
		if err != nil {
			return nil, err
		}
		if err := s.decodeRow(form, f.Report.ID, &f.Row, f.vals); err != nil {
			return nil, err
		}
		out[i] = f.Filled
	}
	return out, nil
}

// CountFilled implements report.Store.
func (s *Store) CountFilled(ctx context.Context, own tianbao.Report) (n int, err error) {
	sql, args := within(sqlCountFilled, tianbao.Scope{Paths: []string{own.OwnerPath}}, own.Campaign)
	err = listed(sql, above(own.OwnerPath), args, func(sql string, args []any) error {
		var some int64
		err := s.db.One(ctx, []any{&some}, sql, args...)
		n += int(some)
		return err
	})
	return n, err
}

// Holding implements report.Store.
func (s *Store) Holding(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Report, error) {
	sql, args := within(sqlHolding, scope, id)
	return first(ctx, s.db, scanReport, sql, args...)
}

// UnitsWithin implements report.Store.
func (s *Store) UnitsWithin(ctx context.Context, scope tianbao.Scope, units []tianbao.ID) (bool, error) {
	units = slices.Clone(units)
	slices.Sort(units)
	units = slices.Compact(units)
	found := 0
	sql, args := within(sqlCountUnits, scope)
	err := listed(sql, units, args, func(sql string, args []any) error {
		var n int64
		err := s.db.One(ctx, []any{&n}, sql, args...)
		found += int(n)
		return err
	})
	return found == len(units), err
}
