package org_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
	"tianbao/internal/org"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// now is the time of the tests, a day of 2024 in Shanghai.
func now() time.Time { return time.Date(2024, 6, 1, 10, 0, 0, 0, clock.Shanghai) }

func day(text string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, text, clock.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// office is the register in a world of its own.
type office struct {
	*org.Service
	t     testing.TB
	store *store.Store
	form  *tianbao.Form
}

func newOffice(t testing.TB, s *store.Store) *office {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := forms.Latest(org.FormName)
	c, err := check.New(f, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureRegions(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &office{Service: &org.Service{Store: s, Checker: c, IDs: &clock.IDs{Clock: now}, Now: now}, t: t, store: s, form: f}
}

func each(t *testing.T, fn func(*office)) {
	storetest.Engines(t, func(t *testing.T, s *store.Store) { fn(newOffice(t, s)) }, storetest.WithClock(now))
}

func all() tianbao.Scope { return tianbao.Scope{Paths: []string{"/"}} }

func whole() org.Actor { return org.Actor{User: 7, Scope: all()} }

// book is a workbook of the register: one line a row, cells by their keys.
func (o *office) book(lines ...string) *tianbao.Import {
	o.t.Helper()
	imp := &tianbao.Import{Columns: make([]int, len(o.form.Fields))}
	for i, line := range lines {
		r := tianbao.ImportedRow{SheetRow: 10 + i, Row: tianbao.Row{Values: make(tianbao.Values, len(o.form.Fields))}}
		for _, cell := range strings.Fields(line) {
			key, value, _ := strings.Cut(cell, "=")
			f := o.form.Index(key)
			if f < 0 {
				o.t.Fatalf("no field %q", key)
			}
			r.Row.Values[f] = o.Checker.Normalize(f, value)
		}
		imp.Rows = append(imp.Rows, r)
	}
	return imp
}

// load imports a workbook whole.
func (o *office) load(on string, lines ...string) *org.Plan {
	o.t.Helper()
	p := o.preview(all(), on, lines...)
	if p.Faulty > 0 {
		o.t.Fatalf("%d faulty rows: %+v", p.Faulty, p.Problems)
	}
	if err := o.Apply(o.t.Context(), whole(), p); err != nil {
		o.t.Fatal(err)
	}
	return p
}

func (o *office) preview(scope tianbao.Scope, on string, lines ...string) *org.Plan {
	o.t.Helper()
	p, err := o.Preview(o.t.Context(), scope, o.book(lines...), day(on))
	if err != nil {
		o.t.Fatal(err)
	}
	if p.New+p.Changed+p.Closed+p.Same+p.Faulty != p.Rows {
		o.t.Errorf("the counts do not add up: %+v", p)
	}
	return p
}

// unit returns the open unit with a name.
func (o *office) unit(name string) tianbao.UnitEntry {
	o.t.Helper()
	entries, _, err := o.store.Register(o.t.Context(), all(), true)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name == name && e.To.IsZero() {
			return e
		}
	}
	o.t.Fatalf("no unit %s", name)
	return tianbao.UnitEntry{}
}

func (o *office) do(unit string, act org.Act) tianbao.ID {
	o.t.Helper()
	id, err := o.Change(o.t.Context(), whole(), o.unit(unit).ID, act)
	if err != nil {
		o.t.Fatalf("%s %s: %v", act.Act, unit, err)
	}
	return id
}

// province is a small province: two cities, a department in each, three units.
func province() []string {
	return []string{
		"budget_code=101 unit_name=省财政厅 kind=财政部门 region=210000",
		"budget_code=201 unit_name=锦州财政局 kind=财政部门 region=锦州市 parent_code=101",
		"budget_code=201 unit_name=鞍山财政局 kind=财政部门 region=鞍山市 parent_code=101",
		"budget_code=201001 unit_name=锦州教育局 unit_type=主管部门 parent_code=201 region=210700",
		"budget_code=201001 unit_name=鞍山教育局 unit_type=主管部门 parent_code=201 region=210300",
		"budget_code=201001001 unit_name=第一中学 unit_type=事业单位 parent_code=201001 region=210700 contact_name=张示例 contact_phone=16012345678",
		"budget_code=201001002 unit_name=第二中学 unit_type=事业单位 parent_code=201001 region=210700",
		"budget_code=201001001 unit_name=铁西中学 unit_type=事业单位 parent_code=201001 region=鞍山市铁西区",
	}
}

func TestImport(t *testing.T) {
	each(t, func(o *office) {
		p := o.load("2022-01-01", province()...)
		if p.New != 8 || p.Absent != 0 {
			t.Fatalf("the first load: %+v", p)
		}
		if e := o.unit("铁西中学"); e.Region != 210303 || e.Kind != "unit" || e.Path != o.unit("鞍山教育局").Path+e.ID.String()+"/" {
			t.Errorf("a unit: %+v", e)
		}
		if e := o.unit("第一中学"); e.Contact.Phone != "16012345678" || e.Contact.Name != "张示例" {
			t.Error("the contact is lost")
		}
		if o.unit("锦州教育局").Kind != "department" {
			t.Error("a department by its type")
		}
		// The same again changes nothing, and neither does a part of it with blanks.
		if p := o.preview(all(), "2022-02-01", province()...); p.Same != 8 || !p.Empty() {
			t.Errorf("the same again: %+v %+v", p, p.Items)
		}
		if p := o.preview(all(), "2022-02-01", "budget_code=201001002 unit_name=第二中学"); p.Same != 1 || p.Absent != 7 {
			t.Errorf("blanks: %+v %+v", p, p.Items)
		}
		p = o.load("2022-03-01",
			"budget_code=201001001 unit_name=第一高中 region=锦州市 aliases=一中、一高", // another name
			"budget_code=201001002 unit_name=第二中学 state=撤销",                 // closed
			"budget_code=201001003 unit_name=第三中学 parent_code=201001 region=锦州市",
			"budget_code=201001001 unit_name=铁西中学 region=210303 parent_code=201001 contact_phone=16000000001", // the contact only
		)
		if p.New != 1 || p.Changed != 2 || p.Closed != 1 || p.Same != 0 || p.Absent != 5 {
			t.Errorf("a later one: %+v", p)
		}
		e := o.unit("第一高中")
		want := []tianbao.UnitAlias{{Field: "unit_name", Value: "一中"}, {Field: "unit_name", Value: "一高"}, {Field: "unit_name", Value: "第一中学"}}
		if diff := cmp.Diff(want, e.Aliases); diff != "" {
			t.Error(diff)
		}
		hist, err := o.store.UnitHistory(t.Context(), all(), e.ID, 10)
		if err != nil || len(hist) != 2 || hist[0].Act != tianbao.UnitEdit || hist[1].Act != tianbao.UnitCreate || !hist[0].Day.Equal(day("2022-03-01")) {
			t.Errorf("its history: %+v %v", hist, err)
		}
		if strings.Contains(fmt.Sprintf("%+v %v", e, hist), "16012345678") {
			t.Error("a contact prints itself")
		}
	})
}

func TestImportFaults(t *testing.T) {
	each(t, func(o *office) {
		o.load("2022-01-01", province()...)
		tests := []struct {
			name  string
			lines []string
			want  map[int]string // code of the first error by row
		}{
			{"an unknown parent", []string{"budget_code=9 unit_name=新单位 parent_code=999"}, map[int]string{0: "parent_code.unknown"}},
			{"no parent", []string{"budget_code=9 unit_name=新单位 region=210700"}, map[int]string{0: "parent_code.required"}},
			{"its own parent", []string{"budget_code=9 unit_name=新单位 parent_code=9 region=210700"}, map[int]string{0: "parent_code.self"}},
			{"a parent of several regions", []string{"budget_code=9 unit_name=新单位 parent_code=201"}, map[int]string{0: "parent_code.ambiguous"}},
			{"an unknown region", []string{"budget_code=9 unit_name=新单位 parent_code=101 region=210701"}, map[int]string{0: "region.unknown"}},
			{"a region of several cities", []string{"budget_code=9 unit_name=新单位 parent_code=101 region=铁西区"}, map[int]string{0: "region.unknown"}},
			{"a code of several regions", []string{"budget_code=201001001 unit_name=某中学"}, map[int]string{0: "budget_code.ambiguous"}},
			{"one unit twice", []string{"budget_code=201001002 unit_name=第二中学", "budget_code=201001002 unit_name=第二中学"}, map[int]string{1: "budget_code.twice"}},
			{"two new ones with one code", []string{"budget_code=9 unit_name=甲单位 parent_code=101 region=210700", "budget_code=9 unit_name=乙单位 parent_code=101 region=210700"}, map[int]string{1: "budget_code.taken"}},
			{"a wrong credit code", []string{"budget_code=201001002 unit_name=第二中学 org_code=12210700MB9000001A"}, map[int]string{0: "org_code.checksum"}},
			{"a new unit under one that is left out", []string{"budget_code=9 unit_name=甲单位 parent_code=999", "budget_code=91 unit_name=乙单位 parent_code=9 region=210700", "budget_code=911 unit_name=丙单位 parent_code=91 region=210700"}, map[int]string{0: "parent_code.unknown", 1: "parent_code.left", 2: "parent_code.left"}},
			{"a circle", []string{"budget_code=201 unit_name=锦州财政局 region=锦州市 parent_code=201001", "budget_code=201001 unit_name=锦州教育局 region=锦州市 parent_code=201"}, map[int]string{0: "parent_code.cycle"}},
			{"a circle of new ones", []string{"budget_code=8 unit_name=甲单位 parent_code=9 region=210700", "budget_code=9 unit_name=乙单位 parent_code=8 region=210700"}, map[int]string{0: "parent_code.cycle", 1: "parent_code.cycle"}},
			{"closing what has units below", []string{"budget_code=201001 unit_name=锦州教育局 region=锦州市 state=撤销"}, map[int]string{0: "state.below"}},
			{"closing a whole branch", []string{"budget_code=201001 unit_name=鞍山教育局 region=鞍山市 state=撤销", "budget_code=201001001 unit_name=铁西中学 region=210303 state=撤销"}, map[int]string{}},
			{"closing what is not there", []string{"budget_code=9 unit_name=新单位 parent_code=101 region=210700 state=撤销"}, map[int]string{0: "state.unknown_unit"}},
		}
		for _, tt := range tests {
			p := o.preview(all(), "2022-02-01", tt.lines...)
			got := map[int]string{}
			for _, pr := range p.Problems {
				if pr.Severity == tianbao.SeverityError && got[pr.Row] == "" {
					got[pr.Row] = pr.Code
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || p.Faulty != len(tt.want) {
				t.Errorf("%s: %d faulty %s", tt.name, p.Faulty, diff)
			}
		}
		// The rest is done, and a day before the last change is refused.
		if p := o.preview(all(), "2021-12-31", "budget_code=201001002 unit_name=第二高中"); p.Faulty != 1 || p.Problems[0].Code != "day.early" {
			t.Errorf("a day before: %+v", p.Problems)
		}
		if _, err := o.Preview(t.Context(), all(), o.book(), day("2024-06-02")); tianbao.KindOf(err) != tianbao.ErrInvalid {
			t.Errorf("a day to come: %v", err)
		}
		// Dalian is only told.
		if p := o.preview(all(), "2022-02-01", "budget_code=9 unit_name=大连单位 parent_code=101 region=大连市"); p.New != 1 || len(p.Problems) != 1 || p.Problems[0].Code != "region.out_of_scope" {
			t.Errorf("Dalian: %+v", p)
		}
	})
}

// A bureau imports for what lies below it: what bears the same codes elsewhere is
// neither found nor touched nor named.
func TestImportInScope(t *testing.T) {
	each(t, func(o *office) {
		o.load("2022-01-01", province()...)
		city := tianbao.Scope{Paths: []string{o.unit("锦州财政局").Path}}
		p := o.preview(city, "2022-02-01",
			"budget_code=201001001 unit_name=第一中学",                                  // one in this city
			"budget_code=201 unit_name=锦州财政局 parent_code=101",                       // itself, whose place is above it
			"budget_code=77 unit_name=新单位 parent_code=201001",                       // the department of this city
			"budget_code=78 unit_name=新单位二 parent_code=101",                         // the province is out of sight
			"budget_code=201001001 unit_name=铁西中学 parent_code=201001 region=210303", // of the other city: a new one here
		)
		if p.Same != 2 || p.New != 2 || p.Faulty != 1 || p.Absent != 2 {
			t.Errorf("%+v", p)
		}
		before := o.unit("铁西中学")
		if err := o.Apply(t.Context(), org.Actor{User: 7, Scope: city}, p); err != nil {
			t.Fatal(err)
		}
		after, err := o.store.UnitEntry(t.Context(), all(), before.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		// A plan made before is refused now.
		if err := o.Apply(t.Context(), org.Actor{User: 7, Scope: city}, p); tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("a plan of the register as it was: %v", err)
		}
	})
}

func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e *tianbao.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}
