package store

import (
	"context"
	"errors"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

// A window begins behind a row whose place is known, or at a position, which is
// counted off in the index of places alone: no row that is passed over is read.
// Places are unique within a report.
const (
	windowColumns  = `SELECT report_id, row_id, unit_id, version, vals, faults FROM report_row`
	sqlWindowAt    = windowColumns + ` WHERE report_id = $1 AND pos >= (SELECT pos FROM report_row WHERE report_id = $1 ORDER BY pos LIMIT 1 OFFSET $2) ORDER BY pos LIMIT $3`
	sqlWindowAfter = windowColumns + ` WHERE report_id = $1 AND pos > (SELECT pos FROM report_row WHERE report_id = $1 AND row_id = $2) ORDER BY pos LIMIT $3`
	sqlWhole       = windowColumns + ` WHERE report_id IN LIST ORDER BY report_id, pos`
)

// windowRow is a row with the report it stands in and its count of faults.
type windowRow struct {
	storedRow
	report tianbao.ID
	faults int
}

func scanWindow(scan db.Scan) (r windowRow, err error) {
	err = scan(&r.report, &r.row.ID, &r.row.Unit, &r.row.Version, &r.vals, &r.faults)
	return r, err
}

// Window implements report.Store.
func (s *Store) Window(ctx context.Context, scope tianbao.Scope, id, after tianbao.ID, from, count int) (tianbao.Report, []tianbao.Row, error) {
	var (
		rep    tianbao.Report
		stored []windowRow
	)
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if rep, err = reportOf(ctx, q, scope, id); err != nil {
			return err
		}
		sql, at := sqlWindowAt, any(max(from, 0))
		if after != 0 {
			sql, at = sqlWindowAfter, after
		}
		stored, err = db.Collect(ctx, q, scanWindow, sql, id, at, max(count, 0))
		return err
	})
	if err != nil {
		return tianbao.Report{}, nil, err
	}
	p := report.Part{Report: rep}
	if err := s.openPart(&p, stored); err != nil {
		return tianbao.Report{}, nil, err
	}
	return rep, p.Rows, nil
}

// openPart puts stored rows into the part of their report.
func (s *Store) openPart(p *report.Part, stored []windowRow) error {
	form, err := s.forms(p.Report.Form, p.Report.FormV)
	if err != nil {
		return err
	}
	p.Rows = make([]tianbao.Row, len(stored))
	p.Faults = make([]int, len(stored))
	for i := range stored {
		p.Rows[i], p.Faults[i] = stored[i].row, stored[i].faults
		if err := s.decodeRow(form, p.Report.ID, &p.Rows[i], stored[i].vals); err != nil {
			return err
		}
	}
	return nil
}

// The cross join keeps SQLite on the index of paths, in whose order the reports come.
const (
	sqlFiled = `SELECT ` + reportColumns + `
 FROM unit u CROSS JOIN report r LEFT JOIN app_user p ON p.id = r.updated_by
 WHERE r.campaign_id = $1 AND r.owner_id = u.id AND u.path >= $2 AND r.row_count > 0 AND SCOPE(u.path)
 ORDER BY u.path`
	sqlFiledSome = sqlFiled + ` LIMIT $3`
)

// Filed implements report.Store.
func (s *Store) Filed(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID) ([]tianbao.Report, error) {
	sql, args := within(sqlFiled, scope, campaign, "")
	return db.Collect(ctx, s.db, scanReport, sql, args...)
}

// Across implements report.Store.
func (s *Store) Across(ctx context.Context, scope tianbao.Scope, campaign, start tianbao.ID, from, count int) ([]report.Part, error) {
	from, count = max(from, 0), max(count, 0)
	var (
		parts []report.Part
		rows  map[tianbao.ID][]windowRow
	)
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		path := ""
		if start != 0 {
			rep, err := reportOf(ctx, q, scope, start)
			if err == nil && rep.Campaign != campaign {
				err = tianbao.NotFound()
			}
			if err != nil {
				return err
			}
			path = rep.OwnerPath
		}
		if parts, err = stretch(ctx, q, scope, campaign, path, from, count); err != nil {
			return err
		}
		rows, err = partRows(ctx, q, parts, count)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range parts {
		if err := s.openPart(&parts[i], rows[parts[i].Report.ID]); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// stretch finds the reports over which a window goes, and where it begins in each.
func stretch(ctx context.Context, q db.Queryer, scope tianbao.Scope, campaign tianbao.ID, path string, from, count int) ([]report.Part, error) {
	var parts []report.Part
	if count == 0 {
		return nil, nil
	}
	left := count
	// Each of them has a row at least.
	sql, args := within(sqlFiledSome, scope, campaign, path, from+count)
	err := q.Each(ctx, func(scan db.Scan) error {
		rep, err := scanReport(scan)
		if err != nil {
			return err
		}
		if rep.Rows <= from {
			from -= rep.Rows
			return nil
		}
		parts = append(parts, report.Part{Report: rep, From: from})
		left -= rep.Rows - from
		from = 0
		if left <= 0 {
			return errStop
		}
		return nil
	}, sql, args...)
	if err != nil && !errors.Is(err, errStop) {
		return nil, fmt.Errorf("store: list reports: %w", err)
	}
	return parts, nil
}

// partRows reads the rows of a window: whole reports together, those of which a part
// is wanted each by itself.
func partRows(ctx context.Context, q db.Queryer, parts []report.Part, count int) (map[tianbao.ID][]windowRow, error) {
	rows := make(map[tianbao.ID][]windowRow, len(parts))
	var whole []tianbao.ID
	for i := range parts {
		p := &parts[i]
		if p.From == 0 && p.Report.Rows <= count {
			whole = append(whole, p.Report.ID)
			count -= p.Report.Rows
			continue
		}
		some, err := db.Collect(ctx, q, scanWindow, sqlWindowAt, p.Report.ID, p.From, count)
		if err != nil {
			return nil, fmt.Errorf("store: read a window: %w", err)
		}
		rows[p.Report.ID] = some
		count -= len(some)
	}
	err := listed(sqlWhole, whole, nil, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			r, err := scanWindow(scan)
			rows[r.report] = append(rows[r.report], r)
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("store: read a window: %w", err)
	}
	return rows, nil
}
