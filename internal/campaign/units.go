package campaign

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tianbao"
)

// Filter chooses units of a collection.
type Filter struct {
	States []tianbao.Standing // as shown, none: all
	Region tianbao.ID         // with the regions in it, 0: all
	Own    bool               // of Region itself, without the regions in it
	Below  tianbao.ID         // a unit in scope and what lies below it, 0: all
	Text   string             // part of the name or of a code
	// Outside also lists units that do not take part.
	Outside bool
}

// UnitState is where a unit stands, as it is shown.
type UnitState struct {
	Line
	Door  Door
	Shown tianbao.Standing // overdue where it is
	// Contact is whom to ask at the unit, where it was asked for.
	Contact tianbao.Contact
}

// PageSize is how many units a page of Units holds at most.
const PageSize = 200

var errFull = errors.New("campaign: the page is full")

// Units returns units in scope in the order of the tree with their contacts, behind the
// path after, and the path to go on from ("" at the end). at is zero for now.
func (s *Service) Units(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, at time.Time, f Filter, after string, limit int) (page []UnitState, next string, err error) {
	limit = min(max(limit, 1), PageSize)
	q := Question{Campaign: campaign, At: at, Past: !at.IsZero()}
	if at.IsZero() {
		q.At = s.Now()
	}
	if q.At.After(s.Now()) {
		return nil, "", tianbao.Invalid("to_come", "这个日期还没有到，请选择今天或以前的日期。")
	}
	err = s.Each(ctx, scope, q, f, after, func(u *UnitState) error {
		if len(page) == limit {
			next = page[limit-1].Unit.Path
			return errFull
		}
		page = append(page, *u)
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return nil, "", err
	}
	ids := make([]tianbao.ID, len(page))
	for i := range page {
		ids[i] = page[i].Unit.ID
	}
	contacts, err := s.Store.Contacts(ctx, ids)
	for i := range page {
		page[i].Contact = contacts[page[i].Unit.ID]
	}
	return page, next, err
}

// Each calls fn for each unit in scope that the filter chooses, in the order of the tree,
// without contacts. It is for lists of all units; fn must not keep what it gets.
func (s *Service) Each(ctx context.Context, scope tianbao.Scope, q Question, f Filter, after string, fn func(*UnitState) error) error {
	plan, err := s.Store.Plan(ctx, q.Campaign)
	if err != nil {
		return err
	}
	if f.Below != 0 {
		u, err := s.Store.Unit(ctx, scope, f.Below)
		if err != nil {
			return err
		}
		scope = tianbao.Scope{Paths: []string{u.Path}}
	}
	text := strings.ToLower(strings.TrimSpace(f.Text))
	return s.Store.EachLine(ctx, scope, q, after, func(l *Line) error {
		u := s.shown(plan, l, q.At)
		switch {
		case u.Door.Why == WhyOutside && !f.Outside,
			len(f.States) > 0 && !slices.Contains(f.States, u.Shown),
			f.Region != 0 && !plan.lies(l.Unit.Region, f.Region),
			f.Own && l.Unit.Region != f.Region,
			text != "" && !strings.Contains(strings.ToLower(l.Unit.Name+"\n"+l.Unit.BudgetCode+"\n"+l.Unit.OrgCode), text):
			return nil
		}
		return fn(&u)
	})
}

// lies reports whether a region is another or lies in it.
func (p *Plan) lies(region, in tianbao.ID) bool {
	for n := 0; region != 0 && n < 10; n++ {
		if region == in {
			return true
		}
		region = p.above[region]
	}
	return false
}

func (s *Service) shown(p *Plan, l *Line, at time.Time) UnitState {
	d := p.At(Place{l.Unit.Path, l.Unit.Region}, at)
	u := UnitState{Line: *l, Shown: Shown(l.State, d), Door: d}
	if l.Passes > 0 {
		u.Door = d.Passed()
	}
	return u
}

// State returns where one unit in scope stands now.
func (s *Service) State(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (UnitState, error) {
	l, err := s.Store.LineOf(ctx, scope, campaign, unit)
	if err != nil {
		return UnitState{}, err
	}
	plan, err := s.Store.Plan(ctx, campaign)
	if err != nil {
		return UnitState{}, err
	}
	return s.shown(plan, &l, s.Now()), nil
}

// Whom is whom a unit asks: the finance bureau above it, and its contact.
type Whom struct {
	Unit    tianbao.Unit
	Contact tianbao.Contact
}

// Ask returns whom a unit asks, the zero Whom if no bureau is above it.
func (s *Service) Ask(ctx context.Context, u *tianbao.Unit) (Whom, error) {
	var ids []tianbao.ID
	for part := range strings.SplitSeq(strings.Trim(u.Path, "/"), "/") {
		if id, err := tianbao.ParseID(part); err == nil && id != u.ID {
			ids = append(ids, id)
		}
	}
	units, err := s.Store.UnitsNamed(ctx, ids)
	if err != nil {
		return Whom{}, err
	}
	for _, id := range slices.Backward(ids) {
		if b := units[id]; b.Kind == "bureau" {
			contacts, err := s.Store.Contacts(ctx, []tianbao.ID{id})
			return Whom{b, contacts[id]}, err
		}
	}
	return Whom{}, nil
}

// Lack is a unit that takes part and lacks something.
type Lack struct {
	Unit                   tianbao.Unit
	Account, Contact, Code bool // what it lacks
}

// Rehearsal is what a dry run finds.
type Rehearsal struct {
	Expected, Outside            int
	NoAccount, NoContact, NoCode int
	Lacks                        []Lack // the first of them, in the order of the tree
}

// MaxLacks is how many units a dry run lists.
const MaxLacks = 500

// DryRun counts who would be expected if the collection opened now, and lists units that
// lack an account, a contact or a code.
func (s *Service) DryRun(ctx context.Context, a Actor, campaign tianbao.ID) (*Rehearsal, error) {
	if _, err := s.mine(ctx, a, campaign); err != nil {
		return nil, err
	}
	plan, err := s.Store.Plan(ctx, campaign)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	accounts, contacts, err := s.Store.Manned(ctx, a.Runs, now)
	if err != nil {
		return nil, err
	}
	r := &Rehearsal{}
	err = s.Store.EachLine(ctx, a.Runs, Question{Campaign: campaign, At: now}, "", func(l *Line) error {
		if !plan.Takes(Place{l.Unit.Path, l.Unit.Region}, now) {
			r.Outside++
			return nil
		}
		r.Expected++
		lack := Lack{Unit: l.Unit, Account: !accounts[l.Unit.ID], Contact: !contacts[l.Unit.ID], Code: l.Unit.BudgetCode == "" || l.Unit.OrgCode == ""}
		for _, c := range []struct {
			lacks bool
			n     *int
		}{{lack.Account, &r.NoAccount}, {lack.Contact, &r.NoContact}, {lack.Code, &r.NoCode}} {
			if c.lacks {
				*c.n++
			}
		}
		if (lack.Account || lack.Contact || lack.Code) && len(r.Lacks) < MaxLacks {
			r.Lacks = append(r.Lacks, lack)
		}
		return nil
	})
	return r, err
}
