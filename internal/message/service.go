package message

import (
	"context"
	"slices"

	"tianbao"
	"tianbao/internal/clock"
)

// Service publishes notices and answers questions.
type Service struct {
	Store Store
	IDs   *clock.IDs
	Now   clock.Clock
}

// Actor is who acts, and where.
type Actor struct {
	Reader
	From string // address
	// Asks are the units for which the actor may ask: those of roles that fill in. Fills
	// is what lies below them.
	Asks  []tianbao.Unit
	Fills tianbao.Scope
	// Leads is where the actor publishes and answers, Seats the units of those roles.
	Leads tianbao.Scope
	Seats []tianbao.Unit
}

// ActorOf returns a user as notices know it. Whoever opens and locks collections of a
// subtree leads it.
func ActorOf(u *tianbao.User, from string) Actor {
	a := Actor{
		Reader: Reader{User: u.ID, Sees: u.Scope(tianbao.PowerSee)}, From: from,
		Fills: u.Scope(tianbao.PowerFill), Leads: u.Scope(tianbao.PowerLock),
	}
	for i := range u.Grants {
		g := &u.Grants[i]
		if g.UnitPath == "" {
			continue
		}
		at := tianbao.Unit{ID: g.Unit, Path: g.UnitPath, Name: g.UnitName}
		add := func(list *[]tianbao.Unit, p tianbao.Power) {
			if g.Role.Allows(p) && !slices.ContainsFunc(*list, func(u tianbao.Unit) bool { return u.ID == at.ID }) {
				*list = append(*list, at)
			}
		}
		add(&a.Units, tianbao.PowerSee)
		add(&a.Asks, tianbao.PowerFill)
		add(&a.Seats, tianbao.PowerLock)
	}
	return a
}

func (s *Service) event(a *Actor, what string, object tianbao.ID, unit tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: s.Now(), Actor: a.User, Owner: unit, From: a.From, What: what, Object: object.String(), Detail: detail}
}

// View is a notice as somebody sees it.
type View struct {
	Notice tianbao.Notice
	Leads  bool // the viewer may amend it
	// Own are the questions of the units for which the viewer fills in, Public the answers
	// for everybody.
	Own, Public []tianbao.Question
	Asks        []tianbao.Unit // for which the viewer may ask
}

// maxShown bounds the questions that stand under a notice.
const maxShown = 100

// find returns a notice that the actor reads or leads, and whether it is the latter.
func (s *Service) find(ctx context.Context, a *Actor, id tianbao.ID) (tianbao.Notice, bool, error) {
	led, err := s.Store.LedNotice(ctx, a.Leads, id)
	leads := err == nil
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
		return led, false, err
	}
	n, err := s.Store.Notice(ctx, &a.Reader, id)
	if err != nil && leads && tianbao.KindOf(err) == tianbao.ErrNotFound {
		return led, true, nil
	}
	return n, leads, err
}

// Show returns a notice. A withdrawn one has lost its text for whoever only reads.
func (s *Service) Show(ctx context.Context, a *Actor, id tianbao.ID) (v View, err error) {
	if v.Notice, v.Leads, err = s.find(ctx, a, id); err != nil {
		return v, err
	}
	n := &v.Notice
	if n.State == tianbao.NoticeWithdrawn && !v.Leads {
		n.Body, n.Attachments = "", nil
	}
	if n.State == tianbao.NoticeDraft {
		return v, nil
	}
	if v.Own, err = s.Store.Questions(ctx, a.Fills, id, "", 0, maxShown); err != nil {
		return v, err
	}
	if n.State == tianbao.NoticePublished {
		if v.Public, err = s.Store.Published(ctx, id, maxShown); err != nil {
			return v, err
		}
		v.Asks = addressed(n, a.Asks)
	}
	return v, nil
}

// Read is Show by somebody who reads: it leaves a receipt.
func (s *Service) Read(ctx context.Context, a *Actor, id tianbao.ID) (View, error) {
	v, err := s.Show(ctx, a, id)
	if err != nil || v.Notice.State != tianbao.NoticePublished {
		return v, err
	}
	n := &v.Notice
	var units []tianbao.ID
	for _, u := range addressed(n, a.Units) {
		units = append(units, u.ID)
	}
	if units == nil && n.Everyone {
		units = []tianbao.ID{0}
	}
	var unit tianbao.ID
	if len(units) > 0 {
		unit = units[0]
	}
	return v, s.Store.MarkRead(ctx, &a.Reader, n, units, s.Now(), s.event(a, "notice.read", id, unit, ""))
}

// addressed returns those of the units whom a notice is for.
func addressed(n *tianbao.Notice, units []tianbao.Unit) (out []tianbao.Unit) {
	for _, u := range units {
		if n.Everyone || scopeOf(n).Covers(u.Path) {
			out = append(out, u)
		}
	}
	return out
}

// scopeOf is whom a notice is for, where it is not for everybody.
func scopeOf(n *tianbao.Notice) (s tianbao.Scope) {
	for _, u := range n.Units {
		s.Paths = append(s.Paths, u.Path)
	}
	return s
}

// File returns a file of a notice.
func (s *Service) File(ctx context.Context, a *Actor, notice, id tianbao.ID) (tianbao.Attachment, error) {
	n, leads, err := s.find(ctx, a, notice)
	if err != nil {
		return tianbao.Attachment{}, err
	}
	if n.State == tianbao.NoticeWithdrawn && !leads {
		return tianbao.Attachment{}, tianbao.NotFound()
	}
	return s.Store.File(ctx, notice, id)
}

// Versions returns a notice with what it said before.
func (s *Service) Versions(ctx context.Context, a *Actor, id tianbao.ID) (tianbao.Notice, []Version, error) {
	n, leads, err := s.find(ctx, a, id)
	if err == nil && n.State != tianbao.NoticePublished && !leads {
		err = tianbao.NotFound()
	}
	if err != nil {
		return n, nil, err
	}
	vs, err := s.Store.NoticeVersions(ctx, id)
	return n, vs, err
}

// Receipts are who of a notice's units, as far as the actor leads them, read it.
type Receipts struct {
	Notice  tianbao.Notice
	Scope   tianbao.Scope // the units that are told of
	Figures Figures
	Behind  []Behind
	Readers []Receipt
}

// Receipts tells who read a notice; read chooses the readers, else those behind.
func (s *Service) Receipts(ctx context.Context, a *Actor, id tianbao.ID, read bool, offset, limit int) (out Receipts, err error) {
	if out.Notice, _, err = s.find(ctx, a, id); err != nil {
		return out, err
	}
	n := &out.Notice
	if n.State == tianbao.NoticeDraft {
		return out, tianbao.NotFound()
	}
	scope := a.Leads
	if !n.Everyone {
		scope = common(a.Leads, scopeOf(n))
	}
	out.Scope = scope
	if out.Figures, err = s.Store.ReadFigures(ctx, scope, n, s.Now()); err != nil {
		return out, err
	}
	if read {
		out.Readers, err = s.Store.Readers(ctx, scope, n, offset, limit)
	} else {
		out.Behind, err = s.Store.Unreading(ctx, scope, n, s.Now(), offset, limit)
	}
	return out, err
}

// common is what lies in both scopes.
func common(a, b tianbao.Scope) (out tianbao.Scope) {
	add := func(in tianbao.Scope, paths []string) {
		for _, p := range paths {
			if in.Covers(p) && !slices.Contains(out.Paths, p) {
				out.Paths = append(out.Paths, p)
			}
		}
	}
	add(a, b.Paths)
	add(b, a.Paths)
	return out
}
