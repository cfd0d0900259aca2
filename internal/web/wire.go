package web

import "tianbao"

// The types of this file are the API: what programs and our own page send and
// get. Ids are strings, times are RFC 3339 in the zone of Shanghai.

type wireReady struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"` // ok, or a word that says what is wrong
}

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
	Code     string `json:"code,omitempty"` // of the second factor; it also opens a locked account
	Next     string `json:"next,omitempty"`
}

type wireLanguage struct {
	Lang string `json:"lang"` // zh-CN or en
	Next string `json:"next,omitempty"`
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
	// Pending is what has to be done first: factor, setup or password.
	Pending string `json:"pending,omitempty"`
}

type wireHome struct {
	Campaigns []wireCampaign `json:"campaigns"`
	Notices   []wireNotice   `json:"notices"`
	Standings []wireStanding `json:"standings,omitempty"` // of the caller's own unit
	Unread    int            `json:"unread"`              // notices and answers
	Open      int            `json:"open,omitempty"`      // questions that wait for the caller
	Reminders []wireReminder `json:"reminders,omitempty"` // of the caller's units, not read
}

// wireStanding is where a unit stands in a collection.
type wireStanding struct {
	Campaign  tianbao.ID       `json:"campaign"`
	Unit      tianbao.ID       `json:"unit"`
	State     tianbao.Standing `json:"state"`
	StateName string           `json:"state_name"`
	Open      bool             `json:"open"`            // rows may be saved
	Until     string           `json:"until,omitempty"` // while it is open; else since or until when it is not
	Text      string           `json:"text"`            // why, in the users' words
	Ask       string           `json:"ask,omitempty"`   // the bureau to ask
}

type wireCampaign struct {
	ID     tianbao.ID `json:"id"`
	Title  string     `json:"title"`
	Form   string     `json:"form"`
	FormV  int        `json:"form_version"`
	Closes string     `json:"closes,omitempty"`
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
	Filled  int          `json:"filled,omitempty"` // rows of these units in reports of those above, see /reports/{report}/filled
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
	Left     int           `json:"left,omitempty"` // problems that are counted and not listed
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
	ID       tianbao.ID `json:"id"`
	Login    string     `json:"login"`
	Name     string     `json:"name"`
	Disabled bool       `json:"disabled"`
	Roles    []string   `json:"roles"`
	Units    []string   `json:"units"`
	LastSeen string     `json:"last_seen,omitempty"`
}

type wireUserAdd struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	// Office asks for one of system, security, audit; the security administrator agrees.
	Office string `json:"office,omitempty"`
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
