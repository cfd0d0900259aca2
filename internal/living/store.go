package living

import (
	"context"
	"time"

	"tianbao"
)

// Store keeps changes of people. internal/store implements it on both engines. Scope is
// applied in the query: what lies outside is tianbao.NotFound, as if it did not exist.
type Store interface {
	// Collection returns a collection.
	Collection(ctx context.Context, id tianbao.ID) (tianbao.Campaign, error)
	// Collections returns all of them, the newest first.
	Collections(ctx context.Context) ([]tianbao.Campaign, error)
	// Unit returns a unit in scope.
	Unit(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Unit, error)
	// Takes reports whether a unit takes part in a collection as of now.
	Takes(ctx context.Context, campaign, unit tianbao.ID) (bool, error)
	// People returns up to limit rows of a unit in scope that were reported, in whatever
	// report of the collection they stand.
	People(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID, limit int) ([]Person, error)
	// Elsewhere returns those of other units of the collection whose sealed field has a
	// value, wherever they are: the caller tells nobody more than that there are some.
	Elsewhere(ctx context.Context, campaign, unit tianbao.ID, field, value string) ([]Person, error)
	// OpenReport returns the report of a unit in scope, made if there is none.
	OpenReport(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (tianbao.Report, error)

	// PutChange stores a waiting change. One of a row, or of a person, of whom another
	// waits in the unit is refused.
	PutChange(ctx context.Context, c *tianbao.PersonChange, person string, events ...tianbao.Event) error
	// Changes returns changes in scope, the last made first.
	Changes(ctx context.Context, scope tianbao.Scope, f Filter) ([]tianbao.PersonChange, error)
	// CountChanges counts those in scope that wait, by collection.
	CountChanges(ctx context.Context, scope tianbao.Scope) (map[tianbao.ID]int, error)
	// ReturnedChanges counts those of a unit in scope that were returned since a time and after
	// which the unit reported nothing, by collection.
	ReturnedChanges(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, since time.Time) (map[tianbao.ID]int, error)
	// Change returns one change of a unit in scope.
	Change(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.PersonChange, error)
	// EndChange stores that a waiting change was returned or withdrawn; [Decided] when it
	// waits no longer.
	EndChange(ctx context.Context, c *tianbao.PersonChange, events ...tianbao.Event) error

	// Traces returns what is known of the person whose sealed field has a value: rows that
	// were reported and accepted changes, of units in scope.
	Traces(ctx context.Context, scope tianbao.Scope, field, value string) ([]Fact, error)

	// Prefill returns the people of another round that the owner of a report is asked
	// about, with the answers given, and how many answers are missing.
	Prefill(ctx context.Context, rep tianbao.Report, from tianbao.ID, limit int) (Asked, error)
	// PutAnswers stores answers that bring no rows; ones that are there already are refused.
	PutAnswers(ctx context.Context, rep tianbao.Report, answers []tianbao.Confirmation, events ...tianbao.Event) error
	// DropAnswer takes the answer back that somebody left; tianbao.NotFound without one.
	DropAnswer(ctx context.Context, rep tianbao.Report, from tianbao.RowPlace, events ...tianbao.Event) error
}

// Filter chooses changes. A zero field is any.
type Filter struct {
	Campaign tianbao.ID
	Unit     tianbao.ID // alone; with what left it by moving
	State    tianbao.ChangeState
	Before   tianbao.ID // those made before this one
	Limit    int
}

// Asked are people of another round.
type Asked struct {
	People []AskedPerson
	// Missing counts those who have no answer and are not in the report by their id.
	Missing int
	More    bool // there are more than are listed
}

// AskedPerson is one of them.
type AskedPerson struct {
	Person
	Answer tianbao.ConfirmAnswer
	// Here: the unit has them in the new round by now.
	Here bool
}

// Office changes reports wherever they lie; internal/report implements it: the same door
// that every other row comes through. Who may do what is asked before.
type Office interface {
	// Problems returns the problems of the rows that a set changes, as they would be. It
	// brings the cells of the set into normal form.
	Problems(ctx context.Context, by tianbao.Doer, set *tianbao.ChangeSet) ([]tianbao.Problem, error)
	// UnitOf returns whose a row of a report with these cells would be.
	UnitOf(ctx context.Context, report tianbao.ID, values tianbao.Values) (tianbao.ID, error)
	// Carry makes the change sets and stores the change as accepted, all in one
	// transaction. fresh: the change is not stored yet, else it waits.
	Carry(ctx context.Context, by tianbao.Doer, c *tianbao.PersonChange, person string, fresh bool, sets []*tianbao.ChangeSet, events ...tianbao.Event) error
	// Save is 提交.
	Save(ctx context.Context, by tianbao.Doer, set *tianbao.ChangeSet) (tianbao.Receipt, error)
}

// Actor is who acts, and where.
type Actor struct {
	tianbao.Doer
	From string // address
	// Fills are the subtrees in which the actor may fill in, Reviews those whose registers
	// they keep as a finance bureau, Sees those of which they may see rows.
	Fills, Reviews, Sees tianbao.Scope
}
