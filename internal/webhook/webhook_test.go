package webhook

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func secret() []byte { return []byte("0123456789abcdef0123456789abcdef") }

func now() time.Time { return time.Unix(1_700_000_000, 0) }

func TestSend(t *testing.T) {
	for _, alg := range []Alg{SHA256, SM3} {
		t.Run(string(alg), func(t *testing.T) {
			var header http.Header
			var body []byte
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				header = r.Header
				body, _ = io.ReadAll(r.Body)
				w.WriteHeader(http.StatusAccepted)
			}))
			defer s.Close()
			c, err := New(Config{URL: s.URL + "/hook?key=1", Secret: secret(), Alg: alg, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Send(t.Context(), "77", map[string]string{"text": "请上报"}); err != nil {
				t.Fatal(err)
			}
			sig := header.Get(SignatureHeader)
			if string(body) != `{"text":"请上报"}` || header.Get(IDHeader) != "77" {
				t.Errorf("came %s, id %s", body, header.Get(IDHeader))
			}
			for _, tt := range []struct {
				name   string
				alg    Alg
				secret []byte
				header string
				body   string
				at     time.Time
				ok     bool
			}{
				{"as it came", alg, secret(), sig, string(body), now().Add(time.Minute), true},
				{"another body", alg, secret(), sig, string(body) + " ", now(), false},
				{"another secret", alg, []byte("another one that is long"), sig, string(body), now(), false},
				{"an old one", alg, secret(), sig, string(body), now().Add(6 * time.Minute), false},
				{"one of the future", alg, secret(), sig, string(body), now().Add(-6 * time.Minute), false},
				{"another time", alg, secret(), strings.Replace(sig, "t=17", "t=18", 1), string(body), time.Unix(1_800_000_000, 0), false},
				{"another algorithm", alg, secret(), strings.Replace(sig, "hmac", "none", 1), string(body), now(), false},
				{"no signature", alg, secret(), "", string(body), now(), false},
			} {
				if got := Verify(tt.alg, tt.secret, tt.header, []byte(tt.body), tt.at, 5*time.Minute); got != tt.ok {
					t.Errorf("%s: %t", tt.name, got)
				}
			}
		})
	}
}

// The vector that docs/operations.md gives to whoever writes a receiver.
func TestVector(t *testing.T) {
	got := Sign(SHA256, []byte("0123456789abcdef0123456789abcdef"), now(), []byte(`{"id":"1"}`))
	const want = "t=1700000000,alg=hmac-sha256,v=e97957e90a053fb41f7859afbe3a7e90ee114550457a5fdf0e05bf42ee308c7f"
	if got != want { // as openssl dgst -hmac has it
		t.Errorf("got %s, want %s", got, want)
	}
}

// The vector that docs/api.md gives for events.
func TestStandardVector(t *testing.T) {
	got := SignStandard([]byte("0123456789abcdef01234567"), "77", now(), []byte(`{"id":"77"}`))
	if want := "v1,26CIgZ9FtR6T6QSAmL6mzMODcqj1SY19OKstXDIb3MI="; got != want { // as openssl dgst -hmac has it
		t.Errorf("got %s, want %s", got, want)
	}
}

// SEC-45: no address but the one that was named, and none without TLS over the net.
func TestSEC45OnlyTheReceiver(t *testing.T) {
	for name, c := range map[string]Config{
		"without TLS":     {URL: "http://example.gov.cn/", Secret: secret(), Alg: SHA256},
		"a file":          {URL: "file:///etc/passwd", Secret: secret(), Alg: SHA256},
		"with a password": {URL: "https://a:b@example.gov.cn/", Secret: secret(), Alg: SHA256},
		"no algorithm":    {URL: "https://example.gov.cn/", Secret: secret()},
		"a short secret":  {URL: "https://example.gov.cn/", Secret: []byte("x"), Alg: SHA256},
		"nothing":         {},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	status := http.StatusTemporaryRedirect
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(status)
	}))
	defer s.Close()
	t.Setenv("HTTP_PROXY", other.URL)
	c, err := New(Config{URL: s.URL, Secret: secret(), Alg: SHA256, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for code, last := range map[int]bool{307: false, 302: false, 400: true, 401: false, 404: false, 422: true, 429: false, 500: false, 503: false} {
		status = code
		var e *Error
		if err := c.Send(t.Context(), "1", 1); !errors.As(err, &e) || e.Status != code || e.Permanent() != last {
			t.Errorf("%d: %v", code, err)
		}
	}
	s.Close()
	if err := c.Send(t.Context(), "1", 1); err == nil || strings.Contains(err.Error(), s.URL) {
		t.Errorf("nobody there: %v", err)
	}
	if elsewhere.Load() > 0 {
		t.Error("another address was called")
	}
}
