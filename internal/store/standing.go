package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

// Where units stand is kept by every transaction that changes a fact of it, for the units
// that it touches and in the order turn, parts, sum, log: raising turn makes a second
// transaction on the same unit wait, and see what the first one wrote. See migration 0031.

const (
	sqlTurn    = `UPDATE unit_status SET turn = turn + 1 WHERE campaign_id = $1 AND unit_id IN LIST`
	sqlNewTurn = `INSERT INTO unit_status (campaign_id, unit_id, turn, state, row_count, faulty, review, passes, declared, since)
 VALUES ($1, $2, 1, '', 0, 0, '', 0, '', 0)`
	sqlStatuses = `SELECT s.unit_id, s.state, s.row_count, s.faulty, s.review, s.passes, s.declared
 FROM unit_status s WHERE s.campaign_id = $1 AND s.unit_id IN LIST`
	sqlHasParts   = `SELECT p.unit_id FROM unit_part p WHERE p.report_id = $1 AND p.unit_id IN LIST`
	sqlUpdatePart = `UPDATE unit_part SET row_count = row_count + $1, faulty = faulty + $2, newest = $3 WHERE report_id = $4 AND unit_id = $5`
	sqlInsertPart = `INSERT INTO unit_part (row_count, faulty, newest, report_id, unit_id, campaign_id, sent) VALUES ($1, $2, $3, $4, $5, $6, 0)`
	sqlSumParts   = `SELECT p.unit_id, CAST(SUM(p.row_count) AS BIGINT), CAST(SUM(p.faulty) AS BIGINT),
 CAST(SUM(CASE WHEN p.row_count > 0 AND p.sent < p.newest THEN 1 ELSE 0 END) AS BIGINT)
 FROM unit_part p WHERE p.campaign_id = $1 AND p.unit_id IN LIST GROUP BY p.unit_id`
	sqlOwnDrafts = `SELECT r.owner_id, COUNT(*) FROM draft d JOIN report r ON r.id = d.report_id
 WHERE r.campaign_id = $1 AND r.owner_id IN LIST GROUP BY r.owner_id`
	sqlSetStatus = `UPDATE unit_status SET state = $1, row_count = $2, faulty = $3, review = $4, passes = $5, declared = $6
 WHERE campaign_id = $7 AND unit_id = $8`
	sqlSetSince     = `UPDATE unit_status SET since = $1 WHERE campaign_id = $2 AND unit_id = $3`
	sqlLogStatus    = `INSERT INTO unit_status_log (campaign_id, unit_id, at, id, state, row_count, faulty, by_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	sqlWaitingParts = `SELECT p.unit_id FROM unit_part p WHERE p.report_id = $1 AND p.row_count > 0 AND p.sent < p.newest ORDER BY p.unit_id`
	sqlSendParts    = `UPDATE unit_part SET sent = newest WHERE report_id = $1 AND sent < newest`
	sqlSendPart     = `UPDATE unit_part SET sent = newest WHERE report_id = $1 AND unit_id = $2`
	sqlReportHead   = `SELECT r.campaign_id, r.owner_id FROM report r WHERE r.id = $1`
)

// delta is what a commit changes of what a report holds of a unit.
type delta struct{ rows, faulty int }

// deltas are those of all units that a commit touches.
type deltas map[tianbao.ID]delta

// put notes a row that is written; was is nil for a new one.
func (d deltas) put(unit tianbao.ID, faults int, was *rowLook) {
	d.add(unit, 1, faults)
	if was != nil {
		d.gone(was)
	}
}

// gone notes a row that goes, or that was so before.
func (d deltas) gone(was *rowLook) { d.add(was.unit, -1, was.faults) }

func (d deltas) add(unit tianbao.ID, rows, faults int) {
	x := d[unit]
	x.rows += rows
	if faults > 0 {
		x.faulty += rows
	}
	d[unit] = x
}

// settling is a transaction's change of where units stand.
type settling struct {
	campaign, report tianbao.ID
	version          int64  // of the report, after the commit
	deltas           deltas // of the report
	sent             bool   // the report was reported
	// units are others that changed otherwise.
	units []tianbao.ID
	// facts changes what is said of a unit, nil where nothing does.
	facts func(unit tianbao.ID, f *campaign.Facts)
	by    tianbao.ID
	// accepted: it changes a register after its round. Its rows count as reported, and it
	// asks nobody about passes.
	accepted bool
}

// settle brings the standing of the touched units up to date. It comes after all else in
// a transaction but the trail. tianbao/report.ErrStale: another transaction just made
// the line of a unit that this one would make; try again.
func (s *Store) settle(ctx context.Context, tx db.Tx, st *settling) error {
	units := slices.AppendSeq(slices.Clone(st.units), maps.Keys(st.deltas))
	slices.Sort(units) // so that no two transactions wait for each other
	units = slices.Compact(units)
	if len(units) == 0 {
		return nil
	}
	was, err := s.takeTurns(ctx, tx, st.campaign, units)
	if err != nil {
		return err
	}
	for u := range st.deltas {
		if was[u].facts.Passes > 0 && !st.accepted {
			return report.ErrStale // passed after the gate was asked, which now will refuse
		}
	}
	if err := s.writeParts(ctx, tx, st, units); err != nil {
		return fmt.Errorf("store: write what the report holds of units: %w", err)
	}
	sums, err := sumUp(ctx, tx, st.campaign, units)
	if err != nil {
		return fmt.Errorf("store: sum up where units stand: %w", err)
	}
	now := ms(s.now())
	var batch []db.Statement
	for _, u := range units {
		before, f := was[u], sums[u]
		f.Review, f.Passes, f.Declared = before.facts.Review, before.facts.Passes, before.facts.Declared
		if st.facts != nil {
			st.facts(u, &f)
		}
		f.Settle()
		state := campaign.StandingOf(&f)
		batch = append(batch, db.Statement{SQL: sqlSetStatus, Args: []any{state, f.Rows, f.Faulty, f.Review, f.Passes, f.Declared, st.campaign, u}})
		if state != before.state {
			batch = append(batch, db.Statement{SQL: sqlSetSince, Args: []any{now, st.campaign, u}},
				db.Statement{SQL: sqlLogStatus, Args: []any{st.campaign, u, now, s.id(), state, f.Rows, f.Faulty, st.by}})
		}
	}
	if _, err := tx.Send(ctx, batch); err != nil {
		return fmt.Errorf("store: write where units stand: %w", err)
	}
	return nil
}

// status is the stored line of a unit.
type status struct {
	state tianbao.Standing
	facts campaign.Facts
}

// takeTurns raises the turns of units and returns their lines, made where there are none.
func (s *Store) takeTurns(ctx context.Context, tx db.Tx, id tianbao.ID, units []tianbao.ID) (map[tianbao.ID]status, error) {
	err := listed(sqlTurn, units, []any{id}, func(sql string, args []any) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: take turns: %w", err)
	}
	lines, err := statuses(ctx, tx, id, units)
	if err != nil {
		return nil, err
	}
	var batch []db.Statement
	for _, u := range units {
		if _, ok := lines[u]; !ok {
			batch = append(batch, db.Statement{SQL: sqlNewTurn, Args: []any{id, u}})
		}
	}
	if _, err := tx.Send(ctx, batch); db.IsUnique(err) {
		return nil, report.ErrStale
	} else if err != nil {
		return nil, fmt.Errorf("store: take first turns: %w", err)
	}
	return lines, nil
}

func statuses(ctx context.Context, q db.Queryer, id tianbao.ID, units []tianbao.ID) (map[tianbao.ID]status, error) {
	lines := make(map[tianbao.ID]status, len(units))
	err := listed(sqlStatuses, units, []any{id}, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var u tianbao.ID
			var l status
			f := &l.facts
			err := scan(&u, &l.state, &f.Rows, &f.Faulty, &f.Review, &f.Passes, &f.Declared)
			lines[u] = l
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("store: read where units stand: %w", err)
	}
	return lines, nil
}

// writeParts writes what the report holds of the units.
func (s *Store) writeParts(ctx context.Context, tx db.Tx, st *settling, units []tianbao.ID) error {
	var batch []db.Statement
	if len(st.deltas) > 0 {
		there := make(map[tianbao.ID]bool)
		err := listed(sqlHasParts, units, []any{st.report}, func(sql string, args []any) error {
			return tx.Each(ctx, func(scan db.Scan) error {
				var u tianbao.ID
				err := scan(&u)
				there[u] = true
				return err
			}, sql, args...)
		})
		if err != nil {
			return err
		}
		for _, u := range units {
			d, touched := st.deltas[u]
			switch {
			case touched && there[u]:
				batch = append(batch, db.Statement{SQL: sqlUpdatePart, Args: []any{d.rows, d.faulty, st.version, st.report, u}})
			case touched:
				batch = append(batch, db.Statement{SQL: sqlInsertPart, Args: []any{d.rows, d.faulty, st.version, st.report, u, st.campaign}})
			}
		}
	}
	if st.accepted {
		for u := range st.deltas {
			batch = append(batch, db.Statement{SQL: sqlSendPart, Args: []any{st.report, u}})
		}
	}
	if st.sent {
		batch = append(batch, db.Statement{SQL: sqlSendParts, Args: []any{st.report}})
	}
	_, err := tx.Send(ctx, batch)
	return err
}

// sumUp returns what is known of units from rows and drafts.
func sumUp(ctx context.Context, q db.Queryer, id tianbao.ID, units []tianbao.ID) (map[tianbao.ID]campaign.Facts, error) {
	sums := make(map[tianbao.ID]campaign.Facts, len(units))
	err := listed(sqlSumParts, units, []any{id}, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var u tianbao.ID
			var f campaign.Facts
			var waiting int64
			err := scan(&u, &f.Rows, &f.Faulty, &waiting)
			f.Waiting = waiting > 0
			sums[u] = f
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, err
	}
	var empty []tianbao.ID // drafts count only for these
	for _, u := range units {
		if sums[u].Rows == 0 {
			empty = append(empty, u)
		}
	}
	return sums, listed(sqlOwnDrafts, empty, []any{id}, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var u tianbao.ID
			var n int
			err := scan(&u, &n)
			f := sums[u]
			f.Drafts = n
			sums[u] = f
			return err
		}, sql, args...)
	})
}

// settleOwner settles the owner of a report, whose drafts have changed.
func (s *Store) settleOwner(ctx context.Context, tx db.Tx, rep, by tianbao.ID) error {
	st := settling{report: rep, units: make([]tianbao.ID, 1), by: by}
	if err := one(ctx, tx, []any{&st.campaign, &st.units[0]}, sqlReportHead, rep); err != nil {
		return err
	}
	return s.settle(ctx, tx, &st)
}

// again runs a transaction that settles once more while others make the lines that it
// would make; each failed try means that another one succeeded.
func (s *Store) again(ctx context.Context, fn func(tx db.Tx) error) error {
	const tries = 10
	for n := 1; ; n++ {
		err := s.db.Tx(ctx, fn)
		if err != report.ErrStale || n == tries { //nolint:errorlint // settle returns it bare
			return err
		}
	}
}
