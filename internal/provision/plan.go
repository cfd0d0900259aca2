package provision

import (
	"cmp"
	"maps"
	"slices"

	"tianbao"
)

// Input is what a plan is made of.
type Input struct {
	// Rows are the accepted rows; those of whoever has not reported are not among them.
	Rows []Row
	// Accounts are what was applied so far, disabled ones included: at most one a person.
	Accounts []Account
	// Settled reports whether all that a unit has to say is among the rows. Who is in none
	// of them is disabled only where all units of the account are settled.
	Settled func(unit tianbao.ID) bool
	// Proven reports whether a phone was shown to be the person's; nil: nobody asks.
	Proven func(person, phone string) bool
}

// target is a person with what the account is to be.
type target struct {
	before *Account // nil: none
	after  Account
	rows   []Row
	why    Why
	with   []Ref
	needs  *target // gives up the login that this one takes
	place  int     // in the plan, -1: not yet
}

// moves reports whether the target takes another login than it has.
func (t *target) moves() bool { return t.before == nil || t.before.Login != t.after.Login }

// stays reports whether nothing is done.
func (t *target) stays() bool { return t.why != "" || t.before != nil && t.before.same(&t.after) }

// planner makes a plan.
type planner struct {
	*Input
	targets []*target          // in the order of persons; those without an id at the end
	holder  map[string]*target // by the login that somebody has now
	claims  map[string][]*target
}

// Make makes the plan.
func Make(in *Input) *Plan {
	p := &planner{Input: in, holder: make(map[string]*target), claims: make(map[string][]*target)}
	p.people()
	p.shared()
	for p.taken() {
	}
	p.swaps()
	return p.plan()
}

// people finds what each person's account is to be, everybody looked at alone.
func (p *planner) people() {
	rows := make(map[string][]Row)
	for _, r := range p.Rows {
		if r.Person == "" {
			p.targets = append(p.targets, &target{rows: []Row{r}, why: NoPerson})
			continue
		}
		rows[r.Person] = append(rows[r.Person], r)
	}
	slices.SortFunc(p.targets, func(a, b *target) int { return compareRows(a.rows[0], b.rows[0]) })
	accounts := make(map[string]*Account, len(p.Accounts))
	for i := range p.Accounts {
		accounts[p.Accounts[i].Person] = &p.Accounts[i]
	}
	persons := maps.Clone(rows)
	for person := range accounts {
		persons[person] = rows[person]
	}
	var all []*target
	for _, person := range slices.Sorted(maps.Keys(persons)) {
		of := slices.Clone(rows[person])
		slices.SortFunc(of, compareRows)
		t := &target{before: accounts[person], rows: of, place: -1}
		if len(of) == 0 {
			p.gone(t)
		} else {
			p.wanted(t)
		}
		if t.before != nil {
			p.holder[t.before.Login] = t
		}
		for i := range of { // whoever says it is one's own, also where something else is wrong
			if c := p.claims[of[i].Phone]; of[i].Mobile && !slices.Contains(c, t) {
				p.claims[of[i].Phone] = append(c, t)
			}
		}
		all = append(all, t)
	}
	p.targets = append(all, p.targets...)
}

// gone decides about an account whose person is in no row.
func (p *planner) gone(t *target) {
	t.after = *t.before
	if t.before.Disabled {
		return
	}
	var silent []tianbao.ID
	for _, u := range t.before.Units {
		if !p.Settled(u) {
			silent = append(silent, u)
		}
	}
	switch len(silent) {
	case len(t.before.Units): // nobody has said anything
	case 0:
		t.after.Disabled = true
	default:
		t.after.Units = silent
	}
}

// wanted decides what the account of a person with rows is to be.
func (p *planner) wanted(t *target) {
	first := &t.rows[0]
	t.after = Account{Person: first.Person, Name: first.Name}
	if t.before != nil {
		t.after.ID = t.before.ID
	}
	units := make(map[tianbao.ID]*Row) // the first row of each
	for i := range t.rows {
		r := &t.rows[i]
		if have := units[r.Unit]; have == nil || have.Reason == "" && r.Reason != "" {
			units[r.Unit] = r
		}
		switch {
		case r.Name != first.Name:
			t.hold(TwoNames)
		case r.Phone != first.Phone:
			t.hold(TwoPhones)
		}
	}
	var home *Row
	plain := 0 // units without a reason
	for _, u := range slices.Sorted(maps.Keys(units)) {
		r := units[u]
		if r.Reason == "" {
			plain++
			home = r
		}
	}
	if plain > 1 {
		t.hold(TwoUnits)
	}
	if home == nil { // all gave a reason: where the account is, or the first
		home = units[slices.Min(slices.Collect(maps.Keys(units)))]
		if t.before != nil {
			for _, u := range t.before.Units {
				if r := units[u]; r != nil {
					home = r
					break
				}
			}
		}
	}
	t.after.Legacy, t.after.Login = home.Legacy, first.Phone
	t.after.Units = p.unitsOf(t, units, home.Unit)
	if !first.Mobile {
		t.hold(NoMobile)
	}
	fresh := t.before == nil || t.before.Disabled || t.before.Login != first.Phone
	if fresh && p.Proven != nil && !p.Proven(first.Person, first.Phone) {
		t.hold(Unproven)
	}
}

// unitsOf lists the units of a person, the home first. Who is still in one of the earlier
// units keeps those that have not spoken; who is in none of them has moved.
func (p *planner) unitsOf(t *target, units map[tianbao.ID]*Row, home tianbao.ID) []tianbao.ID {
	out := []tianbao.ID{home}
	var more []tianbao.ID
	for u := range units {
		more = append(more, u)
	}
	if t.before != nil && !t.before.Disabled && slices.ContainsFunc(t.before.Units, func(u tianbao.ID) bool { return units[u] != nil }) {
		for _, u := range t.before.Units {
			if !p.Settled(u) {
				more = append(more, u)
			}
		}
	}
	slices.Sort(more)
	for _, u := range slices.Compact(more) {
		if u != home {
			out = append(out, u)
		}
	}
	return out
}

// hold holds the target, with the first reason that was found.
func (t *target) hold(why Why, with ...*target) {
	if t.why != "" {
		return
	}
	t.why = why
	for _, o := range with {
		for i := range o.rows {
			if o != t {
				t.with = append(t.with, o.rows[i].ref())
			}
		}
	}
}

// shared holds whoever says that another one's phone is the own. Who signs in with it
// already goes on doing so.
func (p *planner) shared() {
	for _, login := range slices.Sorted(maps.Keys(p.claims)) {
		claimants := p.claims[login]
		if len(claimants) < 2 {
			continue
		}
		for _, t := range claimants {
			if t.before != nil && !t.before.Disabled && t.before.Login == login && t.after.Login == login {
				continue
			}
			t.hold(PhoneShared, claimants...)
		}
	}
}

// taken holds whoever takes the login of an account that keeps it, and tells who gives
// one up for whom; it reports whether it held anybody, which may keep others.
func (p *planner) taken() (held bool) {
	for _, t := range p.targets {
		t.needs = nil
		if t.stays() || t.after.Disabled || !t.moves() {
			continue
		}
		h := p.holder[t.after.Login]
		if h == nil || h == t {
			continue
		}
		gives := h.why == "" && h.moves() || h.before.Disabled || h.why == "" && h.after.Disabled
		if !gives {
			t.hold(PhoneTaken, h)
			held = true
			continue
		}
		t.needs = h
	}
	return held
}

// swaps holds the people of whom each waits for another one's login in a circle.
func (p *planner) swaps() {
	for _, t := range p.targets {
		if t.stays() || t.needs == nil {
			continue
		}
		n, at := 0, t
		for ; at.needs != nil && n <= len(p.targets); n++ {
			if at = at.needs; at == t {
				break
			}
		}
		if at != t {
			continue
		}
		circle := []*target{t}
		for at = t.needs; at != t; at = at.needs {
			circle = append(circle, at)
		}
		for _, c := range circle {
			c.hold(PhoneSwap, circle...)
		}
	}
}

// plan writes down what was found.
func (p *planner) plan() *Plan {
	out := &Plan{}
	// A disabled account gives its phone up only to somebody.
	for _, t := range p.targets {
		if t.needs == nil || t.stays() {
			continue
		}
		if h := t.needs; h.why != "" || h.after.Disabled { // disabled, or being it
			h.after = *h.before
			h.after.Disabled, h.after.Login = true, Retired(h.before.ID)
			if h.why != "" {
				p.release(out, h)
			}
		}
	}
	var order []*target
	for _, t := range p.targets {
		switch {
		case t.why != "":
			out.Held = append(out.Held, t.held())
		case t.stays():
			if !t.after.Disabled {
				out.Kept++
			}
		default:
			order = append(order, t)
		}
	}
	rank := make(map[Kind]int)
	for i, k := range Kinds() {
		rank[k] = i
	}
	slices.SortStableFunc(order, func(a, b *target) int { return cmp.Compare(rank[a.kind()], rank[b.kind()]) })
	for _, t := range order {
		p.emit(out, t)
	}
	return out
}

// release is the step of a disabled account whose person is held, which stays disabled.
func (p *planner) release(out *Plan, h *target) {
	h.place = len(out.Steps)
	out.Steps = append(out.Steps, Step{Kind: Release, Before: *h.before, After: h.after, Needs: -1})
}

// emit appends a target's step behind the one that it needs.
func (p *planner) emit(out *Plan, t *target) {
	if t.place >= 0 {
		return
	}
	s := Step{Kind: t.kind(), After: t.after, Needs: -1}
	if t.needs != nil {
		p.emit(out, t.needs)
		s.Needs = t.needs.place
	}
	if t.before != nil {
		s.Before = *t.before
	}
	for i := range t.rows {
		s.Rows = append(s.Rows, t.rows[i].ref())
	}
	t.place = len(out.Steps)
	out.Steps = append(out.Steps, s)
}

func (t *target) kind() Kind {
	b := t.before
	switch {
	case b == nil:
		return Create
	case b.Disabled && t.after.Disabled:
		return Release
	case t.after.Disabled:
		return Disable
	case b.Disabled:
		return Restore
	case !slices.Equal(b.Units, t.after.Units):
		return Rebind
	}
	return Change
}

func (t *target) held() Held {
	first := t.rows[0]
	h := Held{Why: t.why, Person: first.Person, Name: first.Name, Phone: first.Phone, With: t.with}
	if t.before != nil {
		h.Account = t.before.ID
	}
	for i := range t.rows {
		h.Rows = append(h.Rows, t.rows[i].ref())
	}
	return h
}
