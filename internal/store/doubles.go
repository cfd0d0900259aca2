package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
)

// Persons, phones and user names that stand in more than one place of a collection. They are
// found across the province; of what lies out of the viewer's scope no more than that there
// is something leaves this file.

const (
	doubleTables = ` FROM row_key k JOIN report r ON r.id = k.report_id JOIN report_row w ON w.report_id = k.report_id AND w.row_id = k.row_id JOIN unit u ON u.id = w.unit_id`
	doubleSeen   = `SUM(CASE WHEN SCOPE(u.path) THEN 1 ELSE 0 END)`
	// One id in several units.
	sqlDoublePersons = `SELECT k.k, COUNT(*) - ` + doubleSeen + doubleTables + ` WHERE k.kind = $1 AND r.campaign_id = $2
 GROUP BY k.k HAVING COUNT(DISTINCT w.unit_id) > 1 AND ` + doubleSeen + ` > 0 ORDER BY k.k LIMIT $3 OFFSET $4`
	// One phone under several ids.
	sqlDoublePhones = `SELECT k.k, COUNT(*) - ` + doubleSeen + doubleTables + ` JOIN row_key p ON p.report_id = k.report_id AND p.row_id = k.row_id AND p.kind = $5
 WHERE k.kind = $1 AND r.campaign_id = $2 GROUP BY k.k HAVING COUNT(DISTINCT p.k) > 1 AND ` + doubleSeen + ` > 0 ORDER BY k.k LIMIT $3 OFFSET $4`
	sqlDoubleRows = `SELECT k.k, r.id, r.form, r.form_version, w.row_id, w.unit_id, u.name, w.vals` + doubleTables + ` WHERE k.kind = $1 AND r.campaign_id = $2 AND SCOPE(u.path) AND k.k IN LIST ORDER BY u.path, w.row_id`
	sqlUserCells  = `SELECT w.report_id, w.row_id, CASE WHEN SCOPE(u.path) THEN 1 ELSE 0 END, w.vals FROM report r JOIN report_row w ON w.report_id = r.id JOIN unit u ON u.id = w.unit_id WHERE r.campaign_id = $1`
	sqlUserRows   = `SELECT 0, r.id, r.form, r.form_version, w.row_id, w.unit_id, u.name, w.vals FROM report_row w JOIN report r ON r.id = w.report_id JOIN unit u ON u.id = w.unit_id WHERE w.report_id = $1 AND SCOPE(u.path) AND w.row_id IN LIST`
)

// Doubles returns what stands in more than one place: compare.KeyPerson an id in several
// units, compare.KeyPhone a phone under several ids, compare.KeyUser an old user name in
// several rows; each with the rows within the scope.
func (s *Store) Doubles(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, key string, offset, limit int) ([]compare.Double, error) {
	if key == compare.KeyUser {
		return s.doubleUsers(ctx, scope, campaign, offset, limit)
	}
	if err := s.BringKeys(ctx); err != nil {
		return nil, err
	}
	text, args := sqlDoublePersons, []any{keyKind(key), campaign, max(limit, 0), max(offset, 0)}
	if key == compare.KeyPhone {
		text, args = sqlDoublePhones, append(args, keyKind(compare.KeyPerson))
	}
	var out []compare.Double
	var keys []int64
	at := make(map[int64]int)
	sql, args := within(text, scope, args...)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var k, hidden int64
		if err := scan(&k, &hidden); err != nil {
			return err
		}
		at[k] = len(out)
		keys, out = append(keys, k), append(out, compare.Double{Hidden: hidden > 0})
		return nil
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	sql, args = within(sqlDoubleRows, scope, keyKind(key), campaign)
	return out, listed(sql, keys, args, func(sql string, args []any) error {
		return s.doubleRows(ctx, sql, args, func(k int64, row compare.DoubleRow) {
			out[at[k]].Rows = append(out[at[k]].Rows, row)
		})
	})
}

func (s *Store) doubleRows(ctx context.Context, sql string, args []any, take func(k int64, row compare.DoubleRow)) error {
	return s.db.Each(ctx, func(scan db.Scan) error {
		var k int64
		var report tianbao.ID
		var row tianbao.Row
		var vals []byte
		x := compare.DoubleRow{Cellular: &compare.Cellular{}}
		if err := scan(&k, &report, &x.Form, &x.FormV, &row.ID, &x.Unit, &x.UnitName, &vals); err != nil {
			return err
		}
		form, err := s.forms(x.Form, x.FormV)
		if err != nil {
			return err
		}
		if err := s.decodeRow(form, report, &row, vals); err != nil {
			return err
		}
		x.Values = row.Values
		for _, r := range row.Reasons {
			if r.Code == "person.elsewhere" {
				x.Reason = r.Text
			}
		}
		take(k, x)
		return nil
	}, sql, args...)
}

// userRow is a row with a user name.
type userRow struct {
	report, row tianbao.ID
	seen        bool
}

// doubleUsers finds user names in several rows. They stand in clear in the rows, and under
// no key.
func (s *Store) doubleUsers(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, offset, limit int) ([]compare.Double, error) {
	rows := make(map[string][]userRow)
	sql, args := within(sqlUserCells, scope, campaign)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var x userRow
		var seen int
		var vals []byte
		if err := scan(&x.report, &x.row, &seen, &vals); err != nil {
			return err
		}
		x.seen = seen == 1
		if user := userCell(vals); user != "" {
			rows[user] = append(rows[user], x)
		}
		return nil
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	type group struct {
		user string
		rows []userRow
	}
	var groups []group
	for user, list := range rows {
		if len(list) > 1 && slices.ContainsFunc(list, func(x userRow) bool { return x.seen }) {
			groups = append(groups, group{user, list})
		}
	}
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.user, b.user) })
	groups = groups[min(max(offset, 0), len(groups)):]
	groups = groups[:min(max(limit, 0), len(groups))]
	out := make([]compare.Double, len(groups))
	for i, g := range groups {
		of := make(map[tianbao.ID][]tianbao.ID)
		for _, x := range g.rows {
			if x.seen {
				of[x.report] = append(of[x.report], x.row)
			} else {
				out[i].Hidden = true
			}
		}
		for report, ids := range of {
			sql, args := within(sqlUserRows, scope, report)
			if err := listed(sql, ids, args, func(sql string, args []any) error {
				return s.doubleRows(ctx, sql, args, func(_ int64, row compare.DoubleRow) { out[i].Rows = append(out[i].Rows, row) })
			}); err != nil {
				return nil, err
			}
		}
		slices.SortFunc(out[i].Rows, func(a, b compare.DoubleRow) int { return cmp.Compare(a.Unit, b.Unit) })
	}
	return out, nil
}

// userCell finds the user name in the JSON of a row, folded.
func userCell(vals []byte) string {
	const head = `"` + compare.KeyUser + `":`
	_, rest, found := bytes.Cut(vals, []byte(head))
	if !found {
		return ""
	}
	var user string
	if json.NewDecoder(bytes.NewReader(rest)).Decode(&user) != nil {
		return ""
	}
	return compare.FoldUser(user)
}
