package report

import (
	"context"
	"errors"
	"slices"

	"tianbao"
)

// Register is the office of those who have been asked what they may do already, in whatever
// report: changes of people in a register, and the people of a round before
// (internal/living). Nothing else may use it.
type Register struct{ *Service }

func (r Register) actor(by tianbao.Doer) Actor {
	return Actor{User: by.User, Login: by.Login, Name: by.Name, Scope: tianbao.Scope{Paths: []string{"/"}}}
}

// Save is 提交.
func (r Register) Save(ctx context.Context, by tianbao.Doer, set *tianbao.ChangeSet) (tianbao.Receipt, error) {
	saved, err := r.Service.Save(ctx, r.actor(by), set)
	if err != nil {
		return tianbao.Receipt{}, err
	}
	return saved.Receipt, nil
}

// Carry makes the change sets of an accepted change of a person and stores the change, all
// in one transaction: a save like any other, but into a collection that has ended and is
// kept as a register. c.At.Row
// is set where the change brings a row, Version to the version that carries it. fresh: the
// change is not stored yet; person is by what it will be found.
//
// A report that was reported as it stood stays reported: what comes into it was accepted
// before.
func (r Register) Carry(ctx context.Context, by tianbao.Doer, c *tianbao.PersonChange, person string, fresh bool, sets []*tianbao.ChangeSet, events ...tianbao.Event) error {
	s, a := r.Service, r.actor(by)
	ids := make([]map[string]tianbao.ID, len(sets))
	for i, set := range sets {
		ids[i] = make(map[string]tianbao.ID)
		for _, ch := range set.Changes {
			if ch.Op == tianbao.OpInsert {
				ids[i][ch.Temp] = tianbao.ID(s.IDs.Next())
			}
		}
	}
	for range tries {
		commits := make([]*Commit, len(sets))
		for i, set := range sets {
			var err error
			if commits[i], err = s.carried(ctx, a, set, ids[i]); err != nil {
				return err
			}
		}
		main := commits[0]
		c.Version = main.Report.Version + 1
		for _, id := range ids[0] {
			c.At.Row = id
		}
		switch err := s.Store.CommitChange(ctx, commits, c, person, fresh, events...); {
		case errors.Is(err, ErrDuplicate):
			return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "decided", Message: "这项变更已经处理过了，请刷新页面查看。"}
		case !errors.Is(err, ErrStale):
			return err
		}
	}
	return busy()
}

// carried is the commit of one set against its report as it stands now.
func (s *Service) carried(ctx context.Context, a Actor, set *tianbao.ChangeSet, ids map[string]tianbao.ID) (*Commit, error) {
	rep, err := s.Store.Report(ctx, a.Scope, set.Report)
	if err != nil {
		return nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	set = &tianbao.ChangeSet{
		Report: set.Report, Key: set.Key, Base: set.Base, Source: set.Source, Note: set.Note, Changes: slices.Clone(set.Changes), By: a.User, At: s.Now(),
	}
	if err := s.prepare(ctx, rules, set, a); err != nil {
		return nil, err
	}
	c, err := s.merged(ctx, a, rules, set, ids, func(string, int, int) {})
	if err != nil {
		return nil, err
	}
	switch {
	case c.Report.Rows == 0:
		c.Report.State = tianbao.StateEmpty
	case rep.State == tianbao.StateReported || rep.State == tianbao.StateEmpty:
		c.Report.State = tianbao.StateReported
	}
	c.RequestDigest = s.requestDigest(set)
	c.Receipt = s.receipt("save", &c.Report, c.RequestDigest, a.Name, set.At)
	c.Receipt.Version = c.Report.Version + 1
	return c, nil
}

// UnitOf returns whose a row of a report with these cells would be.
func (r Register) UnitOf(ctx context.Context, report tianbao.ID, values tianbao.Values) (tianbao.ID, error) {
	rep, err := r.Store.Report(ctx, r.actor(tianbao.Doer{}).Scope, report)
	if err != nil {
		return 0, err
	}
	rules, err := r.Rules(rep.Form, rep.FormV)
	if err != nil {
		return 0, err
	}
	_, known, err := r.held(ctx, rules, &rep, 1, nil)
	if err != nil {
		return 0, err
	}
	return known.unit(values)
}

// Problems returns the problems of the rows that a set changes, as they would be.
func (r Register) Problems(ctx context.Context, by tianbao.Doer, set *tianbao.ChangeSet) ([]tianbao.Problem, error) {
	scr, all, err := r.Check(ctx, r.actor(by), set)
	if err != nil {
		return nil, err
	}
	mine := make(map[tianbao.ID]bool)
	for i := range set.Changes {
		mine[set.Changes[i].Row] = true
	}
	return slices.DeleteFunc(all, func(p tianbao.Problem) bool {
		id := scr.Rows[p.Row].ID
		return id > 0 && !mine[id]
	}), nil
}
