package house

import (
	"bufio"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// floors gives each package its floor; a package imports only from floors below
// its own, so siblings do not know each other. docs/design.md tells why.
var floors = map[string]int{
	"tianbao/internal/db": 0, "tianbao/internal/seal": 0, "tianbao/internal/ident": 0, "tianbao/internal/clock": 0, "tianbao/internal/figure": 0, "tianbao/internal/pdf": 0, "tianbao/internal/clientcert": 0, "tianbao/internal/outward": 0, "tianbao/internal/letter": 0, "tianbao/internal/metrics": 0, "tianbao/internal/daemon": 0, "tianbao/internal/jsontext": 0, "tianbao/docs": 0,
	"tianbao":               1,
	"tianbao/internal/form": 2, "tianbao/internal/check": 2, "tianbao/internal/org": 2, "tianbao/internal/report": 2, "tianbao/internal/audit": 2, "tianbao/internal/backup": 2, "tianbao/internal/ship": 2, "tianbao/internal/auth": 2, "tianbao/internal/campaign": 2, "tianbao/internal/compare": 2, "tianbao/internal/living": 2, "tianbao/internal/message": 2, "tianbao/internal/oidc": 2, "tianbao/internal/provision": 2, "tianbao/internal/remind": 2, "tianbao/internal/scim": 2, "tianbao/internal/mail": 2, "tianbao/internal/post": 2, "tianbao/internal/webhook": 2, "tianbao/internal/news": 2,
	"tianbao/internal/web/ui": 2, // the page's files, read by web only
	"tianbao/internal/store":  3, "tianbao/internal/sheet": 3, "tianbao/internal/web": 3,
	"tianbao/internal/intake": 3, "tianbao/internal/mailbox": 3,
	"tianbao/internal/demo": 4,
	"tianbao/internal/app":  5,
	"tianbao/internal/load": 5, // beside it: the product holds no load
	"tianbao/cmd/tianbao":   6, "tianbao/cmd/webbuild": 6, "tianbao/cmd/sbom": 6, "tianbao/cmd/tianbao-load": 6,
	"tianbao/client": 7, // for others' programs; nothing of ours stands on it
}

// testOnly are packages that only tests import.
var testOnly = []string{"tianbao/internal/storetest", "tianbao/internal/browser", "tianbao/internal/house", "tianbao/e2e", "tianbao/internal/web/ui/uitest", "tianbao/internal/web/ui/sheetbench"}

type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Imports,GoFiles", "./...")
	cmd.Dir = root(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFloors(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(testOnly, p.ImportPath) {
			continue
		}
		floor, ok := floors[p.ImportPath]
		if !ok {
			t.Errorf("%s stands on no floor; give it one in internal/house and docs/design.md", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if imp != "tianbao" && !strings.HasPrefix(imp, "tianbao/") {
				continue
			}
			below, ok := floors[imp]
			if !ok {
				t.Errorf("%s imports %s, which is for tests only", p.ImportPath, imp)
			} else if below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.ImportPath, floor, imp, below)
			}
		}
	}
}

// The words of the trade do no I/O.
func TestRootDoesNoIO(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "tianbao" {
			continue
		}
		for _, imp := range p.Imports {
			switch imp {
			case "errors", "fmt", "io", "log/slog", "slices", "strconv", "strings", "time":
			default:
				t.Errorf("the root package imports %s", imp)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		doc := ""
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if file.Doc != nil {
				doc += file.Doc.Text()
			}
		}
		if len(doc) < 60 {
			t.Errorf("%s has no package comment that says what it is for", p.ImportPath)
		}
	}
}

// Exported names have comments; there is no init and no mutable package variable.
func TestDeclarations(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			path := filepath.Join(p.Dir, f)
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			rel, _ := filepath.Rel(root(t), path)
			for _, d := range file.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Name.Name == "init" && d.Recv == nil {
						t.Errorf("%s: has an init function", rel)
					}
					if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
						t.Errorf("%s: %s has no comment", rel, d.Name.Name)
					}
				case *ast.GenDecl:
					for _, s := range d.Specs {
						if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
							t.Errorf("%s: type %s has no comment", rel, ts.Name.Name)
						}
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// Files stay short enough to hold in the head.
func TestFileLength(t *testing.T) {
	const most = 600
	walk(t, func(path string, b []byte) {
		if strings.HasSuffix(path, "_test.go") || !(strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".ts") || strings.HasSuffix(path, ".css")) || strings.Contains(path, "/dist/") {
			return
		}
		if n := strings.Count(string(b), "\n"); n > most {
			t.Errorf("%s has %d lines, more than %d", path, n, most)
		}
	})
}

// The product stands on its own: nothing of it names the folder beside the
// checkout, a package registry or a machine's paths.
func TestNoOutsideNames(t *testing.T) {
	forbidden := []string{"registry.npm" + "js.org", "proxy.gol" + "ang.org", "deb.deb" + "ian.org", "/wo" + "rk/"}
	walk(t, func(path string, b []byte) {
		for _, word := range forbidden {
			if strings.Contains(string(b), word) {
				t.Errorf("%s names %s", path, word)
			}
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && strings.Contains(string(b), "../"+"shared") {
			t.Errorf("%s: the product refers to the folder beside it", path)
		}
	})
}

// walk visits the files git tracks or would track.
func walk(t *testing.T, fn func(path string, b []byte)) {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	s := bufio.NewScanner(strings.NewReader(string(out)))
	for s.Scan() {
		b, err := os.ReadFile(filepath.Join(root(t), s.Text()))
		if err != nil {
			if os.IsNotExist(err) {
				continue
			}
			t.Fatal(err)
		}
		if len(b) < 1<<20 && fs.ValidPath(s.Text()) {
			fn(s.Text(), b)
		}
	}
}

// deps.golden makes every module we add visible in a diff, with what it is for: shipped
// modules are linked into the product, build ones into our own commands, the others are
// for tests. Only what is shipped reaches an operator, so only that has a target.
func TestDirectModules(t *testing.T) {
	list := func(args ...string) []string {
		cmd := exec.Command("go", append([]string{"list"}, args...)...)
		cmd.Dir = root(t)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list %v: %v", args, err)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	module := "{{with .Module}}{{.Path}}{{end}}"
	shipped, built := list("-deps", "-f", module, "./cmd/tianbao"), list("-deps", "-f", module, "./cmd/...")
	var got strings.Builder
	counts := map[string]int{}
	for _, line := range list("-m", "-f", "{{if not (or .Main .Indirect)}}{{.Path}} {{.Version}}{{end}}", "all") {
		path, _, ok := strings.Cut(line, " ")
		use := "test"
		switch {
		case !ok:
			continue
		case slices.Contains(shipped, path):
			use = "shipped"
		case slices.Contains(built, path):
			use = "build"
		}
		counts[use]++
		got.WriteString(line + " " + use + "\n")
	}
	golden := filepath.Join("testdata", "deps.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("direct modules changed; look at each, then run with -update (-want +got):\n%s", diff)
	}
	if n := counts["shipped"]; n > 20 || n < 5 {
		t.Errorf("%d direct modules are shipped, the target is 20 at most: %v", n, counts)
	}
}
