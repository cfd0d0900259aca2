package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// peerProgram builds a SCIM service of another make: tools/scim, which is a module of its own.
func peerProgram(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "peer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	build.Dir = "../../tools/scim"
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("TIANBAO_TEST_ALL") != "" {
			t.Fatalf("build tools/scim: %v\n%s", err, out)
		}
		t.Skipf("build tools/scim: %v", err)
	}
	return bin
}

// peer runs it in a process of its own and returns its address.
func peer(t *testing.T, bin string, flags ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, flags...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		t.Fatal(err)
	}
	return addr
}

// wire stands between client and service: it counts what is asked, loses answers and
// refuses for a while.
type wire struct {
	mu     sync.Mutex
	to     string
	seen   []string
	bodies []string
	lose   int // answers to POST that are lost
	busy   int // requests that are answered with 503
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	w.seen, w.bodies = append(w.seen, r.Method), append(w.bodies, string(body))
	if w.busy > 0 {
		w.busy--
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, w.to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Header = r.Header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if r.Method == http.MethodPost && w.lose > 0 {
		w.lose--
		panic(http.ErrAbortHandler) // the connection breaks
	}
	rw.WriteHeader(res.StatusCode)
	_, _ = rw.Write(answer)
}

func (w *wire) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.seen
	w.seen, w.bodies = nil, nil
	return out
}

func TestAnotherMake(t *testing.T) {
	bin := peerProgram(t)
	t.Run("one by one", func(t *testing.T) { testClient(t, bin) })
	t.Run("many at once", func(t *testing.T) { testBulk(t, bin) })
}

func testClient(t *testing.T, bin string) {
	t.Helper()
	w := &wire{to: peer(t, bin)}
	srv := httptest.NewServer(w)
	defer srv.Close()
	c, err := New(Config{URL: srv.URL + "/v2", Token: "secret", Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	users := func() (out []User) {
		t.Helper()
		if err := c.List(ctx, func(u *User) error { out = append(out, *u); return nil }); err != nil {
			t.Fatal(err)
		}
		w.asked()
		return out
	}
	u := User{
		ExternalID: "501", UserName: "16000000001", DisplayName: "张某某", Active: true, Phone: "16000000001",
		Organization: "第一中学", Department: "00101", Division: "12210100000000003C",
	}
	id, err := c.Put(ctx, &u)
	if err != nil || id == "" {
		t.Fatalf("made: %q %v", id, err)
	}
	want := u
	want.ID = id
	if diff := cmp.Diff([]User{want}, users()); diff != "" {
		t.Fatal(diff)
	}
	// Asked again, with or without the id, nothing is made and nothing changed.
	for _, again := range []User{u, want} {
		if got, err := c.Put(ctx, &again); err != nil || got != id {
			t.Errorf("again: %q %v", got, err)
		}
		if got := w.asked(); !cmp.Equal(got, []string{"GET"}) {
			t.Errorf("again asks %v", got)
		}
	}
	// Another phone and unit: only what differs is sent.
	want.UserName, want.Phone, want.Department = "16000000002", "16000000002", "00102"
	if _, err := c.Put(ctx, &want); err != nil {
		t.Fatal(err)
	}
	var patch struct{ Operations []struct{ Path string } }
	if len(w.bodies) != 2 || json.Unmarshal([]byte(w.bodies[1]), &patch) != nil || len(patch.Operations) != 3 {
		t.Errorf("changes: %d operations", len(patch.Operations))
	}
	if diff := cmp.Diff([]User{want}, users()); diff != "" {
		t.Error(diff)
	}
	// Disabled, the login given up: no phone is left.
	want.UserName, want.Phone, want.Active = "retired-501", "", false
	if _, err := c.Put(ctx, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]User{want}, users()); diff != "" {
		t.Error(diff)
	}
	// Lost answers make nobody twice.
	w.lose = 2
	other := User{ExternalID: "502", UserName: "16000000001", DisplayName: "李某某", Active: true, Phone: "16000000001", Organization: "第一中学"}
	if _, err := c.Put(ctx, &other); err != nil {
		t.Fatal(err)
	}
	if got := users(); len(got) != 2 {
		t.Errorf("%d users after lost answers", len(got))
	}
	// A login that another one has is refused for good.
	third := User{ExternalID: "503", UserName: "16000000001", DisplayName: "王某某", Active: true}
	var e *Error
	if _, err := c.Put(ctx, &third); !errors.As(err, &e) || !e.Permanent() || e.Status != http.StatusConflict {
		t.Errorf("a login that is taken: %v", err)
	}
	// A busy service is asked again, a while.
	w.busy = 2
	if got := len(usersOf(t, c)); got != 2 {
		t.Errorf("%d users of a busy service", got)
	}
	w.busy = 100
	if err := c.List(ctx, func(*User) error { return nil }); !errors.As(err, &e) || e.Permanent() {
		t.Errorf("a service that stays busy: %v", err)
	}
	w.busy = 0
	bad, err := New(Config{URL: srv.URL + "/v2", Token: "other", Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad.List(ctx, func(*User) error { return nil }); !errors.As(err, &e) || e.Status != http.StatusUnauthorized || e.Permanent() {
		t.Errorf("with another token: %v", err)
	}
	if strings.Contains(fmt.Sprint(e), "1600") {
		t.Error("an error tells a phone")
	}
}

// Where the service offers it, many users are made by one request; of whom nothing is known
// afterwards, Put finds out.
func testBulk(t *testing.T, bin string) {
	t.Helper()
	ctx := t.Context()
	w := &wire{to: peer(t, bin, "-bulk")}
	srv := httptest.NewServer(w)
	defer srv.Close()
	open := func(base string) *Client {
		c, err := New(Config{URL: base + "/v2", Token: "secret", Pause: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := open(srv.URL)
	var users []*User
	for i, name := range []string{"16000000001", "16000000002", "16000000003", "silent", "16000000005", "16000000001", "16000000007"} {
		users = append(users, &User{ExternalID: fmt.Sprint(500 + i), UserName: name, DisplayName: "张某某", Active: true})
	}
	users[6].DisplayName = strings.Repeat("长", 2000) // more than the service takes in one request
	made, err := c.Create(ctx, users)
	if err != nil {
		t.Fatal(err)
	}
	known := ""
	for i := range made {
		switch {
		case made[i].ID != "":
			known += "i"
		case made[i].Refused:
			known += "r"
		default:
			known += "?"
		}
	}
	// The fourth is not told of, the sixth has a login that is taken, the seventh is too long.
	if known != "iii?i??" {
		t.Errorf("made %s", known)
	}
	if got := strings.Join(w.asked(), " "); got != "GET POST POST" {
		t.Errorf("asked %s", got)
	}
	if id, err := c.Put(ctx, users[3]); err != nil || id == "" {
		t.Errorf("who was made and not told of: %q %v", id, err)
	}
	var e *Error
	if _, err := c.Put(ctx, users[5]); !errors.As(err, &e) || !e.Permanent() {
		t.Errorf("a login that is taken: %v", err)
	}
	w.asked()
	w.lose = 1
	if _, err := c.Create(ctx, []*User{{ExternalID: "601", UserName: "16000000011"}, {ExternalID: "602", UserName: "16000000012"}}); err == nil {
		t.Error("an answer that is lost is taken for one")
	}
	if got := w.asked(); !cmp.Equal(got, []string{"POST"}) {
		t.Errorf("a request that may have been heard is sent again: %v", got)
	}
	if got := len(usersOf(t, c)); got != 7 {
		t.Errorf("%d users there, want 7", got)
	}
	// A service that does not say, or says no, is not asked for it.
	for name, body := range map[string]string{"no": `{"bulk":{"supported":false,"maxOperations":9,"maxPayloadSize":9}}`, "one": `{"bulk":{"supported":true,"maxOperations":1,"maxPayloadSize":9999}}`, "nothing": ""} {
		seen := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if seen++; body == "" {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, body)
		}))
		c := open(srv.URL)
		for range 2 {
			if made, err := c.Create(ctx, users[:2]); err != nil || made[0] != (Made{}) || seen != 1 {
				t.Errorf("%s: %v %v after %d requests", name, made, err, seen)
			}
		}
		srv.Close()
	}
	var statuses []bulkStatus
	if err := json.Unmarshal([]byte(`["201", 409, {"code": "400"}, {"code": 503}, "x", null]`), &statuses); err != nil || !cmp.Equal(statuses, []bulkStatus{201, 409, 400, 503, 0, 0}) {
		t.Errorf("statuses %v %v", statuses, err)
	}
}

func usersOf(t *testing.T, c *Client) (out []User) {
	t.Helper()
	if err := c.List(t.Context(), func(u *User) error { out = append(out, *u); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNew(t *testing.T) {
	for name, c := range map[string]Config{
		"no address":       {Token: "x"},
		"no https":         {URL: "http://example.org/v2", Token: "x"},
		"with a password":  {URL: "https://a:b@example.org/v2", Token: "x"},
		"with a query":     {URL: "https://example.org/v2?x=1", Token: "x"},
		"no token":         {URL: "https://example.org/v2"},
		"a token of lines": {URL: "https://example.org/v2", Token: "x\r\ny"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
