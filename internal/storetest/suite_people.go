package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/auth"
)

func testUsers(w *world) {
	ctx := w.t.Context()
	u, hash, err := w.UserByLogin(ctx, "clerk")
	w.ok(err)
	want := tianbao.User{ID: clerk, Login: "clerk", Name: "填报员", Created: epoch(), Grants: []tianbao.Grant{
		{ID: 300, User: clerk, Role: tianbao.RoleFiller, Unit: unitA, UnitPath: "/1/2/3/", UnitName: "第一中学"},
	}}
	if diff := cmp.Diff(want, u); diff != "" || hash != "hash" {
		w.t.Error(diff, hash)
	}
	for _, login := range []string{"Clerk", "clerk ", "", "nobody"} {
		_, _, err := w.UserByLogin(ctx, login)
		refused(w.t, "login "+login, err, tianbao.ErrNotFound)
	}
	refused(w.t, "a login that is taken", w.CreateUser(ctx, tianbao.User{Login: "clerk"}, "h", false), tianbao.ErrConflict)
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 201, Login: "boss", Name: "管理员", Office: tianbao.RoleSystem}, "h", false))
	w.ok(w.GiveGrant(ctx, tianbao.Grant{ID: 302, User: clerk, Role: tianbao.RoleFiller, Unit: elsewhere}))
	w.ok(w.EndGrant(ctx, 302, time.Now()))
	refused(w.t, "a grant that has ended", w.EndGrant(ctx, 302, time.Now().Add(time.Second)), tianbao.ErrNotFound)
	w.ok(w.GiveGrant(ctx, tianbao.Grant{ID: 301, User: clerk, Role: tianbao.RoleFiller, Unit: unitB}))
	users, err := w.Users(ctx)
	w.ok(err)
	if len(users) != 2 || users[0].Login != "boss" || !users[0].May(tianbao.PowerAccounts) || users[0].Created.IsZero() {
		w.t.Fatalf("users %v", users)
	}
	if got := users[1].Scope(tianbao.PowerFill).Paths; !slices.Equal(got, []string{"/1/2/3/", "/1/2/4/"}) {
		w.t.Errorf("scope %v", got)
	}
	if has, err := w.HasOffice(ctx, tianbao.RoleSystem); err != nil || !has {
		w.t.Errorf("administrator: %v %v", has, err)
	}
	w.ok(w.SetDisabled(ctx, 201, true))
	if has, err := w.HasOffice(ctx, tianbao.RoleSystem); err != nil || has {
		w.t.Errorf("disabled administrator: %v %v", has, err)
	}
	w.ok(w.SetPassword(ctx, clerk, "other", 4))
	if _, hash, err := w.UserByLogin(ctx, "clerk"); err != nil || hash != "other" {
		w.t.Errorf("hash %s %v", hash, err)
	}
	refused(w.t, "SetPassword of nobody", w.SetPassword(ctx, 999, "h", 4), tianbao.ErrNotFound)
	refused(w.t, "SetDisabled of nobody", w.SetDisabled(ctx, 999, true), tianbao.ErrNotFound)
}

// An account has one office or grants, whatever is written into the tables; grants
// hold for their time only.
func testOffices(w *world) {
	ctx := w.t.Context()
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 201, Login: "boss", Name: "管理员", Office: tianbao.RoleSystem}, "h", false))
	grant := func(g tianbao.Grant) error {
		g.Unit = unitB
		return w.GiveGrant(ctx, g)
	}
	for _, role := range []tianbao.Role{tianbao.RoleSystem, tianbao.RoleSecurity, tianbao.RoleAudit, "admin", ""} {
		if err := grant(tianbao.Grant{ID: 310, User: clerk, Role: role}); err == nil {
			w.t.Errorf("the schema takes the grant of %q", role)
		}
	}
	refused(w.t, "a role for an administrator", grant(tianbao.Grant{ID: 311, User: 201, Role: tianbao.RoleProvince}), tianbao.ErrInvalid)
	w.raw(`INSERT INTO role_grant (id, user_id, role, unit_id, valid_from, valid_to, by_id) VALUES ($1, $2, $3, $4, 0, 0, 0)`, 311, 201, tianbao.RoleProvince, unitB)
	if u, _, err := w.UserByLogin(ctx, "boss"); err != nil || len(u.Grants) != 0 || u.May(tianbao.PowerSee) || !u.May(tianbao.PowerAccounts) {
		w.t.Errorf("an administrator with a grant: %v %v", u.Grants, err)
	}
	now := time.Now()
	for i, g := range []tianbao.Grant{
		{From: now.Add(-2 * time.Hour), To: now.Add(-time.Hour)}, // over
		{From: now.Add(time.Hour)},                               // to come
		{From: now.Add(-time.Hour), To: now.Add(time.Hour)},
		{To: now}, // ends now
		{From: now.Add(-time.Second)},
	} {
		g.ID, g.User, g.Role = tianbao.ID(320+i), clerk, tianbao.RoleReviewer
		w.ok(grant(g))
	}
	u, _, err := w.UserByLogin(ctx, "clerk")
	w.ok(err)
	var held []tianbao.ID
	for _, g := range u.Grants {
		if g.Role == tianbao.RoleReviewer {
			held = append(held, g.ID)
		}
		if !g.Holds(now) {
			w.t.Errorf("grant %d does not hold", g.ID)
		}
	}
	if !slices.Equal(held, []tianbao.ID{322, 324}) {
		w.t.Errorf("grants that hold: %v", held)
	}
}

func testFirstAdmin(w *world) {
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			err := w.CreateUser(w.t.Context(), tianbao.User{Login: fmt.Sprintf("a%d", i), Office: tianbao.RoleSystem}, "h", true)
			if err == nil {
				won.Add(1)
				return
			}
			refused(w.t, "a second first administrator", err, tianbao.ErrConflict)
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		w.t.Errorf("%d first administrators", won.Load())
	}
}

func testSessions(w *world) {
	ctx := w.t.Context()
	token := func(i byte) []byte { return append(make([]byte, 31), i) }
	put := func(i byte) auth.Session {
		s := auth.Session{ID: w.id(), TokenHash: token(i), User: clerk, Created: epoch(), Seen: epoch(), Address: "127.0.0.1", Method: auth.ByPassword, PasswordSet: epoch(), Informed: true}
		w.ok(w.PutSession(ctx, s, 0))
		return s
	}
	want := put(1)
	put(2)
	got, u, err := w.Session(ctx, token(1))
	w.ok(err)
	if diff := cmp.Diff(want, got); diff != "" || u.Login != "clerk" || len(u.Grants) != 1 || !u.LastSeen.Equal(epoch()) {
		w.t.Error(diff, u)
	}
	later := epoch().Add(time.Minute)
	w.ok(w.TouchSession(ctx, token(1), later))
	if got, u, err := w.Session(ctx, token(1)); err != nil || !got.Seen.Equal(later) || !got.Created.Equal(epoch()) || !u.LastSeen.Equal(later) {
		w.t.Errorf("touched: %v %v %v", got.Seen, u.LastSeen, err)
	}
	w.ok(w.TouchSession(ctx, token(9), later))
	gone := func(i byte) {
		w.t.Helper()
		_, _, err := w.Session(ctx, token(i))
		refused(w.t, "a session that ended", err, tianbao.ErrNotFound)
	}
	gone(9)
	w.ok(w.DropSession(ctx, token(1)))
	w.ok(w.DropSession(ctx, token(1)))
	gone(1)
	w.ok(w.TouchSession(ctx, token(1), later))
	gone(1)
	w.ok(w.SetPassword(ctx, clerk, "h2", 4))
	gone(2)
	put(3)
	w.ok(w.SetDisabled(ctx, clerk, false))
	if _, _, err := w.Session(ctx, token(3)); err != nil {
		w.t.Errorf("enabling ended a session: %v", err)
	}
	// A new session sweeps out those that are older than any may be.
	put(4)
	next := auth.Session{TokenHash: token(5), User: clerk, Created: epoch().Add(auth.AbsoluteLimit + time.Second), Seen: later}
	w.ok(w.PutSession(ctx, next, 0))
	gone(3)
	gone(4)
	w.ok(w.SetDisabled(ctx, clerk, true))
	gone(5)
}

// What people do leaves a line, in the same transaction.
func testTrail(w *world) {
	ctx := w.t.Context()
	w.ok(w.Record(ctx, tianbao.Event{At: epoch(), Actor: clerk, Login: "clerk", From: "::1", What: "signin", Object: "o", Detail: "d", Reason: "why"}))
	d := w.draft(w.open(unitA))
	d.insert(0, Values(1))
	r := d.save()
	rec := tianbao.Receipt{ID: w.id(), Report: r.ID, Kind: "report", Version: r.Version, Rows: 1, At: epoch()}
	w.ok(w.MarkReported(ctx, rec, "k", "asked", clerk))
	lines, err := w.Trail(ctx, audit.Query{Limit: 10})
	w.ok(err)
	var got []string
	for _, l := range slices.Backward(lines) {
		got = append(got, fmt.Sprint(l.OwnerName, "|", l.At.UnixMilli()-epoch().UnixMilli(), "|", l.ActorName, "|", l.Login, "|", l.From, "|", l.What, "|", l.Object, "|", l.Result, "|", l.Reason, "|", l.Detail))
	}
	want := []string{
		"|0|填报员|clerk|::1|signin|o|done|why|d",
		fmt.Sprint("第一中学|1000|填报员|||save|", r.ID, "|done||version=1 source=page put=1 deleted=0"),
		fmt.Sprint("第一中学|0|填报员|||report|", r.ID, "|done||version=1 rows=1"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
	filters := []struct {
		name string
		q    audit.Query
		n    int
	}{
		{"event", audit.Query{What: "save"}, 1},
		{"unit", audit.Query{Owner: unitA}, 2},
		{"actor", audit.Query{Actor: clerk}, 3},
		{"somebody else", audit.Query{Actor: 999}, 0},
		{"an id as the product makes them", audit.Query{Actor: 1 << 60, Owner: 1 << 60}, 0},
		{"result", audit.Query{Result: tianbao.ResultDenied}, 0},
		{"from", audit.Query{From: epoch().Add(time.Second)}, 1},
		{"to", audit.Query{To: epoch().Add(time.Second)}, 2},
		{"older", audit.Query{Before: lines[0].ID}, 2},
	}
	for _, f := range filters {
		f.q.Limit = 10
		if ls, err := w.Trail(ctx, f.q); err != nil || len(ls) != f.n {
			w.t.Errorf("%s: %d lines, want %d, %v", f.name, len(ls), f.n, err)
		}
	}
}

func testFailures(w *world) {
	ctx := w.t.Context()
	now, since := epoch(), ago(15*time.Minute)
	add := func(at time.Time, want ...int) {
		w.t.Helper()
		got, err := w.AddFailure(ctx, []string{"user clerk", "addr 1"}[:len(want)], at, at.Add(-15*time.Minute))
		w.ok(err)
		if !slices.Equal(got, want) {
			w.t.Errorf("counts %v, want %v", got, want)
		}
	}
	add(now, 1, 1)
	add(now.Add(time.Minute), 2, 2)
	add(now.Add(2*time.Minute), 3)
	got, err := w.Failures(ctx, []string{"addr 1", "user clerk", "other"}, since)
	w.ok(err)
	if !slices.Equal(got, []int{2, 3, 0}) {
		w.t.Errorf("counts %v", got)
	}
	w.ok(w.ClearFailures(ctx, "user clerk"))
	add(now.Add(3*time.Minute), 1, 3)
	add(now.Add(time.Hour), 1, 1)
	if n := w.count("failure"); n != 2 {
		w.t.Errorf("%d failures kept, old ones too", n)
	}
	// Of guesses made at once, the last to answer has seen all.
	const n = 30
	counts := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			c, err := w.AddFailure(ctx, []string{"storm"}, now.Add(time.Hour), now)
			if err != nil {
				w.t.Error(err)
				return
			}
			counts[i] = c[0]
		})
	}
	wg.Wait()
	slices.Sort(counts)
	for i, c := range counts {
		if c < i+1 {
			w.t.Fatalf("counts %v: the %d-th guess saw only %d", counts, i+1, c)
		}
	}
}

func testSetup(w *world) {
	ctx := w.t.Context()
	check := func(token string, at time.Time, want bool) {
		w.t.Helper()
		if got, err := w.CheckSetupToken(ctx, []byte(token), at); err != nil || (got == tianbao.RoleAudit) != want {
			w.t.Errorf("token %q: %v %v, want %v", token, got, err, want)
		}
	}
	w.ok(w.PutSetupToken(ctx, tianbao.RoleSystem, []byte("another's"), epoch().Add(time.Hour)))
	check("", epoch(), false)
	w.ok(w.PutSetupToken(ctx, tianbao.RoleAudit, []byte("one"), epoch().Add(time.Hour)))
	check("one", epoch(), true)
	check("two", epoch(), false)
	check("", epoch(), false)
	check("one", epoch().Add(time.Hour), false)
	w.ok(w.PutSetupToken(ctx, tianbao.RoleAudit, []byte("two"), epoch().Add(time.Hour)))
	check("one", epoch(), false)
	check("two", epoch(), true)
	w.ok(w.DropSetupToken(ctx, tianbao.RoleAudit))
	w.ok(w.DropSetupToken(ctx, tianbao.RoleAudit))
	check("two", epoch(), false)
	check("", epoch(), false)
	w.ok(w.PutSetupToken(ctx, tianbao.RoleAudit, nil, epoch().Add(time.Hour)))
	check("", epoch(), false)
}
