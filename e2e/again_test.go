package e2e

import (
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
	"tianbao/internal/demo"
)

// The session of an account with a second factor ends under an open sheet: password and
// code are asked for in place, a recovery code will do, and the edits are submitted.
func TestSecondFactorUnderTheSheet(t *testing.T) {
	s := startDemo(t, "")
	api, rep := s.began(t, 2)
	c := s.openAs(t, browser.Start(t), "dept", rep.ID)
	n := c.rows()
	var f struct{ Secret string }
	api.must("POST", "/account/factor", map[string]string{}, &f)
	var rec struct{ Codes []string }
	if got := api.renewed("/account/factor/confirm", map[string]string{"code": authenticator(t, f.Secret, time.Now())}, &rec); got != 200 {
		t.Fatalf("confirm: %d", got)
	}
	api.must("POST", "/account/sessions/end", map[string]string{}, nil)
	c.put(n, "F", "甲示例")
	c.banner("登录已经超时")
	c.Click("#banner-state button")
	c.Wait(`document.getElementById("again-password")`)
	c.Type(demo.Password)
	c.Click("#ask-yes")
	c.Wait(`document.getElementById("again-code")`)
	c.Type("000000")
	c.Click("#ask-yes")
	c.Wait(`document.querySelector("#ask-body .field-error")`)
	c.Screenshot("factor-in-place")
	c.Type(rec.Codes[0])
	c.Click("#ask-yes")
	c.Wait(`!document.getElementById("banner-state")`)
	c.Click("#submit")
	c.toast("已提交")
	sheet := api.sheet(rep.ID)
	if got := sheet.Rows[len(sheet.Rows)-1].Values[5]; got != "甲示例" {
		t.Errorf("stored %q", got)
	}
	c.Do(`complaints.length = 0`) // the browser notes refused requests
}

// The browser dies while a cell is typed in, by keys and by an input method: what stood in
// the open cell is there again, and the banner says which cell it was.
func TestTypingSurvivesACrash(t *testing.T) {
	s := startDemo(t, "")
	_, rep := s.began(t, 2)
	dir := t.TempDir()
	first := browser.StartProfile(t, dir)
	c := s.openAs(t, first.Browser, "dept", rep.ID)
	n := c.rows()
	// written waits for a state of the journal that is not older than the last mark.
	mark := func() {
		t.Helper()
		c.Do(`window.since = Date.now()`)
	}
	written := func() {
		t.Helper()
		c.Do(`const r = indexedDB.open("tianbao"); await new Promise((ok) => (r.onsuccess = ok));
			for (const end = Date.now() + 20000; Date.now() < end; await new Promise((ok) => setTimeout(ok, 20))) {
				const all = r.result.transaction("journal").objectStore("journal").getAll(); await new Promise((ok) => (all.onsuccess = ok));
				if (all.result.some((x) => x.at >= since)) return true;
			}
			complaints.push("the journal is not written");`)
	}
	// A letter that the journal takes amid a composition, and the composition goes on.
	c.clickCell(n, "B")
	c.Type("x")
	ime := c.Compose().Letters("nihao")
	mark()
	c.Do(`document.querySelector("tb-sheet").dispatchEvent(new Event("input"))`) // as if something else changed
	written()
	ime.Commit(" ", "你好")
	c.Wait(`document.querySelector("tb-sheet").typing.text === "x你好"`)
	c.Type("\n")
	c.Wait(`document.querySelector("tb-sheet").rows()[` + browser.JS(n-1) + `].values[1] === "x你好"`)
	// A new row of which nothing is finished yet.
	c.clickCell(n, "F")
	c.Press("Ctrl+=")
	c.Frame()
	c.clickCell(n+1, "F")
	c.Type("Zhan")
	c.Wait(`document.querySelector("tb-sheet").typing.text === "Zhan"`)
	mark()
	c.Type("g") // may be younger than what the journal has
	written()
	first.Kill(t)
	c.killed = true

	c = s.openAs(t, browser.StartProfile(t, dir).Browser, "dept", rep.ID)
	c.banner("列当时还没有输完，请核对")
	if got := c.value(n+1, "F"); !strings.HasPrefix(got, "Zhan") || c.value(n, "B") != "x你好" {
		t.Errorf("after the crash F = %q, B = %q", got, c.value(n, "B"))
	}
	if text := browser.Eval[string](c.Page, `document.getElementById("banners").textContent`); !strings.Contains(text, "F列") {
		t.Errorf("the banner says %q", text)
	}
	c.Screenshot("typing-restored")
}
