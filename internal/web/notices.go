package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"tianbao"
)

// noticesPage is the data of notices.html.
type noticesPage struct{ Notices []tianbao.Notice }

func (s *Server) notices(w http.ResponseWriter, r *http.Request, v *viewer) error {
	ns, err := s.Catalog.Notices(r.Context())
	if err != nil {
		return err
	}
	return s.answer(w, r, v, wireNotices{toNotices(ns)}, "notices.html", "消息公告", &noticesPage{ns})
}

// noticePage is the data of notice.html.
type noticePage struct {
	Notice tianbao.Notice
	Body   template.HTML
}

func (s *Server) notice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	n, err := s.Catalog.Notice(r.Context(), id)
	if err != nil {
		return err
	}
	body, err := renderMarkdown([]byte(n.Body))
	if err != nil {
		return err
	}
	out := wireNotice{ID: n.ID, Title: n.Title, Issuer: n.Issuer, At: stamp(n.At), Body: n.Body}
	for _, a := range n.Attachments {
		out.Attachments = append(out.Attachments, wireAttachment{a.ID, a.Name, a.Size})
	}
	return s.answer(w, r, v, out, "notice.html", n.Title, &noticePage{n, body})
}

func (s *Server) attachment(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	notice, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	id, err := pathID(r, "attachment")
	if err != nil {
		return err
	}
	a, err := s.Catalog.Attachment(r.Context(), notice, id)
	if err != nil {
		return err
	}
	// Always a download: a file from outside must not run as a page of ours.
	w.Header().Set("Content-Type", a.Type)
	w.Header().Set("Content-Disposition", disposition(a.Name))
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Data)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.Data))
	return nil
}

// formSchema serves the published definition of a form.
func (s *Server) formSchema(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	b, err := s.Schema(r.PathValue("form"), atoi(r.PathValue("version"), 0))
	if err != nil {
		return tianbao.NotFound()
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("web: send a form's definition: %w", err)
	}
	return nil
}
