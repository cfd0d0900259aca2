package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const uiDir = "../../internal/web/ui"

// What is committed is what the sources give.
func TestDistIsUpToDate(t *testing.T) {
	if err := run([]string{"-check", "-dir", uiDir}, io.Discard); err != nil {
		t.Error(err)
	}
}

func TestBuildIsDeterministic(t *testing.T) {
	a, err := bundle(uiDir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle(uiDir)
	if err != nil {
		t.Fatal(err)
	}
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs between two builds", name)
		}
	}
	var manifest map[string]string
	if err := json.Unmarshal(a["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	for _, name := range formFiles {
		sum := sha256.Sum256(a[name])
		if got, want := manifest[name], hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("manifest[%s] = %s, want %s", name, got, want)
		}
	}
}

func TestWeigh(t *testing.T) {
	noise := make([]byte, visitBudget)
	r := rand.NewChaCha8([32]byte{1})
	if _, err := r.Read(noise); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"within", nil, ""},
		{"the form page over", map[string][]byte{"form.js": noise[:formBudget]}, "the form page weighs"},
		{"a visit over", map[string][]byte{"import.js": noise}, "all that a visit"},
		{"missing", map[string][]byte{"site.css": nil}, "site.css"},
		{"missing later", map[string][]byte{"later.js": nil}, "later.js"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string][]byte{}
			for _, name := range append(formFiles[:], moreFiles[:]...) {
				files[name] = []byte("a")
			}
			for name, b := range tt.files {
				if files[name] = b; b == nil {
					delete(files, name)
				}
			}
			_, _, err := weigh(files)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("err = %v, want one about %q", err, tt.want)
			}
		})
	}
}

// What comes later holds no copy of what form.js shares with it.
func TestShared(t *testing.T) {
	files, err := bundle(uiDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range laterScripts {
		js := string(files[name+".js"])
		if !strings.Contains(js, "window.tbShared.words") || strings.Contains(js, "tbSpeak") {
			t.Errorf("%s.js has the words of its own", name)
		}
	}
	if !strings.Contains(string(files["form.js"]), "tbShared=") {
		t.Error("form.js shares nothing")
	}
}

// The element alone brings all it names: the demo's files, no import, no address.
func TestElement(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if err := run([]string{"-dir", uiDir, "-element", out}, io.Discard); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, part := range strings.Split(read("index.html"), `"`) {
		if ext := filepath.Ext(part); ext == ".js" || ext == ".css" {
			read(part)
		}
	}
	read("README.md")
	read("LICENSE")
	if js := read("tb-sheet.js"); !strings.Contains(js, "export{") || strings.Contains(js, "import ") {
		t.Error("tb-sheet.js is not one module that stands alone")
	}
	if css := read("tb-sheet.css"); strings.Contains(css, "@import") || strings.Contains(css, "url(") {
		t.Error("tb-sheet.css loads something")
	}
	if err := run([]string{"-dir", t.TempDir(), "-element", out}, io.Discard); err == nil {
		t.Error("a folder without sources is built")
	}
}

// A stale or missing file in dist is found, and a broken source says where.
func TestCompareAndErrors(t *testing.T) {
	dist := t.TempDir()
	files := map[string][]byte{"a.js": []byte("1")}
	if err := compare(dist, files); err == nil {
		t.Error("a missing file is not found")
	}
	if err := os.WriteFile(filepath.Join(dist, "a.js"), []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := compare(dist, files); err == nil {
		t.Error("a stale file is not found")
	}

	dir := t.TempDir()
	for name, text := range map[string]string{"css/site.css": "a{}", "page/form.ts": "let x = ;"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := bundle(dir)
	if err == nil || !strings.Contains(err.Error(), "form.ts:1") {
		t.Errorf("err = %v, want one that names form.ts:1", err)
	}
}
