package storetest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

func testCatalog(w *world) {
	ctx := w.t.Context()
	w.ok(w.Ready(ctx))
	later := tianbao.Campaign{ID: 102, Title: "第二次", Form: "asset-role", FormV: 1, Opens: epoch().Add(time.Hour), Closes: epoch().Add(2 * time.Hour), Released: true}
	w.ok(w.PutCampaign(ctx, later))
	later.Opened = later.Opens
	list, err := w.Campaigns(ctx)
	w.ok(err)
	if len(list) != 2 || list[0].ID != 102 || list[1].ID != campaign {
		w.t.Errorf("campaigns %v", list)
	}
	later.Version = list[0].Version // any
	if diff := cmp.Diff(later, list[0]); diff != "" {
		w.t.Error(diff)
	}
	if c, err := w.Campaign(ctx, campaign); err != nil || !c.Closes.IsZero() {
		w.t.Errorf("a campaign without end: %v %v", c, err)
	}
	_, err = w.Campaign(ctx, hidden)
	refused(w.t, "a campaign that is not released", err, tianbao.ErrNotFound)
	_, err = w.OpenReport(ctx, all(), hidden, unitA)
	refused(w.t, "a report in it", err, tianbao.ErrNotFound)
	_, err = w.Reports(ctx, all(), hidden, "", 0, 10)
	refused(w.t, "the reports in it", err, tianbao.ErrNotFound)
	_, err = w.OpenReport(ctx, all(), campaign, 999)
	refused(w.t, "a report of a unit that is not there", err, tianbao.ErrNotFound)

	r := w.open(unitB)
	want := tianbao.Report{ID: r.ID, Campaign: campaign, Owner: unitB, OwnerName: "第二中学", OwnerPath: "/1/2/4/", Form: "asset-role", FormV: 1, State: tianbao.StateEmpty}
	if diff := cmp.Diff(want, r); diff != "" || r.ID == 0 {
		w.t.Error(diff)
	}
	if again := w.open(unitB); again.ID != r.ID {
		w.t.Error("opened twice, it is another report")
	}
	d := w.draft(r)
	d.insert(0, Values(1))
	r = d.save()
	reports := func(scope tianbao.Scope, q string, offset, limit int) []tianbao.Report {
		w.t.Helper()
		list, err := w.Reports(ctx, scope, campaign, q, offset, limit)
		w.ok(err)
		return list
	}
	owners := func(list []tianbao.Report) (out []tianbao.ID) {
		for _, r := range list {
			out = append(out, r.Owner)
		}
		return out
	}
	tree := reports(all(), "", 0, 100)
	if got := owners(tree); !slices.Equal(got, []tianbao.ID{bureau, elsewhere, department, unitA, unitB}) &&
		!slices.Equal(got, []tianbao.ID{bureau, department, unitA, unitB, elsewhere}) {
		w.t.Errorf("order of the tree: %v", got)
	}
	i := slices.IndexFunc(tree, func(r tianbao.Report) bool { return r.Owner == unitB })
	if diff := cmp.Diff(r, tree[i]); diff != "" {
		w.t.Error(diff)
	}
	none := tree[slices.IndexFunc(tree, func(r tianbao.Report) bool { return r.Owner == unitA })]
	if none.ID != 0 || none.State != tianbao.StateEmpty || none.Form != "asset-role" || none.FormV != 1 || none.OwnerName != "第一中学" {
		w.t.Errorf("a unit without report: %+v", none)
	}
	for _, tt := range []struct {
		q    string
		want []tianbao.ID
	}{
		{"中学", []tianbao.ID{unitA, unitB}},
		{"101001", []tianbao.ID{unitA}},
		{"122101", []tianbao.ID{unitA, unitB}},
		{"00000003c", []tianbao.ID{unitA}},
		{"%", nil},
		{"_", nil},
		{`\`, nil},
		{"' OR 1=1 --", nil},
	} {
		if got := owners(reports(at("/1/2/"), tt.q, 0, 10)); !slices.Equal(got, tt.want) {
			w.t.Errorf("%q finds %v, want %v", tt.q, got, tt.want)
		}
	}
	if got := owners(reports(at("/1/2/"), "", 1, 1)); !slices.Equal(got, []tianbao.ID{unitA}) {
		w.t.Errorf("the second: %v", got)
	}
}

func testOpenRaced(w *world) {
	ids := make([]tianbao.ID, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			r, err := w.OpenReport(w.t.Context(), all(), campaign, unitA)
			if err != nil {
				w.t.Error(err)
			}
			ids[i] = r.ID
		})
	}
	wg.Wait()
	if n := w.count("report"); n != 1 || len(slices.Compact(ids)) != 1 {
		w.t.Errorf("%d reports, %d answers", n, len(slices.Compact(ids)))
	}
}

func testUnits(w *world) {
	ctx := w.t.Context()
	u, err := w.Unit(ctx, all(), unitA)
	w.ok(err)
	want := tianbao.Unit{ID: unitA, Parent: department, Region: 9, Path: "/1/2/3/", Name: "第一中学", BudgetCode: "101001", OrgCode: "12210100000000003C", Kind: "unit", Type: "事业单位"}
	if diff := cmp.Diff(want, u); diff != "" {
		w.t.Error(diff)
	}
	list, err := w.Units(ctx, at("/1/"), "中学", 1)
	w.ok(err)
	if len(list) != 1 || list[0].ID != unitA {
		w.t.Errorf("one unit: %v", list)
	}
	for key, want := range map[string]tianbao.ID{"101001": unitA, "12210100000000004D": unitB, "12": elsewhere} {
		if u, err := w.FindUnit(ctx, key); err != nil || u.ID != want {
			w.t.Errorf("unit %s: %d %v", key, u.ID, err)
		}
	}
	for _, key := range []string{"", "999", "x", "-1"} {
		_, err := w.FindUnit(ctx, key)
		refused(w.t, "unit "+key, err, tianbao.ErrNotFound)
	}
	// The department moves to the other bureau, with what is below it.
	w.ok(w.PutUnits(ctx, tianbao.Unit{ID: department, Parent: elsewhere, Name: "市教育局", BudgetCode: "101001", Kind: "department"}))
	if u, err := w.Unit(ctx, at("/12/"), unitA); err != nil || u.Path != "/12/2/3/" {
		w.t.Errorf("after the move: %s %v", u.Path, err)
	}
	_, err = w.Unit(ctx, at("/1/"), unitA)
	refused(w.t, "from where it was", err, tianbao.ErrNotFound)
	_, err = w.FindUnit(ctx, "101001")
	refused(w.t, "a code that two units bear", err, tianbao.ErrInvalid)
	refused(w.t, "below itself", w.PutUnits(ctx, tianbao.Unit{ID: department, Parent: unitA}), tianbao.ErrInvalid)
	refused(w.t, "below nothing", w.PutUnits(ctx, tianbao.Unit{ID: 50, Parent: 51}), tianbao.ErrNotFound)
	regions, err := w.Regions(ctx)
	w.ok(err)
	if diff := cmp.Diff([]tianbao.Region{{ID: 9, Code: "210000", Name: "辽宁省", InScope: true}}, regions); diff != "" {
		w.t.Error(diff)
	}
}

// Codes that lost their zeros are known again, unless something else bears the rest.
func testPaddedCodes(w *world) {
	ctx := w.t.Context()
	w.ok(w.PutUnits(ctx,
		tianbao.Unit{ID: 30, Parent: department, Name: "一", BudgetCode: "001001"},
		tianbao.Unit{ID: 31, Parent: department, Name: "二", BudgetCode: "002002"},
		tianbao.Unit{ID: 32, Parent: department, Name: "三", BudgetCode: "2002"},
		tianbao.Unit{ID: 33, Parent: department, Name: "四", BudgetCode: "03"},
		tianbao.Unit{ID: 34, Parent: department, Name: "五", BudgetCode: "003"},
		tianbao.Unit{ID: 35, Parent: department, Name: "六", BudgetCode: "000"},
	))
	got, err := w.PaddedCodes(ctx)
	w.ok(err)
	// "001" and "002" are the bureaus of the world.
	if diff := cmp.Diff(map[string]string{"1001": "001001", "1": "001", "2": "002"}, got); diff != "" {
		w.t.Error(diff)
	}
}

func testUnitOf(w *world) {
	ctx := w.t.Context()
	w.ok(w.PutUnits(ctx,
		tianbao.Unit{ID: 20, Parent: department, Name: "分校", BudgetCode: "101003", OrgCode: "12210100000000003C"},
		tianbao.Unit{ID: 21, Parent: elsewhere, Name: "第一中学", BudgetCode: "101001", OrgCode: "x"},
	))
	w.ok(w.PutUnitAlias(ctx, unitB, "unit_name", "二中"))
	w.ok(w.PutUnitAlias(ctx, unitB, "unit_name", "二中"))
	w.ok(w.PutUnitAlias(ctx, unitA, "unit_name", "分校"))
	tests := []struct {
		name string
		keys map[string]string
		want tianbao.ID
	}{
		{"organisation code", map[string]string{"org_code": "12210100000000004D"}, unitB},
		{"the most certain wins", map[string]string{"org_code": "12210100000000004D", "budget_code": "101001", "unit_name": "第一中学"}, unitB},
		{"a code of several, the next chooses", map[string]string{"org_code": "12210100000000003C", "budget_code": "101003"}, 20},
		{"a code of several, the name chooses", map[string]string{"org_code": "12210100000000003C", "budget_code": "9", "unit_name": "第一中学"}, unitA},
		{"a code of several, nothing chooses", map[string]string{"org_code": "12210100000000003C", "unit_name": "第二中学"}, 0},
		{"unknown code, name", map[string]string{"org_code": "zz", "unit_name": "第二中学"}, unitB},
		{"alias", map[string]string{"unit_name": "二中"}, unitB},
		{"a name before an alias", map[string]string{"unit_name": "分校"}, 20},
		{"nothing", map[string]string{"unit_name": "第九中学"}, 0},
		{"empty", map[string]string{"unit_name": "", "other": "x"}, 0},
		{"nil", nil, 0},
	}
	for _, tt := range tests {
		many, err := w.UnitFinder(ctx, at("/1/"), 1_000_000)
		w.ok(err)
		if got, err := many(tt.keys); err != nil || got.ID() != tt.want {
			w.t.Errorf("%s, read whole: got %d, %v, want %d", tt.name, got.ID(), err, tt.want)
		}
		if got, err := w.UnitOf(ctx, at("/1/"), tt.keys); err != nil || got != tt.want {
			w.t.Errorf("%s: unit %d, want %d: %v", tt.name, got, tt.want, err)
		}
	}
}

func testForms(w *world) {
	ctx := w.t.Context()
	w.ok(w.PutForm(ctx, "f", 1, []byte("{}"), epoch()))
	w.ok(w.PutForm(ctx, "f", 1, []byte("{}"), epoch()))
	w.ok(w.PutForm(ctx, "f", 2, []byte("{ }"), epoch()))
	refused(w.t, "a changed version", w.PutForm(ctx, "f", 1, []byte("{ }"), epoch()), tianbao.ErrConflict)
}

// Text that no column holds on every engine comes back cleaned, or finds nothing;
// it is never an error of the database.
func testOddText(w *world) {
	ctx := w.t.Context()
	for _, odd := range []string{"\x00", "a\x00b", "\xff\xfe", "长\xe4\xb8", "'; DROP TABLE unit; --", string(make([]byte, 1000))} {
		if _, err := w.Units(ctx, all(), odd, 10); err != nil {
			w.t.Errorf("Units(%q): %v", odd, err)
		}
		if _, err := w.Reports(ctx, all(), campaign, odd, 0, 10); err != nil {
			w.t.Errorf("Reports(%q): %v", odd, err)
		}
		if _, err := w.UnitOf(ctx, all(), map[string]string{"unit_name": odd}); err != nil {
			w.t.Errorf("UnitOf(%q): %v", odd, err)
		}
		if _, _, err := w.Outcome(ctx, 1, odd); err != nil {
			w.t.Errorf("Outcome(%q): %v", odd, err)
		}
		_, _, err := w.UserByLogin(ctx, odd)
		refused(w.t, "a login", err, tianbao.ErrNotFound)
		_, err = w.FindUnit(ctx, odd)
		var e *tianbao.Error
		if !errors.As(err, &e) {
			w.t.Errorf("FindUnit(%q): %v", odd, err)
		}
	}
	r := w.open(unitA)
	d := w.draft(r)
	v := Values(1)
	v[5] = "张\xff\x00三"
	d.insert(0, v)
	d.Set.Note = "\xff\x00"
	r = d.save()
	if got := w.rows(r.ID)[0].Values[5]; got != "张\uFFFD\x00三" {
		w.t.Errorf("the cell came back as %q", got)
	}
}
