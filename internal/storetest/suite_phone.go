package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/provision"
	"tianbao/internal/store"
)

var _ provision.CodeStore = (*store.Store)(nil)

// gateway is the way to phones; it keeps what came.
type gateway struct {
	mu   sync.Mutex
	got  []provision.CodeMessage
	fail error // the next one
}

func (g *gateway) SendCode(_ context.Context, m *provision.CodeMessage) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.fail
	g.fail = nil
	if err == nil || errors.Is(err, errDied) {
		g.got = append(g.got, *m)
	}
	return err
}

// last is the code that came last to a phone.
func (g *gateway) last(phone string) string {
	for _, m := range slices.Backward(g.got) {
		if m.Phone == phone {
			return m.Code
		}
	}
	return ""
}

// phones is the office of codes in a world, with a clock of its own.
type phones struct {
	*platform
	codes *provision.Codes
	gate  *gateway
	filler,
	stranger provision.Actor
}

func (w *world) phones() *phones {
	p := &phones{platform: w.platform(), gate: &gateway{}}
	p.codes = &provision.Codes{
		Store: w.Store, Plans: w.Store, IDs: p.IDs, Now: p.Now, Sender: p.gate, Node: "one", Log: slog.New(slog.DiscardHandler),
	}
	p.Proven = w.ProvenPhones
	p.filler = provision.Actor{User: clerk, From: "192.0.2.7", Scope: at("/1/2/3/")}
	p.stranger = provision.Actor{User: clerk, Scope: at("/1/2/4/")}
	return p
}

// told is a refusal by its code, "" for none.
func told(err error) string {
	var e *tianbao.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func (p *phones) look(unit tianbao.ID) map[string]provision.PhoneLine {
	p.t.Helper()
	a := p.filler
	a.Scope = all()
	got, err := p.codes.Look(p.t.Context(), a, campaign, unit)
	p.ok(err)
	out := make(map[string]provision.PhoneLine)
	for _, l := range got.Lines {
		out[l.Phone] = l
	}
	return out
}

func (p *phones) deliver() int {
	p.t.Helper()
	n, err := p.codes.Deliver(p.t.Context())
	p.ok(err)
	return n
}

// wrongFor is a code that a phone was not sent.
func (g *gateway) wrongFor(phone string) string {
	if g.last(phone) == "000000" {
		return "000001"
	}
	return "000000"
}

// A code shows whose a phone is: for the person, the phone and the unit that it was sent
// for, once, in its time, after few wrong ones; and only then does a plan that asks for it
// give out an account.
func testPhoneCodes(w *world) {
	ctx := w.t.Context()
	p := w.phones()
	p.fill(unitA, [2]int{1, 1}, [2]int{2, 2})
	p.fill(unitB, [2]int{3, 3})
	_, one := Person(1)
	_, two := Person(2)
	_, three := Person(3)
	row := func(unit tianbao.ID, phone string) tianbao.ID { return p.look(unit)[phone].Row.Row }
	confirm := func(code string) string {
		p.t.Helper()
		return told(p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, one), code))
	}
	send := func(a provision.Actor, unit, row tianbao.ID) string {
		p.t.Helper()
		_, err := p.codes.Send(ctx, a, campaign, unit, row)
		return told(err)
	}
	is := func(what, got, want string) {
		p.t.Helper()
		if got != want {
			p.t.Errorf("%s: %q, want %q", what, got, want)
		}
	}

	h, err := p.Draw(ctx, p.actor, campaign, true)
	p.ok(err)
	if h, err = p.PlanOf(ctx, all(), h.ID); err != nil || h.Held[provision.Unproven] != 3 || len(h.Steps) != 0 {
		p.t.Fatalf("held %v, steps %v, %v", h.Held, h.Steps, err)
	}
	work, err := w.PhoneWork(ctx, at("/1/2/3/"), 10)
	p.ok(err)
	if len(work) != 1 || work[0].Unit != unitA || work[0].People != 2 || work[0].Campaign != campaign {
		p.t.Errorf("work of a unit: %+v", work)
	}

	is("before any code", confirm("123456"), "code_gone")
	is("a person of another unit", send(p.stranger, unitA, row(unitA, one)), "not_found")
	is("of another unit under the own one", send(p.stranger, unitB, row(unitA, one)), "not_found")
	is("a code", send(p.filler, unitA, row(unitA, one)), "")
	is("another one at once", send(p.filler, unitA, row(unitA, one)), "code_soon")
	p.gate.fail = errDied // the answer is lost
	p.deliver()
	is("typed in while the answer is lost", confirm(p.gate.wrongFor(one)), "code_wrong")
	p.now = p.now.Add(30 * time.Second)
	p.deliver()
	if len(p.gate.got) != 2 || p.gate.got[0].ID != p.gate.got[1].ID || p.gate.got[0].Code != p.gate.got[1].Code || p.gate.got[0].Unit.Name != "第一中学" {
		p.t.Fatalf("sent again, a message is not the same: %v", p.gate.got)
	}
	is("a wrong one", confirm(p.gate.wrongFor(one)), "code_wrong")
	is("no code at all", confirm("12345x"), "code_form")
	err = p.codes.Confirm(ctx, p.stranger, campaign, unitA, row(unitA, one), p.gate.last(one))
	is("the right one from another unit", told(err), "not_found")
	err = p.codes.Confirm(ctx, p.stranger, campaign, unitB, row(unitA, one), p.gate.last(one))
	is("under another unit", told(err), "not_found")
	err = p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, two), p.gate.last(one))
	is("for another person", told(err), "code_gone")
	is("the right one", confirm(p.gate.last(one)), "")
	is("again", confirm(p.gate.last(one)), "code_gone")
	is("another code for it", send(p.filler, unitA, row(unitA, one)), "proven")
	if l := p.look(unitA)[one]; l.State != provision.ProofDone || l.By != "填报员" {
		p.t.Errorf("verified: %+v", l.PhoneState)
	}

	// Guessing: five wrong ones end a code, too late is too late, five codes a day.
	for n := range provision.CodeSends {
		p.now = p.now.Add(time.Minute)
		is(fmt.Sprint("code ", n+1), send(p.filler, unitA, row(unitA, two)), "")
		p.deliver()
		if n == 0 {
			continue
		}
		is("the code before", told(p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, two), p.gate.got[len(p.gate.got)-2].Code)), "code_wrong")
		for try := 1; try < provision.CodeTries; try++ {
			want := "code_wrong"
			if try == provision.CodeTries-1 {
				want = "code_spent"
			}
			is("guessing", told(p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, two), p.gate.wrongFor(two))), want)
		}
		is("the right one after all guesses", told(p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, two), p.gate.last(two))), "code_gone")
	}
	p.now = p.now.Add(time.Minute)
	is("a sixth code", send(p.filler, unitA, row(unitA, two)), "code_soon")
	p.now = p.now.Add(24 * time.Hour)
	is("a code the next day", send(p.filler, unitA, row(unitA, two)), "")
	p.deliver()
	p.now = p.now.Add(provision.CodeLife)
	is("too late", told(p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, two), p.gate.last(two))), "code_gone")
	if l := p.look(unitA)[two]; l.State != provision.ProofEnded || !l.Sendable {
		p.t.Errorf("too late: %+v", l)
	}
	for n := 0; ; n++ { // a unit is locked for the day before it has guessed much
		if n%provision.CodeTries == 0 {
			p.now = p.now.Add(time.Minute)
			p.raw(`UPDATE phone_code SET sends = 0`)
			is("a code", send(p.filler, unitA, row(unitA, two)), "")
			p.deliver()
		}
		got := told(p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, two), p.gate.wrongFor(two)))
		if got == "code_locked" {
			break
		}
		if n > provision.CodeWrong {
			p.t.Fatalf("%d wrong ones, the last %s", n, got)
		}
	}
	p.now = p.now.Add(24 * time.Hour)

	// The officer sends to all that the plan holds; whoever is verified is left out.
	n, err := p.codes.SendHeld(ctx, p.actor, h.ID)
	p.ok(err)
	if n != 2 || p.deliver() != 2 {
		p.t.Errorf("%d codes to those held", n)
	}
	if n, err = p.codes.SendHeld(ctx, p.actor, h.ID); n != 0 || err != nil {
		p.t.Errorf("%d codes the second time, %v", n, err)
	}
	_, err = p.codes.SendHeld(ctx, p.stranger, h.ID)
	is("to those of a foreign plan", told(err), "not_found")
	is("of the other unit", told(p.codes.Confirm(ctx, p.stranger, campaign, unitB, row(unitB, three), p.gate.last(three))), "")
	if h, err = p.Draw(ctx, p.actor, campaign, true); err != nil {
		p.t.Fatal(err)
	}
	h, err = p.PlanOf(ctx, all(), h.ID)
	p.ok(err)
	if h.Held[provision.Unproven] != 1 || h.Steps[provision.Create][provision.StepPlanned] != 2 {
		p.t.Errorf("held %v, steps %v", h.Held, h.Steps)
	}

	// Another phone: a code there ends what was shown of the one before. And a phone is one
	// person's.
	p.fill(unitA, [2]int{1, 11}, [2]int{2, 2})
	_, eleven := Person(11)
	is("another phone", string(p.look(unitA)[eleven].State), "none")
	is("a code there", send(p.filler, unitA, row(unitA, eleven)), "")
	p.fill(unitA, [2]int{1, 1}, [2]int{2, 2})
	is("back again", string(p.look(unitA)[one].State), "none")
	p.fill(unitA, [2]int{5, 3})
	p.now = p.now.Add(time.Minute)
	is("a phone of somebody else", send(p.filler, unitA, row(unitA, three)), "")
	p.deliver()
	is("typed in", told(p.codes.Confirm(ctx, p.filler, campaign, unitA, row(unitA, three), p.gate.last(three))), "")
	is("who had it", string(p.look(unitB)[three].State), "none")

	// A gateway that is down for longer than a code counts.
	p.fill(unitA, [2]int{6, 6})
	_, six := Person(6)
	is("a code", send(p.filler, unitA, row(unitA, six)), "")
	for range 60 {
		p.gate.fail = errors.New("down")
		p.deliver()
		p.now = p.now.Add(20 * time.Second)
	}
	is("down", string(p.look(unitA)[six].State), "failed")
	p.gate.fail = refusal{errors.New("no such phone")}
	is("a code", send(p.filler, unitA, row(unitA, six)), "")
	p.deliver()
	is("refused", string(p.look(unitA)[six].State), "failed")
	p.nothingOfCodes()
	if f := w.found(); !f.OK() {
		w.t.Errorf("the trail: %v", f.Faults)
	}
}

// nothingOfCodes looks for codes and phones at rest.
func (p *phones) nothingOfCodes() {
	p.t.Helper()
	digits := regexp.MustCompile(`\b(\d{6}|160\d{8})\b`)
	var n int
	p.ok(p.DB().One(p.t.Context(), []any{&n}, `SELECT COUNT(*) FROM phone_code k WHERE length(k.body) > 0 AND k.state NOT IN ('waiting', 'sending')`))
	if n != 0 {
		p.t.Errorf("%d phones are kept after their messages", n)
	}
	lines, err := p.Trail(p.t.Context(), audit.Query{Limit: 1000})
	p.ok(err)
	seen := make(map[string]int)
	for _, l := range lines {
		seen[l.What]++
		if text := fmt.Sprint(l.Object, " ", l.Detail, " ", l.Reason); digits.MatchString(text) {
			p.t.Errorf("the trail of %s tells a code or a phone", l.What)
		}
	}
	for _, what := range []string{"phone.send", "phone.fail", "phone.wrong", "phone.confirm"} {
		if seen[what] == 0 {
			p.t.Errorf("%s is not on the trail", what)
		}
	}
}
