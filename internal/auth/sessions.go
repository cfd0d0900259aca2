package auth

import (
	"context"
	"time"

	"tianbao"
)

// Pending is what a session has to do before anything else.
type Pending string

// What a session may have to do first.
const (
	PendingFactor   Pending = "factor"   // show the second factor
	PendingSetup    Pending = "setup"    // set one up
	PendingPassword Pending = "password" // change the password, which is too old
)

// StepLife is for how long a second factor counts for what asks for it anew.
const StepLife = 10 * time.Minute

// SteppedUp reports whether the session has shown a second factor lately.
func (s *Service) SteppedUp(g *Signed) bool {
	return !g.Stepped.IsZero() && s.now().Sub(g.Stepped) < StepLife
}

// NeedStepUp returns an error unless the session has shown a second factor lately: the
// code "step_up" tells that one is to be shown, "no_factor" that there is none yet.
func (s *Service) NeedStepUp(g *Signed) error {
	switch {
	case s.SteppedUp(g):
		return nil
	case !g.Factor:
		return &tianbao.Error{Kind: tianbao.ErrForbidden, Code: "no_factor", Message: "这项操作需要第二因素，请先在“登录安全”中设置动态码或通行密钥。"}
	}
	return &tianbao.Error{Kind: tianbao.ErrForbidden, Code: "step_up", Message: "这项操作需要验证第二因素，请先验证。"}
}

// Sessions returns the live sessions of an account, the newest first.
func (s *Service) Sessions(ctx context.Context, user tianbao.ID) ([]Session, error) {
	all, err := s.store.Sessions(ctx, user)
	if err != nil {
		return nil, err
	}
	live, now := all[:0], s.now()
	for _, v := range all {
		if !ended(v, tianbao.User{}, now) {
			live = append(live, v)
		}
	}
	return live, nil
}

// EndSession ends one session of an account.
func (s *Service) EndSession(ctx context.Context, by By, user, session tianbao.ID) error {
	return s.store.EndSession(ctx, user, session, s.event(by, "session.end", user, "one"))
}

// EndSessions ends the sessions of an account but that with the id except.
func (s *Service) EndSessions(ctx context.Context, by By, user, except tianbao.ID) error {
	return s.store.EndSessions(ctx, user, except, s.event(by, "session.end", user, "all"))
}

// User returns an account.
func (s *Service) User(ctx context.Context, user tianbao.ID) (tianbao.User, error) {
	return s.store.UserByID(ctx, user)
}

// event is what somebody does with an account.
func (s *Service) event(by By, what string, user tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: s.now(), Actor: by.User, From: by.From, What: what, Object: user.String(), Detail: detail}
}

// DisableDormant disables the accounts that nobody used for as long as the policy
// says, and returns how many.
func (s *Service) DisableDormant(ctx context.Context) (int, error) {
	if s.Policy.Dormant <= 0 {
		return 0, nil
	}
	now := s.now()
	ids, err := s.store.SetDormant(ctx, now.Add(-s.Policy.Dormant), tianbao.Event{At: now, What: "user.dormant"})
	return len(ids), err
}
