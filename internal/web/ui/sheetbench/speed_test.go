package sheetbench

import (
	"fmt"
	"strings"

	"tianbao/internal/browser"
)

// runs is how often work is measured; the least counts.
const runs = 3

// work returns the milliseconds that the page's main thread works for what do does,
// painting included. It is the thread's own time: other programs on the machine do
// not count.
func (g *grid) work(do func()) float64 {
	g.CountCPU()
	before := g.CPU()
	do()
	g.settle()
	return g.CPU() - before
}

func speedChecks() []check {
	mount := func(n int) func(g *grid) string {
		return func(g *grid) string {
			best := 1e9
			for i := 0; i < runs && (i == 0 || best < 3000); i++ {
				g.Go(g.url + "/")
				g.Wait(`window.bench`)
				g.Do(fmt.Sprintf(`window.list = bench.rows(%d)`, n))
				best = min(best, g.work(func() { browser.Eval[bool](g.Page, `bench.mount(list)`) }))
			}
			return fmt.Sprintf("%.0f", best)
		}
	}
	return []check{
		{"JavaScript + CSS, KB gzip", func(g *grid) string { return fmt.Sprintf("%.1f", float64(g.zipped)/1024) }},
		{"a page with 300 rows, from nothing", func(g *grid) string {
			best := 1e9
			for range runs {
				tab := *g
				tab.Page = g.open("about:blank")
				best = min(best, tab.work(func() {
					tab.Go(g.url + "/?rows=300")
					tab.Wait(`window.usable`)
				}))
			}
			return fmt.Sprintf("%.0f", best)
		}},
		{"mount 10 000 rows", mount(10_000)},
		{"mount 100 000 rows", mount(100_000)},
		{"a key, of 1 2 3 4 Enter, 300 rows", func(g *grid) string {
			g.mount(300)
			g.click("B2")
			best := 1e9
			for range runs {
				best = min(best, g.work(func() { g.slowly("1", "2", "3", "4", "Enter", "1", "2", "3", "4", "Enter") })/10)
			}
			return fmt.Sprintf("%.1f", best)
		}},
		{"nodes at 10 000 rows", func(g *grid) string {
			g.mount(10_000)
			return fmt.Sprint(browser.Eval[int](g.Page, `document.querySelectorAll("#host *").length`))
		}},
		{"heap over 100 000 source rows, MB", func(g *grid) string {
			g.Wait(`window.bench`)
			g.Do(`window.list = bench.rows(100000)`)
			before := g.Alive().Heap
			browser.Eval[bool](g.Page, `bench.mount(list)`)
			g.settle()
			return fmt.Sprintf("%.1f", (g.Alive().Heap-before)/(1<<20))
		}},
	}
}

func scrollChecks() []check {
	scroll := func(n int) func(g *grid) string {
		return func(g *grid) string {
			g.mount(n)
			x, y := g.point("E4")
			work := g.work(func() {
				for i := range 40 {
					by := 400.0
					if i >= 30 {
						by = float64(n) * 28 / 12 // leaps, by which all but the end is seen
					}
					g.Wheel(x, y, by)
					g.Frame()
				}
			})
			return fmt.Sprintf("%.1f", work/40)
		}
	}
	return []check{
		{"a turn of the wheel, 10 000 rows", scroll(10_000)},
		{"the same, 100 000 rows", scroll(100_000)},
	}
}

func fitChecks() []check {
	return []check{
		{"roles in the document", func(g *grid) string {
			g.mount(60)
			roles := browser.Eval[[]string](g.Page, `[...new Set([...document.querySelectorAll("#host, #host *")].map((e) => e.getAttribute("role") || ""))].filter((r) => /grid|row|cell|header/.test(r)).sort()`)
			if len(roles) == 0 {
				return "none"
			}
			return strings.Join(roles, ", ")
		}},
		{"aria-rowindex / aria-rowcount", func(g *grid) string {
			g.mount(60)
			return yes(browser.Eval[bool](g.Page, `!!document.querySelector("#host [aria-rowindex]")`)) + " / " +
				yes(browser.Eval[bool](g.Page, `Number(document.querySelector("[aria-rowcount]")?.getAttribute("aria-rowcount")) >= 60`))
		}},
		{"left after 10 mounts and destroys: nodes, listeners, MB", func(g *grid) string {
			g.mount(300)
			browser.Eval[bool](g.Page, `bench.destroy()`)
			before := g.Alive()
			for range 10 {
				browser.Eval[bool](g.Page, `bench.mount(300)`)
				browser.Eval[bool](g.Page, `bench.destroy()`)
			}
			g.settle()
			after := g.Alive()
			return fmt.Sprintf("%.0f, %.0f, %.1f", max(0, after.Nodes-before.Nodes), max(0, after.Listeners-before.Listeners), max(0, (after.Heap-before.Heap)/(1<<20)))
		}},
		{"under the strict policy: complaints; typing", func(g *grid) string {
			g.Go(g.url + "/strict")
			return g.typesHere()
		}},
		{"without what came after Chromium 90: complaints; typing", func(g *grid) string {
			g.Before(newer)
			g.Go(g.url + "/?")
			return g.typesHere()
		}},
	}
}

// typesHere edits a cell by the way that most grids know, and counts complaints.
func (g *grid) typesHere() string {
	works := func() (ok bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, mine := r.(failed); !mine {
					panic(r)
				}
			}
		}()
		g.mount(60)
		g.click("B2")
		g.slowly("q", "Enter")
		if g.has("B2=q") {
			return true
		}
		g.click("C3")
		x, y := g.point("C3")
		g.ClickAt(x, y)
		g.Mouse("mousePressed", x, y, 2, false)
		g.Mouse("mouseReleased", x, y, 2, false)
		g.settle()
		g.slowly("Ctrl+a", "q", "Enter")
		if g.has("C3=q") {
			return true
		}
		g.click("E4")
		g.slowly("Enter", "Ctrl+a", "q", "Enter")
		return g.has("E4=q")
	}()
	n := 0
	func() {
		defer func() { _ = recover() }() // a page that never came up has none
		n = len(g.Complaints())
	}()
	return fmt.Sprintf("%d; %s", n, yes(works))
}

// newer takes away what browsers got after Chromium 90.
const newer = `
	for (const [o, names] of [
		[Array.prototype, ["at", "findLast", "findLastIndex", "toSorted", "toSpliced", "toReversed", "with"]],
		[String.prototype, ["at", "isWellFormed", "toWellFormed"]],
		[Object, ["hasOwn", "groupBy"]], [Promise, ["withResolvers", "try"]], [Array, ["fromAsync"]], [Map, ["groupBy"]],
		[Set.prototype, ["union", "difference", "intersection"]], [window, ["structuredClone", "Iterator", "scheduler", "reportError"]],
		[Element.prototype, ["checkVisibility", "setHTML"]], [crypto, ["randomUUID"]],
	]) for (const n of names) try { delete o[n]; } catch { /* stays */ }
`
