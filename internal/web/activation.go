package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

// activationPage is the data of activation.html.
type activationPage struct {
	CSRF       string
	Query      string
	Units      []auth.UnitPeople
	Root       tianbao.ID // the viewer's unit, for all units below it
	RootName   string
	Prev, Next string
	Message    string
}

// peoplePage is how many units the page of activation codes lists.
const peoplePage = 50

func (s *Server) activation(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showActivation(w, r, v, nil)
}

func (s *Server) showActivation(w http.ResponseWriter, r *http.Request, v *viewer, wrong error) error {
	u := v.user()
	scope := u.Scope(tianbao.PowerPeople)
	p := activationPage{CSRF: v.signed.CSRF, Query: clip(strings.TrimSpace(r.URL.Query().Get("q")), 100)}
	offset := atoi(r.URL.Query().Get("offset"), 0)
	list, err := s.Auth.UnitPeople(r.Context(), scope, p.Query, offset, peoplePage+1)
	if err != nil {
		return err
	}
	out := wirePeople{Units: []wireUnitPeople{}}
	link := func(offset int) string {
		return "/activation?q=" + queryEscape(p.Query) + "&offset=" + strconv.Itoa(offset)
	}
	if len(list) > peoplePage {
		list, out.Next = list[:peoplePage], offset+peoplePage
		p.Next = link(out.Next)
	}
	if offset > 0 {
		p.Prev = link(max(0, offset-peoplePage))
	}
	p.Units = list
	for _, g := range u.Grants {
		if g.Role.Allows(tianbao.PowerPeople) {
			p.Root, p.RootName = g.Unit, g.UnitName
			break
		}
	}
	for _, up := range list {
		x := wireUnitPeople{Unit: up.Unit.ID, Name: up.Unit.Name, Code: unitCode(up.Unit), Accounts: []wireUnitAccount{}, Open: stamp(up.Open)}
		for _, a := range up.Accounts {
			x.Accounts = append(x.Accounts, wireUnitAccount{a.ID, a.Name, a.Disabled, stamp(a.LastSeen)})
		}
		out.Units = append(out.Units, x)
	}
	if wrong != nil {
		e := asError(wrong)
		p.Message = e.Message
		s.page(w, r, v, statuses[e.Kind], "activation.html", "激活码", &p)
		return nil
	}
	return s.answer(w, r, v, out, "activation.html", "激活码", &p)
}

// unitCode is the code by which people know a unit.
func unitCode(u tianbao.Unit) string {
	if u.BudgetCode != "" {
		return u.BudgetCode
	}
	return u.OrgCode
}

// slip is one activation code as it is printed.
type slip struct {
	Unit  tianbao.Unit
	Code  string
	Login string // of the account that gets a new password
	Name  string // of its owner, where the account is new
	URL   string
	Until time.Time
	QR    qrImage
}

// UnitCode is the code by which people know the slip's unit.
func (s slip) UnitCode() string { return unitCode(s.Unit) }

func (s *Server) issueCodes(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireIssue
	if err := read(r, &in); err != nil {
		return err
	}
	u := v.user()
	as, err := s.Auth.IssueUnit(r.Context(), v.by(r), u.Scope(tianbao.PowerPeople), in.Unit, in.Below)
	if err != nil {
		if retry(r, err) {
			return s.showActivation(w, r, v, err)
		}
		return err
	}
	return s.slips(w, r, v, as)
}

// reissue makes a code by which a filler sets a new password.
func (s *Server) reissue(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "user")
	if err != nil {
		return err
	}
	u := v.user()
	a, err := s.Auth.IssueUser(r.Context(), v.by(r), u.Scope(tianbao.PowerPeople), id)
	if err != nil {
		if retry(r, err) {
			return s.showActivation(w, r, v, err)
		}
		return err
	}
	return s.slips(w, r, v, []auth.Activation{a})
}

// slips answers new codes, to be printed and handed out; it is the only time that they
// are seen.
func (s *Server) slips(w http.ResponseWriter, r *http.Request, v *viewer, as []auth.Activation) error {
	out, page := wireSlips{}, make([]slip, len(as))
	for i, a := range as {
		url := s.origin(r) + "/activate?code=" + a.Code
		q, err := newQR(url)
		if err != nil {
			return err
		}
		page[i] = slip{a.Unit, a.Code, a.Login, a.Name, s.origin(r) + "/activate", a.Expires, q}
		out.Slips = append(out.Slips, wireSlip{a.Unit.ID, a.Unit.Name, unitCode(a.Unit), a.Name, a.Code, url, stamp(a.Expires)})
	}
	return s.answer(w, r, v, out, "slips.html", "激活码", page)
}

// origin is the address under which the browser has reached the site.
func (s *Server) origin(r *http.Request) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	if s.TLS {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// activatePageData is the data of activate.html.
type activatePageData struct {
	Message string
	Code    string // known to work: the second step
	Typed   string // of the first step, when it did not
	Unit    string
	Login   string // of the account that gets a new password
	In      wireActivate
	Hint    string
}

func (s *Server) activatePage(w http.ResponseWriter, r *http.Request, v *viewer) error {
	code := clip(r.URL.Query().Get("code"), 40)
	if code == "" {
		s.page(w, r, v, http.StatusOK, "activate.html", "激活账号", &activatePageData{})
		return nil
	}
	return s.activateStep(w, r, v, wireActivate{Code: code}, nil)
}

// activateStep shows the second step for a code that works, else the first.
func (s *Server) activateStep(w http.ResponseWriter, r *http.Request, v *viewer, in wireActivate, wrong error) error {
	p := activatePageData{Typed: in.Code, In: in, Hint: s.Auth.Policy.Hint()}
	status := http.StatusOK
	a, err := s.Auth.CheckActivation(r.Context(), in.Code, address(r))
	if err == nil {
		p.Code, p.Unit, p.Login = in.Code, a.Unit.Name, a.Login
		err = wrong
	}
	if err != nil {
		e := asError(err)
		if e.Kind == tianbao.ErrInternal || e.Kind == tianbao.ErrUnavailable {
			return err
		}
		p.Message, status = e.Message, statuses[e.Kind]
	}
	s.page(w, r, v, status, "activate.html", "激活账号", &p)
	return nil
}

func (s *Server) activate(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireActivate
	if err := read(r, &in); err != nil {
		return err
	}
	in.Code, in.Login, in.Name = clip(in.Code, 40), clip(strings.TrimSpace(in.Login), 200), clip(strings.TrimSpace(in.Name), 200)
	if in.Password == "" {
		if !wantsJSON(r) {
			return s.activateStep(w, r, v, in, nil)
		}
		a, err := s.Auth.CheckActivation(r.Context(), in.Code, address(r))
		if err != nil {
			return err
		}
		return s.json(w, http.StatusOK, wireActivation{Unit: a.Unit.Name, Login: a.Login})
	}
	var err error
	var login string
	if in.Again != "" && in.Again != in.Password {
		err = tianbao.Invalid("not_same", "两次输入的密码不一样，请重新输入。")
	} else {
		login, err = s.Auth.Activate(r.Context(), in.Code, in.Login, in.Name, in.Password, address(r))
	}
	if err != nil {
		if retry(r, err) {
			return s.activateStep(w, r, v, in, err)
		}
		return err
	}
	return s.done(w, r, wireActivation{Login: login, Done: true}, "/signin")
}
