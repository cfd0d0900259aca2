package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// Lists join the register of the day with where its units stand, and so do the figures
// (count.go); nothing is counted beforehand. $1 is the time, $2 the collection.

const (
	stateNow  = `COALESCE(s.state, '')`
	statePast = `COALESCE((SELECT l.state FROM unit_status_log l
 WHERE l.campaign_id = $2 AND l.unit_id = x.id AND l.at <= $1 ORDER BY l.at DESC, l.id DESC LIMIT 1), '')`
	// The units of the day.
	unitsThen = `(SELECT ` + unitColumns + dayNow + ` UNION ALL SELECT ` + pastColumns + dayPast + `) x`

	sqlLinesNow = `SELECT ` + unitColumns + `, ` + stateNow + `, COALESCE(s.row_count, 0), COALESCE(s.faulty, 0), COALESCE(s.since, 0), COALESCE(s.review, ''), COALESCE(s.passes, 0)
 FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $2 AND s.unit_id = u.id
 WHERE SCOPE(u.path) AND u.since <= $1 AND (u.valid_to = 0 OR u.valid_to > $1) AND u.path > $3 ORDER BY u.path LIMIT $4`
	sqlLinesPast = `SELECT x.id, x.parent, x.region_id, x.path, x.name, x.budget_code, x.org_code, x.type, x.kind, ` + statePast + `, 0, 0, 0, '', 0
 FROM ` + unitsThen + ` WHERE x.path > $3 ORDER BY x.path LIMIT $4`
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

// unitsAt returns units as they were at the time of a question.
func unitsAt(ctx context.Context, q db.Queryer, ids []tianbao.ID, ask campaign.Question) (map[tianbao.ID]tianbao.Unit, error) {
	if !ask.Past {
		return unitsNamed(ctx, q, sqlUnitsNamed, ids)
	}
	out, err := unitsNamed(ctx, q, sqlUnitsNamedNow, ids, ms(ask.At))
	if err != nil {
		return nil, err
	}
	past, err := unitsNamed(ctx, q, sqlUnitsNamedPast, ids, ms(ask.At))
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
		// In pieces that grow: most readers want a page, and PostgreSQL makes and sends all of
		// what it was asked for, however soon one stops to read.
		after := strings.Map(pathOnly, after)
		var l campaign.Line
		for piece := firstLines; ; piece = min(4*piece, mostLines) {
			n := 0
			sql, args := withinAfter(text, then, after, ms(ask.At), ask.Campaign, after, piece)
			err := q.Each(ctx, func(scan db.Scan) error {
				if err := scanLine(scan, &l); err != nil {
					return err
				}
				n, after = n+1, l.Unit.Path
				return fn(&l)
			}, sql, args...)
			if err != nil || n < piece {
				return err
			}
		}
	})
}

// firstLines and mostLines are the sizes of the pieces of EachLine.
const (
	firstLines = 300
	mostLines  = 20_000
)

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
