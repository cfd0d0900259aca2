package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
)

// grantPage is how many grants and how many accounts one page lists.
const grantPage = 100

// grantsPage is the data of grants.html.
type grantsPage struct {
	CSRF    string
	Message string
	Query   string // what was looked for
	Found   []tianbao.User
	Waiting []tianbao.User // without a role, or with an office asked for
	User    tianbao.User   // the one that is shown, zero: none
	Unit    tianbao.Unit   // whose grants are shown, zero: none
	Ended   bool
	Lines   []auth.GrantLine
	Older   string
	Roles   []tianbao.Role
	Add     wireGrantAdd
	Now     time.Time
}

// State says how a grant stands.
func (p *grantsPage) State(l auth.GrantLine) string { return grantState(&l, p.Now) }

// Over reports whether a grant has ended.
func (p *grantsPage) Over(l auth.GrantLine) bool { return !l.To.IsZero() && !p.Now.Before(l.To) }

// Holds reports whether a grant holds now.
func (p *grantsPage) Holds(l auth.GrantLine) bool { return !l.Altered && l.Grant.Holds(p.Now) }

func grantState(l *auth.GrantLine, now time.Time) string {
	switch {
	case l.Altered:
		return "记录被动过，不起作用"
	case !l.To.IsZero() && !now.Before(l.To):
		return "已结束"
	case now.Before(l.From):
		return "尚未开始"
	}
	return "有效"
}

// houseRoles are the roles that can be granted.
func houseRoles() []tianbao.Role {
	var out []tianbao.Role
	for _, r := range tianbao.Roles() {
		if !r.Office() {
			out = append(out, r)
		}
	}
	return out
}

type wireGrants struct {
	Grants  []wireGrant   `json:"grants"`
	Waiting []wireAccount `json:"waiting,omitempty"` // accounts without a role, or with an office to agree to
	Found   []wireAccount `json:"found,omitempty"`
	Next    tianbao.ID    `json:"next,omitempty"` // pass as before= for older ones
}

type wireGrant struct {
	ID       tianbao.ID `json:"id"`
	User     tianbao.ID `json:"user"`
	UserName string     `json:"user_name"`
	Role     string     `json:"role"`
	RoleName string     `json:"role_name"`
	Unit     tianbao.ID `json:"unit"`
	UnitName string     `json:"unit_name"`
	From     string     `json:"from,omitempty"`
	To       string     `json:"to,omitempty"`
	Given    string     `json:"given,omitempty"`
	By       string     `json:"by,omitempty"`   // name of who gave it
	Lent     tianbao.ID `json:"lent,omitempty"` // the giver's grant that it was lent from
	State    string     `json:"state"`
}

// wireAccount is an account as who gives roles needs it.
type wireAccount struct {
	ID       tianbao.ID `json:"id"`
	Name     string     `json:"name"`
	Login    string     `json:"login"`
	Disabled bool       `json:"disabled,omitempty"`
	Office   string     `json:"office,omitempty"`
	Asked    string     `json:"asked,omitempty"`
}

type wireAccountQuery struct {
	Q string `json:"q"` // in the body: a name or a login has no place in a URL
}

type wireGrantAdd struct {
	User tianbao.ID `json:"user"`
	Role string     `json:"role"`
	Unit string     `json:"unit"`           // id, organisation code or budget code
	From string     `json:"from,omitempty"` // a day, included; empty: from now on
	To   string     `json:"to,omitempty"`   // a day, included; empty: without end
}

type wireAppoint struct {
	Office string `json:"office"`
	Agree  bool   `json:"agree"`
}

func toGrant(l *auth.GrantLine, now time.Time) wireGrant {
	return wireGrant{
		ID: l.ID, User: l.User, UserName: l.UserName, Role: string(l.Role), RoleName: l.Role.Title(), Unit: l.Unit, UnitName: l.UnitName,
		From: stamp(l.From), To: stamp(l.To), Given: stamp(l.Given), By: l.ByName, Lent: l.Lent, State: grantState(l, now),
	}
}

func toAccounts(us []tianbao.User) []wireAccount {
	out := make([]wireAccount, len(us))
	for i, u := range us {
		out[i] = wireAccount{ID: u.ID, Name: u.Name, Login: u.Login, Disabled: u.Disabled, Office: string(u.Office), Asked: string(u.Asked)}
	}
	return out
}

// grants lists who may do what, by account or by unit.
func (s *Server) grants(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.grantList(w, r, v, http.StatusOK, &grantsPage{})
}

// searchAccounts is grants with the accounts that are looked for.
func (s *Server) searchAccounts(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAccountQuery
	if err := read(r, &in); err != nil {
		return err
	}
	p := &grantsPage{Query: clip(strings.TrimSpace(in.Q), 60)}
	var err error
	if p.Found, err = s.Auth.FindUsers(r.Context(), p.Query, grantPage); err != nil {
		return err
	}
	if p.Query != "" && len(p.Found) == 0 {
		p.Message = "没有找到这个账号，请检查用户名或姓名；没有账号的请系统管理员先建立。"
	}
	return s.grantList(w, r, v, http.StatusOK, p)
}

// grantList fills in the page of grants by the query and sends it.
func (s *Server) grantList(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *grantsPage) error {
	ctx, q := r.Context(), r.URL.Query()
	p.CSRF, p.Roles, p.Now = v.signed.CSRF, houseRoles(), s.Now()
	p.Ended = q.Get("ended") != ""
	ask := auth.GrantQuery{Ended: p.Ended, Limit: grantPage + 1}
	var err error
	if id := q.Get("user"); id != "" && p.User.ID == 0 {
		if p.User, err = s.account(r, id); err != nil {
			return err
		}
	}
	ask.User = p.User.ID
	if key := strings.TrimSpace(q.Get("unit")); key != "" {
		if p.Unit, err = s.unitByKey(r, key); err != nil {
			return err
		}
		ask.UnitPath = p.Unit.Path
	}
	if text := q.Get("before"); text != "" {
		if ask.Before, err = tianbao.ParseID(text); err != nil {
			return tianbao.NotFound()
		}
	}
	if p.Lines, err = s.Auth.Grants(ctx, ask); err != nil {
		return err
	}
	out := wireGrants{Grants: []wireGrant{}, Found: toAccounts(p.Found)}
	if len(p.Lines) > grantPage {
		p.Lines = p.Lines[:grantPage]
		out.Next = p.Lines[grantPage-1].ID
		older := url.Values{"before": {out.Next.String()}}
		for _, name := range []string{"user", "unit", "ended"} {
			if q.Get(name) != "" {
				older.Set(name, q.Get(name))
			}
		}
		p.Older = "/grants?" + older.Encode()
	}
	if p.Waiting, err = s.Auth.WaitingUsers(ctx, grantPage); err != nil {
		return err
	}
	if wantsJSON(r) {
		for i := range p.Lines {
			out.Grants = append(out.Grants, toGrant(&p.Lines[i], p.Now))
		}
		out.Waiting = toAccounts(p.Waiting)
		return s.json(w, http.StatusOK, out)
	}
	s.page(w, r, v, status, "grants.html", "授权管理", p)
	return nil
}

// account reads an account's id and finds the account.
func (s *Server) account(r *http.Request, text string) (tianbao.User, error) {
	id, err := tianbao.ParseID(text)
	if err != nil {
		return tianbao.User{}, tianbao.NotFound()
	}
	return s.Auth.UserByID(r.Context(), id)
}

// unitByKey finds a unit by id or code, for who gives roles over any.
func (s *Server) unitByKey(r *http.Request, key string) (tianbao.Unit, error) {
	unit, err := s.Catalog.FindUnit(r.Context(), key)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		err = unknownUnit()
	}
	return unit, err
}

func unknownUnit() error {
	return tianbao.Invalid("unknown_unit", "单位登记册中没有这个单位，请填写正确的组织机构代码或预算编码。")
}

// grantAdd gives a role.
func (s *Server) grantAdd(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireGrantAdd
	err := read(r, &in)
	if err != nil {
		return err
	}
	g := tianbao.Grant{User: in.User, Role: tianbao.Role(in.Role)}
	if g.From, g.To, err = days(in.From, in.To); err == nil {
		var unit tianbao.Unit
		if unit, err = s.unitByKey(r, strings.TrimSpace(in.Unit)); err == nil {
			g.Unit, g.UnitPath, g.UnitName = unit.ID, unit.Path, unit.Name
			g, err = s.Auth.Give(r.Context(), v.by(r), g)
		}
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		p := &grantsPage{Message: asError(err).Message, Add: in}
		if p.User, err = s.Auth.UserByID(r.Context(), in.User); err != nil {
			return err
		}
		return s.grantList(w, r, v, http.StatusBadRequest, p)
	}
	return s.done(w, r, toGrant(&auth.GrantLine{Grant: g, ByName: v.user().Name}, s.Now()), "/grants?user="+in.User.String())
}

// days reads the first and the last day of a grant, both included, in Shanghai.
func days(from, to string) (first, end time.Time, err error) {
	if first, err = dayOf(from); err != nil {
		return first, end, err
	}
	if end, err = dayOf(to); err == nil && !end.IsZero() {
		end = end.AddDate(0, 0, 1)
	}
	return first, end, err
}

// dayOf reads a day; none is the zero time.
func dayOf(text string) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	return parseDay(text)
}

// parseDay reads a day of Shanghai.
func parseDay(text string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, text, clock.Shanghai)
	if err != nil {
		return day, tianbao.Invalid("bad_day", "日期无法识别，请按“2022-09-23”的样子填写。")
	}
	return day, nil
}

// grantEnd takes a role back.
func (s *Server) grantEnd(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "grant")
	if err != nil {
		return err
	}
	if err := s.Auth.End(r.Context(), v.by(r), id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/grants")
}

// appoint agrees to an office that was asked for an account, or refuses it.
func (s *Server) appoint(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAppoint
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "user")
	if err != nil {
		return err
	}
	if err := s.Auth.Appoint(r.Context(), v.by(r), id, tianbao.Role(in.Office), in.Agree); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/grants")
}
