package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/message"
)

// reader is the viewer as notices know it.
func (v *viewer) reader(r *http.Request) *message.Actor {
	u := v.user()
	a := message.ActorOf(&u, address(r))
	return &a
}

// noticesPageSize is how many notices, receipts or questions a page lists.
const noticesPageSize = 50

// noticesPage is the data of notices.html.
type noticesPage struct {
	Notices []tianbao.Notice
	Led     []tianbao.Notice // those of the viewer's own bureaus, drafts too
	Leads   bool
	Open    int // questions that wait for the viewer
	Next    int // offset of the next page, 0: none
}

func (s *Server) notices(w http.ResponseWriter, r *http.Request, v *viewer) error {
	a, offset := v.reader(r), atoi(r.URL.Query().Get("offset"), 0)
	ns, err := s.Messages.Store.Notices(r.Context(), &a.Reader, offset, noticesPageSize+1)
	if err != nil {
		return err
	}
	p := noticesPage{Notices: ns, Leads: len(a.Seats) > 0}
	if len(ns) > noticesPageSize {
		p.Notices, p.Next = ns[:noticesPageSize], offset+noticesPageSize
	}
	out := wireNotices{Notices: toNotices(p.Notices), Next: p.Next}
	if p.Leads {
		if p.Led, err = s.Messages.Store.Led(r.Context(), a.Leads, 0, noticesPageSize); err != nil {
			return err
		}
		if p.Open, err = s.Messages.Store.OpenQuestions(r.Context(), a.Leads); err != nil {
			return err
		}
		out.Led, out.Open = toNotices(p.Led), p.Open
	}
	return s.answer(w, r, v, out, "notices.html", "消息公告", &p)
}

// noticeChoices are the notices that a collection may be announced with.
func (s *Server) noticeChoices(r *http.Request, v *viewer) ([]tianbao.Notice, error) {
	a := v.reader(r)
	ns, err := s.Messages.Store.Notices(r.Context(), &a.Reader, 0, 100)
	if err != nil {
		return nil, err
	}
	out, known := make([]tianbao.Notice, 0, len(ns)), make(map[tianbao.ID]bool)
	for _, n := range ns {
		if known[n.ID] = true; n.State == tianbao.NoticePublished {
			out = append(out, n)
		}
	}
	led, err := s.Messages.Store.Led(r.Context(), a.Leads, 0, 100)
	for _, n := range led {
		if !known[n.ID] && n.State != tianbao.NoticeWithdrawn {
			out = append(out, n)
		}
	}
	return out, err
}

// unread is how much the viewer has to read, for the top of every page. A page is shown
// also when it cannot be told.
func (s *Server) unread(r *http.Request, v *viewer) int {
	if s.Messages == nil || v.signed == nil || v.signed.Pending != "" {
		return 0
	}
	n, err := s.Messages.Store.Unread(r.Context(), &v.reader(r).Reader)
	if err != nil {
		s.Log.Error("cannot count what is unread", "err", err)
		return 0
	}
	return n
}

// noticePage is the data of notice.html.
type noticePage struct {
	message.View
	CSRF     string
	Body     template.HTML
	Campaign tianbao.Campaign
	Receipts bool // the viewer may see who read it
	Message  string
	Text     string // of a question that was refused
	Max      int
}

// notice shows a notice, and keeps that it was read.
func (s *Server) notice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	show := s.Messages.Read
	if r.Method == http.MethodHead {
		show = s.Messages.Show
	}
	view, err := show(r.Context(), v.reader(r), id)
	if err != nil {
		return err
	}
	return s.noticeAnswer(w, r, v, http.StatusOK, &view, "", "")
}

func (s *Server) noticeAnswer(w http.ResponseWriter, r *http.Request, v *viewer, status int, view *message.View, problem, text string) error {
	n := &view.Notice
	u := v.user()
	p := noticePage{View: *view, CSRF: v.signed.CSRF, Message: problem, Text: text, Max: message.MaxQuestion}
	p.Receipts = u.May(tianbao.PowerLock) && n.State != tianbao.NoticeDraft
	var err error
	if p.Body, err = noticeHTML(n.Body, n.Plain); err != nil {
		return err
	}
	if n.Campaign != 0 {
		// A collection that is not open is nobody's business yet.
		if p.Campaign, err = s.Catalog.Campaign(r.Context(), n.Campaign); err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
			return err
		}
	}
	if wantsJSON(r) {
		return s.json(w, status, toNoticeView(view))
	}
	s.page(w, r, v, status, "notice.html", n.Title, &p)
	return nil
}

// noticeHTML is the text of a notice as a page shows it. Whatever was typed is escaped:
// what officers write has no markup, and of Markdown the raw HTML is left out.
func noticeHTML(body string, plain bool) (template.HTML, error) {
	if !plain {
		return renderMarkdown([]byte(body))
	}
	var b strings.Builder
	for _, block := range message.Blocks(body) {
		open, item, end := "<p>", "<br>", "</p>"
		switch block.Kind {
		case "dots":
			open, item, end = "<ul><li>", "</li><li>", "</li></ul>"
		case "numbers":
			open, item, end = `<ol start="`+strconv.Itoa(block.Start)+`"><li>`, "</li><li>", "</li></ol>"
		}
		b.WriteString(open)
		for i, line := range block.Lines {
			if i > 0 {
				b.WriteString(item)
			}
			b.WriteString(template.HTMLEscapeString(line))
		}
		b.WriteString(end)
	}
	return template.HTML(b.String()), nil //#nosec G203 -- every line is escaped above
}

func (s *Server) attachment(w http.ResponseWriter, r *http.Request, v *viewer) error {
	notice, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	id, err := pathID(r, "attachment")
	if err != nil {
		return err
	}
	a, err := s.Messages.File(r.Context(), v.reader(r), notice, id)
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

// noticeVersionsPage is the data of noticeversions.html.
type noticeVersionsPage struct {
	Notice   tianbao.Notice
	Versions []noticeVersion
}

type noticeVersion struct {
	message.Version
	Body template.HTML
}

// noticeVersions shows what a notice said before it was amended.
func (s *Server) noticeVersions(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	n, versions, err := s.Messages.Versions(r.Context(), v.reader(r), id)
	if err != nil {
		return err
	}
	p, out := noticeVersionsPage{Notice: n}, wireNoticeVersions{Versions: []wireNoticeVersion{}}
	for _, old := range versions {
		body, err := noticeHTML(old.Body, n.Plain)
		if err != nil {
			return err
		}
		p.Versions = append(p.Versions, noticeVersion{old, body})
		out.Versions = append(out.Versions, wireNoticeVersion{old.Version, old.Title, old.Issuer, old.Body, stamp(old.At)})
	}
	return s.answer(w, r, v, out, "noticeversions.html", "修改前的各版", &p)
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
