package org_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/org"
)

// After every one of many random workbooks and acts, a day each, the register is a tree
// with open units below open ones and no code twice in a region, the plan's counts are
// what happened, and in the end every day is as it was seen on that day.
func TestRandomHistory(t *testing.T) {
	each(t, func(o *office) {
		r := rand.New(rand.NewPCG(20, 22))
		o.load("2022-01-01", province()...)
		on := day("2022-01-02")
		seen := map[string][]string{}
		acts := 0
		for range 150 {
			before := o.snapshot()
			if r.IntN(3) == 0 {
				if _, err := o.Change(t.Context(), whole(), before[r.IntN(len(before))].ID, randomAct(r, before, on.Format("2006-01-02"))); err == nil {
					acts++
				} else if tianbao.KindOf(err) == tianbao.ErrInternal {
					t.Fatal(err)
				}
			} else {
				var lines []string
				for range 1 + r.IntN(6) {
					lines = append(lines, randomLine(r))
				}
				p := o.preview(all(), on.Format("2006-01-02"), lines...)
				if err := o.Apply(t.Context(), whole(), p); err != nil {
					t.Fatal(err)
				}
				after := o.snapshot()
				if got := len(after) - len(before); got != p.New {
					t.Errorf("%s: %d new units, the preview said %d:\n%s", on, got, p.New, strings.Join(lines, "\n"))
				}
				if got := open(before) + p.New - open(after); got != p.Closed {
					t.Errorf("%s: %d closed, the preview said %d", on, got, p.Closed)
				}
			}
			now := o.snapshot()
			o.sound(now)
			seen[on.Format("2006-01-02")] = drawn(now)
			on = on.AddDate(0, 0, 1)
		}
		if acts < 10 {
			t.Errorf("only %d acts went through", acts)
		}
		for d, want := range seen {
			units, err := o.store.UnitsAsOf(t.Context(), all(), day(d))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, drawnUnits(units)); diff != "" {
				t.Fatalf("%s is not what it was: %s", d, diff)
			}
		}
	})
}

func (o *office) snapshot() []tianbao.UnitEntry {
	o.t.Helper()
	entries, _, err := o.store.Register(o.t.Context(), all(), false)
	if err != nil {
		o.t.Fatal(err)
	}
	return entries
}

func open(entries []tianbao.UnitEntry) (n int) {
	for i := range entries {
		if entries[i].To.IsZero() {
			n++
		}
	}
	return n
}

// sound holds what must be true of every register.
func (o *office) sound(entries []tianbao.UnitEntry) {
	o.t.Helper()
	byID := map[tianbao.ID]*tianbao.UnitEntry{}
	codes := map[string]tianbao.ID{}
	for i := range entries {
		e := &entries[i]
		byID[e.ID] = e
		if !e.To.IsZero() {
			continue
		}
		key := fmt.Sprint(e.BudgetCode, " ", e.Region)
		if codes[key] != 0 {
			o.t.Fatalf("code and region %s twice", key)
		}
		codes[key] = e.ID
	}
	for i := range entries {
		e := &entries[i]
		up, path := byID[e.Parent], "/"
		if up != nil {
			path = up.Path
		}
		if e.Path != path+e.ID.String()+"/" {
			o.t.Fatalf("unit %s stands at %s, below %s", e.Name, e.Path, path)
		}
		if up != nil && e.To.IsZero() && !up.To.IsZero() {
			o.t.Fatalf("%s is open below %s, which has closed", e.Name, up.Name)
		}
	}
}

func randomLine(r *rand.Rand) string {
	codes := []string{"101", "201", "201001", "201001001", "201001002", "301", "301001", "301002"}
	regions := []string{"210000", "锦州市", "鞍山市", "210303", "凌河区", "铁西区"}
	line := fmt.Sprintf("budget_code=%s unit_name=单位%d", codes[r.IntN(len(codes))], r.IntN(30))
	if r.IntN(4) > 0 {
		line += " region=" + regions[r.IntN(len(regions))]
	}
	if r.IntN(3) > 0 {
		line += " parent_code=" + codes[r.IntN(len(codes))]
	}
	if r.IntN(8) == 0 {
		line += " state=撤销"
	}
	return line
}

func randomAct(r *rand.Rand, entries []tianbao.UnitEntry, on string) org.Act {
	acts := []tianbao.UnitAct{tianbao.UnitEdit, tianbao.UnitMove, tianbao.UnitMove, tianbao.UnitMerge, tianbao.UnitSplit, tianbao.UnitClose, tianbao.UnitCreate}
	n := r.IntN(1000)
	return org.Act{
		Act: acts[r.IntN(len(acts))], Day: day(on), Other: entries[r.IntN(len(entries))].ID, Close: r.IntN(2) == 0,
		Values: map[string]string{"unit_name": fmt.Sprintf("单位%d", n), "budget_code": fmt.Sprintf("4%03d", n)},
	}
}

func drawn(entries []tianbao.UnitEntry) []string {
	var units []tianbao.Unit
	for i := range entries {
		if entries[i].To.IsZero() {
			units = append(units, entries[i].Unit)
		}
	}
	return drawnUnits(units)
}

func drawnUnits(units []tianbao.Unit) (out []string) {
	for _, u := range units {
		out = append(out, fmt.Sprint(u.Path, " ", u.Name, " ", u.BudgetCode, " ", u.Region, " ", u.Kind))
	}
	slices.Sort(out)
	return out
}
