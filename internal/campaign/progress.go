package campaign

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tianbao"
)

// Rate is a share that names what it is a share of.
type Rate struct {
	Part, Whole int
	Of          string // what the whole is, in the users' words
}

// String writes the share in percent with one digit, — for a share of nothing. It is
// rounded down, so that nothing is called whole that is not.
func (r Rate) String() string {
	if r.Whole == 0 {
		return "—"
	}
	mille := r.Part * 1000 / r.Whole
	return fmt.Sprintf("%d.%d%%", mille/10, mille%10)
}

// Figures count the expected units of a part of the register.
type Figures struct {
	// Expected are those that take part. Each stands in exactly one way.
	Expected int
	by       [standings]int
	late     [standings]int
	// Outside are units of the register that do not take part.
	Outside int
	// Rows are those of the expected units, Faulty those of them with errors; of now only.
	Rows, Faulty int
}

const standings = 10

func place(s tianbao.Standing) int { return slices.Index(tianbao.Standings(), s) }

// By returns how many stand so.
func (f *Figures) By(s tianbao.Standing) int {
	if i := place(s); i >= 0 {
		return f.by[i]
	}
	return 0
}

// Late returns how many of those that are overdue stood so when their time was over.
func (f *Figures) Late(s tianbao.Standing) int {
	if i := place(s); i >= 0 {
		return f.late[i]
	}
	return 0
}

// Done returns how many have reported, were passed, or have nothing to report.
func (f *Figures) Done() (n int) {
	for i, s := range tianbao.Standings() {
		if s.Done() {
			n += f.by[i]
		}
	}
	return n
}

// Rate is the share of the expected units that are done.
func (f *Figures) Rate() Rate { return Rate{f.Done(), f.Expected, "应报单位"} }

// Add counts others in.
func (f *Figures) Add(o *Figures) {
	f.Expected += o.Expected
	f.Outside += o.Outside
	f.Rows += o.Rows
	f.Faulty += o.Faulty
	for i := range f.by {
		f.by[i] += o.by[i]
		f.late[i] += o.late[i]
	}
}

// count counts units at an open or closed door in.
func (f *Figures) count(s tianbao.Standing, d Door, n int) {
	if d.Why == WhyOutside {
		f.Outside += n
		return
	}
	f.Expected += n
	if shown := Shown(s, d); shown == tianbao.StandingOverdue {
		f.by[place(shown)] += n
		f.late[place(s)] += n
	} else {
		f.by[place(s)] += n
	}
}

// Node is a bureau, department or other unit with units below it, and the figures of all
// that lies below it, itself included.
type Node struct {
	Unit   tianbao.Unit
	Parent tianbao.ID // the node above it in this tree, 0 for a top
	Depth  int        // 0 for a top
	Figures
}

// Progress is how far a collection has come within a viewer's scope at a time.
type Progress struct {
	At    time.Time
	Plan  *Plan
	Total Figures
	Nodes []Node // in the order of the tree
	// Regions are the figures of the units of each region, without the regions in it.
	Regions map[tianbao.ID]*Figures
}

// Progress returns the figures of a collection at a time, the zero time for now. Figures
// of now may be one second old.
func (s *Service) Progress(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, at time.Time) (*Progress, error) {
	now := s.Now()
	if at.After(now) {
		return nil, tianbao.Invalid("to_come", "这个日期还没有到，请选择今天或以前的日期。")
	}
	if !at.IsZero() {
		return s.progress(ctx, scope, Question{Campaign: campaign, At: at, Past: true})
	}
	key := campaign.String() + " " + strings.Join(slices.Sorted(slices.Values(scope.Paths)), " ")
	return s.recent.get(ctx, key, now, func() (*Progress, error) {
		return s.progress(ctx, scope, Question{Campaign: campaign, At: now})
	})
}

func (s *Service) progress(ctx context.Context, scope tianbao.Scope, q Question) (*Progress, error) {
	t, err := s.Store.Tally(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	return rollUp(t, q.At), nil
}

// rollUp adds the cells up along the tree.
func rollUp(t *Tally, at time.Time) *Progress {
	p := &Progress{At: at, Plan: t.Plan, Regions: make(map[tianbao.ID]*Figures)}
	nodes := make(map[tianbao.ID]*Node)
	parents := make(map[tianbao.ID]bool)
	for i := range t.Cells {
		if ids := below(t.Tops, t.Cells[i].Path); len(ids) > 1 {
			for _, id := range ids[:len(ids)-1] {
				parents[id] = true
			}
		}
	}
	for i := range t.Cells {
		c := &t.Cells[i]
		var f Figures
		f.count(c.State, t.Plan.At(Place{c.Path, c.Region}, at), c.Count)
		if f.Expected > 0 {
			f.Rows, f.Faulty = c.Rows, c.Faulty
		}
		p.Total.Add(&f)
		region := p.Regions[c.Region]
		if region == nil {
			region = &Figures{}
			p.Regions[c.Region] = region
		}
		region.Add(&f)
		above := tianbao.ID(0)
		for depth, id := range below(t.Tops, c.Path) {
			u, known := t.Units[id]
			if !known || id == c.Unit && c.Kind == "unit" && !parents[id] {
				break // a unit of the cell itself, with nothing below it
			}
			n := nodes[id]
			if n == nil {
				n = &Node{Unit: u, Parent: above, Depth: depth}
				nodes[id] = n
			}
			n.Add(&f)
			above = id
		}
	}
	for _, n := range slices.SortedFunc(maps.Values(nodes), func(a, b *Node) int { return strings.Compare(a.Unit.Path, b.Unit.Path) }) {
		p.Nodes = append(p.Nodes, *n)
	}
	return p
}

// below returns the ids of a path from the viewer's top on.
func below(tops []string, path string) []tianbao.ID {
	for _, top := range tops {
		if !strings.HasPrefix(path, top) {
			continue
		}
		skip := strings.Count(strings.Trim(top, "/"), "/")
		var ids []tianbao.ID
		for i, part := range strings.Split(strings.Trim(path, "/"), "/") {
			if i < skip {
				continue
			}
			id, err := tianbao.ParseID(part)
			if err != nil {
				return nil
			}
			ids = append(ids, id)
		}
		return ids
	}
	return nil
}

// recent keeps progress for a second: half a province looks at it in the last hour.
type recent struct {
	mu  sync.Mutex
	all map[string]*moment
}

type moment struct {
	ready chan struct{} // closed when p and err are there
	at    time.Time
	p     *Progress
	err   error
}

const (
	recentFor  = time.Second
	recentMost = 200 // scopes
)

func (r *recent) get(ctx context.Context, key string, now time.Time, ask func() (*Progress, error)) (*Progress, error) {
	r.mu.Lock()
	m := r.all[key]
	if m == nil || now.Sub(m.at) >= recentFor || now.Before(m.at) {
		if r.all == nil || len(r.all) >= recentMost {
			r.all = make(map[string]*moment)
		}
		m = &moment{ready: make(chan struct{}), at: now}
		r.all[key] = m
		r.mu.Unlock()
		defer close(m.ready)
		m.p, m.err = ask()
		if m.p == nil {
			r.mu.Lock()
			delete(r.all, key)
			r.mu.Unlock()
		}
		return m.p, m.err
	}
	r.mu.Unlock()
	select {
	case <-m.ready:
		if m.p == nil {
			return ask() // the one that was waited for may only have been cut off
		}
		return m.p, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
