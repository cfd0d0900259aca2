package auth

import (
	"context"
	"time"

	"tianbao"
)

// Factor is the second factor of an account: the secret of an authenticator.
type Factor struct {
	ID        tianbao.ID
	User      tianbao.ID
	Secret    []byte
	Created   time.Time
	Confirmed time.Time // zero: being set up
	Used      int64     // the last time step whose code was taken
}

// FactorStore keeps second factors. Secrets are sealed, recovery codes are kept under
// a keyed index.
type FactorStore interface {
	// Factor returns the user's factor: the confirmed one or that being set up.
	Factor(ctx context.Context, user tianbao.ID, confirmed bool) (Factor, error)
	// PutFactor stores a factor that is being set up, in place of another one.
	PutFactor(ctx context.Context, f Factor) error
	// ConfirmFactor makes the factor that is being set up the user's, in place of any
	// before, with the step of the code that proved it and new recovery codes, and
	// ends the user's other sessions.
	ConfirmFactor(ctx context.Context, f Factor, step int64, codes []string, session tianbao.ID, at time.Time, events ...tianbao.Event) error
	// UseStep takes a time step of a factor, once; false: it, or a later one, is taken.
	UseStep(ctx context.Context, factor tianbao.ID, step int64, events ...tianbao.Event) (bool, error)
	// UseRecovery takes a recovery code, once; false: there is none such.
	UseRecovery(ctx context.Context, user tianbao.ID, code string, events ...tianbao.Event) (bool, error)
	// PutRecovery replaces the user's recovery codes.
	PutRecovery(ctx context.Context, user tianbao.ID, codes []string, events ...tianbao.Event) error
	// RecoveryLeft counts the user's recovery codes.
	RecoveryLeft(ctx context.Context, user tianbao.ID) (int, error)
	// DropFactor removes the user's factor, passkeys, certificates and recovery codes
	// and ends the sessions.
	DropFactor(ctx context.Context, user tianbao.ID, events ...tianbao.Event) error
}

const (
	recoveryCodes  = 10
	recoveryLength = 12 // 52 bits
)

func errCode() error {
	return tianbao.Invalid("bad_code", "动态码不正确或已经用过，请等下一个 6 位数字出来再输入；手机时间要准。")
}

// FactorState is what the page of the second factor shows.
type FactorState struct {
	Set      time.Time // zero: there is none
	Required bool
	Keys     int    // passkeys and certificates
	Recovery int    // recovery codes left
	Secret   []byte // of the one being set up, nil: none
}

// FactorState returns the state of an account's second factor.
func (s *Service) FactorState(ctx context.Context, u *tianbao.User) (FactorState, error) {
	st := FactorState{Required: s.Policy.needsFactor(u)}
	all, err := s.store.Credentials(ctx, u.ID)
	if err != nil {
		return st, err
	}
	for i := range all {
		if all[i].Factor() {
			st.Keys++
		}
	}
	if st.Recovery, err = s.store.RecoveryLeft(ctx, u.ID); err != nil {
		return st, err
	}
	f, err := s.store.Factor(ctx, u.ID, true)
	if err == nil {
		st.Set = f.Confirmed
	} else if tianbao.KindOf(err) != tianbao.ErrNotFound {
		return st, err
	}
	f, err = s.store.Factor(ctx, u.ID, false)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return st, nil
	}
	st.Secret = f.Secret
	return st, err
}

// StartFactor begins to set up a second factor. Who has one already must have shown
// it lately.
func (s *Service) StartFactor(ctx context.Context, g *Signed) error {
	if g.Factor {
		if err := s.NeedStepUp(g); err != nil {
			return err
		}
	}
	return s.store.PutFactor(ctx, Factor{ID: tianbao.ID(s.ids.Next()), User: g.User.ID, Secret: newSecret(), Created: s.now()})
}

// ConfirmFactor ends the setting up with a first code. It returns a new token for the
// session and the recovery codes, which are shown this once.
func (s *Service) ConfirmFactor(ctx context.Context, g *Signed, token, code, addr string) (newTok string, codes []string, err error) {
	if g.Factor {
		if err := s.NeedStepUp(g); err != nil {
			return "", nil, err
		}
	}
	f, err := s.store.Factor(ctx, g.User.ID, false)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return "", nil, tianbao.Invalid("no_setup", "还没有开始设置，请先点“开始设置”。")
	}
	if err != nil {
		return "", nil, err
	}
	now := s.now()
	step, ok := totpMatch(f.Secret, PlainCode(code), now, f.Used)
	if !ok {
		return "", nil, errCode()
	}
	codes = newRecovery()
	err = s.store.ConfirmFactor(ctx, f, step, codes, g.Session, now, s.event(By{g.User.ID, addr}, "factor.set", g.User.ID, ""))
	if err != nil {
		return "", nil, err
	}
	newTok, err = s.stepUp(ctx, token, now)
	return newTok, codes, err
}

func newRecovery() []string {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = newCode(recoveryLength)
	}
	return codes
}

// stepUp gives the session a new token: what knew the old one has not seen the second
// factor (ASVS 7.2.4).
func (s *Service) stepUp(ctx context.Context, token string, at time.Time) (string, error) {
	fresh := newToken()
	return fresh, s.store.StepUp(ctx, tokenHash(token), tokenHash(fresh), at)
}

// VerifyFactor takes a code of the authenticator, or a recovery code, and returns the
// session's new token.
func (s *Service) VerifyFactor(ctx context.Context, g *Signed, token, code, addr string) (string, error) {
	if !g.Factor {
		return "", tianbao.Invalid("no_factor", "还没有设置第二因素，请先在“登录安全”中设置动态码或通行密钥。")
	}
	ok, err := s.prove(ctx, g.User.ID, code, "factor:"+g.User.ID.String(), addr)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", errCode()
	}
	return s.stepUp(ctx, token, s.now())
}

// prove takes a code, once. Five wrong ones under a key lock it, as with passwords.
func (s *Service) prove(ctx context.Context, user tianbao.ID, code, key, addr string) (bool, error) {
	now := s.now()
	counts, err := s.store.Failures(ctx, []string{key}, now.Add(-LockWindow))
	if err != nil {
		return false, err
	}
	if counts[0] >= LockAccount {
		return false, errLockedCode()
	}
	// Counted before it is looked at: of many at once none is free.
	if counts, err = s.store.AddFailure(ctx, []string{key}, now, now.Add(-LockWindow)); err != nil {
		return false, err
	}
	if counts[0] > LockAccount {
		return false, errLockedCode()
	}
	ok, err := s.take(ctx, user, PlainCode(code), now, tianbao.Event{At: now, Actor: user, From: addr, What: "factor.pass"})
	if err != nil {
		return false, err
	}
	if ok {
		return true, s.store.ClearFailures(ctx, key)
	}
	return false, s.store.Record(ctx, tianbao.Event{At: now, Actor: user, From: addr, What: "factor.fail", Result: tianbao.ResultFailed})
}

func (s *Service) take(ctx context.Context, user tianbao.ID, code string, now time.Time, e tianbao.Event) (bool, error) {
	if len(code) == recoveryLength {
		e.Detail = "recovery"
		return s.store.UseRecovery(ctx, user, code, e)
	}
	f, err := s.store.Factor(ctx, user, true)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	step, ok := totpMatch(f.Secret, code, now, f.Used)
	if !ok {
		return false, nil
	}
	return s.store.UseStep(ctx, f.ID, step, e)
}

func errLockedCode() error {
	return &tianbao.Error{
		Kind: tianbao.ErrTooMany, Code: "locked", RetryAfter: int(LockWindow.Seconds()),
		Message: "动态码输错次数过多，请 15 分钟后再试。",
	}
}

// NewRecovery replaces the recovery codes of who has shown the second factor lately.
func (s *Service) NewRecovery(ctx context.Context, g *Signed, addr string) ([]string, error) {
	if err := s.NeedStepUp(g); err != nil {
		return nil, err
	}
	codes := newRecovery()
	return codes, s.store.PutRecovery(ctx, g.User.ID, codes, s.event(By{g.User.ID, addr}, "factor.codes", g.User.ID, ""))
}

// DropOwnFactor removes the own second factor, unless it is required.
func (s *Service) DropOwnFactor(ctx context.Context, g *Signed, addr string) error {
	if s.Policy.needsFactor(&g.User) {
		return tianbao.Invalid("factor_required", "管理员账号必须有第二因素，不能取消，可以换一个。")
	}
	if err := s.NeedStepUp(g); err != nil {
		return err
	}
	return s.DropFactor(ctx, By{g.User.ID, addr}, g.User.ID)
}

// DropFactor removes the second factor of an account whose owner has lost it. A new
// password leaves it as it is (security.md 11), so this is an act of its own.
func (s *Service) DropFactor(ctx context.Context, by By, user tianbao.ID) error {
	return s.store.DropFactor(ctx, user, s.event(by, "factor.drop", user, ""))
}
