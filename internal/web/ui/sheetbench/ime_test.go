package sheetbench

import (
	"fmt"
	"time"

	"tianbao/internal/browser"
)

// hand types with an input method, imitated or real.
type hand interface {
	letters(string, time.Duration)
	inside(keys ...string)      // keys of the candidate list, or Esc
	commit(key, text string)    // upon which the input method hands over text
	press(keys ...string)       // keys that go to the page
	click(g *grid, cell string) // a click on a cell
}

// trial is one way of typing 你好 onto a cell that has only been gone to.
type trial struct {
	name string
	do   func(h hand)
	want string
}

const pace = 60 * time.Millisecond

func trials() []trial {
	plain := func(pause time.Duration, leave string) func(h hand) {
		return func(h hand) {
			h.letters("nihao", pause)
			h.commit(" ", "你好")
			h.press(leave)
		}
	}
	return []trial{
		{"plain", plain(pace, "Enter"), "你好"},
		{"25 ms", plain(25*time.Millisecond, "Enter"), "你好"},
		{"list", func(h hand) {
			h.letters("nihao", pace)
			h.inside("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp")
			h.commit(" ", "你好")
			h.press("Enter")
		}, "你好"},
		{"Esc", func(h hand) {
			h.letters("nihap", pace)
			h.inside("Escape")
			h.letters("nihao", pace)
			h.commit(" ", "你好")
			h.press("Enter")
		}, "你好"},
		{"raw", func(h hand) {
			h.letters("nihao", pace)
			h.commit("Enter", "nihao")
			h.press("Enter")
		}, "nihao"},
		{"two words", func(h hand) {
			h.letters("nihao", pace)
			h.commit(" ", "你好")
			h.letters("shijie", pace)
			h.commit(" ", "世界")
			h.press("Enter")
		}, "你好世界"},
		{"Tab", plain(pace, "Tab"), "你好"},
	}
}

// imeChecks are three rows: the plain trial, two words, and how many of all pass.
func imeChecks(by string, hand func(g *grid) hand) []check {
	seen := map[string]string{}
	right := map[string]int{}
	one := func(g *grid, tr trial) string {
		g.Go(g.url + "/")
		g.mount(20)
		h := hand(g)
		h.click(g, "B1")
		h.press("ArrowDown")
		tr.do(h)
		time.Sleep(100 * time.Millisecond)
		got := g.data()[1][1]
		if got == tr.want && g.others("B2") {
			right[g.lib.name]++
			return got
		}
		if got == "B2" {
			if g.others("B2") {
				return "unchanged"
			}
			return "in another cell"
		}
		if got == tr.want {
			return got + ", neighbours changed"
		}
		if got == "" {
			return "emptied"
		}
		return got
	}
	return []check{
		{by + ": nihao, Space, Enter", func(g *grid) string {
			right[g.lib.name] = 0
			for _, tr := range trials() {
				seen[g.lib.name+tr.name] = one(g, tr)
			}
			return seen[g.lib.name+"plain"]
		}},
		{by + ": two words", func(g *grid) string { return seen[g.lib.name+"two words"] }},
		{by + ": trials passed", func(g *grid) string { return fmt.Sprintf("%d of %d", right[g.lib.name], len(trials())) }},
	}
}

// imitated is the imitation of the browser package.
type imitated struct {
	g *grid
	m *browser.IME
}

func (h *imitated) letters(s string, pause time.Duration) {
	if h.m == nil {
		h.m = h.g.Compose()
	}
	h.m.Cadence = pause
	h.m.Letters(s)
}

func (h *imitated) inside(keys ...string) {
	for _, k := range keys {
		if k == "Escape" {
			h.m.Cancel()
		} else {
			h.m.Key(k)
		}
	}
}
func (h *imitated) commit(key, text string)    { h.m.Commit(key, text); h.m = nil; h.g.settle() }
func (h *imitated) press(keys ...string)       { h.g.slowly(keys...); h.g.settle() }
func (h *imitated) click(g *grid, cell string) { g.click(cell) }

// real is the desktop's input method. What a grid does with it is not known
// beforehand, so it waits for times.
type real struct {
	g    *grid
	desk *browser.Desk
}

const rest = 250 * time.Millisecond

func (h *real) letters(s string, pause time.Duration) {
	h.desk.Cadence = pause
	h.desk.Type(s)
	time.Sleep(rest)
}
func (h *real) inside(keys ...string) { h.press(keys...) }
func (h *real) commit(key, _ string)  { h.press(key) }
func (h *real) press(keys ...string)  { h.desk.Cadence = pace; h.desk.Press(keys...); time.Sleep(rest) }

func (h *real) click(g *grid, cell string) {
	x, y := g.point(cell)
	h.desk.ClickAt(x-8, y)
	time.Sleep(rest)
}
