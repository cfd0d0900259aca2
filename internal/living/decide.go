package living

import (
	"context"
	"slices"
	"strings"

	"tianbao"
)

// below reports whether a path lies in a scope and is none of its tops: nobody accepts the
// changes of their own unit.
func below(scope tianbao.Scope, path string) bool {
	return slices.ContainsFunc(scope.Paths, func(p string) bool {
		return p != "" && len(path) > len(p) && strings.HasPrefix(path, p)
	})
}

// waiting returns a change that the actor may decide.
func (s *Service) waiting(ctx context.Context, a Actor, campaign, id tianbao.ID) (*tianbao.PersonChange, *tianbao.Unit, error) {
	ch, err := s.Store.Change(ctx, a.Reviews, id)
	if err != nil {
		return nil, nil, err
	}
	if ch.Campaign != campaign {
		return nil, nil, tianbao.NotFound()
	}
	u, err := s.Store.Unit(ctx, a.Reviews, ch.Unit)
	if err != nil {
		return nil, nil, err
	}
	if !below(a.Reviews, u.Path) {
		return nil, nil, tianbao.Invalid("not_below", "只能核准下级单位的变更；本单位的请由上级财政部门核准。")
	}
	if ch.By == a.User {
		return nil, nil, tianbao.Invalid("own_change", "自己报的变更要由别人核准。")
	}
	return &ch, &u, nil
}

// Accept carries a waiting change out. Somebody who moves leaves the unit where they stand
// in the same transaction; who decides that has to be above both.
func (s *Service) Accept(ctx context.Context, a Actor, campaign, id tianbao.ID, remark string) error {
	ch, u, err := s.waiting(ctx, a, campaign, id)
	if err != nil {
		return err
	}
	c, err := s.Store.Collection(ctx, ch.Campaign)
	if err != nil {
		return err
	}
	if err := s.takes(ctx, &c, ch.Unit); err != nil {
		return err
	}
	if err := decide(ch, tianbao.ChangeAccepted, a.User, s.Now(), remark); err != nil {
		return err
	}
	f, err := s.Form(ch.Form, ch.FormV)
	if err != nil {
		return err
	}
	person := idIn(f, ch.Values)
	sets, err := s.sets(ctx, a, &c, u, ch)
	if err != nil {
		return err
	}
	events := []tianbao.Event{s.event(a, "change.accept", ch)}
	if ch.Kind == tianbao.ChangePhone {
		if err := s.checked(ctx, a, f, ch, s.edit(f, ch)); err != nil {
			return err
		}
	}
	if ch.Kind.Comes() {
		if err := s.checked(ctx, a, f, ch, s.insertion(ch)); err != nil {
			return err
		}
		leaving, err := s.leaving(ctx, a, &c, f, ch, person)
		if err != nil {
			return err
		}
		if leaving != nil {
			sets = append(sets, leaving)
			ev := events[0]
			ev.Owner = ch.From
			events = append(events, ev)
		}
	}
	return plainConflict(s.Office.Carry(ctx, a.Doer, ch, person, false, sets, events...))
}

// leaving finds where somebody who comes stands now, and makes what takes them away from
// there where they move.
func (s *Service) leaving(ctx context.Context, a Actor, c *tianbao.Campaign, f *tianbao.Form, ch *tianbao.PersonChange, person string) (*tianbao.ChangeSet, error) {
	people, err := s.Store.People(ctx, a.Reviews, c.ID, ch.Unit, MaxPeople)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(people, func(p Person) bool { return s.idOf(&p) == person }) {
		return nil, tianbao.Invalid("here_already", "这名人员已经登记在这个单位，请退回这项变更。")
	}
	others, err := s.Store.Elsewhere(ctx, c.ID, ch.Unit, f.Fields[kindField(f, tianbao.KindResidentID)].Key, person)
	if err != nil {
		return nil, err
	}
	// Who left meanwhile simply comes.
	if err := fits(ch.Kind, len(others)); err != nil && len(others) > 0 {
		return nil, err
	}
	for i := range others {
		if !below(a.Reviews, others[i].Unit.Path) {
			return nil, tianbao.Invalid("not_above_both", "这名人员登记在您管理范围以外的单位，请转给共同的上级财政部门核准。")
		}
	}
	if ch.Kind != tianbao.ChangeMove || len(others) == 0 {
		return nil, nil
	}
	p := &others[0]
	at := tianbao.RowPlace{Report: p.Report.ID, Row: p.Row.ID}
	last, err := s.lastDay(ctx, &p.Unit, c.ID, at)
	if err != nil {
		return nil, err
	}
	if err := daysOf(c, last, s.Now()).check(ch.Day); err != nil {
		return nil, err
	}
	ch.From, ch.FromName, ch.FromAt, ch.Before = p.Unit.ID, p.Unit.Name, at, p.Row.Values
	return s.set(ch, at.Report, p.Report.Version, "out", tianbao.Change{Op: tianbao.OpDelete, Row: at.Row}), nil
}

// Return sends a waiting change back to its unit.
func (s *Service) Return(ctx context.Context, a Actor, campaign, id tianbao.ID, remark string) error {
	ch, _, err := s.waiting(ctx, a, campaign, id)
	if err != nil {
		return err
	}
	if err := decide(ch, tianbao.ChangeReturned, a.User, s.Now(), remark); err != nil {
		return err
	}
	return s.Store.EndChange(ctx, ch, s.event(a, "change.return", ch))
}

// Withdraw takes a waiting change of the own unit back.
func (s *Service) Withdraw(ctx context.Context, a Actor, campaign, unit, id tianbao.ID) error {
	ch, err := s.Store.Change(ctx, a.Fills, id)
	if err != nil {
		return err
	}
	if ch.Unit != unit || ch.Campaign != campaign {
		return tianbao.NotFound()
	}
	if err := decide(&ch, tianbao.ChangeWithdrawn, a.User, s.Now(), ""); err != nil {
		return err
	}
	return s.Store.EndChange(ctx, &ch, s.event(a, "change.withdraw", &ch))
}
