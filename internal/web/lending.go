package web

import (
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

// 委托: who holds a role lends it, or a part of the subtree, to a colleague until a day.

// lendingPage is the data of lending.html.
type lendingPage struct {
	CSRF    string
	Message string
	Own     []lendable
	Held    []tianbao.Grant  // lent to the viewer
	Lent    []auth.GrantLine // by the viewer
	Add     wireLend
	Now     time.Time
}

// lendable is an own grant with whom it may be lent to.
type lendable struct {
	tianbao.Grant
	To []tianbao.User
}

// State says how a lent grant stands.
func (p *lendingPage) State(l auth.GrantLine) string { return grantState(&l, p.Now) }

type wireLending struct {
	Own  []wireLendable `json:"own"`
	Held []wireGrant    `json:"held"` // lent to the caller
	Lent []wireGrant    `json:"lent"` // by the caller
}

type wireLendable struct {
	wireGrant
	Colleagues []wireColleague `json:"colleagues"`
}

type wireColleague struct {
	ID   tianbao.ID `json:"id"`
	Name string     `json:"name"`
}

type wireLend struct {
	Grant tianbao.ID `json:"grant"` // the own one
	User  tianbao.ID `json:"user"`
	Unit  string     `json:"unit,omitempty"` // id or code of a unit below; empty: all of it
	To    string     `json:"to"`             // the last day
}

func (s *Server) lending(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.lendingList(w, r, v, http.StatusOK, &lendingPage{})
}

func (s *Server) lendingList(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *lendingPage) error {
	ctx, u := r.Context(), v.user()
	p.CSRF, p.Now = v.signed.CSRF, s.Now()
	out := wireLending{Own: []wireLendable{}, Held: []wireGrant{}, Lent: []wireGrant{}}
	for _, g := range u.Grants {
		line := toGrant(&auth.GrantLine{Grant: g, UserName: u.Name}, p.Now)
		if g.Lent != 0 {
			p.Held = append(p.Held, g)
			out.Held = append(out.Held, line)
			continue
		}
		l, wl := lendable{Grant: g}, wireLendable{wireGrant: line, Colleagues: []wireColleague{}}
		var err error
		if l.To, err = s.Auth.Colleagues(ctx, u, g.Unit); err != nil {
			return err
		}
		for _, c := range l.To {
			wl.Colleagues = append(wl.Colleagues, wireColleague{c.ID, c.Name})
		}
		p.Own, out.Own = append(p.Own, l), append(out.Own, wl)
	}
	var err error
	if p.Lent, err = s.Auth.Grants(ctx, auth.GrantQuery{Lender: u.ID, Limit: grantPage}); err != nil {
		return err
	}
	if wantsJSON(r) {
		for i := range p.Lent {
			out.Lent = append(out.Lent, toGrant(&p.Lent[i], p.Now))
		}
		return s.json(w, http.StatusOK, out)
	}
	s.page(w, r, v, status, "lending.html", "委托", p)
	return nil
}

func (s *Server) lend(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireLend
	if err := read(r, &in); err != nil {
		return err
	}
	g, err := s.lendTo(r, v, &in)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.lendingList(w, r, v, http.StatusBadRequest, &lendingPage{Message: asError(err).Message, Add: in})
	}
	return s.done(w, r, toGrant(&auth.GrantLine{Grant: g, ByName: v.user().Name}, s.Now()), "/lending")
}

func (s *Server) lendTo(r *http.Request, v *viewer, in *wireLend) (tianbao.Grant, error) {
	var own tianbao.Grant
	for _, g := range v.user().Grants {
		if g.ID == in.Grant {
			own = g
		}
	}
	if own.ID == 0 {
		return own, tianbao.NotFound()
	}
	_, to, err := days("", in.To)
	if err != nil {
		return own, err
	}
	unit := tianbao.Unit{ID: own.Unit, Path: own.UnitPath, Name: own.UnitName}
	if key := strings.TrimSpace(in.Unit); key != "" {
		found, err := s.Catalog.FindUnit(r.Context(), key)
		// One that lies elsewhere is not told from one that is not there.
		if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound && tianbao.KindOf(err) != tianbao.ErrInvalid {
			return own, err
		}
		if err != nil || !strings.HasPrefix(found.Path, own.UnitPath) {
			return own, tianbao.Invalid("unknown_unit", "您的权限范围内没有这个单位，请填写正确的组织机构代码或预算编码。")
		}
		unit = found
	}
	return s.Auth.Lend(r.Context(), v.by(r), v.user(), own.ID, in.User, unit, to)
}

func (s *Server) recall(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "grant")
	if err != nil {
		return err
	}
	if err := s.Auth.Recall(r.Context(), v.by(r), v.user().ID, id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/lending")
}
