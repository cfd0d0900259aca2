package auth_test

import (
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/store"
)

// A service token gives its verbs over its subtree until its day, or until it is taken
// back, and nothing else.
func TestServiceToken(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		u := tianbao.Unit{ID: 1, Path: "/1/", Name: "省财政厅", Kind: "bureau"}
		if err := d.store.(*store.Store).PutUnits(ctx, u); err != nil {
			t.Fatal(err)
		}
		want := auth.ServiceToken{Name: "一体化平台", Unit: u.ID, Verbs: []auth.Verb{auth.VerbAccounts, auth.VerbAccounts}, Expires: d.now().Add(48 * time.Hour)}
		for name, bend := range map[string]func(*auth.ServiceToken){
			"no name":    func(t *auth.ServiceToken) { t.Name = " x " },
			"no unit":    func(t *auth.ServiceToken) { t.Unit = 0 },
			"no verb":    func(t *auth.ServiceToken) { t.Verbs = nil },
			"odd verb":   func(t *auth.ServiceToken) { t.Verbs = []auth.Verb{"all"} },
			"no day":     func(t *auth.ServiceToken) { t.Expires = time.Time{} },
			"is over":    func(t *auth.ServiceToken) { t.Expires = d.now() },
			"is forever": func(t *auth.ServiceToken) { t.Expires = d.now().Add(auth.MaxTokenLife + 1) },
		} {
			bad := want
			bend(&bad)
			if _, _, err := d.MakeServiceToken(ctx, auth.By{}, bad); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		made, secret, err := d.MakeServiceToken(ctx, auth.By{}, want)
		if err != nil || !strings.HasPrefix(secret, "tianbao_") || len(secret) < 40 || len(made.Verbs) != 1 {
			t.Fatalf("%v, %d characters, verbs %v", err, len(secret), made.Verbs)
		}
		asks := func(secret string, v auth.Verb) tianbao.ErrKind {
			_, err := d.Serviced(ctx, secret, v)
			if err == nil {
				return -1
			}
			return tianbao.KindOf(err)
		}
		for _, tt := range []struct {
			name, secret string
			verb         auth.Verb
			want         tianbao.ErrKind
		}{
			{"its verb", secret, auth.VerbAccounts, -1},
			{"any verb", secret, "", -1},
			{"another verb", secret, "rows.read", tianbao.ErrForbidden},
			{"nothing", "", auth.VerbAccounts, tianbao.ErrUnsigned},
			{"another secret", secret + "x", auth.VerbAccounts, tianbao.ErrUnsigned},
			{"without its mark", strings.TrimPrefix(secret, "tianbao_"), auth.VerbAccounts, tianbao.ErrUnsigned},
		} {
			if got := asks(tt.secret, tt.verb); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
		got, err := d.Serviced(ctx, secret, auth.VerbAccounts)
		if err != nil || got.Scope(auth.VerbAccounts).Paths[0] != u.Path || !got.Used.Equal(d.now()) {
			t.Errorf("%+v %v", got, err)
		}
		d.pass(48*time.Hour - time.Minute)
		if got := asks(secret, ""); got != -1 {
			t.Errorf("before its end: %v", got)
		}
		d.pass(time.Minute)
		if got := asks(secret, ""); got != tianbao.ErrUnsigned {
			t.Errorf("at its end: %v", got)
		}
		want.Expires = d.now().Add(time.Hour)
		made, secret, err = d.MakeServiceToken(ctx, auth.By{}, want)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.EndServiceToken(ctx, auth.By{}, made.ID); err != nil {
			t.Fatal(err)
		}
		if got := asks(secret, ""); got != tianbao.ErrUnsigned {
			t.Errorf("taken back: %v", got)
		}
	})
}
