package web

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/message"
	"tianbao/internal/remind"
)

// noticeEditPage is the data of noticeedit.html.
type noticeEditPage struct {
	CSRF      string
	Notice    tianbao.Notice // ID 0: a new one
	In        wireNoticeText
	Campaigns []tianbao.Campaign
	Seat      string // whom it is for unless units are named
	Preview   template.HTML
	Message   string
	Max       int
	// Mails tells that the server sends mail, Boxes how many of the draft's units take copies.
	Mails bool
	Boxes int
}

// Published reports whether changes are amendments.
func (p *noticeEditPage) Published() bool { return p.Notice.State == tianbao.NoticePublished }

// Action is where the form goes.
func (p *noticeEditPage) Action() string {
	if p.Notice.ID == 0 {
		return "/notices"
	}
	return noticePath(p.Notice.ID)
}

func noticePath(id tianbao.ID) string { return "/notices/" + id.String() }

func (s *Server) newNotice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.noticeForm(w, r, v, http.StatusOK, &noticeEditPage{})
}

func (s *Server) editNoticePage(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.noticeAgain(w, r, v, http.StatusOK, "")
}

// noticeAgain shows the page of a notice as it is stored.
func (s *Server) noticeAgain(w http.ResponseWriter, r *http.Request, v *viewer, status int, problem string) error {
	id, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	a := v.reader(r)
	n, err := s.Messages.Store.LedNotice(r.Context(), a.Leads, id)
	if err != nil {
		return err
	}
	p := &noticeEditPage{Notice: n, Message: problem, In: wireNoticeText{Title: n.Title, Issuer: n.Issuer, Body: n.Body, Campaign: n.Campaign, Turn: n.Turn, ID: n.ID}}
	var to []string
	for _, u := range n.Units {
		to = append(to, cmp.Or(u.BudgetCode, u.ID.String()))
	}
	p.In.To = strings.Join(to, "\n")
	if p.Preview, err = noticeHTML(n.Body, n.Plain); err != nil {
		return err
	}
	return s.noticeForm(w, r, v, status, p)
}

func (s *Server) noticeForm(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *noticeEditPage) error {
	if wantsJSON(r) {
		return s.json(w, status, toNoticeView(&message.View{Notice: p.Notice, Leads: true}))
	}
	a := v.reader(r)
	p.CSRF, p.Max = v.signed.CSRF, message.MaxBody
	if len(a.Seats) > 0 {
		p.Seat = a.Seats[0].Name
	}
	var err error
	if p.Mails = s.Reminders.Usable(remind.ChannelMail); p.Mails && p.Notice.State == tianbao.NoticeDraft {
		var to tianbao.Scope
		for _, u := range p.Notice.Units {
			to.Paths = append(to.Paths, u.Path)
		}
		if p.Boxes, err = s.Reminders.Store.Mailboxes(r.Context(), to, s.Now()); err != nil {
			return err
		}
	}
	if p.Campaigns, err = s.campaignChoices(r, v); err != nil {
		return err
	}
	title := "写通知"
	if p.Notice.ID != 0 {
		title = "修改通知"
	}
	s.page(w, r, v, status, "noticeedit.html", title, p)
	return nil
}

// campaignChoices are the collections that a notice may be about: those that the viewer
// runs, and those that are open.
func (s *Server) campaignChoices(r *http.Request, v *viewer) (out []tianbao.Campaign, err error) {
	list, err := s.Campaigns.Store.Collections(r.Context())
	if err != nil {
		return nil, err
	}
	for i := range list {
		c, runs, err := s.Campaigns.Collection(r.Context(), v.runner(r), list[i].ID)
		if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
			return nil, err
		}
		if err == nil && c.Archived.IsZero() && (runs || c.Released) {
			out = append(out, c)
		}
	}
	return out, nil
}

// noticeDraft reads what an officer wrote, with the units in the officer's scope.
func (s *Server) noticeDraft(r *http.Request, v *viewer, in *wireNoticeText) (*message.Draft, error) {
	d := &message.Draft{Title: in.Title, Issuer: in.Issuer, Body: in.Body, Campaign: in.Campaign, Turn: in.Turn}
	if in.Campaign != 0 {
		choices, err := s.campaignChoices(r, v)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(choices, func(c tianbao.Campaign) bool { return c.ID == in.Campaign }) {
			return nil, tianbao.Invalid("no_campaign", "没有这次采集，请重新选择。")
		}
	}
	leads := v.reader(r).Leads
	for line := range strings.SplitSeq(in.To, "\n") {
		key := strings.TrimSpace(line)
		if key == "" {
			continue
		}
		u, err := s.leadUnit(r, leads, key)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(d.Units, func(had tianbao.Unit) bool { return had.ID == u.ID }) {
			d.Units = append(d.Units, u)
		}
	}
	return d, nil
}

// leadUnit finds a unit in scope by a code or its full name. One that lies elsewhere is
// not told from none.
func (s *Server) leadUnit(r *http.Request, leads tianbao.Scope, key string) (tianbao.Unit, error) {
	u, err := s.Catalog.FindUnit(r.Context(), key)
	if err == nil && leads.Covers(u.Path) {
		return u, nil
	}
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound && tianbao.KindOf(err) != tianbao.ErrInvalid {
		return u, err
	}
	list, err := s.Catalog.Units(r.Context(), leads, key, 50)
	if err != nil {
		return u, err
	}
	var found []tianbao.Unit
	for _, u := range list {
		if u.Name == key || u.BudgetCode == key || u.OrgCode == key {
			found = append(found, u)
		}
	}
	if len(found) != 1 {
		return u, tianbao.Invalid("no_unit", "发送范围里有的单位没有找到或者不止一个，请逐行填写本地区单位的预算编码、统一社会信用代码或全称。")
	}
	return found[0], nil
}

// refusedNotice shows the form again with what was typed and what is wrong with it.
func (s *Server) refusedNotice(w http.ResponseWriter, r *http.Request, v *viewer, in *wireNoticeText, err error) error {
	if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
		return err
	}
	status := statuses[tianbao.KindOf(err)]
	p := &noticeEditPage{In: *in, Message: asError(err).Message}
	if in.ID != 0 {
		if p.Notice, err = s.Messages.Store.LedNotice(r.Context(), v.reader(r).Leads, in.ID); err != nil {
			return err
		}
	}
	return s.noticeForm(w, r, v, status, p)
}

// makeNotice keeps a new draft.
func (s *Server) makeNotice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireNoticeText
	if err := read(r, &in); err != nil {
		return err
	}
	in.ID = 0
	d, err := s.noticeDraft(r, v, &in)
	var id tianbao.ID
	if err == nil {
		id, err = s.Messages.Create(r.Context(), v.reader(r), d)
	}
	if err != nil {
		return s.refusedNotice(w, r, v, &in, err)
	}
	return s.done(w, r, wireMade{id}, noticePath(id)+"/edit")
}

// editNotice changes a draft, or amends what is published.
func (s *Server) editNotice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	var in wireNoticeText
	if err := read(r, &in); err != nil {
		return err
	}
	in.ID = id
	a := v.reader(r)
	before, err := s.Messages.Store.LedNotice(r.Context(), a.Leads, id)
	if err != nil {
		return err
	}
	d, err := s.noticeDraft(r, v, &in)
	if err == nil {
		err = s.Messages.Edit(r.Context(), a, id, d)
	}
	if err != nil {
		return s.refusedNotice(w, r, v, &in, err)
	}
	next := noticePath(id)
	if before.State == tianbao.NoticeDraft {
		next += "/edit"
	}
	return s.done(w, r, wireMade{id}, next)
}

// previewNotice shows how a text would look, above the form with the text.
func (s *Server) previewNotice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireNoticeText
	if err := read(r, &in); err != nil {
		return err
	}
	p := &noticeEditPage{In: in}
	plain := true
	if in.ID != 0 {
		var err error
		if p.Notice, err = s.Messages.Store.LedNotice(r.Context(), v.reader(r).Leads, in.ID); err != nil {
			return err
		}
		plain = p.Notice.Plain
	}
	if len([]rune(in.Body)) > message.MaxBody {
		return s.refusedNotice(w, r, v, &in, tianbao.Invalid("long_body", "正文最多 20000 个字，长的内容请放进附件。"))
	}
	var err error
	if p.Preview, err = noticeHTML(in.Body, plain); err != nil {
		return err
	}
	if wantsJSON(r) {
		return s.json(w, http.StatusOK, wirePreview{string(p.Preview)})
	}
	return s.noticeForm(w, r, v, http.StatusOK, p)
}

// noticeAct carries an act on a notice out and goes back to where it is edited, or with
// the problem to the same page.
func (s *Server) noticeAct(w http.ResponseWriter, r *http.Request, v *viewer, next string, act func(a *message.Actor, id tianbao.ID) error) error {
	id, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	if err := act(v.reader(r), id); err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict, tianbao.ErrTooLarge) {
			return err
		}
		return s.noticeAgain(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message)
	}
	return s.done(w, r, wireMade{id}, noticePath(id)+next)
}

func (s *Server) attachFile(w http.ResponseWriter, r *http.Request, v *viewer) error {
	name, data, err := upload(r)
	if err != nil {
		return err
	}
	var in wireTurn
	if err := readForm(r.PostForm, &in); err != nil {
		return err
	}
	return s.noticeAct(w, r, v, "/edit", func(a *message.Actor, id tianbao.ID) error {
		return s.Messages.Attach(r.Context(), a, id, in.Turn, plainName(name), data)
	})
}

func (s *Server) detachFile(w http.ResponseWriter, r *http.Request, v *viewer) error {
	file, err := pathID(r, "attachment")
	if err != nil {
		return err
	}
	var in wireTurn
	if err := read(r, &in); err != nil {
		return err
	}
	return s.noticeAct(w, r, v, "/edit", func(a *message.Actor, id tianbao.ID) error {
		return s.Messages.Detach(r.Context(), a, id, file, in.Turn)
	})
}

func (s *Server) publishNotice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wirePublish
	if err := read(r, &in); err != nil {
		return err
	}
	if in.Mail && !s.Reminders.Usable(remind.ChannelMail) {
		return tianbao.Invalid("no_mail", "服务器没有设置邮件，不能抄送，请不要勾选抄送后再发布。")
	}
	return s.noticeAct(w, r, v, "", func(a *message.Actor, id tianbao.ID) error {
		return s.Messages.Publish(r.Context(), a, id, in.Turn, in.Mail)
	})
}

func (s *Server) withdrawNotice(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireTurn
	if err := read(r, &in); err != nil {
		return err
	}
	return s.noticeAct(w, r, v, "", func(a *message.Actor, id tianbao.ID) error {
		return s.Messages.Withdraw(r.Context(), a, id, in.Turn)
	})
}
