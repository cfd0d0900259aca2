package storetest

import (
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

// Credentials are found by their keys, belong to one account, and count on.
func testCredentials(w *world) {
	ctx := w.t.Context()
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 201, Login: "other", Name: "乙"}, "hash", false))
	put := func(id, user tianbao.ID, kind auth.Kind, key string, codes ...string) error {
		return w.PutCredential(ctx, auth.Credential{ID: id, User: user, Kind: kind, Key: key, Name: "钥匙", Data: []byte("data"), Created: epoch()}, codes, 0)
	}
	w.ok(put(1, clerk, auth.KindPasskey, "a", "AAAA"))
	w.ok(put(2, clerk, auth.KindOIDC, "a"))
	w.ok(put(3, 201, auth.KindCertificate, "c"))
	refused(w.t, "a key that is bound", put(4, 201, auth.KindPasskey, "a"), tianbao.ErrConflict)
	c, err := w.CredentialByKey(ctx, auth.KindPasskey, "a")
	w.ok(err)
	if c.User != clerk || c.Name != "钥匙" || string(c.Data) != "data" || !c.Created.Equal(epoch()) || !c.Used.IsZero() {
		w.t.Errorf("found %+v", c)
	}
	_, err = w.CredentialByKey(ctx, auth.KindCertificate, "a")
	refused(w.t, "a key of another kind", err, tianbao.ErrNotFound)
	if all, err := w.Credentials(ctx, clerk); err != nil || len(all) != 2 || all[0].ID != 1 {
		w.t.Errorf("all: %v %v", all, err)
	}
	for i, tt := range []struct {
		counter int64
		want    bool
	}{{0, true}, {0, true}, {5, true}, {5, false}, {4, false}, {0, false}, {6, true}} {
		if got, err := w.UseCredential(ctx, c, tt.counter, epoch().Add(time.Hour)); err != nil || got != tt.want {
			w.t.Errorf("step %d: counter %d: %v %v", i, tt.counter, got, err)
		}
	}
	refused(w.t, "a name for somebody else's", w.RenameCredential(ctx, 201, 1, "x"), tianbao.ErrNotFound)
	w.ok(w.RenameCredential(ctx, clerk, 1, "手机"))
	if c, err = w.CredentialByKey(ctx, auth.KindPasskey, "a"); err != nil || c.Name != "手机" || c.Counter != 6 || !c.Used.Equal(epoch().Add(time.Hour)) {
		w.t.Errorf("after the name: %+v %v", c, err)
	}

	// What is not a factor leaves none; the last one takes the recovery codes along.
	refused(w.t, "removing somebody else's", w.DropCredential(ctx, 201, 1, 0, true), tianbao.ErrNotFound)
	refused(w.t, "removing the last factor where one is required", w.DropCredential(ctx, clerk, 1, 0, false), tianbao.ErrInvalid)
	w.ok(put(5, clerk, auth.KindCertificate, "e"))
	w.ok(w.DropCredential(ctx, clerk, 1, 0, false))
	if n, err := w.RecoveryLeft(ctx, clerk); err != nil || n != 1 {
		w.t.Errorf("%d codes with a factor left, %v", n, err)
	}
	w.ok(w.DropCredential(ctx, clerk, 5, 0, true))
	if n, err := w.RecoveryLeft(ctx, clerk); err != nil || n != 0 {
		w.t.Errorf("%d codes without a factor, %v", n, err)
	}
	w.ok(put(6, clerk, auth.KindPasskey, "f"))
	w.ok(w.DropFactor(ctx, clerk))
	if all, err := w.Credentials(ctx, clerk); err != nil || len(all) != 1 || all[0].Kind != auth.KindOIDC {
		w.t.Errorf("after the factors were dropped: %v %v", all, err)
	}
}

// SEC-23: a credential that was written or moved around the program opens no account, and
// a verification names it.
func testCredentialsAltered(w *world) {
	ctx := w.t.Context()
	w.ok(w.CreateUser(ctx, tianbao.User{ID: 201, Login: "boss", Name: "安全", Office: tianbao.RoleSecurity}, "hash", false))
	w.ok(w.PutCredential(ctx, auth.Credential{ID: 1, User: clerk, Kind: auth.KindOIDC, Key: "own", Created: epoch()}, nil, 0))
	w.ok(w.PutCredential(ctx, auth.Credential{ID: 2, User: 201, Kind: auth.KindOIDC, Key: "boss", Created: epoch()}, nil, 0))
	for _, tt := range []struct{ name, sql string }{
		{"moved to another account", "UPDATE credential SET user_id = 201 WHERE id = 1"},
		{"of another kind", "UPDATE credential SET kind = 'passkey' WHERE id = 1"},
		{"with the body of another", "UPDATE credential SET body = (SELECT b.body FROM credential b WHERE b.id = 2) WHERE id = 1"},
		{"with the place of another key", "UPDATE credential SET k = 'x' WHERE id = 1"},
	} {
		w.raw("CREATE TABLE kept AS SELECT * FROM credential")
		w.raw(tt.sql)
		if rows, altered, err := w.AlteredRights(ctx); err != nil || rows == 0 || !slices.Equal(altered, []string{"credential 1"}) {
			w.t.Errorf("%s: found %v, %v", tt.name, altered, err)
		}
		for _, kind := range []auth.Kind{auth.KindOIDC, auth.KindPasskey} {
			if c, err := w.CredentialByKey(ctx, kind, "own"); err == nil {
				w.t.Errorf("%s: still opens the account %s", tt.name, c.User)
			}
		}
		for _, user := range []tianbao.ID{clerk, 201} {
			all, err := w.Credentials(ctx, user)
			w.ok(err)
			for _, c := range all {
				if c.ID == 1 {
					w.t.Errorf("%s: still listed for %s", tt.name, user)
				}
			}
		}
		w.raw("DELETE FROM credential")
		w.raw("INSERT INTO credential SELECT * FROM kept")
		w.raw("DROP TABLE kept")
	}
	if c, err := w.CredentialByKey(ctx, auth.KindOIDC, "own"); err != nil || c.User != clerk {
		w.t.Errorf("put back: %v %v", c, err)
	}
}

// What is waited for is taken once, in time, by who holds the secret.
func testCeremonies(w *world) {
	ctx := w.t.Context()
	hash := func(i int) []byte { return fmt.Appendf(nil, "hash %d", i) }
	end := epoch().Add(time.Minute)
	for i := range 3 {
		w.ok(w.PutCeremony(ctx, hash(i), hash(i), epoch(), end))
	}
	if b, err := w.TakeCeremony(ctx, hash(0), epoch()); err != nil || string(b) != "hash 0" {
		w.t.Errorf("taken: %q %v", b, err)
	}
	_, err := w.TakeCeremony(ctx, hash(0), epoch())
	refused(w.t, "taken twice", err, tianbao.ErrNotFound)
	_, err = w.TakeCeremony(ctx, hash(1), end)
	refused(w.t, "taken late", err, tianbao.ErrNotFound)
	w.ok(w.PutCeremony(ctx, hash(2), []byte("newer"), epoch(), end))
	if b, err := w.TakeCeremony(ctx, hash(2), epoch()); err != nil || string(b) != "newer" {
		w.t.Errorf("in place of another: %q %v", b, err)
	}
	w.ok(w.PutCeremony(ctx, hash(3), nil, epoch(), end))
	w.ok(w.PutCeremony(ctx, hash(4), nil, end.Add(time.Second), end.Add(time.Hour)))
	_, err = w.TakeCeremony(ctx, hash(3), epoch())
	refused(w.t, "swept away", err, tianbao.ErrNotFound)
}
