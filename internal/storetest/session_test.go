package storetest_test

import (
	"path/filepath"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// A session is remembered for a moment; what another server changes is seen within a second
// (security.md 4), what this one changes at once, which the suite tests.
func TestSessionElsewhere(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "data", "tianbao.db") },
		"postgres": storetest.PostgresURL,
	} {
		t.Run(name, func(t *testing.T) {
			at, ring, ctx := url(t), storetest.Ring(t), t.Context()
			here, there := storetest.Open(t, at, storetest.WithRing(ring)), storetest.Open(t, at, storetest.WithRing(ring))
			ok := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			hash := func(n byte) []byte { return append(make([]byte, 31), n) }
			const user = 7
			ok(here.CreateUser(ctx, tianbao.User{ID: user, Login: "clerk", Name: "甲"}, "hash", false))
			for n := range byte(4) {
				ok(here.PutSession(ctx, auth.Session{TokenHash: hash(n), User: user, Created: time.Now(), Seen: time.Now(), Method: auth.ByPassword}, 0))
			}
			lives := func(s *store.Store, n byte) bool {
				_, _, err := s.Session(ctx, hash(n))
				if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
					t.Fatal(err)
				}
				return err == nil
			}
			for n, end := range []func() error{
				func() error { return there.DropSession(ctx, hash(0)) },
				func() error { return there.SetPassword(ctx, user, "other", 1) },
			} {
				n := byte(n)
				if !lives(here, n) {
					t.Fatal("no session")
				}
				begun := time.Now()
				ok(end())
				if lives(there, n) {
					t.Error("it lives where it was ended")
				}
				if remembered := lives(here, n); !remembered && time.Since(begun) < 300*time.Millisecond {
					t.Error("nothing was remembered")
				}
				for lives(here, n) {
					if time.Since(begun) > time.Second {
						t.Fatal("a second later the session lives elsewhere")
					}
					time.Sleep(10 * time.Millisecond)
				}
			}
			// Who agrees to the purpose notice by one server is not asked again by the next.
			informed := func(s *store.Store) bool {
				v, _, err := s.Session(ctx, hash(9))
				ok(err)
				return v.Informed
			}
			version, err := there.PublishPurpose(ctx, "用途", tianbao.Event{Actor: user})
			ok(err)
			ok(here.PutSession(ctx, auth.Session{TokenHash: hash(9), User: user, Created: time.Now(), Seen: time.Now(), Method: auth.ByPassword}, 0))
			if informed(here) || informed(there) {
				t.Error("informed of what nobody has seen")
			}
			ok(there.AgreeToPurpose(ctx, version, tianbao.Event{Actor: user}))
			if !informed(here) {
				t.Error("asked again")
			}
		})
	}
}
