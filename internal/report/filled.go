package report

import (
	"context"
	"time"

	"tianbao"
)

// 代填: a department or bureau fills in for the units below it in its own sheet. Each row
// belongs to the unit that it names. The unit sees such rows beside its own report and may
// correct or delete them: a change set like any other, in the report they stand in, that
// may touch no row but these (ADR 0021).

// Filled is a row that somebody above filled in for a unit.
type Filled struct {
	Report tianbao.Report // the report it stands in
	Row    tianbao.Row
	By     string // who saved it last
	At     time.Time
}

// MaxFilled is how many such rows are listed at once.
const MaxFilled = 500

// Filled returns the rows of the report's owner, and of the units below it, that stand in
// reports of those above, in the same campaign.
func (s *Service) Filled(ctx context.Context, a Actor, own tianbao.ID) ([]Filled, error) {
	rep, err := s.Store.Report(ctx, a.Scope, own)
	if err != nil {
		return nil, err
	}
	return s.Store.Filled(ctx, rep, MaxFilled)
}

// CountFilled counts them.
func (s *Service) CountFilled(ctx context.Context, rep tianbao.Report) (int, error) {
	return s.Store.CountFilled(ctx, rep)
}

// Correct carries out the changes that the owner of a report wants of such rows. The set
// names the report that they stand in.
func (s *Service) Correct(ctx context.Context, a Actor, own tianbao.ID, set *tianbao.ChangeSet) (*Saved, error) {
	rep, err := s.Store.Report(ctx, a.Scope, own)
	if err != nil {
		return nil, err
	}
	below := tianbao.Scope{Paths: []string{rep.OwnerPath}}
	above, err := s.Store.Holding(ctx, below, set.Report)
	if err != nil {
		return nil, err
	}
	if above.Campaign != rep.Campaign || above.ID == rep.ID {
		return nil, tianbao.NotFound()
	}
	set.Source = tianbao.SourceCorrect
	a.Scope, a.rows = tianbao.Scope{Paths: []string{above.OwnerPath}}, &below
	return s.Save(ctx, a, set)
}

// mayTouch refuses changes of rows that the actor may not touch. One that lies elsewhere is
// like one that is not there.
func (s *Service) mayTouch(ctx context.Context, a Actor, rows map[tianbao.ID]tianbao.Row, changes []tianbao.Change) error {
	if a.rows == nil {
		return nil
	}
	var units []tianbao.ID
	for i := range changes {
		if changes[i].Op == tianbao.OpInsert {
			return tianbao.Invalid("correct_only", "上级代填的行只能更正或删除，要新增请填在本单位的表里。")
		}
		row, ok := rows[changes[i].Row]
		if !ok {
			return tianbao.NotFound()
		}
		units = append(units, row.Unit)
	}
	ok, err := s.Store.UnitsWithin(ctx, *a.rows, units)
	if err == nil && !ok {
		err = tianbao.NotFound()
	}
	return err
}

// mayLeave refuses a commit after which rows would belong to others than the actor may
// touch.
func (s *Service) mayLeave(ctx context.Context, a Actor, c *Commit) error {
	if a.rows == nil {
		return nil
	}
	var units []tianbao.ID
	for i := range c.Puts {
		units = append(units, c.Puts[i].Row.Unit)
	}
	ok, err := s.Store.UnitsWithin(ctx, *a.rows, units)
	if err == nil && !ok {
		err = tianbao.Invalid("unit_moved", "改动后这一行不再属于本单位，请保留登记册中的预算编码、单位名称和组织机构代码；确实不是本单位的人员，请删除这一行。")
	}
	return err
}
