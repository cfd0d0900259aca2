package campaign

import (
	"context"
	"time"

	"tianbao"
)

// Store keeps collections and tells where units stand. internal/store implements it.
// Scope is applied in the query; every write carries its events in its transaction.
type Store interface {
	// Collections returns all collections, also those that are not released, newest first.
	Collections(ctx context.Context) ([]tianbao.Campaign, error)
	// Collection returns one of them.
	Collection(ctx context.Context, id tianbao.ID) (tianbao.Campaign, error)
	// Rules returns all rules of a collection with their reasons, the last made first,
	// also those that were taken back.
	Rules(ctx context.Context, campaign tianbao.ID) ([]tianbao.CampaignRule, error)
	// Plan returns the plan of a collection as it stands, with reasons.
	Plan(ctx context.Context, campaign tianbao.ID) (*Plan, error)
	// ChangeCollection carries a change out whole or not at all; tianbao.ErrConflict when
	// the collection is not at the change's base version any more.
	ChangeCollection(ctx context.Context, c *Change) error
	// Regions returns all regions.
	Regions(ctx context.Context) ([]tianbao.Region, error)
	// Unit returns a unit in scope.
	Unit(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Unit, error)
	// UnitsNamed returns units by id, whatever the scope; those that are not there are left out.
	UnitsNamed(ctx context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Unit, error)
	// Contacts returns the contacts of units, whatever the scope: the caller has checked it.
	Contacts(ctx context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Contact, error)
	// Tally counts the units that lay in scope at a time by where they stood then; past
	// tells that the time is not now.
	Tally(ctx context.Context, scope tianbao.Scope, q Question) (*Tally, error)
	// Waiting counts the units in scope that are reported and not passed by the last level.
	Waiting(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, at time.Time) ([]WaitingCell, error)
	// EachLine calls fn for each unit that lay in scope at a time, in the order of the
	// tree, behind the path after. fn must not keep the line. An error of fn ends it.
	EachLine(ctx context.Context, scope tianbao.Scope, q Question, after string, fn func(l *Line) error) error
	// LineOf returns the line of one unit in scope, as it is now.
	LineOf(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (Line, error)
	// KeepDay keeps where the units of a collection stood at the end of a day that has been
	// over for [KeepAfter]; KeptDays returns the ends of those that are kept, in UTC.
	KeepDay(ctx context.Context, campaign tianbao.ID, end time.Time) error
	KeptDays(ctx context.Context, campaign tianbao.ID) (map[time.Time]bool, error)
	// Pulse returns what is another one whenever figures may be others.
	Pulse(ctx context.Context, campaign tianbao.ID) (Pulse, error)
	CertificateStore
	// Manned returns which of the units have an account that can fill in for them and
	// which have a contact.
	Manned(ctx context.Context, scope tianbao.Scope, at time.Time) (accounts, contacts map[tianbao.ID]bool, err error)
	// Declare stores what is said of units instead of rows, in place of what was said
	// before. Units with rows, and those whose door is not open, are refused; force passes
	// over doors, for officers.
	Declare(ctx context.Context, ds []tianbao.Declaration, force bool, events ...tianbao.Event) error
	// EndDeclaration takes a standing declaration of a unit back, force whether its door is
	// open or not; tianbao.NotFound without one.
	EndDeclaration(ctx context.Context, campaign, unit, by tianbao.ID, force bool, events ...tianbao.Event) error
	// Declaration returns the standing declaration of a unit, tianbao.NotFound without one.
	Declaration(ctx context.Context, campaign, unit tianbao.ID) (tianbao.Declaration, error)
	// Review stores verdicts with what comes with them: a returned unit's rows wait to be
	// reported again, a passed unit is locked. A verdict that does not fit where the unit
	// stands is refused, and then none is stored.
	Review(ctx context.Context, j *Judgement) error
	// LastReturn returns the last return of a unit with its remarks, nil if it never was.
	LastReturn(ctx context.Context, campaign, unit tianbao.ID) (*Look, error)
	// OpenRemarks returns the remarks on rows of a report whose units are returned.
	OpenRemarks(ctx context.Context, report tianbao.ID) ([]tianbao.Remark, error)
	// UnitRows returns up to limit rows of a unit in scope, whatever report they stand in.
	UnitRows(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID, limit int) ([]UnitRow, error)
	// Explained returns up to limit rows in scope that have reasons, in the order of the
	// tree, behind the place after.
	Explained(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, after Cursor, limit int) ([]UnitRow, error)
	// UnitsOf returns the units that have rows in a report.
	UnitsOf(ctx context.Context, report tianbao.ID) ([]tianbao.ID, error)
	// Since returns what was saved of a report after a version, oldest first.
	Since(ctx context.Context, report tianbao.ID, version int64) ([]tianbao.Revision, error)
	// Proof returns the file of the standing declaration of a unit; the event tells who
	// looked.
	Proof(ctx context.Context, campaign, unit tianbao.ID, e tianbao.Event) (tianbao.Proof, error)
	// Declarations returns the standing declarations of units in scope, in the order of
	// the tree.
	Declarations(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, limit int) ([]Declared, error)
	// Verdicts returns the verdicts on a unit, the last first.
	Verdicts(ctx context.Context, campaign, unit tianbao.ID) ([]tianbao.Verdict, error)
	// StandingHistory returns how a unit has stood, the last first.
	StandingHistory(ctx context.Context, campaign, unit tianbao.ID, limit int) ([]Step, error)
}

// Question is what is asked of a collection: at which time, which may be now.
type Question struct {
	Campaign tianbao.ID
	At       time.Time
	Past     bool // not now: ask the log and the register of the day
}

// Change is a change of a collection.
type Change struct {
	// Campaign is as it is to be; Version is the base, 0 for a new one.
	Campaign tianbao.Campaign
	Add      []tianbao.CampaignRule // with ids
	End      []tianbao.ID           // rules that are taken back
	At       time.Time
	By       tianbao.ID
	Events   []tianbao.Event
}

// Cell is a number of units that stand alike: that lie right below one unit in one
// region and have no rule of their own; or one unit that has, or that is not of the
// lowest kind.
type Cell struct {
	Path   string     // of one of them
	Unit   tianbao.ID // where it is one, else 0
	Kind   string
	Region tianbao.ID
	State  tianbao.Standing
	Count  int
	// Rows and Faulty are of now and zero in a question about the past.
	Rows, Faulty int
}

// Tally is what Store.Tally answers.
type Tally struct {
	Plan  *Plan
	Cells []Cell
	// Tops are the paths of the tops of the viewer's scope as they were at the time.
	Tops []string
	// Units are those above a cell, and those that are one, as they were at the time.
	Units map[tianbao.ID]tianbao.Unit
}

// Line is where one unit stands.
type Line struct {
	Unit  tianbao.Unit
	State tianbao.Standing // as stored, never overdue
	// Rows, Faulty and Since are of now and zero in a question about the past.
	Rows   int
	Faulty int
	Since  time.Time // of the state
	Review Review
	Passes Passes
}

// Step is one change of where a unit stands.
type Step struct {
	At     time.Time
	State  tianbao.Standing
	Rows   int
	Faulty int
	By     tianbao.ID
	ByName string
}

// Judgement is what a reviewer says of units of one collection.
type Judgement struct {
	Verdicts []tianbao.Verdict
	// Levels are those by which the verdicts were made; when others hold by now all is
	// refused. 0: they are not asked for.
	Levels  tianbao.Levels
	Remarks []tianbao.Remark       // on rows of units that are returned
	Reopen  []tianbao.CampaignRule // of returned units, each about its unit alone
	Events  []tianbao.Event
}

// Look is a return as the second look at a unit needs it.
type Look struct {
	Verdict tianbao.ID
	// Seen are the versions that had last written a row of the unit, by report.
	Seen    map[tianbao.ID]int64
	Remarks []tianbao.Remark
}

// UnitRow is a row with the unit that it is of and the report that it stands in.
type UnitRow struct {
	Unit   tianbao.Unit
	Report tianbao.Report
	Row    tianbao.Row
	By     string // who wrote it last
	At     time.Time
}

// Cursor is a place in a list of rows.
type Cursor struct {
	Path        string // of the unit
	Report, Row tianbao.ID
}

// Declared is a standing declaration with its unit.
type Declared struct {
	Unit tianbao.Unit
	tianbao.Declaration
	ByName string
}
