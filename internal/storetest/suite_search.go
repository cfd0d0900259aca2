package storetest

import (
	"strings"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/db"
)

func testSearchUnits(w *world) {
	ctx := w.t.Context()
	w.ok(w.PutUnits(ctx,
		tianbao.Unit{ID: 21, Parent: department, Name: "第一中学附属小学", BudgetCode: "101001001", Kind: "unit"},
		tianbao.Unit{ID: 22, Parent: department, Name: "100%_清洁中心", BudgetCode: "0101", Kind: "unit"},
		tianbao.Unit{ID: 23, Parent: elsewhere, Name: "市会计核算中心", OrgCode: "1221020000000006A7", Kind: "unit"},
	))
	tests := []struct {
		name, q string
		want    []tianbao.ID
	}{
		{"a code that is whole comes first, then those that begin with it, then those that hold it", "101", []tianbao.ID{department, unitA, unitB, 21, bureau, 22}},
		{"a code with its zeros", "0101", []tianbao.ID{22}},
		{"part of an organisation code, in either case", "003c", []tianbao.ID{unitA}},
		{"part of a name, the shorter first", "中学", []tianbao.ID{unitA, unitB, 21}},
		{"a whole name before one that begins with it", "第一中学", []tianbao.ID{unitA, 21}},
		{"initials", "dyzx", []tianbao.ID{unitA, 21}},
		{"initials in capitals, from the middle", "FSXX", []tianbao.ID{21}},
		{"a word read in its own way", "kjhs", []tianbao.ID{23}},
		{"words in order", "中学 小学", []tianbao.ID{21}},
		{"words in another order", "小学 中学", nil},
		{"a code and a part of the name", "101 第二", []tianbao.ID{unitB}},
		{"signs of patterns are signs", "%_", []tianbao.ID{22}},
		{"a sign that nobody bears", `\`, nil},
		{"nothing like it", "教育厅", nil},
		{"a NUL", "中\x00学", nil},
		{"far too long", strings.Repeat("中", 500), nil},
	}
	for _, tt := range tests {
		list, err := w.SearchUnits(ctx, all(), tt.q, 20)
		w.ok(err)
		var got []tianbao.ID
		for _, u := range list {
			got = append(got, u.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			w.t.Errorf("%s: %s", tt.name, diff)
		}
	}
	first, err := w.SearchUnits(ctx, at("/1/2/"), " ", 2)
	w.ok(err)
	if len(first) != 2 || first[0].ID != department {
		w.t.Errorf("nothing typed: %v", first)
	}
	one, err := w.SearchUnits(ctx, all(), "中学", 1)
	w.ok(err)
	if len(one) != 1 || one[0].OrgCode != "12210100000000003C" {
		w.t.Errorf("one at most: %v", one)
	}

	// A unit that is renamed is found by what it is called now; one that ended is not.
	w.ok(w.PutUnits(ctx, tianbao.Unit{ID: unitB, Parent: department, Name: "实验中学", BudgetCode: "101002", Kind: "unit"}))
	w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE unit SET valid_to = 1 WHERE id = $1`, unitA)
		return err
	}))
	for q, want := range map[string]int{"dezx": 0, "syzx": 1, "第一中学": 1} {
		list, err := w.SearchUnits(ctx, all(), q, 20)
		if w.ok(err); len(list) != want {
			w.t.Errorf("after the changes %s finds %d units, want %d", q, len(list), want)
		}
	}

	// Units of a version without search are made searchable.
	w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE unit SET search = ''`)
		return err
	}))
	w.ok(w.IndexUnits(ctx))
	if list, err := w.SearchUnits(ctx, all(), "syzx", 20); err != nil || len(list) != 1 {
		w.t.Errorf("after indexing: %v %v", list, err)
	}
}
