package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// laterScripts come after form.js on the same page, and share modules with it.
var laterScripts = [...]string{"later", "rules", "import"}

var (
	// sharedImport is how page/lib/shared.ts names what it shares.
	sharedImport = regexp.MustCompile(`import \* as (\w+) from "([^"]+)";`)
	exported     = regexp.MustCompile(`(?m)^export (?:async )?(?:function|class|const) (\w+)`)
)

// shared puts the modules that page/lib/shared.ts hands on in the place of copies: a
// script that comes later finds them where form.js has put them.
func shared(abs string) (api.Plugin, error) {
	from := filepath.Join(abs, "page", "lib", "shared.ts")
	b, err := os.ReadFile(from)
	if err != nil {
		return api.Plugin{}, err
	}
	names := map[string]string{} // by the module's path
	for _, m := range sharedImport.FindAllStringSubmatch(string(b), -1) {
		names[filepath.Join(filepath.Dir(from), m[2])+".ts"] = m[1]
	}
	load := func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		name, ok := names[a.Path]
		if !ok {
			return api.OnLoadResult{}, nil
		}
		b, err := os.ReadFile(a.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		var exports []string
		for _, m := range exported.FindAllStringSubmatch(string(b), -1) {
			exports = append(exports, m[1])
		}
		js := fmt.Sprintf("export const { %s } = window.tbShared.%s;", strings.Join(exports, ", "), name)
		return api.OnLoadResult{Contents: &js, Loader: api.LoaderJS}, nil
	}
	return api.Plugin{Name: "shared", Setup: func(b api.PluginBuild) {
		b.OnLoad(api.OnLoadOptions{Filter: `\.ts$`}, load)
	}}, nil
}
