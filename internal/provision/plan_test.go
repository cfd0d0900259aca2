package provision_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/provision"
)

// person returns the id of an invented person, who is called n.
func person(n string) string { return "21010219800101" + n }

// row is a row of a person in a unit; the last text is a reason.
func row(unit tianbao.ID, who, phone string, why ...string) provision.Row {
	return provision.Row{
		Report: unit, Row: unit*100 + tianbao.ID(len(phone)), Unit: unit, Person: person(who), Name: "某" + who,
		Phone: phone, Mobile: strings.HasPrefix(phone, "1"), Legacy: "old" + who, Reason: strings.Join(why, ""),
	}
}

func account(id tianbao.ID, who, phone string, units ...tianbao.ID) provision.Account {
	return provision.Account{ID: id, Person: person(who), Name: "某" + who, Login: phone, Legacy: "old" + who, Units: units}
}

func disabled(a provision.Account) provision.Account {
	a.Disabled = true
	return a
}

const (
	a = "16000000001"
	b = "16000000002"
	c = "16000000003"
)

// told writes a plan in short: kind, person, login, units, what it needs; then who is held.
func told(p *provision.Plan) (out []string) {
	for _, s := range p.Steps {
		line := fmt.Sprintf("%s %s %s %v", s.Kind, s.After.Person[14:], s.After.Login, s.After.Units)
		if s.Needs >= 0 {
			line += fmt.Sprintf(" after %d", s.Needs)
		}
		out = append(out, line)
	}
	for _, h := range p.Held {
		who := ""
		if h.Person != "" {
			who = h.Person[14:]
		}
		out = append(out, fmt.Sprintf("held %s %s %d with %d", h.Why, who, len(h.Rows), len(h.With)))
	}
	return out
}

func TestMake(t *testing.T) {
	all := func(tianbao.ID) bool { return true }
	nobody := func(string, string) bool { return false }
	tests := []struct {
		name     string
		rows     []provision.Row
		accounts []provision.Account
		silent   []tianbao.ID // units that have not reported
		proven   func(person, phone string) bool
		want     []string
	}{
		{name: "nobody"},
		{
			name: "somebody new",
			rows: []provision.Row{row(1, "P", a)},
			want: []string{"create P 16000000001 [1]"},
		},
		{
			name:     "as it stands",
			rows:     []provision.Row{row(1, "P", a)},
			accounts: []provision.Account{account(9, "P", a, 1)},
		},
		{
			name:     "moved to another unit",
			rows:     []provision.Row{row(2, "P", a)},
			accounts: []provision.Account{account(9, "P", a, 1)},
			want:     []string{"rebind P 16000000001 [2]"},
		},
		{
			name:     "moved, and the old unit has not reported",
			rows:     []provision.Row{row(2, "P", a)},
			accounts: []provision.Account{account(9, "P", a, 1)},
			silent:   []tianbao.ID{1},
			want:     []string{"rebind P 16000000001 [2]"},
		},
		{
			name:     "moved with a new phone: one step",
			rows:     []provision.Row{row(2, "P", b)},
			accounts: []provision.Account{account(9, "P", a, 1)},
			want:     []string{"rebind P 16000000002 [2]"},
		},
		{
			name:     "a new phone",
			rows:     []provision.Row{row(1, "P", b)},
			accounts: []provision.Account{account(9, "P", a, 1)},
			want:     []string{"change P 16000000002 [1]"},
		},
		{
			name:     "left",
			accounts: []provision.Account{account(9, "P", a, 1)},
			want:     []string{"disable P 16000000001 [1]"},
		},
		{
			name:     "in no row, of a unit that has not reported",
			accounts: []provision.Account{account(9, "P", a, 1)},
			silent:   []tianbao.ID{1},
		},
		{
			name:     "left one of two units",
			accounts: []provision.Account{account(9, "P", a, 1, 2)},
			silent:   []tianbao.ID{2},
			want:     []string{"rebind P 16000000001 [2]"},
		},
		{
			name:     "back again",
			rows:     []provision.Row{row(2, "P", b)},
			accounts: []provision.Account{disabled(account(9, "P", a, 1))},
			want:     []string{"restore P 16000000002 [2]"},
		},
		{
			name: "in two units with a reason: one account, at home where none was given",
			rows: []provision.Row{row(1, "P", a, "在两个单位兼职"), row(2, "P", a)},
			want: []string{"create P 16000000001 [2 1]"},
		},
		{
			name:     "in two units, each with a reason: at home where the account is",
			rows:     []provision.Row{row(1, "P", a, "在两个单位兼职"), row(2, "P", a, "在两个单位兼职")},
			accounts: []provision.Account{account(9, "P", a, 2)},
			want:     []string{"rebind P 16000000001 [2 1]"},
		},
		{
			name: "in two units without a reason",
			rows: []provision.Row{row(1, "P", a), row(2, "P", a)},
			want: []string{"held two_units P 2 with 0"},
		},
		{
			name:     "in a second unit; the first has not reported",
			rows:     []provision.Row{row(1, "P", a), row(3, "P", a, "在几个单位兼职")},
			accounts: []provision.Account{account(9, "P", a, 1, 2)},
			silent:   []tianbao.ID{2},
			want:     []string{"rebind P 16000000001 [1 2 3]"},
		},
		{
			name: "twice in one unit",
			rows: []provision.Row{row(1, "P", a), {Report: 7, Row: 1, Unit: 1, Person: person("P"), Name: "某P", Phone: a, Mobile: true, Legacy: "oldP"}},
			want: []string{"create P 16000000001 [1]"},
		},
		{
			name: "two names",
			rows: []provision.Row{row(1, "P", a), {Report: 7, Row: 1, Unit: 1, Person: person("P"), Name: "另一个", Phone: a, Mobile: true}},
			want: []string{"held two_names P 2 with 0"},
		},
		{
			name: "two phones",
			rows: []provision.Row{row(1, "P", a), row(2, "P", b, "在两个单位兼职")},
			want: []string{"held two_phones P 2 with 0"},
		},
		{
			name: "a landline, and no id",
			rows: []provision.Row{row(1, "P", "024-23861234"), {Report: 1, Row: 5, Unit: 1, Phone: b}},
			want: []string{"held no_mobile P 1 with 0", "held no_person  1 with 0"},
		},
		{
			name: "one phone for two",
			rows: []provision.Row{row(1, "P", a), row(2, "Q", a)},
			want: []string{"held phone_shared P 1 with 1", "held phone_shared Q 1 with 1"},
		},
		{
			name:     "one phone for two, of whom one has it",
			rows:     []provision.Row{row(1, "P", a), row(2, "Q", a)},
			accounts: []provision.Account{account(9, "Q", a, 2)},
			want:     []string{"held phone_shared P 1 with 1"},
		},
		{
			name: "one phone for two, of whom one is held anyhow",
			rows: []provision.Row{row(1, "P", a), row(3, "P", a), row(2, "Q", a)},
			want: []string{"held two_units P 2 with 0", "held phone_shared Q 1 with 2"},
		},
		{
			name:     "a phone handed on: it is given up first",
			rows:     []provision.Row{row(1, "P", a), row(2, "Q", b)},
			accounts: []provision.Account{account(9, "Q", a, 2)},
			want:     []string{"change Q 16000000002 [2]", "create P 16000000001 [1] after 0"},
		},
		{
			name:     "a phone handed on in a row",
			rows:     []provision.Row{row(1, "P", a), row(2, "Q", b), row(3, "R", c)},
			accounts: []provision.Account{account(8, "P", b, 1), account(9, "Q", c, 2)},
			want:     []string{"change P 16000000001 [1]", "change Q 16000000002 [2] after 0", "create R 16000000003 [3] after 1"},
		},
		{
			name:     "a phone of somebody who left",
			rows:     []provision.Row{row(1, "P", a)},
			accounts: []provision.Account{account(9, "Q", a, 2)},
			want:     []string{"disable Q retired-9 [2]", "create P 16000000001 [1] after 0"},
		},
		{
			name:     "a phone of somebody who left long ago",
			rows:     []provision.Row{row(1, "P", a)},
			accounts: []provision.Account{disabled(account(9, "Q", a, 2))},
			want:     []string{"release Q retired-9 [2]", "create P 16000000001 [1] after 0"},
		},
		{
			name:     "a phone of somebody who is back, and held",
			rows:     []provision.Row{row(1, "P", a), row(2, "Q", b), row(3, "Q", b)},
			accounts: []provision.Account{disabled(account(9, "Q", a, 2))},
			want:     []string{"release Q retired-9 [2]", "create P 16000000001 [1] after 0", "held two_units Q 2 with 0"},
		},
		{
			name:     "a phone of somebody who stays, but gave another one that is held",
			rows:     []provision.Row{row(1, "P", a), row(2, "Q", b), row(3, "R", b)},
			accounts: []provision.Account{account(9, "Q", a, 2)},
			want:     []string{"held phone_taken P 1 with 1", "held phone_shared Q 1 with 1", "held phone_shared R 1 with 1"},
		},
		{
			name:     "a phone of somebody of a unit that has not reported",
			rows:     []provision.Row{row(1, "P", a)},
			accounts: []provision.Account{account(9, "Q", a, 2)},
			silent:   []tianbao.ID{2},
			want:     []string{"held phone_taken P 1 with 0"},
		},
		{
			name:     "phones swapped",
			rows:     []provision.Row{row(1, "P", b), row(2, "Q", a), row(3, "R", c)},
			accounts: []provision.Account{account(8, "P", a, 1), account(9, "Q", b, 2)},
			want:     []string{"create R 16000000003 [3]", "held phone_swap P 1 with 1", "held phone_swap Q 1 with 1"},
		},
		{
			name:     "phones that nobody has shown to be one's own",
			rows:     []provision.Row{row(1, "P", a), row(2, "Q", b), row(4, "R", c)},
			accounts: []provision.Account{account(9, "Q", b, 3), disabled(account(10, "R", c, 3))},
			proven:   nobody,
			want:     []string{"rebind Q 16000000002 [2]", "held unproven P 1 with 0", "held unproven R 1 with 0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &provision.Input{Rows: tt.rows, Accounts: tt.accounts, Settled: all, Proven: tt.proven}
			if tt.silent != nil {
				in.Settled = func(u tianbao.ID) bool { return !slices.Contains(tt.silent, u) }
			}
			if diff := cmp.Diff(tt.want, told(provision.Make(in))); diff != "" {
				t.Error(diff)
			}
			slices.Reverse(in.Rows)
			slices.Reverse(in.Accounts)
			if diff := cmp.Diff(tt.want, told(provision.Make(in))); diff != "" {
				t.Errorf("in another order: %s", diff)
			}
		})
	}
}

// Nothing that holds ids or phones prints them, whatever the verb.
func TestPrintsNothing(t *testing.T) {
	p := provision.Make(&provision.Input{
		Rows:    []provision.Row{row(1, "P", a), row(2, "Q", b), row(3, "Q", b)},
		Settled: func(tianbao.ID) bool { return true },
	})
	for _, v := range []any{p, *p, p.Steps, p.Held, p.Steps[0], p.Steps[0].After, row(1, "P", a), []provision.Row{row(1, "P", a)}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "1600000000") || strings.Contains(got, "2101021980") {
				t.Errorf("%s of %T tells what is in it", verb, v)
			}
		}
	}
}
