package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"tianbao"
	"tianbao/internal/web/ui"
)

// asset is a file of the site, also as it travels. Nothing in it depends on who asks,
// so its length tells nothing; pages and data are not compressed, for there a length
// could (they hold tokens beside what was typed).
type asset struct {
	kind   string
	plain  []byte
	zipped func() []byte // compressed when first asked for
}

// loadAssets reads the site's style and scripts.
func loadAssets() (map[string]asset, error) {
	files := ui.Files()
	names, err := fs.Glob(files, "*.*s") // style and scripts; the manifest stays here
	if err != nil {
		return nil, fmt.Errorf("web: list the site's files: %w", err)
	}
	assets := map[string]asset{}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("web: read a file of the site: %w", err)
		}
		kind := "text/javascript; charset=utf-8"
		if path.Ext(name) == ".css" {
			kind = "text/css; charset=utf-8"
		}
		assets[name] = asset{kind, b, sync.OnceValue(func() []byte { return zipped(b) })}
	}
	return assets, nil
}

func zipped(b []byte) []byte {
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
	if err != nil {
		panic(err) // the level exists
	}
	_, _ = w.Write(b) // a buffer takes all
	_ = w.Close()
	return z.Bytes()
}

// uiFile serves the site's own style and script from the binary.
func (s *Server) uiFile(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	a, ok := s.assets[r.PathValue("file")]
	if !ok {
		return tianbao.NotFound()
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	// The pages ask with the content's hash (?v=), so a copy may be kept for good.
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	b := a.plain
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		b = a.zipped()
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, err := w.Write(b)
	return err
}

// takesGzip reads an Accept-Encoding header (RFC 9110, 12.5.3) as far as gzip goes:
// named or covered by "*", and not with a weight of nought.
func takesGzip(header string) bool {
	star := false
	for part := range strings.SplitSeq(header, ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		q := 1.0
		if v, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				q = 0
			}
		}
		switch name {
		case "gzip", "x-gzip":
			return q > 0
		case "*":
			star = q > 0
		}
	}
	return star
}

// healthz tells a load balancer whether to send people here.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	if err := s.Catalog.Ready(r.Context()); err != nil {
		return &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "database", RetryAfter: 5, Message: "数据库没有响应，请稍候再试。", Err: err}
	}
	return s.json(w, http.StatusOK, wireHealth{"ok", s.Version})
}
