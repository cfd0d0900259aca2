package tianbao

import "time"

// ChangeKind is what happened to a person after a collection that is kept as a register
// (变更).
type ChangeKind string

// The kinds.
const (
	ChangeJoin  ChangeKind = "join"  // 新任: who is in no other unit of the register
	ChangeMove  ChangeKind = "move"  // 调入: who leaves the unit where they are by it
	ChangePart  ChangeKind = "part"  // 兼任: who stays where they are too
	ChangeLeave ChangeKind = "leave" // 离任
	ChangePhone ChangeKind = "phone" // 换号
)

// ChangeKinds returns the kinds in the order in which pages list them.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{ChangeJoin, ChangeLeave, ChangePhone, ChangeMove, ChangePart}
}

// Title returns the kind in the users' words, "" for a kind that does not exist.
func (k ChangeKind) Title() string {
	switch k {
	case ChangeJoin:
		return "新任"
	case ChangeMove:
		return "调入"
	case ChangePart:
		return "兼任"
	case ChangeLeave:
		return "离任"
	case ChangePhone:
		return "换号"
	}
	return ""
}

// Comes reports whether the change brings somebody into the unit.
func (k ChangeKind) Comes() bool { return k == ChangeJoin || k == ChangeMove || k == ChangePart }

// ChangeState is how far a change has come.
type ChangeState string

// The states. Only an accepted change is in the rows.
const (
	ChangeWaiting   ChangeState = "waiting"   // 待核准
	ChangeAccepted  ChangeState = "accepted"  // 已核准
	ChangeReturned  ChangeState = "returned"  // 已退回, with a remark
	ChangeWithdrawn ChangeState = "withdrawn" // 已撤回, by the unit
)

// ChangeStates returns the states in the order in which pages list them.
func ChangeStates() []ChangeState {
	return []ChangeState{ChangeWaiting, ChangeAccepted, ChangeReturned, ChangeWithdrawn}
}

// Title returns the state in the users' words, "" for a state that does not exist.
func (s ChangeState) Title() string {
	switch s {
	case ChangeWaiting:
		return "待核准"
	case ChangeAccepted:
		return "已核准"
	case ChangeReturned:
		return "已退回"
	case ChangeWithdrawn:
		return "已撤回"
	}
	return ""
}

// RowPlace is a row with the report that it stands in.
type RowPlace struct{ Report, Row ID }

// PersonChange is a change of one person that a unit reports. Once it is accepted it is a
// version of the report that holds the row.
type PersonChange struct {
	ID       ID
	Campaign ID
	Unit     ID
	UnitName string
	Kind     ChangeKind
	Day      time.Time // from the beginning of which it holds, in the zone of Shanghai
	State    ChangeState
	// Form and FormV are by whose fields the values are.
	Form  string
	FormV int
	// At is the row concerned: who leaves or has another phone, or who came, once that is
	// accepted.
	At RowPlace
	// Base is the version of the report from which the change was made, Version the one
	// that carried it, 0: none did.
	Base, Version int64
	// From is the unit that a person left by moving, with the row that went there.
	From     ID
	FromName string
	FromAt   RowPlace
	// Values are the row as it is to be, of who leaves as it was; Before as it was, of
	// who has another phone.
	Values, Before Values
	Why            string // explains the change, and faults that ask for a reason
	Erased         bool   // what it said of the person is erased
	By             ID
	ByName         string
	Made           time.Time
	Decider        ID // who made it, where nobody has to accept
	DeciderName    string
	Decided        time.Time
	Remark         string
}

// Doer is who does something, as history and receipts name them.
type Doer struct {
	User        ID
	Login, Name string
}

// ConfirmAnswer is what a unit says of a person of the last round.
type ConfirmAnswer string

// The answers.
const (
	ConfirmNone  ConfirmAnswer = ""      // 待确认
	ConfirmStays ConfirmAnswer = "stays" // 仍在任: is a row of the new round
	ConfirmLeft  ConfirmAnswer = "left"  // 已离任
)

// Confirmation is the answer about one row of the round from which another is prefilled.
type Confirmation struct {
	Campaign ID // the new round
	Unit     ID
	From     RowPlace
	Answer   ConfirmAnswer
	At       RowPlace // the row of the new round
	Temp     string   // by which the change set names it before it is there
	By       ID
	Said     time.Time
}
