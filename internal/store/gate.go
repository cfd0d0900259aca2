package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// sqlPlaces finds where units stand, with the levels that passed their rows.
const sqlPlaces = `SELECT u.id, u.path, u.region_id, u.name, COALESCE(s.passes, 0)
 FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $1 AND s.unit_id = u.id WHERE u.id IN LIST`

// gate refuses to write rows of units whose doors are not open at this moment. Every
// transaction that writes rows or reports them calls it when it has waited for its turn,
// and asks the passage again when it has waited for all else. Until it ends the rules of
// the collection stay as they are: who changes them waits (ChangeCollection), so that what
// is answered as locked stands still.
func (s *Store) gate(ctx context.Context, tx db.Tx, id tianbao.ID, units []tianbao.ID) (*passage, error) {
	if err := tx.Hold(ctx, int64(id), true); err != nil {
		return nil, fmt.Errorf("store: keep the rules of collection %s: %w", id, err)
	}
	p, err := s.ask(ctx, tx, id, units)
	if err != nil {
		return nil, err
	}
	return p, p.still(ctx, tx)
}

// passage is what a transaction was let through by.
type passage struct {
	s      *Store
	plan   *campaign.Plan
	places []standingPlace
}

// standingPlace is where a unit stands in the register, and whether it is passed.
type standingPlace struct {
	campaign.Place
	name   string
	passed bool
}

// ask reads what the gate needs to know of units.
func (s *Store) ask(ctx context.Context, q db.Queryer, id tianbao.ID, units []tianbao.ID) (*passage, error) {
	plan, err := s.planOf(ctx, q, id)
	if err != nil {
		return nil, fmt.Errorf("store: read the rules of collection %s: %w", id, err)
	}
	p := &passage{s: s, plan: plan, places: make([]standingPlace, 0, len(units))}
	err = listed(sqlPlaces, units, []any{id}, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var unit tianbao.ID
			var at standingPlace
			var passes int
			err := scan(&unit, &at.Path, &at.Region, &at.name, &passes)
			at.passed = passes > 0
			p.places = append(p.places, at)
			return err
		}, sql, args...)
	})
	return p, err
}

// still refuses where one of the doors is not open, by the clock of this moment. It reads
// nothing unless it refuses: rules are kept, and who passes a unit waits for its turn.
func (p *passage) still(ctx context.Context, q db.Queryer) error {
	shut := p.shut(p.s.now())
	if len(shut) == 0 {
		return nil
	}
	bureau, err := bureauAbove(ctx, q, shut[0].path)
	if err != nil {
		return err
	}
	list := make([]campaign.Refused, len(shut))
	for i := range shut {
		list[i] = shut[i].Refused
	}
	return campaign.Refusal(list, bureau)
}

// after is still, once the last thing that a transaction waits for has ended with err. Of
// no passage, nobody asked.
func (p *passage) after(ctx context.Context, q db.Queryer, err error) error {
	if err != nil || p == nil {
		return err
	}
	return p.still(ctx, q)
}

// shutDoor is a unit whose door is not open.
type shutDoor struct {
	campaign.Refused
	path string
}

// shut returns the units whose doors are not open at a time, in the order of the tree.
func (p *passage) shut(at time.Time) (out []shutDoor) {
	for i := range p.places {
		u := &p.places[i]
		door := p.plan.At(u.Place, at)
		if u.passed {
			door = door.Passed()
		}
		if !door.Open() {
			out = append(out, shutDoor{campaign.Refused{Unit: u.name, Door: door}, u.Path})
		}
	}
	slices.SortFunc(out, func(a, b shutDoor) int { return strings.Compare(a.path, b.path) })
	return out
}

const sqlBureausAbove = `SELECT u.name FROM unit u WHERE u.kind = 'bureau' AND u.id IN LIST ORDER BY u.path DESC LIMIT 1`

// bureauAbove returns the name of the nearest finance bureau above a path, "" without one.
func bureauAbove(ctx context.Context, q db.Queryer, path string) (name string, err error) {
	err = listed(sqlBureausAbove, above(path), nil, func(sql string, args []any) error {
		err := q.One(ctx, []any{&name}, sql, args...)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		return err
	})
	return name, err
}

// gateCommit is the gate of a commit to a report: that of the units whose rows it
// touches, of the owner where it touches none.
func (s *Store) gateCommit(ctx context.Context, tx db.Tx, rep *tianbao.Report, touched deltas) (*passage, error) {
	units := slices.Sorted(maps.Keys(touched))
	if len(units) == 0 {
		units = []tianbao.ID{rep.Owner}
	}
	return s.gate(ctx, tx, rep.Campaign, units)
}

// notOver refuses a long import into a collection that is not open at all, before it
// begins; the commit asks the gate.
func (s *Store) notOver(ctx context.Context, rep *tianbao.Report) error {
	return s.db.Read(ctx, func(q db.Queryer) error {
		p, err := s.ask(ctx, q, rep.Campaign, []tianbao.ID{rep.Owner})
		if err != nil || p.plan.Campaign.Phase() == tianbao.PhaseOpen {
			return err
		}
		return p.still(ctx, q)
	})
}
