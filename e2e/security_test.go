package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tianbao/internal/demo"
)

// The tests of this file bear the numbers of the security checks that
// docs/security.md lists.

// SEC-01, SEC-02: the cookie's attributes; a new token at each sign-in, and one
// that was fixed beforehand is worth nothing.
func TestSEC01SessionCookie(t *testing.T) {
	s := startDemo(t, "")
	seen := map[string]bool{}
	for range 20 {
		c := s.anonymous(t)
		c.cookie = "__Host-tianbao=fixed-by-somebody-else"
		res, _ := c.do("POST", "/signin", "application/json", jsonBody(map[string]string{"login": "unit", "password": demo.Password}))
		if res.StatusCode != http.StatusOK || len(res.Cookies()) != 1 {
			t.Fatalf("sign in: %d, %d cookies", res.StatusCode, len(res.Cookies()))
		}
		k := res.Cookies()[0]
		if k.Name != "__Host-tianbao" || !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" || k.SameSite == http.SameSiteNoneMode || k.SameSite == 0 {
			t.Errorf("cookie %v", k)
		}
		if seen[k.Value] || len(k.Value) < 43 {
			t.Errorf("token %d characters, repeated: %v", len(k.Value), seen[k.Value])
		}
		seen[k.Value] = true
	}
}

// SEC-04: after signing out, after a new password and after disabling, the old
// cookie is worth nothing.
func TestSEC04SessionsEnd(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		admin := s.client(t, "admin")
		alive := func(c *client) bool { return c.call("GET", "/session", nil, nil) == http.StatusOK }
		end := map[string]func(c *client){
			"signing out": func(c *client) { c.must("POST", "/signout", map[string]string{}, nil) },
			"own new password": func(c *client) {
				c.must("POST", "/password", map[string]string{"old": demo.Password, "new": "Ganz-Neu-2026", "again": "Ganz-Neu-2026"}, nil)
			},
			"a reset": func(*client) {
				admin.must("POST", "/users/"+admin.userID("city")+"/password", map[string]string{}, nil)
			},
			"disabling": func(*client) {
				admin.must("POST", "/users/"+admin.userID("province")+"/disabled", map[string]bool{"disabled": true}, nil)
			},
		}
		for how, login := range map[string]string{"signing out": "unit", "own new password": "dept", "a reset": "city", "disabling": "province"} {
			a, b := s.client(t, login), s.client(t, login)
			if !alive(a) || !alive(b) {
				t.Fatalf("%s: no session to begin with", login)
			}
			end[how](a)
			if alive(a) {
				t.Errorf("%s: the session goes on", how)
			}
			if how != "signing out" && alive(b) {
				t.Errorf("%s: another session of the account goes on", how)
			}
		}
		if got := s.anonymous(t).signIn("province", demo.Password); got != http.StatusUnauthorized {
			t.Errorf("a disabled account signs in: %d", got)
		}
		if got := admin.call("POST", "/users/"+admin.userID("admin")+"/disabled", map[string]bool{"disabled": true}, nil); got != http.StatusBadRequest {
			t.Errorf("the administrator disables itself: %d", got)
		}
	})
}

// SEC-06: five failures lock an account for a while, also one that does not exist,
// with the same answer; a right password does not help then.
func TestSEC06Lockout(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		c := s.anonymous(t)
		answers := map[string][]string{}
		for _, login := range []string{"unit", "nobody-here"} {
			for range 7 {
				res, b := c.do("POST", "/signin", "application/json", jsonBody(map[string]string{"login": login, "password": "wrong"}))
				answers[login] = append(answers[login], res.Status+requestID.ReplaceAllString(string(b), ""))
			}
		}
		for i := range answers["unit"] {
			if answers["unit"][i] != answers["nobody-here"][i] {
				t.Errorf("try %d tells known from unknown:\n%s\n%s", i+1, answers["unit"][i], answers["nobody-here"][i])
			}
		}
		if !strings.HasPrefix(answers["unit"][0], "401") || !strings.HasPrefix(answers["unit"][6], "429") {
			t.Errorf("answers %v", answers["unit"])
		}
		if got := c.signIn("unit", demo.Password); got != http.StatusTooManyRequests {
			t.Errorf("the right password on a locked account: %d, want 429", got)
		}
		if got := c.signIn("dept", demo.Password); got != http.StatusOK {
			t.Errorf("another account: %d", got)
		}
	})
}

// SEC-10: no account before the set-up link is used; the link works once.
func TestSEC10FirstRun(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startIn(t, t.TempDir(), db)
		c := s.anonymous(t)
		for _, login := range []string{"admin", "root", "administrator", "unit", "test"} {
			for _, password := range []string{"admin", "123456", "Admin123!", demo.Password, "password"} {
				if got := c.signIn(login, password); got == http.StatusOK {
					t.Fatalf("%s/%s signs in to a fresh installation", login, password)
				}
			}
		}
		links := s.setupLinks(t)
		if len(links) != 3 {
			t.Fatalf("%d set-up links, want one an office", len(links))
		}
		for i, link := range links {
			login := fmt.Sprintf("officer%d", i)
			if got := c.call("POST", link, map[string]string{"login": login, "name": "管理员", "password": "weak"}, nil); got != http.StatusBadRequest {
				t.Errorf("a weak password: %d, want 400", got)
			}
			c.must("POST", link, map[string]string{"login": login, "name": "管理员", "password": "Start-2026-x", "again": "Start-2026-x"}, nil)
			if got := c.call("POST", link, map[string]string{"login": "second", "name": "另一个", "password": "Start-2026-x"}, nil); got != http.StatusNotFound {
				t.Errorf("the link works twice: %d", got)
			}
			if got := c.signIn(login, "Start-2026-x"); got != http.StatusOK {
				t.Errorf("the new administrator: %d", got)
			}
			var me struct{ Roles []string }
			c.must("GET", "/session", nil, &me)
			if want := []string{"system", "security", "audit"}[i]; len(me.Roles) != 1 || me.Roles[0] != want {
				t.Errorf("link %d makes %v, want %s", i, me.Roles, want)
			}
			c = s.anonymous(t)
		}
		s.stop()
		s.start(t)
		if strings.Contains(s.printed(t), "/setup/") {
			t.Error("a set-up link although there are administrators")
		}
	})
}

// setupLinks waits for the one-time links that the server prints: system, security, audit.
func (s *server) setupLinks(t *testing.T) []string {
	t.Helper()
	return regexp.MustCompile(`/setup/[\w-]{43}`).FindAllString(s.printed(t), -1)
}

// userID returns the id of an account, for the system administrator.
func (c *client) userID(login string) string {
	c.t.Helper()
	var list struct{ Users []struct{ ID, Login string } }
	c.must("GET", "/users", nil, &list)
	for _, u := range list.Users {
		if u.Login == login {
			return u.ID
		}
	}
	c.t.Fatalf("no account %q", login)
	return ""
}

// SEC-07: the rules for passwords.
func TestSEC07PasswordRules(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	for _, password := range []string{"", "Ab1", "abcdefgh", "ABCDEFGH1", "unitA1-xx", strings.Repeat("aB3", 50)} {
		if got := c.call("POST", "/password", map[string]string{"old": demo.Password, "new": password}, nil); got != 400 {
			t.Errorf("password of %d characters: %d, want 400", len(password), got)
		}
	}
	c.must("POST", "/password", map[string]string{"old": demo.Password, "new": "Abcdef1x"}, nil)
	if got := s.anonymous(t).signIn("unit", "Abcdef1x"); got != http.StatusOK {
		t.Errorf("the new password: %d", got)
	}
}

// SEC-30: unsafe requests from elsewhere, or without the form token, are refused.
func TestSEC30CrossSite(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	offices := map[string]*client{"accounts": s.client(t, "admin"), "grants": s.client(t, "security"), "trail": s.client(t, "audit"), "register": s.client(t, "city"), "people": s.client(t, "dept"), "campaign": s.client(t, "province"), "lock": s.client(t, "city"), "review": s.client(t, "city")}
	for path, methods := range c.specification().Paths {
		for method, op := range methods {
			if method == "get" {
				continue
			}
			p := strings.NewReplacer("{report}", rep.ID, "{campaign}", campaign).Replace(path)
			made := strings.Contains(p, "{")
			p = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(p, "1")
			c := c
			if office := offices[op.Access]; office != nil {
				c, made = office, false // their rules look at the power alone
			}
			try := func(name string, want int, headers map[string]string) {
				req, err := http.NewRequest(strings.ToUpper(method), s.url+p, strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Accept", "application/json")
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Cookie", c.cookie)
				for k, v := range headers {
					req.Header.Set(k, v)
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || want == 403 && !bytes.Contains(body, []byte(`"forged"`)) {
					t.Errorf("%s %s, %s: refused for another reason: %s", method, path, name, body)
				}
				if res.StatusCode != want {
					t.Errorf("%s %s, %s: %d, want %d", method, path, name, res.StatusCode, want)
				}
			}
			try("cross-site", 403, map[string]string{"X-CSRF-Token": c.csrf, "Sec-Fetch-Site": "cross-site"})
			try("same-site", 403, map[string]string{"X-CSRF-Token": c.csrf, "Sec-Fetch-Site": "same-site"})
			try("a foreign origin", 403, map[string]string{"X-CSRF-Token": c.csrf, "Origin": "https://example.org"})
			try("origin null", 403, map[string]string{"X-CSRF-Token": c.csrf, "Origin": "null"})
			// Where the path names what is not there, that comes first: 404.
			if op.Access != "everyone" && !strings.HasPrefix(op.Access, "service") && !made {
				try("no form token", 403, nil)
				try("a wrong form token", 403, map[string]string{"X-CSRF-Token": "x" + c.csrf})
			}
		}
	}
	if got := c.sheet(rep.ID).Report.Version; got != 0 {
		t.Error("a forged request changed the sheet")
	}
}

// SEC-31, SEC-32, SEC-33: the headers of every answer.
func TestSEC31Headers(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	for path, methods := range c.specification().Paths {
		if _, ok := methods["get"]; !ok {
			continue
		}
		p := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(strings.ReplaceAll(path, "{report}", rep.ID), "1")
		if path == "/ui/{file}" {
			p = "/ui/site.css"
		}
		method := "GET"
		if strings.HasSuffix(path, "/events") {
			method = "HEAD" // the stream itself does not end
		}
		res, _ := c.do(method, p, "", nil)
		h := res.Header
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if !strings.HasPrefix(h.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		for _, word := range []string{"unsafe-inline", "unsafe-eval", "data:", "*"} {
			if strings.Contains(h.Get("Content-Security-Policy"), word) {
				t.Errorf("%s: the policy allows %s", path, word)
			}
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: may be framed or read by others", path)
		}
		if path != "/ui/{file}" && path != "/help/img/{file}" && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, h.Get("Cache-Control"))
		}
	}
	res, _ := c.do("POST", "/signout", "application/json", strings.NewReader("{}"))
	if !strings.Contains(res.Header.Get("Clear-Site-Data"), `"cache"`) { // the journal: TestSignOutDropsTheJournal
		t.Error("signing out leaves what the browser kept")
	}
	tls := startIn(t, t.TempDir(), "", "--behind-tls")
	res, _ = tls.anonymous(t).do("GET", "/signin", "", nil)
	if !strings.HasPrefix(res.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
		t.Error("no HSTS behind a TLS gateway")
	}
}

// SEC-16: fields that a request does not have are refused, not assigned.
func TestSEC16UnknownFields(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	for _, body := range []string{
		`{"key":"a","base":0,"changes":[],"by":"1"}`,
		`{"key":"a","base":0,"changes":[{"op":"insert","temp":"t","unit":"1","cells":{}}]}`,
		`{"key":"a","base":0,"changes":[{"op":"insert","temp":"t","cells":{"state":"reported"}}]}`,
		`{"key":"a","base":0,"changes":[]} {}`, `[]`, `{`, ``,
	} {
		if got, _ := c.do("POST", "/reports/"+rep.ID+"/changes", "application/json", strings.NewReader(body)); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", body, got.StatusCode)
		}
	}
	if got, _ := c.do("POST", "/reports/"+rep.ID+"/submission", "text/xml", strings.NewReader("<a/>")); got.StatusCode != http.StatusBadRequest {
		t.Errorf("XML: %d, want 400", got.StatusCode)
	}
}

// SEC-34: what people type is text on every page, wherever it turns up.
func TestSEC34Markup(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	evil := `<script>alert(1)</script><img src=x onerror=alert(1)>"'`
	v := c.save(rep.ID, 0, []change{{"op": "insert", "temp": "t", "after": "end", "cells": map[string]string{"unit_name": evil, "legacy_username": evil}}}).Receipt.Version
	book := c.export(rep.ID)
	c.upload("/reports/"+rep.ID+"/imports", evil+".xlsx", book, map[string]string{"mode": "append", "action": "save", "key": newKey()})
	_ = v
	for _, p := range []string{"/reports/" + rep.ID + "/history", "/reports?campaign=" + campaign + "&q=" + url.QueryEscape(evil), "/nowhere?" + url.QueryEscape(evil), "/signin?next=" + url.QueryEscape(evil)} {
		req, err := http.NewRequest("GET", s.url+p, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", c.cookie)
		req.Header.Set("Accept", "text/html")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("<script>alert")) || bytes.Contains(b, []byte("<img src=x")) {
			t.Errorf("%s shows markup that somebody typed", p)
		}
	}
}

// SEC-47: errors tell a request number and nothing of the inside; no listing.
func TestSEC47Errors(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	for _, p := range []string{"/ui/", "/ui/..%2fembed.go", "/help/img/..%2f..%2fgo.mod", "/.git/config", "/debug/pprof/", "/reports/1%00", "/reports/-1", "/notices/abc", "/forms/asset-role/99"} {
		res, b := c.do("GET", p, "", nil)
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", p, res.StatusCode)
		}
		for _, word := range []string{"goroutine", ".go:", "sql", "internal/"} {
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%s tells %q", p, word)
			}
		}
	}
	res, _ := c.do("TRACE", "/", "", nil)
	if res.StatusCode < 400 {
		t.Errorf("TRACE: %d", res.StatusCode)
	}
}

// The demonstration's public passwords stay on this machine.
func TestDemoOnLoopbackOnly(t *testing.T) {
	out, err := product(context.Background(), "serve", "--demo", "--addr", "0.0.0.0:0", "--data", t.TempDir()).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("只能监听本机地址")) {
		t.Errorf("err %v: %s", err, out)
	}
}

// SEC-22: a database whose key file is gone, or that meets another one, is not
// opened, and no new keys are made for it; with its own file it opens again.
func TestSEC22KeysBelongToTheDatabase(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		data := t.TempDir()
		s := startIn(t, data, db)
		s.stop()
		keys := filepath.Join(data, "keys", "ring.json")
		aside := keys + ".aside"
		if err := os.Rename(keys, aside); err != nil {
			t.Fatal(err)
		}
		try := func() string {
			args := []string{"user", "list", "--data", data}
			if db != "" {
				args = append(args, "--db", db)
			}
			out, err := product(context.Background(), args...).CombinedOutput()
			if err == nil {
				t.Errorf("opened: %s", out)
			}
			return string(out)
		}
		if out := try(); !strings.Contains(out, "没有找到密钥文件") {
			t.Errorf("without the key file: %s", out)
		}
		if _, err := os.Stat(keys); err == nil {
			t.Error("a new key file was made for an old database")
		}
		other := startIn(t, t.TempDir(), "")
		other.stop()
		b, err := os.ReadFile(filepath.Join(other.data, "keys", "ring.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(keys, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := try(); !strings.Contains(out, "不是一套") {
			t.Errorf("with another key file: %s", out)
		}
		if err := os.Rename(aside, keys); err != nil {
			t.Fatal(err)
		}
		s.start(t)
	})
}

// tianbao user add, passwd and list on a fresh installation.
func TestUserCommand(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		data := t.TempDir()
		run := func(stdin string, args ...string) (string, error) {
			args = append(args, "--data", data)
			cmd := product(context.Background(), args...)
			if db != "" {
				cmd.Env = append(cmd.Env, "TIANBAO_DB="+db)
			}
			cmd.Stdin = strings.NewReader(stdin)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			err := cmd.Run()
			return out.String(), err
		}
		out, err := run("", "user", "add", "--login", "chief", "--name", "主管", "--role", "system")
		m := regexp.MustCompile(`：(\S{19})\n`).FindStringSubmatch(out)
		if err != nil || m == nil {
			t.Fatalf("add: %v %s", err, out)
		}
		if out, err := run("", "user", "add", "--login", "chief", "--name", "主管", "--role", "system"); err == nil {
			t.Errorf("the same name twice: %s", out)
		}
		if out, err := run("", "user", "add", "--login", "clerk", "--name", "经办", "--unit", "no-such-unit"); err == nil || !strings.Contains(out, "单位登记册中没有这个单位") {
			t.Errorf("an unknown unit: %v %s", err, out)
		}
		if out, err := run("", "user", "list"); err != nil || !strings.Contains(out, "chief\t主管\tsystem") {
			t.Errorf("list: %v %s", err, out)
		}
		s := startIn(t, data, db)
		c := s.anonymous(t)
		if got := c.signIn("chief", m[1]); got != http.StatusOK {
			t.Errorf("the made password: %d", got)
		}
		s.stop()
		if out, err := run("Neues-Wort-9\n", "user", "passwd", "--login", "chief", "--password-stdin"); err != nil || strings.Contains(out, "Neues") {
			t.Errorf("passwd: %v %s", err, out)
		}
		s.start(t)
		c.base = s.url
		if got := c.signIn("chief", "Neues-Wort-9"); got != http.StatusOK {
			t.Errorf("the new password: %d", got)
		}
		if got := c.signIn("chief", m[1]); got == http.StatusOK {
			t.Error("the old password still works")
		}
	})
}

// The API's document is sound: a third-party reader takes it, operation ids are
// unique, every reference leads somewhere.
func TestOpenAPI(t *testing.T) {
	s := startDemo(t, "")
	_, b := s.anonymous(t).do("GET", "/openapi.json", "", nil)
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(b, &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%v, version %q", err, doc.OpenAPI)
	}
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for m, op := range methods {
			if op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s %s: operation id %q", m, path, op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/schemas/(\w+)"`).FindAllStringSubmatch(string(b), -1) {
		if doc.Components.Schemas[m[1]] == nil {
			t.Errorf("%s is referred to and not there", m[1])
		}
	}
}
