// Package browser drives a real Chromium in tests: the sheet's own tests and the
// end-to-end tests share it.
//
// A test gets a browser with [Start] and opens a [Page] for each case: one Chromium for all
// tests of a package, in which each test is somebody else, with cookies and storage of their
// own. TestMain calls [Run], which ends it. Keys go through the browser's own input pipeline,
// so they meet the same default actions as a clerk's; nothing is done to the page by script
// unless the test says so.
//
// Rules: only tests import this package. Where no Chromium is installed the test is
// skipped, unless TIANBAO_TEST_ALL=1 asks for everything.
//
// Danger: the clipboard belongs to the browser, so pages of all tests share it;
// tests that paste must not run in parallel in one package.
package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// names are the programs looked for, the first found is taken.
var names = [...]string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// Life is how long a browser lives. One that stops answering ends then, and the call that
// waits for it fails and says where it is, long before the whole run is cut off.
var Life = 12 * time.Minute

// Patience is how long a browser may take to start, and to answer one call: to load a page,
// to keep a promise, to draw. What takes longer will never come: a page that hangs, a frame
// that is never painted, a dialog that nobody answers. The page is closed then, so that
// whatever else is asked of it fails at once.
const Patience = 3 * time.Minute

// Browser is a running Chromium.
type Browser struct {
	ctx context.Context
}

// Page is a tab. Its methods fail the test when the browser does not answer.
type Page struct {
	// Ctx is the tab's chromedp context, for what this package has no word for.
	Ctx context.Context
	t   testing.TB
	// end closes the tab.
	end context.CancelFunc
	// bare: the page's scripts are off, and with them promises and frames.
	bare bool
}

// Find returns the path of a Chromium, TIANBAO_CHROMIUM before any other, or "".
func Find() string {
	if p := os.Getenv("TIANBAO_CHROMIUM"); p != "" {
		return p
	}
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return p
		}
	}
	return ""
}

// need is Find, where a test cannot go on without.
func need(t testing.TB) string {
	t.Helper()
	path := Find()
	if path == "" {
		if os.Getenv("TIANBAO_TEST_ALL") == "1" {
			t.Fatal("no Chromium found; install it or set TIANBAO_CHROMIUM")
		}
		t.Skip("no Chromium found; install it or set TIANBAO_CHROMIUM")
	}
	return path
}

func launch(t testing.TB, kind ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	dir, err := os.MkdirTemp("", "tianbao-browser-")
	if err != nil {
		t.Fatal(err)
	}
	// The browser's helpers may still be writing when it ends; what stays is in the
	// system's temporary folder.
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return launchIn(t, dir, kind...)
}

func launchIn(t testing.TB, dir string, kind ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	ctx, end := begin(t, dir, kind...)
	life := time.AfterFunc(Life, end)
	t.Cleanup(func() {
		life.Stop()
		end()
	})
	return settle(t, ctx, end)
}

// begin makes a Chromium on a profile folder, which starts with its first call.
func begin(t testing.TB, dir string, kind ...chromedp.ExecAllocatorOption) (context.Context, func()) {
	t.Helper()
	path := need(t)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(kind,
		chromedp.ExecPath(path),
		chromedp.UserDataDir(dir),
		chromedp.Flag("no-sandbox", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("no-first-run", true),
		chromedp.Flag("no-default-browser-check", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("password-store", "basic"),
		chromedp.Flag("lang", "zh-CN"),
		chromedp.Flag("accept-lang", "zh-CN"),
	)...)
	ctx, cancel := chromedp.NewContext(alloc)
	end := func() {
		cancel()
		stop()
	}
	return ctx, end
}

// settle waits for the first tab and lets its pages use the clipboard; stop ends a browser
// in which it does not come.
func settle(t testing.TB, ctx context.Context, stop func()) *Browser {
	t.Helper()
	if err := come(ctx, stop); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission:       &cdpbrowser.PermissionDescriptor{Name: name, AllowWithoutSanitization: true},
			Setting:          cdpbrowser.PermissionSettingGranted,
			BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
		})
		if err != nil {
			t.Fatalf("allow %s: %v", name, err)
		}
	}
	return &Browser{ctx: ctx}
}

// Open opens url in a tab of 1366 × 768 that closes with the test. Policy
// violations, uncaught errors and console errors are collected from the first
// line of the page on; see [Page.Complaints].
func (b *Browser) Open(t testing.TB, url string) *Page {
	t.Helper()
	p := b.tab(t)
	p.do(chromedp.EmulateViewport(1366, 768))
	call(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	p.listen()
	p.Go(url)
	return p
}

// tab opens an empty tab that closes with the test.
func (b *Browser) tab(t testing.TB) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	if err := come(ctx, cancel); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	return &Page{Ctx: ctx, t: t, end: cancel}
}

// come waits for a tab, no longer than [Patience], when stop ends what it belongs to. The tab
// lives as long as the context of its first call, so the end is set beside it.
func come(ctx context.Context, stop func()) error {
	begun := time.AfterFunc(Patience, stop)
	defer begun.Stop()
	return chromedp.Do(ctx)
}

// run does something in the page, no longer than [Patience].
func run[T any](p *Page, what chromedp.Action[T]) (T, error) {
	ctx, stop := context.WithTimeout(p.Ctx, Patience)
	defer stop()
	v, err := chromedp.Run(ctx, what)
	if errors.Is(err, context.DeadlineExceeded) {
		p.end()
		err = fmt.Errorf("no answer within %v", Patience)
	}
	return v, err
}

// listen makes every document of the page collect its complaints.
func (p *Page) listen() {
	p.t.Helper()
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.complaints = [];
		addEventListener("securitypolicyviolation", (e) => complaints.push("policy: " + e.violatedDirective + " " + e.blockedURI));
		addEventListener("error", (e) => complaints.push("error: " + e.message));
		addEventListener("unhandledrejection", (e) => complaints.push("rejection: " + e.reason));
		const say = console.error;
		console.error = (...a) => { complaints.push("console: " + a.join(" ")); say(...a); };
	`})
}

// With returns the same tab reporting to another test, for subtests.
func (p *Page) With(t testing.TB) *Page { return &Page{Ctx: p.Ctx, t: t, end: p.end} }

// Go loads url and waits until it is loaded.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// Size sets the size of the viewport.
func (p *Page) Size(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}

// Complaints returns what the page did wrong since it was loaded: violations of the
// content security policy, uncaught errors, console errors.
func (p *Page) Complaints() []string {
	p.t.Helper()
	return Eval[[]string](p, `complaints`)
}

// Eval evaluates a JavaScript expression in the page; a promise is waited for.
func Eval[T any](p *Page, expr string) T {
	p.t.Helper()
	opts := []chromedp.EvaluateOption{chromedp.EvalAwaitPromise}
	if p.bare {
		opts = nil
	}
	v, err := run(p, chromedp.Evaluate[T](expr, opts...))
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", short(expr), err)
	}
	return v
}

// holds evaluates a condition. Of a page that goes away in that moment nothing can be
// said: it does not hold yet.
func (p *Page) holds(expr string) bool {
	p.t.Helper()
	opts := []chromedp.EvaluateOption{chromedp.EvalAwaitPromise}
	if p.bare {
		opts = nil
	}
	v, err := run(p, chromedp.Evaluate[bool]("!!("+expr+")", opts...))
	if err != nil && !strings.Contains(err.Error(), "navigated or closed") && !strings.Contains(err.Error(), "context was destroyed") {
		p.t.Fatalf("evaluate %s: %v", short(expr), err)
	}
	return err == nil && v
}

// Do runs JavaScript statements in the page; await may be used.
func (p *Page) Do(js string) {
	p.t.Helper()
	if p.bare {
		Eval[bool](p, "(() => {"+js+"\n; return true })()")
		return
	}
	Eval[bool](p, "(async () => {"+js+"\n; return true })()")
}

// Frame waits until the page has painted what was asked for so far.
func (p *Page) Frame() {
	p.t.Helper()
	if p.bare {
		time.Sleep(100 * time.Millisecond)
		return
	}
	p.Do(`await new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(ok)))`)
}

// Wait waits until a JavaScript expression is true, thirty seconds at most: a machine may be busy.
func (p *Page) Wait(expr string) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		if p.holds(expr) {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("still not true: %s", expr)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Screenshot writes a picture of the viewport when TIANBAO_SHOTS names a folder.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	dir := os.Getenv("TIANBAO_SHOTS")
	if dir == "" {
		return
	}
	p.Frame()
	b, err := run(p, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatalf("screenshot %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// JS writes a value as a JavaScript literal.
func JS(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

func short(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
