package campaign_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/report"
)

// What people do in a round. Each act asks the observer what will come of it, does it, and
// holds the answer and where the unit then stands against that.

// by is who fills in for a unit or the units below it.
func (r *round) by(u *standing) report.Actor {
	return report.Actor{User: 7, Login: "u", Name: "甲", Scope: tianbao.Scope{Paths: []string{path(u)}}}
}

func path(u *standing) string {
	out := "/"
	for _, id := range slices.Backward(u.up) {
		out += id.String() + "/"
	}
	return out
}

// doors is what a write to rows of units is answered: the first of them in the tree whose
// door is not open tells why.
func (r *round) doors(units []*standing) string {
	units = slices.Clone(units)
	slices.SortFunc(units, func(a, b *standing) int { return compare(path(a), path(b)) })
	for _, u := range units {
		if why := r.m.lets(u, r.now); why != "" {
			return "gate_" + why
		}
	}
	return ""
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// fill saves new rows of units into the sheet of owner, some with an error.
func (r *round) fill(act string, owner *standing, units []*standing, faulty bool) bool {
	rep := r.open(owner.id)
	var cs []tianbao.Change
	var of []*standing
	for _, u := range units {
		for range 1 + r.r.IntN(2) {
			r.people++
			c := r.person(r.people, u.name, faulty && len(cs) == 0)
			c.Temp = strconv.Itoa(len(cs))
			cs, of = append(cs, c), append(of, u)
		}
	}
	set := &tianbao.ChangeSet{Report: rep.ID, Key: r.key(), Base: rep.Version, Source: tianbao.SourcePage, Changes: cs}
	if owner.draft {
		set.Draft = draftName
	}
	want := r.doors(units)
	saved, err := r.reports.Save(r.ctx(), r.by(owner), set)
	if r.answer(act, owner, want, err) {
		if set.Draft != "" {
			owner.draft = false
		}
		for i, u := range of {
			r.sheet(owner, u).rows[saved.Inserted[strconv.Itoa(i)]] = faulty && i == 0
			r.sheet(owner, u).waits = true
			u.reviewed()
		}
	}
	r.look(act, append([]*standing{owner}, units...)...)
	return err == nil
}

const draftName = "d1"

// sheet is what the sheet of owner holds of a unit.
func (r *round) sheet(owner, u *standing) *part {
	p := u.parts[owner.id]
	if p == nil {
		p = &part{rows: map[tianbao.ID]bool{}}
		u.parts[owner.id] = p
		r.holds[owner.id] = append(r.holds[owner.id], u)
	}
	return p
}

// reviewed ends a return that is answered.
func (u *standing) reviewed() {
	if rows, _, waits := u.sums(); rows > 0 && !waits {
		u.returned = false
	}
}

// change edits a row of a unit, which puts an error into it or right, or takes it out.
func (r *round) change(act string, owner, u *standing, faulty, gone bool) bool {
	p := u.parts[owner.id]
	if p == nil || len(p.rows) == 0 {
		return false
	}
	var rows []tianbao.ID
	for id, bad := range p.rows {
		if !bad || !faulty {
			rows = append(rows, id)
		}
	}
	if len(rows) == 0 {
		return false
	}
	slices.SortFunc(rows, func(a, b tianbao.ID) int { // those with errors first
		if p.rows[a] != p.rows[b] {
			if p.rows[a] {
				return -1
			}
			return 1
		}
		return int(a - b)
	})
	r.people++
	c := tianbao.Change{Op: tianbao.OpEdit, Row: rows[0], Cells: []tianbao.CellEdit{{Field: r.form.Index("phone"), Value: fmt.Sprintf("160%08d", 50_000_000+r.people)}}}
	if faulty {
		c.Cells[0].Value = strconv.Itoa(r.people)
	}
	if gone {
		c = tianbao.Change{Op: tianbao.OpDelete, Row: rows[0]}
	}
	rep, want := r.open(owner.id), r.doors([]*standing{u})
	_, err := r.reports.Save(r.ctx(), r.by(owner), &tianbao.ChangeSet{Report: rep.ID, Key: r.key(), Base: rep.Version, Source: tianbao.SourcePage, Changes: []tianbao.Change{c}})
	if r.answer(act, owner, want, err) {
		p.rows[rows[0]], p.waits = faulty, true
		if gone {
			delete(p.rows, rows[0])
		}
		u.reviewed()
	}
	r.look(act, owner, u)
	return err == nil
}

// book sends a workbook.
func (r *round) book(u *standing) bool {
	rep, n := r.open(u.id), 1+r.r.IntN(3)
	imp := r.file(r.people+1, n, u.name)
	r.people += n
	set := &tianbao.ChangeSet{Report: rep.ID, Key: r.key(), Base: rep.Version, Source: tianbao.SourceImport}
	want := r.doors([]*standing{u})
	_, saved, err := r.reports.ApplyBook(r.ctx(), r.by(u), set, book{imp}, report.ModeAppend, "a.xlsx", []byte(set.Key), true, func(string, int, int) {})
	if r.answer("workbook", u, want, err) {
		for _, id := range saved.Inserted {
			r.sheet(u, u).rows[id] = false
		}
		r.sheet(u, u).waits = true
	}
	r.look("workbook", u)
	return err == nil
}

// submit reports the sheet of owner.
func (r *round) submit(owner *standing) bool {
	rep := r.open(owner.id)
	rows, faulty := 0, 0
	var waiting []*standing
	for _, u := range r.holds[owner.id] {
		p := u.parts[owner.id]
		for _, bad := range p.rows {
			rows++
			if bad {
				faulty++
			}
		}
		if p.waits && len(p.rows) > 0 {
			waiting = append(waiting, u)
		}
	}
	want := r.doors(waiting)
	if len(waiting) == 0 {
		want = r.doors([]*standing{owner})
	}
	if faulty > 0 {
		want = "faulty"
	}
	if rows == 0 {
		want = "empty"
	}
	_, err := r.reports.Submit(r.ctx(), r.by(owner), rep.ID, r.key())
	if r.answer("上报", owner, want, err) {
		for _, u := range waiting {
			u.parts[owner.id].waits = false
			u.reviewed()
		}
	}
	r.look("上报", append([]*standing{owner}, waiting...)...)
	return err == nil
}

// draft types something and leaves.
func (r *round) draft(u *standing) {
	rep := r.open(u.id)
	err := r.store.PutDraft(r.ctx(), tianbao.Draft{Report: rep.ID, User: 7, Name: draftName, At: r.now, Body: []byte("{}")})
	if r.answer("draft", u, "", err) {
		u.draft = true
	}
	r.look("draft", u)
}

// declare says that a unit has nobody, or that it need not report.
func (r *round) declare(u *standing, kind tianbao.DeclarationKind) bool {
	a := campaign.Declarer{User: 7, Fills: tianbao.Scope{Paths: []string{path(u)}}}
	act := "零申报"
	if kind == tianbao.DeclareExempt {
		act, a = "免报", campaign.Declarer{User: 8, Locks: tianbao.Scope{Paths: []string{"/1/"}}, Runs: tianbao.Scope{Paths: []string{"/1/"}}}
	}
	rows, _, _ := u.sums()
	want := ""
	switch {
	case r.m.ended:
		want = "not_open"
	case rows > 0:
		want = "has_rows"
	case kind == tianbao.DeclareNil:
		want = r.doors([]*standing{u})
	}
	err := r.Declare(r.ctx(), a, r.c, campaign.Say{Kind: kind, Units: []tianbao.ID{u.id}, Reason: "没有资产管理人员"})
	if r.answer(act, u, want, err) {
		u.declared = string(kind)
	}
	r.look(act, u)
	return err == nil
}

func (r *round) takeBack(u *standing) {
	a := campaign.Declarer{User: 7, Fills: tianbao.Scope{Paths: []string{path(u)}}}
	want := ""
	switch {
	case u.declared == "":
		want = "not_found"
	case r.m.ended:
		want = "not_open"
	case u.declared == "exempt":
		want = "not_yours"
	case r.m.lets(u, r.now) != "":
		want = "door_shut"
	}
	err := r.TakeBack(r.ctx(), a, r.c, u.id)
	if r.answer("take back", u, want, err) {
		u.declared = ""
	}
	r.look("take back", u)
}

// A unit's plans for a round.

// soon is a time within the span from now, to the minute.
func (r *round) soon(span time.Duration) time.Time {
	return r.now.Add(time.Duration(r.r.Int64N(int64(span/time.Minute))+1) * time.Minute)
}

const day = 24 * time.Hour

// plan decides what a unit will do.
func (r *round) plan(u *standing) {
	_, until, _ := r.m.door(u, r.now)
	if until.IsZero() {
		until = r.m.closes
	}
	left := until.Sub(r.now)
	begin := r.soon(left)
	if r.r.IntN(3) == 0 { // the last hours
		begin = until.Add(-time.Duration(r.r.Int64N(int64(10*time.Hour)/1e9)) * time.Second)
	}
	me := []*standing{u}
	switch n := r.r.IntN(100); {
	case n < 30:
		r.at(begin, func() {
			if r.fill("save", u, me, false) {
				r.then(day, func() { r.submit(u); r.second(u) })
			}
		})
	case n < 46:
		r.at(begin, func() {
			if r.fill("faulty save", u, me, true) {
				r.then(12*time.Hour, func() {
					r.submit(u)
					r.then(3*day, func() {
						r.change("correct", u, u, false, false)
						r.submit(u)
						r.second(u)
					})
				})
			}
		})
	case n < 56:
		r.at(begin, func() {
			r.draft(u)
			if r.r.IntN(3) > 0 {
				r.then(4*day, func() {
					r.fill("save", u, me, r.r.IntN(4) == 0)
					r.then(day, func() { r.submit(u) })
				})
			}
		})
	case n < 64:
		r.at(begin, func() {
			if r.declare(u, tianbao.DeclareNil) && r.r.IntN(3) == 0 {
				r.then(5*day, func() {
					if r.r.IntN(2) == 0 {
						r.takeBack(u)
					}
					if r.r.IntN(2) == 0 {
						r.fill("save", u, me, false)
					}
				})
			}
		})
	case n < 72:
		r.at(begin, func() {
			if r.book(u) {
				r.then(day, func() { r.submit(u); r.second(u) })
			}
		})
	case n < 82: // at the very end, or behind it
		step := time.Duration(r.r.IntN(3)-1) * time.Second
		r.at(until.Add(step), func() {
			if !r.fill("save", u, me, false) {
				r.then(day, func() { r.ask(u) })
				return
			}
			if r.r.IntN(2) == 0 {
				r.submit(u)
				return
			}
			r.then(day, func() { r.submit(u) })
		})
	case n < 90: // the department does it
		d := r.m.of[u.up[min(1, len(u.up)-1)]]
		if r.covered[d.id] = append(r.covered[d.id], u); len(r.covered[d.id]) == 1 {
			r.at(begin, func() { r.cover(d) })
		}
	}
}

// second is what people think of after they have reported.
func (r *round) second(u *standing) {
	switch r.r.IntN(8) {
	case 0:
		r.then(3*day, func() {
			r.change("late correction", u, u, r.r.IntN(4) == 0, false)
			r.then(day, func() { r.submit(u) })
		})
	case 1:
		r.then(3*day, func() { r.change("take out", u, u, false, true) })
	case 2:
		r.then(2*day, func() { r.submit(u) })
	}
}

// cover is a department that fills in for its units.
func (r *round) cover(d *standing) {
	units := r.covered[d.id]
	units = units[:min(len(units), 20)]
	if !r.fill("fill in above", d, units, r.r.IntN(4) == 0) {
		return
	}
	r.then(2*day, func() {
		if !r.submit(d) {
			for _, u := range units {
				r.change("correct above", d, u, false, false)
			}
			r.submit(d)
		}
		if r.r.IntN(2) == 0 { // and one of them adds to that
			u := pick(r.r, units)
			r.then(day, func() {
				r.fill("save", u, []*standing{u}, false)
				r.then(day, func() { r.submit(u) })
			})
		}
	})
}

// ask is a unit that came too late and calls the bureau, which may open its door again.
func (r *round) ask(u *standing) {
	if len(r.m.orders) > mostOrders || r.r.IntN(4) == 0 {
		return
	}
	until := r.now.Add(time.Duration(1+r.r.IntN(72)) * time.Hour)
	if !r.order(0, &order{what: "reopen", unit: u.id, closes: until}) {
		return
	}
	when := r.soon(until.Sub(r.now))
	if r.r.IntN(3) == 0 {
		when = until.Add(time.Duration(r.r.IntN(2)-1) * time.Second)
	}
	r.at(when, func() {
		r.fill("save", u, []*standing{u}, false)
		r.submit(u)
	})
}

// newRand is the chance of a seed.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(6, seed)) }
