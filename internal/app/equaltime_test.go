package app

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
	"tianbao/internal/web"
)

// SEC-06: a failed sign-in tells nobody which names exist, by its answer or by the work it
// takes: a name that nobody has, a wrong password, an account that is disabled and one that
// never had a password; and, when the tries are used up, a name that exists and one that
// does not.
//
// The costly work, hashing, is counted, and must be equal to the last run. Of the whole
// handler the processor time of tries that take turns in any order is compared, by its
// medians and coarsely: on a busy machine 5 % are nothing. A missing decoy is a difference of
// nearly all of it.
func TestSEC06EqualTime(t *testing.T) {
	ctx, log, dir := t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)), t.TempDir()
	p := place{data: dir, keyFile: filepath.Join(dir, "keys", "ring.json"), alg: "sm4-gcm"}
	in, err := p.open(ctx, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.close(log) })
	// A quarter of what passwords cost, so that the rest of the handler counts four times.
	in.auth = auth.New(in.store, clock.System, in.ids, auth.Params{MemoryKiB: 8 * 1024, Passes: 1, Threads: 1})
	// The collector works between tries, not in some of them.
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	const all = 1_000_000
	cfg, err := in.config(log, &serveOptions{reveals: all, guard: guard{header: time.Minute, read: time.Minute, write: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	for name := range cfg.Limits {
		cfg.Limits[name] = all
	}
	srv, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	site := srv.Handler()

	if err := in.store.PutUnits(ctx, tianbao.Unit{ID: 1, Name: "示范小学", BudgetCode: "1", Kind: "unit"}); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{"present", "disabled", "locked"} {
		u := tianbao.User{Login: login, Name: "经办", Grants: []tianbao.Grant{{Role: tianbao.RoleFiller, Unit: 1}}}
		if _, err := in.auth.CreateUser(ctx, auth.By{}, u, "Right-Word-1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.auth.SetDisabled(ctx, auth.By{}, "disabled", true); err != nil {
		t.Fatal(err)
	}
	if err := in.store.CreateUser(ctx, tianbao.User{ID: 77, Login: "newcomer", Name: "经办"}, "", false); err != nil {
		t.Fatal(err)
	}

	request := regexp.MustCompile(`"request":"[0-9a-f]+"`)
	try := func(login string) (work time.Duration, hashed int64, answer string) {
		r := httptest.NewRequestWithContext(ctx, "POST", "http://tianbao.test/signin", strings.NewReader(`{"login":"`+login+`","password":"Wrong-Word-1"}`))
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		runtime.GC()
		runs, before := in.auth.Hashed(), processorTime(t)
		site.ServeHTTP(w, r)
		work = processorTime(t) - before
		return work, in.auth.Hashed() - runs, fmt.Sprint(w.Code, " ", request.ReplaceAllString(w.Body.String(), ""))
	}
	forget := func(keys ...string) {
		for _, k := range append(keys, "addr:192.0.2.1") {
			if err := in.store.ClearFailures(ctx, k); err != nil {
				t.Fatal(err)
			}
		}
	}
	compare := func(what string, want int, hashes int64, clear bool, logins ...string) {
		t.Helper()
		work := make([][]time.Duration, len(logins))
		const apart = 0.25
		answer, last := "", 0.0
		for range 4 { // more tries where the medians are still apart
			for range 25 {
				for _, i := range rand.Perm(len(logins)) {
					login := logins[i]
					if clear {
						forget("login:" + login)
					}
					d, hashed, got := try(login)
					if hashed != hashes {
						t.Fatalf("%s: %s hashes %d times, want %d", what, login, hashed, hashes)
					}
					work[i] = append(work[i], d)
					if answer == "" {
						answer = got
					}
					if got != answer || !strings.HasPrefix(got, fmt.Sprint(want, " ")) {
						t.Fatalf("%s: %s answers %s, want %s", what, login, got, answer)
					}
				}
			}
			least, most := median(work[0]), median(work[0])
			for i := range work {
				least, most = min(least, median(work[i])), max(most, median(work[i]))
			}
			if last = float64(most)/float64(least) - 1; last <= apart {
				t.Logf("%s: medians %v to %v, %.1f %% apart", what, least, most, 100*last)
				return
			}
		}
		for i := range work {
			t.Logf("%s: %s takes %v", what, logins[i], median(work[i]))
		}
		t.Errorf("%s: medians are %.1f %% apart, at most %.0f %% are equal", what, 100*last, 100*apart)
	}
	compare("a wrong sign-in", http.StatusUnauthorized, 1, true, "nobody", "present", "disabled", "newcomer")
	for range auth.LockAccount {
		for _, login := range []string{"locked", "nobody2"} {
			try(login)
			forget()
		}
	}
	compare("a locked sign-in", http.StatusTooManyRequests, 0, false, "locked", "nobody2")
}

// processorTime is the time that all threads of this process have worked.
func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}
