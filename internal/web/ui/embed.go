// Package ui holds what the browser gets: the style of the site and the bundled
// scripts, above all the sheet element <tb-sheet>.
//
// The sources are the TypeScript and CSS files beside this one; dist is built from
// them by cmd/webbuild, committed, and checked by a rebuild, so that building the
// product needs nothing but Go. The bundles contain our own code only.
//
// Danger: pages run under default-src 'self' with Trusted Types. Nothing here may
// use innerHTML, style attributes, inline scripts or data: addresses.
package ui

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:generate go run ../../../cmd/webbuild

//go:embed dist
var dist embed.FS

//go:embed words
var catalogue embed.FS

// Files returns the built files: style, scripts and manifest.json.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		// Sub fails only on an invalid path, and "dist" is valid.
		panic(err)
	}
	return sub
}

// Hashes returns the content hash of each built file by its name, for the part of
// an address that lets browsers keep the file for good.
func Hashes() (map[string]string, error) {
	b, err := fs.ReadFile(dist, "dist/manifest.json")
	if err != nil {
		return nil, fmt.Errorf("ui: read the manifest: %w", err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("ui: read the manifest: %w", err)
	}
	return m, nil
}

// Words returns a part of the catalogue of a language: its texts by the Chinese ones.
func Words(lang, part string) (map[string]string, error) {
	b, err := fs.ReadFile(catalogue, "words/"+lang+"/"+part+".json")
	if err != nil {
		return nil, fmt.Errorf("ui: read the words of %s: %w", lang, err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("ui: read the words of %s: %w", lang, err)
	}
	return m, nil
}
