package web

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// The purpose notice (告知书): before somebody's first entry the page says who collects
// what of people, what for, for how long, and what rights they have (PIPL art. 7, 17, 23,
// 30, 35), and keeps the yes with version, time and account. Without a yes to the newest
// version no route shows what stands in a sheet or takes anything in.

// Purposes keeps the notice and who said yes. internal/store implements it.
type Purposes interface {
	// Purpose returns the newest version; Version 0: there is none.
	Purpose(ctx context.Context) (tianbao.Purpose, error)
	// Purposes returns all versions, newest first, with how many said yes to each.
	Purposes(ctx context.Context) ([]tianbao.Purpose, error)
	// PublishPurpose adds a version with its event; the event's actor publishes it.
	PublishPurpose(ctx context.Context, text string, e tianbao.Event) (version int, err error)
	// PurposeYes returns version and time of the account's newest yes, Version 0: none.
	PurposeYes(ctx context.Context, user tianbao.ID) (tianbao.Purpose, error)
	// AgreeToPurpose keeps the yes of the event's actor to the version, which must be
	// the newest: tianbao.ErrConflict otherwise.
	AgreeToPurpose(ctx context.Context, version int, e tianbao.Event) error
}

type wirePurpose struct {
	Version   int    `json:"version"` // 0: there is none
	Published string `json:"published,omitempty"`
	Text      string `json:"text"`             // Markdown
	Agreed    int    `json:"agreed,omitempty"` // the version that the caller said yes to
	At        string `json:"at,omitempty"`     // when
}

type wireAgree struct {
	Version int    `json:"version"`
	Next    string `json:"next,omitempty"`
}

type wirePurposes struct {
	Versions []wirePurposeVersion `json:"versions"`
}

type wirePurposeVersion struct {
	Version   int    `json:"version"`
	Published string `json:"published"`
	By        string `json:"by,omitempty"`
	Agreed    int    `json:"agreed"` // accounts
	Text      string `json:"text"`
}

type wirePurposeText struct {
	Text string `json:"text"`
}

const (
	minPurposeText = 200 // characters; less cannot say what art. 17 asks for
	maxPurposeText = 20_000
)

// needsPurpose reports whether a route shows or takes in what stands in a sheet.
func needsPurpose(rt *route) bool {
	return rt.Rule.name == ownReport.name || rt.Rule.name == revealReport.name ||
		slices.Contains([]string{"acrossRows", "registerChanges", "roster", "reportChange", "personTimeline"}, rt.ID)
}

// informed keeps those who fill in out of the sheets until they said yes to the newest
// version of the notice. It comes after the rule: what lies outside the scope stays 404.
func informed(rt *route, v *viewer) error {
	if u := v.user(); !needsPurpose(rt) || !u.May(tianbao.PowerFill) || v.signed.Informed {
		return nil
	}
	return &tianbao.Error{Kind: tianbao.ErrForbidden, Code: "purpose", Message: "填报前请先打开首页的“告知书”（/purpose），阅读并表示同意。"}
}

// purposePage is the data of purpose.html.
type purposePage struct {
	tianbao.Purpose
	Body   template.HTML
	Asks   bool            // the viewer fills in and has not said yes to this version
	Yes    tianbao.Purpose // what the viewer said yes to, and when
	CSRF   string
	Next   string
	Editor bool // the viewer may publish a version
}

// purpose shows the notice to everybody who is signed in, and asks who fills in.
func (s *Server) purpose(w http.ResponseWriter, r *http.Request, v *viewer) error {
	n, err := s.Purposes.Purpose(r.Context())
	if err != nil {
		return err
	}
	yes, err := s.Purposes.PurposeYes(r.Context(), v.user().ID)
	if err != nil {
		return err
	}
	body, err := renderMarkdown([]byte(n.Text))
	if err != nil {
		return err
	}
	u := v.user()
	p := &purposePage{
		Purpose: n, Body: body, Yes: yes, CSRF: v.signed.CSRF, Next: localPath(r.URL.Query().Get("next")),
		Asks: u.May(tianbao.PowerFill) && yes.Version < n.Version, Editor: u.May(tianbao.PowerCampaign),
	}
	out := wirePurpose{Version: n.Version, Text: n.Text, Agreed: yes.Version}
	if n.Version > 0 {
		out.Published = stamp(n.At)
	}
	if yes.Version > 0 {
		out.At = stamp(yes.At)
	}
	return s.answer(w, r, v, out, "purpose.html", "告知书", p)
}

// agree keeps the viewer's yes and leads back to where it was asked for.
func (s *Server) agree(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAgree
	if err := read(r, &in); err != nil {
		return err
	}
	if err := s.Purposes.AgreeToPurpose(r.Context(), in.Version, tianbao.Event{Actor: v.user().ID, From: address(r)}); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, localPath(in.Next))
}

// purposesPage is the data of purposes.html.
type purposesPage struct {
	Versions []purposeVersion
	Text     string // what the form begins with
	CSRF     string
	Message  string
	Min      int
}

// purposeVersion is a version with its text as a page shows it.
type purposeVersion struct {
	tianbao.Purpose
	Body template.HTML
}

func (s *Server) purposes(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showPurposes(w, r, v, http.StatusOK, "", "")
}

func (s *Server) showPurposes(w http.ResponseWriter, r *http.Request, v *viewer, status int, message, text string) error {
	list, err := s.Purposes.Purposes(r.Context())
	if err != nil {
		return err
	}
	if !wantsJSON(r) {
		p := &purposesPage{Text: text, CSRF: v.signed.CSRF, Message: message, Min: minPurposeText}
		if text == "" && len(list) > 0 {
			p.Text = list[0].Text
		}
		for _, n := range list {
			body, err := renderMarkdown([]byte(n.Text))
			if err != nil {
				return err
			}
			p.Versions = append(p.Versions, purposeVersion{n, body})
		}
		s.page(w, r, v, status, "purposes.html", "告知书的各版", p)
		return nil
	}
	out := wirePurposes{Versions: []wirePurposeVersion{}}
	for _, n := range list {
		out.Versions = append(out.Versions, wirePurposeVersion{n.Version, stamp(n.At), n.By, n.Yes, n.Text})
	}
	return s.json(w, status, out)
}

// publishPurpose adds a version; everybody who fills in is asked anew.
func (s *Server) publishPurpose(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wirePurposeText
	if err := read(r, &in); err != nil {
		return err
	}
	err := s.addPurpose(r, v, in.Text)
	if again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
		return s.showPurposes(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, in.Text)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/purpose/versions")
}

func (s *Server) addPurpose(r *http.Request, v *viewer, text string) error {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch n := utf8.RuneCountInString(text); {
	case n < minPurposeText:
		return tianbao.Invalid("purpose_text", "告知书太短，请写明谁收集、为了什么、收集哪些信息、保存多久、本人有哪些权利、有问题找谁。")
	case n > maxPurposeText:
		return tianbao.Invalid("purpose_text", "告知书太长，最多 20000 字，请精简。")
	}
	newest, err := s.Purposes.Purpose(r.Context())
	if err == nil && strings.TrimSpace(newest.Text) == text {
		err = tianbao.Invalid("purpose_same", "内容与现行的一版相同，没有发布。")
	}
	if err == nil {
		_, err = s.Purposes.PublishPurpose(r.Context(), text, tianbao.Event{Actor: v.user().ID, From: address(r)})
	}
	return err
}
