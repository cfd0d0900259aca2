package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"

	"tianbao/internal/browser"
	"tianbao/internal/demo"
)

// clerk is a person at a browser.
type clerk struct {
	*browser.Page
	t         *testing.T
	url       string
	downloads string
	killed    bool // its browser was killed
}

func (s *server) clerk(t *testing.T, b *browser.Browser) *clerk {
	t.Helper()
	c := &clerk{Page: b.Open(t, s.url+"/signin"), t: t, url: s.url, downloads: t.TempDir()}
	if _, err := chromedp.Call(c.Ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: c.downloads,
		BrowserContextID: chromedp.FromContext(c.Ctx).BrowserContextID,
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.killed {
			return
		}
		if t.Failed() {
			c.Screenshot("failed-" + t.Name())
		}
		if got := c.Complaints(); len(got) > 0 {
			t.Errorf("the page complained: %v", got)
		}
	})
	return c
}

// ready waits until the sheet is loaded and its first check came back.
func (c *clerk) ready() {
	c.t.Helper()
	c.Wait(`document.querySelector("tb-sheet") && customElements.get("tb-sheet") && !document.getElementById("count-faults").hidden`)
}

// signInByMouse signs in by clicking and typing.
func (c *clerk) signInByMouse(login string) {
	c.t.Helper()
	c.Click("#login")
	c.Type(login)
	c.Click("#password")
	c.Type(demo.Password)
	c.Click(".form button")
	c.Wait(`location.pathname === "/" && document.readyState === "complete"`)
}

// cell is a cell of the sheet by row number and letter; the sheet draws only what
// is seen, so rows are found by their number.
func cellSelector(row int, letter string) string {
	return fmt.Sprintf(`.tbs-row[aria-rowindex="%d"]:not([hidden]) [data-c="%d"]`, row+2, letter[0]-'A')
}

func (c *clerk) clickCell(row int, letter string) {
	c.t.Helper()
	x, y := c.Point(cellSelector(row, letter))
	c.ClickAt(x-12, y) // beside the arrow of a drop-down
	c.Frame()
}

// value returns what the sheet holds in a cell.
func (c *clerk) value(row int, letter string) string {
	c.t.Helper()
	return browser.Eval[string](c.Page, fmt.Sprintf(`(document.querySelector("tb-sheet").rows()[%d] || { values: [] }).values[%d] || ""`, row-1, letter[0]-'A'))
}

// rows returns the number of rows that are not empty.
func (c *clerk) rows() int {
	c.t.Helper()
	return browser.Eval[int](c.Page, `document.querySelector("tb-sheet").rows().filter((r) => r.values.some((v) => v)).length`)
}

// wait for a toast with the given words.
func (c *clerk) toast(words string) {
	c.t.Helper()
	c.Wait(`[...document.querySelectorAll(".toast")].some((t) => t.textContent.includes(` + browser.JS(words) + `))`)
}

// says waits until the first element of a selector has a text.
func (c *clerk) says(selector, want string) {
	c.t.Helper()
	c.Wait(`(document.querySelector(` + browser.JS(selector) + `)?.textContent || "").trim() === ` + browser.JS(want))
}

// dismiss closes the messages, so that the next one is seen for itself.
func (c *clerk) dismiss() {
	c.t.Helper()
	c.Do(`document.getElementById("toasts").textContent = ""`)
}

// choose puts a file into the page's file input, as the system's dialog would. A page
// that is just being parsed gives its elements new numbers, so it tries again.
func (c *clerk) choose(selector, file string) {
	c.t.Helper()
	// The dialog's script comes when the dialog is first asked for.
	c.Wait(fmt.Sprintf(`(() => { const d = document.querySelector(%q).closest("dialog"); return !d || d.open; })()`, selector))
	var err error
	for range 50 {
		var doc dom.GetDocumentResult
		if doc, err = chromedp.Call(c.Ctx, dom.GetDocument, dom.GetDocumentParams{}); err == nil {
			var node dom.QuerySelectorResult
			if node, err = chromedp.Call(c.Ctx, dom.QuerySelector, dom.QuerySelectorParams{NodeID: doc.Root.NodeID, Selector: selector}); err == nil {
				if _, err = chromedp.Call(c.Ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, NodeID: node.NodeID}); err == nil {
					return
				}
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.t.Fatal(err)
}

// downloaded waits for a file in the download folder and returns its path.
func (c *clerk) downloaded() string {
	c.t.Helper()
	for range 500 {
		files, err := filepath.Glob(filepath.Join(c.downloads, "*.xlsx"))
		if err != nil {
			c.t.Fatal(err)
		}
		// The browser holds the name with an empty file while the content is on its way.
		if len(files) > 0 {
			coming, err := filepath.Glob(filepath.Join(c.downloads, "*.crdownload"))
			if info, e := os.Stat(files[0]); err == nil && e == nil && len(coming) == 0 && info.Size() > 0 {
				return files[0]
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.t.Fatal("no file was downloaded")
	return ""
}

// picture takes a picture of the manual when the test runs with -update.
func (c *clerk) picture(name string) {
	c.t.Helper()
	if !*update {
		return
	}
	c.Frame()
	b, err := chromedp.Run(c.Ctx, chromedp.CaptureScreenshot())
	if err == nil {
		b, err = browser.Small(b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(manualPicture(name), b, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// focused describes the focused element, to see that the keyboard gets there.
func (c *clerk) focused() string {
	c.t.Helper()
	return browser.Eval[string](c.Page, `(() => { const e = document.activeElement; return (e.id || e.textContent || e.tagName).trim() })()`)
}

// tabTo presses Tab until the focused element's id or text begins with the words.
func (c *clerk) tabTo(words string) {
	c.t.Helper()
	for range 60 {
		if strings.HasPrefix(c.focused(), words) {
			return
		}
		c.Press("Tab")
	}
	c.t.Fatalf("Tab does not reach %q; it stands on %q", words, c.focused())
}
