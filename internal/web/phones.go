package web

import (
	"net/http"
	"strconv"
	"strings"

	"tianbao"
	"tianbao/internal/ident"
	"tianbao/internal/provision"
)

// 验证手机号: a code goes to the phone of somebody who is to have an account, who tells it
// to the unit's filler, who types it in here. Ids do not stand on these pages, phones are masked.

// phoneRoutes lists the routes of codes to phones.
func (s *Server) phoneRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	const unit = "/collections/{campaign}/units/{unit}/phones"
	fill := unitIn(tianbao.PowerFill)
	return []route{
		{get, "/phones", fillers, s.phoneWork, "phoneWork", "Units that the caller fills in for with people whom the newest plans hold until their phones are verified", nil, wirePhoneWork{}, false, 0},
		{get, unit, fill, s.phones, "phones", "The people of a unit with their phones, masked, and which are verified", nil, wirePhones{}, false, 0},
		{post, unit + "/send", fill, s.sendCodes, "sendCodes", "Send a code to the phone of one of the unit's people (row), or to all that have none", wireSendCodes{}, wireCodesSent{}, false, 4 << 10},
		{post, unit + "/confirm", fill, s.confirmPhone, "confirmPhone", "Type in the code that came to the phone of one of the unit's people", wireConfirmPhone{}, wireDone{}, false, 4 << 10},
		{post, "/platform/plans/{plan}/codes", needing(tianbao.PowerCampaign), s.sendHeld, "sendPlanCodes", "Send codes to people whom a plan holds because their phones are not verified, so many at once", wireEmpty{}, wireCodesSent{}, false, 4 << 10},
	}
}

// phoneWorkLimit is how many units the list of work has.
const phoneWorkLimit = 500

type wirePhoneWork struct {
	Units []wirePhoneUnit `json:"units"`
}

type wirePhoneUnit struct {
	Campaign tianbao.ID `json:"campaign"`
	Title    string     `json:"title"`
	Unit     tianbao.ID `json:"unit"`
	Name     string     `json:"unit_name"`
	People   int        `json:"people"` // held when the plan was made
}

type wirePhones struct {
	Title  string      `json:"title"` // of the collection
	Unit   string      `json:"unit"`
	Usable bool        `json:"usable"` // codes can be sent
	Open   int         `json:"open"`   // people to whom codes go when they are sent to all
	People []wirePhone `json:"people"`
}

// wirePhone is somebody of a unit.
type wirePhone struct {
	Row      tianbao.ID           `json:"row"`
	Name     string               `json:"name"`
	Phone    string               `json:"phone"` // masked
	State    provision.ProofState `json:"state"` // none, waiting, sent, ended, failed or done
	At       string               `json:"at,omitempty"`
	Until    string               `json:"until,omitempty"`
	By       string               `json:"by,omitempty"`
	Sendable bool                 `json:"sendable,omitempty"`
	line     provision.PhoneState
}

// Line is where the phone stands.
func (p *wirePhone) Line() *provision.PhoneState { return &p.line }

// Typable tells that a code may be typed in.
func (p *wirePhone) Typable() bool {
	return p.State == provision.ProofSent || p.State == provision.ProofWaiting
}

type wireSendCodes struct {
	Row tianbao.ID `json:"row,omitempty"` // of one person
}

type wireConfirmPhone struct {
	Row  tianbao.ID `json:"row"`
	Code string     `json:"code"`
}

type wireCodesSent struct {
	Sent int `json:"sent"` // codes that go out now
}

// phonesPage is the data of phones.html.
type phonesPage struct {
	CSRF, Message string
	Campaign      tianbao.ID
	UnitID        tianbao.ID
	Sent          string // how many were just sent
	Wrong         tianbao.ID
	wirePhones
}

func (s *Server) phoneWork(w http.ResponseWriter, r *http.Request, v *viewer) error {
	list, err := s.Codes.Store.PhoneWork(r.Context(), v.actor().Scope, phoneWorkLimit)
	if err != nil {
		return err
	}
	out := wirePhoneWork{Units: []wirePhoneUnit{}}
	for _, x := range list {
		out.Units = append(out.Units, wirePhoneUnit{x.Campaign, x.Title, x.Unit, x.UnitName, x.People})
	}
	return s.answer(w, r, v, out, "phonework.html", "验证手机号", out)
}

// verifier is the viewer as who has phones verified in the unit of the path.
func (v *viewer) verifier(r *http.Request) provision.Actor {
	return provision.Actor{User: v.user().ID, From: address(r), Root: v.unit.ID, Scope: v.actor().Scope}
}

func (s *Server) phones(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showPhones(w, r, v, http.StatusOK, "", 0)
}

func (s *Server) showPhones(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string, wrong tianbao.ID) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	a := v.verifier(r)
	got, err := s.Codes.Look(r.Context(), a, id, v.unit.ID)
	if err != nil {
		return err
	}
	e := tianbao.Event{Actor: a.User, Owner: v.unit.ID, From: a.From, What: "phone.read", Object: id.String(), Detail: strconv.Itoa(len(got.Lines)) + " people"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	p := &phonesPage{CSRF: v.signed.CSRF, Message: message, Campaign: id, UnitID: v.unit.ID, Wrong: wrong}
	if n, err := strconv.Atoi(r.URL.Query().Get("sent")); err == nil && message == "" {
		p.Sent = strconv.Itoa(n)
	}
	p.wirePhones = wirePhones{Title: got.Title, Unit: v.unit.Name, Usable: s.Codes.Sender != nil, Open: got.Open(), People: []wirePhone{}}
	for i := range got.Lines {
		l := &got.Lines[i]
		x := wirePhone{Row: l.Row.Row, Name: l.Name, Phone: ident.MaskPhone(l.Phone), State: l.State, By: l.By, Sendable: l.Sendable, line: l.PhoneState}
		if !l.At.IsZero() {
			x.At = stamp(l.At)
		}
		if l.State == provision.ProofSent {
			x.Until = stamp(l.Until)
		}
		p.People = append(p.People, x)
	}
	if wantsJSON(r) {
		return s.json(w, status, p.wirePhones)
	}
	s.page(w, r, v, status, "phones.html", "验证手机号", p)
	return nil
}

// backToPhones answers an act on the page of a unit's phones, or shows it again with what
// was wrong.
func (s *Server) backToPhones(w http.ResponseWriter, r *http.Request, v *viewer, out any, query string, row tianbao.ID, err error) error {
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrTooMany) {
			return err
		}
		return s.showPhones(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, row)
	}
	return s.done(w, r, out, strings.TrimSuffix(strings.TrimSuffix(r.URL.Path, "/send"), "/confirm")+query)
}

func (s *Server) sendCodes(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSendCodes
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	n, err := s.Codes.Send(r.Context(), v.verifier(r), id, v.unit.ID, in.Row)
	return s.backToPhones(w, r, v, wireCodesSent{n}, "?sent="+strconv.Itoa(n), 0, err)
}

func (s *Server) confirmPhone(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireConfirmPhone
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	err = s.Codes.Confirm(r.Context(), v.verifier(r), id, v.unit.ID, in.Row, ident.NormalizeCode(in.Code))
	return s.backToPhones(w, r, v, wireDone{true}, "", in.Row, err)
}

func (s *Server) sendHeld(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "plan")
	if err != nil {
		return err
	}
	n, err := s.Codes.SendHeld(r.Context(), v.official(r), id)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.showPlan(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message)
	}
	return s.done(w, r, wireCodesSent{n}, "/platform/plans/"+id.String()+"?why="+string(provision.Unproven)+"&sent="+strconv.Itoa(n)+"#lines")
}
