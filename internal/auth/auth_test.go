package auth_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
	"tianbao/internal/storetest"
)

// cheap makes hashes that cost nothing, for tests that are about something else.
var cheap = auth.Params{MemoryKiB: 64, Passes: 1, Threads: 1}

// desk is the service on a real store, with a clock that the test moves.
type desk struct {
	*auth.Service
	store auth.Store
	mu    sync.Mutex
	at    time.Time
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *desk) pass(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(t)
}

func onBoth(t *testing.T, f func(t *testing.T, d *desk)) {
	open := func(t *testing.T, url string) *desk {
		d := &desk{at: time.Date(2022, 9, 23, 9, 0, 0, 0, clock.Shanghai)}
		s := storetest.OpenSQLite(t, storetest.WithClock(d.now))
		if url != "" {
			s = storetest.Open(t, url, storetest.WithClock(d.now))
		}
		d.store = s
		var err error
		d.Service = auth.New(s, d.now, &clock.IDs{Clock: d.now}, cheap)
		_, err = d.CreateUser(t.Context(), auth.By{}, tianbao.User{Login: "clerk", Name: "经办", Office: tianbao.RoleSystem}, "Right-Word-1")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	t.Run("sqlite", func(t *testing.T) { f(t, open(t, "")) })
	t.Run("postgres", func(t *testing.T) { f(t, open(t, storetest.PostgresURL(t))) })
}

func (d *desk) signIn(t *testing.T) string {
	t.Helper()
	token, u, err := d.SignIn(t.Context(), "clerk", "Right-Word-1", "10.0.0.1")
	if err != nil || u.Login != "clerk" {
		t.Fatalf("sign in: %v", err)
	}
	return token
}

// SEC-03: a session ends after half an hour without use, and after twelve hours
// however busy it was.
func TestSEC03SessionsTimeOut(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		idle := d.signIn(t)
		d.pass(29 * time.Minute)
		if _, err := d.Resume(t.Context(), idle); err != nil {
			t.Errorf("after 29 idle minutes: %v", err)
		}
		d.pass(31 * time.Minute)
		if _, err := d.Resume(t.Context(), idle); tianbao.KindOf(err) != tianbao.ErrUnsigned {
			t.Errorf("after 31 idle minutes: %v, want unsigned", err)
		}
		busy := d.signIn(t)
		for range 35 { // every twenty minutes, 11 h 40 min
			d.pass(20 * time.Minute)
			if _, err := d.Resume(t.Context(), busy); err != nil {
				t.Fatalf("a busy session ended early: %v", err)
			}
		}
		d.pass(21 * time.Minute)
		if _, err := d.Resume(t.Context(), busy); tianbao.KindOf(err) != tianbao.ErrUnsigned {
			t.Errorf("after twelve hours: %v, want unsigned", err)
		}
		for _, token := range []string{"", "x", strings.Repeat("A", 43), busy + "x"} {
			if _, err := d.Resume(t.Context(), token); tianbao.KindOf(err) != tianbao.ErrUnsigned {
				t.Errorf("token %q: %v, want unsigned", token, err)
			}
		}
	})
}

// SEC-06: the lock of an account opens after a quarter of an hour; addresses have a
// limit of their own.
func TestSEC06LockOpens(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		try := func(login, password, addr string) tianbao.ErrKind {
			_, _, err := d.SignIn(t.Context(), login, password, addr)
			if err == nil {
				return -1
			}
			return tianbao.KindOf(err)
		}
		for range auth.LockAccount {
			try("clerk", "wrong", "10.0.0.1")
		}
		if got := try("clerk", "Right-Word-1", "10.0.0.2"); got != tianbao.ErrTooMany {
			t.Errorf("locked: %v, want too many", got)
		}
		d.pass(auth.LockWindow + time.Second)
		if got := try("clerk", "Right-Word-1", "10.0.0.2"); got != -1 {
			t.Errorf("after the window: %v, want signed in", got)
		}
		for i := range auth.LockAddress {
			try("name-"+string(rune('a'+i%26))+string(rune('a'+i/26)), "wrong", "10.9.9.9")
		}
		if got := try("clerk", "Right-Word-1", "10.9.9.9"); got != tianbao.ErrTooMany {
			t.Errorf("a guessing address: %v, want too many", got)
		}
		if got := try("clerk", "Right-Word-1", "10.0.0.3"); got != -1 {
			t.Errorf("another address: %v, want signed in", got)
		}
	})
}

// SEC-08: hashes carry their costs; who signs in with an old one is hashed anew.
func TestSEC08Rehash(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		_, before, err := d.store.UserByLogin(t.Context(), "clerk")
		if err != nil || !strings.HasPrefix(before, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Fatalf("stored hash %.30q, %v", before, err)
		}
		stronger := auth.New(d.store, d.now, &clock.IDs{Clock: d.now}, auth.Params{MemoryKiB: 128, Passes: 2, Threads: 1})
		token, _, err := stronger.SignIn(t.Context(), "clerk", "Right-Word-1", "a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stronger.Resume(t.Context(), token); err != nil {
			t.Errorf("the session that rehashed is not alive: %v", err)
		}
		_, after, err := d.store.UserByLogin(t.Context(), "clerk")
		if err != nil || !strings.HasPrefix(after, "$argon2id$v=19$m=128,t=2,p=1$") {
			t.Errorf("stored hash %.30q, %v", after, err)
		}
	})
}

// Two people race for the set-up link: one administrator.
func TestSetupOnce(t *testing.T) {
	d := &desk{at: time.Now()}
	s := storetest.OpenSQLite(t)
	var err error
	d.Service = auth.New(s, d.now, &clock.IDs{}, cheap)
	links, err := d.SetupLinks(t.Context())
	token := links[tianbao.RoleSystem]
	if err != nil || token == "" || len(links) != 3 {
		t.Fatalf("links %q, %v", links, err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = d.Setup(t.Context(), token, "admin"+string(rune('a'+i)), "管理员", "Right-Word-1")
		}()
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if tianbao.KindOf(err) != tianbao.ErrNotFound {
			t.Errorf("the losers get %v, want not found", err)
		}
	}
	if us, err := d.Users(t.Context()); err != nil || won != 1 || len(us) != 1 {
		t.Errorf("%d won, %d accounts, %v", won, len(us), err)
	}
	if links, err := d.SetupLinks(t.Context()); err != nil || links[tianbao.RoleSystem] != "" || len(links) != 2 {
		t.Errorf("further links %q, %v", links, err)
	}
}

func TestSetupLinkExpires(t *testing.T) {
	d := &desk{at: time.Now()}
	s := storetest.OpenSQLite(t)
	var err error
	d.Service = auth.New(s, d.now, &clock.IDs{}, cheap)
	links, err := d.SetupLinks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token := links[tianbao.RoleSecurity]
	if office, err := d.CheckSetup(t.Context(), token); err != nil || office != tianbao.RoleSecurity {
		t.Error(office, err)
	}
	d.pass(25 * time.Hour)
	if _, err := d.CheckSetup(t.Context(), token); tianbao.KindOf(err) != tianbao.ErrNotFound {
		t.Errorf("after a day: %v, want not found", err)
	}
}

func TestNewPassword(t *testing.T) {
	seen := map[string]bool{}
	policy := auth.DefaultPolicy()
	for range 500 {
		p := auth.NewPassword()
		if err := policy.Check("", p); err != nil || seen[p] || len(p) != 19 {
			t.Fatalf("made password: %v, length %d, repeated %v", err, len(p), seen[p])
		}
		seen[p] = true
	}
}
