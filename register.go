package tianbao

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"
)

// Contact is whom to ask at a unit. It is personal: however it is printed or logged,
// it shows nothing but that it is one; it is shown to people through masks.
type Contact struct{ Name, Phone, Mail string }

// String tells only that it is a contact.
func (c Contact) String() string { return "[contact]" }

// Format prints as [Contact.String] does, whatever the verb.
func (c Contact) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue logs as [Contact.String] does.
func (c Contact) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON writes as [Contact.String] does; see the type's comment.
func (c Contact) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, c.String()), nil }

// UnitAlias is another value of a form's field (org_code, budget_code, unit_name) by
// which a unit is found: an earlier name, the code of a unit that was merged into it.
type UnitAlias struct{ Field, Value string }

// UnitEntry is a unit with everything that the register says of it.
type UnitEntry struct {
	Unit
	From    time.Time // founded; zero: before the register
	To      time.Time // closed; zero: open
	Since   time.Time // since when the entry is as it is
	Heir    ID        // the unit that it was merged into, 0: none
	Contact Contact   // only where it is asked for
	Aliases []UnitAlias
}

// Open reports whether the unit is open at a time.
func (e *UnitEntry) Open(at time.Time) bool { return e.To.IsZero() || at.Before(e.To) }

// UnitAct is what happened to a register entry.
type UnitAct string

// The acts.
const (
	UnitCreate UnitAct = "create"
	UnitEdit   UnitAct = "edit" // names, codes, type, kind, region, contact
	UnitMove   UnitAct = "move" // under another unit, with what is below it
	UnitMerge  UnitAct = "merge"
	UnitSplit  UnitAct = "split" // founded out of another unit
	UnitClose  UnitAct = "close"
)

// Title returns the act in the users' words.
func (a UnitAct) Title() string {
	switch a {
	case UnitCreate:
		return "新设"
	case UnitEdit:
		return "变更"
	case UnitMove:
		return "划转"
	case UnitMerge:
		return "并入"
	case UnitSplit:
		return "分设"
	case UnitClose:
		return "撤销"
	}
	return ""
}

// FieldChange is one field of an entry that got another value. Of a contact it never
// holds more than that it changed.
type FieldChange struct {
	Field  string `json:"f"`
	Before string `json:"b,omitempty"`
	After  string `json:"a,omitempty"`
}

// UnitChange is one act on one entry, to be carried out.
type UnitChange struct {
	Act  UnitAct
	Unit Unit // as it is to be; the path follows from Parent
	// Contact is nil where it stays.
	Contact *Contact
	Aliases []UnitAlias // more of them
	// Other is the heir of a unit that is merged, and the origin of one that is founded
	// by a split.
	Other  ID
	Fields []FieldChange // what changes, for the history
}

// RegisterChange are acts on the register that happen together or not at all.
type RegisterChange struct {
	Base    int64     // the register's version that they were planned from
	Day     time.Time // from when on they hold: the beginning of a day
	At      time.Time // when they are entered
	By      ID
	Changes []UnitChange // parents before what is below them
	// Request is the request that they fulfil, nil without one.
	Request *UnitRequest
	Events  []Event
}

// UnitRecord is one act in the history of an entry.
type UnitRecord struct {
	ID     ID
	Act    UnitAct
	Day    time.Time
	At     time.Time
	By     string // name of the person, "" for who has the machine
	Other  string // name of the other unit, "" without one
	Fields []FieldChange
}

// RequestState is how far a request has come.
type RequestState string

// The states.
const (
	RequestOpen     RequestState = "open"
	RequestAccepted RequestState = "accepted"
	RequestRefused  RequestState = "refused"
)

// Title returns the state in the users' words.
func (s RequestState) Title() string {
	switch s {
	case RequestOpen:
		return "待处理"
	case RequestAccepted:
		return "已采纳"
	case RequestRefused:
		return "未采纳"
	}
	return ""
}

// UnitRequest is a unit's wish to have its entry corrected. Value, Why and Remark may
// speak of people and are stored sealed.
type UnitRequest struct {
	ID       ID
	Unit     ID
	UnitName string
	Field    string // key of the register's form
	Value    string
	Why      string
	State    RequestState
	By       ID
	ByName   string
	At       time.Time
	Decider  ID
	// DeciderName and Decided tell who decided and when.
	DeciderName string
	Decided     time.Time
	Remark      string
}

// UnitCount is how many units there are of a kind under a key: a region or a parent.
type UnitCount struct {
	Key   ID
	Kind  string
	Count int
}

// UnitBelow is a unit in the tree with the number of open units below it.
type UnitBelow struct {
	Unit
	Below int
}

// RegionMap is the map of a province that its bureau brought.
type RegionMap struct {
	Region   ID     // the province
	Approval string // 审图号, the number under which the map was approved
	Shapes   []byte // JSON, of package figure's shapes by region
	At       time.Time
	By       ID
}
