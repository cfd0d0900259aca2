package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// Recounted is what a recount of a collection found.
type Recounted struct {
	Units int // that have rows, drafts, or something said of them
	// Parts and Standings count what was kept otherwise than counted: what reports hold
	// of units, and where units stand.
	Parts, Standings int
}

const (
	sqlCountParts = `SELECT w.report_id, w.unit_id, COUNT(*), CAST(SUM(CASE WHEN w.faults > 0 THEN 1 ELSE 0 END) AS BIGINT), MAX(w.version),
 COALESCE((SELECT MAX(c.version) FROM receipt c WHERE c.report_id = w.report_id AND c.kind = 'report'), 0)
 FROM report_row w JOIN report r ON r.id = w.report_id WHERE r.campaign_id = $1 GROUP BY w.report_id, w.unit_id`
	sqlAllParts     = `SELECT p.report_id, p.unit_id, p.row_count, p.faulty, p.newest, p.sent FROM unit_part p WHERE p.campaign_id = $1`
	sqlMendPart     = `UPDATE unit_part SET row_count = $1, faulty = $2, newest = $3, sent = $4 WHERE report_id = $5 AND unit_id = $6`
	sqlMakePart     = `INSERT INTO unit_part (row_count, faulty, newest, sent, report_id, unit_id, campaign_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	sqlAllStatuses  = `SELECT s.unit_id, s.state, s.row_count, s.faulty, s.review, s.passes, s.declared FROM unit_status s WHERE s.campaign_id = $1`
	sqlAllDrafts    = `SELECT r.owner_id, COUNT(*) FROM draft d JOIN report r ON r.id = d.report_id WHERE r.campaign_id = $1 GROUP BY r.owner_id`
	sqlAllDeclared  = `SELECT d.unit_id, d.kind FROM unit_declaration d WHERE d.campaign_id = $1 AND d.ended = 0 ORDER BY d.id`
	sqlAllVerdicts  = `SELECT v.at, v.unit_id, v.verdict, v.level, v.last FROM unit_verdict v WHERE v.campaign_id = $1 ORDER BY v.id`
	sqlAnswered     = `SELECT l.unit_id, MAX(l.at) FROM unit_status_log l WHERE l.campaign_id = $1 AND l.state = 'reported' GROUP BY l.unit_id`
	sqlAllCampaigns = `SELECT c.id FROM campaign c ORDER BY c.id`
)

type partKey struct{ report, unit tianbao.ID }

type part struct {
	rows, faulty int
	newest, sent int64
}

// Recount counts a collection anew from rows, drafts, declarations and verdicts, compares
// that with what was kept while they came, and with mend puts right what differs. Which
// version of a report last wrote or took away a row of a unit, and as which it was
// reported, is taken as kept where it can be: rows that are gone do not tell.
func (s *Store) Recount(ctx context.Context, id tianbao.ID, mend bool) (Recounted, error) {
	var sum Recounted
	var wrongParts map[partKey]part
	var wrong []tianbao.ID
	facts := make(map[tianbao.ID]*campaign.Facts)
	missing := make(map[partKey]bool)
	err := s.db.Read(ctx, func(q db.Queryer) error {
		counted, kept, err := s.countParts(ctx, q, id)
		if err != nil {
			return err
		}
		wrongParts = make(map[partKey]part)
		for k, c := range counted {
			p, there := kept[k]
			missing[k] = !there
			if there {
				c.sent = p.sent
				c.newest = max(c.newest, p.newest)
				counted[k] = c
			}
			if c != p {
				wrongParts[k] = c
			}
		}
		for k, p := range kept {
			if _, ok := counted[k]; !ok {
				counted[k] = part{newest: p.newest, sent: p.sent}
				if p.rows != 0 || p.faulty != 0 {
					wrongParts[k] = counted[k]
				}
			}
		}
		of := func(u tianbao.ID) *campaign.Facts {
			if facts[u] == nil {
				facts[u] = &campaign.Facts{}
			}
			return facts[u]
		}
		for k, p := range counted {
			f := of(k.unit)
			f.Rows += p.rows
			f.Faulty += p.faulty
			f.Waiting = f.Waiting || p.rows > 0 && p.sent < p.newest
		}
		if err := said(ctx, q, id, of); err != nil {
			return err
		}
		wrong, err = s.compare(ctx, q, id, facts)
		return err
	})
	if err != nil {
		return sum, fmt.Errorf("store: recount collection %s: %w", id, err)
	}
	sum.Units, sum.Parts, sum.Standings = len(facts), len(wrongParts), len(wrong)
	if !mend {
		return sum, nil
	}
	if _, err := s.exec(ctx, sqlDropDays, id, int64(math.MaxInt64)); err != nil {
		return sum, fmt.Errorf("store: drop the days kept of collection %s: %w", id, err)
	}
	return sum, s.mend(ctx, id, wrongParts, missing, wrong, facts)
}

// countParts counts what reports hold of units, and returns what was kept of it.
func (s *Store) countParts(ctx context.Context, q db.Queryer, id tianbao.ID) (counted, kept map[partKey]part, err error) {
	read := func(sql string) (map[partKey]part, error) {
		out := make(map[partKey]part)
		err := q.Each(ctx, func(scan db.Scan) error {
			var k partKey
			var p part
			err := scan(&k.report, &k.unit, &p.rows, &p.faulty, &p.newest, &p.sent)
			out[k] = p
			return err
		}, sql, id)
		return out, err
	}
	if counted, err = read(sqlCountParts); err == nil {
		kept, err = read(sqlAllParts)
	}
	return counted, kept, err
}

// said adds what is known of units besides rows.
func said(ctx context.Context, q db.Queryer, id tianbao.ID, of func(tianbao.ID) *campaign.Facts) error {
	answered := make(map[tianbao.ID]int64) // when a unit was reported last
	return errors.Join(
		q.Each(ctx, func(scan db.Scan) error {
			var u tianbao.ID
			var at int64
			err := scan(&u, &at)
			answered[u] = at
			return err
		}, sqlAnswered, id),
		q.Each(ctx, func(scan db.Scan) error {
			var u tianbao.ID
			var n int
			err := scan(&u, &n)
			of(u).Drafts = n
			return err
		}, sqlAllDrafts, id),
		q.Each(ctx, func(scan db.Scan) error {
			var u tianbao.ID
			var k tianbao.DeclarationKind
			err := scan(&u, &k)
			of(u).Declared = k
			return err
		}, sqlAllDeclared, id),
		q.Each(ctx, func(scan db.Scan) error {
			var u tianbao.ID
			var v tianbao.Verdict
			var at int64
			err := scan(&at, &u, &v.Kind, &v.Level, &v.Last)
			f := of(u)
			waiting := f.Waiting // known from the parts
			f.Judge(&v)
			f.Waiting = waiting
			if f.Review == campaign.ReviewReturned && answered[u] > at {
				f.Review = campaign.ReviewNone // it was reported again, whatever came after that
			}
			return err
		}, sqlAllVerdicts, id))
}

// compare returns the units whose lines are not what the facts make of them.
func (s *Store) compare(ctx context.Context, q db.Queryer, id tianbao.ID, facts map[tianbao.ID]*campaign.Facts) ([]tianbao.ID, error) {
	lines := make(map[tianbao.ID]status)
	err := q.Each(ctx, func(scan db.Scan) error {
		var u tianbao.ID
		var l status
		f := &l.facts
		err := scan(&u, &l.state, &f.Rows, &f.Faulty, &f.Review, &f.Passes, &f.Declared)
		lines[u] = l
		return err
	}, sqlAllStatuses, id)
	if err != nil {
		return nil, err
	}
	var wrong []tianbao.ID
	for u, f := range facts {
		f.Settle()
		l := lines[u]
		if l.state != campaign.StandingOf(f) || l.facts.Rows != f.Rows || l.facts.Faulty != f.Faulty ||
			l.facts.Declared != f.Declared || l.facts.Review != f.Review || l.facts.Passes != f.Passes {
			wrong = append(wrong, u)
		}
	}
	for u, l := range lines {
		if facts[u] == nil && (l.state != tianbao.StandingNone || l.facts != (campaign.Facts{})) {
			facts[u] = &campaign.Facts{}
			wrong = append(wrong, u)
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}

// mend writes what was counted, in transactions of some units each.
func (s *Store) mend(ctx context.Context, id tianbao.ID, parts map[partKey]part, missing map[partKey]bool, units []tianbao.ID, facts map[tianbao.ID]*campaign.Facts) error {
	byUnit := make(map[tianbao.ID][]partKey)
	for k := range parts {
		byUnit[k.unit] = append(byUnit[k.unit], k)
	}
	units = slices.AppendSeq(slices.Clone(units), maps.Keys(byUnit))
	slices.Sort(units)
	for chunk := range slices.Chunk(slices.Compact(units), batchSize) {
		err := s.again(ctx, func(tx db.Tx) error {
			var batch []db.Statement
			for _, u := range chunk {
				for _, k := range byUnit[u] {
					p := parts[k]
					if missing[k] {
						batch = append(batch, db.Statement{SQL: sqlMakePart, Args: []any{p.rows, p.faulty, p.newest, p.sent, k.report, k.unit, id}})
					} else {
						batch = append(batch, db.Statement{SQL: sqlMendPart, Args: []any{p.rows, p.faulty, p.newest, p.sent, k.report, k.unit}})
					}
				}
			}
			if _, err := tx.Send(ctx, batch); err != nil {
				return err
			}
			return s.settle(ctx, tx, &settling{campaign: id, units: chunk, facts: func(u tianbao.ID, f *campaign.Facts) {
				if c := facts[u]; c != nil {
					f.Declared, f.Review, f.Passes = c.Declared, c.Review, c.Passes
				}
			}})
		})
		if err != nil {
			return fmt.Errorf("store: put right where units stand: %w", err)
		}
	}
	return nil
}

// standingSetting tells that where units stand is kept; a database from before is counted
// once.
const standingSetting = "standing"

// EnsureStandings counts all collections of a database that was written before where
// units stand was kept.
func (s *Store) EnsureStandings(ctx context.Context) error {
	return s.onceEver(ctx, standingSetting, func() error { return s.recountAll(ctx) })
}

func (s *Store) recountAll(ctx context.Context) error {
	ids, err := db.Collect(ctx, s.db, func(scan db.Scan) (id tianbao.ID, err error) {
		err = scan(&id)
		return id, err
	}, sqlAllCampaigns)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := s.Recount(ctx, id, true); err != nil {
			return err
		}
	}
	return nil
}
