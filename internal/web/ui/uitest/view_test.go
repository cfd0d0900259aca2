package uitest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"tianbao/internal/browser"
)

// The number of elements depends on the window, not on the rows.
func TestVirtualRows(t *testing.T) {
	b := start(t)
	base := serve(t)
	var counts []int
	for _, n := range []int{100, 100_000} {
		s := open(t, b, base, n)
		counts = append(counts, browser.Eval[int](s.Page, `sheet.querySelectorAll("*").length`))
		s.click("B1")
		s.Press("Ctrl+End")
		s.wantActive(fmt.Sprintf("H%d", n))
		s.Press("Ctrl+ArrowUp", "Home", "ArrowRight")
		s.wantActive("B1")
		if n < 1000 {
			continue
		}
		// Every row in the window is the one that belongs there.
		for _, top := range []int{0, 1, 27, 28, 999, 1_400_000, 2_799_000, 280, 9_999_999} {
			s.Do(fmt.Sprintf(`document.querySelector(".tbs-scroll").scrollTop = %d`, top))
			s.Frame()
			wrong := browser.Eval[[]string](s.Page, `(() => {
				const box = document.querySelector(".tbs-scroll").getBoundingClientRect();
				const head = document.querySelector(".tbs-head").getBoundingClientRect().bottom;
				const wrong = [];
				for (let y = head + 5; y < box.bottom - 20; y += 28) {
					const cell = document.elementFromPoint(300, y);
					const row = cell.closest(".tbs-row");
					if (!row || cell.textContent !== "B" + (row.getAttribute("aria-rowindex") - 2)) wrong.push(y + ": " + cell.className + cell.textContent);
				}
				return wrong;
			})()`)
			if len(wrong) > 0 {
				t.Errorf("at %d: %q", top, wrong)
			}
		}
	}
	if counts[0] != counts[1] || counts[1] > 800 {
		t.Errorf("elements = %v, want the same number, at most 800", counts)
	}
}

func TestARIA(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 40)
	s.click("C3")
	s.Press("Shift+ArrowRight")
	s.Frame()
	tests := []struct{ name, js, want string }{
		{"grid", `["role", "aria-rowcount", "aria-colcount", "aria-label"].map((a) => document.querySelector(".tbs-grid").getAttribute(a)).join()`, "grid,42,10,采集表"},
		{
			"header", `[...document.querySelectorAll(".tbs-titles > *")].map((e) => e.getAttribute("role") + e.getAttribute("aria-colindex")).join()`,
			"columnheader1,columnheader2,columnheader3,columnheader4,columnheader5,columnheader6,columnheader7,columnheader8,columnheader9,columnheader10",
		},
		{"row", `(() => { const r = document.querySelector(".tbs-active").parentElement; return r.getAttribute("role") + r.getAttribute("aria-rowindex"); })()`, "row5"},
		{
			"cells", `[...document.querySelector(".tbs-active").parentElement.children].map((e) => e.getAttribute("role")[0] + e.getAttribute("aria-colindex") + (e.getAttribute("aria-selected") === "true" ? "s" : "") + (e.getAttribute("aria-readonly") ? "r" : "")).join()`,
			"r1,g2r,g3,g4s,g5s,g6,g7,g8,g9,g10",
		},
		{"text area", `["aria-label", "aria-required", "aria-invalid"].map((a) => document.activeElement.getAttribute(a)).join("|")`, "第3行 C列 组织机构代码 C3|true|false"},
		{"announcement", `document.querySelector("tb-sheet [aria-live]").textContent`, "已选 1 行 2 列，从第3行C列到第3行D列"},
		{"required mark is worded", `document.querySelector('.tbs-title[data-c="1"]').textContent`, "*单位名称（必填）"},
		{"buttons are named", `document.querySelector('.tbs-row[aria-rowindex="3"] button').getAttribute("aria-label")`, "× 删除行 1"},
		{"only the text area is in the tab order", `[...sheet.querySelectorAll("*")].filter((e) => e.tabIndex >= 0 && e.offsetParent).map((e) => e.className).join()`, "tbs-input"},
	}
	for _, tt := range tests {
		if got := browser.Eval[string](s.Page, tt.js); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLayout(t *testing.T) {
	b := start(t)
	base := serve(t)
	for _, size := range [][2]int64{{1366, 768}, {1920, 1080}, {1366, 300}, {800, 600}} {
		t.Run(fmt.Sprintf("%d", size[0]), func(t *testing.T) {
			s := open(t, b, base, 60)
			defer s.Size(1366, 768)
			s.Size(size[0], size[1])
			s.Frame()
			got := browser.Eval[[]float64](s.Page, `(() => { const e = document.querySelector(".tbs-scroll"); return [e.scrollWidth, e.clientWidth]; })()`)
			if size[0] >= 1366 && got[0] > got[1] {
				t.Errorf("scrolls sideways: %v", got)
			}
			s.Do(`sheet.goTo("r60", "h")`)
			s.Frame()
			if !browser.Eval[bool](s.Page, `(() => {
				const box = document.querySelector(".tbs-scroll").getBoundingClientRect();
				const num = document.querySelector(".tbs-active").parentElement.firstElementChild.getBoundingClientRect();
				const head = document.querySelector(".tbs-head").getBoundingClientRect();
				return Math.abs(num.left - box.left) < 2 && Math.abs(head.top - box.top) < 2;
			})()`) {
				t.Error("the head or the row numbers do not stay")
			}
			// The active cell is seen whole, also beside the frozen column.
			for _, key := range []string{"End", "Home", "Ctrl+End", "Ctrl+Home", "PageDown"} {
				s.Do(`sheet.focus()`)
				s.Press(key)
				s.Frame()
				if !browser.Eval[bool](s.Page, `(() => {
					const cell = document.querySelector(".tbs-active").getBoundingClientRect();
					const input = document.querySelector(".tbs-input").getBoundingClientRect();
					const x = cell.x + cell.width / 2, y = cell.y + cell.height / 2;
					return document.elementFromPoint(cell.x + 2, y).classList.contains("tbs-active") &&
						document.elementFromPoint(x, y).classList.contains("tbs-active") &&
						document.elementFromPoint(cell.right - 3, y).classList.contains("tbs-active") &&
						Math.abs(input.x - cell.x) < 1 && Math.abs(input.y - cell.y) < 1 && Math.abs(input.width - cell.width) < 1;
				})()`) {
					t.Errorf("after %s the active cell is hidden, or the text area is not over it", key)
				}
			}
		})
	}
}

// A window that becomes lower does not hide the cell that is being filled in.
func TestShrink(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 60)
	s.Do(`sheet.goTo("r20", "c")`)
	s.Size(1366, 600)
	s.Frame()
	s.Frame()
	if !browser.Eval[bool](s.Page, `(() => {
		const cell = document.querySelector(".tbs-active").getBoundingClientRect();
		return cell.bottom <= document.querySelector(".tbs-scroll").getBoundingClientRect().bottom;
	})()`) {
		t.Error("the active cell went out of view")
	}
}

// The demo page and the pages of the style keep the policy and complain of nothing.
func TestDemo(t *testing.T) {
	b := start(t)
	base := serve(t)
	for _, name := range []string{"index", "portal", "parts", "sign"} {
		t.Run(name, func(t *testing.T) {
			p := b.Open(t, base+"/demo/"+name+".html")
			if name == "index" {
				p.Wait(`document.querySelector("tb-sheet").rows().length === 20`)
				p.Do(`document.querySelector("tb-sheet").goTo("3", "person_id")`)
				p.Press("F2")
				p.Type("1\n")
				p.Click("#check")
				p.Do(`document.querySelector("tb-sheet").goTo("7", "unit_type")`)
				p.Screenshot("demo-faults")
			}
			p.Screenshot("demo-" + name)
			if got := p.Complaints(); len(got) > 0 {
				t.Errorf("the page complained: %v", got)
			}
			if style := browser.Eval[int](p, `document.querySelectorAll("style").length`); style != 0 {
				t.Errorf("%d style elements", style)
			}
		})
	}
}

// A policy violation is seen by these tests: a page that breaks it complains.
func TestComplaints(t *testing.T) {
	b := start(t)
	p := b.Open(t, serve(t)+"/bare")
	p.Do(`try { document.body.innerHTML = "<p>x</p>" } catch (e) {}`)
	p.Wait(`complaints.length > 0`)
	if got := strings.Join(p.Complaints(), " "); !strings.Contains(got, "trusted-types") {
		t.Errorf("complaints = %q, want one about trusted types", got)
	}
}

// The sheet needs nothing that came after Chromium 90.
func TestOldEngine(t *testing.T) {
	b := start(t)
	p := b.Open(t, "about:blank")
	call(t, sheet{p, t}, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		for (const c of [Array, String, Int8Array.__proto__]) delete c.prototype.at;
		for (const name of ["findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "with", "group"]) delete Array.prototype[name];
		for (const name of ["isWellFormed", "toWellFormed"]) delete String.prototype[name];
		for (const name of ["hasOwn", "groupBy"]) delete Object[name];
		for (const name of ["structuredClone", "scheduler", "Iterator", "EditContext", "Highlight"]) delete window[name];
		delete Element.prototype.checkVisibility;
		delete Element.prototype.setHTML;
		delete HTMLElement.prototype.showPopover;
		delete Promise.withResolvers;
	`})
	p.Go(serve(t) + "/demo/index.html")
	p.Wait(`document.querySelector("tb-sheet").rows().length === 20`)
	p.Do(`window.sheet = document.querySelector("tb-sheet"); sheet.goTo("2", "unit_name")`)
	s := sheet{p, t}
	s.Type("x\t\t")
	s.Press("Alt+ArrowDown", "ArrowDown", "Enter", "Shift+ArrowDown", "Ctrl+d", "Ctrl+z", "Ctrl+f")
	s.Type("罗成")
	s.Press("Escape", "Ctrl+=", "Ctrl+-", "F8")
	s.Paste("1\t2\n3\t4", "")
	s.want("B2=x")
	if got := s.Complaints(); len(got) > 0 {
		t.Errorf("the page complained: %v", got)
	}
}

// Ten sheets made, used and thrown away leave no node and no listener behind.
func TestDestroy(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 0)
	cycle := func() memory.GetDOMCountersResult {
		s.Do(`
			const all = document.createElement("tb-sheet");
			document.querySelector("main").append(all);
			all.columns = sheet.columns;
			all.setRows(Array.from({ length: 500 }, (_, i) => ({ id: "d" + i, values: ["", "x"] })));
			all.setFaults([{ row: "d1", key: "b", severity: "error", code: "x", message: "x" }]);
			all.goTo("d400", "d");
			await new Promise((ok) => requestAnimationFrame(ok));
			const area = all.querySelector("textarea");
			area.dispatchEvent(new KeyboardEvent("keydown", { key: "F2" }));
			const cell = all.querySelector('[data-c="1"]');
			cell.dispatchEvent(new MouseEvent("mousedown", { bubbles: true }));
			all.insertRow();
			await new Promise((ok) => requestAnimationFrame(ok));
			all.remove();
			await new Promise((ok) => setTimeout(ok, 100));
		`)
		for range 3 {
			call(t, s, heapprofiler.CollectGarbage, cdp.Empty{})
		}
		return call(t, s, memory.GetDOMCounters, cdp.Empty{})
	}
	cycle()
	before := cycle()
	for range 10 {
		cycle()
	}
	after := cycle()
	if after.Nodes > before.Nodes || after.JsEventListeners > before.JsEventListeners {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// A sheet that is moved in the document goes on working.
func TestMoved(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 5)
	s.click("B2")
	s.Type("x\n")
	s.Do(`document.querySelector("main").prepend(sheet)`)
	s.Frame()
	s.click("B3")
	s.Type("y\n")
	s.Press("Ctrl+z", "Ctrl+z")
	s.want("B2=B2", "B3=B3")
}

func call[P, R any](t *testing.T, s sheet, cmd cdp.Command[P, R], params P) R {
	t.Helper()
	r, err := chromedp.Call(s.Ctx, cmd, params)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
