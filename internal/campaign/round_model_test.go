package campaign_test

import (
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/remind"
)

// What a plain observer of a round knows: written down act by act in maps, counted unit by
// unit, without a line of the product's rules.

// place is what a unit is in the register.
type place struct {
	id      tianbao.ID
	name    string
	up      []tianbao.ID // itself, then those above, the nearest first
	bureaus []tianbao.ID // those of up that are finance bureaus
	region  tianbao.ID
	account bool
	phone   bool
	mail    bool
}

// part is what one sheet holds of a unit.
type part struct {
	rows  map[tianbao.ID]bool // with whether each has errors
	waits bool                // not reported as it is now
}

// standing is what a round has brought of a unit.
type standing struct {
	*place
	parts    map[tianbao.ID]*part // by the owner of the sheet
	draft    bool
	declared string
	returned bool
	complete bool // passed by the last level
	passed   map[int]bool
	reminded time.Time // taken into a round last
	was      string    // the state after the act before
}

// order is a lock or reopening, or a window of its own, or an exclusion.
type order struct {
	id           tianbao.ID // in the product
	n            int        // which one it is
	what         string
	unit, region tianbao.ID
	alone        bool
	opens        time.Time
	closes       time.Time
	by           tianbao.ID // the bureau, 0: who runs the collection
	over         bool       // taken back
}

// model is a round as the observer knows it.
type model struct {
	units   []*standing // in the order of ids
	of      map[tianbao.ID]*standing
	opens   time.Time
	closes  time.Time
	opened  bool
	ended   bool
	orders  []*order                // in the order given
	by      map[tianbao.ID][]*order // by what they are about, ids of units and of regions
	levels  []int                   // that review
	policy  remind.Policy
	regions map[tianbao.ID]tianbao.ID // what lies in what
}

func newModel(register []*place) *model {
	m := &model{of: map[tianbao.ID]*standing{}, by: map[tianbao.ID][]*order{}, regions: map[tianbao.ID]tianbao.ID{2107: 21, 2102: 21}}
	for _, p := range register {
		s := &standing{place: p, parts: map[tianbao.ID]*part{}, passed: map[int]bool{}}
		m.units, m.of[p.id] = append(m.units, s), s
	}
	return m
}

// give adds an order.
func (m *model) give(o *order) {
	o.n = len(m.orders)
	m.orders = append(m.orders, o)
	m.by[-o.region] = append(m.by[-o.region], o)
	m.by[o.unit] = append(m.by[o.unit], o)
}

// on are the orders about a unit, in the order given.
func (m *model) on(u *standing) (out []*order) {
	for _, id := range u.up {
		out = append(out, m.by[id]...)
	}
	for r := u.region; r != 0; r = m.regions[r] {
		out = append(out, m.by[-r]...)
	}
	slices.SortFunc(out, func(a, b *order) int { return a.n - b.n })
	return out
}

// about tells how near an order is to a unit: 1 for one of its own, then upward, then its
// region and what that lies in; 0 for not at all.
func (m *model) about(o *order, u *standing) int {
	if o.over {
		return 0
	}
	if o.unit != 0 {
		if o.alone && o.unit != u.id {
			return 0
		}
		return slices.Index(u.up, o.unit) + 1
	}
	n := len(u.up) + 1
	for r := u.region; r != 0; r = m.regions[r] {
		if r == o.region {
			return n
		}
		n++
	}
	return 0
}

// nearest is the nearest order of a kind about a unit, the last given of two as near.
func (m *model) nearest(what string, u *standing) *order {
	var found *order
	for _, o := range m.on(u) {
		if n := m.about(o, u); o.what == what && n > 0 && (found == nil || n <= m.about(found, u)) {
			found = o
		}
	}
	return found
}

// door tells whether rows of a unit may be written, until when (zero: whenever), and
// whether its time is over.
func (m *model) door(u *standing, t time.Time) (why string, until time.Time, late bool) {
	opens, closes := m.opens, m.closes
	if w := m.nearest("window", u); w != nil {
		opens, closes = w.opens, w.closes
	}
	late = t.Compare(closes) >= 0
	switch {
	case m.nearest("exclude", u) != nil:
		return "outside", until, false
	case m.ended:
		return "ended", until, true
	case !m.opened:
		return "preparing", until, false
	}
	why, until = "open", closes
	if late {
		why = "closed"
	}
	if t.Before(opens) {
		why = "not_yet"
	}
	for _, o := range m.on(u) { // the last word counts
		if m.about(o, u) == 0 || t.Before(o.opens) || !o.closes.IsZero() && t.Compare(o.closes) >= 0 {
			continue
		}
		switch o.what {
		case "lock":
			why, until = "locked", o.closes
		case "reopen":
			why, until = "reopened", o.closes
		}
	}
	return why, until, late && why != "reopened"
}

// lets tells why rows of a unit may not be written, "" where they may.
func (m *model) lets(u *standing, t time.Time) string {
	why, _, _ := m.door(u, t)
	switch {
	case why == "outside" || why == "ended" || why == "preparing":
		return why
	case len(u.passed) > 0:
		return "passed"
	case why == "open" || why == "reopened":
		return ""
	}
	return why
}

// sums counts a unit's rows, in whatever sheet.
func (u *standing) sums() (rows, faulty int, waits bool) {
	for _, p := range u.parts {
		for _, bad := range p.rows {
			rows++
			if bad {
				faulty++
			}
		}
		waits = waits || p.waits && len(p.rows) > 0
	}
	return rows, faulty, waits
}

// state is where a unit stands, whatever the time.
func (u *standing) state() string {
	rows, faulty, waits := u.sums()
	switch {
	case rows > 0 && !waits && u.complete:
		return "passed"
	case rows > 0 && !waits:
		return "reported"
	case rows == 0 && u.declared != "":
		return u.declared
	case u.returned:
		return "returned"
	case faulty > 0:
		return "faulty"
	case rows > 0:
		return "saved"
	case u.draft:
		return "draft"
	}
	return ""
}

// done tells whether nothing is awaited of a unit that stands so.
func done(state string) bool {
	return state == "reported" || state == "passed" || state == "nil" || state == "exempt"
}

// shown is where people see a unit, "outside" where it takes no part.
func (m *model) shown(u *standing, t time.Time) string {
	why, _, late := m.door(u, t)
	switch s := u.state(); {
	case why == "outside":
		return why
	case late && !done(s):
		return "overdue"
	default:
		return s
	}
}

// awaited tells whether a unit may be reminded at a moment.
func (m *model) awaited(u *standing, t time.Time) bool {
	return m.lets(u, t) == "" && !done(u.state())
}

// quiet tells whether nobody is reminded at a moment.
func (m *model) quiet(t time.Time) bool {
	t = t.In(clock.Shanghai)
	day, minute := t.Format(time.DateOnly), t.Hour()*60+t.Minute()
	works := t.Weekday() != time.Saturday && t.Weekday() != time.Sunday || m.policy.Weekends
	if slices.Contains(m.policy.Off, day) {
		works = false
	}
	if slices.Contains(m.policy.On, day) {
		works = true
	}
	return !works || minute < m.policy.From || minute >= m.policy.To
}

// reached tells whether a channel of the policy leads to a unit.
func (m *model) reached(u *standing) bool {
	for _, c := range m.policy.Channels {
		if c == remind.ChannelPage && u.account || c == remind.ChannelHook && u.phone || c == remind.ChannelMail && u.mail {
			return true
		}
	}
	return false
}

// due tells whether a round takes a unit.
func (m *model) due(u *standing, t time.Time, hand bool) bool {
	if !m.awaited(u, t) || !m.reached(u) {
		return false
	}
	_, until, _ := m.door(u, t)
	if !hand && (until.IsZero() || t.Before(until.In(clock.Shanghai).AddDate(0, 0, -m.policy.Days))) {
		return false
	}
	return u.reminded.IsZero() || t.Sub(u.reminded) >= time.Duration(m.policy.Every)*time.Hour
}

// levelOf is the level of an office: what has no bureau above it is the province's.
func (m *model) levelOf(office tianbao.ID) int {
	o := m.of[office]
	if !slices.Contains(o.bureaus, office) {
		return 1
	}
	return max(5-len(o.bureaus), 2)
}

// ladder are the levels that review a unit, the lowest first.
func (m *model) ladder(u *standing) []int {
	var out []int
	for _, l := range m.levels {
		if l == 1 || slices.ContainsFunc(u.bureaus, func(b tianbao.ID) bool { return m.levelOf(b) == l }) {
			out = append(out, l)
		}
	}
	return out
}

// top is the highest level that passed a unit, 0 without one.
func (u *standing) top() (top int) {
	for l := range u.passed {
		top = max(top, l)
	}
	return top
}

// may tells at which level an office may do something with a unit now, 0: not.
func (m *model) may(kind tianbao.VerdictKind, office tianbao.ID, u *standing) int {
	ladder, mine := m.ladder(u), m.levelOf(office)
	if !slices.Contains(ladder, mine) {
		return 0
	}
	if kind == tianbao.VerdictWithdraw {
		if u.top() == mine {
			return mine
		}
		return 0
	}
	if s := u.state(); s != "reported" {
		return 0
	}
	for _, next := range ladder {
		if next > u.top() {
			if mine == next || kind == tianbao.VerdictReturn && mine > next {
				return mine
			}
			return 0
		}
	}
	return 0
}
