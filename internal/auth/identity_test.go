package auth_test

import (
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

const platform = "https://sso.example.gov.cn"

// An account at the platform opens the account that it is bound to, or, where the
// operator says so, the one of the same name; never an administrator's by a name, and
// never one that is not there.
func TestIdentities(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		filler, err := d.CreateUser(ctx, auth.By{}, tianbao.User{Login: "filler", Name: "填报"}, "Right-Word-1")
		if err != nil {
			t.Fatal(err)
		}
		asked, err := d.CreateUser(ctx, auth.By{}, tianbao.User{Login: "asked", Name: "将任", Asked: tianbao.RoleAudit}, "Right-Word-1")
		if err != nil {
			t.Fatal(err)
		}
		admin := d.resume(t, d.signIn(t)).User
		bind := func(by auth.By, user tianbao.ID, subject string) error {
			return d.BindUser(ctx, by, user, auth.Credential{Kind: auth.KindOIDC, Key: auth.Identity{Issuer: platform, Subject: subject}.Key()})
		}
		if err := bind(auth.By{User: admin.ID}, filler.ID, "s-1"); err != nil {
			t.Fatal(err)
		}
		if err := bind(auth.By{User: admin.ID}, filler.ID, "s-1"); tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("bound twice: %v", err)
		}
		for name, u := range map[string]tianbao.ID{"who will be an administrator": asked.ID, "another administrator": admin.ID} {
			if err := bind(auth.By{User: filler.ID}, u, "s-9"); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("binding %s: %v", name, err)
			}
		}
		tests := []struct {
			name  string
			id    auth.Identity
			login string // "": refused
		}{
			{"bound", auth.Identity{Issuer: platform, Subject: "s-1"}, "filler"},
			{"bound, whatever the name", auth.Identity{Issuer: platform, Subject: "s-1", Login: "clerk"}, "filler"},
			{"not bound", auth.Identity{Issuer: platform, Subject: "s-2"}, ""},
			{"of another platform", auth.Identity{Issuer: "https://evil.example", Subject: "s-1"}, ""},
			{"issuer and subject cut elsewhere", auth.Identity{Issuer: platform + "\x00s", Subject: "-1"}, ""},
			{"by name", auth.Identity{Issuer: platform, Subject: "s-2", Login: "filler"}, "filler"},
			{"by the name of an administrator", auth.Identity{Issuer: platform, Subject: "s-2", Login: "clerk"}, ""},
			{"by the name of who will be one", auth.Identity{Issuer: platform, Subject: "s-2", Login: "asked"}, ""},
			{"by the name of nobody", auth.Identity{Issuer: platform, Subject: "s-2", Login: "nobody"}, ""},
		}
		for _, tt := range tests {
			token, u, err := d.IdentitySignIn(ctx, tt.id, "a")
			if tt.login == "" {
				if tianbao.KindOf(err) != tianbao.ErrUnsigned || token != "" {
					t.Errorf("%s: %v", tt.name, err)
				}
				continue
			}
			if err != nil || u.Login != tt.login {
				t.Errorf("%s: %q, %v", tt.name, u.Login, err)
				continue
			}
			if g := d.resume(t, token); g.Method != auth.ByOIDC || len(g.User.Grants) > 0 {
				t.Errorf("%s: by %s, %d grants", tt.name, g.Method, len(g.User.Grants))
			}
		}
		if users, err := d.Users(ctx); err != nil || len(users) != 3 {
			t.Errorf("%d accounts: one was made", len(users))
		}
		if err := d.SetDisabled(ctx, auth.By{}, "filler", true); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.IdentitySignIn(ctx, auth.Identity{Issuer: platform, Subject: "s-1"}, "a"); tianbao.KindOf(err) != tianbao.ErrUnsigned {
			t.Errorf("a disabled account: %v", err)
		}
	})
}

// SEC-09: who came by the platform shows a second factor here where one is required,
// unless the platform has asked for one that counts.
func TestSEC09IdentityAndFactor(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		id := auth.Identity{Issuer: platform, Subject: "boss"}
		token := d.signIn(t)
		own := auth.Credential{Kind: auth.KindOIDC, Key: id.Key()}
		if err := d.BindOwn(ctx, d.resume(t, token), own, "a"); tianbao.KindOf(err) != tianbao.ErrForbidden {
			t.Errorf("an administrator binds without a second factor: %v", err)
		}
		token, secret, _ := d.enrol(t, token)
		if err := d.BindOwn(ctx, d.resume(t, token), own, "a"); err != nil {
			t.Fatal(err)
		}
		d.pass(100 * 24 * time.Hour) // the password is too old by now, which nobody asked for
		open := func(factor bool) *auth.Signed {
			id.Factor = factor
			var err error
			if token, _, err = d.IdentitySignIn(ctx, id, "a"); err != nil {
				t.Fatal(err)
			}
			return d.resume(t, token)
		}
		if g := open(false); g.Pending != auth.PendingFactor {
			t.Errorf("without the platform's factor: pending %q", g.Pending)
		} else if token, err := d.VerifyFactor(ctx, g, token, authenticator(secret, d.now()), "a"); err != nil || d.resume(t, token).Pending != "" {
			t.Errorf("with the own one: %v", err)
		}
		if g := open(true); g.Pending != "" || !d.SteppedUp(g) {
			t.Errorf("with the platform's factor: pending %q", g.Pending)
		}
	})
}

// SEC-09: a certificate that the gateway shows is a second factor of the account that it
// is bound to, and of no other.
func TestSEC09CertificateAsFactor(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		fp := strings.Repeat("ab", 32)
		cert := auth.Credential{Kind: auth.KindCertificate, Key: fp}
		token := d.signIn(t)
		if err := d.BindOwn(ctx, d.resume(t, token), cert, "a"); tianbao.KindOf(err) != tianbao.ErrForbidden {
			t.Errorf("bound by a password alone: %v", err)
		}
		token, _, _ = d.enrol(t, token)
		if err := d.BindOwn(ctx, d.resume(t, token), cert, "a"); err != nil {
			t.Fatal(err)
		}
		d.pass(time.Hour)
		try := func(login, password, fp string) (*auth.Signed, string, error) {
			token, _, err := d.SignInWith(ctx, auth.Try{Login: login, Password: password, Certificate: fp, From: "b"})
			if err != nil {
				return nil, "", err
			}
			return d.resume(t, token), token, nil
		}
		if g, _, err := try("clerk", "Right-Word-1", fp); err != nil || g.Pending != "" || !d.SteppedUp(g) {
			t.Errorf("with the password: %v", err)
		}
		if _, _, err := try("clerk", "wrong", fp); tianbao.KindOf(err) != tianbao.ErrUnsigned {
			t.Errorf("instead of the password: %v", err)
		}
		if _, err := d.CreateUser(ctx, auth.By{}, tianbao.User{Login: "second", Name: "乙", Office: tianbao.RoleAudit}, "Right-Word-1"); err != nil {
			t.Fatal(err)
		}
		if g, _, err := try("second", "Right-Word-1", fp); err != nil || g.Pending != auth.PendingSetup {
			t.Errorf("for another account: %v", err)
		}
		g, token, err := try("clerk", "Right-Word-1", strings.Repeat("cd", 32))
		if err != nil || g.Pending != auth.PendingFactor {
			t.Fatalf("another certificate: %v", err)
		}
		for _, other := range []string{"", strings.Repeat("cd", 32)} {
			if _, err := d.VerifyCertificate(ctx, g, token, other, "b"); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("showing %q: %v", other, err)
			}
		}
		if token, err = d.VerifyCertificate(ctx, g, token, fp, "b"); err != nil || d.resume(t, token).Pending != "" {
			t.Errorf("showing it: %v", err)
		}
		// Guesses lock the password; its owner still gets in.
		for range auth.LockAccount {
			_, _, _ = try("clerk", "wrong", "")
		}
		if _, _, err := try("clerk", "Right-Word-1", ""); tianbao.KindOf(err) != tianbao.ErrTooMany {
			t.Errorf("locked: %v", err)
		}
		if g, _, err := try("clerk", "Right-Word-1", fp); err != nil || g.Pending != "" {
			t.Errorf("locked, with the certificate: %v", err)
		}
		// Removed from the account it counts no more.
		if err := d.UnbindUser(ctx, auth.By{}, g.User.ID, mustOne(t, d, g).ID); err != nil {
			t.Fatal(err)
		}
		if g, _, err := try("clerk", "Right-Word-1", fp); err != nil || g.Pending != auth.PendingFactor {
			t.Errorf("removed: %v", err)
		}
	})
}
