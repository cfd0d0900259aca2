package web

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/report"
)

// wireDraft is what a person has filled in and not submitted yet: a change set, and
// what it takes to go on from it after others have saved.
type wireDraft struct {
	Name   string `json:"name"`   // the page's name for it; saves of it have keys that begin with it and a dot
	Since  string `json:"since"`  // when the oldest of these changes was made
	Edited string `json:"edited"` // and the newest
	Base   int64  `json:"base"`
	// The page that wrote it, and up to when it holds what other pages wrote.
	Page    string              `json:"page,omitempty"`
	Seen    map[string]string   `json:"seen,omitempty"`
	Note    string              `json:"note,omitempty"`
	Imports []tianbao.ID        `json:"imports,omitempty"`
	Changes []wireChange        `json:"changes"`
	Was     map[string][]string `json:"was,omitempty"` // the changed rows as they were at base
	// The cell that was being typed in; what it held so far is among the changes.
	Typing *wireTyping `json:"typing,omitempty"`
	// A save whose answer did not come. Changes then are on top of it and may use its names
	// of new rows; Unsent is all that is not saved if it did not happen.
	Sent   *wireChanges   `json:"sent,omitempty"`
	Unsent *wireDraftPart `json:"unsent,omitempty"`
}

// wireDraftPart is a change set, and the changed rows as they were before.
type wireDraftPart struct {
	Changes []wireChange        `json:"changes"`
	Was     map[string][]string `json:"was,omitempty"`
}

type wireTyping struct {
	Row string `json:"row"`
	Key string `json:"key"`
}

type wireDraftState struct {
	Draft *wireDraft `json:"draft,omitempty"`
	Saved string     `json:"saved,omitempty"` // when the server took it
	Spent bool       `json:"spent"`           // the draft that was asked for was saved
}

type wireSalt struct {
	Salt string `json:"salt"` // 32 hexadecimal digits
}

type wireJournalKey struct {
	Key   string `json:"key"`   // 64 hexadecimal digits
	Owner string `json:"owner"` // names the person without telling who it is
}

// wireNewer is what was saved after a version.
type wireNewer struct {
	Report wireReport            `json:"report"`
	Rows   []wireRow             `json:"rows"`
	Order  []string              `json:"order,omitempty"` // all rows in order; absent when none came or went
	By     map[tianbao.ID]string `json:"by"`              // who changed or deleted a row last
	// Rows that the caller brought in since, by the names they were sent under.
	Named map[string]tianbao.ID `json:"named,omitempty"`
}

// maxDraftName is the longest name of a draft.
const maxDraftName = 40

var draftName = regexp.MustCompile(`^[0-9a-z]{1,40}$`)

// draft answers the caller's own draft of the report.
func (s *Server) draft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var out wireDraftState
	d, err := s.Drafts.Draft(r.Context(), v.report.ID, v.user().ID)
	switch {
	case err == nil:
		out.Saved = stamp(d.At)
		if err := json.Unmarshal(d.Body, &out.Draft); err != nil {
			out.Draft = nil // of a version that wrote otherwise; nothing to go on from
		}
	case tianbao.KindOf(err) != tianbao.ErrNotFound:
		return err
	}
	if name := r.URL.Query().Get("name"); draftName.MatchString(name) {
		if out.Spent, err = s.Drafts.DraftSpent(r.Context(), v.report.ID, name); err != nil {
			return err
		}
	}
	return s.json(w, http.StatusOK, out)
}

func (s *Server) putDraft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDraft
	if err := read(r, &in); err != nil {
		return err
	}
	if err := report.Open(&v.report); err != nil {
		return err
	}
	if !draftName.MatchString(in.Name) {
		return tianbao.Invalid("bad_draft", "草稿的名称无法识别，请刷新页面后重试。")
	}
	for _, at := range []string{in.Since, in.Edited} {
		if _, err := time.Parse(time.RFC3339, at); err != nil {
			return tianbao.Invalid("bad_draft", "草稿的时间无法识别，请刷新页面后重试。")
		}
	}
	if len(in.Changes) > report.MaxChanges {
		return tianbao.Invalid("too_many_changes", "改动太多，不能存为草稿，请先提交。")
	}
	body, err := json.Marshal(&in)
	if err != nil {
		return err
	}
	d := tianbao.Draft{Report: v.report.ID, User: v.user().ID, Name: in.Name, At: s.Now(), Body: body}
	if err := s.Drafts.PutDraft(r.Context(), d); err != nil {
		return err
	}
	return s.json(w, http.StatusOK, wireDone{true})
}

func (s *Server) dropDraft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := s.Drafts.DropDraft(r.Context(), v.report.ID, v.user().ID); err != nil {
		return err
	}
	return s.json(w, http.StatusOK, wireDone{true})
}

// journalKey gives the page the key of its journal. It follows from the person and
// the salt that lies beside the journal: after a crash the same person gets it again,
// and nobody else at that machine does.
func (s *Server) journalKey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSalt
	if err := read(r, &in); err != nil {
		return err
	}
	salt, err := hex.DecodeString(in.Salt)
	if err != nil || len(salt) != 16 {
		return tianbao.Invalid("bad_salt", "本机保存所用的编号无法识别，请刷新页面后重试。")
	}
	id := v.user().ID
	return s.json(w, http.StatusOK, wireJournalKey{
		Key: s.Reports.Digest("journal-key", salt, []byte(id.String())), Owner: s.journalOwner(id),
	})
}

// journalOwner names a person for the browser's journal.
func (s *Server) journalOwner(user tianbao.ID) string {
	return s.Reports.Digest("journal-owner", []byte(user.String()))[:16]
}

// newer answers what was saved after ?since=.
func (s *Server) newer(w http.ResponseWriter, r *http.Request, v *viewer) error {
	since := int64(atoi(r.URL.Query().Get("since"), 0))
	n, err := s.Reports.Newer(r.Context(), v.actor(), v.report.ID, since)
	if err != nil {
		return err
	}
	if len(n.Rows) > 0 {
		if err := s.Auth.Record(r.Context(), v.event(r, "report.read", strconv.Itoa(len(n.Rows))+" rows")); err != nil {
			return err
		}
	}
	out := wireNewer{Report: toReport(n.Report), Rows: toRows(n.Rows), By: n.By, Named: n.Named}
	for _, id := range n.Order {
		out.Order = append(out.Order, id.String())
	}
	return s.json(w, http.StatusOK, out)
}
