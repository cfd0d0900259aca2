package campaign

import (
	"context"
	"strings"

	"tianbao"
)

// Reviewer is who reviews, and where (PowerReview). The level at which somebody judges a
// unit follows from where the office stands in the tree: who reviews for a bureau with no
// bureau above it judges for the province, with one for the city, with more for the
// county; who reviews for a department or a unit judges for the unit.
type Reviewer struct {
	User  tianbao.ID
	From  string // address
	Scope tianbao.Scope
}

// tree knows the units on the paths that were asked for.
type tree map[tianbao.ID]tianbao.Unit

// treeOf reads the units on paths.
func (s *Service) treeOf(ctx context.Context, paths ...string) (tree, error) {
	seen := make(map[tianbao.ID]bool)
	var ids []tianbao.ID
	for _, p := range paths {
		for _, id := range idsOf(p) {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return s.Store.UnitsNamed(ctx, ids)
}

func idsOf(path string) (ids []tianbao.ID) {
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if id, err := tianbao.ParseID(part); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// office returns the level of an office at a path.
func (t tree) office(path string) tianbao.Level {
	ids := idsOf(path)
	if len(ids) == 0 {
		return tianbao.LevelProvince // the whole register
	}
	if t[ids[len(ids)-1]].Kind != "bureau" {
		return tianbao.LevelUnit
	}
	above := 0
	for _, id := range ids[:len(ids)-1] {
		if t[id].Kind == "bureau" {
			above++
		}
	}
	return max(tianbao.LevelProvince-tianbao.Level(above), tianbao.LevelCounty)
}

// ladder returns the levels that review a unit: those of the collection that the unit
// itself or a bureau above it has. A unit right below the city is never the county's.
func (t tree) ladder(levels tianbao.Levels, path string) tianbao.Levels {
	have := tianbao.LevelsOf(tianbao.LevelUnit)
	at := "/"
	for _, id := range idsOf(path) {
		at += id.String() + "/"
		if t[id].Kind == "bureau" {
			have |= tianbao.LevelsOf(t.office(at))
		}
	}
	return levels & have
}

// mine returns the levels at which a reviewer judges a unit.
func (t tree) mine(rv *Reviewer, path string) (out tianbao.Levels) {
	for _, p := range rv.Scope.Paths {
		if p != "" && strings.HasPrefix(path, p) {
			out |= tianbao.LevelsOf(t.office(p))
		}
	}
	return out
}

// ReviewLine is where a unit stands in the review, as one reviewer sees it.
type ReviewLine struct {
	UnitState
	// Ladder are the levels that review the unit, Mine those of the reviewer among them.
	Ladder, Mine tianbao.Levels
	// Next is the level whose turn it is, 0: nobody's.
	Next tianbao.Level
	// Pass, Return and Withdraw are the levels at which the reviewer may do so now, 0: not.
	Pass, Return, Withdraw tianbao.Level
}

// Passed returns the highest level that passed the unit, 0 without one.
func (l *ReviewLine) Passed() tianbao.Level { return tianbao.Level(l.Passes.Level()) }

// may works out what the reviewer may do.
func (l *ReviewLine) may() {
	l.Next, l.Pass, l.Return, l.Withdraw = 0, 0, 0, 0
	if top := l.Passed(); l.Mine.Has(top) {
		l.Withdraw = top
	}
	if l.State != tianbao.StandingReported {
		return
	}
	for _, v := range l.Ladder.List() {
		if v > l.Passed() {
			l.Next = v
			break
		}
	}
	if l.Next == 0 {
		return
	}
	if l.Mine.Has(l.Next) {
		l.Pass, l.Return = l.Next, l.Next
		return
	}
	// Who reviews further up need not wait for the levels below to send back what is wrong.
	for _, v := range l.Mine.List() {
		if v > l.Next {
			l.Return = v
			break
		}
	}
}

// line makes the line of a unit.
func (t tree) line(rv *Reviewer, levels tianbao.Levels, u *UnitState) ReviewLine {
	l := ReviewLine{UnitState: *u, Ladder: t.ladder(levels, u.Unit.Path)}
	l.Mine = t.mine(rv, u.Unit.Path) & l.Ladder
	l.may()
	return l
}
