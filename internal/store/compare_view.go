package store

import (
	"context"
	"slices"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
)

// What of a comparison is shown: each query is within the viewer's scope, and of a line that
// lies out of it nothing is read.

const (
	sqlComparisonOf = `SELECT c.id, c.owner_id, c.campaign_id, c.list, c.at, c.turn FROM comparison c WHERE c.id = $1`
	sqlFindCompared = `SELECT c.id, c.owner_id, c.campaign_id, c.list, c.at, c.turn FROM comparison c WHERE c.owner_id = $1 AND c.campaign_id = $2`
	// The decision that holds of a line, 0 without one.
	itemDecision = `COALESCE((SELECT MAX(d.id) FROM compare_decision d WHERE d.comparison_id = i.comparison_id AND d.ended = 0 AND i.side = 0 AND d.old_id = i.item_id),
 (SELECT MAX(d.id) FROM compare_decision d WHERE d.comparison_id = i.comparison_id AND d.ended = 0 AND i.side = 1 AND d.new_id = i.item_id), 0)`
	shownTables = ` FROM compare_item i JOIN unit u ON u.id = i.unit_id
 LEFT JOIN compare_item p ON p.comparison_id = i.comparison_id AND p.side = 1 - i.side AND p.item_id = i.partner_id LEFT JOIN unit v ON v.id = p.unit_id
 WHERE i.comparison_id = $1 AND SCOPE(u.path) AND `
	shownColumns = itemColumns + `, u.name, u.region_id, COALESCE(v.path, ''), COALESCE(v.name, ''), COALESCE(p.report_id, 0), ` + itemDecision
	// A match is listed once, by its old line. Settled: 1 those that are, 2 those that are not.
	sqlShownItems = `SELECT ` + shownColumns + shownTables + `($2 = 0 OR i.list = $2) AND (i.list <> 1 OR i.side = 0) AND ($3 = 0 OR u.region_id = $3)
 AND ($4 = 0 OR ($4 = 1) = (` + itemDecision + ` <> 0)) ORDER BY u.path, i.side, i.item_id LIMIT $5 OFFSET $6`
	sqlShownItem  = `SELECT ` + shownColumns + shownTables + `i.item_id = $2 ORDER BY i.side LIMIT 1`
	sqlItemCounts = `SELECT u.region_id, i.list, COUNT(*) FROM compare_item i JOIN unit u ON u.id = i.unit_id WHERE i.comparison_id = $1 AND SCOPE(u.path) AND (i.list <> 1 OR i.side = 0) GROUP BY u.region_id, i.list ORDER BY u.region_id, i.list`
	sqlUnitCounts = `SELECT u.id, u.name, SUM(CASE WHEN i.list = 1 THEN 1 ELSE 0 END), SUM(CASE WHEN i.list = 2 THEN 1 ELSE 0 END), SUM(CASE WHEN i.list = 3 THEN 1 ELSE 0 END), SUM(CASE WHEN i.list = 4 THEN 1 ELSE 0 END)
 FROM compare_item i JOIN unit u ON u.id = i.unit_id WHERE i.comparison_id = $1 AND SCOPE(u.path) AND (i.list <> 1 OR i.side = 0) AND ($2 = 0 OR u.region_id = $2) GROUP BY u.id, u.name, u.path ORDER BY u.path LIMIT $3 OFFSET $4`
	sqlLegacyCells = `SELECT l.id, l.since, l.line, l.body FROM legacy_user l JOIN unit u ON u.id = CASE WHEN l.unit_id = 0 THEN l.owner_id ELSE l.unit_id END
 WHERE SCOPE(u.path) AND l.since <= $1 AND (l.gone = 0 OR l.gone > $1) AND l.id IN LIST`
	sqlRowCells   = `SELECT w.row_id, r.id, r.form, r.form_version, w.vals FROM report_row w JOIN report r ON r.id = w.report_id JOIN unit u ON u.id = w.unit_id WHERE SCOPE(u.path) AND w.report_id = $1 AND w.row_id IN LIST`
	sqlDecisions  = `SELECT d.id, d.old_id, d.new_id, d.unit_id, d.kind, d.reason, d.by_id, COALESCE(p.name, ''), d.at FROM compare_decision d LEFT JOIN app_user p ON p.id = d.by_id WHERE d.comparison_id = $1 AND d.id IN LIST`
	sqlChangedNow = `SELECT COUNT(DISTINCT r.id) FROM unit u JOIN unit_part p ON p.unit_id = u.id AND p.campaign_id = $1 JOIN report r ON r.id = p.report_id WHERE SCOPE(u.path) AND r.updated_at > $2`
	sqlStrange    = `SELECT l.id, l.since, l.body FROM legacy_user l JOIN unit u ON u.id = l.owner_id WHERE l.owner_id = $1 AND SCOPE(u.path) AND l.unit_id = 0 AND l.since <= $2 AND (l.gone = 0 OR l.gone > $2) ORDER BY l.id`
)

// Comparison returns a comparison.
func (s *Store) Comparison(ctx context.Context, id tianbao.ID) (compare.Comparison, error) {
	return first(ctx, s.db, scanComparison, sqlComparisonOf, id)
}

// FindComparison returns the comparison of a list with a collection, tianbao.NotFound if
// there is none yet.
func (s *Store) FindComparison(ctx context.Context, owner, campaign tianbao.ID) (compare.Comparison, error) {
	return first(ctx, s.db, scanComparison, sqlFindCompared, owner, campaign)
}

func scanShown(scan db.Scan) (x compare.Shown, err error) {
	var decision tianbao.ID
	x.Item, err = scanItem(scan, &x.UnitName, &x.Region, &x.PartnerPath, &x.PartnerUnit, &x.PartnerReport, &decision)
	if decision != 0 {
		x.Verdict = &compare.Verdict{ID: decision}
	}
	return x, err
}

// ShownItems returns findings within the scope, in the order of the tree, with the cells of
// the lines that lie in it.
func (s *Store) ShownItems(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, q compare.Query) ([]compare.Shown, error) {
	sql, args := within(sqlShownItems, scope, c.ID, int(q.List), q.Region, q.Settled, max(q.Limit, 0), max(q.Offset, 0))
	list, err := db.Collect(ctx, s.db, scanShown, sql, args...)
	if err != nil {
		return nil, err
	}
	return list, s.fillShown(ctx, scope, c, list)
}

// EachShown gives findings as ShownItems does, all of them.
func (s *Store) EachShown(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, q compare.Query, fn func(*compare.Shown) error) error {
	const all = 1 << 30
	sql, args := within(sqlShownItems, scope, c.ID, int(q.List), q.Region, q.Settled, all, 0)
	list, err := db.Collect(ctx, s.db, scanShown, sql, args...)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(list, 500) {
		if err := s.fillShown(ctx, scope, c, part); err != nil {
			return err
		}
		for i := range part {
			if err := fn(&part[i]); err != nil {
				return err
			}
			part[i] = compare.Shown{}
		}
	}
	return nil
}

// ShownItem returns the finding about one line within the scope.
func (s *Store) ShownItem(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, line tianbao.ID) (compare.Shown, error) {
	sql, args := within(sqlShownItem, scope, c.ID, line)
	x, err := first(ctx, s.db, scanShown, sql, args...)
	if err != nil {
		return x, err
	}
	list := []compare.Shown{x}
	err = s.fillShown(ctx, scope, c, list)
	return list[0], err
}

// fillShown reads the cells and decisions of findings.
func (s *Store) fillShown(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, list []compare.Shown) error {
	olds, news := make(map[tianbao.ID]*compare.Cellular), make(map[tianbao.ID]*compare.Cellular)
	var ask []tianbao.ID
	rows := make(map[tianbao.ID][]tianbao.ID)
	var decisions []tianbao.ID
	want := func(side compare.Side, id, report tianbao.ID) {
		if side == compare.Old {
			ask = append(ask, id)
		} else {
			rows[report] = append(rows[report], id)
		}
	}
	for i := range list {
		x := &list[i]
		want(x.Side, x.ID, x.Report)
		if x.Partner != 0 && scope.Covers(x.PartnerPath) {
			want(1-x.Side, x.Partner, x.PartnerReport)
		} else {
			x.PartnerUnit = ""
		}
		if x.Verdict != nil {
			decisions = append(decisions, x.Verdict.ID)
		}
	}
	form, err := s.forms(compare.FormName, 1)
	if err != nil {
		return err
	}
	sql, args := within(sqlLegacyCells, scope, c.List)
	err = listed(sql, ask, args, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var since int64
			var line int
			var body []byte
			if err := scan(&id, &since, &line, &body); err != nil {
				return err
			}
			values, err := s.legacyValues(form, id, since, body)
			olds[id] = &compare.Cellular{Form: form.Name, FormV: form.Version, Line: line, Values: values}
			return err
		}, sql, args...)
	})
	if err != nil {
		return err
	}
	for report, ids := range rows {
		sql, args := within(sqlRowCells, scope, report)
		if err := listed(sql, ids, args, func(sql string, args []any) error { return s.rowCells(ctx, news, sql, args) }); err != nil {
			return err
		}
	}
	said := make(map[tianbao.ID]*compare.Verdict)
	err = listed(sqlDecisions, decisions, []any{c.ID}, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			v := &compare.Verdict{Comparison: c.ID}
			var at int64
			var reason []byte
			err := scan(&v.ID, &v.Old, &v.New, &v.Unit, &v.Kind, &reason, &v.By, &v.ByName, &at)
			if err != nil {
				return err
			}
			v.At, said[v.ID] = when(at), v
			v.Reason, err = s.openText(reason, decisionPlace(v.ID))
			return err
		}, sql, args...)
	})
	if err != nil {
		return err
	}
	for i := range list {
		x := &list[i]
		mine, others := olds, news
		if x.Side == compare.New {
			mine, others = news, olds
		}
		x.Mine = mine[x.ID]
		if x.Partner != 0 {
			x.Other = others[x.Partner]
		}
		if x.Verdict != nil {
			x.Verdict = said[x.Verdict.ID]
		}
	}
	return nil
}

func (s *Store) rowCells(ctx context.Context, to map[tianbao.ID]*compare.Cellular, sql string, args []any) error {
	return s.db.Each(ctx, func(scan db.Scan) error {
		var row tianbao.Row
		var report tianbao.ID
		var vals []byte
		x := &compare.Cellular{}
		if err := scan(&row.ID, &report, &x.Form, &x.FormV, &vals); err != nil {
			return err
		}
		form, err := s.forms(x.Form, x.FormV)
		if err != nil {
			return err
		}
		err = s.decodeRow(form, report, &row, vals)
		x.Values, to[row.ID] = row.Values, x
		return err
	}, sql, args...)
}

// CompareCounts counts findings within the scope by region and list.
func (s *Store) CompareCounts(ctx context.Context, scope tianbao.Scope, c *compare.Comparison) ([]compare.Count, error) {
	sql, args := within(sqlItemCounts, scope, c.ID)
	var out []compare.Count
	return out, s.db.Each(ctx, func(scan db.Scan) error {
		var region tianbao.ID
		var list, n int
		if err := scan(&region, &list, &n); err != nil {
			return err
		}
		if len(out) == 0 || out[len(out)-1].ID != region {
			out = append(out, compare.Count{ID: region})
		}
		if list >= 1 && list <= 4 {
			out[len(out)-1].N[list-1] += n
		}
		return nil
	}, sql, args...)
}

// CompareUnits counts findings within the scope by unit.
func (s *Store) CompareUnits(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, region tianbao.ID, offset, limit int) ([]compare.Count, error) {
	sql, args := within(sqlUnitCounts, scope, c.ID, region, max(limit, 0), max(offset, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (n compare.Count, err error) {
		err = scan(&n.ID, &n.Name, &n.N[0], &n.N[1], &n.N[2], &n.N[3])
		return n, err
	}, sql, args...)
}

// ChangedSince counts the reports in scope with rows of the collection that were saved after
// the comparison.
func (s *Store) ChangedSince(ctx context.Context, scope tianbao.Scope, c *compare.Comparison) (n int, err error) {
	sql, args := within(sqlChangedNow, scope, c.Campaign, ms(c.At))
	err = s.db.One(ctx, []any{&n}, sql, args...)
	return n, err
}

// StrangeUnits returns the units of an old list that the register does not know, as the list
// names them, with how many lines name each; for who sees the list's owner.
func (s *Store) StrangeUnits(ctx context.Context, scope tianbao.Scope, owner tianbao.ID, version int64) ([]compare.Strange, error) {
	form, err := s.forms(compare.FormName, 1)
	if err != nil {
		return nil, err
	}
	var out []compare.Strange
	at := make(map[[3]string]int)
	sql, args := within(sqlStrange, scope, owner, version)
	return out, s.db.Each(ctx, func(scan db.Scan) error {
		var id tianbao.ID
		var since int64
		var body []byte
		if err := scan(&id, &since, &body); err != nil {
			return err
		}
		v, err := s.legacyValues(form, id, since, body)
		if err != nil {
			return err
		}
		k := [3]string{v[form.Index(compare.KeyBudget)], v[form.Index(compare.KeyUnitName)], v[form.Index(compare.KeyOrg)]}
		if k == [3]string{} {
			return nil
		}
		i, met := at[k]
		if !met {
			i = len(out)
			at[k] = i
			out = append(out, compare.Strange{Budget: k[0], Name: k[1], Org: k[2]})
		}
		out[i].Users++
		return nil
	}, sql, args...)
}
