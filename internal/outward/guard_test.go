package outward

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestGuard(t *testing.T) {
	guard := &Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.8.0.0/16")}}
	for _, tt := range []struct {
		ip string
		ok bool
	}{
		{"203.0.113.7", true},
		{"2001:db8::1", true},
		{"10.8.3.4", true},
		{"::ffff:10.8.3.4", true},
		{"10.9.3.4", false},
		{"127.0.0.1", false},
		{"127.8.0.1", false},
		{"::1", false},
		{"::ffff:127.0.0.1", false},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"::", false},
		{"192.168.1.1", false},
		{"172.16.0.1", false},
		{"172.31.255.255", false},
		{"172.32.0.1", true},
		{"169.254.169.254", false},
		{"100.64.0.1", false},
		{"fe80::1%eth0", false},
		{"fc00::1", false},
		{"64:ff9b::7f00:1", false},
		{"2002:7f00:1::", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"240.0.0.1", false},
	} {
		if err := guard.Check(netip.MustParseAddr(tt.ip)); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.ip, err)
		}
		if err := guard.CheckHost(tt.ip); (err == nil) != tt.ok {
			t.Errorf("host %s: %v", tt.ip, err)
		}
	}
	if err := guard.CheckHost("localhost"); err != nil {
		t.Errorf("a name: %v", err)
	}
}

// The guard looks at what is dialled: a name that resolves to the loopback is not called.
func TestGuardedClient(t *testing.T) {
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	defer srv.Close()
	get := func(g *Guard) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := g.Client(nil, 5*time.Second)
		defer c.CloseIdleConnections()
		res, err := c.Do(r)
		if err == nil {
			_ = res.Body.Close()
		}
		return err
	}
	if err := get(&Guard{}); !errors.Is(err, ErrInner) || calls != 0 {
		t.Errorf("the loopback: %v, %d calls", err, calls)
	}
	if err := get(&Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}); err != nil || calls != 1 {
		t.Errorf("allowed: %v, %d calls", err, calls)
	}
}
