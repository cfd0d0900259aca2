package storetest_test

import (
	"fmt"
	"testing"

	"tianbao"
	"tianbao/internal/store"
)

// BenchmarkSearchUnits looks for units among the 40 000 of a province, seen whole and
// from one city of forty.
func BenchmarkSearchUnits(b *testing.B) {
	for _, e := range engines() {
		b.Run(e.name, func(b *testing.B) { benchSearch(b, e.open(b)) })
	}
}

func benchSearch(b *testing.B, s *store.Store) {
	const cities, each = 40, 1000
	places := []string{"沈阳", "鞍山", "抚顺", "本溪", "丹东", "锦州", "营口", "阜新", "辽阳", "盘锦"}
	kinds := []string{"教育局", "中医院", "卫生健康委员会", "第一高级中学", "会计核算中心", "不动产登记中心", "图书馆"}
	for c := range tianbao.ID(cities) {
		units := []tianbao.Unit{{ID: c + 1, Name: fmt.Sprintf("%s市%d区财政局", places[c%10], c), BudgetCode: fmt.Sprintf("%03d", c+1), Kind: "bureau"}}
		for i := range each - 1 {
			units = append(units, tianbao.Unit{
				ID: 1000 + c*each + tianbao.ID(i), Parent: c + 1, Kind: "unit", Name: fmt.Sprintf("%s市%d区第%d%s", places[c%10], c, i, kinds[i%7]),
				BudgetCode: fmt.Sprintf("%03d%06d", c+1, i), OrgCode: fmt.Sprintf("1221%02d%012d", c, i),
			})
		}
		if err := s.PutUnits(b.Context(), units...); err != nil {
			b.Fatal(err)
		}
	}
	for _, bm := range []struct{ name, q string }{{"code", "017000123"}, {"name", "中医院"}, {"initials", "dlsq"}, {"one character", "市"}, {"nothing", "xqzq"}} {
		for _, scope := range []struct{ name, path string }{{"province", "/"}, {"city", "/17/"}} {
			b.Run(bm.name+"/"+scope.name, func(b *testing.B) {
				for b.Loop() {
					if _, err := s.SearchUnits(b.Context(), tianbao.Scope{Paths: []string{scope.path}}, bm.q, 20); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
