package client_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"tianbao/client"
	"tianbao/internal/webhook"
)

func TestErrors(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		name, token, collection string
		status                  int
		code                    string
	}{
		{"another token", "tianbao_none", "1001", http.StatusUnauthorized, "bad_token"},
		{"another collection", site.Token, "9", http.StatusNotFound, "not_found"},
		{"no collection", site.Token, "", http.StatusBadRequest, "no_collection"},
	} {
		c := &client.Client{URL: site.URL + "/", Token: tt.token}
		n := 0
		for _, err := range c.Progress(ctx, tt.collection) {
			var e *client.Error
			if n++; !errors.As(err, &e) || e.Status != tt.status || e.Code != tt.code || e.Message == "" || strings.Contains(err.Error(), tt.token) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: told %d times", tt.name, n)
		}
	}
	c := &client.Client{URL: site.URL, Token: site.Token}
	if s, err := c.Service(ctx); err != nil || len(s.Verbs) != 4 || s.Unit != "100" {
		t.Errorf("%+v %v", s, err)
	}
	n := 0
	for row, err := range c.ClearRows(ctx, "1001", "") {
		if n++; err != nil || strings.Contains(row.Values["person_id"], "*") {
			t.Errorf("%v %v", row.Values["person_id"], err)
		}
	}
	if n == 0 {
		t.Error("no rows")
	}
}

// Pages are fetched from the own server only, whatever an answer says, and a token goes
// nowhere else.
func TestPages(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another server is called") }))
	defer other.Close()
	var at []string
	answers := []string{
		`{"value":[{"id":"1"},{"id":"2"}],"@odata.nextLink":"` + other.URL + `/api/v1/units?%24skiptoken=2"}`,
		`{"value":[{"id":"3"}],"@odata.nextLink":"/api/v1/units?%24skiptoken=3"}`,
		`{"value":[],"@odata.nextLink":"/api/v1/clear_rows"}`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at = append(at, r.URL.RequestURI())
		_, _ = w.Write([]byte(answers[len(at)-1]))
	}))
	defer s.Close()
	var ids string
	var last error
	for u, err := range (&client.Client{URL: s.URL, Token: "x"}).Units(t.Context()) {
		ids, last = ids+u.ID, err
	}
	if ids != "123" || last == nil || strings.Join(at, " ") != "/api/v1/units /api/v1/units?%24skiptoken=2 /api/v1/units?%24skiptoken=3" {
		t.Errorf("%q %v %v", ids, last, at)
	}
	moved := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer moved.Close()
	if _, err := (&client.Client{URL: moved.URL, Token: "x"}).Service(t.Context()); err == nil {
		t.Error("a redirect is followed")
	}
}

func TestVerifyWebhook(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	key := []byte("0123456789abcdef01234567")
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	body := `{"type":"report.reported","id":"5","timestamp":"2026-09-21T00:00:00Z","data":{"cursor":"9","unit":"71","budget_code":"101","collection":"100","report":"55","version":7,"rows":12}}`
	sign := func(id string, at time.Time, body string) string {
		return webhook.SignStandard(key, id, at, []byte(body))
	}
	for _, tt := range []struct {
		name, secret, id, at, signature, body string
		want                                  error
	}{
		{"as it is", secret, "5", "1790000000", sign("5", now, body), body, nil},
		{"two secrets", secret, "5", "1790000000", "v1,AAAA " + sign("5", now, body), body, nil},
		{"another body", secret, "5", "1790000000", sign("5", now, body), body + " ", client.ErrSignature},
		{"another id", secret, "6", "1790000000", sign("5", now, body), body, client.ErrSignature},
		{"another id in the body", secret, "6", "1790000000", sign("6", now, body), body, client.ErrSignature},
		{"another time", secret, "5", "1790000001", sign("5", now, body), body, client.ErrSignature},
		{"an old time", secret, "5", "1789999000", sign("5", now.Add(-1000*time.Second), body), body, client.ErrTime},
		{"a time to come", secret, "5", "1790001000", sign("5", now.Add(1000*time.Second), body), body, client.ErrTime},
		{"another scheme", secret, "5", "1790000000", "v0," + sign("5", now, body)[3:], body, client.ErrSignature},
		{"no signature", secret, "5", "1790000000", "", body, client.ErrSignature},
		{"no JSON", secret, "5", "1790000000", sign("5", now, "x"), "x", client.ErrSignature},
		{"no secret", "", "5", "1790000000", sign("5", now, body), body, client.ErrSecret},
		{"an empty secret", "whsec_", "5", "1790000000", sign("5", now, body), body, client.ErrSecret},
	} {
		h := http.Header{}
		h.Set("Webhook-Id", tt.id)
		h.Set("Webhook-Timestamp", tt.at)
		h.Set("Webhook-Signature", tt.signature)
		e, err := client.VerifyWebhook(tt.secret, h, []byte(tt.body), now)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if tt.want == nil && (e.Type != "report.reported" || e.ID != "5" || e.Unit != "71" || e.Version != 7 || e.Cursor != "9" || e.At.IsZero()) {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
}

// The shell of docs/api.md runs as it stands.
func TestShell(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("TIANBAO_TEST_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	b, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(b, -1)
	if len(blocks) < 4 {
		t.Fatalf("only %d examples", len(blocks))
	}
	for _, m := range blocks {
		cmd := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail", "-c", string(m[1]))
		cmd.Env = append(os.Environ(), "TB="+site.URL, "TOKEN="+site.Token)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if err != nil || len(out) == 0 && !strings.Contains(string(m[1]), " -o ") {
			t.Errorf("%v\n%s%s", err, m[1], out)
		}
	}
}
