package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// A province has one map, the last that it brought, until it takes it away.
func testRegionMap(w *world) {
	ctx := w.t.Context()
	_, err := w.RegionMap(ctx, 21)
	refused(w.t, "a map that nobody brought", err, tianbao.ErrNotFound)
	for _, number := range []string{"辽S(2020)118号", "辽S(2021)1号"} {
		m := tianbao.RegionMap{Region: 21, Approval: number, Shapes: []byte(`[{"key":"2101","rings":[[0,0,1,0,1,1]]}]`), At: epoch().Add(time.Hour), By: clerk}
		w.ok(w.PutRegionMap(ctx, &m, tianbao.Event{At: m.At, Actor: clerk, What: "map.put"}))
		got, err := w.RegionMap(ctx, 21)
		w.ok(err)
		if diff := cmp.Diff(m, got); diff != "" {
			w.t.Error(diff)
		}
	}
	_, err = w.RegionMap(ctx, 22)
	refused(w.t, "another province's map", err, tianbao.ErrNotFound)
	w.ok(w.DropRegionMap(ctx, 21))
	refused(w.t, "dropped twice", w.DropRegionMap(ctx, 21), tianbao.ErrNotFound)
}
