package campaign

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tianbao"
)

// Place is where a unit stands in the register.
type Place struct {
	Path   string // as tianbao.Unit has it
	Region tianbao.ID
}

// Why is what a door's state comes from.
type Why string

// The reasons. Only WhyOpen lets rows in.
const (
	WhyOpen      Why = "open"
	WhyReopened  Why = "reopened"  // open again, by a rule
	WhyPreparing Why = "preparing" // the collection is not released
	WhyEnded     Why = "ended"     // the collection has ended
	WhyOutside   Why = "outside"   // the unit does not take part
	WhyNotYet    Why = "not_yet"   // its window has not begun
	WhyClosed    Why = "closed"    // its window is over
	WhyLocked    Why = "locked"    // by a rule
	WhyPassed    Why = "passed"    // a reviewer passed what it reported
)

// Door tells whether rows of a unit may be written at a moment.
type Door struct {
	Why Why
	// When is, while it is open, when it closes (zero: no end); of a window that has not
	// begun when it does; of one that is over and of an ended collection since when; of a
	// lock until when (zero: until it is lifted).
	When time.Time
	// Rule is the lock or reopening that decides, nil without one.
	Rule *tianbao.CampaignRule
	// Late: the unit's time is over, and nobody gave it more. What is not done is overdue.
	Late bool
}

// Open reports whether rows may be written.
func (d Door) Open() bool { return d.Why == WhyOpen || d.Why == WhyReopened }

// Plan is a collection with its rules, ready to answer. It does not change once made.
type Plan struct {
	Campaign tianbao.Campaign
	// above has the region above each.
	above map[tianbao.ID]tianbao.ID
	// units and regions have the rules by what they are about, in the order made.
	units   map[tianbao.ID][]*tianbao.CampaignRule
	regions map[tianbao.ID][]*tianbao.CampaignRule
	// alone has those that are about a unit and nothing below it.
	alone map[tianbao.ID][]*tianbao.CampaignRule
	// includes are the rules that include something.
	includes []*tianbao.CampaignRule
}

// NewPlan makes the plan of a collection from all its rules, also those that were taken
// back, in whatever order, and the regions of the register.
func NewPlan(c tianbao.Campaign, rules []tianbao.CampaignRule, regions []tianbao.Region) *Plan {
	p := &Plan{
		Campaign: c, above: make(map[tianbao.ID]tianbao.ID, len(regions)),
		units: make(map[tianbao.ID][]*tianbao.CampaignRule), regions: make(map[tianbao.ID][]*tianbao.CampaignRule),
		alone: make(map[tianbao.ID][]*tianbao.CampaignRule),
	}
	for _, r := range regions {
		p.above[r.ID] = r.Parent
	}
	rules = slices.Clone(rules)
	slices.SortFunc(rules, func(a, b tianbao.CampaignRule) int {
		return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID))
	})
	for i := range rules {
		r := &rules[i]
		if r.Kind == tianbao.RuleInclude {
			p.includes = append(p.includes, r)
		}
		if r.Alone {
			p.alone[r.Unit] = append(p.alone[r.Unit], r)
		} else if r.Unit != 0 {
			p.units[r.Unit] = append(p.units[r.Unit], r)
		} else {
			p.regions[r.Region] = append(p.regions[r.Region], r)
		}
	}
	return p
}

// Names reports whether any rule is about a unit, also one that was taken back.
func (p *Plan) Names(unit tianbao.ID) bool { return len(p.units[unit]) > 0 || len(p.alone[unit]) > 0 }

// Takes reports whether the unit at a place takes part at a time: it lies below the
// collection's owner, and the nearest rule that includes or excludes says so; without
// one, nothing else must be included either.
func (p *Plan) Takes(at Place, t time.Time) bool {
	if o := p.Campaign.Owner; o != 0 && !strings.Contains(at.Path, "/"+o.String()+"/") {
		return false
	}
	if r := p.nearest(at, t, tianbao.RuleInclude, tianbao.RuleExclude); r != nil {
		return r.Kind == tianbao.RuleInclude
	}
	return !slices.ContainsFunc(p.includes, func(r *tianbao.CampaignRule) bool { return r.Stands(t) })
}

// Window returns the window of a place at a time: that of the nearest rule, else the
// collection's own.
func (p *Plan) Window(at Place, t time.Time) (opens, closes time.Time) {
	if r := p.nearest(at, t, tianbao.RuleWindow); r != nil {
		return r.Opens, r.Closes
	}
	return p.Campaign.Opens, p.Campaign.Closes
}

// At tells whether rows of the unit at a place may be written at a time, as the rules
// stood then. It does not know reviews; see [Door.Passed].
func (p *Plan) At(at Place, t time.Time) Door {
	c := &p.Campaign
	opens, closes := p.Window(at, t)
	late := !closes.IsZero() && !t.Before(closes)
	switch {
	case !p.Takes(at, t):
		return Door{Why: WhyOutside}
	case !c.Archived.IsZero() && !t.Before(c.Archived), !c.Ended.IsZero() && !t.Before(c.Ended):
		return Door{Why: WhyEnded, When: c.Ended, Late: true}
	case !c.Released || t.Before(c.Opened):
		return Door{Why: WhyPreparing}
	}
	switch r := p.lastWord(at, t); {
	case r != nil && r.Kind == tianbao.RuleReopen:
		return Door{Why: WhyReopened, When: r.Closes, Rule: r}
	case r != nil:
		return Door{Why: WhyLocked, When: r.Closes, Rule: r, Late: late}
	case t.Before(opens):
		return Door{Why: WhyNotYet, When: opens}
	case late:
		return Door{Why: WhyClosed, When: closes, Late: true}
	}
	return Door{Why: WhyOpen, When: closes}
}

// Passed is the door of a unit whose rows a reviewer passed: nothing opens it but the
// reviewer, who takes the pass back.
func (d Door) Passed() Door {
	if d.Why == WhyOutside || d.Why == WhyPreparing || d.Why == WhyEnded {
		return d
	}
	return Door{Why: WhyPassed, Late: d.Late}
}

// nearest returns the rule of the kinds that stands at a time nearest to a place: the
// unit's own before that of a unit above, units before regions, a region before the one
// above; of two about the same thing the later.
func (p *Plan) nearest(at Place, t time.Time, kinds ...tianbao.RuleKind) *tianbao.CampaignRule {
	var found *tianbao.CampaignRule
	p.each(at, func(rules []*tianbao.CampaignRule) bool {
		for _, r := range slices.Backward(rules) {
			if slices.Contains(kinds, r.Kind) && r.Stands(t) {
				found = r
				return false
			}
		}
		return true
	})
	return found
}

// lastWord returns the lock or reopening that was made last of those that hold for a
// place at a time, however near: the last decision counts, and when it ends the one
// before it counts again.
func (p *Plan) lastWord(at Place, t time.Time) (last *tianbao.CampaignRule) {
	p.each(at, func(rules []*tianbao.CampaignRule) bool {
		for _, r := range rules {
			if r.Kind != tianbao.RuleLock && r.Kind != tianbao.RuleReopen || !r.Stands(t) ||
				t.Before(r.Opens) || !r.Closes.IsZero() && !t.Before(r.Closes) {
				continue
			}
			if last == nil || cmp.Or(last.Made.Compare(r.Made), cmp.Compare(last.ID, r.ID)) < 0 {
				last = r
			}
		}
		return true
	})
	return last
}

// each calls fn with the rules of each thing that a place lies in, the nearest first,
// until it returns false.
func (p *Plan) each(at Place, fn func([]*tianbao.CampaignRule) bool) {
	path := strings.Trim(at.Path, "/")
	if len(p.alone) > 0 {
		id, err := tianbao.ParseID(path[strings.LastIndexByte(path, '/')+1:])
		if rules := p.alone[id]; err == nil && len(rules) > 0 && !fn(rules) {
			return
		}
	}
	if len(p.units) > 0 {
		for path != "" {
			cut := strings.LastIndexByte(path, '/')
			id, err := tianbao.ParseID(path[cut+1:])
			if rules := p.units[id]; err == nil && len(rules) > 0 && !fn(rules) {
				return
			}
			path = path[:max(cut, 0)]
		}
	}
	if len(p.regions) == 0 {
		return
	}
	// A province has three levels of regions; more than a few are a circle.
	for id, n := at.Region, 0; id != 0 && n < 10; id, n = p.above[id], n+1 {
		if rules := p.regions[id]; len(rules) > 0 && !fn(rules) {
			return
		}
	}
}
