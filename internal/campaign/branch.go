package campaign

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"tianbao"
)

// Undone returns how many of the expected units something is still awaited of.
func (f *Figures) Undone() int { return f.Expected - f.Done() }

// Quality is how many rows of a hundred have errors.
func (f *Figures) Quality() Rate { return Rate{f.Faulty, f.Rows, "已提交的行"} }

// Hundredth writes a share as a number in a hundred with two digits, — for a share of
// nothing. It is rounded up, so that nothing is called clean that is not.
func (r Rate) Hundredth() string {
	if r.Whole == 0 {
		return "—"
	}
	n := (r.Part*10_000 + r.Whole - 1) / r.Whole
	return strconv.Itoa(n/100) + "." + strconv.Itoa(n/10%10) + strconv.Itoa(n%10)
}

// Node returns the node of a unit, nil if it is none.
func (p *Progress) Node(unit tianbao.ID) *Node {
	for i := range p.Nodes {
		if p.Nodes[i].Unit.ID == unit {
			return &p.Nodes[i]
		}
	}
	return nil
}

// Branches returns the nodes right below a unit, those of the tops for 0, and the
// figures of what else lies there: the unit itself and units with nothing below them.
func (p *Progress) Branches(unit tianbao.ID) (below []*Node, rest Figures) {
	whole := p.Total
	if n := p.Node(unit); n != nil {
		whole = n.Figures
	}
	var sum Figures
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.Parent == unit {
			below = append(below, n)
			sum.Add(&n.Figures)
		}
	}
	return below, whole.less(&sum)
}

// Leaf reports whether a node has no nodes below it.
func (p *Progress) Leaf(unit tianbao.ID) bool {
	return !slices.ContainsFunc(p.Nodes, func(n Node) bool { return n.Parent == unit })
}

// Above returns the nodes above one, the topmost first.
func (p *Progress) Above(unit tianbao.ID) (path []*Node) {
	for n := p.Node(unit); n != nil && n.Parent != 0; {
		n = p.Node(n.Parent)
		if n != nil {
			path = append(path, n)
		}
	}
	slices.Reverse(path)
	return path
}

// less returns f without a part of it.
func (f Figures) less(o *Figures) Figures {
	f.Expected -= o.Expected
	f.Outside -= o.Outside
	f.Rows -= o.Rows
	f.Faulty -= o.Faulty
	for i := range f.by {
		f.by[i] -= o.by[i]
		f.late[i] -= o.late[i]
	}
	return f
}

// Slowest returns the branches of which the smallest share is done, at most n, of those
// that are not all done; of equal shares the one with more to do comes first.
func Slowest(branches []*Node, n int) []*Node {
	var out []*Node
	for _, b := range branches {
		if b.Undone() > 0 {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(a.Done()*b.Expected, b.Done()*a.Expected), cmp.Compare(b.Undone(), a.Undone()))
	})
	return out[:min(n, len(out))]
}

// Region returns the figures of a region with the regions in it.
func (p *Progress) Region(id tianbao.ID) (sum Figures) {
	for r, f := range p.Regions {
		if p.Plan.lies(r, id) {
			sum.Add(f)
		}
	}
	return sum
}

// Excluded reports whether a region as a whole does not take part.
func (p *Progress) Excluded(id tianbao.ID) bool {
	r := p.Plan.nearest(Place{Region: id}, p.At, tianbao.RuleInclude, tianbao.RuleExclude)
	return r != nil && r.Kind == tianbao.RuleExclude
}

// Pulse is another one whenever figures may be others, the clock aside.
type Pulse struct {
	Last     tianbao.ID // the newest change of where a unit stands
	Rules    int64      // version of the collection with its rules
	Register int64
}

// Pulse returns the pulse of a collection; it costs the same in any province.
func (s *Service) Pulse(ctx context.Context, campaign tianbao.ID) (Pulse, error) {
	return s.Store.Pulse(ctx, campaign)
}
