package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tianbao"
)

// Kind is a kind of credential.
type Kind string

// The kinds of credentials.
const (
	KindPasskey     Kind = "passkey"
	KindOIDC        Kind = "oidc"        // an account of the platform's own sign-in
	KindCertificate Kind = "certificate" // on a USB key, shown by the gateway
)

// Title returns the kind in the users' words.
func (k Kind) Title() string {
	switch k {
	case KindPasskey:
		return "通行密钥"
	case KindOIDC:
		return "统一平台账号"
	}
	return "USB 密钥证书"
}

// Credential is what somebody signs in with beside the password.
type Credential struct {
	ID   tianbao.ID
	User tianbao.ID
	Kind Kind
	// Key is what it is found by: the id of a passkey, issuer and subject of an account
	// elsewhere, the fingerprint of a certificate.
	Key     string
	Name    string // the owner's
	Data    []byte // of a passkey: public key and what else is verified
	Counter int64  // of a passkey: how often it signed, 0 where it does not count
	Created time.Time
	Used    time.Time
}

// Factor reports whether it counts as a second factor.
func (c *Credential) Factor() bool { return c.Kind != KindOIDC }

// CredentialStore keeps credentials and what is waited for. One that was written around
// the program is as if it were not there.
type CredentialStore interface {
	// Credentials returns the credentials of a user, the oldest first.
	Credentials(ctx context.Context, user tianbao.ID) ([]Credential, error)
	// CredentialByKey returns the credential that is found by a key.
	CredentialByKey(ctx context.Context, kind Kind, key string) (Credential, error)
	// PutCredential stores a new credential, replaces the recovery codes where there are
	// codes, and ends the user's sessions but the named one; a key that is bound already
	// is tianbao.ErrConflict "key_taken".
	PutCredential(ctx context.Context, c Credential, codes []string, session tianbao.ID, events ...tianbao.Event) error
	// RenameCredential gives a credential of the user another name.
	RenameCredential(ctx context.Context, user, id tianbao.ID, name string, events ...tianbao.Event) error
	// DropCredential removes a credential of the user and ends the sessions but the named
	// one. Where no second factor would be left it refuses with FactorRequired, or with
	// last set removes the recovery codes too.
	DropCredential(ctx context.Context, user, id, session tianbao.ID, last bool, events ...tianbao.Event) error
	// UseCredential notes the use of a credential; false: its counter did not go on.
	UseCredential(ctx context.Context, c Credential, counter int64, at time.Time, events ...tianbao.Event) (bool, error)

	// PutCeremony keeps what is waited for under the hash of a secret until it expires,
	// in place of what was there.
	PutCeremony(ctx context.Context, hash, body []byte, now, expires time.Time) error
	// TakeCeremony returns it, once.
	TakeCeremony(ctx context.Context, hash []byte, now time.Time) ([]byte, error)
}

// CeremonyLife is how long an answer is waited for.
const CeremonyLife = 10 * time.Minute

// FactorRequired returns the error of who would be left without a second factor.
func FactorRequired() error {
	return tianbao.Invalid("factor_required", "管理员账号必须有第二因素，请先添加另一个，再删除这一个。")
}

// Await keeps what an answer will be held against and returns the secret under which it
// is found, once; what is not the same purpose finds nothing.
func (s *Service) Await(ctx context.Context, purpose string, what any) (secret string, err error) {
	secret = newToken()
	return secret, s.awaitUnder(ctx, purpose, secret, what)
}

func (s *Service) awaitUnder(ctx context.Context, purpose, secret string, what any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("auth: encode what is awaited: %w", err)
	}
	now := s.now()
	return s.store.PutCeremony(ctx, tokenHash(purpose+"\x00"+secret), b, now, now.Add(CeremonyLife))
}

// Awaited takes what was kept under a secret; tianbao.NotFound: there is nothing, or no
// longer.
func (s *Service) Awaited(ctx context.Context, purpose, secret string, into any) error {
	b, err := s.store.TakeCeremony(ctx, tokenHash(purpose+"\x00"+secret), s.now())
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("auth: decode what was awaited: %w", err)
	}
	return nil
}

// Credentials returns the credentials of an account.
func (s *Service) Credentials(ctx context.Context, user tianbao.ID) ([]Credential, error) {
	return s.store.Credentials(ctx, user)
}

// MayBind asks for the second factor before another way in is opened.
func (s *Service) MayBind(g *Signed) error {
	if !g.Factor && !s.Policy.needsFactor(&g.User) {
		return nil
	}
	return s.NeedStepUp(g)
}

// checkName brings the name of a credential into shape.
func checkName(name, otherwise string) (string, error) {
	if name == "" {
		name = otherwise
	}
	if n := len([]rune(name)); n > 30 {
		return "", tianbao.Invalid("long_name", "名称最长 30 个字，请写短一些，例如“办公室电脑”。")
	}
	return name, nil
}

// mostKeys is how many credentials an account may have.
const mostKeys = 20

// put stores a credential of an account.
func (s *Service) put(ctx context.Context, by By, c Credential, codes []string, session tianbao.ID) error {
	have, err := s.store.Credentials(ctx, c.User)
	if err != nil {
		return err
	}
	if len(have) >= mostKeys {
		return tianbao.Invalid("many_keys", "一个账号最多绑定 20 个登录凭据，请先删除不用的。")
	}
	c.ID, c.Created = tianbao.ID(s.ids.Next()), s.now()
	return s.store.PutCredential(ctx, c, codes, session, s.event(by, "key.add", c.User, string(c.Kind)))
}

// Rename gives one of the own credentials another name.
func (s *Service) Rename(ctx context.Context, g *Signed, id tianbao.ID, name, addr string) error {
	if name == "" {
		return tianbao.Invalid("no_name", "请填写名称，例如“办公室电脑”。")
	}
	name, err := checkName(name, "")
	if err != nil {
		return err
	}
	return s.store.RenameCredential(ctx, g.User.ID, id, name, s.event(By{g.User.ID, addr}, "key.name", g.User.ID, ""))
}

// Unbind removes one of the own credentials.
func (s *Service) Unbind(ctx context.Context, g *Signed, id tianbao.ID, addr string) error {
	if err := s.MayBind(g); err != nil {
		return err
	}
	last := !s.Policy.needsFactor(&g.User)
	return s.store.DropCredential(ctx, g.User.ID, id, g.Session, last, s.event(By{g.User.ID, addr}, "key.remove", g.User.ID, ""))
}

// UnbindUser removes a credential of an account whose owner has lost it.
func (s *Service) UnbindUser(ctx context.Context, by By, user, id tianbao.ID) error {
	return s.store.DropCredential(ctx, user, id, 0, true, s.event(by, "key.remove", user, ""))
}

// BindUser binds a credential to somebody else's account. An account elsewhere opens an
// account by itself, so it is not bound for administrators by another one: that would
// let one person be two of them.
func (s *Service) BindUser(ctx context.Context, by By, user tianbao.ID, c Credential) error {
	u, err := s.store.UserByID(ctx, user)
	if err != nil {
		return err
	}
	if c.Kind == KindOIDC && by.User != user && (u.Office != "" || u.Asked != "") {
		return tianbao.Invalid("office_identity", "管理员的统一平台账号只能由本人登录后在“登录方式”中绑定，以免一人兼任。")
	}
	if c.Name, err = checkName(c.Name, c.Kind.Title()); err != nil {
		return err
	}
	c.User = user
	return s.put(ctx, by, c, nil, 0)
}

// BindOwn binds a credential that its holder has just shown to the own account.
func (s *Service) BindOwn(ctx context.Context, g *Signed, c Credential, addr string) error {
	need := s.MayBind
	if c.Kind == KindCertificate { // by a password alone nobody makes a factor of what a gateway says
		need = s.NeedStepUp
	}
	err := need(g)
	if err != nil {
		return err
	}
	if c.Name, err = checkName(c.Name, c.Kind.Title()); err != nil {
		return err
	}
	c.User = g.User.ID
	return s.put(ctx, By{g.User.ID, addr}, c, nil, g.Session)
}
