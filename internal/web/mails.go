package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/ident"
	"tianbao/internal/post"
)

// wireMails is a page of mails.
type wireMails struct {
	Counts []wireMailCount `json:"counts"`
	Mails  []wireMail      `json:"mails"`
	Next   tianbao.ID      `json:"next,omitempty"` // ?before= of the next page
}

type wireMailCount struct {
	State     post.State `json:"state"`
	StateName string     `json:"state_name"`
	Count     int        `json:"count"`
}

// wireMail is one mail. Of a list, its sender is masked and Files are names only.
type wireMail struct {
	ID          tianbao.ID     `json:"id"`
	From        string         `json:"from"`
	Subject     string         `json:"subject"`
	Received    string         `json:"received"`
	State       post.State     `json:"state"`
	StateName   string         `json:"state_name"`
	Verdict     post.Verdict   `json:"verdict,omitempty"`
	VerdictName string         `json:"verdict_name,omitempty"`
	Unit        tianbao.ID     `json:"unit,omitempty"`
	UnitName    string         `json:"unit_name,omitempty"`
	Rows        int            `json:"rows,omitempty"`
	Faults      int            `json:"faults,omitempty"`
	Copies      int            `json:"copies,omitempty"` // how often it came again
	SPF         string         `json:"spf,omitempty"`
	DKIM        string         `json:"dkim,omitempty"`
	DMARC       string         `json:"dmarc,omitempty"`
	Why         string         `json:"why,omitempty"` // how the answer begins
	Receipts    []string       `json:"receipts,omitempty"`
	Names       []string       `json:"names,omitempty"` // of its files
	Text        string         `json:"text,omitempty"`
	Files       []wireMailFile `json:"files,omitempty"`
	Gone        bool           `json:"gone,omitempty"` // what it held is dropped

	received time.Time
}

// wireMailFile is a file of a mail with its first rows, masked.
type wireMailFile struct {
	Name   string     `json:"name"`
	Kind   string     `json:"kind"`
	Why    string     `json:"why,omitempty"` // why it is not read
	Rows   int        `json:"rows,omitempty"`
	Units  []string   `json:"units,omitempty"`
	Fields []string   `json:"fields,omitempty"`
	First  [][]string `json:"first,omitempty"`
}

// At is when it came.
func (w *wireMail) At() time.Time { return w.received }

// Mark is the look of its state.
func (w *wireMail) Mark() string {
	switch w.State {
	case post.StateWaiting:
		return "badge-justify"
	case post.StateAnswered:
		return "badge-reported"
	case post.StateReceived, post.StateJudged:
		return "badge-draft"
	}
	return "badge-empty"
}

// Waits reports whether it waits for an officer.
func (w *wireMail) Waits() bool { return w.State == post.StateWaiting }

func toMail(m *post.Message) wireMail {
	return wireMail{
		ID: m.ID, From: ident.MaskMail(m.Head.From), Subject: ident.MaskDigits(m.Head.Subject), Received: stamp(m.Received), State: m.State, StateName: m.State.Title(),
		Verdict: m.Verdict, VerdictName: m.Verdict.Title(), Unit: m.Unit, UnitName: m.UnitName, Rows: m.Rows, Faults: m.Faults, Copies: m.Copies,
		SPF: m.SPF, DKIM: m.DKIM, DMARC: m.DMARC, Why: m.Head.Why, Receipts: m.Head.Receipts, received: m.Received,
	}
}

// mailsPage is the data of mails.html.
type mailsPage struct {
	wireMails
	State post.State
	All   int
	Set   bool // a mail server for answers is set up
}

const mailsPageSize = 50

func (v *viewer) officer(r *http.Request) *post.Officer {
	u := v.user()
	return &post.Officer{User: u.ID, From: address(r), Scope: u.Scope(tianbao.PowerMail)}
}

// mails lists mails.
func (s *Server) mails(w http.ResponseWriter, r *http.Request, v *viewer) error {
	q := post.Query{State: post.State(r.URL.Query().Get("state")), Limit: mailsPageSize + 1}
	if q.State.Title() == "" {
		q.State = ""
	}
	q.Before, _ = tianbao.ParseID(r.URL.Query().Get("before")) // none: the first page
	list, counts, err := s.Post.List(r.Context(), v.officer(r), q)
	if err != nil {
		return err
	}
	p := &mailsPage{State: q.State, Set: s.Post.Out != nil}
	if len(list) > mailsPageSize {
		list = list[:mailsPageSize]
		p.Next = list[mailsPageSize-1].ID
	}
	for _, st := range post.States() {
		p.All += counts[st]
		p.Counts = append(p.Counts, wireMailCount{st, st.Title(), counts[st]})
	}
	p.Mails = make([]wireMail, len(list))
	for i := range list {
		p.Mails[i] = toMail(&list[i])
	}
	return s.answer(w, r, v, p.wireMails, "mails.html", "邮件报送", p)
}

// mailPage is the data of mail.html.
type mailPage struct {
	CSRF    string
	M       wireMail
	Units   []tianbao.Unit // to choose from
	Typed   string
	Message string
}

// mail shows what one holds.
func (s *Server) mail(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.mailShow(w, r, v, http.StatusOK, &mailPage{CSRF: v.signed.CSRF})
}

func (s *Server) mailShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *mailPage) error {
	id, err := pathID(r, "mail")
	if err != nil {
		return err
	}
	o, err := s.Post.Open(r.Context(), v.officer(r), id)
	if err != nil {
		return err
	}
	p.M = toMail(&o.Message)
	p.M.From, p.M.Text, p.M.Names, p.M.Gone = o.Head.From, ident.MaskDigits(o.Text), o.Head.Files, o.Gone
	for i := range o.Files {
		f := &o.Files[i]
		line := wireMailFile{Name: f.Name, Kind: string(f.Kind), Why: f.Why}
		if l := f.Looked; l != nil {
			line.Rows, line.Units, line.Fields, line.First = l.Total, l.Units, l.Fields, l.Rows
		}
		p.M.Files = append(p.M.Files, line)
	}
	if wantsJSON(r) {
		return s.json(w, status, p.M)
	}
	s.page(w, r, v, status, "mail.html", "填报邮件", p)
	return nil
}

// wireBindSender names a unit by its budget code, organisation code, name or id.
type wireBindSender struct {
	Unit string `json:"unit"`
}

type wireBoundSender struct {
	Unit  tianbao.ID `json:"unit"`
	Mails int        `json:"mails"` // that are judged again
}

// bindSender binds the sender of a mail to a unit.
func (s *Server) bindSender(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireBindSender
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "mail")
	if err != nil {
		return err
	}
	o := v.officer(r)
	unit, found, err := s.mailUnit(r, o.Scope, strings.TrimSpace(in.Unit))
	n := 0
	if err == nil {
		n, err = s.Post.Bind(r.Context(), o, id, unit)
	}
	if again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
		return s.mailShow(w, r, v, statuses[tianbao.KindOf(err)], &mailPage{CSRF: v.signed.CSRF, Units: found, Typed: in.Unit, Message: asError(err).Message})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, wireBoundSender{unit.ID, n}, "/mail?state=waiting")
}

// mailUnit finds the one unit in scope that a text names; else it returns those that it
// may mean.
func (s *Server) mailUnit(r *http.Request, scope tianbao.Scope, text string) (tianbao.Unit, []tianbao.Unit, error) {
	if text == "" {
		return tianbao.Unit{}, nil, tianbao.Invalid("no_unit", "请填写发件人所属单位的名称或编码。")
	}
	if u, err := s.Catalog.FindUnit(r.Context(), text); err == nil && scope.Covers(u.Path) {
		return u, nil, nil
	}
	const most = 10
	units, err := s.Catalog.SearchUnits(r.Context(), scope, text, most)
	if err != nil {
		return tianbao.Unit{}, nil, err
	}
	for _, u := range units {
		if u.Name == text {
			return u, nil, nil
		}
	}
	switch len(units) {
	case 1:
		return units[0], nil, nil
	case 0:
		return tianbao.Unit{}, nil, tianbao.Invalid("no_unit", "管理范围内没有找到这个单位，请核对名称或编码。")
	}
	return tianbao.Unit{}, units, tianbao.Invalid("many_units", "有几个单位符合，请从下面选择一个。")
}

// replayMail has a mail judged again.
func (s *Server) replayMail(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.mailAct(w, r, func(id tianbao.ID) error { return s.Post.Replay(r.Context(), v.officer(r), id) })
}

// dropMail drops a mail that waits.
func (s *Server) dropMail(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.mailAct(w, r, func(id tianbao.ID) error { return s.Post.Drop(r.Context(), v.officer(r), id) })
}

func (s *Server) mailAct(w http.ResponseWriter, r *http.Request, act func(tianbao.ID) error) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	id, err := pathID(r, "mail")
	if err != nil {
		return err
	}
	if err := act(id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{Done: true}, "/mail?state=waiting")
}

// wireSenders are addresses that are bound, masked.
type wireSenders struct {
	Senders []wireSender `json:"senders"`
}

type wireSender struct {
	ID       tianbao.ID `json:"id"`
	Address  string     `json:"address"`
	Unit     tianbao.ID `json:"unit"`
	UnitName string     `json:"unit_name"`
	How      post.How   `json:"how"`
	HowName  string     `json:"how_name"`
	At       string     `json:"at"`

	at time.Time
}

// Bound is when it was bound.
func (w *wireSender) Bound() time.Time { return w.at }

type mailSendersPage struct {
	CSRF string
	wireSenders
}

// mailSenders lists them.
func (s *Server) mailSenders(w http.ResponseWriter, r *http.Request, v *viewer) error {
	const most = 500
	list, err := s.Post.Store.MailSenders(r.Context(), v.officer(r).Scope, most)
	if err != nil {
		return fmt.Errorf("web: list senders: %w", err)
	}
	p := &mailSendersPage{CSRF: v.signed.CSRF, wireSenders: wireSenders{Senders: make([]wireSender, len(list))}}
	for i := range list {
		b := &list[i]
		p.Senders[i] = wireSender{b.ID, ident.MaskMail(b.Address), b.Unit, b.UnitName, b.How, b.How.Title(), stamp(b.At), b.At}
	}
	return s.answer(w, r, v, p.wireSenders, "mailsenders.html", "已绑定的邮箱", p)
}

// unbindSender ends a binding.
func (s *Server) unbindSender(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	id, err := pathID(r, "sender")
	if err != nil {
		return err
	}
	if err := s.Post.Unbind(r.Context(), v.officer(r), id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{Done: true}, "/mail/senders")
}
