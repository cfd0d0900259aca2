package report_test

import (
	"fmt"
	"testing"

	"tianbao"
	"tianbao/internal/report"
	"tianbao/internal/store"
)

// BenchmarkRegister checks a sheet of 15 000 rows of 5 000 units, and saves one row of it,
// without the register's rules and with them, in a register of 40 000 units; "read anew"
// is a check after the register has changed.
func BenchmarkRegister(b *testing.B) {
	o := newOffice(b, "")
	st := o.Store.(*store.Store)
	for part := range 40 {
		var units []tianbao.Unit
		for i := range 1000 {
			n := part*1000 + i
			units = append(units, tianbao.Unit{
				ID: tianbao.ID(1000 + n), Parent: 1, Kind: "unit", Type: "事业单位",
				Name: fmt.Sprintf("示范单位%d", n), BudgetCode: fmt.Sprintf("%09d", n), OrgCode: fmt.Sprintf("1221%014d", n),
			})
		}
		must(b, st.PutUnits(b.Context(), units...))
	}
	row := func(n int) tianbao.Change {
		v := values(n)
		v[0], v[1], v[2] = fmt.Sprintf("%09d", n/3), fmt.Sprintf("示范单位%d", n/3), ""
		return insert(fmt.Sprint("r", n), tianbao.AtEnd, v...)
	}
	var all []tianbao.Change
	for n := range 15_000 {
		all = append(all, row(n))
	}
	o.save(0, all...)
	version, next := int64(1), 15_000
	held := func(_ string, _ int, find func(map[string]string) tianbao.UnitMatch, beside tianbao.Beside, failed func(error)) (report.Checker, error) {
		return o.rules.Against(find).Beside(beside, failed), nil
	}
	check := func(b *testing.B, before func()) {
		for b.Loop() {
			before()
			if _, _, err := o.Check(b.Context(), o.who, o.set(version)); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, bm := range []struct {
		name string
		with bool
	}{{"without", false}, {"with", true}} {
		o.Held = nil
		if bm.with {
			o.Held = held
		}
		b.Run("check/"+bm.name, func(b *testing.B) { check(b, func() {}) })
		if bm.with {
			b.Run("check/read anew", func(b *testing.B) {
				check(b, func() {
					must(b, st.PutUnits(b.Context(), tianbao.Unit{ID: 1, Name: "市教育局", Kind: "department"}))
				})
			})
		}
		b.Run("save/"+bm.name, func(b *testing.B) {
			for b.Loop() {
				o.save(version, row(next))
				next, version = next+1, version+1
			}
		})
	}
}
