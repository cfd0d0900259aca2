// Command sbom prints the bill of materials of a built program as CycloneDX 1.6: the
// modules that the linker put into it, with their versions and sums, read back out of
// the file itself. What is in the list is what runs, and not what a go.mod would allow.
//
//	go run ./cmd/sbom bin/tianbao > bin/tianbao.cdx.json
//
// The pages' scripts and styles are our own source and have no further components
// (docs/design.md); the Go toolchain stands in the list as the one thing beside modules.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
)

// bom is as much of CycloneDX 1.6 as is needed.
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func main() {
	if len(os.Args) != 2 {
		_, _ = fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(path string, w io.Writer) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := buildinfo.Read(f)
	if err != nil {
		return fmt.Errorf("read the build information of %s: %w", path, err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<40)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(list(info, hex.EncodeToString(h.Sum(nil))))
}

// list makes the document; it has no time and no random number, so that the same program
// gives the same document.
func list(info *debug.BuildInfo, digest string) bom {
	main := component{
		Type: "application", Ref: "program", Name: info.Main.Path, Version: info.Main.Version,
		Hashes: []hash{{"SHA-256", digest}},
	}
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "vcs") || s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" || s.Key == "-trimpath" {
			main.Properties = append(main.Properties, property{"build:" + s.Key, s.Value})
		}
	}
	toolchain := strings.TrimPrefix(strings.Fields(info.GoVersion)[0], "go")
	std := component{Type: "library", Ref: "pkg:golang/std@" + toolchain, Name: "std", Version: toolchain, PURL: "pkg:golang/std@" + toolchain}
	b := bom{
		Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{main},
		Components: []component{std}, Dependencies: []dependency{{Ref: main.Ref, DependsOn: []string{std.Ref}}},
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		purl := "pkg:golang/" + m.Path + "@" + url.PathEscape(m.Version)
		c := component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl}
		if m.Sum != "" {
			c.Properties = []property{{"go:sum", m.Sum}}
		}
		b.Components = append(b.Components, c)
		b.Dependencies[0].DependsOn = append(b.Dependencies[0].DependsOn, purl)
	}
	return b
}
