package web

import (
	"slices"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/report"
)

// The types of this file are the API: what programs and our own page send and
// get. Ids are strings, times are RFC 3339 in the zone of Shanghai.

type wireHealth struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

type wireDone struct {
	Done bool `json:"done"`
}

type wireEmpty struct{}

type wireSignin struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Next     string `json:"next,omitempty"`
}

type wireSetup struct {
	Login    string `json:"login"`
	Name     string `json:"name"`
	Password string `json:"password"`
	Again    string `json:"again,omitempty"`
}

type wirePassword struct {
	Old   string `json:"old"`
	New   string `json:"new"`
	Again string `json:"again,omitempty"`
}

type wireSession struct {
	Login string   `json:"login"`
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
	Units []string `json:"units"`
	CSRF  string   `json:"csrf"`
}

type wireHome struct {
	Campaigns []wireCampaign `json:"campaigns"`
	Notices   []wireNotice   `json:"notices"`
}

type wireCampaign struct {
	ID     tianbao.ID `json:"id"`
	Title  string     `json:"title"`
	Form   string     `json:"form"`
	FormV  int        `json:"form_version"`
	Closes string     `json:"closes,omitempty"`
}

type wireNotices struct {
	Notices []wireNotice `json:"notices"`
}

type wireNotice struct {
	ID          tianbao.ID       `json:"id"`
	Title       string           `json:"title"`
	Issuer      string           `json:"issuer"`
	At          string           `json:"at"`
	Body        string           `json:"body,omitempty"` // Markdown
	Attachments []wireAttachment `json:"attachments,omitempty"`
}

type wireAttachment struct {
	ID   tianbao.ID `json:"id"`
	Name string     `json:"name"`
	Size int64      `json:"size"`
}

type wireReports struct {
	Campaign wireCampaign `json:"campaign"`
	Reports  []wireReport `json:"reports"`
	Next     int          `json:"next,omitempty"` // offset of the next page, 0: none
}

type wireOpen struct {
	Unit tianbao.ID `json:"unit"`
}

type wireReport struct {
	ID        tianbao.ID          `json:"id,omitempty"`
	Campaign  tianbao.ID          `json:"campaign"`
	Owner     tianbao.ID          `json:"owner"`
	OwnerName string              `json:"owner_name"`
	State     tianbao.ReportState `json:"state"`
	StateName string              `json:"state_name"`
	Version   int64               `json:"version"`
	Rows      int                 `json:"rows"`
	UpdatedAt string              `json:"updated_at,omitempty"`
	UpdatedBy string              `json:"updated_by,omitempty"`
}

// wireSheet is a report as its sheet needs it: columns from the form, rows in order.
type wireSheet struct {
	Report  wireReport   `json:"report"`
	Title   string       `json:"title"`
	Form    string       `json:"form"`
	FormV   int          `json:"form_version"`
	Columns []wireColumn `json:"columns"`
	Rows    []wireRow    `json:"rows"`
}

type wireColumn struct {
	Key      string   `json:"key"`
	Letter   string   `json:"letter"`
	Title    string   `json:"title"`
	Note     string   `json:"note,omitempty"`
	Required bool     `json:"required,omitempty"`
	Width    int      `json:"width"` // pixels
	Choices  []string `json:"choices,omitempty"`
	Narrow   bool     `json:"narrow,omitempty"`  // full-width digits and letters become half-width
	Pick     string   `json:"pick,omitempty"`    // "unit": values come from the register of units, see /units/search
	Display  string   `json:"display,omitempty"` // how long numbers are grouped while they are read: id18, credit, phone
	Frozen   bool     `json:"frozen,omitempty"`  // stays in sight while the sheet scrolls sideways
}

type wireRow struct {
	ID      string       `json:"id"`
	Version int64        `json:"version,omitempty"`
	Values  []string     `json:"values"`
	Reasons []wireReason `json:"reasons,omitempty"`
}

type wireReason struct {
	Code string `json:"code"`
	Text string `json:"text"`
	By   string `json:"by"`
	At   string `json:"at"`
}

// wireChanges is a change set: which changes, from which version, under which key.
type wireChanges struct {
	Key     string       `json:"key,omitempty"` // idempotency key; may also come as the header Idempotency-Key
	Base    int64        `json:"base"`
	Note    string       `json:"note,omitempty"`
	Imports []tianbao.ID `json:"imports,omitempty"`
	Changes []wireChange `json:"changes"`
	Draft   string       `json:"draft,omitempty"` // the name of the draft that this contains; it goes with the save
}

type wireChange struct {
	Op        string            `json:"op"` // insert, edit, delete, reason
	Row       string            `json:"row,omitempty"`
	Temp      string            `json:"temp,omitempty"`  // insert: the sender's name of the new row
	After     string            `json:"after,omitempty"` // insert: the row it follows, "" for the first place, "end" for the last
	AfterTemp string            `json:"afterTemp,omitempty"`
	Cells     map[string]string `json:"cells,omitempty"` // by field key
	Code      string            `json:"code,omitempty"`  // reason: the problem's code
	Text      string            `json:"text,omitempty"`  // reason: the explanation
}

type wireProblems struct {
	Problems []wireProblem `json:"problems"`
	Counts   wireCounts    `json:"counts"`
}

type wireCounts struct {
	Rows    int `json:"rows"`
	Error   int `json:"error"`
	Justify int `json:"justify"`
	Hint    int `json:"hint"`
}

type wireProblem struct {
	Row      string `json:"row"` // id, or the sender's name of a new row
	Seq      int    `json:"seq"`
	Field    string `json:"field,omitempty"`
	Letter   string `json:"letter,omitempty"`
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Reason   string `json:"reason,omitempty"`
}

type wireConflict struct {
	Row    tianbao.ID `json:"row"`
	Field  string     `json:"field,omitempty"`
	Kind   string     `json:"kind"` // edited, deleted, delete-edited
	Base   string     `json:"base"`
	Mine   string     `json:"mine"`
	Theirs string     `json:"theirs"`
	By     string     `json:"by"`
	At     string     `json:"at"`
}

type wireSaved struct {
	Report   wireReport            `json:"report"`
	Receipt  wireReceipt           `json:"receipt"`
	Inserted map[string]tianbao.ID `json:"inserted"`
	Again    bool                  `json:"again,omitempty"`
}

type wireSubmit struct {
	Key string `json:"key,omitempty"`
}

type wireReceipt struct {
	ID        tianbao.ID `json:"id"`
	Kind      string     `json:"kind"`
	Number    string     `json:"number"`
	Version   int64      `json:"version"`
	Rows      int        `json:"rows"`
	Digest    string     `json:"digest"`
	By        string     `json:"by"`
	At        string     `json:"at"`
	Report    tianbao.ID `json:"report"`
	OwnerName string     `json:"owner_name"`
	Title     string     `json:"title"`
}

type wireReceipts struct {
	Receipts []wireReceipt `json:"receipts"`
}

// wireImport describes the multipart fields beside "file".
type wireImport struct {
	Mode    string `json:"mode"`              // merge, append, seq, replace
	Action  string `json:"action,omitempty"`  // preview (default), annotate, save, submit
	Confirm string `json:"confirm,omitempty"` // yes, where the preview asks
	Key     string `json:"key,omitempty"`     // with save and submit
	Screen  string `json:"screen,omitempty"`  // unsaved changes of the page as JSON (wireChanges)

	Background string `json:"background,omitempty"` // yes: answer 202 with a job at once

	Password string `json:"password,omitempty"` // of an encrypted workbook
	Sheet    string `json:"sheet,omitempty"`    // title of the sheet, where an answer gave choices
}

type wirePlan struct {
	Import  tianbao.ID    `json:"import"`
	Mode    string        `json:"mode"`
	File    string        `json:"file"`
	Sheet   string        `json:"sheet"`
	Changes []wireChange  `json:"changes"`
	Counts  wirePlanCount `json:"counts"`
	Items   []wireItem    `json:"items"`
	// Large tells that the changes are too many to travel to a page and back; save
	// such a file with action save and background yes.
	Large bool `json:"large,omitempty"`
	// Conflicts are to be decided: where the file's side is wanted, add its take to
	// the changes.
	Conflicts []wirePlanConflict `json:"conflicts,omitempty"`
	Problems  []wireProblem      `json:"problems"`
	Remarks   []string           `json:"remarks,omitempty"`
	Confirm   string             `json:"confirm,omitempty"`
	Again     string             `json:"again,omitempty"` // sentence: this very file was imported before
	Saved     *wireSaved         `json:"saved,omitempty"`
	Receipt   *wireReceipt       `json:"receipt,omitempty"` // of the 上报
}

// wireJob is a long import that goes on by itself.
type wireJob struct {
	ID    string    `json:"id"`
	State string    `json:"state"` // running, done, failed, cancelled
	Stage string    `json:"stage,omitempty"`
	Done  int       `json:"done"`
	Total int       `json:"total"` // 0: not counted
	Plan  *wirePlan `json:"plan,omitempty"`
	Error string    `json:"error,omitempty"`
	Code  string    `json:"code,omitempty"`
}

type wirePlanConflict struct {
	wireConflict
	SheetRow int        `json:"sheet_row,omitempty"`
	Seq      int        `json:"seq,omitempty"`
	Take     wireChange `json:"take"`
}

type wirePlanCount struct {
	Rows     int `json:"rows"`
	Add      int `json:"add"`
	Change   int `json:"change"`
	Delete   int `json:"delete"`
	Same     int `json:"same"`
	Conflict int `json:"conflict"`
	Error    int `json:"error"`
}

type wireItem struct {
	Kind     string     `json:"kind"` // add, change, delete, same
	SheetRow int        `json:"sheet_row,omitempty"`
	Seq      int        `json:"seq"`
	Cells    []wireCell `json:"cells,omitempty"`
	Errors   int        `json:"errors,omitempty"`
}

type wireCell struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

type wireHistory struct {
	Revisions []wireRevision `json:"revisions"`
	Next      int64          `json:"next,omitempty"` // pass as before= for older ones
}

type wireRevision struct {
	Version int64        `json:"version"`
	Source  string       `json:"source"`
	Note    string       `json:"note,omitempty"`
	By      string       `json:"by"`
	At      string       `json:"at"`
	Changes []wireRecord `json:"changes"`
}

type wireRecord struct {
	Op     string     `json:"op"`
	Row    tianbao.ID `json:"row"`
	Cells  []wireCell `json:"cells,omitempty"`
	Code   string     `json:"code,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

type wireUndo struct {
	Version int64          `json:"version"`
	Cells   int            `json:"cells"`   // cells that get their earlier value
	Removed int            `json:"removed"` // added rows that go
	Back    int            `json:"back"`    // deleted rows that come back
	Kept    []wireConflict `json:"kept"`    // changed since, masked; they stay
}

type wireUsers struct {
	Users []wireUser `json:"users"`
}

type wireUser struct {
	Login    string   `json:"login"`
	Name     string   `json:"name"`
	Disabled bool     `json:"disabled"`
	Roles    []string `json:"roles"`
	Units    []string `json:"units"`
	LastSeen string   `json:"last_seen,omitempty"`
}

type wireUserAdd struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	Role  string `json:"role"`
	Unit  string `json:"unit,omitempty"` // id, organisation code or budget code
}

type wireNewPassword struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

type wireTrail struct {
	Records []wireTrailLine `json:"records"`
	Next    tianbao.ID      `json:"next,omitempty"` // pass as before= for older ones
}

type wireTrailLine struct {
	ID     tianbao.ID     `json:"id"`
	Lane   int            `json:"lane"`
	Seq    int64          `json:"seq"`
	At     string         `json:"at"`
	Actor  string         `json:"actor,omitempty"` // display name
	Login  string         `json:"login,omitempty"` // as typed at a sign-in
	Unit   string         `json:"unit,omitempty"`
	From   string         `json:"from,omitempty"`
	What   string         `json:"what"`
	Title  string         `json:"title"` // in the users' words
	Object string         `json:"object,omitempty"`
	Result tianbao.Result `json:"result"`
	Reason string         `json:"reason,omitempty"`
	Detail string         `json:"detail,omitempty"`
}

type wireVerified struct {
	Records int64    `json:"records"`
	Faults  []string `json:"faults"`
}

type wireDisable struct {
	Disabled bool `json:"disabled"`
}

// stamp writes a time for the API.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Shanghai).Format(time.RFC3339)
}

// stateNames are the states in the users' words.
var stateNames = map[tianbao.ReportState]string{
	tianbao.StateEmpty:    "未开始",
	tianbao.StateDraft:    "已提交",
	tianbao.StateReported: "已上报",
	tianbao.StateChanged:  "上报后有修改",
}

func toReport(r tianbao.Report) wireReport {
	st := r.State
	if st == "" {
		st = tianbao.StateEmpty
	}
	return wireReport{
		ID: r.ID, Campaign: r.Campaign, Owner: r.Owner, OwnerName: r.OwnerName, State: st,
		StateName: stateNames[st], Version: r.Version, Rows: r.Rows, UpdatedAt: stamp(r.UpdatedAt), UpdatedBy: r.UpdatedBy,
	}
}

func toColumns(f *tianbao.Form) []wireColumn {
	out := make([]wireColumn, len(f.Fields))
	for i := range f.Fields {
		fd := &f.Fields[i]
		out[i] = wireColumn{
			Key: fd.Key, Letter: fd.Letter, Title: fd.Title, Note: fd.Note, Required: fd.Required,
			Width: fd.Pixels, Choices: fd.Enum, Narrow: narrow(fd.Kind),
			Display: display(fd.Kind), Frozen: fd.Frozen,
		}
		if slices.Contains(f.UnitKeys, fd.Key) {
			out[i].Pick = "unit"
		}
	}
	return out
}

// narrow tells the kinds whose text has no full-width characters in normal form.
func narrow(k tianbao.Kind) bool {
	switch k {
	case tianbao.KindCode, tianbao.KindCreditCode, tianbao.KindResidentID, tianbao.KindPhone:
		return true
	}
	return false
}

// display names the grouping in which the page shows long numbers of a kind.
func display(k tianbao.Kind) string {
	switch k {
	case tianbao.KindResidentID:
		return "id18"
	case tianbao.KindCreditCode:
		return "credit"
	case tianbao.KindPhone:
		return "phone"
	}
	return ""
}

func toRows(rows []tianbao.Row) []wireRow {
	out := make([]wireRow, len(rows))
	for i := range rows {
		r := &rows[i]
		out[i] = wireRow{ID: r.ID.String(), Version: r.Version, Values: []string(r.Values)}
		for _, rs := range r.Reasons {
			out[i].Reasons = append(out[i].Reasons, wireReason{rs.Code, rs.Text, rs.By, stamp(rs.At)})
		}
	}
	return out
}

func wireConflicts(cs []tianbao.Conflict) []wireConflict {
	var out []wireConflict
	for _, c := range cs {
		out = append(out, toConflict(c))
	}
	return out
}

func toConflict(c tianbao.Conflict) wireConflict {
	return wireConflict{Row: c.Row, Field: c.Field, Kind: c.Kind, Base: c.Base, Mine: c.Mine, Theirs: c.Theirs, By: c.By, At: stamp(c.At)}
}

// wireProblems names problems as the sender names rows; without a screen, by id.
func (s *Server) wireProblems(form string, version int, ps []tianbao.Problem, scr *report.Screen) []wireProblem {
	rules, err := s.Reports.Rules(form, version)
	out := make([]wireProblem, 0, len(ps))
	for _, p := range ps {
		w := wireProblem{
			Row: p.RowID.String(), Seq: p.Row + 1, Field: p.Field, Code: p.Code,
			Severity: string(p.Severity), Message: p.Message, Reason: p.Reason,
		}
		if scr != nil {
			w.Row = scr.RowName(p.RowID)
		}
		if err == nil {
			if fd := rules.Form().Field(p.Field); fd != nil {
				w.Letter = fd.Letter
			}
		}
		out = append(out, w)
	}
	return out
}

func toReceipt(r tianbao.Receipt, owner, title string) wireReceipt {
	return wireReceipt{
		ID: r.ID, Kind: r.Kind, Number: r.Number, Version: r.Version, Rows: r.Rows, Digest: r.Digest,
		By: r.By, At: stamp(r.At), Report: r.Report, OwnerName: owner, Title: title,
	}
}

// toChanges reads changes as a program or the page sends them.
func toChanges(f *tianbao.Form, in []wireChange) ([]tianbao.Change, error) {
	bad := func(what string) error {
		return tianbao.Invalid("bad_change", "提交的内容有误："+what+"，请刷新页面后重试。")
	}
	out := make([]tianbao.Change, 0, len(in))
	for _, w := range in {
		c := tianbao.Change{
			Op: tianbao.Op(w.Op), Temp: w.Temp, AfterTemp: w.AfterTemp,
			Reason: tianbao.Reason{Code: w.Code, Text: w.Text},
		}
		var err error
		switch c.Op {
		case tianbao.OpInsert:
			switch w.After {
			case "", "0":
			case "end":
				c.After = tianbao.AtEnd
			default:
				if c.After, err = tianbao.ParseID(w.After); err != nil {
					return nil, bad("新增行的位置无法识别")
				}
			}
		case tianbao.OpReason:
			if w.Temp != "" {
				break
			}
			fallthrough
		default:
			if c.Row, err = tianbao.ParseID(w.Row); err != nil {
				return nil, bad("行号无法识别")
			}
		}
		if len(w.Cells) > 0 {
			c.Cells = make([]tianbao.CellEdit, 0, len(w.Cells))
			// In the order of the form, so that a request's digest does not depend on
			// the order of a map.
			for i := range f.Fields {
				if v, ok := w.Cells[f.Fields[i].Key]; ok {
					c.Cells = append(c.Cells, tianbao.CellEdit{Field: i, Value: v})
				}
			}
			if len(c.Cells) != len(w.Cells) {
				return nil, tianbao.Invalid("bad_field", "提交的内容有误：表中没有这一列，请刷新页面后重试。")
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// fromChanges writes the changes of an import plan for the page to apply.
func fromChanges(f *tianbao.Form, cs []tianbao.Change) []wireChange {
	out := make([]wireChange, len(cs))
	for i, c := range cs {
		w := wireChange{Op: string(c.Op), AfterTemp: c.AfterTemp}
		if c.Op == tianbao.OpInsert {
			w.Temp = c.Temp
			switch {
			case c.AfterTemp != "" || c.After == 0:
			case c.After == tianbao.AtEnd:
				w.After = "end"
			default:
				w.After = c.After.String()
			}
		} else if w.Row = c.Temp; c.Row > 0 {
			w.Row = c.Row.String()
		}
		if len(c.Cells) > 0 {
			w.Cells = make(map[string]string, len(c.Cells))
			for _, e := range c.Cells {
				w.Cells[f.Fields[e.Field].Key] = e.Value
			}
		}
		out[i] = w
	}
	return out
}

func toCells(f *tianbao.Form, cells []tianbao.RecordedCell, show func(field int, v string) string) []wireCell {
	var out []wireCell
	for _, c := range cells {
		out = append(out, wireCell{Field: f.Fields[c.Field].Key, Before: show(c.Field, c.Before), After: show(c.Field, c.After)})
	}
	return out
}

func plain(_ int, v string) string { return v }

func atoi(s string, def int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return def
	}
	return n
}
