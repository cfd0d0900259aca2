package campaign

import (
	"context"

	"tianbao"
)

// Waiting is how many units of a collection wait for a reviewer.
type Waiting struct {
	// Mine are those at the reviewer's own level, the ones of [ViewWaiting].
	Mine int
	// At are those at each level, as far as they lie in the reviewer's scope.
	At map[tianbao.Level]int
}

// WaitingCell are units that are reported and not passed, whom the rules and the levels
// of review treat alike.
type WaitingCell struct {
	Path   string // of one of them
	Region tianbao.ID
	Passes Passes
	Count  int
}

// Waiting counts, in the query, which units wait for review: it costs the reported units
// and not those of the register.
func (s *Service) Waiting(ctx context.Context, rv Reviewer, id tianbao.ID) (Waiting, error) {
	w := Waiting{At: make(map[tianbao.Level]int)}
	plan, err := s.Store.Plan(ctx, id)
	if err != nil || plan.Campaign.Levels == 0 || plan.Campaign.Phase() == tianbao.PhasePreparing {
		return w, err
	}
	now := s.Now()
	cells, err := s.Store.Waiting(ctx, rv.Scope, id, now)
	if err != nil {
		return w, err
	}
	paths := append([]string{}, rv.Scope.Paths...)
	for i := range cells {
		paths = append(paths, cells[i].Path)
	}
	t, err := s.treeOf(ctx, paths...)
	if err != nil {
		return w, err
	}
	for i := range cells {
		c := &cells[i]
		line := Line{Unit: tianbao.Unit{Path: c.Path, Region: c.Region}, State: tianbao.StandingReported, Passes: c.Passes}
		u := s.shown(plan, &line, now)
		if u.Door.Why == WhyOutside {
			continue
		}
		l := t.line(&rv, plan.Campaign.Levels, &u)
		if l.Next != 0 {
			w.At[l.Next] += c.Count
		}
		if l.Pass != 0 {
			w.Mine += c.Count
		}
	}
	return w, nil
}
