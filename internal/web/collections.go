package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
)

// wireCollection is a collection as its officers see it.
type wireCollection struct {
	ID        tianbao.ID    `json:"id"`
	Title     string        `json:"title"`
	Form      string        `json:"form"`
	FormV     int           `json:"form_version"`
	FormTitle string        `json:"form_title,omitempty"`
	Phase     tianbao.Phase `json:"phase"`
	PhaseName string        `json:"phase_name"`
	Owner     tianbao.ID    `json:"owner,omitempty"` // the unit whose subtree it is about
	Notice    tianbao.ID    `json:"notice,omitempty"`
	Opens     string        `json:"opens"`
	Closes    string        `json:"closes,omitempty"`
	Runs      bool          `json:"runs,omitempty"` // the caller runs it
	Rules     []wireRule    `json:"rules,omitempty"`
}

// wireRule is a rule of a collection about a part of the register.
type wireRule struct {
	ID         tianbao.ID       `json:"id"`
	Kind       tianbao.RuleKind `json:"kind"` // include, exclude, window, lock or reopen
	KindName   string           `json:"kind_name"`
	Unit       tianbao.ID       `json:"unit,omitempty"`
	UnitName   string           `json:"unit_name,omitempty"`
	Region     tianbao.ID       `json:"region,omitempty"`
	RegionName string           `json:"region_name,omitempty"`
	Opens      string           `json:"opens,omitempty"`
	Closes     string           `json:"closes,omitempty"`
	Reason     string           `json:"reason,omitempty"`
	Made       string           `json:"made"`
	Ended      string           `json:"ended,omitempty"` // when it was taken back

	rule tianbao.CampaignRule
}

// Rule is the rule behind it, for the page.
func (w *wireRule) Rule() *tianbao.CampaignRule { return &w.rule }

type wireCollections struct {
	Collections []wireCollection `json:"collections"`
}

// wireSetCollection is what an officer says of a collection. Times are RFC 3339, or as
// a form's date and time in the zone of Shanghai; closes is the first moment after it.
type wireSetCollection struct {
	Title    string     `json:"title"`
	FormName string     `json:"form"`             // name and version, e.g. asset-role.1
	Owner    tianbao.ID `json:"owner,omitempty"`  // when it is made
	Notice   tianbao.ID `json:"notice,omitempty"` // with which it is announced
	Opens    string     `json:"opens"`
	Closes   string     `json:"closes,omitempty"`
}

type wirePhase struct {
	Phase tianbao.Phase `json:"phase"` // open, ended or archived
}

// wireAddRule adds a rule about the subtree of a unit, named by id or code, or about a
// region.
type wireAddRule struct {
	Kind     tianbao.RuleKind `json:"kind"`
	Unit     tianbao.ID       `json:"unit,omitempty"`
	UnitCode string           `json:"unit_code,omitempty"`
	Region   tianbao.ID       `json:"region,omitempty"`
	Opens    string           `json:"opens,omitempty"`
	Closes   string           `json:"closes,omitempty"`
	Reason   string           `json:"reason,omitempty"`
}

// runner is the viewer as collections know it.
func (v *viewer) runner(r *http.Request) campaign.Actor {
	u := v.user()
	return campaign.Actor{User: u.ID, From: address(r), Runs: u.Scope(tianbao.PowerCampaign), Locks: u.Scope(tianbao.PowerLock)}
}

// parseMoment reads a time: RFC 3339, or what a form's date and time fields send; "" is
// the zero time.
func parseMoment(text string) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, clock.Shanghai); err == nil && t.Year() > 1970 && t.Year() < 3000 {
			return t, nil
		}
	}
	return time.Time{}, tianbao.Invalid("bad_time", "时间无法识别，请按“2022-09-23 18:00”的样子填写。")
}

// momentField is a time as a form's date and time field takes it.
func momentField(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Shanghai).Format("2006-01-02T15:04")
}

// notOwn refuses the forms that the program works with itself.
func (s *Server) notOwn(form string) error {
	if s.FormBook.Own(form) {
		return tianbao.Invalid("own_form", "这张表是系统登记单位、建立账号用的，不能用来采集，请另选一张采集表，或者在“表样管理”里建立一张。")
	}
	return nil
}

func (in *wireSetCollection) draft() (d campaign.Draft, err error) {
	name, version, _ := strings.Cut(in.FormName, ".")
	d = campaign.Draft{Title: in.Title, Form: name, Owner: in.Owner, Notice: in.Notice}
	d.FormV, _ = strconv.Atoi(version) // 0 is no version
	if d.Opens, err = parseMoment(in.Opens); err == nil {
		d.Closes, err = parseMoment(in.Closes)
	}
	return d, err
}

func (s *Server) toCollection(c *tianbao.Campaign, runs bool) wireCollection {
	out := wireCollection{
		ID: c.ID, Title: c.Title, Form: c.Form, FormV: c.FormV, Phase: c.Phase(), PhaseName: c.Phase().Title(),
		Owner: c.Owner, Notice: c.Notice, Opens: stamp(c.Opens), Closes: stamp(c.Closes), Runs: runs,
	}
	if rules, err := s.Reports.Rules(c.Form, c.FormV); err == nil {
		out.FormTitle = rules.Form().Title
	}
	return out
}

// formChoice is a form that a collection may have.
type formChoice struct{ Value, Title string }

// collectionsPage is the data of collections.html.
type collectionsPage struct {
	CSRF        string
	Collections []collectionLine
	Makes       bool // the viewer may make a new one
	Shapes      bool // the viewer may change forms
	Register    bool // the viewer keeps the register
	Forms       []formChoice
	Notices     []tianbao.Notice
	Message     string
	In          wireSetCollection
}

type collectionLine struct {
	wireCollection
	Begin, End time.Time
}

// collections lists the collections that the viewer runs, and those in which the viewer
// may lock and reopen units.
func (s *Server) collections(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.collectionList(w, r, v, http.StatusOK, "", wireSetCollection{})
}

func (s *Server) collectionList(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string, in wireSetCollection) error {
	list, err := s.Campaigns.Store.Collections(r.Context())
	if err != nil {
		return err
	}
	a, u := v.runner(r), v.user()
	p := collectionsPage{CSRF: v.signed.CSRF, Makes: u.May(tianbao.PowerCampaign), Shapes: provincial(v) == nil, Register: u.May(tianbao.PowerRegister), Message: message, In: in}
	out := wireCollections{Collections: []wireCollection{}}
	for i := range list {
		c, runs, err := s.Campaigns.Collection(r.Context(), a, list[i].ID)
		if tianbao.KindOf(err) == tianbao.ErrNotFound && err != nil {
			continue
		}
		if err != nil {
			return err
		}
		line := collectionLine{wireCollection: s.toCollection(&c, runs), Begin: c.Opens, End: c.Closes}
		p.Collections = append(p.Collections, line)
		out.Collections = append(out.Collections, line.wireCollection)
	}
	if p.Forms, err = s.formChoices(r.Context(), nil); err != nil {
		return err
	}
	if p.Notices, err = s.noticeChoices(r, v); err != nil {
		return err
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	s.page(w, r, v, status, "collections.html", "采集管理", &p)
	return nil
}

// formChoices are the forms that a collection may have, newest versions only, and the one
// that it has.
func (s *Server) formChoices(ctx context.Context, has *tianbao.Campaign) (out []formChoice, err error) {
	forms, err := s.Forms(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range forms {
		if has != nil && f.Name == has.Form && f.Version == has.FormV {
			has = nil
		}
		out = append(out, choiceOf(f))
	}
	if has != nil {
		rules, err := s.Reports.Rules(has.Form, has.FormV)
		if err != nil {
			return nil, err
		}
		out = append(out, choiceOf(rules.Form()))
	}
	return out, nil
}

func choiceOf(f *tianbao.Form) formChoice {
	return formChoice{f.Name + "." + strconv.Itoa(f.Version), f.Title}
}

// makeCollection makes a collection, to be prepared.
func (s *Server) makeCollection(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSetCollection
	if err := read(r, &in); err != nil {
		return err
	}
	d, err := in.draft()
	if err == nil {
		err = s.notOwn(d.Form)
	}
	var id tianbao.ID
	if err == nil {
		id, err = s.Campaigns.Create(r.Context(), v.runner(r), d)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.collectionList(w, r, v, statuses[tianbao.ErrInvalid], asError(err).Message, in)
	}
	return s.done(w, r, wireMade{id}, collectionPath(id))
}

func collectionPath(id tianbao.ID) string { return "/collections/" + id.String() }
