package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/provision"
	"tianbao/internal/store"
)

var _ provision.Store = (*store.Store)(nil)

// there is the other side. It dies in the middle where a test says so: before it has done
// what it was asked, or after, so that the answer is lost.
type there struct {
	accounts map[tianbao.ID]provision.Remote
	calls    int
	diesAt   int // the how manyth call, counted from 1; 0: none
	after    bool
	refuses  string // a login
	made     int
}

var errDied = errors.New("the process died")

type refusal struct{ error }

func (refusal) Permanent() bool { return true }

func (o *there) Apply(_ context.Context, x *provision.Order) (string, error) {
	o.calls++
	if o.calls == o.diesAt && !o.after {
		return "", errDied
	}
	id, err := o.put(x)
	if err == nil && o.calls == o.diesAt {
		return "", errDied
	}
	return id, err
}

// put makes an account as it is told.
func (o *there) put(x *provision.Order) (string, error) {
	a := &x.After
	if a.Login == o.refuses {
		return "", refusal{errors.New("no")}
	}
	for id, r := range o.accounts {
		if id != a.ID && r.Login == a.Login {
			return "", refusal{errors.New("the login is somebody else's")}
		}
	}
	if _, ok := o.accounts[a.ID]; !ok {
		o.made++
	}
	o.accounts[a.ID] = provision.Remote{External: "x" + a.ID.String(), Account: a.ID, Login: a.Login, Name: a.Name, Disabled: a.Disabled, Unit: x.Units[0].BudgetCode}
	return "x" + a.ID.String(), nil
}

func (o *there) List(_ context.Context, fn func(*provision.Remote) error) error {
	for _, id := range slices.Sorted(func(yield func(tianbao.ID) bool) {
		for id := range o.accounts {
			if !yield(id) {
				return
			}
		}
	}) {
		r := o.accounts[id]
		if err := fn(&r); err != nil {
			return err
		}
	}
	return nil
}

// bulky is the other side where it takes many at once. Of the last of them it does not tell.
type bulky struct{ *there }

func (o bulky) Most(context.Context) (int, error) { return 3, nil }

func (o bulky) Create(_ context.Context, orders []*provision.Order) ([]provision.Made, error) {
	out := make([]provision.Made, len(orders))
	o.calls++
	if o.calls == o.diesAt && !o.after {
		return out, errDied
	}
	for i, x := range orders {
		id, err := o.put(x)
		out[i] = provision.Made{External: id, Refused: err != nil}
	}
	if out[len(out)-1] = (provision.Made{}); o.calls == o.diesAt {
		return out, errDied
	}
	return out, nil
}

// platform is the office of accounts in a world, with a clock of its own.
type platform struct {
	*world
	*provision.Service
	now   time.Time
	other *there
	actor provision.Actor
}

func (w *world) platform() *platform {
	p := &platform{world: w, now: epoch(), other: &there{accounts: make(map[tianbao.ID]provision.Remote)}}
	p.Service = &provision.Service{
		Store: w.Store, IDs: &clock.IDs{Clock: clock.System}, Now: func() time.Time { return p.now },
		Target: p.other, Node: "one", Log: slog.New(slog.DiscardHandler),
	}
	p.actor = provision.Actor{User: clerk, Root: bureau, Scope: all()}
	return p
}

// run approves a plan as somebody else and carries it out, whatever dies on the way.
func (p *platform) run(id tianbao.ID) {
	p.t.Helper()
	boss := p.actor
	boss.User = clerk + 1
	p.ok(p.Decide(p.t.Context(), boss, id, true))
	for range 3 {
		_, err := p.Round(p.t.Context())
		if err != nil && !errors.Is(err, errDied) {
			p.t.Fatal(err)
		}
		p.now = p.now.Add(10 * time.Minute) // the lease, or the rest, is over
	}
	if h, err := p.PlanOf(p.t.Context(), all(), id); err != nil || h.State != provision.Done || h.Trouble != "" {
		p.t.Fatalf("the plan is %s (%s), %v", h.State, h.Trouble, err)
	}
}

// stands writes down the accounts, with no ids that differ between worlds.
func (p *platform) stands() (out []string) {
	p.t.Helper()
	all, err := p.Accounts(p.t.Context(), all(), 0, 100)
	p.ok(err)
	for _, a := range all {
		r := p.other.accounts[a.ID]
		login := a.Login
		if login == provision.Retired(a.ID) {
			login = "retired"
		}
		same := r.Login == a.Login && r.Name == a.Name && r.Disabled == a.Disabled && a.External == r.External
		out = append(out, fmt.Sprint(a.Person, a.Name, login, a.Legacy, a.Units, a.Disabled, same))
	}
	slices.Sort(out)
	return out
}

// fill saves and reports rows of a unit: the n-th person, with the phone of another one.
func (p *platform) fill(unit tianbao.ID, people ...[2]int) {
	p.t.Helper()
	rep := p.open(unit)
	d := p.draft(rep)
	for _, row := range p.rows(rep.ID) {
		d.remove(row.ID)
	}
	for _, n := range people {
		v := Values(n[0])
		_, v[7] = Person(n[1])
		v[5] = fmt.Sprint("张某", n[0])
		d.insert(tianbao.AtEnd, v)
		d.Puts[len(d.Puts)-1].Row.Unit = unit
	}
	p.upward(d.save())
}

// Accounts follow what was reported over three rounds, and come to the same end wherever
// the process is cut off, with the answer of the other side or without it.
func testPlatformKilled(w *world) {
	type cut struct {
		round, call int
		after       bool
	}
	var want []string
	atOnce := false
	play := func(c cut) (calls [3]int) {
		p := w.platform()
		if atOnce {
			p.Target = bulky{p.other}
		}
		w.raw("DELETE FROM platform_account")
		w.raw("DELETE FROM platform_unit")
		for i, fill := range []func(){
			func() { p.fill(unitA, [2]int{1, 1}, [2]int{2, 2}, [2]int{3, 3}); p.fill(unitB, [2]int{4, 4}) },
			// 1 moves, 2 takes the phone of 3, who leaves; 4 changes phones, 5 takes the one that was 4's.
			func() { p.fill(unitA, [2]int{2, 3}); p.fill(unitB, [2]int{1, 1}, [2]int{4, 14}, [2]int{5, 4}) },
			func() { p.fill(unitA, [2]int{3, 13}); p.fill(unitB, [2]int{1, 1}) },
		} {
			fill()
			p.other.calls, p.other.diesAt = 0, 0
			if c.round == i {
				p.other.diesAt, p.other.after = c.call, c.after
			}
			h, err := p.Draw(p.t.Context(), p.actor, campaign, false)
			p.ok(err)
			p.run(h.ID)
			calls[i] = p.other.calls
		}
		if p.other.made != 5 {
			p.t.Errorf("%d accounts were made there", p.other.made)
		}
		h, err := p.Draw(p.t.Context(), p.actor, campaign, false)
		p.ok(err)
		if h, err = p.PlanOf(p.t.Context(), all(), h.ID); err != nil || len(h.Steps) != 0 || h.Kept != 2 {
			p.t.Errorf("the second time: %v, %d kept, %v", h.Steps, h.Kept, err)
		}
		if d, err := p.Drift(p.t.Context(), p.actor); err != nil || len(d) != 0 {
			p.t.Errorf("drift: %d %v", len(d), err)
		}
		if got := p.stands(); want == nil {
			want = got
		} else if !slices.Equal(got, want) {
			p.t.Errorf("cut at %+v, it stands as\n%q\nwant\n%q", c, got, want)
		}
		return calls
	}
	calls := play(cut{round: -1})
	if len(want) != 5 || calls[0] < 4 || calls[1] < 5 {
		w.t.Fatalf("%d accounts, calls %v", len(want), calls)
	}
	for round, n := range calls {
		for call := range n {
			play(cut{round, call + 1, false})
			play(cut{round, call + 1, true})
		}
	}
	// The same where many are made at once: four new ones in the first round.
	atOnce = true
	if some := play(cut{round: -1}); some[0] != 3 { // three at once, one of whom nothing is told, one alone
		w.t.Errorf("calls %v with many at once, %v one by one", some, calls)
	}
	for _, after := range []bool{false, true} {
		play(cut{0, 1, after})
	}
	if f := w.found(); !f.OK() {
		w.t.Errorf("the trail: %v", f.Faults)
	}
}

// A plan is made, approved by another person and carried out; what is refused is told, and
// what needs it is not tried.
func testPlatformPlan(w *world) {
	ctx := w.t.Context()
	p := w.platform()
	p.fill(unitA, [2]int{1, 1}, [2]int{2, 2})
	p.ok(w.CreateUser(ctx, tianbao.User{ID: clerk + 1, Login: "boss", Name: "批准人"}, "hash", false))
	first, err := p.Draw(ctx, p.actor, campaign, false)
	p.ok(err)
	h, err := p.Draw(ctx, p.actor, campaign, false)
	p.ok(err)
	if old, err := p.PlanOf(ctx, all(), first.ID); err != nil || old.State != provision.Dropped {
		p.t.Errorf("the plan before is %s, %v", old.State, err)
	}
	_, err = p.PlanOf(ctx, at("/12/"), h.ID)
	refused(p.t, "a plan of a foreign root", err, tianbao.ErrNotFound)
	refused(p.t, "approved by its maker", p.Decide(ctx, p.actor, h.ID, true), tianbao.ErrForbidden)
	if n, err := p.Round(ctx); n != 0 || err != nil {
		p.t.Errorf("%d steps of a plan that nobody has approved, %v", n, err)
	}
	boss := p.actor
	boss.User = clerk + 1
	p.ok(p.Decide(ctx, boss, h.ID, true))
	refused(p.t, "approved twice", p.Decide(ctx, boss, h.ID, true), tianbao.ErrConflict)
	_, err = p.Draw(ctx, p.actor, campaign, false)
	refused(p.t, "a plan beside one that is carried out", err, tianbao.ErrConflict)
	_, phone := Person(1)
	p.other.refuses = phone
	n, err := p.Round(ctx)
	p.ok(err)
	h, err = p.PlanOf(ctx, all(), h.ID)
	p.ok(err)
	if n != 2 || h.State != provision.Done || h.Steps[provision.Create][provision.StepApplied] != 1 || h.Steps[provision.Create][provision.StepFailed] != 1 || h.ApprovedName != "批准人" {
		p.t.Errorf("%d steps, %+v", n, h)
	}
	lines, err := p.Lines(ctx, h.ID, -1, provision.Create, provision.StepFailed, 10)
	p.ok(err)
	if len(lines) != 1 || lines[0].After.Login != phone || lines[0].Reason == "" || lines[0].UnitName != "第一中学" {
		p.t.Errorf("failed: %v", lines)
	}

	// What stands there is not what we have.
	p.other.accounts[77] = provision.Remote{Login: "16099999999", Name: "另建"}
	for id, r := range p.other.accounts {
		if r.Account != 0 {
			r.Disabled = true
			p.other.accounts[id] = r
		}
	}
	d, err := p.Drift(ctx, p.actor)
	p.ok(err)
	if len(d) != 2 || d[0].Kind != provision.Differs || !slices.Equal(d[0].Fields, []string{"是否停用"}) || d[1].Kind != provision.Foreign {
		p.t.Errorf("drift: %+v", d)
	}
	// Somebody held is told with the rows.
	p.fill(unitB, [2]int{2, 2})
	h, err = p.Draw(ctx, p.actor, campaign, false)
	p.ok(err)
	held, err := p.HeldOf(ctx, h.ID, -1, provision.TwoUnits, 10)
	p.ok(err)
	if len(held) != 1 || len(held[0].Rows) != 2 || held[0].UnitName == "" || held[0].Account == 0 {
		p.t.Errorf("held: %+v", held)
	}
	// An account is seen by whoever sees one of its units.
	if n, err := w.CountAccounts(ctx, at("/12/")); n != 0 || err != nil {
		p.t.Errorf("a foreign scope counts %d, %v", n, err)
	}
	_, phone = Person(2)
	a, err := w.AccountByLogin(ctx, all(), phone)
	p.ok(err)
	_, err = w.AccountByLogin(ctx, at("/12/"), phone)
	refused(p.t, "an account of a foreign unit", err, tianbao.ErrNotFound)
	if b, err := w.Account(ctx, all(), a.ID); err != nil || b.External == "" || b.Login != phone {
		p.t.Errorf("by id: %v %v", b, err)
	}
	// Two servers: the plan is in one hand.
	p.ok(p.Decide(ctx, boss, h.ID, false))
	p.fill(unitB, [2]int{5, 5})
	h, err = p.Draw(ctx, p.actor, campaign, false)
	p.ok(err)
	p.ok(p.Decide(ctx, boss, h.ID, true))
	if _, ok, err := w.Lease(ctx, "one", p.now, p.now.Add(time.Minute)); !ok || err != nil {
		p.t.Fatalf("no lease, %v", err)
	}
	if _, ok, err := w.Lease(ctx, "two", p.now, p.now.Add(time.Minute)); ok || err != nil {
		p.t.Errorf("two have it in hand, %v", err)
	}
	if mine, err := w.Begin(ctx, &provision.Outcome{Plan: h.ID, N: 0, Node: "two", Until: p.now.Add(time.Hour)}); mine || err != nil {
		p.t.Errorf("another one begins, %v", err)
	}
}
