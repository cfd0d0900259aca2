package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/report"
	"tianbao/internal/store"
)

// The units of the register in these tests: the office's own department 1 with school 3,
// and school 4 of another department.
const (
	ownSchool   = "12210000MB2F00112F"
	otherSchool = "12210000MB2F00227M"
)

// withRegister lets the office hold rows against its register.
func withRegister(o *office) *office {
	o.Held = func(_ string, _ int, find func(map[string]string) tianbao.UnitMatch, beside tianbao.Beside, failed func(error)) (report.Checker, error) {
		return o.rules.Against(find).Beside(beside, failed), nil
	}
	must(o.t, o.Store.(*store.Store).PutUnits(o.ctx(),
		tianbao.Unit{ID: 3, Parent: 1, Name: "示范一中", BudgetCode: "001001", OrgCode: ownSchool, Type: "事业单位", Kind: "unit"},
		tianbao.Unit{ID: 9, Name: "邻市教育局", Kind: "department"},
		tianbao.Unit{ID: 4, Parent: 9, Name: "邻市二中", BudgetCode: "002001", OrgCode: otherSchool, Type: "事业单位", Kind: "unit"}))
	return o
}

// of is a row of a unit that has no fault but what the register says.
func of(n int, budget, name, org, typ string) tianbao.Values {
	v := values(n)
	v[0], v[1], v[2], v[3] = budget, name, org, typ
	return v
}

// said lists the problems that the register gave.
func said(ps []tianbao.Problem) []string {
	out := []string{}
	for _, p := range ps {
		if strings.HasPrefix(p.Code, "unit.") {
			out = append(out, fmt.Sprint(p.Row, " ", p.Code))
		}
	}
	return out
}

// TestRegister holds one sheet against the register on every way in and out.
func TestRegister(t *testing.T) {
	onBoth(t, func(o *office) {
		withRegister(o)
		rows := []tianbao.Values{
			of(1, "001001", "示范一中", ownSchool, "事业单位"),
			of(2, "002001", "邻市二中", otherSchool, "事业单位"),
			of(3, "", "示范中学", ownSchool, "行政单位"),
			of(4, "", "没有登记的学校", "", ""),
		}
		want := []string{"1 unit.out_of_scope", "2 unit.name_mismatch", "2 unit.type_mismatch", "3 unit.unknown"}
		same := func(what string, ps []tianbao.Problem, err error) {
			o.t.Helper()
			must(o.t, err)
			if d := cmp.Diff(want, said(ps)); d != "" {
				o.t.Errorf("%s: %s", what, d)
			}
			for _, p := range ps {
				if strings.Contains(p.Message, "邻市") || strings.Contains(p.Message, otherSchool) {
					o.t.Errorf("%s: tells of a unit out of scope: %s", what, p.Message)
				}
			}
		}
		imp := o.file(1, rows...)
		rep := o.view().Report
		ps, err := o.Imported(o.ctx(), &rep, imp)
		same("an annotated copy", ps, err)
		plan, err := o.Import(o.ctx(), o.who, o.set(0), imp, report.ModeAppend, "a.xlsx", nil)
		must(o.t, err)
		same("a preview", plan.Problems, nil)
		set := o.set(0, plan.Changes...)
		_, ps, err = o.Check(o.ctx(), o.who, set)
		same("the page", ps, err)
		o.save(0, plan.Changes...)
		for what, long := range map[string]int{"the page, stored": 0, "the page, long": 1} {
			o.Long = long
			f, err := o.Faults(o.ctx(), o.who, o.set(1))
			must(o.t, err)
			same(what, f.Problems, nil)
		}
		_, err = o.Submit(o.ctx(), o.who, o.id, "submit-1")
		var e *tianbao.Error
		if !errors.As(err, &e) || e.Kind != tianbao.ErrFaulty {
			o.t.Fatalf("上报: %v", err)
		}
		same("上报", e.Problems, nil)
		parts, err := o.Store.Across(o.ctx(), o.who.Scope, 7, 0, 0, 10)
		must(o.t, err)
		if d := cmp.Diff([]int{0, 1, 0, 3}, parts[0].Faults); d != "" {
			o.t.Errorf("counted when saved: %s", d)
		}
		units := []tianbao.ID{}
		for _, r := range o.view().Rows {
			units = append(units, r.Unit)
		}
		if d := cmp.Diff([]tianbao.ID{3, 1, 3, 1}, units); d != "" {
			o.t.Errorf("whose rows: %s", d)
		}
		// A long file, in parts of two rows.
		o.Short, o.Part = -1, 2
		plan, _, err = o.applyBook(o.ctx(), &memory{imp: imp}, report.ModeAppend)
		must(o.t, err)
		same("a long file", plan.Problems, nil)
	})
}
