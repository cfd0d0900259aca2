package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/evanw/esbuild/pkg/api"
)

// element writes what another project needs to use <tb-sheet>, and a demo beside it:
// the module (tb-sheet.js), the same as a plain script that registers itself
// (tb-sheet.iife.js), the style, the README and the licence.
func element(dir, out string, stdout io.Writer) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(abs, "sheet", name) }
	files, err := build(abs, api.FormatESModule, []api.EntryPoint{
		{InputPath: in("index.ts"), OutputPath: "tb-sheet"},
		{InputPath: in("sheet.css"), OutputPath: "tb-sheet"},
	})
	if err != nil {
		return err
	}
	script, err := build(abs, api.FormatIIFE, []api.EntryPoint{{InputPath: in("define.ts"), OutputPath: "tb-sheet.iife"}})
	if err != nil {
		return err
	}
	maps.Copy(files, script)
	for _, path := range []string{in("README.md"), in("demo/index.html"), in("demo/demo.css"), in("demo/demo.js"), filepath.Join(abs, "../../../LICENSE")} {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[filepath.Base(path)] = b
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(out, name), files[name], 0o644); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "webbuild: the element is in %s; open %s\n", out, filepath.Join(out, "index.html"))
	return err
}
