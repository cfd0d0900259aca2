package compare

import (
	"cmp"
	"slices"

	"tianbao"
)

// judge judges one cluster after the other.
type judge struct {
	pairs []pair
	out   []Finding
}

// pair are two lines of a cluster that may be one.
type pair struct {
	o, n  int // places among the cluster's old and new lines
	rung  Rung
	why   Why
	score int
	ev    evidence
}

// run returns what is said of each line of a cluster; the slice is used again. Lines that
// do not meet say nothing of each other, so clusters that were put together would be judged
// alike.
func (j *judge) run(e *Engine, cluster []ref) []Finding {
	var side [2][]*Record
	for _, r := range cluster {
		side[r.side()] = append(side[r.side()], &e.lines[r.side()][r.at()].rec)
	}
	place := [2]map[tianbao.ID]int{}
	for s := range side {
		slices.SortFunc(side[s], func(a, b *Record) int { return cmp.Compare(a.ID, b.ID) })
		place[s] = make(map[tianbao.ID]int, len(side[s]))
		for i, r := range side[s] {
			place[s][r.ID] = i
		}
	}
	olds, news := side[Old], side[New]
	j.out = j.out[:0]
	for _, r := range olds {
		j.out = append(j.out, Finding{Side: Old, ID: r.ID, List: Missing})
	}
	for _, r := range news {
		j.out = append(j.out, Finding{Side: New, ID: r.ID, List: Extra})
	}
	if len(olds) == 0 || len(news) == 0 {
		return j.out
	}
	j.meet(e, olds, news, place[New])
	matched := [2][]bool{make([]bool, len(olds)), make([]bool, len(news))}
	pairUp := func(p *pair, rung Rung) {
		matched[Old][p.o], matched[New][p.n] = true, true
		j.say(p.o, Old, Matched, news[p.n].ID, rung, NoWhy, &p.ev)
		j.say(len(olds)+p.n, New, Matched, olds[p.o].ID, rung, NoWhy, &p.ev)
	}
	for i, o := range olds {
		if other, ok := e.same[Old][o.ID]; ok {
			if k, ok := place[New][other]; ok {
				pairUp(&pair{o: i, n: k, ev: weigh(o, news[k])}, RungDecided)
			}
		}
	}
	for rung := RungUser; rung <= RungName; rung++ {
		j.assign(rung, &matched, pairUp)
	}
	j.doubts(olds, news, &matched)
	return j.out
}

// meet finds the pairs of a cluster: lines that share a key and may be one.
func (j *judge) meet(e *Engine, olds, news []*Record, place map[tianbao.ID]int) {
	j.pairs = j.pairs[:0]
	for i, o := range olds {
		from := len(j.pairs)
		for _, k := range slices.Clone(e.keysOf(o)) {
			for _, r := range e.group(k) {
				if r.side() != New {
					continue
				}
				n := &e.lines[New][r.at()].rec
				at := place[n.ID]
				if e.differ[[2]tianbao.ID{o.ID, n.ID}] || slices.ContainsFunc(j.pairs[from:], func(p pair) bool { return p.n == at }) {
					continue
				}
				p := pair{o: i, n: at, ev: weigh(o, n)}
				if p.rung, p.why = p.ev.climb(); p.rung != NoRung {
					p.score = p.ev.score()
				}
				j.pairs = append(j.pairs, p)
			}
		}
	}
	j.pairs = slices.DeleteFunc(j.pairs, func(p pair) bool { return p.rung == NoRung })
	slices.SortFunc(j.pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.rung, b.rung), cmp.Compare(b.score, a.score), cmp.Compare(a.o, b.o), cmp.Compare(a.n, b.n))
	})
}

// assign makes the matches of a rung, one to one: two lines that are each other's best
// answer, better than any other, are a match; and again among those that are left.
func (j *judge) assign(rung Rung, matched *[2][]bool, pairUp func(*pair, Rung)) {
	type best struct {
		p     *pair
		score int
		tie   bool
	}
	for {
		var of [2]map[int]*best
		of[Old], of[New] = make(map[int]*best), make(map[int]*best)
		for i := range j.pairs {
			p := &j.pairs[i]
			if p.rung != rung || p.why != NoWhy || matched[Old][p.o] || matched[New][p.n] {
				continue
			}
			for s, at := range [2]int{p.o, p.n} {
				switch b := of[s][at]; {
				case b == nil:
					of[s][at] = &best{p, p.score, false} // the pairs are sorted: the best comes first
				case b.score == p.score:
					b.tie = true
				}
			}
		}
		done := true
		for i := range j.pairs {
			p := &j.pairs[i]
			bo, bn := of[Old][p.o], of[New][p.n]
			if bo == nil || bn == nil || bo.p != p || bn.p != p || bo.tie || bn.tie {
				continue
			}
			pairUp(p, rung)
			done = false
		}
		if done {
			return
		}
	}
}

// doubts marks the lines that are left and might be one with another line.
func (j *judge) doubts(olds, news []*Record, matched *[2][]bool) {
	for i := range j.pairs {
		p := &j.pairs[i]
		free := [2]bool{!matched[Old][p.o], !matched[New][p.n]}
		why := p.why
		switch {
		case free[Old] && free[New] && why == NoWhy:
			why = WhySeveral
		case free[Old] && free[New]:
		case why == NoWhy && p.rung <= RungPerson: // the other is taken
			why = WhyTaken
		default:
			continue
		}
		if free[Old] {
			j.doubt(p.o, Old, news[p.n].ID, p, why)
		}
		if free[New] {
			j.doubt(len(olds)+p.n, New, olds[p.o].ID, p, why)
		}
	}
}

// doubt raises a doubt about a line; the first, of the highest rung, is told.
func (j *judge) doubt(at int, s Side, partner tianbao.ID, p *pair, why Why) {
	if j.out[at].List == Doubt {
		j.out[at].Others++
		return
	}
	j.say(at, s, Doubt, partner, p.rung, why, &p.ev)
	j.out[at].Others = 1
}

func (j *judge) say(at int, s Side, l List, partner tianbao.ID, rung Rung, why Why, ev *evidence) {
	j.out[at] = Finding{Side: s, ID: j.out[at].ID, List: l, Partner: partner, Rung: rung, Why: why, Agree: ev.agree, Like: ev.like, Differ: ev.differ}
}
