package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tianbao"
)

func testDrafts(w *world) {
	ctx := w.t.Context()
	r, other := w.open(unitA), w.open(unitB)
	const colleague tianbao.ID = 202
	put := func(rep, user tianbao.ID, name, body string, at time.Time) {
		w.t.Helper()
		w.ok(w.PutDraft(ctx, tianbao.Draft{Report: rep, User: user, Name: name, At: at, Body: []byte(body)}))
	}
	want := func(rep, user tianbao.ID, name, body string) {
		w.t.Helper()
		d, err := w.Draft(ctx, rep, user)
		if body == "" {
			refused(w.t, "a draft that is not there", err, tianbao.ErrNotFound)
			return
		}
		w.ok(err)
		if d.Name != name || string(d.Body) != body || d.Report != rep || d.User != user {
			w.t.Errorf("draft %s %s %s", d.Name, d.Body, d.At)
		}
	}
	want(r.ID, clerk, "", "")
	put(r.ID, clerk, "a", "one", epoch())
	put(r.ID, clerk, "a", "two", epoch().Add(time.Minute))
	put(r.ID, colleague, "b", "theirs", epoch())
	put(other.ID, clerk, "c", "another sheet", epoch())
	want(r.ID, clerk, "a", "two")
	want(r.ID, colleague, "b", "theirs")
	want(other.ID, clerk, "c", "another sheet")

	// A save drops the draft it names, of its author, and no other.
	d := w.draft(r)
	d.insert(tianbao.AtEnd, Values(1))
	d.Set.Draft = "elsewhere"
	r = d.save()
	want(r.ID, clerk, "a", "two")
	d = w.draft(r)
	d.insert(tianbao.AtEnd, Values(2))
	d.Set.Draft, d.Set.Key = "a", "a.1"
	r = d.save()
	want(r.ID, clerk, "", "")
	want(r.ID, colleague, "b", "theirs")
	for name, spent := range map[string]bool{"a": true, "b": false, "": false, "a.": false} {
		if got, err := w.DraftSpent(ctx, r.ID, name); err != nil || got != spent {
			w.t.Errorf("draft %q spent: %v %v, want %v", name, got, err, spent)
		}
	}

	w.ok(w.DropDraft(ctx, r.ID, colleague))
	w.ok(w.DropDraft(ctx, r.ID, colleague))
	want(r.ID, colleague, "", "")
	// What nobody came back to for two months goes when another draft is put.
	put(r.ID, clerk, "new", "now", epoch().Add(61*24*time.Hour))
	want(other.ID, clerk, "", "")
	want(r.ID, clerk, "new", "now")
	if s := fmt.Sprintf("%v %+v %#v", tianbao.Draft{Body: []byte("secret")}, tianbao.Draft{Body: []byte("secret")}, tianbao.Draft{Body: []byte("secret")}); s != "[draft of 6 bytes] [draft of 6 bytes] [draft of 6 bytes]" {
		w.t.Errorf("a draft prints as %s", s)
	}
}

func testNewer(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	a := d.insert(tianbao.AtEnd, Values(1))
	b := d.insert(tianbao.AtEnd, Values(2))
	r = d.save()
	d = w.draft(r)
	rows := w.rows(r.ID)
	d.edit(rows[1], Values(3))
	c := d.insert(a, Values(4))
	r = d.save()
	tests := []struct {
		since int64
		want  []tianbao.ID
	}{{0, []tianbao.ID{a, c, b}}, {1, []tianbao.ID{c, b}}, {2, nil}, {99, nil}}
	for _, tt := range tests {
		w.t.(*testing.T).Run(fmt.Sprint("since ", tt.since), func(t *testing.T) {
			rep, rows, order, err := w.Newer(ctx, at("/1/2/3/"), r.ID, tt.since)
			if err != nil || rep.Version != 2 || !slices.Equal(order, []tianbao.ID{a, c, b}) {
				t.Fatalf("version %d, order %v, %v", rep.Version, order, err)
			}
			var got []tianbao.ID
			for i := range rows {
				got = append(got, rows[i].ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("rows %v, want %v", got, tt.want)
			}
		})
	}
	_, _, _, err := w.Newer(ctx, at("/1/2/4/"), r.ID, 0)
	refused(w.t, "newer rows out of scope", err, tianbao.ErrNotFound)
	other := w.open(unitB)
	v, err := w.Versions(ctx, []tianbao.ID{r.ID, other.ID, 999})
	w.ok(err)
	if len(v) != 2 || v[r.ID] != (tianbao.Version{Number: 2, By: "填报员"}) || v[other.ID].Number != 0 {
		w.t.Errorf("versions %v", v)
	}
}
