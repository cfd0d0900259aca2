// Package docs puts the user's manual and its pictures into the binary, where the
// help page and the notice of the demonstration read them. The pictures are taken
// by the browser tests (e2e) and committed.
package docs

import (
	"embed"
	"fmt"
)

//go:embed manual.zh.md manual-bureau.zh.md img/*.png
var files embed.FS

// Manual returns the user's manual as Markdown.
func Manual() ([]byte, error) {
	b, err := files.ReadFile("manual.zh.md")
	if err != nil {
		return nil, fmt.Errorf("docs: read the manual: %w", err)
	}
	return b, nil
}

// BureauManual returns the manual of the finance bureaus, who run collections, as Markdown.
func BureauManual() ([]byte, error) {
	b, err := files.ReadFile("manual-bureau.zh.md")
	if err != nil {
		return nil, fmt.Errorf("docs: read the bureaus' manual: %w", err)
	}
	return b, nil
}

// Picture returns a picture of the manual by its file name.
func Picture(name string) ([]byte, error) {
	b, err := files.ReadFile("img/" + name)
	if err != nil {
		return nil, fmt.Errorf("docs: read a picture: %w", err)
	}
	return b, nil
}
