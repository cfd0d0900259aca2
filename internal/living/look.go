package living

import (
	"context"
	"slices"
	"time"

	"tianbao"
)

// Roster is who is in a unit of a register on a day, and what its changes are.
type Roster struct {
	Campaign tianbao.Campaign
	Unit     tianbao.Unit
	Form     *tianbao.Form // of the collection
	// Open: changes are taken; else Shut says why not.
	Open bool
	Shut string
	// Days are from when on the roster is known, and today.
	Days   Days
	Day    time.Time
	People []Member
	// Changes are the unit's, the last made first.
	Changes []tianbao.PersonChange
}

// Member is somebody on a roster.
type Member struct {
	At     tianbao.RowPlace
	Form   *tianbao.Form
	Values tianbao.Values
	// Now: they are there now, else they were on the day.
	Now bool
	// Waits: a change of them waits.
	Waits bool
}

// Roster returns who is in a unit at the end of a day, zero: now.
func (s *Service) Roster(ctx context.Context, a Actor, campaign, unit tianbao.ID, day time.Time) (*Roster, error) {
	u, err := s.Store.Unit(ctx, a.Sees, unit)
	if err != nil {
		return nil, err
	}
	c, err := s.Store.Collection(ctx, campaign)
	if err != nil {
		return nil, err
	}
	r := &Roster{Campaign: c, Unit: u, Days: daysOf(&c, time.Time{}, s.Now())}
	switch err := s.takes(ctx, &c, unit); {
	case err == nil:
		r.Open = true
	case tianbao.KindOf(err) == tianbao.ErrInvalid:
		r.Shut = messageOf(err)
	default:
		return nil, err
	}
	if r.Form, err = s.Form(c.Form, c.FormV); err != nil {
		return nil, err
	}
	people, err := s.Store.People(ctx, a.Sees, campaign, unit, MaxPeople)
	if err != nil {
		return nil, err
	}
	if r.Changes, err = s.changes(ctx, a, Filter{Campaign: campaign, Unit: unit, Limit: MaxPeople}); err != nil {
		return nil, err
	}
	r.Day = Day(day)
	if c.Ended.IsZero() || r.Day.IsZero() || r.Day.After(r.Days.To) {
		r.Day = r.Days.To
	}
	if r.Day.Before(r.Days.From) {
		r.Day = r.Days.From
	}
	forms := make(map[tianbao.ID]*tianbao.Form)
	now := make([]Entry, len(people))
	for i := range people {
		p := &people[i]
		if forms[p.Report.ID], err = s.Form(p.Report.Form, p.Report.FormV); err != nil {
			return nil, err
		}
		now[i] = Entry{At: tianbao.RowPlace{Report: p.Report.ID, Row: p.Row.ID}, Values: p.Row.Values}
	}
	gone := make(map[tianbao.RowPlace]*tianbao.Form)
	for i := range r.Changes {
		ch := &r.Changes[i]
		f, err := s.Form(ch.Form, ch.FormV)
		if err != nil {
			return nil, err
		}
		gone[ch.At], gone[ch.FromAt] = f, f
	}
	for _, e := range AsOf(unit, now, r.Changes, r.Day) {
		m := Member{At: e.At, Form: forms[e.At.Report], Values: e.Values}
		m.Now = slices.ContainsFunc(now, func(n Entry) bool { return n.At == e.At })
		if m.Form == nil {
			m.Form = gone[e.At]
		}
		if m.Form == nil || len(m.Values) != len(m.Form.Fields) {
			continue // erased
		}
		m.Waits = slices.ContainsFunc(r.Changes, func(c tianbao.PersonChange) bool { return c.State == tianbao.ChangeWaiting && c.At == e.At })
		r.People = append(r.People, m)
	}
	return r, nil
}

// changes returns changes as the actor may see them: of a move whose one side lies out of
// sight that side is left out.
func (s *Service) changes(ctx context.Context, a Actor, f Filter) ([]tianbao.PersonChange, error) {
	list, err := s.Store.Changes(ctx, a.Sees, f)
	if err != nil {
		return nil, err
	}
	seen := make(map[tianbao.ID]bool)
	sees := func(unit tianbao.ID) (bool, error) {
		if ok, asked := seen[unit]; asked || unit == 0 {
			return ok, nil
		}
		_, err := s.Store.Unit(ctx, a.Sees, unit)
		if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
			return false, err
		}
		seen[unit] = err == nil
		return err == nil, nil
	}
	for i := range list {
		c := &list[i]
		here, err := sees(c.Unit)
		if err != nil {
			return nil, err
		}
		there, err := sees(c.From)
		if err != nil {
			return nil, err
		}
		switch {
		case c.From == 0:
		case !there: // the unit where they were is hidden, with what stood there
			c.From, c.FromName, c.FromAt, c.Before = 0, "", tianbao.RowPlace{}, nil
		case !here: // where they went
			c.Unit, c.UnitName, c.At, c.Values = 0, "", tianbao.RowPlace{}, c.Before
			c.Why, c.Remark, c.ByName, c.DeciderName = "", "", "", ""
		}
	}
	return list, nil
}

// List returns the changes in a part of the register, the last made first.
func (s *Service) List(ctx context.Context, a Actor, f Filter) ([]tianbao.PersonChange, error) {
	return s.changes(ctx, a, f)
}

// Mine reports which of the changes the actor may decide.
func (s *Service) Mine(ctx context.Context, a Actor, list []tianbao.PersonChange) (map[tianbao.ID]bool, error) {
	out := make(map[tianbao.ID]bool)
	paths := make(map[tianbao.ID]string)
	for i := range list {
		c := &list[i]
		if c.State != tianbao.ChangeWaiting || c.By == a.User {
			continue
		}
		path, asked := paths[c.Unit]
		if !asked {
			u, err := s.Store.Unit(ctx, a.Reviews, c.Unit)
			if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
				return nil, err
			}
			path = u.Path
			paths[c.Unit] = path
		}
		out[c.ID] = path != "" && below(a.Reviews, path)
	}
	return out, nil
}

// Life is what is known of one person, as far as the actor may know it.
type Life struct {
	Unit   tianbao.Unit // at which the actor found them
	Form   *tianbao.Form
	Values tianbao.Values // as they are, or were last, at that unit
	Facts  []Fact
	Spans  []Span
}

// Life returns the times and facts of somebody who is or was in a unit of a register,
// named by their row there.
func (s *Service) Life(ctx context.Context, a Actor, campaign, unit, row tianbao.ID) (*Life, error) {
	r, err := s.Roster(ctx, a, campaign, unit, time.Time{})
	if err != nil {
		return nil, err
	}
	l := &Life{Unit: r.Unit}
	for i := range r.People {
		if r.People[i].At.Row == row {
			l.Form, l.Values = r.People[i].Form, r.People[i].Values
		}
	}
	for i := range r.Changes { // who left
		c := &r.Changes[i]
		if l.Form != nil || c.State != tianbao.ChangeAccepted || c.Erased || c.At.Row != row && c.FromAt.Row != row {
			continue
		}
		if l.Form, err = s.Form(c.Form, c.FormV); err != nil {
			return nil, err
		}
		l.Values = c.Values
		if c.FromAt.Row == row {
			l.Values = c.Before
		}
	}
	if l.Form == nil || len(l.Values) != len(l.Form.Fields) {
		return nil, tianbao.NotFound()
	}
	at := kindField(l.Form, tianbao.KindResidentID)
	if at < 0 || l.Values[at] == "" {
		return l, nil
	}
	facts, err := s.Store.Traces(ctx, a.Sees, l.Form.Fields[at].Key, l.Values[at])
	if err != nil {
		return nil, err
	}
	l.Facts, l.Spans = Timeline(facts)
	return l, nil
}

// Registers returns the collections that are kept as registers, the newest first.
func (s *Service) Registers(ctx context.Context) ([]tianbao.Campaign, error) {
	all, err := s.Store.Collections(ctx)
	return slices.DeleteFunc(all, func(c tianbao.Campaign) bool { return Kept(&c) != nil }), err
}

func messageOf(err error) string {
	if e, ok := err.(*tianbao.Error); ok { //nolint:errorlint // made above, bare
		return e.Message
	}
	return ""
}
