package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/remind"
)

// What offices do in a round: rules, reviews, reminders.

// actor is who runs the collection (0), or a bureau.
func (r *round) actor(bureau tianbao.ID) campaign.Actor {
	if bureau == 0 {
		return runner()
	}
	return campaign.Actor{Locks: tianbao.Scope{Paths: []string{path(r.m.of[bureau])}}}
}

// order gives a lock or reopening.
func (r *round) order(bureau tianbao.ID, o *order) bool {
	u := r.m.of[o.unit]
	want := ""
	switch {
	case r.m.ended:
		want = "not_open"
	case bureau == 0:
	case !slices.Contains(u.up, bureau):
		want = "not_found"
	case u.id == bureau:
		want = "not_below"
	case o.what == "reopen" && slices.ContainsFunc(r.m.on(u), func(l *order) bool {
		holds := l.what == "lock" && r.m.about(l, u) > 0 && !r.now.Before(l.opens) && (l.closes.IsZero() || r.now.Before(l.closes))
		top := r.m.of[l.unit]
		return holds && (top.id == bureau || !slices.Contains(top.up, bureau))
	}):
		want = "locked_above"
	}
	err := r.SetRule(r.ctx(), r.actor(bureau), r.c, tianbao.CampaignRule{Kind: tianbao.RuleKind(o.what), Unit: o.unit, Reason: "数据核对", Opens: o.opens, Closes: o.closes})
	if r.answer(o.what, u, want, err) {
		o.by = bureau
		r.m.give(o)
		if rules, err := r.store.Rules(r.ctx(), r.c); err == nil {
			o.id = rules[0].ID
		}
	}
	r.look(o.what, u)
	return err == nil
}

// mostOrders is how many orders a round gives; a collection stands no more than 2,000.
const mostOrders = 1200

// arrange is an officer at work.
func (r *round) arrange() {
	if len(r.m.orders) > mostOrders {
		return
	}
	u := pick(r.r, r.m.units)
	bureau := tianbao.ID(0)
	if r.r.IntN(2) == 0 && len(u.bureaus) > 0 {
		bureau = pick(r.r, u.bureaus)
	}
	hours := func(n int) time.Duration { return time.Duration(1+r.r.IntN(n)) * time.Hour }
	switch r.r.IntN(6) {
	case 0, 1:
		o := &order{what: "lock", unit: u.id, closes: r.now.Add(hours(72))}
		switch r.r.IntN(4) {
		case 0:
			o.opens = r.now.Add(time.Hour) // from later on
			o.closes = o.opens.Add(hours(72))
		case 1:
			o.closes = time.Time{} // until it is lifted
			r.then(4*day, func() { r.lift(o) })
		}
		r.order(bureau, o)
	case 2:
		if i := slices.IndexFunc(r.m.orders, func(o *order) bool { return o.what == "lock" && !o.over && o.by == 0 }); i >= 0 && r.r.IntN(2) == 0 {
			for _, below := range r.m.units { // what its own bureau must not open again
				if r.m.about(r.m.orders[i], below) > 1 && len(below.bureaus) > 0 {
					u, bureau = below, below.bureaus[len(below.bureaus)-1]
				}
			}
		}
		r.order(bureau, &order{what: "reopen", unit: u.id, closes: r.now.Add(hours(100))})
	case 3:
		r.declare(u, tianbao.DeclareExempt)
	case 4:
		if i := slices.IndexFunc(r.m.orders, func(o *order) bool { return o.what == "lock" && !o.over }); i >= 0 {
			r.lift(r.m.orders[i])
		}
	case 5:
		r.takeBack(u)
	}
}

// lift takes a lock back, as whoever gave it.
func (r *round) lift(o *order) {
	if o.over || o.id == 0 {
		return
	}
	err := r.EndRule(r.ctx(), r.actor(o.by), r.c, o.id)
	if r.answer("lift", r.m.of[o.unit], "", err) {
		o.over = true
	}
	r.look("lift", r.m.of[o.unit])
}

// judge is a reviewer at work on one unit or some.
func (r *round) judge() {
	if len(r.m.levels) == 0 {
		return
	}
	// Mostly one that has something to be judged, by one of the offices that could.
	u := pick(r.r, r.m.units)
	for range 60 {
		if s := u.state(); s == "reported" || s == "passed" {
			break
		}
		u = pick(r.r, r.m.units)
	}
	office := pick(r.r, append(slices.Clone(u.bureaus), u.id))
	kind := pick(r.r, []tianbao.VerdictKind{"pass", "pass", "pass", "pass", "return", "return", "withdraw"})
	for _, o := range u.up { // who can
		if r.m.may(kind, o, u) > 0 && r.r.IntN(4) > 0 {
			office = o
		}
	}
	units := []*standing{u}
	if kind == "pass" {
		from := r.r.IntN(len(r.m.units))
		for _, other := range r.m.units[from:min(from+200, len(r.m.units))] {
			if len(units) < 5 && other != u && r.m.may(kind, office, other) > 0 && slices.Contains(other.up, office) {
				units = append(units, other)
			}
		}
	}
	r.verdict(kind, office, units)
}

func (r *round) verdict(kind tianbao.VerdictKind, office tianbao.ID, units []*standing) {
	act := campaign.ReviewAct{Kind: kind, Remark: "请核对后重新上报"}
	if kind == tianbao.VerdictReturn && r.r.IntN(3) > 0 {
		act.Until = r.now.Add(time.Duration(1+r.r.IntN(96)) * time.Hour)
	}
	units = slices.Clone(units)
	slices.SortFunc(units, func(a, b *standing) int { return int(a.id - b.id) })
	want, levels := "", map[tianbao.ID]int{}
	reopens := map[tianbao.ID]bool{}
	for _, u := range units {
		act.Units = append(act.Units, u.id)
		levels[u.id] = r.m.may(kind, office, u)
		if want != "" {
			continue
		}
		if !slices.Contains(u.up, office) {
			want = "not_found"
		} else if levels[u.id] == 0 {
			want = "not_to_" + string(kind)
		} else if kind == tianbao.VerdictReturn {
			want, reopens[u.id] = r.reopens(u, act.Until)
		}
	}
	if r.m.ended {
		want = "not_open"
	}
	rv := campaign.Reviewer{User: 8, Scope: tianbao.Scope{Paths: []string{path(r.m.of[office])}}}
	err := r.Review(r.ctx(), rv, r.c, act)
	if r.answer(string(kind), units[0], want, err) {
		for _, u := range units {
			r.judged(kind, u, levels[u.id])
			if reopens[u.id] {
				for _, o := range r.m.by[u.id] {
					o.over = o.over || o.alone && o.unit == u.id
				}
				r.m.give(&order{what: "reopen", unit: u.id, alone: true, closes: act.Until})
			}
		}
	}
	r.look(string(kind), units...)
	if err == nil && kind == tianbao.VerdictReturn && r.r.IntN(4) > 0 {
		u := units[0]
		r.then(3*day, func() { // it reads the remark and puts it right, whoever filled it in
			for _, owner := range slices.Sorted(maps.Keys(u.parts)) {
				if owner == u.id || len(u.parts) == 1 {
					r.change("answer", r.m.of[owner], u, false, false)
					r.submit(r.m.of[owner])
				}
			}
		})
	}
}

// reopens is what a return does to the unit's door.
func (r *round) reopens(u *standing, until time.Time) (want string, opens bool) {
	why, end, _ := r.m.door(u, r.now)
	switch {
	case why == "locked":
		return "locked", false
	case why == "open" || why == "reopened":
		return "", !until.IsZero() && !end.IsZero() && until.After(end)
	case why != "closed" && why != "not_yet":
		return "not_open", false
	case until.IsZero():
		return "no_expiry", false
	}
	return "", true
}

func (r *round) judged(kind tianbao.VerdictKind, u *standing, level int) {
	u.complete = false
	switch kind {
	case tianbao.VerdictPass:
		u.passed[level], u.returned = true, false
		ladder := r.m.ladder(u)
		u.complete = level == ladder[len(ladder)-1]
	case tianbao.VerdictReturn:
		u.returned, u.passed = true, map[int]bool{}
		for _, p := range u.parts {
			p.waits = true
		}
	case tianbao.VerdictWithdraw:
		delete(u.passed, level)
		u.returned = false
	}
}

// remind is what the server does every so often, or an officer by hand.
func (r *round) remind(hand bool) {
	if !r.m.opened || r.m.ended {
		return
	}
	var due []*standing
	if hand || !r.m.quiet(r.now) {
		for _, u := range r.m.units {
			if r.m.due(u, r.now, hand) {
				due = append(due, u)
			}
		}
	}
	var n int
	var err error
	if hand {
		n, err = r.reminders.SendNow(r.ctx(), remind.Actor{User: 8, Runs: true, Scope: everything()}, r.c)
	} else {
		n, err = r.reminders.Round(r.ctx())
	}
	r.ok(err)
	r.note("reminders, by hand: %t: %d due, %d taken", hand, len(due), n)
	r.did["remind"] += n
	if n != len(due) {
		r.fail("a round took %d units, and %d were due", n, len(due))
	}
	for _, u := range due {
		u.reminded = r.now
	}
	r.deliver()
}

func (r *round) deliver() {
	for n := 1; n > 0; {
		var err error
		n, err = r.reminders.Deliver(r.ctx())
		r.ok(err)
	}
}

// listening is the outbox with somebody who looks at every decision, which is taken in
// the transaction that sends.
type listening struct {
	remind.Store
	r *round
}

func (l listening) ClaimReminders(ctx context.Context, c *remind.Claim, decide func(*remind.Policy, *remind.Reminder, *remind.Facts) remind.Decision) ([]remind.Message, error) {
	return l.Store.ClaimReminders(ctx, c, func(p *remind.Policy, m *remind.Reminder, f *remind.Facts) remind.Decision {
		d := decide(p, m, f)
		u := l.r.m.of[m.Unit]
		switch awaited := m.Campaign == l.r.c && l.r.m.awaited(u, l.r.now); {
		case d.Why == remind.WhyNot && d.Wait.IsZero():
			l.r.did["reminded"]++
			if !awaited || l.r.m.quiet(l.r.now) {
				l.r.wrong = append(l.r.wrong, fmt.Sprintf("%s, which stands as %q (%s), was reminded at %s", u.name, u.state(), l.r.m.lets(u, l.r.now), l.r.now.Format(time.DateTime)))
			}
		case d.Why != remind.WhyNot:
			l.r.did["held back"]++
			if awaited {
				l.r.wrong = append(l.r.wrong, fmt.Sprintf("%s was not reminded: %s", u.name, d.Why))
			}
		}
		return d
	})
}

// Send takes mail and short messages out of the house, which fails now and then.
func (r *round) Send(_ context.Context, m *remind.Message) error {
	r.sent[m.ID]++
	if r.r.IntN(3) == 0 {
		r.sent[m.ID]--
		return errors.New("the line is busy")
	}
	return nil
}

// letters holds the log against what went out: each reminder once, none waits for ever,
// and two of a unit by one channel lie the interval apart.
func (r *round) letters() {
	type way struct {
		unit tianbao.ID
		c    remind.Channel
	}
	last := map[way]time.Time{}
	for before := tianbao.ID(0); ; {
		list, err := r.store.Reminders(r.ctx(), everything(), r.c, remind.Query{Before: before, Limit: 10_000})
		r.ok(err)
		if len(list) == 0 {
			return
		}
		for i := range list {
			m := &list[i]
			before = m.ID
			want := 0
			if m.Channel != remind.ChannelPage && m.State == remind.StateSent {
				want = 1
			}
			if r.sent[m.ID] != want || m.State == remind.StateWaiting || m.State == remind.StateSending {
				r.fail("a reminder of unit %s by %s is %s and went out %d times", m.Unit, m.Channel, m.State, r.sent[m.ID])
			}
			w := way{m.Unit, m.Channel}
			if later, ok := last[w]; ok && later.Sub(m.Made) < time.Duration(r.m.policy.Every)*time.Hour {
				r.fail("unit %s was reminded at %v and at %v", m.Unit, m.Made, later)
			}
			last[w] = m.Made
		}
	}
}

// policyOf is a policy by chance.
func (r *round) policyOf() remind.Policy {
	p := remind.Default(r.c)
	p.Active = true
	p.Days, p.Every = 2+r.r.IntN(8), 12+r.r.IntN(60)
	p.Weekends = r.r.IntN(2) == 0
	p.Channels = nil
	for _, c := range remind.Channels() {
		if c == remind.ChannelPage || r.r.IntN(2) == 0 {
			p.Channels = append(p.Channels, c)
		}
	}
	off := r.m.closes.In(clock.Shanghai).AddDate(0, 0, -1-r.r.IntN(4))
	p.Off = []string{off.Format(time.DateOnly)}
	return p
}
