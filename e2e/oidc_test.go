package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// platform is an OpenID Connect provider in a process of its own: tools/oidc, which is a
// module of its own, so that what it needs is not among the product's modules.
type platform struct {
	t      *testing.T
	issuer string
}

func startPlatform(t *testing.T) *platform {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "oidc")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir = filepath.Join("..", "tools", "oidc")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("TIANBAO_TEST_ALL") == "1" {
			t.Fatalf("build tools/oidc: %v\n%s", err, out)
		}
		t.Skipf("build tools/oidc: %v", err)
	}
	cmd := exec.Command(exe)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &platform{t: t, issuer: strings.TrimSpace(line)}
}

// serve starts the product with this platform and makes it known there.
func (p *platform) serve(db string, more ...string) *server {
	p.t.Helper()
	secret := filepath.Join(p.t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
	s := startDemo(p.t, db, append([]string{"--oidc-issuer", p.issuer, "--oidc-client-id", "tianbao", "--oidc-secret-file", secret}, more...)...)
	s.url = s.named()
	p.tell("/test/client?redirect="+url.QueryEscape(s.url+"/signin/oidc/return"), nil)
	return s
}

func (p *platform) tell(path string, body io.Reader) {
	p.t.Helper()
	res, err := http.Post(p.issuer+path, "application/json", body)
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		p.t.Fatalf("%s: %s", path, res.Status)
	}
}

// bend bends the next token.
func (p *platform) bend(how map[string]any) { p.t.Helper(); p.tell("/test/next", jsonBody(how)) }

// visitor is a browser on its way to the platform and back, without a page.
type visitor struct {
	t    *testing.T
	s    *server
	flow string // the cookie of the sign-in on its way
	// session is the session's cookie, of before and of after.
	session string
}

// hop sends one request to the product and follows nothing.
func (v *visitor) hop(path, accept string) *http.Response {
	v.t.Helper()
	req, err := http.NewRequest("GET", v.s.url+strings.TrimPrefix(path, v.s.url), nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Cookie", v.flow+"; "+v.session)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if !c.Secure || !c.HttpOnly || c.Path != "/" || c.SameSite != http.SameSiteLaxMode {
			v.t.Errorf("cookie %s", c)
		}
		switch c.Name {
		case "__Host-tianbao":
			v.session = c.Name + "=" + c.Value
		case "__Host-tianbao-flow":
			v.flow = c.Name + "=" + c.Value
		}
	}
	return res
}

// depart begins a sign-in and returns the address at the platform.
func (v *visitor) depart() string {
	v.t.Helper()
	res := v.hop("/signin/oidc?next=/help", "text/html")
	res.Body.Close()
	to := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("off to the platform: %s %s", res.Status, to)
	}
	return to
}

var authRequest = regexp.MustCompile(`name="id" value="([^"]*)"`)

// at signs in at the platform and returns the address that leads back.
func (p *platform) at(to, name string) string {
	p.t.Helper()
	jar, _ := cookiejar.New(nil)
	back := ""
	cl := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/signin/oidc/return" {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	res, err := cl.Get(to)
	if err != nil {
		p.t.Fatal(err)
	}
	page, _ := io.ReadAll(res.Body)
	res.Body.Close()
	id := authRequest.FindSubmatch(page)
	if id == nil {
		p.t.Fatalf("the platform shows no form: %s %s", res.Status, page)
	}
	res, err = cl.PostForm(p.issuer+"/login/username", url.Values{"id": {string(id[1])}, "username": {name}, "password": {"verysecure"}})
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	if back == "" {
		p.t.Fatalf("the platform does not send %s back: %s", name, res.Status)
	}
	return back
}

// arrive comes back and returns the status and the code of the error, "" where it leads
// on.
func (v *visitor) arrive(back string) (int, string) {
	v.t.Helper()
	res := v.hop(back, "application/json")
	defer res.Body.Close()
	var out struct {
		Error struct{ Code, Message string }
	}
	_ = json.NewDecoder(res.Body).Decode(&out)
	if out.Error.Code != "" && !strings.HasSuffix(out.Error.Message, "。") {
		v.t.Errorf("%s says %q", out.Error.Code, out.Error.Message)
	}
	return res.StatusCode, out.Error.Code
}

// who is the login of the session.
func (v *visitor) who() string {
	v.t.Helper()
	res := v.hop("/session", "application/json")
	defer res.Body.Close()
	var out struct{ Login, Pending string }
	_ = json.NewDecoder(res.Body).Decode(&out)
	return out.Login + out.Pending
}

// Sign-in at a real provider, and everything that may be wrong with it.
func TestPlatformSignIn(t *testing.T) {
	p := startPlatform(t)
	engines(t, func(t *testing.T, db string) {
		p := &platform{t: t, issuer: p.issuer}
		s := p.serve(db)
		admin := s.client(t, "admin")
		fresh := func() *visitor { return &visitor{t: t, s: s} }
		refused := func(name string, v *visitor, back, want string) {
			t.Helper()
			before := v.session
			status, code := v.arrive(back)
			if code != want || status != http.StatusUnauthorized || v.session != before {
				t.Errorf("%s: %d %q, want %q", name, status, code, want)
			}
		}
		one := func(v *visitor) string { return p.at(v.depart(), "one") }

		v := fresh()
		refused("an account that is not bound", v, one(v), "oidc_unbound")
		admin.must("POST", "/users/"+admin.userID("unit")+"/keys", map[string]string{"kind": "oidc", "value": "sub-one"}, nil)
		if got := admin.call("POST", "/users/"+admin.userID("security")+"/keys", map[string]string{"kind": "oidc", "value": "sub-two"}, nil); got != http.StatusBadRequest {
			t.Errorf("bound for another administrator: %d", got)
		}

		// Fixation: whatever session the browser had before, it gets a new one.
		v = fresh()
		v.session = "__Host-tianbao=" + strings.Repeat("A", 43)
		before, back := v.session, one(v)
		q, _ := url.ParseQuery(back[strings.Index(back, "?")+1:])
		if status, code := v.arrive(back); status != http.StatusOK && status != http.StatusSeeOther || code != "" || v.session == before || v.who() != "unit" {
			t.Fatalf("sign in: %d %s, %q", status, code, v.who())
		}
		refused("the same answer again", v, back, "oidc_state")
		v2 := fresh()
		to := v2.depart()
		state := regexp.MustCompile(`[?&]state=([^&]*)`).FindStringSubmatch(to)[1]
		refused("an old code in a new sign-in", v2, "/signin/oidc/return?code="+url.QueryEscape(q.Get("code"))+"&state="+state, "oidc_code")

		v = fresh()
		back = one(v)
		refused("another browser, without a sign-in on its way", fresh(), back, "oidc_state")
		other := fresh()
		other.depart()
		refused("another browser, with one of its own", other, back, "oidc_state")
		refused("another state", v, strings.Replace(back, "state=", "state=x", 1), "oidc_state")
		v = fresh()
		to = v.depart()
		state = regexp.MustCompile(`[?&]state=([^&]*)`).FindStringSubmatch(to)[1]
		refused("cancelled at the platform", v, "/signin/oidc/return?error=access_denied&state="+state, "oidc_denied")
		if !strings.Contains(to, "code_challenge_method=S256") || !strings.Contains(to, "nonce=") || !strings.Contains(to, "response_type=code") {
			t.Errorf("sent to %s", to)
		}

		now := time.Now()
		for name, how := range map[string]map[string]any{
			"another nonce":          {"Claims": map[string]any{"nonce": "x"}},
			"no nonce":               {"Claims": map[string]any{"nonce": nil}},
			"for another client":     {"Claims": map[string]any{"aud": []string{"other"}}},
			"for two, to the other":  {"Claims": map[string]any{"aud": []string{"tianbao", "other"}, "azp": "other"}},
			"of a foreign issuer":    {"Claims": map[string]any{"iss": "https://evil.example"}},
			"expired":                {"Claims": map[string]any{"exp": now.Add(-2 * time.Minute).Unix()}},
			"from the future":        {"Claims": map[string]any{"iat": now.Add(2 * time.Minute).Unix()}},
			"of nobody":              {"Claims": map[string]any{"sub": ""}},
			"signed by somebody":     {"Foreign": true},
			"none":                   {"Drop": true},
			"with claims of no kind": {"Claims": map[string]any{"amr": 7}},
		} {
			v := fresh()
			back := one(v)
			p.bend(how)
			refused("a token "+name, v, back, "oidc_token")
		}
		v = fresh()
		back = one(v)
		p.bend(map[string]any{"Claims": map[string]any{"exp": now.Add(-20 * time.Second).Unix(), "iat": now.Add(20 * time.Second).Unix()}})
		if _, code := v.arrive(back); code != "" || v.who() != "unit" {
			t.Errorf("clocks that differ by seconds: %s", code)
		}

		// An administrator binds the own account, in the own session only.
		c := s.client(t, "security")
		bind := func() (*visitor, string) {
			v := fresh()
			v.session = c.cookie
			res, b := c.do("POST", "/account/platform", "application/json", strings.NewReader("{}"))
			var out struct{ URL string }
			if err := json.Unmarshal(b, &out); err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("bind: %s %s", res.Status, b)
			}
			for _, k := range res.Cookies() {
				if k.Name == "__Host-tianbao-flow" {
					v.flow = k.Name + "=" + k.Value
				}
			}
			return v, p.at(out.URL, "two")
		}
		v, back = bind()
		v.session = ""
		refused("bound without the session", v, back, "oidc_session")
		v, back = bind()
		v.session = s.client(t, "unit").cookie
		refused("bound in another session", v, back, "oidc_session")
		v, back = bind()
		if status, code := v.arrive(back); status != http.StatusOK || code != "" {
			t.Errorf("bound: %d %s", status, code)
		}
		v = fresh()
		if _, code := v.arrive(p.at(v.depart(), "two")); code != "" || v.who() != "security" {
			t.Errorf("signed in by the account that was bound: %s %s", code, v.who())
		}

		// Signing out, here and there.
		res := v.hop("/signin/oidc/signout", "text/html")
		res.Body.Close()
		if to := res.Header.Get("Location"); !strings.HasPrefix(to, p.issuer+"/") || !strings.Contains(to, "client_id=tianbao") {
			t.Errorf("signing out leads to %s", to)
		}
		var trail struct {
			Records []struct{ What, Result, Detail string }
		}
		s.client(t, "audit").must("GET", "/audit?what=signin.fail", nil, &trail)
		told := map[string]bool{}
		for _, r := range trail.Records {
			told[r.Detail] = r.Result == "failed"
		}
		for _, want := range []string{"oidc", "oidc state", "oidc denied", "oidc code", "oidc token", "oidc session"} {
			if !told[want] {
				t.Errorf("the trail does not tell %q: %v", want, told)
			}
		}
		if log := s.log.String(); strings.Contains(log, "sub-one") || strings.Contains(log, q.Get("code")) || strings.Contains(log, "Example") {
			t.Error("the log holds a name, a code or a token")
		}
	})
}

// The operator may trust the platform with names, and with the second factor.
func TestPlatformNamesAndFactors(t *testing.T) {
	p := startPlatform(t)
	s := p.serve("", "--oidc-claim", "preferred_username", "--oidc-factor", "mfa, otp")
	c := s.client(t, "unit")
	var f struct{ Secret string }
	c.must("POST", "/account/factor", map[string]string{}, &f)
	if got := c.renewed("/account/factor/confirm", map[string]string{"code": authenticator(t, f.Secret, time.Now())}, nil); got != http.StatusOK {
		t.Fatal(got)
	}
	for _, tt := range []struct {
		name   string
		claims map[string]any
		code   string
		who    string // login, and what is pending
	}{
		{"by name", map[string]any{"preferred_username": "dept"}, "", "dept"},
		{"with a factor to show", map[string]any{"preferred_username": "unit"}, "", "unitfactor"},
		{"with one that does not count", map[string]any{"preferred_username": "unit", "amr": []string{"pwd"}}, "", "unitfactor"},
		{"with one that counts", map[string]any{"preferred_username": "unit", "amr": []string{"pwd", "mfa"}}, "", "unit"},
		{"with one that counts, as acr", map[string]any{"preferred_username": "unit", "acr": "otp"}, "", "unit"},
		{"by the name of an administrator", map[string]any{"preferred_username": "admin", "amr": []string{"mfa"}}, "oidc_unbound", ""},
		{"by the name of nobody", map[string]any{"preferred_username": "nobody"}, "oidc_unbound", ""},
		{"by a name that is none", map[string]any{"preferred_username": 7}, "oidc_unbound", ""},
		{"without a name", map[string]any{"preferred_username": nil}, "oidc_unbound", ""},
	} {
		v := &visitor{t: t, s: s}
		back := p.at(v.depart(), "one")
		p.bend(map[string]any{"Claims": tt.claims})
		if _, code := v.arrive(back); code != tt.code || v.who() != tt.who {
			t.Errorf("%s: %q %q, want %q %q", tt.name, code, v.who(), tt.code, tt.who)
		}
	}
	// Where it does not answer, one sentence says so.
	gone := startDemo(t, "", "--oidc-issuer", "http://localhost:1", "--oidc-client-id", "tianbao")
	res, b := gone.anonymous(t).do("GET", "/signin/oidc", "", nil)
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(b), "现在连不上统一平台") {
		t.Errorf("a platform that is down: %s %s", res.Status, b)
	}
}

// The pages in a real browser: there and back within the policy, and out again.
func TestPlatformOnThePage(t *testing.T) {
	p := startPlatform(t)
	s := p.serve("")
	c := s.clerk(t, browser.Start(t))
	c.enter("unit")
	c.Go(c.url + "/account/keys")
	c.accessible("ways to sign in")
	c.Do(`document.querySelector("form[action='/account/platform']").requestSubmit()`)
	c.Wait(`document.querySelector("a.button-primary")`)
	c.accessible("off to the platform")
	c.Screenshot("platform-bind")
	c.Do(`document.querySelector("a.button-primary").click()`)
	at := func() {
		c.Wait(`location.pathname === "/login/username" && document.querySelector("input[name=password]")`)
		c.Do(`document.querySelector("input[name=username]").value = "one"; document.querySelector("input[name=password]").value = "verysecure"; document.querySelector("form").submit()`)
	}
	at()
	c.Wait(`location.pathname === "/account/keys" && document.querySelector("td")`)
	c.Do(`document.querySelector("form[action='/signout']").requestSubmit()`)
	c.Wait(`location.pathname === "/signin" && document.readyState === "complete"`)
	c.Screenshot("platform-signin")
	c.Do(`document.querySelector("a[href^='/signin/oidc']").click()`)
	at()
	c.Wait(`location.pathname === "/" && document.querySelector("form[action='/signout']")`)
	c.Do(`document.querySelector("form[action='/signout']").requestSubmit()`)
	c.Wait(`location.pathname === "/signin" && document.querySelector("a[href='/signin/oidc/signout']")`)
	c.accessible("signed out here")
	c.Screenshot("platform-left")
	c.Go(c.url + "/signin/oidc/return?code=x&state=y")
	c.told("这次登录已经过期")
}
