package web

import (
	"io/fs"
	"net/http"
	"strings"

	"tianbao"
	"tianbao/internal/web/ui"
)

// uiFile serves the site's own style and script from the binary.
func (s *Server) uiFile(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	name := r.PathValue("file")
	b, err := fs.ReadFile(ui.Files(), name)
	if err != nil {
		return tianbao.NotFound()
	}
	switch {
	case strings.HasSuffix(name, ".css"):
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
	case strings.HasSuffix(name, ".js"):
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	default:
		return tianbao.NotFound()
	}
	// The pages ask with the content's hash (?v=), so a copy may be kept for good.
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, err = w.Write(b)
	return err
}

// healthz tells a load balancer whether to send people here.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	if err := s.Catalog.Ready(r.Context()); err != nil {
		return &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "database", RetryAfter: 5, Message: "数据库没有响应，请稍候再试。", Err: err}
	}
	return s.json(w, http.StatusOK, wireHealth{"ok", s.Version})
}
