package storetest

import (
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

// A service token is found by its hash, ends once, and one that was written around the
// program gives no power (SEC-23).
func testServiceTokens(w *world) {
	ctx := w.t.Context()
	made := auth.ServiceToken{
		ID: 1, Name: "一体化平台", Verbs: []auth.Verb{auth.VerbAccounts}, Unit: bureau, By: clerk,
		Created: epoch(), Expires: epoch().Add(time.Hour),
	}
	w.ok(w.PutServiceToken(ctx, made, []byte("hash of one"), tianbao.Event{At: epoch(), What: "token.make"}))
	made.ID = 2
	w.ok(w.PutServiceToken(ctx, made, []byte("hash of two")))
	_, err := w.ServiceToken(ctx, []byte("hash of none"))
	refused(w.t, "another hash", err, tianbao.ErrNotFound)
	get := func() auth.ServiceToken {
		w.t.Helper()
		t, err := w.ServiceToken(ctx, []byte("hash of one"))
		w.ok(err)
		return t
	}
	got := get()
	if !got.Works(epoch()) || got.Works(epoch().Add(time.Hour)) || got.UnitPath == "" || got.ByName == "" || !slices.Equal(got.Verbs, made.Verbs) || got.Name != made.Name {
		w.t.Errorf("found %+v", got)
	}
	if s := got.Scope(auth.VerbAccounts); len(s.Paths) != 1 || len(got.Scope("rows").Paths) != 0 {
		w.t.Errorf("scope %v", s)
	}
	w.ok(w.TouchServiceToken(ctx, 1, epoch().Add(time.Minute)))
	w.ok(w.TouchServiceToken(ctx, 1, epoch()))
	if got = get(); !got.Used.Equal(epoch().Add(time.Minute)) || got.Altered {
		w.t.Errorf("used %v, altered %v", got.Used, got.Altered)
	}
	if all, err := w.ServiceTokens(ctx, 10); err != nil || len(all) != 2 || all[0].ID != 2 {
		w.t.Errorf("listed %v %v", all, err)
	}
	for _, tt := range []struct{ column, value string }{
		{"name", "'other'"},
		{"verbs", "'accounts.read\nmore'"},
		{"unit_id", "10"},
		{"by_id", "0"},
		{"created", "1"},
		{"expires", "9000000000000"},
		{"ended", "1"},
		{"id", "9"},
		{"mac", "''"},
	} {
		id := 1
		w.raw(fmt.Sprintf("UPDATE service_token SET %s = %s WHERE id = 1", tt.column, tt.value))
		if tt.column == "id" {
			id = 9
		}
		if got := get(); !got.Altered || got.Works(epoch()) {
			w.t.Errorf("%s: still works", tt.column)
		}
		if _, altered, err := w.AlteredRights(ctx); err != nil || !slices.Contains(altered, fmt.Sprintf("service_token %d", id)) {
			w.t.Errorf("%s: found %v, %v", tt.column, altered, err)
		}
		w.raw("DELETE FROM service_token")
		for i, k := range []string{"hash of one", "hash of two"} {
			made.ID = tianbao.ID(i + 1)
			w.ok(w.PutServiceToken(ctx, made, []byte(k)))
		}
	}
	w.ok(w.EndServiceToken(ctx, 1, epoch().Add(time.Second), tianbao.Event{At: epoch(), What: "token.end"}))
	if got := get(); got.Works(epoch().Add(time.Minute)) || got.Altered {
		w.t.Errorf("after its end: %+v", got)
	}
	refused(w.t, "ended twice", w.EndServiceToken(ctx, 1, epoch()), tianbao.ErrNotFound)
	refused(w.t, "none ended", w.EndServiceToken(ctx, 9, epoch()), tianbao.ErrNotFound)
}
