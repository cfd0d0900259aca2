package report

import (
	"context"
	"errors"

	"tianbao"
)

// What a commit can meet besides success.
var (
	// ErrStale: the report's version is no longer the one the commit was made from.
	ErrStale = errors.New("report: version moved")
	// ErrDuplicate: the idempotency key is already stored for this report.
	ErrDuplicate = errors.New("report: key already used")
)

// Store keeps reports. internal/store implements it on both engines. Scope is
// applied in the query; a report outside it is tianbao.NotFound, as if it did
// not exist. Every method may return an error of the database.
type Store interface {
	// Together calls fn with a context under which what the store is asked costs less, and
	// may be of one moment.
	Together(ctx context.Context, fn func(context.Context) error) error
	// Report returns one report.
	Report(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Report, error)
	// Snapshot returns a report and all its rows in display order, Seq set from 1,
	// both of one moment.
	Snapshot(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Report, []tianbao.Row, error)
	// Newer returns a report, its rows that a version after since wrote, and the ids of
	// all its rows in display order, of one moment; Seq is not set.
	Newer(ctx context.Context, scope tianbao.Scope, id tianbao.ID, since int64) (tianbao.Report, []tianbao.Row, []tianbao.ID, error)
	// EachRow calls fn for each row of a report in display order, Seq set from 1, and
	// returns the report, all of one moment. It keeps no row and holds a read
	// connection meanwhile.
	EachRow(ctx context.Context, scope tianbao.Scope, id tianbao.ID, fn func(row *tianbao.Row) error) (tianbao.Report, error)
	// Touched returns a report and those of the named rows that exist, of one
	// moment; Seq is not set. Its cost depends on the number of ids only.
	Touched(ctx context.Context, scope tianbao.Scope, id tianbao.ID, rows []tianbao.ID) (tianbao.Report, map[tianbao.ID]tianbao.Row, error)
	// Window returns a report and up to count of its rows, from the position from on,
	// or those behind the row after when that is not 0; of one moment. Seq is not set.
	Window(ctx context.Context, scope tianbao.Scope, id, after tianbao.ID, from, count int) (tianbao.Report, []tianbao.Row, error)
	// Filed returns the reports of a campaign that have rows and whose owner lies in
	// scope, in the order of the unit tree.
	Filed(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID) ([]tianbao.Report, error)
	// Across returns count rows of the reports that Filed returns, one behind the other,
	// by report and of one moment: from the position from on, counted from the first row
	// of the report start, or of the first report when start is 0. With a start its cost
	// does not depend on how many reports there are.
	Across(ctx context.Context, scope tianbao.Scope, campaign, start tianbao.ID, from, count int) ([]Part, error)
	// Since returns the revisions after the given version, oldest first.
	Since(ctx context.Context, report tianbao.ID, version int64) ([]tianbao.Revision, error)
	// History returns up to limit revisions before the given version (0: the
	// newest), newest first. Changes are included.
	History(ctx context.Context, scope tianbao.Scope, report tianbao.ID, before int64, limit int) ([]tianbao.Revision, error)
	// Outcome returns what an idempotency key of this report led to, or ok=false.
	Outcome(ctx context.Context, report tianbao.ID, key string) (o Outcome, ok bool, err error)
	// Named returns the rows that saves of one person brought into the report after the
	// version since, up to the version upTo, by the names the sender gave them.
	Named(ctx context.Context, report, by tianbao.ID, since, upTo int64) (map[string]tianbao.ID, error)
	// Commit saves a change set whole or not at all: the report's version rises by
	// one, rows and history are written, the receipt is stored. It returns only
	// when the write is durable. ErrStale and ErrDuplicate leave nothing behind.
	Commit(ctx context.Context, c *Commit) error
	// CommitChange commits the change sets of an accepted change of a person, each into its
	// report, and stores the change, all or nothing. The collection is one that is kept as
	// a register; the units' rows count as reported. ErrDuplicate: the change waits no
	// longer.
	CommitChange(ctx context.Context, commits []*Commit, c *tianbao.PersonChange, person string, fresh bool, events ...tianbao.Event) error
	// Stage begins an import of many rows into the report. The change set and the
	// import record that will carry it get the given ids. What is staged is seen by
	// nobody before Staging.Commit, and dropped after a crash.
	Stage(ctx context.Context, rep tianbao.Report, set, imp tianbao.ID) (Staging, error)
	// MarkReported stores a 上报: the state of the report becomes
	// tianbao.StateReported if its version is still the receipt's, else ErrStale.
	MarkReported(ctx context.Context, r tianbao.Receipt, key, requestDigest string, by tianbao.ID) error
	// Receipt returns a receipt of the report.
	Receipt(ctx context.Context, scope tianbao.Scope, report, id tianbao.ID) (tianbao.Receipt, error)
	// Receipts returns the newest receipts of the report, newest first.
	Receipts(ctx context.Context, scope tianbao.Scope, report tianbao.ID, limit int) ([]tianbao.Receipt, error)
	// PutImport keeps the record of a previewed import until a commit carries it.
	PutImport(ctx context.Context, rec *ImportRecord) error
	// Imports returns the named import records of the report, Raw included.
	Imports(ctx context.Context, report tianbao.ID, ids []tianbao.ID) ([]ImportRecord, error)
	// ImportsOf returns the carried imports of the report whose file has the
	// given digest, newest first.
	ImportsOf(ctx context.Context, report tianbao.ID, digest string) ([]ImportRecord, error)
	// Filled returns up to limit rows of the owner of a report, and of the units below it,
	// in reports of those above in the same campaign.
	Filled(ctx context.Context, own tianbao.Report, limit int) ([]Filled, error)
	// CountFilled counts them.
	CountFilled(ctx context.Context, own tianbao.Report) (int, error)
	// Holding returns a report that holds a row of a unit in scope, whoever owns it.
	Holding(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Report, error)
	// OpenRemarks returns what reviewers said of rows of a report whose units they
	// returned, and that were not reported since.
	OpenRemarks(ctx context.Context, report tianbao.ID) ([]tianbao.Remark, error)
	// UnitsWithin reports whether all the units lie in scope.
	UnitsWithin(ctx context.Context, scope tianbao.Scope, units []tianbao.ID) (bool, error)
	// Beside returns what looks up, as of now, what stands beside a report: the old list of
	// the nearest bureau above it, and the rows of other reports of its collection. Units are
	// named where they lie below the report's owner.
	Beside(ctx context.Context, rep *tianbao.Report) (tianbao.Beside, error)
	// UnitFinder returns what looks up, as of today, the unit within the scope that the
	// given values of the form's UnitKeys fields name, most certain first. lookups is
	// about how often it will be called.
	UnitFinder(ctx context.Context, scope tianbao.Scope, lookups int) (tianbao.UnitFinder, error)
}

// Part is a stretch of the rows of one report.
type Part struct {
	Report tianbao.Report
	From   int // where Rows begin in the report
	Rows   []tianbao.Row
	Faults []int // errors that each row has by itself
}

// Outcome is what an idempotency key led to.
type Outcome struct {
	RequestDigest string // of the request that used the key
	Receipt       tianbao.Receipt
	// Inserted maps the sender's names of new rows to the ids they got.
	Inserted map[string]tianbao.ID
}

// Commit is a merged and checked change set, ready to be written.
type Commit struct {
	// Report is the report as it was read; its Version is the one that must still
	// stand, its State and Rows are already those after the commit.
	Report        tianbao.Report
	Set           *tianbao.ChangeSet
	RequestDigest string
	Puts          []Put
	Deletes       []tianbao.ID
	Recorded      []tianbao.Recorded
	Receipt       tianbao.Receipt
	Inserted      map[string]tianbao.ID
}

// Staging is one import that is put aside part by part and committed whole. It is used
// by one goroutine, which calls Drop in the end whatever happened before.
type Staging interface {
	// Add puts rows aside, sealed, in a transaction of their own.
	Add(ctx context.Context, b *Batch) error
	// Commit makes all that was added part of the report, as Store.Commit does with a
	// commit that holds rows, in one transaction. c holds none. ErrStale leaves all
	// as it was: Commit may be called again with a later version, if what happened
	// since concerns none of the staged rows.
	Commit(ctx context.Context, c *Commit, rec *ImportRecord) error
	// Drop takes away what is staged and was not committed.
	Drop(ctx context.Context) error
}

// Batch is a part of an import.
type Batch struct {
	Puts    []Put // After is not looked at
	Deletes []tianbao.ID
	// Order gives the places of the new rows among Puts: nil puts them behind the last
	// row as they come. Once one batch has it all have, also of the rows that stay, in
	// Moves.
	Order    []int
	Moves    []Move
	Recorded []tianbao.Recorded
	Raw      []byte // as ImportRecord.Raw, of these rows
}

// Move gives a stored row another place.
type Move struct {
	Row   tianbao.ID
	Order int
}

// Put is a row to insert or to replace.
type Put struct {
	Row    tianbao.Row
	New    bool
	After  tianbao.ID // of a new row: the row it follows, 0: first, tianbao.AtEnd: last. May be a new row put earlier in the commit.
	Faults int        // errors the row has by itself
}

// ImportRecord is what is kept of a workbook that was previewed: who, when, which
// file, and the cells whose text was changed by normalisation, as they were.
type ImportRecord struct {
	ID     tianbao.ID
	Report tianbao.ID
	File   string // name as the sender gave it
	Digest string // keyed digest of the bytes
	Mode   string
	Rows   int
	By     tianbao.ID
	ByName string // filled on reading
	At     int64  // unix ms
	// Raw holds the raw cells that differ from the normal form and the marks of the
	// cells, as JSON made and read by this package. The store seals it.
	Raw []byte
	// More holds more of the same, of an import that was staged in parts.
	More [][]byte
	// Version is the report version that carried the import, 0 if none did.
	Version int64
}
