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
// transaction that writes rows or reports them calls it as late as it can, so that a
// change that waited for its turn is judged when its turn has come.
func (s *Store) gate(ctx context.Context, q db.Queryer, id tianbao.ID, units []tianbao.ID) error {
	plan, err := s.planOf(ctx, q, id)
	if err != nil {
		return fmt.Errorf("store: read the rules of collection %s: %w", id, err)
	}
	refused, err := s.shut(ctx, q, plan, units, s.now())
	if err != nil || len(refused) == 0 {
		return err
	}
	bureau, err := bureauAbove(ctx, q, refused[0].path)
	if err != nil {
		return err
	}
	list := make([]campaign.Refused, len(refused))
	for i := range refused {
		list[i] = refused[i].Refused
	}
	return campaign.Refusal(list, bureau)
}

// shutDoor is a unit whose door is not open.
type shutDoor struct {
	campaign.Refused
	path string
}

// shut returns the units whose doors are not open at a time, in the order of the tree.
func (s *Store) shut(ctx context.Context, q db.Queryer, plan *campaign.Plan, units []tianbao.ID, at time.Time) (out []shutDoor, err error) {
	err = listed(sqlPlaces, units, []any{plan.Campaign.ID}, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var p campaign.Place
			var name string
			var passes int
			if err := scan(&id, &p.Path, &p.Region, &name, &passes); err != nil {
				return err
			}
			door := plan.At(p, at)
			if passes > 0 {
				door = door.Passed()
			}
			if !door.Open() {
				out = append(out, shutDoor{campaign.Refused{Unit: name, Door: door}, p.Path})
			}
			return nil
		}, sql, args...)
	})
	slices.SortFunc(out, func(a, b shutDoor) int { return strings.Compare(a.path, b.path) })
	return out, err
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
func (s *Store) gateCommit(ctx context.Context, q db.Queryer, rep *tianbao.Report, touched deltas) error {
	units := slices.Sorted(maps.Keys(touched))
	if len(units) == 0 {
		units = []tianbao.ID{rep.Owner}
	}
	return s.gate(ctx, q, rep.Campaign, units)
}

// notOver refuses a long import into a collection that is not open at all, before it
// begins; the commit asks the gate.
func (s *Store) notOver(ctx context.Context, rep *tianbao.Report) error {
	return s.db.Read(ctx, func(q db.Queryer) error {
		plan, err := s.planOf(ctx, q, rep.Campaign)
		if err != nil {
			return err
		}
		if p := plan.Campaign.Phase(); p == tianbao.PhaseOpen {
			return nil
		}
		return s.gate(ctx, q, rep.Campaign, []tianbao.ID{rep.Owner})
	})
}
