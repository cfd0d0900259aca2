package storetest

import (
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/news"
)

// What is saved and reported is news, by the transaction that does it: what fails is none,
// and what comes on top of each other has rising numbers.
func testNews(w *world) {
	ctx := w.t.Context()
	d := w.draft(w.open(unitA))
	row := d.insert(tianbao.AtEnd, Values(1))
	r := d.save()
	w.upward(r)
	d = w.draft(w.open(unitA))
	d.edit(tianbao.Row{ID: 9, Values: Values(2)}, Values(3))
	if w.Commit(ctx, d.Commit) == nil {
		w.t.Error("a row that is not there is edited")
	}
	d = w.draft(w.open(unitA))
	d.remove(row)
	d.save()
	w.ok(w.Record(ctx, tianbao.Event{At: epoch(), Owner: department, What: "review.pass", News: &tianbao.News{Kind: tianbao.NewsPassed, Campaign: campaign}}))
	own := w.open(department)
	w.ok(w.Record(ctx, tianbao.Event{At: epoch(), Owner: department, What: "signin"}))
	if items, last, err := w.News(ctx, all(), 0, 10); err != nil || len(items) != 0 || last != 0 {
		w.t.Errorf("before it is numbered: %v %d %v", items, last, err)
	}
	for want := range []int{1, 1, 2} {
		n, err := w.NumberNews(ctx, 1+want)
		if err != nil || n == 0 {
			w.t.Errorf("numbered %d, %v", n, err)
		}
	}
	said := func(items []news.Item) string {
		var b strings.Builder
		for i := range items {
			it := &items[i]
			fmt.Fprintf(&b, "%s %s v%d rows%d put%d del%d %s|", it.Kind, it.Unit, it.Version, it.Rows, it.Put, it.Deleted, it.BudgetCode)
			if it.Campaign != campaign || it.Unit == unitA && it.Report != r.ID || it.Unit == department && it.Report != own.ID || it.ID == 0 {
				w.t.Errorf("%+v", it)
			}
		}
		return b.String()
	}
	items, last, err := w.News(ctx, at("/1/2/3/"), 0, 10)
	w.ok(err)
	want := "report.submitted 3 v1 rows1 put1 del0 101001|report.reported 3 v1 rows1 put0 del0 101001|report.submitted 3 v2 rows0 put0 del1 101001|"
	if got := said(items); got != want || last != 4 {
		w.t.Errorf("got %s, want %s; last %d", got, want, last)
	}
	if items, last, err = w.News(ctx, all(), items[0].N, 2); err != nil || len(items) != 2 || last != items[1].N {
		w.t.Errorf("a page: %v %d %v", items, last, err)
	}
	items, _, err = w.News(ctx, at("/1/2/"), 0, 10)
	if w.ok(err); len(items) != 4 || said(items) == "" {
		w.t.Errorf("%v", items)
	}
	if items, _, err = w.News(ctx, at("/12/"), 0, 10); err != nil || len(items) != 0 {
		w.t.Errorf("elsewhere: %v %v", items, err)
	}
	if n, err := w.DropNews(ctx, epoch().Add(-1)); err != nil || n != 0 {
		w.t.Errorf("%d dropped, %v", n, err)
	}
}
