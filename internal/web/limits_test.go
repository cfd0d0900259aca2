package web

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	th := newThrottle(func() time.Time { return now })
	for i := range 5 {
		if wait, _ := th.take("a", 5); wait != 0 {
			t.Fatalf("take %d waits %s", i+1, wait)
		}
	}
	wait, first := th.take("a", 5)
	if wait != 12*time.Second || !first {
		t.Errorf("the sixth: %s, first %v; want 12 s and true", wait, first)
	}
	if _, first = th.take("a", 5); first {
		t.Error("a second refusal counts as the first")
	}
	if wait, _ = th.take("b", 5); wait != 0 {
		t.Errorf("another key waits %s", wait)
	}
	now = now.Add(-time.Hour)
	if wait, _ = th.take("a", 5); wait == 0 {
		t.Error("a clock that is set back gives a token")
	}
	now = now.Add(12 * time.Second)
	if wait, _ = th.take("a", 5); wait != 0 {
		t.Errorf("after the wait it still waits %s", wait)
	}
	if _, first = th.take("a", 5); !first {
		t.Error("after an admission the next refusal is the first again")
	}
}

// SEC-42: whoever makes up keys fills no memory, and keeps nobody's bucket full.
func TestSEC42BoundedKeys(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	th := newThrottle(func() time.Time { return now })
	for i := range 3 * maxBuckets {
		th.take(fmt.Sprint("made up ", i), 5)
		if i%1000 == 0 {
			th.take("busy", 1)
		}
	}
	if len(th.buckets) != maxBuckets || th.recent.Len() != maxBuckets {
		t.Errorf("%d buckets, %d in order; want %d", len(th.buckets), th.recent.Len(), maxBuckets)
	}
	if wait, _ := th.take("busy", 1); wait == 0 {
		t.Error("made-up keys pushed out one that is in use")
	}
}

func TestParseLimits(t *testing.T) {
	l, err := ParseLimits(" import=7, search=600 ,")
	if err != nil || l[limitImport] != 7 || l[limitSearch] != 600 || l[limitExport] != DefaultLimits()[limitExport] {
		t.Errorf("%v, %v", l, err)
	}
	for _, text := range []string{"import", "import=", "import=0", "import=-1", "import=x", "nothing=5", "import=9999999"} {
		if _, err := ParseLimits(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// SEC-42: what is costly or helps to guess is limited; whatever takes a file is.
func TestSEC42LimitedRoutes(t *testing.T) {
	got := map[string]string{}
	for _, rt := range (&Server{}).table() {
		if name := limitOf(&rt); name != "" {
			if DefaultLimits()[name] == 0 {
				t.Errorf("%s falls under %q, which has no default", rt.ID, name)
			}
			got[rt.ID] = name
		}
	}
	for id, want := range map[string]string{
		"signIn": limitSignIn, "setUp": limitSignIn, "changePassword": limitPassword, "searchUnits": limitSearch,
		"import": limitImport, "reveal": limitReveal, "export": limitExport, "exportScreen": limitExport, "exportTrail": limitExport, "verifyTrail": limitExport,
	} {
		if got[id] != want {
			t.Errorf("%s falls under %q, want %q", id, got[id], want)
		}
	}
}

// SEC-48: the client's address is the last one that no trusted proxy has.
func TestSEC48Forwarded(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"one client", []string{"203.0.113.9"}, "203.0.113.9"},
		{"what the client wrote itself", []string{"1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"a chain of gateways", []string{"203.0.113.9, 10.2.3.4"}, "203.0.113.9"},
		{"two lines", []string{"1.2.3.4", "203.0.113.9, 10.2.3.4"}, "203.0.113.9"},
		{"with a port", []string{"203.0.113.9:5555"}, "203.0.113.9"},
		{"of the sixth version", []string{"2001:db8::5, fd00::1"}, "2001:db8::5"},
		{"mapped", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"with a zone", []string{"fe80::1%eth0"}, "fe80::1"},
		{"no address", []string{"unknown"}, "10.0.0.1"},
		{"nonsense before a gateway", []string{"203.0.113.9, <script>, 10.2.3.4"}, "10.2.3.4"},
		{"empty", []string{""}, "10.0.0.1"},
		{"all trusted", []string{"10.9.9.9"}, "10.9.9.9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := forwarded(trusted, "10.0.0.1", tt.headers); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "::ffff:203.0.113.9": "203.0.113.9", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "x": "x",
	} {
		if got := network(in); got != want {
			t.Errorf("network(%q) = %q, want %q", in, got, want)
		}
	}
}
