package report

import (
	"context"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Checker is the form's rules as this package needs them; internal/check gives it.
// It must be safe for concurrent use.
type Checker interface {
	// Form returns the form whose rules these are.
	Form() *tianbao.Form
	// Normalize brings the text of a cell into the field's normal form.
	Normalize(field int, raw string) string
	// Row appends the problems that the row has by itself.
	Row(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem
	// Rows returns all problems of the rows of one sheet.
	Rows(rows []tianbao.Row) []tianbao.Problem
	// RowPasses is Rows for rows that are not kept: note takes each once, then second
	// gives what appends the problems of each in the same order.
	RowPasses() (note func(*tianbao.Row), second func() func(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem)
	// Imported returns all problems of what a workbook gave.
	Imported(imp *tianbao.Import) []tianbao.Problem
	// Passes is Imported for rows that are not kept: note takes each once, then
	// second gives what appends the problems of each in the same order.
	Passes() (note func(*tianbao.ImportedRow), second func() func(dst []tianbao.Problem, i int, row *tianbao.ImportedRow) []tianbao.Problem)
}

// Service carries out what the office does with a report.
type Service struct {
	Store Store
	// Rules returns the rules of a form at a version.
	Rules func(form string, version int) (Checker, error)
	// Held returns the same rules, and those that hold rows against the register of units
	// in which find looks them up and against what stands beside the report; they are used by
	// one goroutine and tell failed of errors. nil: there is no such register.
	Held func(form string, version int, find func(keys map[string]string) tianbao.UnitMatch, beside tianbao.Beside, failed func(error)) (Checker, error)
	IDs  *clock.IDs
	Now  clock.Clock
	// Digest returns a keyed hex digest (internal/seal); the label tells uses apart.
	Digest func(label string, parts ...[]byte) string
	// Long is from how many rows on a check does not keep the sheet, 0 for LongSheet.
	Long int
	// Short is up to how many rows of file and report ApplyBook keeps all of them at
	// hand, 0 for the usual number, -1 for none.
	Short int
	// Part is how many rows of a longer one are in hand at once, 0 for the usual number.
	Part int
}

// Actor is who acts, and within which part of the unit tree.
type Actor struct {
	User  tianbao.ID
	Login string
	Name  string
	Scope tianbao.Scope
	// rows bounds the rows that may be touched by their unit, nil for all: [Service.Correct].
	rows *tianbao.Scope
}

// Limits of one change set. A sheet of a city bureau has some ten thousand rows;
// more than this comes as several files.
const (
	MaxChanges   = 200_000
	MaxCellRunes = 4_000
	maxKey       = 100
)

// Sheet is a report with all its rows.
type Sheet struct {
	Report tianbao.Report
	Form   *tianbao.Form
	Rows   []tianbao.Row
}

// View returns the report and its rows as they are stored.
func (s *Service) View(ctx context.Context, a Actor, id tianbao.ID) (*Sheet, error) {
	rep, rows, err := s.Store.Snapshot(ctx, a.Scope, id)
	if err != nil {
		return nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	return &Sheet{Report: rep, Form: rules.Form(), Rows: rows}, nil
}

// Newer is what was saved after a version.
type Newer struct {
	Report tianbao.Report
	Rows   []tianbao.Row         // those that were written since
	Order  []tianbao.ID          // all rows in order; nil when none came or went
	By     map[tianbao.ID]string // who changed or deleted a row last
	// Named are rows that the asker brought in since, by the names they were sent under:
	// another page with the same draft finds its own new rows again.
	Named map[string]tianbao.ID
}

// Newer returns what was saved after the given version.
func (s *Service) Newer(ctx context.Context, a Actor, id tianbao.ID, since int64) (*Newer, error) {
	rep, rows, order, err := s.Store.Newer(ctx, a.Scope, id, since)
	if err != nil {
		return nil, err
	}
	n := &Newer{Report: rep, Rows: rows, By: make(map[tianbao.ID]string)}
	if since >= rep.Version {
		return n, nil
	}
	revs, err := s.between(ctx, since, &rep)
	if err != nil {
		return nil, err
	}
	for i := range revs {
		for j := range revs[i].Changes {
			c := &revs[i].Changes[j]
			n.By[c.Row] = revs[i].By
			if c.Op == tianbao.OpInsert || c.Op == tianbao.OpDelete {
				n.Order = order
			}
		}
	}
	n.Named, err = s.Store.Named(ctx, id, a.User, since, rep.Version)
	return n, err
}

// Check returns the problems the sheet would have with the given changes made. It
// writes nothing. New rows are named in Problem.RowID by the negative number that
// Screen.Names maps to the sender's name.
func (s *Service) Check(ctx context.Context, a Actor, set *tianbao.ChangeSet) (*Screen, []tianbao.Problem, error) {
	scr, rules, err := s.Screen(ctx, a, set)
	if err != nil {
		return nil, nil, err
	}
	problems, err := s.heldRows(ctx, rules, &scr.Report, scr.Rows)
	return scr, problems, err
}

// History returns revisions before the given version (0: the newest), newest first.
func (s *Service) History(ctx context.Context, a Actor, id tianbao.ID, before int64, limit int) ([]tianbao.Revision, error) {
	return s.Store.History(ctx, a.Scope, id, before, limit)
}

// Receipt returns one receipt of the report.
func (s *Service) Receipt(ctx context.Context, a Actor, report, id tianbao.ID) (tianbao.Receipt, error) {
	return s.Store.Receipt(ctx, a.Scope, report, id)
}

// receipt makes the receipt of a save or a report upward.
func (s *Service) receipt(kind string, rep *tianbao.Report, digest, by string, at time.Time) tianbao.Receipt {
	id := tianbao.ID(s.IDs.Next())
	return tianbao.Receipt{
		ID: id, Report: rep.ID, Kind: kind, Number: receiptNumber(id, at),
		Version: rep.Version, Rows: rep.Rows, Digest: digest, By: by, At: at,
	}
}

// crockford is the alphabet of receipt numbers: no I, L, O, U, so a number read
// out over the telephone arrives as it was.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// receiptNumber writes the day and the id's last 49 bits (37 hours of
// milliseconds, process, count), which together are unique.
func receiptNumber(id tianbao.ID, at time.Time) string {
	var b [11]byte
	v := uint64(id) & (1<<49 - 1)
	for i := 10; i >= 0; i-- {
		if i == 5 {
			b[i] = '-'
			continue
		}
		b[i] = crockford[v&31]
		v >>= 5
	}
	return "TB" + at.In(clock.Shanghai).Format("20060102") + "-" + string(b[:])
}
