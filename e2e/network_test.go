package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tianbao/internal/demo"
)

// with sends a request with headers of its own.
func (c *client) with(headers map[string]string, method, path string, body io.Reader) (int, http.Header, string) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", c.cookie)
	req.Header.Set("X-CSRF-Token", c.csrf)
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// trailLine is a line of the trail as tests look at it.
type trailLine struct{ What, From, Object, Result, Detail, Login string }

// trail reads the newest lines of the trail.
func (s *server) trail(t *testing.T, query string) []trailLine {
	t.Helper()
	var out struct{ Records []trailLine }
	s.client(t, "audit").must("GET", "/audit?"+query, nil, &out)
	return out.Records
}

// SEC-42: beyond its limit a kind of act is refused with 429 and the time to wait, for
// that account alone; others work on, and the first refusal is on the trail.
func TestSEC42Limits(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db, "--limits", "search=4,import=5,export=3,password=2,signin=1000")
		c, other := s.client(t, "unit"), s.client(t, "dept")
		rep, theirs := c.ownReport(), other.ownReport()
		acts := map[string]struct {
			n  int
			do func(c *client, rep string) *http.Response
		}{
			"searchUnits": {4, func(c *client, _ string) *http.Response {
				res, _ := c.do("POST", "/units/search", "application/json", strings.NewReader(`{"q":"局"}`))
				return res
			}},
			"import": {5, func(c *client, rep string) *http.Response {
				res, _ := c.upload("/reports/"+rep+"/imports", "a.csv", []byte("x"), map[string]string{"mode": "append"})
				return res
			}},
			"export": {3, func(c *client, rep string) *http.Response {
				res, _ := c.do("GET", "/reports/"+rep+"/export", "", nil)
				return res
			}},
			"changePassword": {2, func(c *client, _ string) *http.Response {
				res, _ := c.do("POST", "/password", "application/json", strings.NewReader(`{"old":"guess","new":"Guess-2026-x"}`))
				return res
			}},
		}
		for name, act := range acts {
			for i := range 10 * act.n {
				res := act.do(c, rep.ID)
				if refused := res.StatusCode == http.StatusTooManyRequests; refused != (i >= act.n) {
					t.Errorf("%s %d: %d", name, i+1, res.StatusCode)
				}
				if wait, err := strconv.Atoi(res.Header.Get("Retry-After")); i >= act.n && (err != nil || wait < 1 || wait > 60) {
					t.Errorf("%s: Retry-After %q", name, res.Header.Get("Retry-After"))
				}
			}
			if res := act.do(other, theirs.ID); res.StatusCode == http.StatusTooManyRequests {
				t.Errorf("%s: another account is refused too", name)
			}
		}
		lines := s.trail(t, "what=limited")
		if len(lines) != len(acts) {
			t.Errorf("%d refusals on the trail, want one for each of %d acts: %v", len(lines), len(acts), lines)
		}
	})
}

// SEC-42: guessing from one address is slowed, whatever names are guessed.
func TestSEC42SignInByAddress(t *testing.T) {
	s := startDemo(t, "", "--limits", "signin=10")
	var last int
	for i := range 30 {
		last = s.anonymous(t).signIn(fmt.Sprint("guess", i), "wrong")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the thirtieth guess in a row: %d, want 429", last)
	}
	if lines := readTrailLater(t, s); !slices.ContainsFunc(lines, func(l trailLine) bool { return l.What == "limited" && l.Object == "signIn" }) {
		t.Errorf("not on the trail: %v", lines)
	}
}

// readTrailLater signs in as soon as the limit lets it.
func readTrailLater(t *testing.T, s *server) []trailLine {
	t.Helper()
	for range 30 {
		c := s.anonymous(t)
		if c.signIn("audit", demo.Password) == http.StatusOK {
			var out struct{ Records []trailLine }
			c.must("GET", "/audit?what=limited", nil, &out)
			return out.Records
		}
		time.Sleep(time.Second)
	}
	t.Fatal("nobody gets in any more")
	return nil
}

// SEC-48: without a trusted proxy X-Forwarded-For changes nothing: the lockout by
// address counts on, and the trail has the real address. From a trusted proxy the
// client's address counts, and what the client itself wrote before it does not.
func TestSEC48Proxies(t *testing.T) {
	guess := func(s *server, i int, forwarded string) int {
		body := fmt.Sprintf(`{"login":"nobody-%d","password":"wrong"}`, i)
		status, _, _ := s.anonymous(t).with(map[string]string{"X-Forwarded-For": forwarded}, "POST", "/signin", strings.NewReader(body))
		return status
	}
	t.Run("no proxy is trusted", func(t *testing.T) {
		s := startDemo(t, "")
		var last int
		auditor := s.client(t, "audit")
		for i := range 55 {
			last = guess(s, i, fmt.Sprintf("198.51.100.%d", i))
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("55 guesses under 55 spoofed addresses: %d, want 429", last)
		}
		var out struct{ Records []trailLine }
		auditor.must("GET", "/audit?what=signin.fail", nil, &out)
		if len(out.Records) < 50 {
			t.Fatalf("%d failures on the trail", len(out.Records))
		}
		for _, l := range out.Records {
			if l.From != "127.0.0.1" {
				t.Errorf("the trail believes %q", l.From)
			}
		}
		if strings.Count(s.log.String(), "--trusted-proxy") != 1 {
			t.Error("the operator is not told, or told often, that a gateway is not trusted")
		}
	})
	t.Run("the gateway is trusted", func(t *testing.T) {
		s := startDemo(t, "", "--trusted-proxy", "127.0.0.1,10.0.0.0/8")
		for i := range 55 { // one client that writes another address before its own each time
			guess(s, i, fmt.Sprintf("198.51.100.%d, 203.0.113.7, 10.1.1.1", i))
		}
		if got := guess(s, 99, "198.51.100.77, 203.0.113.7"); got != http.StatusTooManyRequests {
			t.Errorf("a client spoofs its way out of the lockout: %d", got)
		}
		if got := guess(s, 100, "203.0.113.8"); got != http.StatusUnauthorized {
			t.Errorf("another client behind the gateway: %d, want 401", got)
		}
		seen := map[string]bool{}
		for _, l := range s.trail(t, "what=signin.fail") {
			seen[l.From] = true
		}
		if len(seen) != 2 || !seen["203.0.113.7"] || !seen["203.0.113.8"] {
			t.Errorf("addresses on the trail: %v", seen)
		}
	})
}

// SEC-48: the offices work in the administrators' network only, also with a session that
// was opened there; everybody else works from everywhere.
func TestSEC48AdminNetwork(t *testing.T) {
	s := startDemo(t, "", "--trusted-proxy", "127.0.0.1", "--admin-network", "10.7.0.0/16")
	in, out := map[string]string{"X-Forwarded-For": "10.7.3.4"}, map[string]string{"X-Forwarded-For": "10.8.3.4"}
	for login, page := range map[string]string{"admin": "/users", "audit": "/audit"} {
		c := s.client(t, login)
		if got, _, _ := c.with(in, "GET", page, nil); got != http.StatusOK {
			t.Errorf("%s from the network: %d", login, got)
		}
		for _, p := range []string{page, "/", "/session", "/password"} {
			got, _, body := c.with(out, "GET", p, nil)
			if got != http.StatusForbidden || !strings.Contains(body, "管理网段") {
				t.Errorf("%s: %s from elsewhere: %d %s", login, p, got, body)
			}
		}
		if got, _, _ := c.with(out, "POST", "/signout", strings.NewReader("{}")); got != http.StatusOK {
			t.Errorf("%s: signing out from elsewhere: %d", login, got)
		}
	}
	if got, _, _ := s.client(t, "unit").with(out, "GET", "/reports?campaign="+campaign, nil); got != http.StatusOK {
		t.Errorf("a filler from elsewhere: %d", got)
	}
	fresh := startIn(t, t.TempDir(), "", "--admin-network", "10.7.0.0/16")
	if got, _ := fresh.anonymous(t).do("GET", fresh.setupLinks(t)[0], "", nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("the set-up link from elsewhere: %d, want 404", got.StatusCode)
	}
}

// writeCertificate makes a certificate for the loopback address.
func writeCertificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "tianbao test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: kb}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// SEC-44: TLS 1.2 with strong suites and 1.3; nothing older or weaker, no plaintext; a
// renewed certificate is used without a restart, half a renewal is not.
func TestSEC44TLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, 1)
	s := startTLS(t, dir, cert, key)
	dial := func(c *tls.Config) (*tls.ConnectionState, error) {
		c.InsecureSkipVerify = true
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), c)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		state := conn.ConnectionState()
		return &state, nil
	}
	for v := uint16(tls.VersionTLS10); v <= tls.VersionTLS13; v++ {
		_, err := dial(&tls.Config{MinVersion: v, MaxVersion: v})
		if (err == nil) != (v >= tls.VersionTLS12) {
			t.Errorf("%s: %v", tls.VersionName(v), err)
		}
	}
	for _, suite := range append(tls.InsecureCipherSuites(), tls.CipherSuites()...) {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		_, err := dial(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
		strong := strings.Contains(suite.Name, "ECDHE") && (strings.Contains(suite.Name, "GCM") || strings.Contains(suite.Name, "CHACHA20"))
		if err == nil && !strong {
			t.Errorf("%s is accepted", suite.Name)
		}
		if err != nil && strong && strings.Contains(suite.Name, "ECDSA") {
			t.Errorf("%s: %v", suite.Name, err)
		}
	}
	if res, err := http.Get("http://" + strings.TrimPrefix(s.url, "https://") + "/signin"); err == nil {
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			t.Error("a page goes out in plain text")
		}
	}
	serial := func() int64 {
		state, err := dial(&tls.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return state.PeerCertificates[0].SerialNumber.Int64()
	}
	wait := func(want int64) {
		t.Helper()
		for range 60 {
			if serial() == want {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("serial %d, want %d", serial(), want)
	}
	wait(1)
	writeCertificate(t, cert, key, 2)
	wait(2)
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, cert, key, 3)
	if err := os.WriteFile(key, old, 0o600); err != nil { // certificate 3 with key 2
		t.Fatal(err)
	}
	for range 300 {
		if strings.Contains(s.log.String(), "cannot be used") {
			break
		}
		if got := serial(); got == 3 {
			break // read before the key was put back
		}
		time.Sleep(20 * time.Millisecond)
	}
	writeCertificate(t, cert, key, 4)
	wait(4)
}

// startTLS starts a server that speaks TLS; its readiness is asked without a certificate
// authority.
func startTLS(t *testing.T, dir, cert, key string) *server {
	t.Helper()
	s := &server{data: filepath.Join(dir, "data"), insecure: true}
	s.args = []string{"serve", "--addr", "127.0.0.1:0", "--data", s.data, "--tls-cert", cert, "--tls-key", key}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

// SEC-46: connections that send slowly, send nothing or do not read, and heads without
// end, are cut off; meanwhile others are served.
func TestSEC46SlowClients(t *testing.T) {
	s := startDemo(t, "", "--header-timeout", "2s", "--read-timeout", "4s", "--write-timeout", "6s")
	c := s.client(t, "unit")
	addr := strings.TrimPrefix(s.url, "http://")
	heads := map[string]string{
		"a slow head":    "GET /signin HTTP/1.1\r\nHost: x\r\nX-",
		"a slow body":    "POST /signin HTTP/1.1\r\nHost: " + addr + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
		"a slow reader":  strings.Repeat("GET /ui/form.js HTTP/1.1\r\nHost: "+addr+"\r\n\r\n", 200),
		"nothing at all": "",
	}
	var wg sync.WaitGroup
	for name, head := range heads {
		for range 100 {
			wg.Go(func() {
				if err := drip(addr, head, 20*time.Second); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	for range 10 {
		if got := c.call("GET", "/session", nil, nil); got != http.StatusOK {
			t.Errorf("meanwhile, others get %d", got)
		}
		time.Sleep(200 * time.Millisecond)
	}
	wg.Wait()
}

// drip sends a beginning and then a byte from time to time, reading nothing, until the
// server cuts the connection off; it is an error if that does not happen in time.
func drip(addr, head string, most time.Duration) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096) // what is not read must not go into the system's buffers
	}
	if _, err := io.WriteString(conn, head); err != nil {
		return err
	}
	for end := time.Now().Add(most); time.Now().Before(end); {
		if head == "" {
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := conn.Read(make([]byte, 1)); err != nil && !os.IsTimeout(err) {
				return nil
			}
			continue
		}
		time.Sleep(500 * time.Millisecond)
		if _, err := io.WriteString(conn, "a"); err != nil {
			return nil
		}
	}
	return errors.New("held open to the end")
}

// SEC-46: heads that are too big, or that two servers could read differently.
func TestSEC46Heads(t *testing.T) {
	s := startDemo(t, "")
	addr := strings.TrimPrefix(s.url, "http://")
	host := "Host: " + addr + "\r\n"
	tests := []struct {
		name, send string
		want       []int // nothing: cut off
	}{
		{"a head of 1 MB", "GET / HTTP/1.1\r\n" + host + "X-A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", []int{431}},
		{"100 000 lines", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X-A: b\r\n", 100_000) + "\r\n", []int{431}},
		{"a path of 1 MB", "GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\n" + host + "\r\n", []int{431}},
		{"length and chunks", "POST /signin HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n" + host + "\r\n", []int{400}},
		{"two lengths", "POST /signin HTTP/1.1\r\n" + host + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", []int{400}},
		{"a length with a sign", "POST /signin HTTP/1.1\r\n" + host + "Content-Length: +4\r\n\r\nabcd", []int{400}},
		{"chunks under another name", "POST /signin HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", []int{400, 501}},
		{"a space before the colon", "GET /healthz HTTP/1.1\r\n" + host + "X-A : b\r\n\r\n", []int{400}},
		{"no host", "GET /healthz HTTP/1.1\r\n\r\n", []int{400}},
		{"two hosts", "GET /healthz HTTP/1.1\r\n" + host + "Host: example.org\r\n\r\n", []int{400}},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00", []int{400}},
		{"an old version", "GET /healthz HTTP/0.9\r\n" + host + "\r\n", []int{400, 505}},
		{"a method that there is not", "BREW /signin HTTP/1.1\r\n" + host + "\r\n", []int{404, 405}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			go func() { _, _ = io.WriteString(conn, tt.send) }()
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return // cut off while it was still sending
			}
			res.Body.Close()
			if !slices.Contains(tt.want, res.StatusCode) {
				t.Errorf("%d, want %v", res.StatusCode, tt.want)
			}
		})
	}
	if got := s.client(t, "unit").call("GET", "/session", nil, nil); got != http.StatusOK {
		t.Errorf("afterwards: %d", got)
	}
}
