package provision_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tianbao"
	"tianbao/internal/provision"
)

// other is the platform as the steps leave it. It refuses what a real one refuses: a
// login that another account has.
type other struct {
	accounts []provision.Account
	next     tianbao.ID
}

func (o *other) apply(t *rapid.T, s *provision.Step) {
	a := s.After
	a.Units = slices.Clone(a.Units)
	if s.Kind == provision.Create {
		for _, have := range o.accounts {
			if have.Person == a.Person {
				t.Fatalf("a second account for a person")
			}
		}
		o.next++
		a.ID = o.next
		o.accounts = append(o.accounts, provision.Account{})
	}
	for _, have := range o.accounts {
		if have.ID != 0 && have.ID != a.ID && have.Login == a.Login {
			t.Fatalf("%s takes a login that another account has", s.Kind)
		}
	}
	i := slices.IndexFunc(o.accounts, func(have provision.Account) bool {
		return have.ID == a.ID || s.Kind == provision.Create && have.ID == 0
	})
	if s.Kind != provision.Create {
		if diff := cmp.Diff(fields(&o.accounts[i]), fields(&s.Before)); diff != "" {
			t.Fatalf("%s is about another state: %s", s.Kind, diff)
		}
	}
	o.accounts[i] = a
}

// fields are what accounts are compared by; they print nothing themselves.
func fields(a *provision.Account) []string {
	return []string{a.Person, a.Name, a.Login, a.Legacy, fmt.Sprint(a.Units, a.Disabled)}
}

func (o *other) state() (out [][]string) {
	for i := range o.accounts {
		out = append(out, fields(&o.accounts[i]))
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

func (o *other) copy() *other { return &other{slices.Clone(o.accounts), o.next} }

// world draws rows of few people, phones and units, so that they meet.
func world(t *rapid.T, name string) *provision.Input {
	in := &provision.Input{}
	for i := range rapid.IntRange(0, 9).Draw(t, name+" rows") {
		r := provision.Row{
			Report: 1, Row: tianbao.ID(i + 1), Unit: tianbao.ID(rapid.IntRange(1, 4).Draw(t, "unit")),
			Person: rapid.SampledFrom([]string{"", "P", "Q", "R", "S", "T", "P", "Q", "R", "S", "T"}).Draw(t, "person"),
			Phone:  rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "landline"}).Draw(t, "phone"),
			Reason: rapid.SampledFrom([]string{"", "", "兼职"}).Draw(t, "reason"),
		}
		r.Name, r.Mobile = "某"+r.Person, r.Phone != "landline"
		if rapid.IntRange(0, 9).Draw(t, "another name") == 0 {
			r.Name += "某"
		}
		in.Rows = append(in.Rows, r)
	}
	settled := rapid.SliceOfN(rapid.Bool(), 5, 5).Draw(t, "settled")
	in.Settled = func(u tianbao.ID) bool { return settled[u] }
	if rapid.Bool().Draw(t, "phones are asked for") {
		bad := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "unproven")
		in.Proven = func(_, phone string) bool { return phone != bad }
	}
	return in
}

// Over some rounds: what was applied is not to be done again; a plan cut off after any
// step and made anew comes to the same end; the order of rows means nothing; nobody has
// two accounts and no login has two; whoever is held keeps what stands.
func TestPlansOfRandomRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &other{}
		for round := range rapid.IntRange(1, 4).Draw(t, "rounds") {
			in := world(t, fmt.Sprint("round ", round))
			in.Accounts = slices.Clone(o.accounts)
			plan := provision.Make(in)
			ends := make([][][]string, 0, len(plan.Steps)+1)
			for cut := range len(plan.Steps) + 1 {
				part := o.copy()
				for i := range cut {
					part.apply(t, &plan.Steps[i])
				}
				again := *in
				again.Accounts = part.accounts
				rest := provision.Make(&again)
				if len(rest.Steps) > len(plan.Steps)-cut {
					t.Fatalf("cut after %d of %d steps, %d are left", cut, len(plan.Steps), len(rest.Steps))
				}
				for i := range rest.Steps {
					part.apply(t, &rest.Steps[i])
				}
				ends = append(ends, part.state())
			}
			for i := range ends {
				if diff := cmp.Diff(ends[len(ends)-1], ends[i]); diff != "" {
					t.Fatalf("cut after %d of %d steps, it ends otherwise: %s", i, len(plan.Steps), diff)
				}
			}
			mixed := *in
			mixed.Rows = rapid.Permutation(in.Rows).Draw(t, "order of rows")
			mixed.Accounts = rapid.Permutation(in.Accounts).Draw(t, "order of accounts")
			if diff := cmp.Diff(told2(plan), told2(provision.Make(&mixed))); diff != "" {
				t.Fatalf("another order, another plan: %s", diff)
			}
			before := make(map[string][]string)
			for i := range o.accounts {
				before[o.accounts[i].Person] = fields(&o.accounts[i])
			}
			for i := range plan.Steps {
				o.apply(t, &plan.Steps[i])
			}
			if n := len(provision.Make(&provision.Input{Rows: in.Rows, Accounts: o.accounts, Settled: in.Settled, Proven: in.Proven}).Steps); n != 0 {
				t.Fatalf("%d steps the second time", n)
			}
			for _, h := range plan.Held {
				for i := range o.accounts {
					a := &o.accounts[i]
					if a.Person == h.Person && !a.Disabled && !slices.Equal(before[h.Person], fields(a)) {
						t.Fatalf("somebody held (%s) was changed", h.Why)
					}
				}
			}
		}
	})
}

// told2 is told for the short names of the random world.
func told2(p *provision.Plan) (out []string) {
	for i := range p.Steps {
		s := &p.Steps[i]
		out = append(out, fmt.Sprint(s.Kind, fields(&s.After), s.Rows, s.Needs))
	}
	for _, h := range p.Held {
		out = append(out, fmt.Sprint(h.Why, h.Person, h.Phone, h.Account, h.Rows, h.With))
	}
	return out
}

// Whoever does nothing but move from unit to unit is bound anew once a move, and has the
// same account ever after.
func TestMovesAreRebinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &other{}
		at := tianbao.ID(0)
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			unit := tianbao.ID(rapid.IntRange(1, 3).Draw(t, "unit"))
			settled := rapid.Bool().Draw(t, "the old unit has reported")
			in := &provision.Input{
				Rows:     []provision.Row{{Report: 1, Row: 1, Unit: unit, Person: "P", Name: "某某", Phone: "a", Mobile: true}},
				Accounts: slices.Clone(o.accounts), Settled: func(u tianbao.ID) bool { return u == unit || settled },
			}
			plan := provision.Make(in)
			switch {
			case at == 0 && (len(plan.Steps) != 1 || plan.Steps[0].Kind != provision.Create),
				at != 0 && at != unit && (len(plan.Steps) != 1 || plan.Steps[0].Kind != provision.Rebind),
				at == unit && len(plan.Steps) != 0:
				t.Fatalf("from %d to %d: %v", at, unit, plan.Steps)
			}
			for i := range plan.Steps {
				o.apply(t, &plan.Steps[i])
			}
			at = unit
			if len(o.accounts) != 1 || o.accounts[0].ID != 1 || o.accounts[0].Disabled {
				t.Fatal("not one live account")
			}
		}
	})
}
