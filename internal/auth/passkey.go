package auth

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"tianbao"
)

// Passkeys knows the site that passkeys are made for (W3C Web Authentication, level 3).
type Passkeys struct {
	// Origin is the address under which browsers must have opened the site.
	Origin string
	rp     *webauthn.WebAuthn
}

// NewPasskeys returns what makes and verifies passkeys for a site. A passkey belongs to
// a host's name; an address in numbers has none, which is an error.
func NewPasskeys(origin string) (*Passkeys, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
		return nil, fmt.Errorf("auth: %q is no address that browsers take passkeys for", origin)
	}
	if net.ParseIP(u.Hostname()) != nil {
		return nil, fmt.Errorf("auth: passkeys need the name of a host, %q is a number", origin)
	}
	verified := protocol.AuthenticatorSelection{
		ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired,
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "填报", RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation, AuthenticatorSelection: verified,
	})
	if err != nil {
		return nil, fmt.Errorf("auth: set up passkeys: %w", err)
	}
	return &Passkeys{Origin: origin, rp: rp}, nil
}

// What an answer of a passkey is for, so that none serves for another.
const (
	forEnrolling = "passkey enrol"
	forVerifying = "passkey verify"
	forSigningIn = "passkey sign-in"
)

// holder is a user as the library sees one.
type holder struct {
	u    tianbao.User
	keys []webauthn.Credential
}

// WebAuthnID is the account's id: it tells nothing of its owner.
func (h *holder) WebAuthnID() []byte { return binary.BigEndian.AppendUint64(nil, uint64(h.u.ID)) }

// WebAuthnName is what the owner's device shows.
func (h *holder) WebAuthnName() string { return h.u.Login }

// WebAuthnDisplayName is what the owner's device shows beside it.
func (h *holder) WebAuthnDisplayName() string { return h.u.Name }

// WebAuthnCredentials are the owner's passkeys.
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func passkeyKey(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// holderOf returns a user with the passkeys.
func (s *Service) holderOf(ctx context.Context, u tianbao.User) (*holder, error) {
	all, err := s.store.Credentials(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	h := &holder{u: u}
	for _, c := range all {
		if c.Kind != KindPasskey {
			continue
		}
		var k webauthn.Credential
		if err := json.Unmarshal(c.Data, &k); err != nil {
			return nil, fmt.Errorf("auth: decode a passkey: %w", err)
		}
		k.Authenticator.SignCount = uint32(c.Counter) //nolint:gosec // it was one
		h.keys = append(h.keys, k)
	}
	return h, nil
}

func errNoPasskeys() error {
	return tianbao.Invalid("no_passkeys", "本系统没有启用通行密钥，请用其他方式，或联系系统管理员启用。")
}

// errPasskey is the one answer to an answer of a passkey that does not hold.
func errPasskey() error {
	return tianbao.Invalid("bad_passkey", "通行密钥没有通过核对，请重新点按钮再试一次；不行的，请用其他方式。")
}

func errPasskeyLate() error {
	return tianbao.Invalid("passkey_late", "等待的时间太长，这次操作已经过期，请重新点按钮。")
}

// optionsOf writes what the browser is asked.
func optionsOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("auth: encode the options of a passkey: %w", err)
	}
	return string(b), nil
}

// StartPasskey begins to add a passkey and returns what the browser is to be asked, as
// PublicKeyCredentialCreationOptionsJSON.
func (s *Service) StartPasskey(ctx context.Context, g *Signed, token string) (string, error) {
	if s.Passkeys == nil {
		return "", errNoPasskeys()
	}
	if g.Factor {
		if err := s.NeedStepUp(g); err != nil {
			return "", err
		}
	}
	h, err := s.holderOf(ctx, g.User)
	if err != nil {
		return "", err
	}
	creation, session, err := s.Passkeys.rp.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
	if err != nil {
		return "", fmt.Errorf("auth: begin to add a passkey: %w", err)
	}
	if err := s.awaitUnder(ctx, forEnrolling, token, session); err != nil {
		return "", err
	}
	return optionsOf(creation.Response)
}

// AddPasskey ends the adding with the browser's answer. It returns a new token for the
// session, and recovery codes where this is the account's first second factor.
func (s *Service) AddPasskey(ctx context.Context, g *Signed, token, name, response, addr string) (newTok string, codes []string, err error) {
	if s.Passkeys == nil {
		return "", nil, errNoPasskeys()
	}
	if g.Factor {
		if err := s.NeedStepUp(g); err != nil {
			return "", nil, err
		}
	}
	if name, err = checkName(strings.TrimSpace(name), KindPasskey.Title()); err != nil {
		return "", nil, err
	}
	var session webauthn.SessionData
	if err := s.Awaited(ctx, forEnrolling, token, &session); err != nil {
		return "", nil, late(err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(response))
	if err != nil {
		return "", nil, errPasskey()
	}
	made, err := s.Passkeys.rp.CreateCredential(&holder{u: g.User}, session, parsed)
	if err != nil {
		return "", nil, errPasskey()
	}
	made.Attestation = webauthn.CredentialAttestation{} // none was asked for
	data, err := json.Marshal(made)
	if err != nil {
		return "", nil, fmt.Errorf("auth: encode a passkey: %w", err)
	}
	if !g.Factor {
		codes = newRecovery()
	}
	err = s.put(ctx, By{g.User.ID, addr}, Credential{
		User: g.User.ID, Kind: KindPasskey, Key: passkeyKey(made.ID), Name: name, Data: data, Counter: int64(made.Authenticator.SignCount),
	}, codes, g.Session)
	if err != nil {
		return "", nil, err
	}
	newTok, err = s.stepUp(ctx, token, s.now())
	return newTok, codes, err
}

// late tells of an answer that nobody waits for.
func late(err error) error {
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return errPasskeyLate()
	}
	return err
}

// StartVerify begins to show a passkey as the second factor.
func (s *Service) StartVerify(ctx context.Context, g *Signed, token string) (string, error) {
	if s.Passkeys == nil {
		return "", errNoPasskeys()
	}
	h, err := s.holderOf(ctx, g.User)
	if err != nil {
		return "", err
	}
	if len(h.keys) == 0 {
		return "", tianbao.Invalid("no_passkey", "这个账号还没有通行密钥，请用其他方式验证。")
	}
	assertion, session, err := s.Passkeys.rp.BeginLogin(h)
	if err != nil {
		return "", fmt.Errorf("auth: begin to ask for a passkey: %w", err)
	}
	if err := s.awaitUnder(ctx, forVerifying, token, session); err != nil {
		return "", err
	}
	return optionsOf(assertion.Response)
}

// VerifyPasskey takes the browser's answer as the second factor and returns the
// session's new token.
func (s *Service) VerifyPasskey(ctx context.Context, g *Signed, token, response, addr string) (string, error) {
	if s.Passkeys == nil {
		return "", errNoPasskeys()
	}
	var session webauthn.SessionData
	if err := s.Awaited(ctx, forVerifying, token, &session); err != nil {
		return "", late(err)
	}
	h, err := s.holderOf(ctx, g.User)
	if err != nil {
		return "", err
	}
	now := s.now()
	e := tianbao.Event{At: now, Actor: g.User.ID, From: addr, What: "factor.pass", Detail: string(KindPasskey)}
	if parsed, perr := protocol.ParseCredentialRequestResponseBytes([]byte(response)); perr == nil {
		if key, verr := s.Passkeys.rp.ValidateLogin(h, session, parsed); verr == nil {
			ok, err := s.usePasskey(ctx, g.User.ID, key, e)
			if err != nil {
				return "", err
			}
			if ok {
				return s.stepUp(ctx, token, now)
			}
		}
	}
	e.What, e.Result = "factor.fail", tianbao.ResultFailed
	return "", errors.Join(errPasskey(), s.store.Record(ctx, e))
}

// usePasskey notes the use of a passkey. One whose counter did not go on may have been
// copied, and is refused.
func (s *Service) usePasskey(ctx context.Context, user tianbao.ID, key *webauthn.Credential, events ...tianbao.Event) (bool, error) {
	if key.Authenticator.CloneWarning {
		return false, nil
	}
	c, err := s.store.CredentialByKey(ctx, KindPasskey, passkeyKey(key.ID))
	if err != nil || c.User != user {
		return false, err
	}
	return s.store.UseCredential(ctx, c, int64(key.Authenticator.SignCount), s.now(), events...)
}

// StartPasskeySignIn begins a sign-in by a passkey alone. It returns the secret under
// which the browser's answer is awaited.
func (s *Service) StartPasskeySignIn(ctx context.Context) (secret, options string, err error) {
	if s.Passkeys == nil {
		return "", "", errNoPasskeys()
	}
	assertion, session, err := s.Passkeys.rp.BeginDiscoverableLogin()
	if err != nil {
		return "", "", fmt.Errorf("auth: begin a sign-in by passkey: %w", err)
	}
	if secret, err = s.Await(ctx, forSigningIn, session); err != nil {
		return "", "", err
	}
	options, err = optionsOf(assertion.Response)
	return secret, options, err
}

// PasskeySignIn opens a session for who has shown a passkey. It is something held that
// knows who holds it, so the second factor is shown with it. A lock that failed passwords
// brought does not keep its owner out.
func (s *Service) PasskeySignIn(ctx context.Context, secret, response, addr string) (token string, u tianbao.User, err error) {
	if s.Passkeys == nil {
		return "", u, errNoPasskeys()
	}
	var session webauthn.SessionData
	if err := s.Awaited(ctx, forSigningIn, secret, &session); err != nil {
		return "", u, late(err)
	}
	fail := func() (string, tianbao.User, error) {
		return "", tianbao.User{}, errors.Join(errPasskey(), s.failedBy(ctx, ByPasskey, addr))
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(response))
	if err != nil {
		return fail()
	}
	var storeErr error // of the handler, whose errors the library turns into sentences
	found := func(_, handle []byte) (webauthn.User, error) {
		if len(handle) != 8 {
			return nil, tianbao.NotFound()
		}
		u, err := s.store.UserByID(ctx, tianbao.ID(binary.BigEndian.Uint64(handle))) //nolint:gosec // the id of nobody is not found
		if err != nil {
			if tianbao.KindOf(err) != tianbao.ErrNotFound {
				storeErr = err
			}
			return nil, err
		}
		h, err := s.holderOf(ctx, u)
		if err != nil {
			storeErr = err
			return nil, err
		}
		return h, nil
	}
	who, key, err := s.Passkeys.rp.ValidatePasskeyLogin(found, session, parsed)
	if storeErr != nil {
		return "", u, storeErr
	}
	h, ok := who.(*holder)
	if err != nil || !ok || h.u.Disabled || len(h.u.Altered) > 0 {
		return fail()
	}
	if ok, err := s.usePasskey(ctx, h.u.ID, key); err != nil {
		return "", u, err
	} else if !ok {
		return fail()
	}
	return s.open(ctx, h.u, ByPasskey, s.now(), addr)
}
