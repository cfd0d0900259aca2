package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Limits of sessions and sign-ins (GB/T 22239-2019 8.1.4.1; ASVS 7.3.1, 7.3.2, 6.3.1).
const (
	IdleLimit     = 30 * time.Minute
	AbsoluteLimit = 12 * time.Hour
	LockWindow    = 15 * time.Minute
	LockAccount   = 5  // failures of one account
	LockAddress   = 50 // failures from one address: an office shares one
	setupLife     = 24 * time.Hour
	touchEvery    = time.Minute // how fresh Session.Seen is kept
)

// Service signs people in and keeps their accounts.
type Service struct {
	// Policy is set before the service is used.
	Policy Policy
	// Batches returns the rules of BatchForm, held against the register in which find
	// looks units up. It is set before the service is used for that.
	Batches func(find func(keys map[string]string) tianbao.UnitMatch) (BatchRules, error)
	// Passkeys is nil where passkeys are not in use.
	Passkeys *Passkeys

	store Store
	now   clock.Clock
	ids   *clock.IDs
	hash  *hasher
	// decoy is verified when the login is unknown, so that both take the same time.
	decoy string
}

// New returns a service; params are the costs of new password hashes.
func New(store Store, now clock.Clock, ids *clock.IDs, params Params) *Service {
	s := &Service{Policy: DefaultPolicy(), store: store, now: now, ids: ids, hash: newHasher(params)}
	s.decoy = s.hash.decoy()
	return s
}

// Signed is a live session.
type Signed struct {
	User tianbao.User
	// CSRF is the token that forms and clients send with every unsafe request.
	CSRF string
	// Session is the session's id, by which lists name it.
	Session tianbao.ID
	// Pending is what has to be done before anything else.
	Pending Pending
	// Factor tells that the account has a second factor, Stepped when this session
	// last showed it, zero: never.
	Factor  bool
	Stepped time.Time
	// Method is by what the session was opened.
	Method Method
	// Informed tells that the account said yes to the newest notice of what the data are for.
	Informed bool
}

// errSignIn is the one answer to every failed sign-in.
func errSignIn() error {
	return &tianbao.Error{Kind: tianbao.ErrUnsigned, Code: "bad_login", Message: "用户名或密码不正确，请检查大小写后重新输入。"}
}

func errLocked() error {
	return &tianbao.Error{
		Kind: tianbao.ErrTooMany, Code: "locked", RetryAfter: int(LockWindow.Seconds()),
		Message: "输错次数过多，该用户名暂时不能登录，请 15 分钟后再试，或联系管理员重设密码。",
	}
}

// Try is what somebody signs in with.
type Try struct {
	Login, Password string
	// Code is of the second factor, empty: it is asked for afterwards, where needed.
	Code string
	// Certificate is the fingerprint of the certificate that the gateway has shown.
	Certificate string
	From        string // address
}

// SignIn is SignInWith for a password alone.
func (s *Service) SignIn(ctx context.Context, login, password, addr string) (token string, u tianbao.User, err error) {
	return s.SignInWith(ctx, Try{Login: login, Password: password, From: addr})
}

// SignInWith checks a password and opens a session; it returns the token for the
// cookie. The answer, and the time it takes, are the same for a wrong password and
// for a name that does not exist.
//
// A guesser can lock an account but not its owner out of it: with a right code of the
// second factor the password is looked at also while the account is locked.
func (s *Service) SignInWith(ctx context.Context, try Try) (token string, u tianbao.User, err error) {
	now := s.now()
	keys := []string{"login:" + try.Login, "addr:" + try.From}
	counts, err := s.store.Failures(ctx, keys, now.Add(-LockWindow))
	if err != nil {
		return "", u, err
	}
	locked := counts[0] >= LockAccount
	if locked && try.Code == "" && try.Certificate == "" || counts[1] >= LockAddress {
		return "", u, errLocked()
	}
	u, phc, err := s.store.UserByLogin(ctx, try.Login)
	known := err == nil && phc != "" // an altered account has none
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
		return "", u, err
	}
	if err := s.tell(ctx, &u, try.From); err != nil {
		return "", u, err
	}
	var stepped time.Time
	if known && try.Code != "" {
		// Counted by account and address: who does not know the secret cannot use up
		// the owner's tries.
		ok, err := s.prove(ctx, u.ID, try.Code, "factor:"+u.ID.String()+"@"+try.From, try.From)
		if err != nil {
			return "", tianbao.User{}, err
		}
		if ok {
			stepped = now
		}
	}
	if known && stepped.IsZero() {
		if ok, err := s.certified(ctx, u.ID, try.Certificate, try.From); err != nil {
			return "", tianbao.User{}, err
		} else if ok {
			stepped = now
		}
	}
	if locked && stepped.IsZero() {
		return "", tianbao.User{}, errLocked()
	}
	if !known {
		phc = s.decoy
	}
	ok, stale, err := s.hash.verify(ctx, try.Password, phc)
	if err != nil {
		return "", u, err
	}
	if !ok || !known || u.Disabled {
		counts, err := s.store.AddFailure(ctx, keys, now, now.Add(-LockWindow))
		if err != nil {
			return "", u, err
		}
		if err := s.store.Record(ctx, tianbao.Event{At: now, Login: try.Login, From: try.From, What: "signin.fail", Result: tianbao.ResultFailed}); err != nil {
			return "", u, err
		}
		if counts[0] >= LockAccount {
			return "", tianbao.User{}, errLocked()
		}
		return "", tianbao.User{}, errSignIn()
	}
	if stale {
		if err := s.rehash(ctx, u.ID, try.Password); err != nil {
			return "", u, err
		}
	}
	token = newToken()
	err = s.store.PutSession(ctx, Session{
		ID: tianbao.ID(s.ids.Next()), TokenHash: tokenHash(token), User: u.ID, Created: now, Seen: now, Address: try.From, Stepped: stepped,
	}, s.Policy.Sessions, tianbao.Event{At: now, Actor: u.ID, From: try.From, What: "signin"})
	if err != nil {
		return "", u, err
	}
	if err := s.store.ClearFailures(ctx, keys[0]); err != nil {
		return "", u, err
	}
	return token, u, nil
}

// rehash stores the password again with today's costs.
func (s *Service) rehash(ctx context.Context, user tianbao.ID, password string) error {
	phc, err := s.hash.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.store.Rehash(ctx, user, phc)
}

// SignedOut returns the error of who has no session, or no longer one.
func SignedOut() error {
	return &tianbao.Error{Kind: tianbao.ErrUnsigned, Code: "signed_out", Message: "您还没有登录，或登录已经超时，请登录后继续。"}
}

// Resume returns the session of a token. It ends sessions that were idle or open
// for too long and those of disabled users.
func (s *Service) Resume(ctx context.Context, token string) (*Signed, error) {
	if token == "" {
		return nil, SignedOut()
	}
	h := tokenHash(token)
	sess, u, err := s.store.Session(ctx, h)
	if err != nil {
		if tianbao.KindOf(err) == tianbao.ErrNotFound {
			return nil, SignedOut()
		}
		return nil, err
	}
	now := s.now()
	if ended(sess, u, now) {
		if err := s.store.DropSession(ctx, h); err != nil {
			return nil, err
		}
		return nil, SignedOut()
	}
	if now.Sub(sess.Seen) >= touchEvery {
		if err := s.tell(ctx, &u, sess.Address); err != nil {
			return nil, err
		}
		if err := s.store.TouchSession(ctx, h, now); err != nil {
			return nil, err
		}
	}
	return s.signed(sess, u, token, now), nil
}

// signed is a session as pages see it.
func (s *Service) signed(sess Session, u tianbao.User, token string, now time.Time) *Signed {
	g := &Signed{User: u, CSRF: csrfOf(token), Session: sess.ID, Factor: sess.Factor, Stepped: sess.Stepped, Method: sess.Method, Informed: sess.Informed}
	switch {
	case sess.Factor && sess.Stepped.IsZero():
		g.Pending = PendingFactor
	case !sess.Factor && sess.Stepped.IsZero() && s.Policy.needsFactor(&u): // else the platform has asked for one
		g.Pending = PendingSetup
	case sess.Method == ByPassword && s.Policy.expired(sess.PasswordSet, now):
		g.Pending = PendingPassword
	}
	return g
}

func ended(sess Session, u tianbao.User, now time.Time) bool {
	return u.Disabled || now.Sub(sess.Seen) > IdleLimit || now.Sub(sess.Created) > AbsoluteLimit
}

// Peek is Resume for what a page does by itself: it neither prolongs a session nor
// ends it.
func (s *Service) Peek(ctx context.Context, token string) (*Signed, error) {
	sess, u, err := s.store.Session(ctx, tokenHash(token))
	now := s.now()
	if tianbao.KindOf(err) == tianbao.ErrNotFound || err == nil && ended(sess, u, now) {
		return nil, SignedOut()
	}
	if err != nil {
		return nil, err
	}
	return s.signed(sess, u, token, now), nil
}

// SignOut ends the session of a token.
func (s *Service) SignOut(ctx context.Context, token string, actor tianbao.ID, addr string) error {
	return s.store.DropSession(ctx, tokenHash(token), tianbao.Event{At: s.now(), Actor: actor, From: addr, What: "signout"})
}

// CheckCSRF reports whether the form token belongs to the session, in constant time.
func (g *Signed) CheckCSRF(got string) bool {
	return subtle.ConstantTimeCompare([]byte(got), []byte(g.CSRF)) == 1
}

// Record writes an event on the trail, at the time of now.
func (s *Service) Record(ctx context.Context, e tianbao.Event) error {
	e.At = s.now()
	return s.store.Record(ctx, e)
}

// roleNames lists an account's roles for the trail.
func roleNames(u *tianbao.User) string {
	names := []string{string(u.Office)}
	if u.Asked != "" {
		names = append(names, "asked:"+string(u.Asked))
	}
	for _, g := range u.Grants {
		names = append(names, string(g.Role)+"@"+g.Unit.String())
	}
	return strings.Trim(strings.Join(names, " "), " ")
}

// newToken returns 256 random bits in URL-safe text.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func tokenHash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// csrfOf derives the form token from the session token, so that it needs no
// storing and dies with the session; it tells nothing of the session token.
func csrfOf(token string) string {
	h := sha256.Sum256([]byte("tianbao csrf\x00" + token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// SetupLinks returns the token of a one-time set-up link for each office that nobody
// holds yet: the three are set up by three people. Earlier links cease to work.
func (s *Service) SetupLinks(ctx context.Context) (map[tianbao.Role]string, error) {
	links := make(map[tianbao.Role]string)
	for _, office := range tianbao.Offices() {
		has, err := s.store.HasOffice(ctx, office)
		if err != nil {
			return nil, err
		}
		if has {
			continue
		}
		token := newToken()
		if err := s.store.PutSetupToken(ctx, office, tokenHash(token), s.now().Add(setupLife)); err != nil {
			return nil, err
		}
		links[office] = token
	}
	return links, nil
}

// errSetup is the answer to a set-up link that does not work.
func errSetup() error {
	return &tianbao.Error{Kind: tianbao.ErrNotFound, Code: "setup_link", Message: "这个设置链接已经用过或已过期，请重新启动服务以取得新的链接。"}
}

// CheckSetup returns the office that a set-up token is for, or an error.
func (s *Service) CheckSetup(ctx context.Context, token string) (tianbao.Role, error) {
	office, err := s.store.CheckSetupToken(ctx, tokenHash(token), s.now())
	if err != nil {
		return "", err
	}
	if office == "" {
		return "", errSetup()
	}
	return office, nil
}

// Setup creates the first holder of the link's office and ends the link.
func (s *Service) Setup(ctx context.Context, token, login, name, password string) error {
	office, err := s.CheckSetup(ctx, token)
	if err != nil {
		return err
	}
	u := tianbao.User{Login: login, Name: name, Office: office}
	if _, err := s.create(ctx, By{}, u, password, true); err != nil {
		var e *tianbao.Error
		if errors.As(err, &e) && e.Code == "set_up" {
			return errSetup()
		}
		return err
	}
	return s.store.DropSetupToken(ctx, office)
}

// By is who administers accounts, for the trail; the zero By is who has the machine.
type By struct {
	User tianbao.ID
	From string // address
}

// CreateUser stores a new account and returns it with its ids. Who signed in for that
// makes no administrator: an office is asked for (User.Asked) and waits for [Service.Appoint].
func (s *Service) CreateUser(ctx context.Context, by By, u tianbao.User, password string) (tianbao.User, error) {
	if by.User != 0 && u.Office != "" {
		return u, tianbao.Invalid("two_people", "管理员账号要由安全管理员确认后才能生效。")
	}
	return s.create(ctx, by, u, password, false)
}

func (s *Service) create(ctx context.Context, by By, u tianbao.User, password string, first bool) (tianbao.User, error) {
	phc, err := s.prepare(ctx, by, &u, password)
	if err != nil {
		return u, err
	}
	return u, s.store.CreateUser(ctx, u, phc, first, tianbao.Event{
		At: u.Created, Actor: by.User, From: by.From, What: "user.create", Object: u.ID.String(), Detail: roleNames(&u),
	})
}

// prepare checks a new account, gives it its ids and returns the password's hash.
func (s *Service) prepare(ctx context.Context, by By, u *tianbao.User, password string) (string, error) {
	if err := checkLogin(u.Login); err != nil {
		return "", err
	}
	if n := len([]rune(u.Name)); n < 1 || n > 50 {
		return "", tianbao.Invalid("bad_name", "请填写姓名，最长 50 个字。")
	}
	if err := checkRoles(u); err != nil {
		return "", err
	}
	if err := s.Policy.Check(u.Login, password); err != nil {
		return "", err
	}
	phc, err := s.hash.hash(ctx, password)
	if err != nil {
		return "", err
	}
	u.ID, u.Created = tianbao.ID(s.ids.Next()), s.now()
	for i := range u.Grants {
		g := &u.Grants[i]
		g.ID, g.User, g.By, g.Given = tianbao.ID(s.ids.Next()), u.ID, by.User, u.Created
	}
	return phc, nil
}

// checkRoles keeps the offices apart: an account has one of them, or roles over
// units, or none yet, never both (GB/T 22239-2019 8.1.5).
func checkRoles(u *tianbao.User) error {
	office := u.Office
	if office == "" {
		office = u.Asked
	} else if u.Asked != "" {
		return OfficesApart()
	}
	if office != "" && (!office.Office() || len(u.Grants) > 0) {
		return OfficesApart()
	}
	for _, g := range u.Grants {
		if g.Role.Title() == "" || g.Role.Office() || g.Unit == 0 {
			return tianbao.Invalid("no_role", "请为账号选择角色和单位。")
		}
	}
	return nil
}

// SetPassword replaces the password of the named account, ends its sessions and
// forgets its failures.
func (s *Service) SetPassword(ctx context.Context, by By, login, password string) error {
	u, _, err := s.store.UserByLogin(ctx, login)
	if err != nil {
		return err
	}
	if by.User != 0 && by.User != u.ID && (u.Office != "" || u.Asked != "") {
		return tianbao.Invalid("office_password", "管理员的密码不能由另一位管理员重设，以免一人兼任；忘记密码请在服务器上用 tianbao user passwd 重设。")
	}
	phc, err := s.newPassword(ctx, &u, password)
	if err != nil {
		return err
	}
	e := tianbao.Event{At: s.now(), Actor: by.User, From: by.From, What: "user.password", Object: u.ID.String()}
	set := s.store.SetPassword
	if by.User == 0 && len(u.Altered) > 0 {
		set, e.Detail = s.store.Repair, "repaired"
	}
	if err := set(ctx, u.ID, phc, passwordsKept-1, e); err != nil {
		return err
	}
	return s.store.ClearFailures(ctx, "login:"+login)
}

// ChangePassword lets a user replace the own password; the old one is asked.
func (s *Service) ChangePassword(ctx context.Context, u tianbao.User, old, password, addr string) error {
	now := s.now()
	keys := []string{"login:" + u.Login, "addr:" + addr}
	counts, err := s.store.Failures(ctx, keys, now.Add(-LockWindow))
	if err != nil {
		return err
	}
	if counts[0] >= LockAccount {
		return errLocked()
	}
	_, phc, err := s.store.UserByLogin(ctx, u.Login)
	if err != nil {
		return err
	}
	ok, _, err := s.hash.verify(ctx, old, phc)
	if err != nil {
		return err
	}
	if !ok {
		if _, err := s.store.AddFailure(ctx, keys, now, now.Add(-LockWindow)); err != nil {
			return err
		}
		return tianbao.Invalid("bad_password", "原密码不正确，请重新输入。")
	}
	return s.SetPassword(ctx, By{u.ID, addr}, u.Login, password)
}

// SetDisabled disables or enables the named account.
func (s *Service) SetDisabled(ctx context.Context, by By, login string, disabled bool) error {
	u, _, err := s.store.UserByLogin(ctx, login)
	if err != nil {
		return err
	}
	return s.store.SetDisabled(ctx, u.ID, disabled, tianbao.Event{
		At: s.now(), Actor: by.User, From: by.From, What: "user.disable", Object: u.ID.String(), Detail: fmt.Sprint(disabled),
	})
}

// Users returns all accounts.
func (s *Service) Users(ctx context.Context) ([]tianbao.User, error) { return s.store.Users(ctx) }

// checkLogin keeps login names to what can be read out and typed everywhere.
func checkLogin(login string) error {
	ok := len(login) >= 2 && len(login) <= 40
	for _, r := range login {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' || r == '@')
	}
	if !ok {
		return tianbao.Invalid("bad_login_name", "用户名请用 2–40 位的字母、数字或 . - _ @。")
	}
	return nil
}
