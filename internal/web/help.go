package web

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"tianbao"
)

// helpText is the manual as a page.
type helpText struct {
	Body   template.HTML
	Bureau bool // it is the bureaus'
}

// renderMarkdown renders Markdown without raw HTML, so that what an officer writes
// into a notice cannot become a script.
func renderMarkdown(src []byte) (template.HTML, error) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var buf bytes.Buffer
	if err := md.Convert(src, &buf); err != nil {
		return "", fmt.Errorf("web: render Markdown: %w", err)
	}
	return template.HTML(buf.String()), nil //#nosec G203 -- goldmark escapes raw HTML unless told otherwise
}

// renderHelp renders a manual once, at its first reader.
func (s *Server) renderHelp(manual []byte, bureau bool) func() (helpText, error) {
	return sync.OnceValues(func() (helpText, error) {
		body, err := renderMarkdown(manual)
		return helpText{template.HTML(s.served(string(body))), bureau}, err //#nosec G203 -- as above
	})
}

// served leads a manual's links to where they lie here: in docs/ its pictures and the
// other manual lie beside it. A picture comes with its size, so that the text below does
// not move when it arrives.
func (s *Server) served(body string) string {
	body = pictureRef.ReplaceAllStringFunc(body, func(ref string) string {
		name := pictureRef.FindStringSubmatch(ref)[1]
		size := ""
		if b, err := s.Pictures(name); err == nil {
			if c, err := png.DecodeConfig(bytes.NewReader(b)); err == nil {
				size = fmt.Sprintf(` width="%d" height="%d"`, c.Width, c.Height)
			}
		}
		return `src="/help/img/` + name + `"` + size
	})
	return strings.NewReplacer(`href="manual.zh.md"`, `href="/help"`, `href="manual-bureau.zh.md"`, `href="/help/bureau"`).Replace(body)
}

func (s *Server) helpPage(w http.ResponseWriter, r *http.Request, v *viewer) error {
	h, err := s.help()
	if err != nil {
		return err
	}
	s.page(w, r, v, http.StatusOK, "help.html", "帮助", &h)
	return nil
}

// bureauHelp is the manual of the finance bureaus.
func (s *Server) bureauHelp(w http.ResponseWriter, r *http.Request, v *viewer) error {
	h, err := s.bureau()
	if err != nil {
		return err
	}
	s.page(w, r, v, http.StatusOK, "help.html", "财政部门操作手册", &h)
	return nil
}

func (s *Server) helpImage(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	b, err := s.Pictures(r.PathValue("file"))
	if err != nil || !strings.HasSuffix(r.PathValue("file"), ".png") {
		return tianbao.NotFound()
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	_, err = w.Write(b)
	return err
}

// StandaloneManual renders a manual as one HTML file that needs nothing beside it:
// its pictures are inside, so that it can be mailed and opened anywhere.
func StandaloneManual(title string, src []byte, pictures func(name string) ([]byte, error)) ([]byte, error) {
	body, err := renderMarkdown(src)
	if err != nil {
		return nil, err
	}
	text := pictureRef.ReplaceAllStringFunc(string(body), func(ref string) string {
		b, err := pictures(pictureRef.FindStringSubmatch(ref)[1])
		if err != nil {
			return ref // a missing picture shows its description
		}
		return `src="data:image/png;base64,` + base64.StdEncoding.EncodeToString(b) + `"`
	})
	return []byte(`<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>` + template.HTMLEscapeString(title) + `</title>` +
		`<style>body{max-width:48em;margin:2em auto;padding:0 1em;font:16px/1.7 "Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#222}` +
		`img{max-width:100%;border:1px solid #ccc}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3em .6em}</style>` + text), nil
}

var pictureRef = regexp.MustCompile(`src="img/([a-z0-9-]+\.png)"`)
