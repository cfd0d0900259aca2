package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"tianbao"
)

// Verb is one thing that a service token allows. Routes for programs ask for a verb as
// those for people ask for a power.
type Verb string

// The verbs.
const (
	VerbAccounts Verb = "accounts.read" // the accounts of the new platform, by SCIM, with full phones
	VerbUnits    Verb = "units.read"    // the register, without contacts
	VerbProgress Verb = "progress.read" // collections, where units stand, what happens
	VerbRows     Verb = "rows.read"     // rows, ids and phones masked
	VerbClear    Verb = "rows.clear"    // rows, whole
)

// Verbs returns all verbs, in the order in which pages list them.
func Verbs() []Verb {
	return []Verb{VerbAccounts, VerbUnits, VerbProgress, VerbRows, VerbClear}
}

// Title returns the verb in the users' words, "" for one that does not exist.
func (v Verb) Title() string {
	switch v {
	case VerbAccounts:
		return "读取新平台账号（SCIM）"
	case VerbUnits:
		return "读取单位登记册"
	case VerbProgress:
		return "读取采集、填报进度和事件"
	case VerbRows:
		return "读取填报内容，身份证号码和联系方式只显示一部分"
	case VerbClear:
		return "读取完整的填报内容，每次都有审计记录"
	}
	return ""
}

// ServiceToken (接口令牌) is what another system asks with. It is nobody's account: it has
// no session, no page and no role, only its verbs over one subtree until a day.
type ServiceToken struct {
	ID       tianbao.ID
	Name     string // what system it is for
	Verbs    []Verb
	Unit     tianbao.ID
	UnitPath string
	UnitName string
	By       tianbao.ID
	ByName   string
	Created  time.Time
	Expires  time.Time
	Ended    time.Time // zero: not taken back
	Used     time.Time // zero: never
	// Altered: the row is not as the program wrote it; it gives no power.
	Altered bool
}

// Works reports whether the token gives power at a time.
func (t *ServiceToken) Works(at time.Time) bool {
	return !t.Altered && t.Ended.IsZero() && at.Before(t.Expires) && t.UnitPath != ""
}

// Scope returns the subtree in which the token allows the verb.
func (t *ServiceToken) Scope(v Verb) tianbao.Scope {
	if t.UnitPath == "" || !slices.Contains(t.Verbs, v) {
		return tianbao.Scope{}
	}
	return tianbao.Scope{Paths: []string{t.UnitPath}}
}

// TokenStore keeps service tokens.
type TokenStore interface {
	// PutServiceToken stores a new token under the hash of its secret.
	PutServiceToken(ctx context.Context, t ServiceToken, hash []byte, events ...tianbao.Event) error
	// ServiceToken returns the token of a hash, also one that works no more.
	ServiceToken(ctx context.Context, hash []byte) (ServiceToken, error)
	// ServiceTokens lists tokens, the newest first.
	ServiceTokens(ctx context.Context, limit int) ([]ServiceToken, error)
	// EndServiceToken takes a token back; one that was is tianbao.NotFound.
	EndServiceToken(ctx context.Context, id tianbao.ID, at time.Time, events ...tianbao.Event) error
	// TouchServiceToken notes the time of the last use.
	TouchServiceToken(ctx context.Context, id tianbao.ID, at time.Time) error
}

const (
	// MaxTokenLife is for how long a service token works at most.
	MaxTokenLife = 366 * 24 * time.Hour
	// secretMark begins every secret, by which scanners of source code find one that leaks.
	secretMark = "tianbao_"
)

// MakeServiceToken makes a token and returns its secret, which nobody can be shown again.
func (s *Service) MakeServiceToken(ctx context.Context, by By, t ServiceToken) (ServiceToken, string, error) {
	t.Name = strings.TrimSpace(t.Name)
	now := s.now()
	n := len([]rune(t.Name))
	switch {
	case n < 2 || n > 50:
		return t, "", tianbao.Invalid("bad_name", "请填写用途，说明给哪个系统用，2 到 50 个字。")
	case t.Unit == 0:
		return t, "", tianbao.Invalid("no_unit", "请填写令牌可以读取的单位范围。")
	case len(t.Verbs) == 0 || slices.ContainsFunc(t.Verbs, func(v Verb) bool { return v.Title() == "" }):
		return t, "", tianbao.Invalid("no_verb", "请至少勾选一项令牌可以做的事。")
	case !t.Expires.After(now) || t.Expires.After(now.Add(MaxTokenLife)):
		return t, "", tianbao.Invalid("bad_dates", "请填写令牌的截止日期，晚于今天，不超过一年。")
	}
	t.Verbs = slices.Compact(slices.Sorted(slices.Values(t.Verbs)))
	secret := secretMark + newToken()
	t.ID, t.By, t.Created = tianbao.ID(s.ids.Next()), by.User, now
	e := s.event(by, "token.make", t.ID, verbNames(t.Verbs)+"@"+t.Unit.String())
	e.Owner = t.Unit
	return t, secret, s.store.PutServiceToken(ctx, t, tokenHash(secret), e)
}

// verbNames lists verbs for the trail.
func verbNames(vs []Verb) string {
	names := make([]string, len(vs))
	for i, v := range vs {
		names[i] = string(v)
	}
	return strings.Join(names, " ")
}

// ServiceTokens lists tokens, the newest first.
func (s *Service) ServiceTokens(ctx context.Context, limit int) ([]ServiceToken, error) {
	return s.store.ServiceTokens(ctx, limit)
}

// EndServiceToken takes a token back; it works no more from now on.
func (s *Service) EndServiceToken(ctx context.Context, by By, id tianbao.ID) error {
	return s.store.EndServiceToken(ctx, id, s.now(), s.event(by, "token.end", id, ""))
}

// errToken is the one answer to every token that does not work.
func errToken() error {
	return &tianbao.Error{Kind: tianbao.ErrUnsigned, Code: "bad_token", Message: "接口令牌不正确、已过期或已停用，请向安全管理员申请新的令牌。"}
}

// Serviced returns the token of a secret, if it works and allows the verb; the
// empty verb asks for any.
func (s *Service) Serviced(ctx context.Context, secret string, v Verb) (ServiceToken, error) {
	if !strings.HasPrefix(secret, secretMark) {
		return ServiceToken{}, errToken()
	}
	t, err := s.store.ServiceToken(ctx, tokenHash(secret))
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return ServiceToken{}, errToken()
	}
	if err != nil {
		return ServiceToken{}, err
	}
	now := s.now()
	if t.Altered {
		if err := s.store.Record(ctx, tianbao.Event{At: now, What: "rights.altered", Object: "service_token " + t.ID.String()}); err != nil {
			return ServiceToken{}, err
		}
	}
	if !t.Works(now) {
		return ServiceToken{}, errToken()
	}
	if v != "" && !slices.Contains(t.Verbs, v) {
		return t, &tianbao.Error{Kind: tianbao.ErrForbidden, Code: "forbidden", Message: "这个接口令牌没有这项权限，请向安全管理员申请。"}
	}
	if now.Sub(t.Used) >= touchEvery {
		t.Used = now
		err = s.store.TouchServiceToken(ctx, t.ID, now)
	}
	return t, err
}
