package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

// raw does to the database what somebody with its password could.
func (w *world) raw(sql string, args ...any) {
	w.t.Helper()
	w.ok(w.try(sql, args...))
}

func (w *world) try(sql string, args ...any) error {
	return w.DB().Tx(w.t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(context.WithoutCancel(w.t.Context()), sql, args...)
		return err
	})
}

// SEC-23: whatever is changed in a row that says who may do what, the row gives no more
// power, and a verification names it.
func testRightsAltered(w *world) {
	ctx := w.t.Context()
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 201, Login: "boss", Name: "安全", Office: tianbao.RoleSecurity}, "hash", false))
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 202, Login: "gone", Name: "停用", Disabled: true, Office: tianbao.RoleAudit}, "hash", false))
	w.ok(w.GiveGrant(ctx, tianbao.Grant{ID: 310, User: clerk, Role: tianbao.RoleCity, Unit: bureau, To: time.UnixMilli(5e12)}))
	whole := func(what string) {
		w.t.Helper()
		if rows, altered, err := w.AlteredRights(ctx); err != nil || len(altered) != 0 || rows != 5 {
			w.t.Fatalf("%s: %d rows, altered %v, %v", what, rows, altered, err)
		}
	}
	whole("as written")
	tests := []struct{ table, id, column, value string }{
		{"role_grant", "310", "user_id", "201"},
		{"role_grant", "310", "role", "'province'"},
		{"role_grant", "310", "unit_id", "12"},
		{"role_grant", "310", "valid_from", "1"},
		{"role_grant", "310", "valid_to", "0"},
		{"role_grant", "310", "by_id", "201"},
		{"role_grant", "310", "given", "1"},
		{"role_grant", "310", "lent", "300"},
		{"role_grant", "310", "id", "311"},
		{"role_grant", "310", "mac", "''"},
		{"app_user", "200", "office", "'system'"},
		{"app_user", "200", "asked", "'system'"},
		{"app_user", "200", "hash", "'other'"},
		{"app_user", "200", "login_key", "'other'"},
		{"app_user", "200", "mac", "''"},
		{"app_user", "200", "disabled", "NOT disabled"},
		{"app_user", "202", "disabled", "NOT disabled"},
		{"app_user", "201", "office", "'audit'"},
	}
	for _, tt := range tests {
		name := tt.table + " " + tt.id + " " + tt.column
		row := tt.table + " " + tt.id
		if tt.column == "id" {
			row = tt.table + " " + tt.value
		}
		save := fmt.Sprintf("CREATE TABLE kept AS SELECT * FROM %s", tt.table)
		w.raw(save)
		w.raw(fmt.Sprintf("UPDATE %s SET %s = %s WHERE id = %s", tt.table, tt.column, tt.value, tt.id))
		if _, altered, err := w.AlteredRights(ctx); err != nil || !slices.Equal(altered, []string{row}) {
			w.t.Errorf("%s: found %v, %v", name, altered, err)
		}
		users, err := w.Users(ctx)
		w.ok(err)
		for _, u := range users {
			told := slices.Contains(u.Altered, row)
			powers := u.Office != "" || u.May(tianbao.PowerReview) || !u.Disabled && tt.table == "app_user"
			if tt.table == "app_user" && tt.id == u.ID.String() && (!told || powers || !u.Disabled) {
				w.t.Errorf("%s: told %v, office %q, disabled %v", name, told, u.Office, u.Disabled)
			}
			if tt.table == "role_grant" && u.May(tianbao.PowerReview) {
				w.t.Errorf("%s: the grant still counts for %s", name, u.ID)
			}
		}
		if tt.table == "app_user" && tt.column != "login_key" {
			refused(w.t, name+": a change makes it sound again", w.SetDisabled(ctx, map[string]tianbao.ID{"200": 200, "201": 201, "202": 202}[tt.id], false), tianbao.ErrConflict)
		}
		w.raw("DELETE FROM " + tt.table)
		w.raw(fmt.Sprintf("INSERT INTO %s SELECT * FROM kept", tt.table))
		w.raw("DROP TABLE kept")
		whole(name + " put back")
	}
	// Who has the machine puts an account right, without the office it may have been given.
	w.raw("UPDATE app_user SET office = 'system' WHERE id = 200")
	w.ok(w.Repair(ctx, clerk, "new", 4))
	if u, hash, err := w.UserByLogin(ctx, "clerk"); err != nil || hash != "new" || u.Office != "" || u.Disabled || len(u.Altered) != 0 {
		w.t.Errorf("repaired: %+v %s %v", u.Office, hash, err)
	}
	// Taking back a grant that was altered takes it away.
	w.raw("UPDATE role_grant SET role = 'province' WHERE id = 310")
	w.ok(w.EndGrant(ctx, 310, time.Now()))
	if _, altered, err := w.AlteredRights(ctx); err != nil || len(altered) != 0 {
		w.t.Errorf("after the end: %v %v", altered, err)
	}
}

// A database from before the digests gets them once, and never again.
func testRightsSealedOnce(w *world) {
	ctx := w.t.Context()
	w.raw("UPDATE app_user SET mac = ''")
	w.raw("UPDATE role_grant SET mac = ''")
	w.ok(w.SealRights(ctx))
	if _, altered, err := w.AlteredRights(ctx); err != nil || len(altered) != 0 {
		w.t.Fatalf("sealed: %v %v", altered, err)
	}
	w.raw("UPDATE role_grant SET role = 'province', mac = ''")
	w.ok(w.SealRights(ctx))
	if _, altered, err := w.AlteredRights(ctx); err != nil || len(altered) != 1 {
		w.t.Errorf("sealed twice: %v %v", altered, err)
	}
	w.raw("DELETE FROM setting WHERE name = 'rights'")
	if err := w.SealRights(ctx); err == nil || !strings.Contains(err.Error(), "before") {
		w.t.Errorf("sealed again without the setting: %v", err)
	}
}

// A lent grant is never more than its lender's and ends with it.
func testLent(w *world) {
	ctx := w.t.Context()
	now := time.Now()
	const colleague tianbao.ID = 210
	w.ok(w.CreateUser(ctx, tianbao.User{ID: colleague, Login: "colleague", Name: "同事"}, "h", false))
	own := tianbao.Grant{ID: 320, User: clerk, Role: tianbao.RoleCity, Unit: bureau, To: time.UnixMilli(now.Add(time.Hour).UnixMilli())}
	w.ok(w.GiveGrant(ctx, own))
	lend := func(id tianbao.ID, change func(g *tianbao.Grant)) {
		g := tianbao.Grant{ID: id, User: colleague, Role: own.Role, Unit: department, By: clerk, Lent: own.ID, To: now.Add(48 * time.Hour)}
		change(&g)
		w.ok(w.GiveGrant(ctx, g))
	}
	lend(330, func(*tianbao.Grant) {})
	lend(331, func(g *tianbao.Grant) { g.Role = tianbao.RoleProvince }) // another role
	lend(332, func(g *tianbao.Grant) { g.Unit = elsewhere })            // outside
	lend(333, func(g *tianbao.Grant) { g.By = 201 })                    // not the lender's
	lend(334, func(g *tianbao.Grant) { g.Lent = 330 })                  // lent on
	lend(335, func(g *tianbao.Grant) { g.Lent = 999 })                  // of nothing
	held := func(what string, want ...tianbao.ID) {
		w.t.Helper()
		u, err := w.UserByID(ctx, colleague)
		w.ok(err)
		var got []tianbao.ID
		for _, g := range u.Grants {
			got = append(got, g.ID)
			if !g.To.Equal(own.To) {
				w.t.Errorf("%s: lent until %v, the lender has it until %v", what, g.To, own.To)
			}
		}
		if !slices.Equal(got, want) {
			w.t.Errorf("%s: grants %v, want %v", what, got, want)
		}
	}
	held("lent", 330)
	w.ok(w.SetDisabled(ctx, clerk, true))
	held("the lender is disabled")
	w.ok(w.SetDisabled(ctx, clerk, false))
	held("the lender is back", 330)
	w.ok(w.EndGrant(ctx, own.ID, now))
	held("the lender's grant ended")
}

// SEC-13: an office and anything else do not come together, by any way.
func testOfficesApart(w *world) {
	ctx := w.t.Context()
	offices := tianbao.Offices()
	for i, office := range offices {
		id := tianbao.ID(220 + i)
		w.ok(w.CreateUser(ctx, tianbao.User{ID: id, Login: "o" + string(office), Office: office}, "h", false))
		for _, role := range tianbao.Roles() {
			if err := w.GiveGrant(ctx, tianbao.Grant{ID: w.id(), User: id, Role: role, Unit: bureau}); err == nil {
				w.t.Errorf("%s gets the role %s", office, role)
			}
			// By hand: refused, or without effect.
			_ = w.try(`INSERT INTO role_grant (id, user_id, role, unit_id, valid_from, valid_to, by_id) VALUES ($1, $2, $3, $4, 0, 0, 0)`, w.id(), id, role, bureau)
		}
		for _, other := range offices {
			refused(w.t, "a second office", w.SetOffice(ctx, id, other, true), tianbao.ErrNotFound)
		}
		u, err := w.UserByID(ctx, id)
		w.ok(err)
		if u.Office != office || len(u.Grants) != 0 || u.May(tianbao.PowerSee) {
			w.t.Errorf("%s: %q %v", office, u.Office, u.Grants)
		}
		for _, two := range []string{"system,audit", "system security", "admin", "SYSTEM"} {
			if err := w.try(`UPDATE app_user SET office = $1 WHERE id = $2`, two, id); err == nil {
				w.t.Errorf("the schema takes the office %q", two)
			}
		}
	}
	// Asked is not given; agreed is, once; a grant and an office exclude each other both ways.
	const waiting tianbao.ID = 230
	w.ok(w.CreateUser(ctx, tianbao.User{ID: waiting, Login: "waiting", Asked: tianbao.RoleAudit}, "h", false))
	refused(w.t, "a role while an office is asked", w.GiveGrant(ctx, tianbao.Grant{ID: 340, User: waiting, Role: tianbao.RoleCity, Unit: bureau}), tianbao.ErrInvalid)
	if u, err := w.UserByID(ctx, waiting); err != nil || u.May(tianbao.PowerTrail) {
		w.t.Errorf("asked is given: %v", err)
	}
	refused(w.t, "another office than asked", w.SetOffice(ctx, waiting, tianbao.RoleSystem, true), tianbao.ErrNotFound)
	w.ok(w.SetOffice(ctx, waiting, tianbao.RoleAudit, true))
	if u, err := w.UserByID(ctx, waiting); err != nil || u.Office != tianbao.RoleAudit || u.Asked != "" {
		w.t.Errorf("agreed: %q %q %v", u.Office, u.Asked, err)
	}
	refused(w.t, "agreed twice", w.SetOffice(ctx, waiting, tianbao.RoleAudit, true), tianbao.ErrNotFound)
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 231, Login: "both", Asked: tianbao.RoleAudit, Grants: []tianbao.Grant{{Role: tianbao.RoleFiller, Unit: unitA}}}, "h", false))
	refused(w.t, "an office for a filler", w.SetOffice(ctx, 231, tianbao.RoleAudit, true), tianbao.ErrInvalid)
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 232, Login: "refused", Asked: tianbao.RoleSystem}, "h", false))
	w.ok(w.SetOffice(ctx, 232, tianbao.RoleSystem, false))
	if u, err := w.UserByID(ctx, 232); err != nil || u.Office != "" || u.Asked != "" {
		w.t.Errorf("refused: %q %q %v", u.Office, u.Asked, err)
	}
	us, err := w.WaitingUsers(ctx, 10)
	w.ok(err)
	var ids []tianbao.ID
	for _, u := range us {
		ids = append(ids, u.ID)
	}
	if !slices.Equal(ids, []tianbao.ID{231, 232}) {
		w.t.Errorf("waiting: %v", ids)
	}
}
