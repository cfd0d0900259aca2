package sheetbench

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"tianbao/internal/browser"
)

const tools = "../../../../tools/sheetbench"

// library is a grid to be measured.
type library struct {
	name    string // as the table calls it
	adapter string // tools/sheetbench/adapters/<adapter>.js
	module  string // its npm package; "" is ours
}

func libraries() []library {
	return []library{
		{"`<tb-sheet>`", "tb-sheet", ""},
		{"SlickGrid `autoEdit`", "slickgrid-auto", "slickgrid"},
		{"SlickGrid", "slickgrid", "slickgrid"},
		{"cheetah-grid", "cheetah-grid", "cheetah-grid"},
		{"jspreadsheet-ce", "jspreadsheet-ce", "jspreadsheet-ce"},
		{"RevoGrid", "revogrid", "@revolist/revogrid"},
		{"Tabulator", "tabulator", "tabulator-tables"},
		{"VTable", "vtable", "@visactor/vtable"},
		{"x-data-spreadsheet", "x-data-spreadsheet", "x-data-spreadsheet"},
		{"w2ui", "w2ui", "w2ui"},
		{"canvas-datagrid", "canvas-datagrid", "canvas-datagrid"},
	}
}

// version returns the installed version of a library.
func (l library) version(t *testing.T) string {
	t.Helper()
	if l.module == "" {
		return "this tree"
	}
	b, err := os.ReadFile(filepath.Join(tools, "node_modules", filepath.FromSlash(l.module), "package.json"))
	if err != nil {
		t.Fatalf("%s is not installed; run npm ci in tools/sheetbench: %v", l.module, err)
	}
	var p struct{ Version string }
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("%s: %v", l.module, err)
	}
	return p.Version
}

// bundled is what a browser loads for one library.
type bundled struct {
	js, css []byte
	zipped  int // both, gzipped
}

// bundle builds a library with its adapter as the product's own script is built.
func (l library) bundle(t *testing.T) bundled {
	t.Helper()
	dir, err := filepath.Abs(tools)
	if err != nil {
		t.Fatal(err)
	}
	res := api.Build(api.BuildOptions{
		AbsWorkingDir:     dir,
		EntryPoints:       []string{filepath.Join(dir, "harness.js")},
		Alias:             map[string]string{"adapter": filepath.Join(dir, "adapters", l.adapter+".js")},
		Outdir:            filepath.Join(dir, "out"), // nothing is written
		Bundle:            true,
		Format:            api.FormatIIFE,
		Engines:           []api.Engine{{Name: api.EngineChrome, Version: "90"}},
		Define:            map[string]string{"process.env.NODE_ENV": `"production"`, "global": "window"},
		Loader:            map[string]api.Loader{".svg": api.LoaderDataURL, ".png": api.LoaderDataURL, ".woff": api.LoaderDataURL, ".ttf": api.LoaderDataURL, ".eot": api.LoaderDataURL},
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone,
		LogLevel:          api.LogLevelSilent,
	})
	if len(res.Errors) > 0 {
		t.Fatalf("bundle %s: %s", l.name, res.Errors[0].Text)
	}
	var b bundled
	for _, f := range res.OutputFiles {
		if strings.HasSuffix(f.Path, ".css") {
			b.css = f.Contents
		} else {
			b.js = f.Contents
		}
	}
	b.zipped = len(zip(b.js)) + len(zip(b.css))
	return b
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a buffer takes all
	_ = w.Close()
	return out.Bytes()
}

// page is the page of every library. ?rows=N mounts at once, as a form does; its
// clock then stops in window.usable.
const page = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>grid</title>
<link rel="icon" href="/icon"><link rel="stylesheet" href="/page.css"><link rel="stylesheet" href="/grid.css">
<script src="/grid.js" defer></script><script src="/page.js" defer></script></head>
<body><button id="before">before</button><div id="host"></div><button id="after">after</button></body></html>`

const pageCSS = `html, body { margin: 0; height: 100%; overflow: hidden } #host { width: 1300px; height: 640px; position: relative; overflow: hidden } #host > tb-sheet { height: 100%; width: 100% }`

const pageJS = `const n = new URLSearchParams(location.search).get("rows");
if (n) bench.mount(+n).then(() => bench.frame()).then(() => { window.usable = performance.now(); });`

// strict is the policy of the product's pages.
const strict = "default-src 'self'; style-src 'self'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

// serve serves the page of a library; under /strict with the product's policy.
func serve(t *testing.T, b bundled) string {
	t.Helper()
	send := func(kind string, b []byte) http.HandlerFunc {
		z := zip(b)
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind+"; charset=utf-8")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(z)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /grid.js", send("text/javascript", b.js))
	mux.Handle("GET /grid.css", send("text/css", b.css))
	mux.Handle("GET /page.js", send("text/javascript", []byte(pageJS)))
	mux.Handle("GET /page.css", send("text/css", []byte(pageCSS)))
	mux.Handle("GET /icon", send("image/x-icon", nil))
	mux.Handle("GET /{$}", send("text/html", []byte(page)))
	mux.HandleFunc("GET /strict", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", strict)
		send("text/html", []byte(page))(w, r)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// probe is a test's voice inside a check: what would end the test ends the check.
type probe struct{ testing.TB }

type failed string

func (p probe) Helper()                   {}
func (p probe) Fatalf(f string, a ...any) { panic(failed(fmt.Sprintf(f, a...))) }
func (p probe) Fatal(a ...any)            { panic(failed(fmt.Sprint(a...))) }

// grid is a library on a page, before a check.
type grid struct {
	*browser.Page
	lib    library
	url    string
	zipped int
	open   func(url string) *browser.Page
	log    func(format string, a ...any)
}

// check runs one check on a page loaded anew and returns what the table says of it.
func (g *grid) check(t *testing.T, c check) (verdict string) {
	t.Helper()
	g.log = t.Logf
	whole := g.Page
	ctx, cancel := context.WithTimeout(whole.Ctx, 60*time.Second)
	defer cancel()
	g.Page = whole.With(probe{t})
	g.Ctx = ctx
	defer func() {
		g.Page = whole
		if r := recover(); r != nil {
			why, ok := r.(failed)
			if !ok {
				panic(r)
			}
			t.Logf("%s: %s: %s", g.lib.name, c.name, why)
			verdict = "✗"
			if ctx.Err() != nil {
				verdict = "✗ (over a minute)"
			}
			g.Page = g.open(g.url + "/") // the old one may be stuck
		}
	}()
	g.Go(g.url + "/")
	return c.run(g)
}

// mount puts a grid of n rows on the page.
func (g *grid) mount(n int) {
	g.Wait(`window.bench`)
	browser.Eval[bool](g.Page, fmt.Sprintf(`bench.mount(%d)`, n))
	g.settle()
}

// settle gives a grid the time that a fast clerk would give it between two acts.
func (g *grid) settle() {
	time.Sleep(80 * time.Millisecond)
	g.Frame()
}

// click clicks a cell in view, "B2".
func (g *grid) click(cell string) {
	x, y := g.point(cell)
	g.ClickAt(x-8, y)
	g.settle()
}

// point returns the middle of a cell in view.
func (g *grid) point(cell string) (x, y float64) {
	r, c := at(cell)
	xy := browser.Eval[[]float64](g.Page, fmt.Sprintf(`bench.cell(%d, %d)`, r, c))
	if len(xy) != 2 {
		g.Wait(`false`)
	}
	return xy[0], xy[1]
}

func at(cell string) (r, c int) {
	_, _ = fmt.Sscanf(cell[1:], "%d", &r)
	return r - 1, int(cell[0] - 'A')
}

// data returns every value as JSON writes it: a number is seen to be one.
func (g *grid) data() [][]string {
	time.Sleep(150 * time.Millisecond)
	g.Frame()
	return browser.Eval[[][]string](g.Page, `bench.data().then((rows) => rows.map((r) => r.map((v) => v === undefined || v === null ? "" : typeof v === "string" ? v : "(" + typeof v + ") " + v)))`)
}

// has tells whether cells given as "B2=text" hold that.
func (g *grid) has(cells ...string) bool {
	d := g.data()
	for _, s := range cells {
		name, want, _ := strings.Cut(s, "=")
		r, c := at(name)
		if r >= len(d) || d[r][c] != want {
			return false
		}
	}
	return true
}

// others tells whether all cells but the named still say where they are.
func (g *grid) others(but string) bool {
	for r, row := range g.data() {
		for c, v := range row {
			name := fmt.Sprintf("%c%d", 'A'+c, r+1)
			if name != but && c != 3 && v != name || c == 3 && v != "" && name != but {
				return false
			}
		}
	}
	return true
}

func yes(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}
