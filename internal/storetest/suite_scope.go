package storetest

import (
	"fmt"

	"tianbao"
)

// Every method that takes a scope is asked from outside: nothing of unit A is there
// for the unit beside it, the other bureau, nobody, and one whose path only begins
// alike.
func testScope(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	row := d.insert(0, Values(1))
	r = d.save()
	id, _ := Person(1)
	outside := map[string]tianbao.Scope{
		"the unit beside":       at("/1/2/4/"),
		"the other bureau":      at("/12/"),
		"both":                  at("/1/2/4/", "/12/"),
		"nobody":                at(),
		"an empty path":         at(""),
		"a path that is longer": at("/1/2/3/5/"),
		"a path cut off":        at("/1/2/33/"),
	}
	inside := map[string]tianbao.Scope{
		"the unit": at("/1/2/3/"), "the department": at("/1/2/"), "the bureau": at("/1/"), "all": at("/"),
		"one of three": at("/12/", "/1/2/4/", "/1/2/3/"),
	}
	ask := map[string]func(tianbao.Scope) error{
		"Report":   func(s tianbao.Scope) error { _, err := w.Report(ctx, s, r.ID); return err },
		"Snapshot": func(s tianbao.Scope) error { _, _, err := w.Snapshot(ctx, s, r.ID); return err },
		"Touched":  func(s tianbao.Scope) error { _, _, err := w.Touched(ctx, s, r.ID, []tianbao.ID{row}); return err },
		"EachRow": func(s tianbao.Scope) error {
			_, err := w.EachRow(ctx, s, r.ID, func(*tianbao.Row) error { return nil })
			return err
		},
		"Window": func(s tianbao.Scope) error { _, _, err := w.Window(ctx, s, r.ID, 0, 0, 10); return err },
		"Filed": func(s tianbao.Scope) error {
			list, err := w.Filed(ctx, s, campaign)
			return empty(len(list), err)
		},
		"Across": func(s tianbao.Scope) error {
			parts, err := w.Across(ctx, s, campaign, 0, 0, 10)
			return empty(len(parts), err)
		},
		"Across from a report on": func(s tianbao.Scope) error {
			parts, err := w.Across(ctx, s, campaign, r.ID, 0, 10)
			return empty(len(parts), err)
		},
		"History":  func(s tianbao.Scope) error { _, err := w.History(ctx, s, r.ID, 0, 10); return err },
		"Receipt":  func(s tianbao.Scope) error { _, err := w.Receipt(ctx, s, r.ID, d.Receipt.ID); return err },
		"Receipts": func(s tianbao.Scope) error { _, err := w.Receipts(ctx, s, r.ID, 10); return err },
		"OpenReport": func(s tianbao.Scope) error {
			_, err := w.OpenReport(ctx, s, campaign, unitA)
			return err
		},
		"Unit": func(s tianbao.Scope) error { _, err := w.Unit(ctx, s, unitA); return err },
		// Lists are empty instead.
		"Reports": func(s tianbao.Scope) error {
			list, err := w.Reports(ctx, s, campaign, "第一中学", 0, 10)
			return empty(len(list), err)
		},
		"Units": func(s tianbao.Scope) error {
			list, err := w.Units(ctx, s, "第一中学", 10)
			return empty(len(list), err)
		},
		"SearchUnits": func(s tianbao.Scope) error {
			list, err := w.SearchUnits(ctx, s, "dyzx", 10)
			return empty(len(list), err)
		},
		"FindByKey": func(s tianbao.Scope) error {
			list, err := w.FindByKey(ctx, s, "person_id", id)
			return empty(len(list), err)
		},
		"UnitOf": func(s tianbao.Scope) error {
			u, err := w.UnitOf(ctx, s, map[string]string{"unit_name": "第一中学"})
			return empty(int(u), err)
		},
	}
	for method, call := range ask {
		for who, s := range outside {
			refused(w.t, method+" for "+who, call(s), tianbao.ErrNotFound)
		}
		for who, s := range inside {
			if err := call(s); err != nil {
				w.t.Errorf("%s for %s: %v", method, who, err)
			}
		}
	}
	if n := w.count("report"); n != 1 {
		w.t.Errorf("%d reports: asking made one", n)
	}
}

// empty makes an empty answer the error of a thing that is not there.
func empty(n int, err error) error {
	if err == nil && n == 0 {
		return tianbao.NotFound()
	}
	return err
}

func testManyPaths(w *world) {
	ctx := w.t.Context()
	paths := []string{"/1/2/4/"}
	for i := range 40 {
		paths = append(paths, fmt.Sprintf("/%d/", 5000+i))
		u, err := w.Units(ctx, at(paths...), "", 100)
		w.ok(err)
		if len(u) != 1 || u[0].ID != unitB {
			w.t.Fatalf("%d subtrees: %d units", len(paths), len(u))
		}
	}
	u, err := w.Units(ctx, at("/1/2/3/", "/1/", "/1/2/", "/1/"), "", 100)
	w.ok(err)
	if len(u) != 4 {
		w.t.Errorf("overlapping subtrees: %d units, want each of 4 once", len(u))
	}
}
