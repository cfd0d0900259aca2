package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// What the register knows of the units that rows name, asked for one by one and looked up
// in memory; each change of the register is seen at once.
func testKnownUnits(w *world) {
	ctx := w.t.Context()
	expect := func(what string, scope tianbao.Scope, keys map[string]string, want tianbao.UnitMatch) {
		w.t.Helper()
		for name, lookups := range map[string]int{"asked": 1, "read whole": 1_000_000, "asked after that": 1} {
			find, err := w.UnitFinder(ctx, scope, lookups)
			w.ok(err)
			got, err := find(keys)
			w.ok(err)
			if len(want.Aliases) == 0 {
				got.Aliases = nil // known or not, as they are needed
			}
			if d := cmp.Diff(want, got); d != "" {
				w.t.Errorf("%s, %s: %s", what, name, d)
			}
		}
	}
	unit := func(id tianbao.ID) *tianbao.Unit {
		u, err := w.Unit(ctx, all(), id)
		w.ok(err)
		return &u
	}
	a := map[string]string{"org_code": "12210100000000003C", "unit_name": "第一中学"}
	expect("in scope", at("/1/"), a, tianbao.UnitMatch{Unit: unit(unitA)})
	expect("out of scope", at("/12/"), a, tianbao.UnitMatch{Outside: true})
	expect("no scope at all", at(), a, tianbao.UnitMatch{Outside: true})
	expect("nowhere", at("/1/"), map[string]string{"org_code": "zz", "unit_name": "第九中学"}, tianbao.UnitMatch{})
	expect("nothing asked", at("/1/"), nil, tianbao.UnitMatch{})
	expect("here by its name, elsewhere by its code", at("/1/"), map[string]string{"org_code": "11210200000000005E", "unit_name": "第一中学"}, tianbao.UnitMatch{Unit: unit(unitA)})

	w.ok(w.PutUnits(ctx, tianbao.Unit{ID: unitA, Parent: department, Region: 9, Name: "实验中学", BudgetCode: "101001", OrgCode: "12210100000000003C", Kind: "unit"}))
	expect("renamed", at("/1/"), a, tianbao.UnitMatch{Unit: unit(unitA)})
	w.ok(w.PutUnitAlias(ctx, unitA, "unit_name", "第一中学"))
	expect("known by its earlier name", at("/1/"), a, tianbao.UnitMatch{Unit: unit(unitA), Aliases: []tianbao.UnitAlias{{Field: "unit_name", Value: "第一中学"}}})
	w.ok(w.PutUnits(ctx, tianbao.Unit{ID: 30, Parent: department, Name: "同名", BudgetCode: "1", Kind: "unit"}, tianbao.Unit{ID: 31, Parent: department, Name: "同名", BudgetCode: "2", Kind: "unit"}))
	expect("several", at("/1/"), map[string]string{"unit_name": "同名"}, tianbao.UnitMatch{Several: true})

	_, version, err := w.Register(ctx, all(), false)
	w.ok(err)
	w.ok(w.ChangeRegister(ctx, &tianbao.RegisterChange{Base: version, Day: ago(time.Hour), At: epoch(), Changes: []tianbao.UnitChange{
		{Act: tianbao.UnitClose, Unit: *unit(unitB)},
	}}))
	expect("closed", at("/1/"), map[string]string{"unit_name": "第二中学"}, tianbao.UnitMatch{Unit: unit(unitB), Closed: true})
	expect("closed, and elsewhere", at("/12/"), map[string]string{"unit_name": "第二中学"}, tianbao.UnitMatch{})
}
