package campaign

import (
	"context"
	"slices"

	"tianbao"
)

// MaxReviewed is how many rows of a unit a reviewer's page shows.
const MaxReviewed = 2_000

// Reviewed are the rows of a unit as a reviewer reads them.
type Reviewed struct {
	Line ReviewLine
	Rows []ReviewRow
	// Gone are rows that were deleted, or given to another unit, since the last return.
	Gone []GoneRow
	// Verdicts are those on the unit, the last first.
	Verdicts []tianbao.Verdict
	More     bool // there are more rows than are shown
	campaign tianbao.ID
}

// ReviewRow is a row with what changed since the last return.
type ReviewRow struct {
	UnitRow
	New bool
	// Before has what stood in a cell at the return, by field, where it is another.
	Before  map[int]string
	Remarks []tianbao.Remark // of the last return
}

// GoneRow is what is left of a row that is no longer the unit's.
type GoneRow struct {
	Form  *tianbao.Form
	Cells []tianbao.RecordedCell
}

// Read returns the rows of a unit in the reviewer's scope.
func (s *Service) Read(ctx context.Context, rv Reviewer, id, unit tianbao.ID) (*Reviewed, error) {
	line, err := s.ReviewOf(ctx, rv, id, unit)
	if err != nil {
		return nil, err
	}
	out := &Reviewed{Line: line, campaign: id}
	rows, err := s.Store.UnitRows(ctx, rv.Scope, id, unit, MaxReviewed+1)
	if err != nil {
		return nil, err
	}
	if out.More = len(rows) > MaxReviewed; out.More {
		rows = rows[:MaxReviewed]
	}
	if out.Verdicts, err = s.Store.Verdicts(ctx, id, unit); err != nil {
		return nil, err
	}
	look, err := s.Store.LastReturn(ctx, id, unit)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		out.Rows = append(out.Rows, ReviewRow{UnitRow: rows[i]})
	}
	if look == nil {
		return out, nil
	}
	for i := range out.Rows {
		r := &out.Rows[i]
		_, seen := look.Seen[r.Report.ID]
		r.New = !seen // in a sheet that had none of the unit's
		for _, m := range look.Remarks {
			if m.Report == r.Report.ID && m.Row == r.Row.ID {
				r.Remarks = append(r.Remarks, m)
			}
		}
	}
	for rep, version := range look.Seen {
		if err := s.since(ctx, out, rep, version); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// since adds what was changed of the unit in a report after a version.
func (s *Service) since(ctx context.Context, out *Reviewed, rep tianbao.ID, version int64) error {
	revs, err := s.Store.Since(ctx, rep, version)
	if err != nil || len(revs) == 0 {
		return err
	}
	plan, err := s.Store.Plan(ctx, out.campaign)
	if err != nil {
		return err
	}
	form, err := s.Form(plan.Campaign.Form, plan.Campaign.FormV)
	if err != nil {
		return err
	}
	rows := make(map[tianbao.ID]*ReviewRow)
	for i := range out.Rows {
		if out.Rows[i].Report.ID == rep {
			rows[out.Rows[i].Row.ID] = &out.Rows[i]
		}
	}
	fresh := make(map[tianbao.ID]bool) // rows that came since
	for i := range revs {
		for _, c := range revs[i].Changes {
			if c.Op == tianbao.OpInsert {
				fresh[c.Row] = true
			}
			r := rows[c.Row]
			switch {
			case r == nil && !fresh[c.Row] && (c.Op == tianbao.OpDelete || c.Op == tianbao.OpEdit) && names(form, c.Cells, &out.Line.Unit):
				out.Gone = append(out.Gone, GoneRow{form, c.Cells})
			case r == nil:
			case c.Op == tianbao.OpInsert:
				r.New = true
			case c.Op == tianbao.OpEdit:
				r.changed(c.Cells)
			}
		}
	}
	return nil
}

// changed keeps what stood in cells at first, and forgets cells that hold it again.
func (r *ReviewRow) changed(cells []tianbao.RecordedCell) {
	for _, c := range cells {
		if r.Before == nil {
			r.Before = make(map[int]string)
		}
		if _, ok := r.Before[c.Field]; !ok {
			r.Before[c.Field] = c.Before
		}
	}
	for f, before := range r.Before {
		if f < len(r.Row.Values) && r.Row.Values[f] == before {
			delete(r.Before, f)
		}
	}
}

// names reports whether cells, as they were before, name a unit.
func names(form *tianbao.Form, cells []tianbao.RecordedCell, u *tianbao.Unit) bool {
	return slices.ContainsFunc(cells, func(c tianbao.RecordedCell) bool {
		if c.Field >= len(form.Fields) || c.Before == "" || !slices.Contains(form.UnitKeys, form.Fields[c.Field].Key) {
			return false
		}
		return c.Before == u.Name || c.Before == u.BudgetCode || c.Before == u.OrgCode
	})
}

// ReasonFilter chooses reasons.
type ReasonFilter struct {
	Code   string     // of the fault, "": all
	Region tianbao.ID // with the regions in it, 0: all
	Below  tianbao.ID // a unit in scope and what lies below it, 0: all
}

// Reasons lists rows in the reviewer's scope with reasons for faults that ask for one, and
// the place to go on from (the zero Cursor at the end). A long stretch without any gives a
// short page.
func (s *Service) Reasons(ctx context.Context, rv Reviewer, id tianbao.ID, f ReasonFilter, after Cursor, limit int) ([]UnitRow, Cursor, error) {
	plan, err := s.Store.Plan(ctx, id)
	if err != nil {
		return nil, Cursor{}, err
	}
	if plan.Campaign.Phase() == tianbao.PhasePreparing {
		return nil, Cursor{}, tianbao.NotFound()
	}
	scope := rv.Scope
	if f.Below != 0 {
		u, err := s.Store.Unit(ctx, scope, f.Below)
		if err != nil {
			return nil, Cursor{}, err
		}
		scope = tianbao.Scope{Paths: []string{u.Path}}
	}
	var out []UnitRow
	const some, rounds = 500, 10
	for range rounds {
		rows, err := s.Store.Explained(ctx, scope, id, after, some)
		if err != nil {
			return nil, Cursor{}, err
		}
		for i := range rows {
			r := &rows[i]
			if len(out) == limit {
				return out, after, nil
			}
			after = Cursor{r.Unit.Path, r.Report.ID, r.Row.ID}
			if f.Region != 0 && !plan.lies(r.Unit.Region, f.Region) {
				continue
			}
			if f.Code != "" {
				r.Row.Reasons = slices.DeleteFunc(r.Row.Reasons, func(x tianbao.Reason) bool { return x.Code != f.Code })
			}
			if len(r.Row.Reasons) > 0 {
				out = append(out, *r)
			}
		}
		if len(rows) < some {
			return out, Cursor{}, nil
		}
	}
	return out, after, nil
}
