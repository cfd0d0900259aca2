package store

import (
	"context"
	"errors"

	"tianbao"
	"tianbao/internal/db"
)

// reportColumns are what scanReport reads; r is the report, u its owner, p who
// changed it last.
const reportColumns = `r.id, r.campaign_id, r.owner_id, u.name, u.path, r.form, r.form_version,
 r.version, r.state, r.row_count, r.updated_at, COALESCE(p.name, '')`

func scanReport(scan db.Scan) (r tianbao.Report, err error) {
	var at int64
	err = scan(&r.ID, &r.Campaign, &r.Owner, &r.OwnerName, &r.OwnerPath, &r.Form, &r.FormV,
		&r.Version, &r.State, &r.Rows, &at, &r.UpdatedBy)
	r.UpdatedAt = when(at)
	return r, err
}

const sqlReport = `SELECT ` + reportColumns + `
 FROM report r JOIN unit u ON u.id = r.owner_id LEFT JOIN app_user p ON p.id = r.updated_by
 WHERE r.id = $1 AND SCOPE(u.path)`

// Together implements report.Store.
func (s *Store) Together(ctx context.Context, fn func(context.Context) error) error {
	return s.db.Together(ctx, fn)
}

// Report implements report.Store.
func (s *Store) Report(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Report, error) {
	return reportOf(ctx, s.db, scope, id)
}

func reportOf(ctx context.Context, q db.Queryer, scope tianbao.Scope, id tianbao.ID) (tianbao.Report, error) {
	sql, args := within(sqlReport, scope, id)
	return first(ctx, q, scanReport, sql, args...)
}

var errStop = errors.New("store: row read")

// first returns the first row of a query as scan reads it, or tianbao.NotFound.
func first[T any](ctx context.Context, q db.Queryer, scan func(db.Scan) (T, error), sql string, args ...any) (out T, err error) {
	err = q.Each(ctx, func(sc db.Scan) error {
		v, err := scan(sc)
		if err != nil {
			return err
		}
		out = v
		return errStop
	}, sql, args...)
	switch {
	case errors.Is(err, errStop):
		return out, nil
	case err == nil:
		err = tianbao.NotFound()
	}
	return out, err
}

// storedRow is a row as stored.
type storedRow struct {
	row  tianbao.Row
	vals []byte
}

func scanRow(scan db.Scan) (r storedRow, err error) {
	err = scan(&r.row.ID, &r.row.Unit, &r.row.Version, &r.vals)
	return r, err
}

const sqlRows = `SELECT row_id, unit_id, version, vals FROM report_row WHERE report_id = $1 ORDER BY pos, row_id`

// Snapshot implements report.Store.
func (s *Store) Snapshot(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Report, []tianbao.Row, error) {
	var (
		rep    tianbao.Report
		stored []storedRow
	)
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if rep, err = reportOf(ctx, q, scope, id); err != nil {
			return err
		}
		stored, err = db.Collect(ctx, q, scanRow, sqlRows, id)
		return err
	})
	if err != nil {
		return tianbao.Report{}, nil, err
	}
	// Opening the cells is done when the snapshot has been given back.
	form, err := s.forms(rep.Form, rep.FormV)
	if err != nil {
		return tianbao.Report{}, nil, err
	}
	rows := make([]tianbao.Row, len(stored))
	for i := range stored {
		rows[i] = stored[i].row
		rows[i].Seq = i + 1
		if err := s.decodeRow(form, id, &rows[i], stored[i].vals); err != nil {
			return tianbao.Report{}, nil, err
		}
	}
	return rep, rows, nil
}

const (
	sqlNewerRows = `SELECT row_id, unit_id, version, vals FROM report_row WHERE report_id = $1 AND version > $2 ORDER BY pos, row_id`
	sqlRowOrder  = `SELECT row_id FROM report_row WHERE report_id = $1 ORDER BY pos, row_id`
)

// Newer implements report.Store.
func (s *Store) Newer(ctx context.Context, scope tianbao.Scope, id tianbao.ID, since int64) (tianbao.Report, []tianbao.Row, []tianbao.ID, error) {
	var (
		rep    tianbao.Report
		stored []storedRow
		order  []tianbao.ID
	)
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if rep, err = reportOf(ctx, q, scope, id); err != nil {
			return err
		}
		if stored, err = db.Collect(ctx, q, scanRow, sqlNewerRows, id, since); err != nil {
			return err
		}
		order, err = db.Collect(ctx, q, func(scan db.Scan) (row tianbao.ID, err error) { return row, scan(&row) }, sqlRowOrder, id)
		return err
	})
	if err != nil {
		return tianbao.Report{}, nil, nil, err
	}
	form, err := s.forms(rep.Form, rep.FormV)
	if err != nil {
		return tianbao.Report{}, nil, nil, err
	}
	rows := make([]tianbao.Row, len(stored))
	for i := range stored {
		rows[i] = stored[i].row
		if err := s.decodeRow(form, id, &rows[i], stored[i].vals); err != nil {
			return tianbao.Report{}, nil, nil, err
		}
	}
	return rep, rows, order, nil
}

// EachRow implements report.Store.
func (s *Store) EachRow(ctx context.Context, scope tianbao.Scope, id tianbao.ID, fn func(row *tianbao.Row) error) (rep tianbao.Report, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) (err error) {
		if rep, err = reportOf(ctx, q, scope, id); err != nil {
			return err
		}
		form, err := s.forms(rep.Form, rep.FormV)
		if err != nil {
			return err
		}
		n := 0
		return q.Each(ctx, func(scan db.Scan) error {
			st, err := scanRow(scan)
			if err != nil {
				return err
			}
			n++
			st.row.Seq = n
			if err := s.decodeRow(form, id, &st.row, st.vals); err != nil {
				return err
			}
			return fn(&st.row)
		}, sqlRows, id)
	})
	return rep, err
}

const sqlSomeRows = `SELECT row_id, unit_id, version, vals FROM report_row WHERE report_id = $1 AND row_id IN LIST`

// Touched implements report.Store.
func (s *Store) Touched(ctx context.Context, scope tianbao.Scope, id tianbao.ID, ids []tianbao.ID) (tianbao.Report, map[tianbao.ID]tianbao.Row, error) {
	var (
		rep    tianbao.Report
		stored []storedRow
	)
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if rep, err = reportOf(ctx, q, scope, id); err != nil {
			return err
		}
		return listed(sqlSomeRows, ids, []any{id}, func(sql string, args []any) error {
			some, err := db.Collect(ctx, q, scanRow, sql, args...)
			stored = append(stored, some...)
			return err
		})
	})
	if err != nil {
		return tianbao.Report{}, nil, err
	}
	form, err := s.forms(rep.Form, rep.FormV)
	if err != nil {
		return tianbao.Report{}, nil, err
	}
	rows := make(map[tianbao.ID]tianbao.Row, len(stored))
	for _, st := range stored {
		if err := s.decodeRow(form, id, &st.row, st.vals); err != nil {
			return tianbao.Report{}, nil, err
		}
		rows[st.row.ID] = st.row
	}
	return rep, rows, nil
}
