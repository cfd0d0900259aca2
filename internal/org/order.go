package org

import (
	"slices"
	"strings"
	"time"

	"tianbao"
)

// maxRounds is how often parents are looked through for circles. Each round leaves out
// rows, and what they leave may close another circle; nobody's workbook needs many.
const maxRounds = 20

// order returns the nodes of good rows, those above before those below, as the tree is
// to be. Rows in a circle, and below new rows that are left out, are left out too.
func (p *planner) order() []*node {
	for range maxRounds {
		if out, ok := p.orderOnce(); ok {
			return out
		}
	}
	for i, n := range p.rows {
		if n != nil && n.moves && !p.bad[i] {
			p.circle(i)
		}
	}
	out, _ := p.orderOnce()
	return out
}

// aim is the node above as it is to be: a row that is left out moves nothing.
func (p *planner) aim(n *node) *node {
	if n.row >= 0 && p.bad[n.row] {
		return n.was
	}
	return n.up
}

func (p *planner) circle(i int) {
	p.fault(i, keyParent, "parent_code.cycle", tianbao.SeverityError, "按本表各行的上级单位，这个单位成了自己的下级，请改正上级单位编码。")
}

// orderOnce walks up from every row and reports whether it met no circle.
func (p *planner) orderOnce() (out []*node, ok bool) {
	const walking, done = -1, -2
	for _, n := range p.nodes {
		n.depth = 0
	}
	for _, n := range p.rows {
		if n != nil {
			n.depth = 0
		}
	}
	ok = true
	var chain []*node
	for _, n := range p.rows {
		chain = chain[:0]
		for at := n; at != nil && at.depth != done; at = p.aim(at) {
			if at.depth == walking {
				// The circle is the end of the chain, from at on.
				for _, c := range chain[slices.Index(chain, at):] {
					if c.row >= 0 && c.moves && !p.bad[c.row] {
						p.circle(c.row)
						ok = false
					}
				}
				break
			}
			at.depth = walking
			chain = append(chain, at)
		}
		for _, c := range slices.Backward(chain) {
			c.depth = done
			if c.row < 0 || p.bad[c.row] {
				continue
			}
			up := p.aim(c)
			if up != nil && up.isNew() && p.bad[up.row] {
				p.fault(c.row, keyParent, "parent_code.left", tianbao.SeverityError, "上级单位所在的行有错误，不会登记，请先改正那一行。")
				continue
			}
			out = append(out, c)
		}
	}
	return out, ok
}

// closings refuses to close units that have something open below them when all is done.
func (p *planner) closings(order []*node) {
	for _, n := range p.nodes {
		n.below = 0
	}
	count := func(n *node) {
		if up := p.aim(n); up != nil {
			up.below++
		}
	}
	for _, n := range p.nodes {
		count(n)
	}
	for _, n := range order {
		if n.isNew() && !p.bad[n.row] {
			count(n)
		}
	}
	// From below, so that a whole branch can close.
	for _, n := range slices.Backward(order) {
		switch {
		case !n.close || p.bad[n.row]:
		case n.below > 0:
			p.fault(n.row, keyState, "state.below", tianbao.SeverityError, "这个单位还有下级单位，请先把下级单位划转或撤销。")
		case n.up != nil:
			n.up.below--
		}
	}
}

// later reports whether an entry changed after the day; below looks at everything below
// it too, closed or not.
func (p *planner) later(e *tianbao.UnitEntry, day time.Time, below bool) bool {
	if !below {
		return e.Since.After(day)
	}
	return laterBelow(p.entries, e.Path, day)
}

// laterBelow looks through the entries of a subtree, which stand in a row.
func laterBelow(entries []tianbao.UnitEntry, path string, day time.Time) bool {
	i, _ := slices.BinarySearchFunc(entries, path, func(e tianbao.UnitEntry, path string) int { return strings.Compare(e.Path, path) })
	for ; i < len(entries) && strings.HasPrefix(entries[i].Path, path); i++ {
		if entries[i].Since.After(day) {
			return true
		}
	}
	return false
}
