package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/form"
)

// 表样管理: the forms of collections, their versions and the drafts of new ones. It is for
// the officers of the whole register; for others there is nothing here.

// FormBook keeps published forms and drafts. internal/app ties it together.
type FormBook interface {
	// Own reports whether a form is one of the program's own work, which no page changes.
	Own(name string) bool
	// FormVersions returns the published versions, by name and then version.
	FormVersions(ctx context.Context) ([]tianbao.FormVersion, error)
	// FormDrafts returns all drafts, the last changed first.
	FormDrafts(ctx context.Context) ([]tianbao.FormDraft, error)
	FormDraft(ctx context.Context, id tianbao.ID) (tianbao.FormDraft, error)
	// MakeFormDraft, ChangeFormDraft, DropFormDraft and PublishForm write together with
	// the event, whose actor does it; tianbao.ErrConflict where another was faster.
	MakeFormDraft(ctx context.Context, name string, definition []byte, e tianbao.Event) (tianbao.ID, error)
	ChangeFormDraft(ctx context.Context, d tianbao.FormDraft, e tianbao.Event) error
	DropFormDraft(ctx context.Context, id tianbao.ID, version int64, e tianbao.Event) error
	PublishForm(ctx context.Context, d tianbao.FormDraft, definition []byte, e tianbao.Event) error
}

type wireForms struct {
	Forms  []wireForm      `json:"forms"`
	Drafts []wireFormDraft `json:"drafts"`
}

type wireForm struct {
	Name     string            `json:"name"`
	Title    string            `json:"title"`    // of the newest version
	Versions []wireFormVersion `json:"versions"` // the newest first
}

type wireFormVersion struct {
	Version   int    `json:"version"`
	Published string `json:"published"`
	By        string `json:"by,omitempty"` // empty: it came with the program

	at time.Time
}

// At is when it was published, for the page.
func (v wireFormVersion) At() time.Time { return v.at }

// wireFormFault is what is wrong with a definition, at one place of its file.
type wireFormFault struct {
	Line    int    `json:"line,omitempty"`
	Place   string `json:"place,omitempty"`
	Message string `json:"message"`
}

// wireFormFaults refuses a file.
type wireFormFaults struct {
	Faults []wireFormFault `json:"faults"`
}

type wireBeginDraft struct {
	Form string `json:"form,omitempty"` // name and version to begin with, e.g. asset-role.1; empty: a new form
}

// wireFormFile is the upload of a definition file.
type wireFormFile struct{}

// formsPage is the data of forms.html.
type formsPage struct {
	CSRF    string
	Message string
	Faults  []wireFormFault // of an uploaded file
	File    string
	wireForms
}

// provincial answers 404 to those who do not run collections of the whole register.
func provincial(v *viewer) error {
	u := v.user()
	for _, p := range u.Scope(tianbao.PowerCampaign).Paths {
		if strings.Count(p, "/") <= 2 {
			return nil
		}
	}
	return tianbao.NotFound()
}

// formEvent is what the viewer does with a form, for the trail.
func formEvent(r *http.Request, v *viewer) tianbao.Event {
	return tianbao.Event{Actor: v.user().ID, From: address(r)}
}

// formBook lists the forms and drafts.
func (s *Server) formBook(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := provincial(v); err != nil {
		return err
	}
	return s.formsShow(w, r, v, http.StatusOK, formsPage{})
}

func (s *Server) formsShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, p formsPage) error {
	ctx := r.Context()
	versions, err := s.FormBook.FormVersions(ctx)
	if err != nil {
		return err
	}
	p.CSRF, p.wireForms = v.signed.CSRF, wireForms{Forms: []wireForm{}, Drafts: []wireFormDraft{}}
	for _, x := range versions {
		if s.FormBook.Own(x.Name) {
			continue
		}
		if n := len(p.Forms); n == 0 || p.Forms[n-1].Name != x.Name {
			p.Forms = append(p.Forms, wireForm{Name: x.Name})
		}
		f := &p.Forms[len(p.Forms)-1]
		f.Versions = append([]wireFormVersion{{x.Version, stamp(x.At), x.By, x.At}}, f.Versions...)
	}
	for i := range p.Forms {
		rules, err := s.Reports.Rules(p.Forms[i].Name, p.Forms[i].Versions[0].Version)
		if err != nil {
			return err
		}
		p.Forms[i].Title = rules.Form().Title
	}
	drafts, err := s.FormBook.FormDrafts(ctx)
	if err != nil {
		return err
	}
	for i := range drafts {
		p.Drafts = append(p.Drafts, toFormDraft(&drafts[i]))
	}
	if wantsJSON(r) {
		return s.json(w, status, p.wireForms)
	}
	s.page(w, r, v, status, "forms.html", "表样管理", &p)
	return nil
}

// beginDraft makes a draft from a published version, or of a new form.
func (s *Server) beginDraft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireBeginDraft
	if err := read(r, &in); err != nil {
		return err
	}
	if err := provincial(v); err != nil {
		return err
	}
	name, definition := form.Blank()
	if in.Form != "" {
		var version string
		var err error
		name, version, _ = strings.Cut(in.Form, ".")
		if definition, err = s.publishedForm(name, atoi(version, 0)); err != nil {
			return err
		}
	}
	return s.draftMade(w, r, v, name, definition)
}

// publishedForm returns the definition of a collection's form.
func (s *Server) publishedForm(name string, version int) ([]byte, error) {
	if s.FormBook.Own(name) {
		return nil, tianbao.NotFound()
	}
	b, err := s.Schema(name, version)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return nil, tianbao.NotFound()
	}
	return b, err
}

func (s *Server) draftMade(w http.ResponseWriter, r *http.Request, v *viewer, name string, definition []byte) error {
	id, err := s.FormBook.MakeFormDraft(r.Context(), name, definition, formEvent(r, v))
	if err != nil {
		return err
	}
	return s.done(w, r, wireMade{id}, draftPath(id))
}

// loadDraft makes a draft of a definition file, or tells everything that is wrong with it.
func (s *Server) loadDraft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := provincial(v); err != nil {
		return err
	}
	name, data, err := upload(r)
	if err != nil {
		return err
	}
	f, faults := form.Read(data)
	if len(faults) == 0 && s.FormBook.Own(f.Name) {
		faults = []form.Fault{{Line: 1, Place: "tianbao:name", Message: ownForm}}
	}
	if len(faults) > 0 {
		status := statuses[tianbao.ErrInvalid]
		if wantsJSON(r) {
			return s.json(w, status, wireFormFaults{toFormFaults(faults, true)})
		}
		return s.formsShow(w, r, v, status, formsPage{File: name, Faults: toFormFaults(faults, true)})
	}
	return s.draftMade(w, r, v, f.Name, data)
}

const ownForm = "这个代号是系统自用的，请换一个。"

// toFormFaults tells faults; those of a draft without lines of its file, which nobody sees.
func toFormFaults(faults []form.Fault, lines bool) []wireFormFault {
	out := make([]wireFormFault, len(faults))
	for i, x := range faults {
		out[i] = wireFormFault{Place: x.Place, Message: x.Message}
		if lines {
			out[i].Line = x.Line
		}
	}
	return out
}

// wireFormView is a published version, with what differs from an earlier one.
type wireFormView struct {
	Name       string               `json:"name"`
	Version    int                  `json:"version"`
	Title      string               `json:"title"`
	With       int                  `json:"with,omitempty"` // the version it is compared with
	Difference []wireFormDifference `json:"difference"`
}

type wireFormDifference struct {
	Field string `json:"field,omitempty"`
	Title string `json:"title,omitempty"`
	What  string `json:"what"`
	Was   string `json:"was,omitempty"`
	Is    string `json:"is,omitempty"`
}

func toDifference(was, is *tianbao.Form) []wireFormDifference {
	out := []wireFormDifference{}
	for _, d := range form.Diff(was, is) {
		out = append(out, wireFormDifference(d))
	}
	return out
}

// formPage is the data of form.html: a form as people read it.
type formPage struct {
	CSRF       string
	Form       *tianbao.Form
	Draft      *wireFormDraft // nil: it is published
	Next       int            // the version that the draft would become
	With       int            // the version it is compared with, 0: none
	Others     []int          // with which it may be compared
	Difference []wireFormDifference
	Message    string
}

// Checks are the rules of a field in words.
func (p *formPage) Checks(f tianbao.Field) (out []ruleInWords) {
	for _, name := range f.Kind.Faults() {
		if severity, asked := f.Rules[name]; asked {
			out = append(out, ruleInWords{f.Kind.Check(name), severity.Title()})
		}
	}
	return out
}

type ruleInWords struct{ Text, Severity string }

// Severity is how heavy a rule weighs, in words.
func (p *formPage) Severity(r tianbao.CrossRule) string { return r.Severity.Title() }

// formView shows a published version, compared with ?with= or the version before.
func (s *Server) formView(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := provincial(v); err != nil {
		return err
	}
	name, version := r.PathValue("form"), atoi(r.PathValue("version"), 0)
	f, err := s.readForm(name, version)
	if err != nil {
		return err
	}
	versions, err := s.FormBook.FormVersions(r.Context())
	if err != nil {
		return err
	}
	p := &formPage{CSRF: v.signed.CSRF, Form: f, With: atoi(r.URL.Query().Get("with"), version-1)}
	for _, x := range versions {
		if x.Name == name && x.Version != version {
			p.Others = append(p.Others, x.Version)
		}
	}
	out := wireFormView{Name: name, Version: version, Title: f.Title, Difference: []wireFormDifference{}}
	if p.With > 0 {
		was, err := s.readForm(name, p.With)
		if err != nil {
			return err
		}
		out.With, out.Difference = p.With, toDifference(was, f)
		p.Difference = out.Difference
	}
	return s.answer(w, r, v, out, "form.html", fmt.Sprintf("%s 第 %d 版", f.Title, version), p)
}

// readForm returns a published form of collections.
func (s *Server) readForm(name string, version int) (*tianbao.Form, error) {
	b, err := s.publishedForm(name, version)
	if err != nil {
		return nil, err
	}
	return form.Parse(b)
}

func draftPath(id tianbao.ID) string { return "/form-drafts/" + id.String() }

func formPath(name string, version int) string {
	return "/form-definitions/" + name + "/" + strconv.Itoa(version)
}
