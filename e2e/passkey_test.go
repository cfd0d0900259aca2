package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tianbao/internal/browser"
	"tianbao/internal/demo"
)

// named is the server under the name of its host: passkeys belong to one.
func (s *server) named() string { return strings.Replace(s.url, "127.0.0.1", "localhost", 1) }

// told waits until the form of the passkey says what went wrong.
func (c *clerk) told(want string) {
	c.t.Helper()
	c.Wait(`[...document.querySelectorAll("[role=alert]")].some((n) => !n.hidden && n.textContent !== "")`)
	got := browser.Eval[string](c.Page, `[...document.querySelectorAll("[role=alert]")].map((n) => n.hidden ? "" : n.textContent).join("")`)
	if !strings.Contains(got, want) {
		c.t.Errorf("told %q, want %q", got, want)
	}
}

// SEC-09: passkeys in a real browser: added, named, shown as second factor, used instead
// of a password, removed; every failure has its sentence.
func TestSEC09PasskeysOnThePage(t *testing.T) {
	b := browser.Start(t)
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		s.url = s.named()
		c := s.clerk(t, b)
		c.Forget() // the other engine's, on the same host
		device := c.Authenticator()
		defer device.Remove()
		c.enter("unit")
		c.Go(c.url + "/account/keys")
		c.accessible("adding a passkey")
		c.Do(`document.querySelector("[data-passkey] [name=name]").value = "办公室电脑"`)
		device.Knows(false)
		c.Click("[data-passkey] button")
		c.told("没有完成：可能点了取消")
		device.Knows(true)
		c.Click("[data-passkey] button")
		c.Wait(`document.querySelector(".codes")`)
		recovery := browser.Eval[string](c.Page, `document.querySelector(".codes li").textContent`)
		c.Go(c.url + "/account/keys")
		c.Wait(`document.querySelector("td").textContent === "办公室电脑"`)
		c.Click("[data-passkey] button")
		c.told("已经有这个账号的通行密钥了")
		c.Do(`const f = document.querySelector("form[action$='/name']"); f.name.value = "我的电脑"; f.requestSubmit()`)
		c.Wait(`document.querySelector("td") && document.querySelector("td").textContent === "我的电脑"`)
		c.accessible("the passkey, added")
		c.Screenshot("keys")

		// As second factor.
		c.Forget()
		c.Go(c.url + "/signin?next=/help")
		c.Do(fmt.Sprintf(`const f = document.querySelector(".form"); f.login.value = "unit"; f.password.value = %s; f.requestSubmit()`, browser.JS(demo.Password)))
		c.Wait(`location.pathname === "/account/verify" && document.readyState === "complete"`)
		c.accessible("asking for the passkey")
		c.Screenshot("verify-passkey")
		device.Knows(false)
		c.Click("[data-passkey] button")
		c.told("没有完成：可能点了取消")
		device.Knows(true)
		device.Forges(true)
		c.Click("[data-passkey] button")
		c.told("通行密钥没有通过核对")
		device.Forges(false)
		c.Click("[data-passkey] button")
		c.Wait(`location.pathname === "/help" && document.readyState === "complete"`)

		// Instead of a password.
		c.Forget()
		c.Go(c.url + "/signin?next=/notices")
		c.accessible("signing in by passkey")
		c.Screenshot("signin-passkey")
		c.Click("[data-passkey] button")
		c.Wait(`location.pathname === "/notices" && document.readyState === "complete"`)
		if got := device.Count(); len(got) != 1 || got[0] < 3 {
			t.Errorf("the counter stands at %v", got)
		}
		// A copy from before.
		c.Forget()
		device.Rewind()
		c.Go(c.url + "/signin")
		c.Click("[data-passkey] button")
		c.told("通行密钥没有通过核对")
		// Of the number of the host no browser is asked.
		c.Go(strings.Replace(c.url, "localhost", "127.0.0.1", 1) + "/signin")
		c.Click("[data-passkey] button")
		c.told("通行密钥只在 " + c.url + " 上有效")
		// In English.
		c.Go(c.url + "/signin")
		c.Do(`document.querySelector(".lang button").click()`)
		c.Wait(`document.documentElement && document.readyState === "complete" && document.documentElement.lang === "en"`)
		c.Click("[data-passkey] button")
		c.told("The passkey was not accepted")
		c.Go(c.url + "/signin")
		c.Do(`document.querySelector(".lang button").click()`)
		c.Wait(`document.documentElement && document.readyState === "complete" && document.documentElement.lang === "zh-CN"`)

		// Removed by its owner, who has lost the device.
		c.Do(fmt.Sprintf(`const f = document.querySelector(".form"); f.login.value = "unit"; f.password.value = %s; f.requestSubmit()`, browser.JS(demo.Password)))
		c.Wait(`location.pathname === "/account/verify" && document.readyState === "complete"`)
		c.Do(fmt.Sprintf(`const f = document.querySelector("form[action='/account/verify']"); f.code.value = %q; f.requestSubmit()`, recovery))
		c.Wait(`location.pathname === "/" && document.readyState === "complete"`)
		c.Go(c.url + "/account/keys")
		c.Do(`document.querySelector("form[action$='/remove']").requestSubmit()`)
		c.Wait(`location.pathname === "/account/keys" && !document.querySelector("td")`)

		var trail struct {
			Records []struct{ What, Result, Detail string }
		}
		s.client(t, "audit").must("GET", "/audit", nil, &trail)
		for _, want := range []string{
			"key.add done passkey", "key.name done ", "key.remove done ", "factor.fail failed passkey", "factor.pass done passkey",
			"signin done passkey", "signin.fail failed passkey", "factor.pass done recovery",
		} {
			if !slices.ContainsFunc(trail.Records, func(r struct{ What, Result, Detail string }) bool {
				return r.What+" "+r.Result+" "+r.Detail == want
			}) {
				t.Errorf("the trail does not tell %q", want)
			}
		}
	})
}
