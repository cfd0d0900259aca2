package store

import (
	"cmp"
	"context"
	"slices"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/living"
)

// What is known of one person across units and collections.

const (
	// Rows that were reported, in the units of a scope: the unit is the row's, in whosever
	// sheet it stands.
	sqlTraceRows = `SELECT w.report_id, w.row_id, w.unit_id, u.name, r.campaign_id, c.title, c.ended, c.closes, r.updated_at, w.look_keys
 FROM report_row w JOIN report r ON r.id = w.report_id JOIN campaign c ON c.id = r.campaign_id JOIN unit u ON u.id = w.unit_id
 JOIN unit_part k ON k.report_id = w.report_id AND k.unit_id = w.unit_id AND k.sent >= k.newest
 WHERE PLACES(w) AND SCOPE(u.path)`
	traceChange = `SELECT c.id, c.look, u.id, u.name, c.kind, c.day, c.campaign_id, m.title, c.unit_id, c.from_unit, c.report_id, c.row_id, c.from_report, c.from_row
 FROM person_change c JOIN campaign m ON m.id = c.campaign_id JOIN unit u ON u.id = `
	sqlTraceTo   = traceChange + `c.unit_id WHERE c.k = $1 AND c.state = 'accepted' AND SCOPE(u.path)`
	sqlTraceFrom = traceChange + `c.from_unit WHERE c.k = $1 AND c.state = 'accepted' AND SCOPE(u.path)`
	// Where units said in the next round that somebody had left.
	sqlTraceLeft = `SELECT a.at, a.campaign_id, c.title FROM person_answer a JOIN campaign c ON c.id = a.campaign_id
 WHERE a.from_report = $1 AND a.from_row = $2 AND a.answer = 'left'`
)

// trace is an accepted change as one of its units knows it.
type trace struct {
	id, unit, campaign, to, from tianbao.ID
	look                         []byte
	name, title                  string
	kind                         tianbao.ChangeKind
	day                          int64
	at, fromAt                   tianbao.RowPlace
}

// Traces implements living.Store.
func (s *Store) Traces(ctx context.Context, scope tianbao.Scope, field, value string) (out []living.Fact, err error) {
	if value == "" {
		return nil, nil
	}
	want := s.appendLook(nil, field, value)
	k := lookKeys(want)[0]
	places, err := s.keyPlaces(ctx, k)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(q db.Queryer) error {
		out, err = traces(ctx, q, scope, want, k, places)
		return err
	})
	return out, err
}

func traces(ctx context.Context, q db.Queryer, scope tianbao.Scope, want []byte, k lookKey, places []tianbao.RowPlace) ([]living.Fact, error) {
	var out []living.Fact
	read := func(sql string) (list []trace, err error) {
		sql, args := within(sql, scope, k.k)
		list, err = db.Collect(ctx, q, func(scan db.Scan) (t trace, err error) {
			err = scan(&t.id, &t.look, &t.unit, &t.name, &t.kind, &t.day, &t.campaign, &t.title, &t.to, &t.from, &t.at.Report, &t.at.Row, &t.fromAt.Report, &t.fromAt.Row)
			return t, err
		}, sql, args...)
		return slices.DeleteFunc(list, func(t trace) bool { return !hasLook(t.look, want) }), err
	}
	to, err := read(sqlTraceTo)
	if err != nil {
		return nil, err
	}
	from, err := read(sqlTraceFrom)
	if err != nil {
		return nil, err
	}
	other := func(list []trace, id tianbao.ID) string {
		if i := slices.IndexFunc(list, func(t trace) bool { return t.id == id }); i >= 0 {
			return list[i].name
		}
		return ""
	}
	brought := make(map[tianbao.RowPlace]bool)
	for _, t := range to {
		f := living.Fact{Unit: t.unit, UnitName: t.name, Kind: living.FactCame, Day: living.Day(when(t.day)), Campaign: t.campaign, Title: t.title, Change: t.kind}
		switch t.kind {
		case tianbao.ChangeLeave:
			f.Kind = living.FactLeft
		case tianbao.ChangePhone:
			f.Kind = living.FactPhone
		default:
			brought[t.at] = true
			f.Other = other(from, t.id)
		}
		out = append(out, f)
	}
	for _, t := range from {
		out = append(out, living.Fact{
			Unit: t.unit, UnitName: t.name, Kind: living.FactLeft, Day: living.Day(when(t.day)), Campaign: t.campaign, Title: t.title, Change: t.kind, Other: other(to, t.id),
		})
	}
	left := make(map[tianbao.RowPlace]*trace) // of rounds, by changes
	for i := range to {
		if to[i].kind == tianbao.ChangeLeave {
			left[to[i].at] = &to[i]
		}
	}
	for i := range from {
		left[from[i].fromAt] = &from[i]
	}
	rounds, err := traceRows(ctx, q, scope, want, places, brought)
	if err != nil {
		return nil, err
	}
	for at, t := range left { // the row is gone; that it was there before is known by this
		if brought[at] {
			continue
		}
		rounds = append(rounds, round{at: at, unit: t.unit, name: t.name, campaign: t.campaign, title: t.title, before: t.day})
	}
	for _, r := range rounds {
		fs, err := r.facts(ctx, q)
		if err != nil {
			return nil, err
		}
		out = append(out, fs...)
	}
	return out, nil
}

// round is a row that was reported in a collection.
type round struct {
	at             tianbao.RowPlace
	unit, campaign tianbao.ID
	name, title    string
	day            int64
	before         int64 // the day on which they left, where the row is gone by that
}

const sqlRoundEnd = `SELECT c.ended, c.closes FROM campaign c WHERE c.id = $1`

// facts are what follows from it: that somebody was there by the end of the round, and
// what the unit said of them in the next.
func (r *round) facts(ctx context.Context, q db.Queryer) ([]living.Fact, error) {
	f := living.Fact{Unit: r.unit, UnitName: r.name, Kind: living.FactRound, Day: living.Day(when(r.day)), Campaign: r.campaign, Title: r.title}
	if r.day == 0 {
		var ended, closes int64
		if err := one(ctx, q, []any{&ended, &closes}, sqlRoundEnd, r.campaign); err != nil {
			return nil, err
		}
		f.Day = living.Day(when(cmp.Or(ended, closes)))
		if left := living.Day(when(r.before)); f.Day.After(left) {
			f.Day = left // the collection was opened again and ended later
		}
	}
	out := []living.Fact{f}
	err := q.Each(ctx, func(scan db.Scan) error {
		g := living.Fact{Unit: r.unit, UnitName: r.name, Kind: living.FactGone}
		var at int64
		err := scan(&at, &g.Campaign, &g.Title)
		g.Day = living.Day(when(at))
		out = append(out, g)
		return err
	}, sqlTraceLeft, r.at.Report, r.at.Row)
	return out, err
}

// traceRows finds the rows that rounds brought.
func traceRows(ctx context.Context, q db.Queryer, scope tianbao.Scope, want []byte, places []tianbao.RowPlace, brought map[tianbao.RowPlace]bool) (out []round, err error) {
	sql, args := within(sqlTraceRows, scope)
	err = atPlaces(sql, places, args, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var r round
			var ended, closes, updated int64
			var look []byte
			if err := scan(&r.at.Report, &r.at.Row, &r.unit, &r.name, &r.campaign, &r.title, &ended, &closes, &updated, &look); err != nil {
				return err
			}
			if brought[r.at] || !hasLook(look, want) {
				return nil
			}
			r.day = cmp.Or(ended, updated, closes) // one that runs: as it was reported
			out = append(out, r)
			return nil
		}, sql, args...)
	})
	return out, err
}
