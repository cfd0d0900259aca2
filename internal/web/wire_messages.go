package web

import (
	"tianbao"
	"tianbao/internal/message"
	"tianbao/internal/remind"
)

type wireNotices struct {
	Notices []wireNotice `json:"notices"`
	Next    int          `json:"next,omitempty"` // offset of the next page, 0: none
	Led     []wireNotice `json:"led,omitempty"`  // of the caller's own bureaus, drafts too
	Open    int          `json:"open,omitempty"` // questions that wait for the caller
}

type wireNotice struct {
	ID          tianbao.ID          `json:"id"`
	Title       string              `json:"title"`
	Issuer      string              `json:"issuer"`
	At          string              `json:"at"`
	State       tianbao.NoticeState `json:"state"`
	Version     int                 `json:"version"`
	Turn        int64               `json:"turn"`
	Amended     string              `json:"amended,omitempty"`
	Withdrawn   string              `json:"withdrawn,omitempty"`
	Unread      bool                `json:"unread,omitempty"`
	Seen        int                 `json:"seen,omitempty"`  // the version that the caller read
	Body        string              `json:"body,omitempty"`  // plain text, or Markdown
	Plain       bool                `json:"plain,omitempty"` // it is plain text
	Everyone    bool                `json:"everyone,omitempty"`
	Units       []wireUnitName      `json:"units,omitempty"` // whom it is for, with all below them
	Campaign    tianbao.ID          `json:"campaign,omitempty"`
	Mail        bool                `json:"mail,omitempty"`  // units with an address get a copy
	Leads       bool                `json:"leads,omitempty"` // the caller may amend it
	Attachments []wireAttachment    `json:"attachments,omitempty"`
	Questions   []wireQuestion      `json:"questions,omitempty"` // of the caller's units
	Published   []wireQuestion      `json:"published,omitempty"` // answers for all
}

type wireUnitName struct {
	ID   tianbao.ID `json:"id"`
	Name string     `json:"name"`
}

type wireAttachment struct {
	ID   tianbao.ID `json:"id"`
	Name string     `json:"name"`
	Size int64      `json:"size"`
}

// wireNoticeText is what an officer writes. To names the units, one a line, by budget
// code, credit code, id or full name; empty: all that the officer leads.
type wireNoticeText struct {
	Title    string     `json:"title"`
	Issuer   string     `json:"issuer,omitempty"`
	Body     string     `json:"body"`
	To       string     `json:"to,omitempty"`
	Campaign tianbao.ID `json:"campaign,omitempty"`
	Turn     int64      `json:"turn,omitempty"`
	ID       tianbao.ID `json:"id,omitempty"` // of a preview: the notice that is changed
}

type wireTurn struct {
	Turn int64 `json:"turn"` // of the notice that the caller saw
}

// wirePublish is what publishes a draft.
type wirePublish struct {
	Turn int64 `json:"turn"`           // of the notice that the caller saw
	Mail bool  `json:"mail,omitempty"` // units with an address get a copy by mail
}

type wirePreview struct {
	HTML string `json:"html"`
}

type wireNoticeVersions struct {
	Versions []wireNoticeVersion `json:"versions"`
}

type wireNoticeVersion struct {
	Version int    `json:"version"`
	Title   string `json:"title"`
	Issuer  string `json:"issuer"`
	Body    string `json:"body"`
	At      string `json:"at"`
}

// wireReaders counts units; read + unread = units.
type wireReaders struct {
	Units     int            `json:"units"`
	Read      int            `json:"read"`
	Unread    int            `json:"unread"`
	Earlier   int            `json:"earlier"`    // of the unread: read an earlier version
	NoAccount int            `json:"no_account"` // of the unread: has no account
	Behind    []wireBehind   `json:"behind,omitempty"`
	Readers   []wireReceived `json:"readers,omitempty"`
	Copied    []wireCopied   `json:"copied,omitempty"` // copies by mail, counted by state
	Copies    []wireReminder `json:"copies,omitempty"`
	Next      int            `json:"next,omitempty"`
}

type wireBehind struct {
	Unit    tianbao.ID `json:"unit"`
	Name    string     `json:"name"`
	Version int        `json:"version,omitempty"` // which one it read
	Account bool       `json:"account"`
}

type wireCopied struct {
	State remind.State `json:"state"`
	N     int          `json:"n"`
}

type wireReceived struct {
	Unit    tianbao.ID `json:"unit"`
	Name    string     `json:"name"`
	Person  string     `json:"person"`
	Version int        `json:"version"`
	First   string     `json:"first"`
	At      string     `json:"at"`
}

type wireAskQuestion struct {
	Unit tianbao.ID `json:"unit,omitempty"` // by default the first of the caller's
	Text string     `json:"text"`
}

type wireQuestions struct {
	Questions []wireQuestion `json:"questions"`
	Next      int            `json:"next,omitempty"`
}

// wireQuestion is a question. A published one has no unit and no text of the unit's own
// where it stands for all.
type wireQuestion struct {
	ID       tianbao.ID            `json:"id"`
	Notice   tianbao.ID            `json:"notice"`
	Unit     tianbao.ID            `json:"unit,omitempty"`
	UnitName string                `json:"unit_name,omitempty"`
	At       string                `json:"at,omitempty"`
	State    tianbao.QuestionState `json:"state"`
	Asked    string                `json:"asked,omitempty"`
	Shown    string                `json:"shown,omitempty"`
	Answer   string                `json:"answer,omitempty"`
	Answered string                `json:"answered,omitempty"`
	Bureau   string                `json:"bureau,omitempty"`
	Turn     int64                 `json:"turn,omitempty"`
}

type wireReply struct {
	Answer string `json:"answer"`
	All    bool   `json:"all,omitempty"`
	Shown  string `json:"shown,omitempty"` // the question as it is published
	Turn   int64  `json:"turn"`
}

func toNotice(n *tianbao.Notice) wireNotice {
	return wireNotice{
		ID: n.ID, Title: n.Title, Issuer: n.Issuer, At: stamp(n.At), State: n.State, Version: n.Version, Turn: n.Turn,
		Amended: stamp(n.Amended), Withdrawn: stamp(n.Withdrawn), Unread: n.Unread(), Seen: n.Seen, Campaign: n.Campaign, Mail: n.Mail,
	}
}

func toNotices(ns []tianbao.Notice) []wireNotice {
	out := make([]wireNotice, len(ns))
	for i := range ns {
		out[i] = toNotice(&ns[i])
	}
	return out
}

func toNoticeView(v *message.View) wireNotice {
	n := &v.Notice
	out := toNotice(n)
	out.Body, out.Plain, out.Everyone, out.Leads = n.Body, n.Plain, n.Everyone, v.Leads
	for _, u := range n.Units {
		out.Units = append(out.Units, wireUnitName{u.ID, u.Name})
	}
	for _, a := range n.Attachments {
		out.Attachments = append(out.Attachments, wireAttachment{a.ID, a.Name, a.Size})
	}
	out.Questions, out.Published = toQuestions(v.Own), toQuestions(v.Public)
	return out
}

func toQuestion(q *tianbao.Question) wireQuestion {
	return wireQuestion{
		ID: q.ID, Notice: q.Notice, Unit: q.Unit, UnitName: q.UnitName, At: stamp(q.At), State: q.State,
		Asked: q.Asked, Shown: q.Shown, Answer: q.Answer, Answered: stamp(q.Answered), Bureau: q.Bureau, Turn: q.Turn,
	}
}

func toQuestions(qs []tianbao.Question) []wireQuestion {
	out := make([]wireQuestion, len(qs))
	for i := range qs {
		out[i] = toQuestion(&qs[i])
	}
	return out
}
