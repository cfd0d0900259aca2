package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	for issuer, ok := range map[string]bool{
		"https://sso.example.gov.cn": true, "https://sso.example.gov.cn/realms/x": true, "http://localhost:9998": true, "http://127.0.0.1:9998": true,
		"http://sso.example.gov.cn": false, "": false, "sso.example.gov.cn": false, "file:///etc/passwd": false,
		"https://a@sso.example.gov.cn": false, "https://sso.example.gov.cn?x=1": false, "https://sso.example.gov.cn#x": false,
	} {
		if _, err := New(Config{Issuer: issuer, ClientID: "c", Redirect: "r"}); (err == nil) != ok {
			t.Errorf("%q: %v", issuer, err)
		}
	}
	if _, err := New(Config{Issuer: "https://sso.example.gov.cn"}); err == nil {
		t.Error("no client id")
	}
}

// SEC-45: the issuer's own host is the only one that is ever called, whatever it says.
func TestSEC45OnlyTheIssuer(t *testing.T) {
	var strayed atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Store(true) }))
	defer other.Close()
	for name, discovery := range map[string]func(w http.ResponseWriter, r *http.Request, self string){
		"keys elsewhere and token elsewhere": func(w http.ResponseWriter, _ *http.Request, self string) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": self, "authorization_endpoint": self, "token_endpoint": other.URL, "jwks_uri": other.URL})
		},
		"sent elsewhere": func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, other.URL, http.StatusFound)
		},
		"the name of another": func(w http.ResponseWriter, _ *http.Request, _ string) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": other.URL, "token_endpoint": other.URL})
		},
		"without an end": func(w http.ResponseWriter, _ *http.Request, self string) {
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"x":"`, self)
			for range 3 * most / 1024 {
				_, _ = w.Write([]byte(strings.Repeat("x", 1024)))
			}
		},
	} {
		mux := http.NewServeMux()
		self := httptest.NewServer(mux)
		mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) { discovery(w, r, self.URL) })
		c, err := New(Config{Issuer: self.URL, ClientID: "c", Redirect: "r", Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		_, f, err := c.Begin(ctx, false)
		if err == nil {
			_, err = c.Finish(ctx, f, "code")
		}
		if !errors.Is(err, ErrUnreachable) || strayed.Swap(false) {
			t.Errorf("%s: %v, strayed %v", name, err, strayed.Load())
		}
		self.Close()
	}
}

func TestStates(t *testing.T) {
	f := Flow{State: "a"}
	if !f.Match("a") || f.Match("b") || f.Match("") || (Flow{}).Match("") {
		t.Error("a state is taken for another")
	}
}
