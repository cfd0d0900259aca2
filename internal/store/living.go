package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/living"
	"tianbao/internal/report"
)

// A collection that is kept as a register after its round: who stands in it, and how an
// accepted change becomes a version of a report.

const (
	// Only what was reported stands in a register.
	peopleColumns = `SELECT ` + unitRowColumns + ` FROM unit u JOIN report_row w ON w.unit_id = u.id` + unitRowJoins + `
 JOIN unit_part k ON k.report_id = w.report_id AND k.unit_id = w.unit_id AND k.sent >= k.newest`
	sqlStanding = peopleColumns + ` WHERE u.id = $1 AND r.campaign_id = $2 AND SCOPE(u.path)
 ORDER BY o.path DESC, w.report_id, w.pos, w.row_id LIMIT $3`
	sqlElsewhere = `SELECT ` + unitRowColumns + `, w.look_keys FROM report_row w JOIN unit u ON u.id = w.unit_id` + unitRowJoins + `
 JOIN unit_part k ON k.report_id = w.report_id AND k.unit_id = w.unit_id AND k.sent >= k.newest
 WHERE PLACES(w) AND r.campaign_id = $1 AND w.unit_id <> $2 ORDER BY u.path, w.report_id, w.row_id LIMIT 100`
	sqlPlace = `SELECT u.path, u.region_id FROM unit u WHERE u.id = $1`
)

func toPeople(rows []campaign.UnitRow) []living.Person {
	out := make([]living.Person, len(rows))
	for i := range rows {
		out[i] = living.Person{Unit: rows[i].Unit, Report: rows[i].Report, Row: rows[i].Row, At: rows[i].At}
	}
	return out
}

// People implements living.Store.
func (s *Store) People(ctx context.Context, scope tianbao.Scope, id, unit tianbao.ID, limit int) ([]living.Person, error) {
	sql, args := within(sqlStanding, scope, unit, id, max(limit, 0))
	rows, err := s.unitRows(ctx, sql, args)
	return toPeople(rows), err
}

// Elsewhere implements living.Store.
func (s *Store) Elsewhere(ctx context.Context, id, unit tianbao.ID, field, value string) ([]living.Person, error) {
	if value == "" {
		return nil, nil
	}
	want := s.appendLook(nil, field, value)
	places, err := s.keyPlaces(ctx, lookKeys(want)[0])
	if err != nil {
		return nil, err
	}
	var out []living.Person
	err = atPlaces(sqlElsewhere, places, []any{id, unit}, func(sql string, args []any) error {
		rows, err := s.unitRowsLike(ctx, sql, args, want)
		out = append(out, toPeople(rows)...)
		return err
	})
	return out, err
}

// Takes implements living.Store.
func (s *Store) Takes(ctx context.Context, id, unit tianbao.ID) (ok bool, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		ok, err = s.takes(ctx, q, id, unit)
		return err
	})
	return ok, err
}

func (s *Store) takes(ctx context.Context, q db.Queryer, id, unit tianbao.ID) (bool, error) {
	plan, err := s.planOf(ctx, q, id)
	if err != nil {
		return false, err
	}
	var p campaign.Place
	if err := one(ctx, q, []any{&p.Path, &p.Region}, sqlPlace, unit); err != nil {
		return false, err
	}
	return plan.Takes(p, s.now()), nil
}

// CommitChange implements report.Store. It stands in for the gate, which is shut: what is
// asked instead is that the collection is kept, and that the change waits.
func (s *Store) CommitChange(ctx context.Context, commits []*report.Commit, c *tianbao.PersonChange, person string, fresh bool, events ...tianbao.Event) error {
	all := make([]*prepared, len(commits))
	for i, commit := range commits {
		var err error
		if all[i], err = s.prepare(commit); err != nil {
			return err
		}
	}
	// One order for all, so that no two changes wait for each other.
	slices.SortFunc(all, func(a, b *prepared) int { return cmp.Compare(a.c.Report.ID, b.c.Report.ID) })
	sealed, err := s.sealChange(c, person)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		return s.commitChange(ctx, tx, all, c, sealed, fresh, events)
	})
}

func (s *Store) commitChange(ctx context.Context, tx db.Tx, commits []*prepared, c *tianbao.PersonChange, sealed *sealedChange, fresh bool, events []tianbao.Event) error {
	touched := make([]deltas, len(commits))
	all := make(map[tianbao.ID]bool)
	for i, p := range commits {
		if err := p.raise(ctx, tx); err != nil {
			return err
		}
		var err error
		if touched[i], err = s.writeRows(ctx, tx, p); err != nil {
			return err
		}
		for u := range touched[i] {
			all[u] = true
		}
	}
	units := slices.Sorted(maps.Keys(all))
	plan, err := s.keptNow(ctx, tx, c)
	if err != nil {
		return err
	}
	if _, err := s.takeTurns(ctx, tx, c.Campaign, units); err != nil {
		return err
	}
	before, err := sumUp(ctx, tx, c.Campaign, units)
	if err != nil {
		return err
	}
	for _, u := range units {
		if f := before[u]; f.Rows > 0 && f.Waiting {
			return tianbao.Invalid("not_reported", "这个单位在这次采集里还有没有上报的人员，不能核准变更；请由采集的主管单位重新开放采集，上报以后再报。")
		}
	}
	if fresh {
		err = s.insertChange(ctx, tx, c, sealed)
	} else {
		err = s.decideChange(ctx, tx, c, sealed)
	}
	if err != nil {
		return err
	}
	var saves []tianbao.Event
	for i, p := range commits {
		if err := s.settleAccepted(ctx, tx, p.c, touched[i], before, plan.Campaign.Levels); err != nil {
			return err
		}
		saves = append(saves, p.event)
	}
	return s.trail(ctx, tx, append(saves, events...)...)
}

// keptNow refuses a change of a collection that is not, or no longer, kept.
func (s *Store) keptNow(ctx context.Context, tx db.Tx, c *tianbao.PersonChange) (*campaign.Plan, error) {
	plan, err := s.planOf(ctx, tx, c.Campaign)
	if err != nil {
		return nil, err
	}
	if err := living.Kept(&plan.Campaign); err != nil {
		return nil, err
	}
	ok, err := s.takes(ctx, tx, c.Campaign, c.Unit)
	if err == nil && !ok {
		err = tianbao.NotFound()
	}
	return plan, err
}

// settleAccepted settles the units of a commit to a register. A unit whose last person left
// has nobody: it says so, as 零申报 does, and does not fall back to 未开始. One that had
// nobody in a round that was reviewed is passed with its first person: that they were
// accepted is all the review there is after it.
func (s *Store) settleAccepted(ctx context.Context, tx db.Tx, c *report.Commit, touched deltas, before map[tianbao.ID]campaign.Facts, levels tianbao.Levels) error {
	var empty, begun []tianbao.ID
	pass := tianbao.Verdict{Kind: tianbao.VerdictPass, Level: int(levels.Top()), Last: true}
	st := settling{
		campaign: c.Report.Campaign, report: c.Report.ID, version: c.Report.Version + 1, deltas: touched, by: c.Set.By, accepted: true,
		facts: func(u tianbao.ID, f *campaign.Facts) {
			if f.Rows == 0 && f.Declared == "" {
				f.Declared = tianbao.DeclareNil
				empty = append(empty, u)
			}
			if levels != 0 && f.Rows > 0 && before[u].Rows == 0 && f.Review != campaign.ReviewPassed {
				f.Judge(&pass)
				begun = append(begun, u)
			}
		},
	}
	if err := s.settle(ctx, tx, &st); err != nil {
		return err
	}
	var batch []db.Statement
	for _, u := range empty {
		id := s.id()
		batch = append(batch, db.Statement{SQL: sqlDeclare, Args: []any{
			id, c.Report.Campaign, u, tianbao.DeclareNil, s.sealText("登记的人员都已离任", declarationPlace(id)), 0, c.Set.By, ms(c.Set.At),
		}})
	}
	for _, u := range begun {
		id := s.id()
		batch = append(batch, db.Statement{SQL: sqlInsertVerdict, Args: []any{
			id, c.Report.Campaign, u, pass.Kind, pass.Level, pass.Last, s.sealText("核准人员变更", verdictPlace(id)), c.Set.By, ms(c.Set.At),
		}})
	}
	if _, err := tx.Send(ctx, batch); err != nil {
		return fmt.Errorf("store: write what follows from an accepted change: %w", err)
	}
	return nil
}
