package auth

import (
	"context"
	"errors"
	"strconv"
	"time"

	"tianbao"
)

// Activation is a code by which somebody gets into an account without ever being told
// a password: a new one that fills in for a unit, or, with User, the own one again.
type Activation struct {
	ID      tianbao.ID
	Unit    tianbao.Unit
	User    tianbao.ID // 0: a new account
	Login   string     // of User, for its owner
	Name    string     // of User, known only when it is made with the account
	By      tianbao.ID // who gave it
	Code    string     // in clear, known only when it is made
	Created time.Time
	Expires time.Time
}

// UnitPeople is a unit with those who fill in for it.
type UnitPeople struct {
	Unit     tianbao.Unit
	Accounts []UnitAccount
	// Open is until when a code for a new account works, zero: there is none.
	Open time.Time
}

// UnitAccount is an account that fills in for a unit.
type UnitAccount struct {
	ID       tianbao.ID
	Name     string
	Disabled bool
	LastSeen time.Time
}

// ActivationStore keeps activation codes under a keyed index.
type ActivationStore interface {
	// UnitPeople returns units in scope whose code, name or initials hold q, ordered by
	// path, from offset on, with the accounts of their fillers.
	UnitPeople(ctx context.Context, scope tianbao.Scope, q string, offset, limit int) ([]UnitPeople, error)
	// UnitsWithout returns units in scope, ordered by path: the named one, or with below
	// those of its subtree in which nobody has a role.
	UnitsWithout(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, below bool, limit int) ([]tianbao.Unit, error)
	// FillerIn returns a filler of units in scope with the first of these units. Who
	// has any other role, or one elsewhere, is not found.
	FillerIn(ctx context.Context, scope tianbao.Scope, user tianbao.ID) (tianbao.User, tianbao.Unit, error)
	// PutActivations stores codes; earlier open ones for the same unit, or the same
	// user, cease to work.
	PutActivations(ctx context.Context, by tianbao.ID, as []Activation, events ...tianbao.Event) error
	// Activation returns the open code.
	Activation(ctx context.Context, code string, now time.Time) (Activation, error)
	// ActivateNew uses a code up and creates the user; NotFound when it is used.
	ActivateNew(ctx context.Context, a Activation, u tianbao.User, hash string, at time.Time, events ...tianbao.Event) error
	// ActivateOld uses a code up and sets the user's password, as SetPassword does.
	ActivateOld(ctx context.Context, a Activation, hash string, keep int, at time.Time, events ...tianbao.Event) error
}

const (
	codeLength = 16 // 69 bits
	// MostCodes is how many codes are made at once: what a printed sheet holds.
	MostCodes = 500
	// LockCodes is how many wrong codes one address may try in LockWindow.
	LockCodes = 20
)

// IssueUnit makes a code for one more filler of a unit, with below for all units of its
// subtree that have none yet.
func (s *Service) IssueUnit(ctx context.Context, by By, scope tianbao.Scope, unit tianbao.ID, below bool) ([]Activation, error) {
	units, err := s.store.UnitsWithout(ctx, scope, unit, below, MostCodes+1)
	if err != nil {
		return nil, err
	}
	switch {
	case len(units) == 0 && below:
		return nil, tianbao.Invalid("no_units", "下面的单位都有账号了，不需要激活码。")
	case len(units) == 0:
		return nil, tianbao.NotFound()
	case len(units) > MostCodes:
		return nil, tianbao.Invalid("many_units", "没有账号的单位超过 "+strconv.Itoa(MostCodes)+" 个，请按下级财政局或主管部门分批发放。")
	}
	as := make([]Activation, len(units))
	for i, u := range units {
		as[i] = s.activation(u)
	}
	e := tianbao.Event{
		At: s.now(), Actor: by.User, From: by.From, Owner: unit, What: "code.issue", Object: unit.String(),
		Detail: "units=" + strconv.Itoa(len(units)),
	}
	return as, s.store.PutActivations(ctx, by.User, as, e)
}

func (s *Service) activation(u tianbao.Unit) Activation {
	now := s.now()
	return Activation{ID: tianbao.ID(s.ids.Next()), Unit: u, Code: newCode(codeLength), Created: now, Expires: now.Add(s.Policy.CodeLife)}
}

// IssueUser makes a code by which a filler in scope sets a new password.
func (s *Service) IssueUser(ctx context.Context, by By, scope tianbao.Scope, user tianbao.ID) (Activation, error) {
	u, unit, err := s.store.FillerIn(ctx, scope, user)
	if err != nil {
		return Activation{}, err
	}
	if u.Disabled {
		return Activation{}, tianbao.Invalid("disabled", "这个账号已停用，请先联系系统管理员启用。")
	}
	a := s.activation(unit)
	a.User, a.Login = u.ID, u.Login
	e := s.event(by, "code.issue", u.ID, "password")
	e.Owner = unit.ID
	return a, s.store.PutActivations(ctx, by.User, []Activation{a}, e)
}

func errActivation() error {
	return tianbao.Invalid("bad_activation", "激活码不正确、已经用过或已过期，请核对后重新输入，或请发放的单位换一个。")
}

// CheckActivation returns what a code is for. Wrong ones are counted by address.
func (s *Service) CheckActivation(ctx context.Context, code, addr string) (Activation, error) {
	now, key := s.now(), "activate:"+addr
	counts, err := s.store.Failures(ctx, []string{key}, now.Add(-LockWindow))
	if err != nil {
		return Activation{}, err
	}
	tooMany := &tianbao.Error{
		Kind: tianbao.ErrTooMany, Code: "locked", RetryAfter: int(LockWindow.Seconds()),
		Message: "从这个地址输错激活码的次数过多，请 15 分钟后再试。",
	}
	if counts[0] >= LockCodes {
		return Activation{}, tooMany
	}
	a, err := s.store.Activation(ctx, PlainCode(code), now)
	if tianbao.KindOf(err) != tianbao.ErrNotFound || err == nil {
		return a, err
	}
	if _, err := s.store.AddFailure(ctx, []string{key}, now, now.Add(-LockWindow)); err != nil {
		return Activation{}, err
	}
	if err := s.store.Record(ctx, tianbao.Event{At: now, From: addr, What: "code.fail", Result: tianbao.ResultFailed}); err != nil {
		return Activation{}, err
	}
	return Activation{}, errActivation()
}

// Activate uses a code: for a new account with login and name, or for a new password.
// It returns the login. A second factor stays as it is.
func (s *Service) Activate(ctx context.Context, code, login, name, password, addr string) (string, error) {
	a, err := s.CheckActivation(ctx, code, addr)
	if err != nil {
		return "", err
	}
	now := s.now()
	if a.User != 0 {
		u, err := s.store.UserByID(ctx, a.User)
		if err != nil {
			return "", err
		}
		phc, err := s.newPassword(ctx, &u, password)
		if err != nil {
			return "", err
		}
		err = s.store.ActivateOld(ctx, a, phc, passwordsKept-1, now, s.event(By{u.ID, addr}, "code.use", u.ID, "password"))
		if err == nil {
			err = s.store.ClearFailures(ctx, "login:"+u.Login)
		}
		return u.Login, usedUp(err)
	}
	u := tianbao.User{Login: login, Name: name, Grants: []tianbao.Grant{{Role: tianbao.RoleFiller, Unit: a.Unit.ID}}}
	phc, err := s.prepare(ctx, By{a.By, addr}, &u, password)
	if err != nil {
		return "", err
	}
	e := s.event(By{u.ID, addr}, "code.use", u.ID, roleNames(&u))
	e.Owner = a.Unit.ID
	return login, usedUp(s.store.ActivateNew(ctx, a, u, phc, now, e))
}

// usedUp tells of a code that somebody else used in between.
func usedUp(err error) error {
	var e *tianbao.Error
	if errors.As(err, &e) && e.Kind == tianbao.ErrNotFound {
		return errActivation()
	}
	return err
}

// UnitPeople returns units in scope with the accounts of their fillers.
func (s *Service) UnitPeople(ctx context.Context, scope tianbao.Scope, q string, offset, limit int) ([]UnitPeople, error) {
	return s.store.UnitPeople(ctx, scope, q, offset, limit)
}
