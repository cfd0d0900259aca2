package org_test

import (
	"bytes"
	"fmt"
	"iter"
	"testing"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/ident"
	"tianbao/internal/org"
	"tianbao/internal/sheet"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// provinceRows are the 40 000 units of a province: its bureau, one for each of 14 cities,
// 30 departments in each, and units below these, each with a contact.
func (o *office) provinceRows() []tianbao.Row {
	const total, cities, departments = 40_000, 14, 30
	kinds := []string{"教育局", "中医院", "卫生健康委员会", "第一高级中学", "会计核算中心", "不动产登记中心", "图书馆"}
	var rows []tianbao.Row
	add := func(cells map[string]string) {
		r := tianbao.Row{Seq: len(rows) + 1, Values: make(tianbao.Values, len(o.form.Fields))}
		for k, v := range cells {
			r.Values[o.form.Index(k)] = v
		}
		rows = append(rows, r)
	}
	add(map[string]string{"budget_code": "105", "unit_name": "辽宁省财政厅", "kind": "财政部门", "region": ident.Liaoning})
	for c := range cities {
		region := fmt.Sprintf("21%02d00", c+1)
		city := fmt.Sprintf("5%02d", c+1)
		add(map[string]string{"budget_code": city, "unit_name": region + "财政局", "kind": "财政部门", "region": region, "parent_code": "105"})
		for d := range departments {
			add(map[string]string{"budget_code": fmt.Sprintf("%s%03d", city, d), "unit_name": fmt.Sprintf("%s%s%d", region, kinds[d%7], d), "unit_type": "主管部门", "region": region, "parent_code": city})
		}
	}
	for i := 0; len(rows) < total; i++ {
		c, d := i%cities, i/cities%departments
		up := fmt.Sprintf("5%02d%03d", c+1, d)
		add(map[string]string{
			"budget_code": fmt.Sprintf("%s%03d", up, i/cities/departments), "unit_name": fmt.Sprintf("21%02d00第%d%s", c+1, i, kinds[i%7]),
			"unit_type": "事业单位", "region": fmt.Sprintf("21%02d00", c+1), "parent_code": up,
			"contact_name": "张示例", "contact_phone": fmt.Sprintf("160%08d", i),
		})
	}
	return rows
}

func (o *office) workbook(rows []tianbao.Row) []byte {
	var buf bytes.Buffer
	var seq iter.Seq2[tianbao.Row, error] = func(yield func(tianbao.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
	if err := sheet.Write(&buf, o.form, seq, sheet.WriteOptions{}); err != nil {
		o.t.Fatal(err)
	}
	return buf.Bytes()
}

// loadFile is the whole way of a workbook: read, preview, apply.
func (o *office) loadFile(data []byte) *org.Plan {
	ctx := o.t.Context()
	imp, err := sheet.Read(ctx, bytes.NewReader(data), int64(len(data)), "登记表.xlsx", o.Checker.(*check.Checker), sheet.ReadOptions{})
	if err != nil {
		o.t.Fatal(err)
	}
	p, err := o.Preview(ctx, all(), imp, day("2022-01-01"))
	if err != nil {
		o.t.Fatal(err)
	}
	if p.Faulty > 0 {
		o.t.Fatalf("%d faulty rows, the first: %+v", p.Faulty, p.Problems[0])
	}
	if err := o.Apply(ctx, whole(), p); err != nil {
		o.t.Fatal(err)
	}
	return p
}

func benchEngines(b *testing.B, fn func(b *testing.B, open func(b *testing.B) *office)) {
	b.Run("sqlite", func(b *testing.B) {
		fn(b, func(b *testing.B) *office { return newOffice(b, storetest.OpenSQLite(b, storetest.WithClock(now))) })
	})
	b.Run("postgres", func(b *testing.B) {
		fn(b, func(b *testing.B) *office { return newOffice(b, storetest.OpenPostgres(b, storetest.WithClock(now))) })
	})
}

// BenchmarkLoadRegister loads a workbook of 40 000 units into an empty register, and the
// same again into the full one.
func BenchmarkLoadRegister(b *testing.B) {
	benchEngines(b, func(b *testing.B, open func(b *testing.B) *office) {
		for b.Loop() {
			b.StopTimer()
			o := open(b)
			data := o.workbook(o.provinceRows())
			b.StartTimer()
			if p := o.loadFile(data); p.New != 40_000 {
				b.Fatalf("%d new", p.New)
			}
			b.StopTimer()
			if p := o.loadFile(data); p.Same != 40_000 {
				b.Fatalf("%d the same", p.Same)
			}
			b.StartTimer()
		}
	})
}

// BenchmarkRegister asks a register of 40 000 units: the tree page of the province and of
// a city, the search, an entry, and the figures of a day.
func BenchmarkRegister(b *testing.B) {
	benchEngines(b, func(b *testing.B, open func(b *testing.B) *office) {
		o := open(b)
		o.loadFile(o.workbook(o.provinceRows()))
		ctx, s := b.Context(), o.store
		root, city := o.unit("辽宁省财政厅"), o.unit("210700财政局")
		scope := tianbao.Scope{Paths: []string{root.Path}}
		for _, bm := range []struct {
			name string
			run  func() (int, error)
		}{
			{"tree/root", func() (int, error) { l, err := s.Children(ctx, scope, 0, 0, 200); return len(l), err }},
			{"tree/province", func() (int, error) { l, err := s.Children(ctx, scope, root.ID, 0, 200); return len(l), err }},
			{"tree/city", func() (int, error) { l, err := s.Children(ctx, scope, city.ID, 0, 200); return len(l), err }},
			{"search", func() (int, error) { l, err := s.SearchUnits(ctx, scope, "中医院", 50); return len(l), err }},
			{"search/initials", func() (int, error) { l, err := s.SearchUnits(ctx, scope, "bdcdj", 50); return len(l), err }},
			{"entry", func() (int, error) { _, err := s.UnitEntry(ctx, scope, city.ID); return 1, err }},
			{"count by region", func() (int, error) {
				l, err := s.CountByRegion(ctx, scope, day("2023-01-01"))
				return len(l), err
			}},
			{"as of", func() (int, error) { l, err := s.UnitsAsOf(ctx, scope, day("2023-01-01")); return len(l), err }},
		} {
			b.Run(bm.name, func(b *testing.B) {
				for b.Loop() {
					if n, err := bm.run(); err != nil || n == 0 {
						b.Fatalf("%d, %v", n, err)
					}
				}
			})
		}
	})
}

// BenchmarkMoveSubtree moves all 40 000 units of a province under another root and back.
func BenchmarkMoveSubtree(b *testing.B) {
	benchEngines(b, func(b *testing.B, open func(b *testing.B) *office) {
		o := open(b)
		o.loadFile(o.workbook(o.provinceRows()))
		if err := o.store.PutUnits(b.Context(), tianbao.Unit{ID: 1, Region: 210000, Name: "甲", Kind: "bureau"}, tianbao.Unit{ID: 2, Region: 210000, Name: "乙", Kind: "bureau"}); err != nil {
			b.Fatal(err)
		}
		on := day("2022-02-01")
		for i := 0; b.Loop(); i++ {
			o.do("辽宁省财政厅", org.Act{Act: tianbao.UnitMove, Day: on, Other: tianbao.ID(1 + i%2)})
			on = on.AddDate(0, 0, 1)
		}
	})
}

var _ org.Store = (*store.Store)(nil)
