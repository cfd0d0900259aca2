package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tianbao"
)

// GrantQuery chooses grants. Zero fields choose everything.
type GrantQuery struct {
	User tianbao.ID
	// UnitPath chooses grants over the unit, over what lies below it, and those from above
	// that reach it.
	UnitPath string
	Lender   tianbao.ID // lent by this user
	Now      time.Time  // filled in by the service
	Ended    bool       // also those that have ended
	Before   tianbao.ID // older than this one, for pages
	Limit    int
}

// GrantLine is a grant as lists show it.
type GrantLine struct {
	tianbao.Grant
	UserName     string
	UserDisabled bool
	ByName       string // empty: who has the machine
	// Altered: the row is not as the program wrote it; it gives no power.
	Altered bool
}

// MaxLent is for how long a grant is lent at most.
const MaxLent = 366 * 24 * time.Hour

// OfficesApart is the error of an office and anything else in one account.
func OfficesApart() error {
	return tianbao.Invalid("offices_apart", "系统、安全、审计管理员不能兼任其他角色，请另建账号。")
}

// Give gives a role over a unit's subtree, with dates or without.
func (s *Service) Give(ctx context.Context, by By, g tianbao.Grant) (tianbao.Grant, error) {
	u, err := s.store.UserByID(ctx, g.User)
	if err != nil {
		return g, err
	}
	switch {
	case g.Role.Office():
		return g, OfficesApart()
	case g.Role.Title() == "" || g.Unit == 0:
		return g, tianbao.Invalid("no_role", "请选择角色和单位。")
	case u.Office != "" || u.Asked != "":
		return g, OfficesApart()
	case by.User != 0 && by.User == u.ID:
		return g, tianbao.Invalid("own_account", "不能给自己授权，请由另一位管理员操作。")
	case !g.To.IsZero() && (!g.To.After(s.now()) || !g.From.IsZero() && !g.To.After(g.From)):
		return g, tianbao.Invalid("bad_dates", "截止日期要晚于今天和起始日期，请重新填写。")
	}
	g.ID, g.By, g.Given, g.Lent = tianbao.ID(s.ids.Next()), by.User, s.now(), 0
	return g, s.store.GiveGrant(ctx, g, s.grantEvent(by, "grant.give", &g))
}

// End takes a grant back.
func (s *Service) End(ctx context.Context, by By, id tianbao.ID) error {
	return s.store.EndGrant(ctx, id, s.now(), tianbao.Event{At: s.now(), Actor: by.User, From: by.From, What: "grant.end", Object: id.String()})
}

// Grants lists grants.
func (s *Service) Grants(ctx context.Context, q GrantQuery) ([]GrantLine, error) {
	q.Now = s.now()
	return s.store.Grants(ctx, q)
}

// Lend gives a colleague a grant of one's own, or the part of it below a unit, until a
// time (委托). It ends with the giver's; what was lent is not lent on.
func (s *Service) Lend(ctx context.Context, by By, giver tianbao.User, own, borrower tianbao.ID, unit tianbao.Unit, to time.Time) (tianbao.Grant, error) {
	var g tianbao.Grant
	for _, have := range giver.Grants {
		if have.ID == own {
			g = have
		}
	}
	now := s.now()
	switch {
	case g.ID == 0 || g.UnitPath == "" || !strings.HasPrefix(unit.Path, g.UnitPath):
		return g, tianbao.NotFound()
	case g.Lent != 0:
		return g, tianbao.Invalid("lent_on", "这项权限是别人委托给您的，不能再转委托，请由授权人直接委托。")
	case to.IsZero() || !to.After(now) || to.After(now.Add(MaxLent)):
		return g, tianbao.Invalid("bad_dates", "请填写委托的截止日期，晚于今天，不超过一年。")
	case !g.To.IsZero() && to.After(g.To):
		return g, tianbao.Invalid("bad_dates", "委托的截止日期不能晚于您自己的权限的截止日期，请提前一些。")
	}
	fit := false
	colleagues, err := s.Colleagues(ctx, giver, g.Unit)
	if err != nil {
		return g, err
	}
	for _, u := range colleagues {
		fit = fit || u.ID == borrower
	}
	if !fit {
		return g, tianbao.Invalid("not_colleague", "只能委托给同一单位的账号，请从列表中选择。")
	}
	lent := tianbao.Grant{
		ID: tianbao.ID(s.ids.Next()), User: borrower, Role: g.Role, Unit: unit.ID, UnitPath: unit.Path, UnitName: unit.Name,
		From: now, To: to, By: giver.ID, Given: now, Lent: g.ID,
	}
	return lent, s.store.GiveGrant(ctx, lent, s.grantEvent(by, "grant.lend", &lent))
}

// maxColleagues bounds the list of whom something may be lent to.
const maxColleagues = 200

// Colleagues returns whom somebody may lend a grant over the unit to: other accounts of
// the same unit, that is with a grant of their own over just this unit.
func (s *Service) Colleagues(ctx context.Context, giver tianbao.User, unit tianbao.ID) ([]tianbao.User, error) {
	all, err := s.store.UsersOfUnit(ctx, unit, maxColleagues)
	if err != nil {
		return nil, err
	}
	out := all[:0:0]
	for _, u := range all {
		held := false
		for _, g := range u.Grants {
			held = held || g.Unit == unit && g.Lent == 0
		}
		if u.ID != giver.ID && !u.Disabled && held {
			out = append(out, u)
		}
	}
	return out, nil
}

// Recall ends what somebody lent; a grant of somebody else is not found.
func (s *Service) Recall(ctx context.Context, by By, giver, id tianbao.ID) error {
	lines, err := s.Grants(ctx, GrantQuery{Lender: giver, Limit: maxColleagues})
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.ID == id {
			return s.End(ctx, by, id)
		}
	}
	return tianbao.NotFound()
}

// Appoint agrees to the office that the system administrator asked for an account, or
// refuses it: nobody makes an administrator alone.
func (s *Service) Appoint(ctx context.Context, by By, user tianbao.ID, office tianbao.Role, agree bool) error {
	if !office.Office() {
		return tianbao.NotFound()
	}
	what, detail := "office.give", string(office)
	if !agree {
		what = "office.refuse"
	}
	return s.store.SetOffice(ctx, user, office, agree, tianbao.Event{At: s.now(), Actor: by.User, From: by.From, What: what, Object: user.String(), Detail: detail})
}

// UserByID returns one account.
func (s *Service) UserByID(ctx context.Context, id tianbao.ID) (tianbao.User, error) {
	return s.store.UserByID(ctx, id)
}

// FindUsers returns accounts by login or part of the name.
func (s *Service) FindUsers(ctx context.Context, text string, limit int) ([]tianbao.User, error) {
	return s.store.FindUsers(ctx, text, limit)
}

// WaitingUsers returns accounts that wait for the security administrator.
func (s *Service) WaitingUsers(ctx context.Context, limit int) ([]tianbao.User, error) {
	return s.store.WaitingUsers(ctx, limit)
}

func (s *Service) grantEvent(by By, what string, g *tianbao.Grant) tianbao.Event {
	day := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.UTC().Format(time.RFC3339)
	}
	detail := fmt.Sprintf("grant=%s role=%s unit=%s from=%s to=%s", g.ID, g.Role, g.Unit, day(g.From), day(g.To))
	if g.Lent != 0 {
		detail += " lent=" + g.Lent.String()
	}
	return tianbao.Event{At: s.now(), Actor: by.User, From: by.From, Owner: g.Unit, What: what, Object: g.User.String(), Detail: detail}
}

// tell writes on the trail that rows of an account are not as they were written.
func (s *Service) tell(ctx context.Context, u *tianbao.User, addr string) error {
	for _, row := range u.Altered {
		e := tianbao.Event{At: s.now(), Actor: u.ID, From: addr, What: "rights.altered", Object: row, Result: tianbao.ResultDenied}
		if err := s.store.Record(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
