package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

// authenticator is what a phone does (RFC 6238), written apart from the product.
func authenticator(secret []byte, at time.Time) string {
	m := hmac.New(sha1.New, secret)
	_ = binary.Write(m, binary.BigEndian, at.Unix()/30)
	h := m.Sum(nil)
	o := h[19] & 0xf
	n := (int(h[o])&0x7f)<<24 | int(h[o+1])<<16 | int(h[o+2])<<8 | int(h[o+3])
	return fmt.Sprintf("%06d", n%1000000)
}

// enrol sets up the second factor of a session; it returns the session's new token, the
// secret and the recovery codes.
func (d *desk) enrol(t *testing.T, token string) (string, []byte, []string) {
	t.Helper()
	g := d.resume(t, token)
	if err := d.StartFactor(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	st, err := d.FactorState(t.Context(), &g.User)
	if err != nil || len(st.Secret) != 20 {
		t.Fatalf("secret of %d bytes, %v", len(st.Secret), err)
	}
	token, codes, err := d.ConfirmFactor(t.Context(), g, token, authenticator(st.Secret, d.now()), "a")
	if err != nil {
		t.Fatal(err)
	}
	return token, st.Secret, codes
}

func (d *desk) resume(t *testing.T, token string) *auth.Signed {
	t.Helper()
	g, err := d.Resume(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// SEC-09: a code works once, one step early or late, five tries; recovery codes once.
func TestSEC09SecondFactor(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		first := d.signIn(t)
		if g := d.resume(t, first); g.Pending != auth.PendingSetup {
			t.Errorf("an office without a factor: pending %q", g.Pending)
		}
		other := d.signIn(t)
		token, secret, codes := d.enrol(t, first)
		if _, err := d.Resume(t.Context(), first); tianbao.KindOf(err) != tianbao.ErrUnsigned {
			t.Errorf("the token from before the factor: %v", err)
		}
		if _, err := d.Resume(t.Context(), other); tianbao.KindOf(err) != tianbao.ErrUnsigned {
			t.Errorf("another session from before the factor: %v", err)
		}
		g := d.resume(t, token)
		if g.Pending != "" || d.NeedStepUp(g) != nil || len(codes) != 10 {
			t.Errorf("pending %q, %v, %d codes", g.Pending, d.NeedStepUp(g), len(codes))
		}
		d.pass(auth.StepLife + time.Second)
		if err := d.NeedStepUp(d.resume(t, token)); err == nil {
			t.Error("a factor shown eleven minutes ago still counts")
		}
		verify := func(code string) (string, error) {
			token := d.signIn(t)
			g := d.resume(t, token)
			if g.Pending != auth.PendingFactor {
				t.Fatalf("signed in by the password alone: pending %q", g.Pending)
			}
			return d.VerifyFactor(t.Context(), g, token, code, "a")
		}
		code := authenticator(secret, d.now())
		if got, err := verify(code[:3] + " " + code[3:]); err != nil || d.resume(t, got).Pending != "" {
			t.Errorf("the code: %v", err)
		}
		if _, err := verify(code); err == nil {
			t.Error("the same code twice")
		}
		if _, err := verify(authenticator(secret, d.now().Add(30*time.Second))); err != nil {
			t.Errorf("a phone half a minute fast: %v", err)
		}
		d.pass(90 * time.Second)
		if _, err := verify(authenticator(secret, d.now().Add(-60*time.Second))); err == nil {
			t.Error("a phone a minute slow")
		}
		if _, err := verify(codes[0]); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		if _, err := verify(codes[0]); err == nil {
			t.Error("the same recovery code twice")
		}
		if _, err := verify(strings.ToLower(codes[1])); err != nil {
			t.Errorf("a recovery code in small letters: %v", err)
		}
		for range 5 {
			if _, err := verify("000000"); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("a wrong code: %v", err)
			}
		}
		if _, err := verify(authenticator(secret, d.now())); tianbao.KindOf(err) != tianbao.ErrTooMany {
			t.Errorf("the right code after five wrong ones: %v", err)
		}
		d.pass(auth.LockWindow + time.Second)
		if _, err := verify(authenticator(secret, d.now())); err != nil {
			t.Errorf("after the lock: %v", err)
		}
	})
}

// SEC-11: neither a reset nor an activation code goes around the second factor, and
// nobody sets up another one with the password alone.
func TestSEC11ResetKeepsTheFactor(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		_, secret, _ := d.enrol(t, d.signIn(t))
		if err := d.SetPassword(t.Context(), auth.By{}, "clerk", "Another-Word-2"); err != nil {
			t.Fatal(err)
		}
		token, u, err := d.SignIn(t.Context(), "clerk", "Another-Word-2", "a")
		if err != nil {
			t.Fatal(err)
		}
		g := d.resume(t, token)
		if g.Pending != auth.PendingFactor {
			t.Errorf("after a reset: pending %q", g.Pending)
		}
		if err := d.StartFactor(t.Context(), g); tianbao.KindOf(err) != tianbao.ErrForbidden {
			t.Errorf("another factor by the password alone: %v", err)
		}
		if _, err := d.NewRecovery(t.Context(), g, "a"); tianbao.KindOf(err) != tianbao.ErrForbidden {
			t.Errorf("recovery codes by the password alone: %v", err)
		}
		if err := d.DropOwnFactor(t.Context(), g, "a"); err == nil {
			t.Error("the factor goes by the password alone")
		}
		d.pass(time.Minute)
		if _, err := d.VerifyFactor(t.Context(), g, token, authenticator(secret, d.now()), "a"); err != nil {
			t.Error(err)
		}
		if err := d.DropFactor(t.Context(), auth.By{}, u.ID); err != nil {
			t.Error(err)
		}
		if token, _, err := d.SignIn(t.Context(), "clerk", "Another-Word-2", "a"); err != nil || d.resume(t, token).Pending != auth.PendingSetup {
			t.Errorf("after the factor is removed: %v", err)
		}
	})
}

// SEC-06: a thousand guesses get nobody in; the account is locked, and its owner still
// gets in with the second factor, from another address than the guesser's.
func TestSEC06OwnerGetsIn(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		_, secret, _ := d.enrol(t, d.signIn(t))
		ctx := t.Context()
		for i := range 1000 {
			_, _, err := d.SignInWith(ctx, auth.Try{Login: "clerk", Password: fmt.Sprint("Guess-", i), Code: fmt.Sprintf("%06d", i), From: fmt.Sprint("10.1.", i/40)})
			if err == nil {
				t.Fatal("a guess got in")
			}
		}
		if _, _, err := d.SignIn(ctx, "clerk", "Right-Word-1", "10.0.0.1"); tianbao.KindOf(err) != tianbao.ErrTooMany {
			t.Errorf("the password alone: %v, want locked", err)
		}
		d.pass(time.Minute)
		owner := auth.Try{Login: "clerk", Password: "Right-Word-1", From: "10.0.0.1"}
		for _, code := range []string{"123456", "nonsense", "000000"} {
			owner.Code = code
			if _, _, err := d.SignInWith(ctx, owner); tianbao.KindOf(err) != tianbao.ErrTooMany {
				t.Errorf("with the code %s: %v, want locked", code, err)
			}
		}
		owner.Code = authenticator(secret, d.now())
		token, _, err := d.SignInWith(ctx, owner)
		if err != nil {
			t.Fatalf("the owner with the second factor: %v", err)
		}
		if g := d.resume(t, token); g.Pending != "" || !d.SteppedUp(g) {
			t.Errorf("pending %q", g.Pending)
		}
	})
}

// SEC-05: the oldest session ends when there are too many; sessions are listed and
// ended one by one and all at once.
func TestSEC05Sessions(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		var tokens []string
		for range 7 {
			tokens = append(tokens, d.signIn(t))
			d.pass(time.Second)
		}
		alive := func(token string) bool { _, err := d.Resume(context.WithoutCancel(ctx), token); return err == nil }
		for i, token := range tokens {
			if alive(token) != (i >= 2) {
				t.Errorf("session %d of 7 lives: %v", i, !(i >= 2))
			}
		}
		g := d.resume(t, tokens[6])
		list, err := d.Sessions(ctx, g.User.ID)
		if err != nil || len(list) != 5 || list[0].ID != g.Session || list[0].Address != "10.0.0.1" {
			t.Fatalf("%d sessions, %v", len(list), err)
		}
		by := auth.By{User: g.User.ID, From: "a"}
		if err := d.EndSession(ctx, by, g.User.ID, list[1].ID); err != nil || alive(tokens[5]) || !alive(tokens[4]) {
			t.Errorf("ending one: %v", err)
		}
		if err := d.EndSession(ctx, by, 4711, list[2].ID); tianbao.KindOf(err) != tianbao.ErrNotFound || !alive(tokens[4]) {
			t.Errorf("ending somebody else's: %v", err)
		}
		if err := d.EndSessions(ctx, by, g.User.ID, g.Session); err != nil || alive(tokens[4]) || !alive(tokens[6]) {
			t.Errorf("ending the others: %v", err)
		}
		d.pass(auth.IdleLimit + time.Minute)
		if list, err := d.Sessions(ctx, g.User.ID); err != nil || len(list) != 0 {
			t.Errorf("%d sessions that have timed out are listed, %v", len(list), err)
		}
	})
}

// SEC-07: under the profile of 等保 a password is changed every 90 days and none of the
// last five comes back.
func TestSEC07ChangeAndHistory(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		d.Policy.FactorOptional = true
		pending := func(password string) auth.Pending {
			t.Helper()
			token, _, err := d.SignIn(ctx, "clerk", password, "a")
			if err != nil {
				t.Fatal(err)
			}
			return d.resume(t, token).Pending
		}
		d.pass(89 * 24 * time.Hour)
		if got := pending("Right-Word-1"); got != "" {
			t.Errorf("after 89 days: pending %q", got)
		}
		d.pass(2 * 24 * time.Hour)
		if got := pending("Right-Word-1"); got != auth.PendingPassword {
			t.Errorf("after 91 days: pending %q", got)
		}
		d.Policy.Profile = auth.ProfileASVS
		if got := pending("Right-Word-1"); got != "" {
			t.Errorf("under ASVS: pending %q", got)
		}
		d.Policy.Profile = auth.ProfileDengbao
		set := func(n int) error {
			return d.SetPassword(ctx, auth.By{}, "clerk", fmt.Sprintf("Right-Word-%d", n))
		}
		for n := 2; n <= 6; n++ {
			if err := set(n); err != nil {
				t.Fatal(err)
			}
			d.pass(time.Second)
		}
		for n := 2; n <= 6; n++ {
			if err := set(n); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("word %d again: %v", n, err)
			}
		}
		if err := set(1); err != nil {
			t.Errorf("the sixth before: %v", err)
		}
		if got := pending("Right-Word-1"); got != "" {
			t.Errorf("after a change: pending %q", got)
		}
	})
}

// SEC-12: accounts that nobody used for 90 days are disabled; one that is enabled again
// has its 90 days anew.
func TestSEC12Dormant(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		d.Policy.FactorOptional = true
		day := 24 * time.Hour
		users := map[string]tianbao.ID{}
		for _, login := range []string{"busy", "idle", "never"} {
			u, err := d.CreateUser(ctx, auth.By{}, tianbao.User{Login: login, Name: "示例", Office: tianbao.RoleAudit}, "Right-Word-1")
			if err != nil {
				t.Fatal(err)
			}
			users[login] = u.ID
		}
		disabled := func(login string) bool {
			u, err := d.User(ctx, users[login])
			if err != nil {
				t.Fatal(err)
			}
			return u.Disabled
		}
		use := func(login string) string {
			token, _, err := d.SignIn(ctx, login, "Right-Word-1", "a")
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		use("idle")
		d.pass(60 * day)
		use("busy")
		use("idle")
		d.pass(60 * day)
		use("busy")
		if n, err := d.DisableDormant(ctx); err != nil || n != 2 || !disabled("never") || disabled("busy") || disabled("idle") {
			t.Errorf("after 120 days: %d disabled, %v", n, err) // the clerk and who never came
		}
		d.pass(29 * day)
		if n, err := d.DisableDormant(ctx); err != nil || n != 0 {
			t.Errorf("after 89 days without: %d disabled, %v", n, err)
		}
		if err := d.SetDisabled(ctx, auth.By{}, "never", false); err != nil {
			t.Fatal(err)
		}
		d.pass(2 * day)
		if n, err := d.DisableDormant(ctx); err != nil || n != 1 || !disabled("idle") || disabled("never") || disabled("busy") {
			t.Errorf("after 91 days without: %d disabled, %v", n, err)
		}
		if _, _, err := d.SignIn(ctx, "idle", "Right-Word-1", "a"); tianbao.KindOf(err) != tianbao.ErrUnsigned {
			t.Errorf("a disabled account signs in: %v", err)
		}
		d.Policy.Dormant = 0
		d.pass(999 * day)
		if n, err := d.DisableDormant(ctx); err != nil || n != 0 {
			t.Errorf("with the rule off: %d disabled, %v", n, err)
		}
	})
}
