package uitest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"tianbao/internal/browser"
	"tianbao/internal/web/ui"
)

// policy is the content security policy that every page of the site has.
const policy = "default-src 'self'; style-src 'self'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

// bare is a page with nothing but a sheet.
const bare = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>sheet</title>
<link rel="stylesheet" href="/dist/site.css"><script src="/dist/form.js" defer></script><script src="/dist/later.js" defer></script></head>
<body class="page page-full"><main class="main main-full"><h1 class="title">采集表</h1>
<button class="button" id="before">前</button><tb-sheet class="sheet" aria-label="采集表"></tb-sheet><button class="button" id="after">后</button></main></body></html>`

func serve(t testing.TB) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /dist/", http.StripPrefix("/dist/", http.FileServerFS(ui.Files())))
	mux.Handle("GET /demo/", http.StripPrefix("/demo/", http.FileServer(http.Dir("../demo"))))
	mux.HandleFunc("GET /rows", endless)
	mux.HandleFunc("GET /favicon.ico", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /bare", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, bare)
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		mux.ServeHTTP(w, r)
	}))
	ends(t, srv)
	return srv.URL
}

// ends closes a server with the test: also when an answer is on its way to a page that
// takes no more of it, which Close alone would wait for without an end.
func ends(t testing.TB, srv *httptest.Server) {
	t.Helper()
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
}

// sheet is a page with a sheet under test.
type sheet struct {
	*browser.Page
	t testing.TB
}

// columns: A is read-only and narrow, C and H are narrow, D is a drop-down.
const columns = `[
	{ key: "a", letter: "A", title: "单位预算编码", width: 100, narrow: true, readonly: true },
	{ key: "b", letter: "B", title: "单位名称", width: 190, required: true },
	{ key: "c", letter: "C", title: "组织机构代码", width: 168, required: true, narrow: true },
	{ key: "d", letter: "D", title: "单位类型", width: 100, required: true, choices: ["主管部门", "行政单位", "事业单位"] },
	{ key: "e", letter: "E", title: "原用户名", width: 136 },
	{ key: "f", letter: "F", title: "姓名", width: 88, required: true },
	{ key: "g", letter: "G", title: "身份证号码", width: 168, required: true, narrow: true },
	{ key: "h", letter: "H", title: "联系方式", width: 116, required: true, narrow: true },
]`

// world is a browser with one page that the cases of a test use in turn.
type world struct {
	*browser.Browser
	t    *testing.T
	page *browser.Page
}

func start(t *testing.T) *world {
	t.Helper()
	return &world{Browser: browser.Start(t), t: t}
}

// open opens a sheet of n rows whose cells say where they are: "B1", "C1", …; D is
// empty. Row ids are "r1", "r2", …. The page is the world's own; the sheet on it is
// a new one.
func open(t *testing.T, w *world, base string, n int) sheet {
	t.Helper()
	if w.page == nil {
		w.page = w.Open(w.t, base+"/bare")
		w.page.Wait(`customElements.get("tb-sheet")`)
	}
	s := sheet{w.page.With(t), t}
	s.Do(`
		complaints.length = 0;
		const old = document.querySelector("tb-sheet");
		window.sheet = document.createElement("tb-sheet");
		sheet.add(tbExtras);
		sheet.className = old.className;
		sheet.setAttribute("aria-label", "采集表");
		document.getElementById("before").after(sheet);
		old.remove();
		window.said = [];
		for (const type of ["tb-change", "tb-active", "tb-notice", "tb-submit"])
			sheet.addEventListener(type, (e) => said.push({ type, ...e.detail }));
		sheet.columns = ` + columns + `;
		sheet.setRows(Array.from({ length: ` + strconv.Itoa(n) + ` }, (_, i) => ({
			id: "r" + (i + 1),
			values: [..."ABCDEFGH"].map((l) => (l === "D" ? "" : l + (i + 1))),
		})));
	`)
	s.Frame()
	t.Cleanup(func() {
		if got := s.Complaints(); len(got) > 0 {
			t.Errorf("the page complained: %v", got)
		}
	})
	return s
}

// at returns the address of a cell of the page, "C2" being column C of row 2.
func at(cell string) (r, c int) {
	c = int(cell[0] - 'A')
	r, _ = strconv.Atoi(cell[1:])
	return r - 1, c
}

// get returns the value of a cell.
func (s sheet) get(cell string) string {
	s.t.Helper()
	r, c := at(cell)
	return browser.Eval[string](s.Page, fmt.Sprintf(`sheet.rows()[%d].values[%d]`, r, c))
}

// want compares cells given as "B1=text".
func (s sheet) want(cells ...string) {
	s.t.Helper()
	for _, cell := range cells {
		name, want, _ := strings.Cut(cell, "=")
		if got := s.get(name); got != want {
			s.t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

// active returns the active cell and the selected range as "B2" or "B2:C3".
func (s sheet) active() string {
	s.t.Helper()
	s.Frame()
	return browser.Eval[string](s.Page, `(() => {
		const name = (e) => "ABCDEFGH"[e.dataset.c] + (e.parentElement.getAttribute("aria-rowindex") - 2);
		const a = document.querySelector(".tbs-active");
		const cells = [...document.querySelectorAll('.tbs-cell[aria-selected="true"]')].filter((e) => !e.parentElement.hidden);
		const key = (e) => e.parentElement.getAttribute("aria-rowindex") * 10 + +e.dataset.c;
		cells.sort((x, y) => key(x) - key(y));
		if (!a) return "none";
		return cells.length < 2 ? name(a) : name(a) + " in " + name(cells[0]) + ":" + name(cells[cells.length - 1]);
	})()`)
}

func (s sheet) wantActive(want string) {
	s.t.Helper()
	if got := s.active(); got != want {
		s.t.Errorf("active cell = %s, want %s", got, want)
	}
}

// rows returns the number of rows.
func (s sheet) rows() int {
	s.t.Helper()
	return browser.Eval[int](s.Page, `sheet.rows().length`)
}

// place returns the middle of a cell that is in view.
func (s sheet) place(cell string) (x, y float64) {
	s.t.Helper()
	r, c := at(cell)
	return s.Point(fmt.Sprintf(`.tbs-row[aria-rowindex="%d"]:not([hidden]) [data-c="%d"]`, r+3, c))
}

func (s sheet) click(cell string) {
	s.t.Helper()
	x, y := s.place(cell)
	s.ClickAt(x-10, y)
	s.Frame()
}

// changes returns the net change as JSON.
func (s sheet) changes() string {
	s.t.Helper()
	return browser.Eval[string](s.Page, `JSON.stringify(sheet.changes())`)
}

// heard returns the texts of the notices so far.
func (s sheet) heard() []string {
	s.t.Helper()
	return browser.Eval[[]string](s.Page, `said.filter((e) => e.type === "tb-notice").map((e) => e.message)`)
}
