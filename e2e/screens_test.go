package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"tianbao/internal/browser"
)

// sizes are the windows that the pages are looked at in: the office machine, a large
// screen, and the office machine at 200 % zoom.
var sizes = []struct {
	name          string
	width, height int64
	scale         float64
}{{"1366x768", 1366, 768, 1}, {"1920x1080", 1920, 1080, 1}, {"zoom200", 1366, 768, 2}}

// screen takes a picture for docs/img/screens when the test runs with -update.
func (c *clerk) screen(name string) {
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
	dir := filepath.Join("..", "docs", "img", "screens")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// reachable fails the test for each control that cannot be brought into view whole,
// or that lies under something else, and for a page that scrolls sideways.
func (c *clerk) reachable(where string) {
	c.t.Helper()
	for _, s := range browser.Eval[[]string](c.Page, `(() => {
		const out = [];
		const page = document.documentElement;
		if (page.scrollWidth > page.clientWidth) out.push("the page is " + page.scrollWidth + " wide in a window of " + page.clientWidth);
		const root = document.querySelector("dialog[open]") || document;
		for (const e of root.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
			const shut = e.closest("details:not([open])");
			if (e.closest("tb-sheet, .skip-link") || (shut && e !== shut.firstElementChild) || !e.getClientRects().length || e.disabled) continue;
			if (getComputedStyle(e).visibility === "hidden") continue;
			e.scrollIntoView({ block: "center", inline: "nearest" });
			const r = e.getClientRects()[0];
			const name = e.tagName + " " + (e.id || e.textContent || e.name).trim().slice(0, 30);
			if (r.left < -1 || r.right > innerWidth + 1 || r.top < -1 || (r.bottom > innerHeight + 1 && r.height < innerHeight)) out.push(name + " is cut off: " + [r.left, r.top, r.right, r.bottom].map(Math.round));
			const top = document.elementFromPoint(r.left + r.width / 2, r.top + Math.min(r.height, innerHeight) / 2);
			if (top && top !== e && !e.contains(top) && !top.contains(e) && !(e.labels && [...e.labels].some((l) => l.contains(top)))) out.push(name + " lies under " + top.tagName + "." + top.className);
		}
		scrollTo(0, 0);
		return out;
	})()`) {
		c.t.Errorf("%s: %s", where, s)
	}
}

// The main pages in three sizes: every control can be reached, nothing scrolls
// sideways. With -update the pictures that are looked at are taken anew.
func TestScreens(t *testing.T) {
	s := startDemo(t, "")
	places, empty := s.places(t)
	book := writeCSV(t)
	c := s.clerk(t, browser.Start(t))
	unit := s.client(t, "unit")
	faulty := inserts(0, 12)
	faulty[3]["cells"].(map[string]string)["person_id"] = "12345"
	faulty[4]["cells"].(map[string]string)["phone"] = ""
	faulty[5]["cells"].(map[string]string)["unit_name"] = "示例省示例市示例县示例街道办事处所属基层公共服务综合保障中心（示例分中心）"
	unit.save(empty, 0, faulty)
	who := "?"
	for i, p := range distinct(places) {
		if p.who != who {
			who = p.who
			c.enter(who)
		}
		// Loaded in one of the sizes, each page in another, then brought to the others.
		for k := range sizes {
			size := sizes[(i+k)%len(sizes)]
			c.Zoom(size.width, size.height, size.scale)
			if k == 0 {
			} else {
				c.Frame()
			}
			c.reachable(size.name + " " + p.path + " as " + p.who)
		}
	}
	for _, size := range sizes {
		c.Zoom(size.width, size.height, size.scale)
		c.enter("")
		c.Go(c.url + "/signin")
		c.screen("signin-" + size.name)
		c.enter("admin")
		c.Go(c.url + "/users")
		c.Click(".sure summary")
		c.reachable(size.name + " an act on an account")
		c.screen("users-" + size.name)
		c.enter("unit")
		c.screen("portal-" + size.name)
		c.Go(c.url + "/reports/" + empty)
		c.ready()
		c.Click("#check")
		c.toast("校验完成")
		c.dismiss()
		c.clickCell(4, "G")
		c.reachable(size.name + " the form page with its faults")
		c.clickCell(4, "G")
		c.screen("form-" + size.name)
		c.Click("#import")
		c.Wait(`document.getElementById("import-dialog").open`)
		c.choose("#import-file", book)
		c.Wait(`document.querySelector("#import-preview .tally")`)
		c.reachable(size.name + " the import")
		c.screen("import-" + size.name)
		c.Press("Escape")
		c.Go(c.url + "/reports/" + empty + "/history")
		c.screen("history-" + size.name)
	}
}

// High contrast: what colours tell is told by lines and words too.
func TestForcedColours(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	unit := s.client(t, "unit")
	rep := unit.ownReport()
	faulty := inserts(0, 4)
	faulty[1]["cells"].(map[string]string)["person_id"] = "12345"
	unit.save(rep.ID, 0, faulty)
	c.enter("unit")
	c.Media("forced-colors: active")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	c.clickCell(1, "B")
	c.Press("Shift+ArrowDown")
	c.Click("#check")
	c.toast("校验完成")
	for name, expr := range map[string]string{
		"the media is on":               `matchMedia("(forced-colors: active)").matches`,
		"a fault is underlined":         `getComputedStyle(document.querySelector(".tbs-cell[data-fault]")).textDecorationStyle === "wavy"`,
		"the active cell has a frame":   `getComputedStyle(document.querySelector(".tbs-cell.tbs-active")).outlineStyle === "solid"`,
		"a selected cell is told apart": `getComputedStyle(document.querySelector('.tbs-cell[aria-selected="true"]:not(.tbs-active)')).backgroundColor !== getComputedStyle(document.querySelector('.tbs-cell[aria-selected="false"]')).backgroundColor`,
		"badges have a frame":           `getComputedStyle(document.querySelector(".badge")).borderStyle === "solid"`,
		"buttons have a frame":          `getComputedStyle(document.querySelector("#submit")).borderStyle === "solid"`,
	} {
		if !browser.Eval[bool](c.Page, expr) {
			t.Error("not so: " + name)
		}
	}
	c.screen("forced-colors")
	c.Screenshot("forced-colors")
}

// Who asks for less motion gets none.
func TestReducedMotion(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	rep := s.client(t, "unit").ownReport()
	c.enter("unit")
	c.Media("prefers-reduced-motion: reduce")
	for _, path := range []string{"/", "/reports", "/reports/" + rep.ID} {
		c.Go(s.url + path)
		if moving := browser.Eval[[]string](c.Page, `[...document.querySelectorAll("*")].filter((e) => {
			const s = getComputedStyle(e);
			return (s.transitionDuration + "," + s.animationDuration).split(",").some((d) => parseFloat(d) > 0) || s.scrollBehavior === "smooth";
		}).map((e) => e.tagName + "." + e.className)`); len(moving) > 0 {
			t.Errorf("%s: these move: %v", path, moving)
		}
	}
}
