package provision

import (
	"context"
	"time"

	"tianbao"
)

// State is how far a plan has come.
type State string

// The states of a plan.
const (
	Planned  State = "planned"  // to be looked at; nothing is done
	Approved State = "approved" // being carried out
	Done     State = "done"
	Dropped  State = "dropped" // another plan was made, or it was given up
)

// Title returns the state in the users' words.
func (s State) Title() string {
	switch s {
	case Planned:
		return "待批准"
	case Approved:
		return "正在执行"
	case Done:
		return "执行完毕"
	case Dropped:
		return "已放弃"
	}
	return ""
}

// StepState is how far a step has come.
type StepState string

// The states of a step.
const (
	StepPlanned StepState = "planned"
	StepSending StepState = "sending" // begun; whether the other side has it is not known
	StepApplied StepState = "applied"
	StepFailed  StepState = "failed"  // the other side refused it
	StepSkipped StepState = "skipped" // the step that it needs failed
)

// Title returns the state in the users' words.
func (s StepState) Title() string {
	switch s {
	case StepPlanned:
		return "未执行"
	case StepSending:
		return "正在执行"
	case StepApplied:
		return "已执行"
	case StepFailed:
		return "被平台拒绝"
	case StepSkipped:
		return "前一步没有成功，未执行"
	}
	return ""
}

// Head is a stored plan without its steps.
type Head struct {
	ID, Campaign tianbao.ID
	Title        string // of the campaign
	Root         tianbao.ID
	RootName     string
	State        State
	Proof        bool // only phones that were verified count
	Kept         int
	Made         time.Time
	By           tianbao.ID
	ByName       string
	Approved     time.Time
	ApprovedBy   tianbao.ID
	ApprovedName string
	Ended        time.Time
	Trouble      string // what keeps it from going on
	// Node has the plan in hand until Until.
	Node  string
	Until time.Time
	// Steps counts by kind and state, Held by reason.
	Steps map[Kind]map[StepState]int
	Held  map[Why]int
}

// Line is a stored step.
type Line struct {
	N int
	Step
	State    StepState
	Reason   string
	At       time.Time
	UnitName string // of the home
}

// HeldLine is somebody held, as stored.
type HeldLine struct {
	N int
	Held
	UnitName string
}

// Stored is an account as it stands.
type Stored struct {
	Account
	External string
	Made     time.Time
	Changed  time.Time
}

// Material is what a plan is made of.
type Material struct {
	Title   string
	Rows    []Row
	Stored  []Stored
	Settled map[tianbao.ID]bool
}

// Outcome is what became of a step.
type Outcome struct {
	Plan     tianbao.ID
	N        int
	Node     string
	State    StepState
	Reason   string
	External string
	At       time.Time
	Until    time.Time // the lease from now on
}

// Store keeps accounts and plans. Scope is the viewer's.
type Store interface {
	// Material returns what the units below root have reported (and what passed review where
	// that is asked for) in a campaign, with the accounts of units there.
	Material(ctx context.Context, root, campaign tianbao.ID) (*Material, error)
	// PutPlan stores a plan, and gives up an open one of the root that nobody has approved;
	// where one is being carried out it is tianbao.ErrConflict "plan_open".
	PutPlan(ctx context.Context, h *Head, p *Plan, events ...tianbao.Event) error
	// Plans lists plans of roots in scope, the newest first.
	Plans(ctx context.Context, scope tianbao.Scope, limit int) ([]Head, error)
	// PlanOf returns a plan with its counts.
	PlanOf(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (Head, error)
	// Lines returns steps of a plan behind the n-th, of a kind or state where these are set.
	Lines(ctx context.Context, id tianbao.ID, behind int, kind Kind, state StepState, limit int) ([]Line, error)
	// HeldOf returns who is held behind the n-th, for a reason where it is set.
	HeldOf(ctx context.Context, id tianbao.ID, behind int, why Why, limit int) ([]HeldLine, error)
	// Decide approves or drops a plan that is planned; another is tianbao.ErrConflict.
	Decide(ctx context.Context, id tianbao.ID, to State, by tianbao.ID, at time.Time, events ...tianbao.Event) error
	// Lease takes an approved plan that nobody has in hand, ok false: there is none.
	Lease(ctx context.Context, node string, now, until time.Time) (h Head, ok bool, err error)
	// FreePlans gives back the plans that anybody has in hand.
	FreePlans(ctx context.Context) error
	// Begin marks a step as being sent; mine false: somebody else has the plan in hand.
	Begin(ctx context.Context, o *Outcome) (mine bool, err error)
	// Finish stores what became of a step, and the account with it where it was applied.
	Finish(ctx context.Context, l *Line, o *Outcome, events ...tianbao.Event) (mine bool, err error)
	// Leave gives a plan back: done, or with the trouble that it met until when it rests.
	Leave(ctx context.Context, id tianbao.ID, node string, done bool, trouble string, until, at time.Time, events ...tianbao.Event) error
	// Accounts returns accounts with a unit in scope behind an id, in the order of ids.
	Accounts(ctx context.Context, scope tianbao.Scope, behind tianbao.ID, limit int) ([]Stored, error)
	// External returns the other side's id of an account, "" for none.
	External(ctx context.Context, account tianbao.ID) (string, error)
	// UnitsNamed returns units by their ids.
	UnitsNamed(ctx context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Unit, error)
}
