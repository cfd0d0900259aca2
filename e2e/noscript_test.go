package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"tianbao/internal/browser"
	"tianbao/internal/demo"
)

// submitForm presses a button and waits for the page that follows.
func (c *clerk) submitForm(button string) {
	c.t.Helper()
	c.Do(`document.documentElement.id = "before"`)
	c.Click(button)
	c.Wait(`document.documentElement && document.documentElement.id !== "before" && document.readyState === "complete"`)
}

// Without scripts everything but the sheet works, and the workbook takes its place:
// sign in, read a notice, upload, look at the preview, fetch the annotated copy,
// save, report upward, see the receipt, sign out.
func TestWithoutScripts(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	c.Scripts(false)
	c.Go(s.url + "/signin")
	c.Click("#login")
	c.Type("unit")
	c.Click("#password")
	c.Type(demo.Password)
	c.submitForm(".form button")
	if got := browser.Eval[string](c.Page, `location.pathname`); got != "/" {
		t.Fatalf("signed in at %s", got)
	}
	c.submitForm(`.feed a[href^="/notices/"]`)
	if text := c.text(".prose"); len(text) < 100 {
		t.Errorf("the notice says %q", text)
	}
	c.submitForm(`.topbar-nav a[href="/reports"]`)
	c.submitForm(".tree-button")
	form := browser.Eval[string](c.Page, `location.pathname`)
	if browser.Eval[bool](c.Page, `[...document.querySelectorAll(".toolbar button, tb-sheet, .statusbar, dialog")].some((e) => e.offsetParent)`) {
		t.Error("something that needs a script is shown")
	}
	c.Screenshot("noscript-form")

	// The annotated copy of a file with a fault, then its preview.
	book := writeCSV(t)
	c.choose("#book-file", book)
	c.Click(`button[value="annotate"]`)
	annotated := c.downloaded()
	f, err := excelize.OpenFile(annotated)
	if err != nil {
		t.Fatal(err)
	}
	if list := f.GetSheetList(); len(list) < 2 {
		t.Errorf("the annotated copy has the sheets %v", list)
	}
	f.Close()
	c.submitForm(`button[value="preview"]`)
	c.Screenshot("noscript-plan")
	for _, want := range []string{"新增", "现有3位", fileRow(1)[1]} {
		if !strings.Contains(c.text("main"), want) {
			t.Errorf("the preview does not show %q: %s", want, c.text("main"))
		}
	}
	if got := len(s.client(t, "unit").sheet(c.report()).Rows); got != 0 {
		t.Errorf("the preview saved %d rows", got)
	}
	c.submitForm(".form-actions .button-primary")
	if got := c.text(".receipt-kind"); got != "提交回执" {
		t.Fatalf("after saving: %q %s", got, c.text("main"))
	}

	// A report with a fault is refused with its place, and the way back.
	c.Go(s.url + form)
	c.Click(`.steps input[type="checkbox"]`)
	c.submitForm(".steps .button-strong")
	if got := c.text("main"); !strings.Contains(got, "G列") {
		t.Errorf("the refusal says %q", got)
	}
	c.submitForm(".empty .button-primary")

	// 整表替换 by a good file asks, and is then saved and reported.
	good := filepath.Join(t.TempDir(), "好.csv")
	b, err := os.ReadFile(book)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(good, []byte(strings.Replace(string(b), ",123,", ","+fileRow(2)[6]+",", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.choose("#book-file", good)
	c.Click(`.steps input[value="replace"]`)
	c.submitForm(`button[value="preview"]`)
	c.Click(`.choice input[required]`)
	c.submitForm(".form-actions .button-primary")
	c.Go(s.url + form)
	c.Click(`.steps input[type="checkbox"]`)
	c.submitForm(".steps .button-strong")
	if got := c.text(".receipt-kind"); got != "上报回执" {
		t.Fatalf("after reporting: %q %s", got, c.text("main"))
	}
	c.submitForm(".topbar-button")
	if got := browser.Eval[string](c.Page, `location.pathname`); got != "/signin" {
		t.Errorf("signed out at %s", got)
	}
	c.Scripts(true)
	c.Go(s.url + "/signin")
}

// text returns what an element says, "" without one.
func (c *clerk) text(selector string) string {
	c.t.Helper()
	return browser.Eval[string](c.Page, `((document.querySelector(`+browser.JS(selector)+`) || {}).textContent || "").trim()`)
}
