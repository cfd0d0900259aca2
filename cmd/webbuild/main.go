// Command webbuild bundles the page's TypeScript and CSS into internal/web/ui/dist.
// It is run by go generate in internal/web/ui and needs only Go: the bundler is
// esbuild's Go API.
//
// The output is deterministic, so a rebuild that differs from what is committed
// means the commit forgot it. The build fails when the form page's JavaScript and
// CSS together exceed a budget. With -check nothing is written; the exit code
// tells whether dist is up to date. With -element it builds <tb-sheet> alone, for
// other projects.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/evanw/esbuild/pkg/api"
)

// The most that the form page may weigh, gzipped: what it needs to be used, and that with
// everything else that a visit can load.
const (
	formBudget  = 40 << 10
	visitBudget = 55 << 10
)

// formFiles are what the form page loads to be used; moreFiles come when it is up, or when
// the import dialog is asked for.
var (
	formFiles = [...]string{"form.js", "site.css"}
	moreFiles = [...]string{"rules.js", "later.js", "later.css", "import.js"}
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "webbuild:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	fl := flag.NewFlagSet("webbuild", flag.ContinueOnError)
	dir := fl.String("dir", ".", "the folder internal/web/ui")
	check := fl.Bool("check", false, "write nothing; fail when dist is not up to date")
	alone := fl.String("element", "", "build the sheet's element for other projects into this `folder`, and nothing else")
	if err := fl.Parse(args); err != nil {
		return err
	}
	if *alone != "" {
		return element(*dir, *alone, stdout)
	}
	files, err := bundle(*dir)
	if err != nil {
		return err
	}
	form, visit, err := weigh(files)
	if err != nil {
		return err
	}
	dist := filepath.Join(*dir, "dist")
	if *check {
		return compare(dist, files)
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dist, name), b, 0o644); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "webbuild: form page %d of %d bytes gzip, all of a visit %d of %d\n", form, formBudget, visit, visitBudget)
	return err
}

// bundle builds every entry point and the manifest of their content hashes.
func bundle(dir string) (map[string][]byte, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	pages, err := filepath.Glob(filepath.Join(abs, "page", "*.ts"))
	if err != nil {
		return nil, err
	}
	entries := []api.EntryPoint{
		{InputPath: filepath.Join(abs, "css", "site.css"), OutputPath: "site"},
		{InputPath: filepath.Join(abs, "css", "pages.css"), OutputPath: "pages"},
		{InputPath: filepath.Join(abs, "css", "noscript.css"), OutputPath: "noscript"},
		{InputPath: filepath.Join(abs, "css", "later.css"), OutputPath: "later"},
	}
	var later []api.EntryPoint
	for _, p := range pages {
		name := filepath.Base(p)
		// Only files named by one plain word are pages; form_save.ts is a part of form.ts.
		if word := name[:len(name)-len(".ts")]; slices.Contains(laterScripts[:], word) {
			later = append(later, api.EntryPoint{InputPath: p, OutputPath: word})
		} else if plain(word) {
			entries = append(entries, api.EntryPoint{InputPath: p, OutputPath: word})
		}
	}
	files, err := build(abs, api.FormatIIFE, entries)
	if err != nil {
		return nil, err
	}
	plugin, err := shared(abs)
	if err != nil {
		return nil, err
	}
	more, err := build(abs, api.FormatIIFE, later, plugin)
	if err != nil {
		return nil, err
	}
	maps.Copy(files, more)
	hashes := map[string]string{}
	for name, b := range files {
		sum := sha256.Sum256(b)
		hashes[name] = hex.EncodeToString(sum[:8])
	}
	manifest, err := json.MarshalIndent(hashes, "", "  ")
	if err != nil {
		return nil, err
	}
	files["manifest.json"] = append(manifest, '\n')
	return files, nil
}

// build bundles entry points for the oldest browser that pages must work in, and
// returns the files by name.
func build(abs string, format api.Format, entries []api.EntryPoint, plugins ...api.Plugin) (map[string][]byte, error) {
	res := api.Build(api.BuildOptions{
		Plugins:             plugins,
		AbsWorkingDir:       abs,
		EntryPointsAdvanced: entries,
		Outdir:              filepath.Join(abs, "dist"),
		Bundle:              true,
		Write:               false,
		Engines:             []api.Engine{{Name: api.EngineChrome, Version: "90"}},
		Format:              format,
		Charset:             api.CharsetUTF8,
		LegalComments:       api.LegalCommentsNone,
		MinifyWhitespace:    true,
		MinifyIdentifiers:   true,
		MinifySyntax:        true,
		Sourcemap:           api.SourceMapNone,
		LogLevel:            api.LogLevelSilent,
	})
	if len(res.Errors) > 0 {
		var errs []error
		for _, m := range res.Errors {
			where := ""
			if m.Location != nil {
				where = fmt.Sprintf("%s:%d: ", m.Location.File, m.Location.Line)
			}
			errs = append(errs, errors.New(where+m.Text))
		}
		return nil, errors.Join(errs...)
	}
	files := map[string][]byte{}
	for _, f := range res.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	return files, nil
}

func plain(word string) bool {
	for _, r := range word {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	return word != ""
}

// weigh returns the gzipped sizes of what the form page needs to be used and of all that a
// visit can load; it fails above either budget.
func weigh(files map[string][]byte) (form, visit int, err error) {
	if form, err = zipped(files, formFiles[:]); err != nil {
		return 0, 0, err
	}
	if visit, err = zipped(files, moreFiles[:]); err != nil {
		return 0, 0, err
	}
	visit += form
	if form > formBudget {
		return form, visit, fmt.Errorf("the form page weighs %d bytes gzip, the budget is %d", form, formBudget)
	}
	if visit > visitBudget {
		return form, visit, fmt.Errorf("all that a visit of the form page can load weighs %d bytes gzip, the budget is %d", visit, visitBudget)
	}
	return form, visit, nil
}

// zipped adds up how much files weigh on their way.
func zipped(files map[string][]byte, names []string) (int, error) {
	total := 0
	for _, name := range names {
		b, ok := files[name]
		if !ok {
			return 0, fmt.Errorf("no %s was built", name)
		}
		var buf bytes.Buffer
		zw, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
		if err != nil {
			return 0, err
		}
		if _, err := zw.Write(b); err != nil {
			return 0, err
		}
		if err := zw.Close(); err != nil {
			return 0, err
		}
		total += buf.Len()
	}
	return total, nil
}

// compare fails when a built file differs from the one in dist.
func compare(dist string, files map[string][]byte) error {
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil || !bytes.Equal(got, want) {
			return fmt.Errorf("dist/%s is not up to date: run go generate ./internal/web/ui and commit the result", name)
		}
	}
	return nil
}
