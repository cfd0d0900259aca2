package uitest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// What make demo-sheet builds works in another project: opened as a file, on any
// static server under the strict policy, and as a module.
func TestElementAlone(t *testing.T) {
	b := start(t)
	dir := t.TempDir()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute) // it may have to be compiled first
	defer stop()
	if out, err := exec.CommandContext(ctx, "go", "run", "../../../../cmd/webbuild", "-dir", "..", "-element", dir).CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for name, text := range map[string]string{
		"module.html": `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>m</title><link rel="icon" href="tb-sheet.css"><link rel="stylesheet" href="tb-sheet.css"><script type="module" src="module.js"></script><body><tb-sheet aria-label="m"></tb-sheet>`,
		"module.js":   `import { defineSheet } from "./tb-sheet.js"; defineSheet(); const s = document.querySelector("tb-sheet"); s.columns = [{ key: "a", letter: "A", title: "甲", width: 90 }, { key: "b", letter: "B", title: "乙", width: 90 }]; s.setRows([{ id: "1", values: ["1", "2"] }, { id: "2", values: ["3", "4"] }]);`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		if r.URL.Path == "/favicon.ico" {
			return
		}
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	ends(t, srv)

	for name, url := range map[string]string{"file": "file://" + filepath.ToSlash(dir) + "/index.html", "server": srv.URL + "/", "module": srv.URL + "/module.html"} {
		t.Run(name, func(t *testing.T) {
			p := b.Open(t, url)
			p.Wait(`document.querySelector("tb-sheet").rows && document.querySelector("tb-sheet").rows().length > 1`)
			p.Do(`window.sheet = document.querySelector("tb-sheet"); sheet.goTo(sheet.rows()[1].id, sheet.columns[1].key)`)
			s := sheet{p, t}
			s.Compose().Letters("nihao").Commit(" ", "你好")
			s.Press("Enter", "ArrowUp", "Ctrl+c")
			s.want("B2=你好")
			if name != "module" {
				s.Wait(`document.getElementById("changes").textContent.includes("你好")`)
				s.Click("#theirs")
				s.Click("#plum")
				s.Screenshot("alone")
				s.Click("#save")
				s.Wait(`!sheet.dirty`)
				s.Click("#long")
				s.Wait(`sheet.rows().length > 200`)
			}
			if got := s.Complaints(); len(got) > 0 {
				t.Errorf("the page complained: %v", got)
			}
		})
	}

	// The README that goes along names every method and event there is.
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := b.Open(t, srv.URL+"/module.html")
	for _, name := range browser.Eval[[]string](p, `Object.getOwnPropertyNames(customElements.get("tb-sheet").prototype).filter((n) => !/Callback$|^constructor$|^recall$|^marked$/.test(n))`) {
		if !strings.Contains(string(text), "`"+name) && !strings.Contains(string(text), " `"+name+"(") {
			t.Errorf("README.md does not name %s", name)
		}
	}
	src, err := filepath.Glob("../sheet/*.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range src {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(b), `emit("`)[1:] {
			if event, _, _ := strings.Cut(part, `"`); !strings.Contains(string(text), "`"+event+"`") {
				t.Errorf("README.md does not name the event %s of %s", event, filepath.Base(f))
			}
		}
	}
}
