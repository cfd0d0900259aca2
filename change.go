package tianbao

import "time"

// Op is what a change does to a row.
type Op string

// The operations of a change set.
const (
	OpInsert Op = "insert" // a new row after row After (0: as the first row)
	OpEdit   Op = "edit"   // new values for some cells
	OpDelete Op = "delete" // the row goes; its history stays
	OpReason Op = "reason" // the explanation of a justify fault
)

// AtEnd, as the row that a new row follows, means: after the last row.
const AtEnd ID = -1

// CellEdit is the new value of one cell.
type CellEdit struct {
	Field int // position in the form's fields
	Value string
	Mark  Mark
}

// Change is one step of a change set.
type Change struct {
	Op    Op
	Row   ID     // the row; on insert the new row's id, given by the server
	Temp  string // on insert: the sender's own name for the new row, unique in the set
	After ID     // on insert: the row it follows, 0 for the first place, AtEnd for the last
	// AfterTemp is the sender's name of the row it follows when that row is new too.
	AfterTemp string
	Cells     []CellEdit
	Reason    Reason // on OpReason
}

// Source tells through which channel a change set came in.
type Source string

// The channels. All of them go through the same door (internal/report).
const (
	SourcePage   Source = "page"
	SourceImport Source = "import"
	SourceAPI    Source = "api"
	SourceMail   Source = "mail"
	SourceFolder Source = "folder"
	SourceUndo   Source = "undo"
	SourceDemo   Source = "demo"
	// SourceCorrect is a unit's correction of rows that were filled in for it above.
	SourceCorrect Source = "correct"
	// SourceChange is an accepted change of a person (变更), SourceConfirm what a unit
	// confirmed of the people of another round.
	SourceChange  Source = "change"
	SourceConfirm Source = "confirm"
	// SourceErase is the erasure of a person on request.
	SourceErase Source = "erase"
)

// ChangeSet is one atomic save of a report: what the sender wants changed, from
// which version of the report the sender started, under which idempotency key.
type ChangeSet struct {
	Report  ID
	Key     string // idempotency key, unique in the report
	Base    int64  // the report version the sender has seen
	Source  Source
	Note    string // e.g. the name of the imported file
	Imports []ID   // the previewed imports that this set carries
	// Confirms are answers about people of another round that this set carries.
	Confirms []Confirmation
	Draft    string // the name of the author's draft that this set contains; it goes with the save
	Changes  []Change
	By       ID // user
	At       time.Time
}

// Conflict is a cell (or row) that somebody else changed since the sender's base
// version, and that the sender wants otherwise. Nothing is written while a
// conflict stands; the sender decides, on both values.
type Conflict struct {
	Row    ID
	Field  string // empty: the row as a whole was deleted by one side
	Base   string // what both started from
	Mine   string // what the sender wants
	Theirs string // what is stored now
	By     string // who stored it (display name)
	At     time.Time
	Kind   string // "edited", "deleted" (theirs), "delete-edited" (mine deletes what they edited)
}

// Receipt confirms a save (提交) or a report upward (上报).
type Receipt struct {
	ID      ID
	Report  ID
	Kind    string // "save" or "report"
	Number  string // human-readable, e.g. TB-20220923-000123-4
	Version int64  // the report version it confirms
	Rows    int    // rows in the report at that version
	Digest  string // keyed hex digest: of all rows for a report, of the changes for a save
	By      string // display name
	At      time.Time
}

// ReportState is where a report stands.
type ReportState string

// The states that a report's own acts can bring about. States that depend on the
// calendar or the register (未开始, 逾期 …) are computed by the campaign.
const (
	StateEmpty    ReportState = "empty"    // 未开始
	StateDraft    ReportState = "draft"    // 已提交: saved, not reported
	StateReported ReportState = "reported" // 已上报
	StateChanged  ReportState = "changed"  // 上报后有修改
	// StateErased is for good: what it held of people is erased, and nothing new comes in.
	StateErased ReportState = "erased" // 已清除个人信息
)

// Report is the sheet of one owner (a unit, or a department or bureau that fills
// in for the units below it) in one campaign.
type Report struct {
	ID       ID
	Campaign ID
	Owner    ID // unit
	// OwnerName and OwnerPath are the owner's, for display and scope.
	OwnerName string
	OwnerPath string
	Form      string // form name
	FormV     int    // form version the report was opened with
	Version   int64  // rises by one with each change set; 0: nothing saved yet
	State     ReportState
	Rows      int
	UpdatedAt time.Time
	UpdatedBy string // display name
}

// Revision is one change set as the history keeps it.
type Revision struct {
	ID      ID
	Version int64
	Source  Source
	Note    string
	By      string // display name
	At      time.Time
	Changes []Recorded
}

// Recorded is one change as it happened.
type Recorded struct {
	Op  Op
	Row ID
	// Cells are the changed cells only: of an insert those that were filled, of a
	// delete those that had been.
	Cells []RecordedCell
	// Reason is the explanation given, with OpReason.
	Reason Reason
	// AfterRow is the row that an inserted row follows.
	AfterRow ID
}

// RecordedCell is a cell before and after a change.
type RecordedCell struct {
	Field  int
	Before string
	After  string
	Mark   Mark // after
	Was    Mark // before
}
