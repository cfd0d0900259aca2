package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
	"tianbao/internal/demo"
)

// authenticator is what a phone shows for a secret (RFC 6238).
func authenticator(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, at.Unix()/30)
	h := m.Sum(nil)
	o := h[19] & 0xf
	return fmt.Sprintf("%06d", int(binary.BigEndian.Uint32(h[o:])&0x7fffffff)%1000000)
}

// renewed does what ends in a new session token.
func (c *client) renewed(path string, in any, out any) int {
	c.t.Helper()
	res, b := c.do("POST", path, "application/json", jsonBody(in))
	var csrf struct{ CSRF string }
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, &csrf); err != nil {
			c.t.Fatal(err)
		}
		c.csrf = csrf.CSRF
		for _, k := range res.Cookies() {
			c.cookie = k.Name + "=" + k.Value
		}
		if out != nil {
			if err := json.Unmarshal(b, out); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	return res.StatusCode
}

// SEC-09: an administrator's first sign-in leads to the setting up of the second factor
// and nowhere else; every later one asks for it.
func TestSEC09AdministratorsFactor(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startIn(t, t.TempDir(), db)
		c := s.anonymous(t)
		c.must("POST", s.setupLinks(t)[0], map[string]string{"login": "boss", "name": "管理员", "password": "Start-2026-x"}, nil)
		c.signIn("boss", "Start-2026-x")
		nowhere := func(pending string, but ...string) {
			t.Helper()
			for path, methods := range c.specification().Paths {
				for method, op := range methods {
					if op.Access == "everyone" || strings.HasPrefix(op.Access, "service") || strings.Contains(strings.Join(but, " "), op.OperationID) {
						continue
					}
					res, b := c.do(strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), "application/json", strings.NewReader("{}"))
					if res.StatusCode != http.StatusForbidden || !strings.Contains(string(b), `"`+pending+`"`) {
						t.Errorf("%s %s: %d %.80s, want 403 %s", method, path, res.StatusCode, b, pending)
					}
				}
			}
		}
		nowhere("pending_setup", "session", "signOut", "factor", "startFactor", "confirmFactor", "keys", "passkeyOptions", "addPasskey")
		var f struct{ Secret, URI string }
		c.must("POST", "/account/factor", map[string]string{}, &f)
		if !strings.HasPrefix(f.URI, "otpauth://totp/tianbao:boss?") || !strings.Contains(f.URI, "secret="+f.Secret) {
			t.Errorf("uri %q", f.URI)
		}
		if got := c.call("POST", "/account/factor/confirm", map[string]string{"code": "000000"}, nil); got != http.StatusBadRequest {
			t.Errorf("a wrong first code: %d", got)
		}
		var rec struct{ Codes []string }
		if got := c.renewed("/account/factor/confirm", map[string]string{"code": authenticator(t, f.Secret, time.Now())}, &rec); got != 200 || len(rec.Codes) != 10 {
			t.Fatalf("confirm: %d, %d codes", got, len(rec.Codes))
		}
		c.must("GET", "/users", nil, nil)
		again := s.anonymous(t)
		again.signIn("boss", "Start-2026-x")
		old := *again
		c = again
		nowhere("pending_factor", "session", "signOut", "verifyPage", "verifyFactor", "verifyOptions", "verifyPasskey", "verifyCertificate")
		if got := c.renewed("/account/verify", map[string]string{"code": rec.Codes[3]}, nil); got != 200 {
			t.Errorf("a recovery code: %d", got)
		}
		c.must("GET", "/users", nil, nil)
		if got := old.call("GET", "/session", nil, nil); got != http.StatusUnauthorized {
			t.Errorf("the token from before the factor: %d", got)
		}
	})
}

// SEC-05: what is ended on one node is ended on all, at once.
func TestSEC05EndedOnAllNodes(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		data := t.TempDir()
		a := startIn(t, data, db, "--demo")
		b := a
		if db != "" {
			b = startIn(t, data, db, "--demo")
		}
		type sessions struct {
			Sessions []struct {
				ID  string
				Own bool
			}
		}
		here, there := a.client(t, "unit"), b.client(t, "unit")
		var list sessions
		here.must("GET", "/account/sessions", nil, &list)
		if len(list.Sessions) != 2 || list.Sessions[0].Own || !list.Sessions[1].Own {
			t.Fatalf("sessions %v", list.Sessions)
		}
		alive := func(c *client) bool { return c.call("GET", "/session", nil, nil) == http.StatusOK }
		ended := func(c *client) { // at once where it is one server, by another within a second
			t.Helper()
			if a != b {
				waitFor(t, time.Second, func() bool { return !alive(c) })
			} else if alive(c) {
				t.Error("an ended session goes on")
			}
		}
		here.must("POST", "/account/sessions/end", map[string]string{"session": list.Sessions[0].ID}, nil)
		if ended(there); !alive(here) {
			t.Error("the own session ended")
		}
		there = b.client(t, "unit")
		here.must("POST", "/account/sessions/end", map[string]string{}, nil)
		if ended(there); !alive(here) {
			t.Error("ending all others ended the own")
		}
		// Nobody ends the session of somebody else but the administrator.
		other := b.client(t, "dept")
		other.must("GET", "/account/sessions", nil, &list)
		if got := here.call("POST", "/account/sessions/end", map[string]string{"session": list.Sessions[0].ID}, nil); got != http.StatusNotFound || !alive(other) {
			t.Errorf("ending somebody else's session: %d", got)
		}
		admin := a.client(t, "admin")
		id := admin.userID("dept")
		admin.must("GET", "/users/"+id+"/sessions", nil, &list)
		admin.must("POST", "/users/"+id+"/sessions/end", map[string]string{"session": list.Sessions[0].ID}, nil)
		ended(other)
		if got := admin.call("GET", "/users/4711/sessions", nil, nil); got != http.StatusNotFound {
			t.Errorf("sessions of nobody: %d", got)
		}
	})
}

type (
	peopleJSON struct {
		Units []struct {
			Unit, Name string
			Accounts   []struct{ ID, Name string }
			Open       string
		}
	}
	slipsJSON struct {
		Slips []struct {
			Name, Code, URL string
			UnitCode        string `json:"unit_code"`
		}
	}
)

// Activation codes: one account each, below the bureau that gives them, once; a new
// password by a code ends sessions.
func TestActivationCodes(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		dept, city := s.client(t, "dept"), s.client(t, "city")
		var units peopleJSON
		dept.must("GET", "/activation", nil, &units)
		if len(units.Units) < 5 {
			t.Fatalf("%d units", len(units.Units))
		}
		var below, one slipsJSON
		dept.must("POST", "/activation", map[string]any{"unit": units.Units[0].Unit, "below": true}, &below)
		for _, u := range below.Slips {
			if u.Name == "锦州市第一示范小学" || u.Code == "" || !strings.Contains(u.URL, u.Code) || u.UnitCode == "" {
				t.Errorf("slip %+v", u)
			}
		}
		if len(below.Slips) != len(units.Units)-2 { // the department and the first school have people
			t.Errorf("%d slips for %d units", len(below.Slips), len(units.Units))
		}
		var all peopleJSON
		city.must("GET", "/activation?q=黑山县示范中学", nil, &all)
		foreign := all.Units[0].Unit
		if got := dept.call("POST", "/activation", map[string]any{"unit": foreign}, nil); got != http.StatusNotFound {
			t.Errorf("a code for a foreign unit: %d", got)
		}
		nobody := s.anonymous(t)
		slip := below.Slips[0]
		var what struct{ Unit, Login string }
		nobody.must("POST", "/activate", map[string]string{"code": strings.ToLower(strings.ReplaceAll(slip.Code, "-", ""))}, &what)
		if what.Unit != slip.Name || what.Login != "" {
			t.Errorf("the code is for %+v", what)
		}
		use := func(code, login, password string) int {
			return nobody.call("POST", "/activate", map[string]string{"code": code, "login": login, "name": "经办示例", "password": password}, nil)
		}
		if got := use(slip.Code, "school2", "weak"); got != http.StatusBadRequest {
			t.Errorf("a weak password: %d", got)
		}
		if got := use(slip.Code, "dept", "Neues-Wort-26"); got != http.StatusConflict {
			t.Errorf("a login that is taken: %d", got)
		}
		if got := use(slip.Code, "school2", "Neues-Wort-26"); got != http.StatusOK {
			t.Fatalf("the code: %d", got)
		}
		if got := use(slip.Code, "school3", "Neues-Wort-26"); got != http.StatusBadRequest {
			t.Errorf("the code a second time: %d", got)
		}
		clerk := s.anonymous(t)
		if got := clerk.signIn("school2", "Neues-Wort-26"); got != http.StatusOK {
			t.Fatalf("the new account: %d", got)
		}
		if r := clerk.ownReport(); r.OwnerName != slip.Name {
			t.Errorf("the new account fills in for %s, want %s", r.OwnerName, slip.Name)
		}
		// A second code for a unit ends the first.
		dept.must("POST", "/activation", map[string]any{"unit": units.Units[3].Unit}, &one)
		for _, old := range below.Slips {
			if old.Name == one.Slips[0].Name && use(old.Code, "school9", "Neues-Wort-26") != http.StatusBadRequest {
				t.Error("a code that was replaced works")
			}
		}
		// Forgotten password.
		var now peopleJSON
		dept.must("GET", "/activation?q="+slip.Name, nil, &now)
		id := now.Units[0].Accounts[0].ID
		for name, c := range map[string]*client{"a filler": clerk, "an administrator": s.client(t, "admin")} {
			if got := c.call("POST", "/activation/"+id, map[string]string{}, nil); got != http.StatusForbidden {
				t.Errorf("a password code by %s: %d", name, got)
			}
		}
		var again slipsJSON
		dept.must("POST", "/activation/"+id, map[string]string{}, &again)
		nobody.must("POST", "/activate", map[string]string{"code": again.Slips[0].Code}, &what)
		if what.Login != "school2" {
			t.Errorf("the code is for %+v", what)
		}
		if got := use(again.Slips[0].Code, "", "Neues-Wort-27"); got != http.StatusOK {
			t.Fatalf("the password code: %d", got)
		}
		if got := clerk.call("GET", "/session", nil, nil); got != http.StatusUnauthorized {
			t.Errorf("the session from before: %d", got)
		}
		if got := clerk.signIn("school2", "Neues-Wort-27"); got != http.StatusOK {
			t.Errorf("the new password: %d", got)
		}
		// Nobody gets at accounts that are more than fillers, or elsewhere.
		admin := s.client(t, "admin")
		for _, login := range []string{"dept", "city", "province", "service", "admin", "audit"} {
			if got := city.call("POST", "/activation/"+admin.userID(login), map[string]string{}, nil); got != http.StatusNotFound {
				t.Errorf("a password code for %s: %d", login, got)
			}
		}
		var foreignSlip slipsJSON
		city.must("POST", "/activation", map[string]any{"unit": foreign}, &foreignSlip)
		if got := use(foreignSlip.Slips[0].Code, "heishan", "Neues-Wort-26"); got != http.StatusOK {
			t.Fatal(got)
		}
		if got := dept.call("POST", "/activation/"+admin.userID("heishan"), map[string]string{}, nil); got != http.StatusNotFound {
			t.Errorf("a password code for a filler elsewhere: %d", got)
		}
		// Guesses are counted by address.
		last := 0
		for i := range 25 {
			last = nobody.call("POST", "/activate", map[string]string{"code": fmt.Sprintf("ACEF-GHJK-MNPR-%04d", i)}, nil)
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("the 25th guess: %d", last)
		}
	})
}

// SEC-11: a code for a new password leaves the second factor.
func TestSEC11ActivationKeepsTheFactor(t *testing.T) {
	s := startDemo(t, "")
	unit, dept := s.client(t, "unit"), s.client(t, "dept")
	var f struct{ Secret string }
	unit.must("POST", "/account/factor", map[string]string{}, &f)
	if got := unit.renewed("/account/factor/confirm", map[string]string{"code": authenticator(t, f.Secret, time.Now())}, nil); got != 200 {
		t.Fatal(got)
	}
	var slips slipsJSON
	dept.must("POST", "/activation/"+s.client(t, "admin").userID("unit"), map[string]string{}, &slips)
	c := s.anonymous(t)
	c.must("POST", "/activate", map[string]string{"code": slips.Slips[0].Code, "password": "Neues-Wort-26"}, nil)
	c.signIn("unit", "Neues-Wort-26")
	if got := c.call("GET", "/reports", nil, nil); got != http.StatusForbidden {
		t.Errorf("reports by the new password alone: %d", got)
	}
	if got := unit.call("GET", "/session", nil, nil); got != http.StatusUnauthorized {
		t.Errorf("the session from before: %d", got)
	}
}

// The pages of sign-in as people see them: without a script, and clean for axe-core.
func TestSignInPages(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	c.enter("dept")
	c.Go(c.url + "/activation")
	c.accessible("activation codes")
	c.Screenshot("activation")
	c.Click(".sure-panel summary")
	c.Click(".sure-panel .button-primary")
	c.Wait(`document.querySelector(".slip")`)
	c.accessible("slips")
	c.Screenshot("slips")
	code := browser.Eval[string](c.Page, `document.querySelector(".slip-code").textContent`)
	c.Forget()
	c.Go(c.url + "/activate?code=" + code)
	c.accessible("activation, second step")
	c.Screenshot("activate")
	c.Do(`const f = document.querySelector(".form"); f.login.value = "school2"; f.name.value = "经办示例"; f.password.value = f.again.value = "Neues-Wort-26"; f.requestSubmit()`)
	c.Wait(`location.pathname === "/signin" && document.readyState === "complete"`)
	c.Do(`const f = document.querySelector(".form"); f.login.value = "school2"; f.password.value = "Neues-Wort-26"; f.requestSubmit()`)
	c.Wait(`location.pathname === "/" && document.readyState === "complete"`)
	c.Go(c.url + "/account/factor")
	c.Click(".button-primary")
	c.Wait(`document.querySelector(".qr")`)
	c.accessible("setting up the second factor")
	c.Screenshot("factor")
	secret := browser.Eval[string](c.Page, `document.querySelector(".facts .code").textContent`)
	c.Do(fmt.Sprintf(`const f = document.querySelector(".panel .form"); f.code.value = %q; f.requestSubmit()`, authenticator(t, secret, time.Now())))
	c.Wait(`document.querySelector(".codes")`)
	c.accessible("recovery codes")
	c.Screenshot("recovery")
	recovery := browser.Eval[string](c.Page, `document.querySelector(".codes li").textContent`)
	c.Go(c.url + "/account/factor")
	c.accessible("the second factor, set up")
	c.Screenshot("factor-set")
	c.Go(c.url + "/account/sessions")
	c.accessible("sessions")
	c.Screenshot("sessions")
	c.Forget()
	c.Go(c.url + "/signin?next=/help")
	c.Do(`const f = document.querySelector(".form"); f.login.value = "school2"; f.password.value = "Neues-Wort-26"; f.requestSubmit()`)
	c.Wait(`location.pathname === "/account/verify" && document.readyState === "complete"`)
	c.accessible("asking for the second factor")
	c.Screenshot("verify")
	c.Do(fmt.Sprintf(`const f = document.querySelector(".form"); f.code.value = %q; f.requestSubmit()`, recovery))
	c.Wait(`location.pathname === "/help" && document.readyState === "complete"`)
	if got := c.Complaints(); len(got) > 0 {
		t.Errorf("the policy was broken: %v", got)
	}
}

// SEC-07: the profile of ASVS by a flag, with and without a list.
func TestSEC07ASVSFlag(t *testing.T) {
	s := startIn(t, t.TempDir(), "", "--demo", "--password-profile", "asvs")
	c := s.client(t, "unit")
	set := func(password string) int {
		return c.call("POST", "/password", map[string]string{"old": demo.Password, "new": password}, nil)
	}
	if got := set("Kurz-7-wq"); got != http.StatusBadRequest {
		t.Errorf("nine characters: %d", got)
	}
	if got := set("zwei kleine hasen"); got != http.StatusOK {
		t.Errorf("a sentence: %d", got)
	}
}
