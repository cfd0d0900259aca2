package auth

import (
	"context"
	"errors"
	"time"

	"tianbao"
)

// Method is by what a session was opened.
type Method string

// The methods.
const (
	ByPassword Method = "password"
	ByPasskey  Method = "passkey"
	ByOIDC     Method = "oidc"
)

// Title returns the method in the users' words.
func (m Method) Title() string {
	switch m {
	case ByPasskey:
		return "通行密钥"
	case ByOIDC:
		return "统一平台"
	}
	return "密码"
}

// Identity is who somebody is at the platform's own sign-in.
type Identity struct {
	Issuer, Subject string
	// Login is the user name here, where the operator trusts the platform to tell it;
	// empty: only accounts that are bound are found.
	Login string
	// Factor tells that the platform has asked for a second factor that counts here.
	Factor bool
}

// Key is what a bound identity is found by.
func (i Identity) Key() string { return i.Issuer + "\x00" + i.Subject }

// errUnbound is the error of who is known at the platform but not here.
func errUnbound() error {
	return &tianbao.Error{Kind: tianbao.ErrUnsigned, Code: "oidc_unbound", Message: "您的统一平台账号还没有绑定本系统的账号，请先用密码登录，在“登录方式”中绑定，或请系统管理员绑定。"}
}

// IdentitySignIn opens a session for who has signed in at the platform. It finds an
// account that is there and makes none; what it may do is what its grants say. An
// administrator is found by a bound identity only, never by a name that the platform
// tells: whoever names accounts there would be all three administrators here.
func (s *Service) IdentitySignIn(ctx context.Context, id Identity, addr string) (token string, u tianbao.User, err error) {
	c, err := s.store.CredentialByKey(ctx, KindOIDC, id.Key())
	bound := err == nil
	switch {
	case bound:
		u, err = s.store.UserByID(ctx, c.User)
	case tianbao.KindOf(err) == tianbao.ErrNotFound && id.Login != "":
		u, _, err = s.store.UserByLogin(ctx, id.Login)
		if err == nil && (u.Office != "" || u.Asked != "") {
			err = tianbao.NotFound()
		}
	}
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
		return "", tianbao.User{}, err
	}
	if err != nil || u.Disabled || len(u.Altered) > 0 {
		return "", tianbao.User{}, errors.Join(errUnbound(), s.failedBy(ctx, ByOIDC, addr))
	}
	now := s.now()
	if bound {
		if _, err := s.store.UseCredential(ctx, c, 0, now); err != nil {
			return "", tianbao.User{}, err
		}
	}
	var stepped time.Time
	if id.Factor {
		stepped = now
	}
	return s.open(ctx, u, ByOIDC, stepped, addr)
}

// open opens a session without a password.
func (s *Service) open(ctx context.Context, u tianbao.User, by Method, stepped time.Time, addr string) (string, tianbao.User, error) {
	now, token := s.now(), newToken()
	err := s.store.PutSession(ctx, Session{
		ID: tianbao.ID(s.ids.Next()), TokenHash: tokenHash(token), User: u.ID, Created: now, Seen: now, Address: addr, Stepped: stepped, Method: by,
	}, s.Policy.Sessions, tianbao.Event{At: now, Actor: u.ID, From: addr, What: "signin", Detail: string(by)})
	if err != nil {
		return "", tianbao.User{}, err
	}
	return token, u, nil
}

// failedBy writes a failed sign-in without a password on the trail. Nobody is named:
// who it was is what could not be shown.
func (s *Service) failedBy(ctx context.Context, by Method, addr string) error {
	return s.store.Record(ctx, tianbao.Event{At: s.now(), From: addr, What: "signin.fail", Result: tianbao.ResultFailed, Detail: string(by)})
}

// Refused writes on the trail that the platform's sign-in failed, with a word that tells
// where.
func (s *Service) Refused(ctx context.Context, where, addr string) error {
	return s.store.Record(ctx, tianbao.Event{At: s.now(), From: addr, What: "signin.fail", Result: tianbao.ResultFailed, Detail: string(ByOIDC) + " " + where})
}

// certified reports whether the certificate with the fingerprint is bound to the
// account, and notes its use.
func (s *Service) certified(ctx context.Context, user tianbao.ID, fingerprint, addr string) (bool, error) {
	if fingerprint == "" {
		return false, nil
	}
	c, err := s.store.CredentialByKey(ctx, KindCertificate, fingerprint)
	if tianbao.KindOf(err) == tianbao.ErrNotFound && err != nil || err == nil && c.User != user {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now := s.now()
	return s.store.UseCredential(ctx, c, 0, now, tianbao.Event{At: now, Actor: user, From: addr, What: "factor.pass", Detail: string(KindCertificate)})
}

// VerifyCertificate takes the certificate that the gateway has shown as the second
// factor and returns the session's new token.
func (s *Service) VerifyCertificate(ctx context.Context, g *Signed, token, fingerprint, addr string) (string, error) {
	ok, err := s.certified(ctx, g.User.ID, fingerprint, addr)
	if err != nil {
		return "", err
	}
	if ok {
		return s.stepUp(ctx, token, s.now())
	}
	err = tianbao.Invalid("bad_certificate", "没有读到绑定在这个账号上的 USB 密钥，请插好自己的密钥，重新打开浏览器后再试。")
	return "", errors.Join(err, s.Record(ctx, tianbao.Event{Actor: g.User.ID, From: addr, What: "factor.fail", Result: tianbao.ResultFailed, Detail: string(KindCertificate)}))
}
