package storetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/compare"
)

// comparing is the service on the world's store.
func (w *world) comparing() *compare.Service {
	w.t.Helper()
	f, err := Forms(compare.FormName, 1)
	w.ok(err)
	return &compare.Service{Store: w.Store, Find: w.UnitFinder, Form: f, IDs: &clock.IDs{Clock: clock.System}, Now: epoch}
}

// somebody is an invented person by number.
func somebody(n int) (name, id, phone string) {
	id, phone = Person(n)
	return "张" + string([]rune("甲乙丙丁戊己庚辛")[n%8]) + "明", id, phone
}

// oldLine is a line of the old list: user name and person, of a unit.
func oldLine(user string, n int, budget, unit, org string) tianbao.ImportedRow {
	name, id, phone := somebody(n)
	return tianbao.ImportedRow{SheetRow: n, Row: tianbao.Row{Values: tianbao.Values{budget, unit, org, user, name, id, phone}}}
}

// collected is a row of the collection.
func collected(user string, n int, budget, unit, org string) tianbao.Values {
	name, id, phone := somebody(n)
	return tianbao.Values{budget, unit, org, "事业单位", user, name, id, phone}
}

func (w *world) listed(s *compare.Service, a compare.Actor, rows ...tianbao.ImportedRow) compare.OldList {
	w.t.Helper()
	u, err := w.Unit(w.t.Context(), all(), bureau)
	w.ok(err)
	l, err := s.Import(w.t.Context(), a, &u, &tianbao.Import{Rows: rows}, "旧系统用户.xlsx", "d", map[string]string{"账户": compare.KeyUser, "备注": ""})
	w.ok(err)
	return l
}

// paired lists what is kept of a comparison, as side/line list partner; lines of the old
// list by their place in it.
func (w *world) paired(ctx context.Context, c *compare.Comparison) []string {
	w.t.Helper()
	out := []string{}
	w.ok(w.Items(ctx, c, func(it compare.Item) error {
		out = append(out, fmt.Sprintf("%d %s %s %s", it.Side, it.List.Title(), it.Unit, it.Rung.Title()))
		return nil
	}))
	slices.Sort(out)
	return out
}

// A list is kept by versions, a comparison by turns, decisions through both.
func testComparison(w *world) {
	ctx, s := w.t.Context(), w.comparing()
	a := compare.Actor{User: clerk, From: "192.0.2.1", Scope: at("/1/")}
	if _, err := s.Run(ctx, a, bureau, campaign); tianbao.KindOf(err) != tianbao.ErrInvalid {
		w.t.Errorf("without a list: %v", err)
	}
	const orgA, orgB = "12210100000000003C", "12210100000000004D"
	l := w.listed(s, a, oldLine("zc01", 1, "101001", "第一中学", orgA), oldLine("zc02", 2, "101002", "第二中学", orgB), oldLine("zc03", 3, "", "不明单位", ""))
	if l.Version != 1 || l.Rows != 3 || l.Fresh != 3 || l.Gone != 0 || l.Strange != 1 {
		w.t.Errorf("first list %+v", l)
	}
	heads, err := w.OldHeaders(ctx, bureau)
	w.ok(err)
	if d := cmp.Diff(map[string]string{"账户": compare.KeyUser, "备注": ""}, heads); d != "" {
		w.t.Error(d)
	}
	ra, rb := w.open(unitA), w.open(unitB)
	da := w.draft(ra)
	rowA := da.insert(0, collected("ZC01", 1, "101001", "第一中学", orgA))
	w.ok(w.Commit(ctx, da.Commit))
	db := w.draft(rb)
	rowB := db.insert(0, collected("", 5, "101002", "第二中学", orgB))
	w.ok(w.Commit(ctx, db.Commit))

	c, err := s.Run(ctx, a, bureau, campaign)
	w.ok(err)
	want := []string{"0 已匹配 3 单位内用户名相同", "0 新系统缺 1 ", "0 新系统缺 4 ", "1 已匹配 3 单位内用户名相同", "1 旧系统无 4 "}
	if d := cmp.Diff(want, w.paired(ctx, &c)); d != "" {
		w.t.Error(d)
	}
	turn := c.Turn
	if c, err = s.Run(ctx, a, bureau, campaign); err != nil || c.Turn != turn {
		w.t.Errorf("a run without changes made turn %d of %d, %v", c.Turn, turn, err)
	}
	// Another server, which knows nothing yet, changes nothing either.
	if c, err = w.comparing().Run(ctx, a, bureau, campaign); err != nil || c.Turn != turn {
		w.t.Errorf("a full run made turn %d of %d, %v", c.Turn, turn, err)
	}

	// A row that changes is judged again; the other unit's stays.
	db = w.draft(w.open(unitB))
	db.edit(tianbao.Row{ID: rowB, Version: 1, Unit: unitB, Values: collected("", 5, "101002", "第二中学", orgB)}, collected("", 2, "101002", "第二中学", orgB))
	w.ok(w.Commit(ctx, db.Commit))
	if c, err = s.Run(ctx, a, bureau, campaign); err != nil {
		w.t.Fatal(err)
	}
	want = []string{"0 已匹配 3 单位内用户名相同", "0 已匹配 4 单位和身份证号码相同", "0 新系统缺 1 ", "1 已匹配 3 单位内用户名相同", "1 已匹配 4 单位和身份证号码相同"}
	if d := cmp.Diff(want, w.paired(ctx, &c)); d != "" {
		w.t.Error(d)
	}

	// A decision: seen only within the scope, kept through a new list, taken back.
	line := compare.Line{Side: compare.New, ID: rowA}
	if err := s.Decide(ctx, compare.Actor{User: clerk, Scope: at("/1/2/4/")}, &c, line, compare.KindApart, "不是一个人"); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("decided out of scope: %v", err)
	}
	if err := s.Decide(ctx, a, &c, line, compare.KindApart, "否"); tianbao.KindOf(err) != tianbao.ErrInvalid {
		w.t.Errorf("decided without a reason: %v", err)
	}
	w.ok(s.Decide(ctx, a, &c, line, compare.KindApart, "电话核实不是一个人"))
	l = w.listed(s, a, oldLine("zc01", 1, "101001", "第一中学", orgA), oldLine("zc02", 6, "101002", "第二中学", orgB))
	if l.Version != 2 || l.Fresh != 1 || l.Gone != 2 {
		w.t.Errorf("second list %+v", l)
	}
	c, err = s.Run(ctx, a, bureau, campaign)
	w.ok(err)
	want = []string{"0 新系统缺 3 ", "0 新系统缺 4 ", "1 旧系统无 3 ", "1 旧系统无 4 "}
	if d := cmp.Diff(want, w.paired(ctx, &c)); d != "" {
		w.t.Error(d)
	}
	full, err := w.comparing().Run(ctx, a, bureau, campaign)
	w.ok(err)
	if full.Turn != c.Turn {
		w.t.Error("a full run found something else after a decision and a new list")
	}
	hold, err := w.Decided(ctx, &c)
	w.ok(err)
	if len(hold) != 1 || hold[0].New != rowA || hold[0].Same {
		w.t.Fatalf("decisions that hold: %+v", hold)
	}
	lists, err := w.OldLists(ctx, at("/1/2/3/"))
	w.ok(err)
	if len(lists) != 2 || lists[0].Version != 2 || lists[0].File != "旧系统用户.xlsx" || lists[0].OwnerName != "市财政局" {
		w.t.Errorf("lists above a unit: %+v", lists)
	}
	if lists, err = w.OldLists(ctx, at("/12/")); err != nil || len(lists) != 0 {
		w.t.Errorf("lists of others: %+v, %v", lists, err)
	}
}

// What stands beside a report: the nearest list, and the rows of others.
func testBeside(w *world) {
	ctx, s := w.t.Context(), w.comparing()
	ra, rb := w.open(unitA), w.open(unitB)
	b, err := w.Beside(ctx, &ra)
	w.ok(err)
	if b.Old != nil {
		w.t.Error("a list that nobody has is asked")
	}
	a := compare.Actor{User: clerk, Scope: at("/1/")}
	w.listed(s, a, oldLine("zc01", 1, "101001", "第一中学", ""), oldLine("zc02", 2, "101002", "第二中学", ""))
	d := w.draft(rb)
	d.insert(0, collected("zc02", 7, "101002", "第二中学", ""))
	w.ok(w.Commit(ctx, d.Commit))
	if b, err = w.Beside(ctx, &ra); err != nil {
		w.t.Fatal(err)
	}
	for user, want := range map[string]tianbao.OldMatch{"zc01": tianbao.OldHere, "ZC01": tianbao.OldHere, "zc02": tianbao.OldOther, "zc09": tianbao.OldUnknown} {
		if got, err := b.Old(user, unitA); err != nil || got != want {
			w.t.Errorf("%s: %d, want %d, %v", user, got, want, err)
		}
	}
	_, id, _ := somebody(7)
	dept := w.open(department)
	top, err := w.Beside(ctx, &dept)
	w.ok(err)
	for range 300 { // one by one, and from all keys
		if m, err := b.Elsewhere(id, unitA); err != nil || !m.Found || len(m.Units) != 0 {
			w.t.Fatalf("beside a unit: %+v, %v", m, err)
		}
		if m, err := top.Elsewhere(id, unitA); err != nil || !cmp.Equal(m.Units, []string{"第二中学"}) {
			w.t.Fatalf("beside its department: %+v, %v", m, err)
		}
		if m, err := top.Elsewhere(id, unitB); err != nil || m.Found {
			w.t.Fatalf("the unit itself: %+v, %v", m, err)
		}
	}
}

// What stands in several units is told in detail only of rows in scope; so are findings.
func testDoubles(w *world) {
	ctx, s := w.t.Context(), w.comparing()
	put := func(unit tianbao.ID, rows ...tianbao.Values) {
		d := w.draft(w.open(unit))
		for _, v := range rows {
			d.insert(tianbao.AtEnd, v)
		}
		w.ok(w.Commit(ctx, d.Commit))
	}
	_, _, phone := somebody(1)
	shared := collected("zc02", 2, "101002", "第二中学", "")
	shared[7] = phone // of another person
	put(unitA, collected("zc01", 1, "101001", "第一中学", ""))
	put(unitB, collected("ZC01", 1, "101002", "第二中学", ""), shared)
	for _, c := range []struct {
		key    string
		scope  tianbao.Scope
		groups int
		rows   int
		hidden bool
	}{
		{compare.KeyPerson, at("/1/"), 1, 2, false},
		{compare.KeyPerson, at("/1/2/3/"), 1, 1, true},
		{compare.KeyPerson, at("/12/"), 0, 0, false},
		{compare.KeyPhone, at("/1/"), 1, 3, false},
		{compare.KeyPhone, at("/1/2/3/"), 1, 1, true},
		{compare.KeyUser, at("/1/"), 1, 2, false},
		{compare.KeyUser, at("/1/2/4/"), 1, 1, true},
		{compare.KeyUser, at("/12/"), 0, 0, false},
	} {
		got, err := w.Doubles(ctx, c.scope, campaign, c.key, 0, 10)
		w.ok(err)
		if len(got) != c.groups || c.groups > 0 && (len(got[0].Rows) != c.rows || got[0].Hidden != c.hidden) {
			w.t.Errorf("%s in %v: %d groups, want %d with %d rows, others %t", c.key, c.scope.Paths, len(got), c.groups, c.rows, c.hidden)
		}
		if more, err := w.Doubles(ctx, c.scope, campaign, c.key, 1, 10); err != nil || len(more) != 0 {
			w.t.Errorf("%s behind the last: %d, %v", c.key, len(more), err)
		}
	}

	// A line of one unit whose other line is another unit's.
	a := compare.Actor{User: clerk, Scope: at("/1/")}
	w.listed(s, a, oldLine("zc09", 2, "101001", "第一中学", ""))
	c, err := s.Run(ctx, a, bureau, campaign)
	w.ok(err)
	for path, sees := range map[string]bool{"/1/": true, "/1/2/3/": false} {
		list, err := w.ShownItems(ctx, at(path), &c, compare.Query{List: compare.Matched, Limit: 10})
		w.ok(err)
		if len(list) != 1 || list[0].Mine == nil || (list[0].Other != nil) != sees || (list[0].PartnerUnit != "") != sees {
			w.t.Errorf("the match within %s: %+v", path, list)
		}
		counts, err := w.CompareCounts(ctx, at(path), &c)
		w.ok(err)
		if len(counts) != 1 || counts[0].N[0] != 1 {
			w.t.Errorf("counts within %s: %+v", path, counts)
		}
	}
	if list, err := w.ShownItems(ctx, at("/12/"), &c, compare.Query{Limit: 10}); err != nil || len(list) != 0 {
		w.t.Errorf("findings of others: %+v, %v", list, err)
	}
	line := compare.Line{Side: compare.Old, ID: func() (id tianbao.ID) {
		list, err := w.ShownItems(ctx, at("/1/"), &c, compare.Query{List: compare.Matched, Limit: 1})
		w.ok(err)
		return list[0].ID
	}()}
	if err := s.Decide(ctx, compare.Actor{User: clerk, Scope: at("/1/2/3/")}, &c, line, compare.KindSame, "看不到另一条"); tianbao.KindOf(err) != tianbao.ErrInvalid {
		w.t.Errorf("decided about a line of another unit: %v", err)
	}
	w.ok(s.Decide(ctx, compare.Actor{User: clerk, Scope: at("/1/2/3/")}, &c, line, compare.KindIgnore, "已经调走的人"))
	if list, err := w.ShownItems(ctx, at("/1/"), &c, compare.Query{Settled: 1, Limit: 10}); err != nil || len(list) != 1 || list[0].Verdict.Reason != "已经调走的人" || list[0].Verdict.ByName != "填报员" {
		w.t.Errorf("what is decided: %+v, %v", list, err)
	}
}
