package browser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Violation is one finding of axe-core: a rule and the elements that break it.
type Violation struct {
	ID, Impact, Help string
	Nodes            []string
}

// Axe runs axe-core over the page as it stands: WCAG 2.0 and 2.1 A and AA, and the
// rules of good practice. The test is skipped where axe-core is not installed,
// unless TIANBAO_TEST_ALL=1 asks for everything.
func (p *Page) Axe() []Violation {
	p.t.Helper()
	if !Eval[bool](p, "!!window.axe") {
		_, file, _, _ := runtime.Caller(0)
		src, err := os.ReadFile(filepath.Join(filepath.Dir(file), "..", "..", "tools", "node", "node_modules", "axe-core", "axe.min.js"))
		if err != nil {
			if os.Getenv("TIANBAO_TEST_ALL") == "1" {
				p.t.Fatalf("axe-core is not installed, run make setup: %v", err)
			}
			p.t.Skip("axe-core is not installed; make setup installs it")
		}
		// Evaluated from outside: the page's own policy would not let it in.
		Eval[bool](p, string(src)+"\n;true")
	}
	return Eval[[]Violation](p, `axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
		resultTypes: ["violations"], elementRef: false,
	}).then((r) => r.violations.map((v) => ({
		id: v.id, impact: v.impact, help: v.help,
		nodes: v.nodes.map((n) => n.target.join(" ") + " — " + n.any.concat(n.all, n.none).map((c) => c.message).join("; ")),
	})))`)
}

// Shift is a movement of what was already on the page that nobody asked for.
type Shift struct {
	Value float64
	What  []string
}

// Shifts returns the layout shifts since the page was loaded; what a key or a click
// brought about does not count.
func (p *Page) Shifts() []Shift {
	p.t.Helper()
	p.Frame()
	return Eval[[]Shift](p, `new Promise((ok) => {
		const out = [];
		new PerformanceObserver((list) => {
			for (const e of list.getEntries()) {
				if (e.hadRecentInput) continue;
				out.push({ value: e.value, what: (e.sources || []).map((s) => {
					const n = s.node && (s.node.nodeType === 1 ? s.node : s.node.parentElement);
					return n ? n.tagName + "." + n.className + "#" + n.id : "?";
				}) });
			}
		}).observe({ type: "layout-shift", buffered: true });
		setTimeout(() => ok(out), 60);
	})`)
}

// Zoom sets the viewport as a window of width × height device pixels shows it at
// the given magnification.
func (p *Page) Zoom(width, height int64, scale float64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(int64(float64(width)/scale), int64(float64(height)/scale), chromedp.EmulateScale(scale)))
}

// Media emulates media features, as "forced-colors: active".
func (p *Page) Media(features ...string) {
	p.t.Helper()
	var list []*emulation.MediaFeature
	for _, f := range features {
		name, value, _ := strings.Cut(f, ": ")
		list = append(list, &emulation.MediaFeature{Name: name, Value: value})
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list})
}

// Scripts switches the page's own scripts off or on, from the next page on.
func (p *Page) Scripts(on bool) {
	p.t.Helper()
	p.bare = !on
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// Forget signs out the hard way: the browser loses its cookies.
func (p *Page) Forget() {
	p.t.Helper()
	call(p, network.ClearBrowserCookies, struct{}{})
}

// Said is a node of the accessibility tree, as a screen reader meets it.
type Said struct {
	Role, Name, Value, Description string
	Focused                        bool
	// Properties are its states and relations in the words of the protocol, such as
	// invalid, readonly, required, errormessage.
	Properties map[string]string
}

// Accessible returns the accessibility tree of the page, without what is ignored.
func (p *Page) Accessible() []Said {
	p.t.Helper()
	res := ask(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	var out []Said
	for _, n := range res.Nodes {
		if n.Ignored {
			continue
		}
		s := Said{Role: axText(n.Role), Name: axText(n.Name), Value: axText(n.Value), Description: axText(n.Description), Properties: map[string]string{}}
		for _, prop := range n.Properties {
			s.Properties[string(prop.Name)] = axText(prop.Value)
		}
		s.Focused = s.Properties["focused"] == "true"
		out = append(out, s)
	}
	return out
}

func axText(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	s := string(v.Value)
	if text := ""; json.Unmarshal(v.Value, &text) == nil {
		s = text
	}
	for _, n := range v.RelatedNodes {
		s += " " + n.Text
	}
	return strings.TrimSpace(s)
}
