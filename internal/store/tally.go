package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// Figures join the register of the day with where its units stand; nothing is counted
// beforehand. $1 is the time, $2 the collection.

const (
	// A unit is counted by itself where a rule names it, where units lie below it, and
	// where it is a bureau or department; all others together with their like.
	aloneNow = `CASE WHEN u.kind <> 'unit' OR u.id IN (SELECT r.unit_id FROM campaign_rule r WHERE r.campaign_id = $2)
 OR u.id IN (SELECT d.parent FROM unit d) THEN u.id ELSE 0 END`
	alonePast = `CASE WHEN x.kind <> 'unit' OR x.id IN (SELECT r.unit_id FROM campaign_rule r WHERE r.campaign_id = $2)
 OR x.id IN (SELECT d.parent FROM unit d) OR x.id IN (SELECT d.parent FROM unit_past d) THEN x.id ELSE 0 END`
	stateNow  = `COALESCE(s.state, '')`
	statePast = `COALESCE((SELECT l.state FROM unit_status_log l
 WHERE l.campaign_id = $2 AND l.unit_id = x.id AND l.at <= $1 ORDER BY l.at DESC, l.id DESC LIMIT 1), '')`
	// The units of the day.
	unitsThen = `(SELECT ` + unitColumns + dayNow + ` UNION ALL SELECT ` + pastColumns + dayPast + `) x`

	sqlTallyNow = `SELECT MIN(y.path), y.alone, MIN(y.kind), y.region_id, y.state, COUNT(*), CAST(SUM(y.row_count) AS BIGINT), CAST(SUM(y.faulty) AS BIGINT) FROM (
 SELECT COALESCE(s.row_count, 0) AS row_count, COALESCE(s.faulty, 0) AS faulty, u.path AS path, u.parent AS parent, u.kind AS kind, u.region_id AS region_id, ` + stateNow + ` AS state, ` + aloneNow + ` AS alone
 FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $2 AND s.unit_id = u.id
 WHERE SCOPE(u.path) AND u.since <= $1 AND (u.valid_to = 0 OR u.valid_to > $1)) y
 GROUP BY y.parent, y.alone, y.region_id, y.state`
	sqlTallyPast = `SELECT MIN(y.path), y.alone, MIN(y.kind), y.region_id, y.state, COUNT(*), 0, 0 FROM (
 SELECT x.path AS path, x.parent AS parent, x.kind AS kind, x.region_id AS region_id, ` + statePast + ` AS state, ` + alonePast + ` AS alone
 FROM ` + unitsThen + `) y
 GROUP BY y.parent, y.alone, y.region_id, y.state`

	sqlLinesNow = `SELECT ` + unitColumns + `, ` + stateNow + `, COALESCE(s.row_count, 0), COALESCE(s.faulty, 0), COALESCE(s.since, 0), COALESCE(s.review, ''), COALESCE(s.passes, 0)
 FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $2 AND s.unit_id = u.id
 WHERE SCOPE(u.path) AND u.since <= $1 AND (u.valid_to = 0 OR u.valid_to > $1) AND u.path > $3 ORDER BY u.path`
	sqlLinesPast = `SELECT x.id, x.parent, x.region_id, x.path, x.name, x.budget_code, x.org_code, x.type, x.kind, ` + statePast + `, 0, 0, 0, '', 0
 FROM ` + unitsThen + ` WHERE x.path > $3 ORDER BY x.path`
	sqlLine = `SELECT ` + unitColumns + `, ` + stateNow + `, COALESCE(s.row_count, 0), COALESCE(s.faulty, 0), COALESCE(s.since, 0), COALESCE(s.review, ''), COALESCE(s.passes, 0)
 FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $2 AND s.unit_id = u.id WHERE SCOPE(u.path) AND u.id = $1`

	sqlUnitsNamed = `SELECT ` + unitColumns + ` FROM unit u WHERE u.id IN LIST`
	// What units were on a day, those that are still so among them.
	sqlUnitsNamedNow  = `SELECT ` + unitColumns + ` FROM unit u WHERE u.since <= $1 AND u.id IN LIST`
	sqlUnitsNamedPast = `SELECT ` + pastColumns + ` FROM unit_past u WHERE u.since <= $1 AND u.until > $1 AND u.unit_id IN LIST`
	sqlContactsOf     = `SELECT c.unit_id, c.contact FROM unit_contact c WHERE c.unit_id IN LIST`
	sqlWithAccount    = `SELECT DISTINCT g.unit_id FROM role_grant g JOIN app_user p ON p.id = g.user_id JOIN unit u ON u.id = g.unit_id
 WHERE SCOPE(u.path) AND p.disabled = $1 AND g.role <> 'service' AND g.role <> 'reviewer' AND g.valid_from <= $2 AND (g.valid_to = 0 OR g.valid_to > $2)`
	sqlWithContact = `SELECT c.unit_id FROM unit_contact c JOIN unit u ON u.id = c.unit_id WHERE SCOPE(u.path)`
)

// Tally implements campaign.Store.
func (s *Store) Tally(ctx context.Context, scope tianbao.Scope, q campaign.Question) (*campaign.Tally, error) {
	t := &campaign.Tally{}
	err := s.db.Read(ctx, func(r db.Queryer) (err error) {
		if t.Plan, err = s.planOf(ctx, r, q.Campaign); err != nil {
			return err
		}
		then, err := scopeThen(ctx, r, scope, q)
		if err != nil {
			return err
		}
		t.Tops = then.Paths
		text := sqlTallyNow
		if q.Past {
			text = sqlTallyPast
		}
		sql, args := within(text, then, ms(q.At), q.Campaign)
		t.Cells, err = db.Collect(ctx, r, func(scan db.Scan) (c campaign.Cell, err error) {
			err = scan(&c.Path, &c.Unit, &c.Kind, &c.Region, &c.State, &c.Count, &c.Rows, &c.Faulty)
			return c, err
		}, sql, args...)
		if err != nil {
			return err
		}
		t.Units, err = unitsAt(ctx, r, t.Cells, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// scopeThen returns where the tops of a scope stood at the time of a question.
func scopeThen(ctx context.Context, q db.Queryer, scope tianbao.Scope, ask campaign.Question) (then tianbao.Scope, err error) {
	if !ask.Past {
		return tianbao.Scope{Paths: reduce(scope.Paths)}, nil
	}
	for _, p := range reduce(scope.Paths) {
		id := path.Base(p)
		if id == "/" {
			then.Paths = append(then.Paths, p)
			continue
		}
		unit, err := tianbao.ParseID(id)
		if err != nil {
			return then, fmt.Errorf("store: a scope of path %q", p)
		}
		var was string
		switch err := q.One(ctx, []any{&was}, sqlPathAsOf, unit, ms(ask.At)); {
		case err == nil:
			then.Paths = append(then.Paths, was)
		case !errors.Is(err, db.ErrNoRows): // else it was not there
			return then, err
		}
	}
	then.Paths = reduce(then.Paths)
	return then, nil
}

// unitsAt returns the units above cells and those that are cells, as they were.
func unitsAt(ctx context.Context, q db.Queryer, cells []campaign.Cell, ask campaign.Question) (map[tianbao.ID]tianbao.Unit, error) {
	ids := make(map[tianbao.ID]bool)
	for i := range cells {
		for _, id := range above(cells[i].Path) {
			ids[id] = true
		}
		if cells[i].Unit != 0 {
			ids[cells[i].Unit] = true
		}
	}
	list := slices.Sorted(maps.Keys(ids))
	if !ask.Past {
		return unitsNamed(ctx, q, sqlUnitsNamed, list)
	}
	out, err := unitsNamed(ctx, q, sqlUnitsNamedNow, list, ms(ask.At))
	if err != nil {
		return nil, err
	}
	past, err := unitsNamed(ctx, q, sqlUnitsNamedPast, list, ms(ask.At))
	maps.Copy(out, past)
	return out, err
}

func unitsNamed(ctx context.Context, q db.Queryer, text string, ids []tianbao.ID, args ...any) (map[tianbao.ID]tianbao.Unit, error) {
	out := make(map[tianbao.ID]tianbao.Unit, len(ids))
	err := listed(text, ids, args, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			u, err := scanUnit(scan)
			out[u.ID] = u
			return err
		}, sql, args...)
	})
	return out, err
}

// UnitsNamed implements campaign.Store.
func (s *Store) UnitsNamed(ctx context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Unit, error) {
	return unitsNamed(ctx, s.db, sqlUnitsNamed, ids)
}

// Contacts implements campaign.Store.
func (s *Store) Contacts(ctx context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Contact, error) {
	out := make(map[tianbao.ID]tianbao.Contact, len(ids))
	return out, listed(sqlContactsOf, ids, nil, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var sealed []byte
			if err := scan(&id, &sealed); err != nil {
				return err
			}
			c, err := s.openContact(id, sealed)
			out[id] = c
			return err
		}, sql, args...)
	})
}

func scanLine(scan db.Scan, l *campaign.Line) error {
	u := &l.Unit
	var since int64
	err := scan(&u.ID, &u.Parent, &u.Region, &u.Path, &u.Name, &u.BudgetCode, &u.OrgCode, &u.Type, &u.Kind,
		&l.State, &l.Rows, &l.Faulty, &since, &l.Review, &l.Passes)
	l.Since = when(since)
	return err
}

// EachLine implements campaign.Store.
func (s *Store) EachLine(ctx context.Context, scope tianbao.Scope, ask campaign.Question, after string, fn func(l *campaign.Line) error) error {
	return s.db.Read(ctx, func(q db.Queryer) error {
		then, err := scopeThen(ctx, q, scope, ask)
		if err != nil {
			return err
		}
		text := sqlLinesNow
		if ask.Past {
			text = sqlLinesPast
		}
		sql, args := within(text, then, ms(ask.At), ask.Campaign, strings.Map(pathOnly, after))
		var l campaign.Line
		return q.Each(ctx, func(scan db.Scan) error {
			if err := scanLine(scan, &l); err != nil {
				return err
			}
			return fn(&l)
		}, sql, args...)
	})
}

// pathOnly leaves of a text what paths consist of.
func pathOnly(r rune) rune {
	if r == '/' || '0' <= r && r <= '9' {
		return r
	}
	return -1
}

// LineOf implements campaign.Store.
func (s *Store) LineOf(ctx context.Context, scope tianbao.Scope, id, unit tianbao.ID) (campaign.Line, error) {
	sql, args := within(sqlLine, scope, unit, id)
	return first(ctx, s.db, func(scan db.Scan) (l campaign.Line, err error) {
		err = scanLine(scan, &l)
		return l, err
	}, sql, args...)
}

// Manned implements campaign.Store.
func (s *Store) Manned(ctx context.Context, scope tianbao.Scope, at time.Time) (accounts, contacts map[tianbao.ID]bool, err error) {
	ids := func(sql string, args ...any) (map[tianbao.ID]bool, error) {
		out := make(map[tianbao.ID]bool)
		sql, args = within(sql, scope, args...)
		err := s.db.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			err := scan(&id)
			out[id] = true
			return err
		}, sql, args...)
		return out, err
	}
	if accounts, err = ids(sqlWithAccount, false, ms(at)); err == nil {
		contacts, err = ids(sqlWithContact)
	}
	return accounts, contacts, err
}
