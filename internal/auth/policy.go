package auth

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tianbao"
)

// Profile is a set of rules for passwords.
type Profile string

// The profiles.
const (
	// ProfileDengbao is that of GB/T 22239-2019 8.1.4.1: eight characters of three
	// kinds, changed every 90 days, none of the last five again.
	ProfileDengbao Profile = "dengbao"
	// ProfileASVS is that of OWASP ASVS 5.0 6.2: length instead of kinds, no change
	// without a reason.
	ProfileASVS Profile = "asvs"
)

const (
	passwordLife  = 90 * 24 * time.Hour // of ProfileDengbao
	passwordsKept = 5                   // the present one and those before it
	longest       = 128
)

// Policy is what an installation decides about sign-ins.
type Policy struct {
	Profile Profile
	// Breached tells passwords that are known to be in others' hands; nil: no list is
	// there, and ProfileASVS asks for more characters.
	Breached func(password string) bool
	// Sessions is how many sessions an account may have; the oldest ends.
	Sessions int
	// FactorOptional lets administrators in without a second factor. It is for the
	// demonstration, which listens on the loopback address only.
	FactorOptional bool
	// Dormant is after how long without use an account is disabled, 0: never.
	Dormant time.Duration
	// CodeLife is how long an activation code works.
	CodeLife time.Duration
}

// DefaultPolicy is the policy of an installation that decides nothing.
func DefaultPolicy() Policy {
	return Policy{Profile: ProfileDengbao, Sessions: 5, Dormant: 90 * 24 * time.Hour, CodeLife: 30 * 24 * time.Hour}
}

// ParseProfile returns the profile of a name.
func ParseProfile(name string) (Profile, error) {
	switch p := Profile(name); p {
	case ProfileDengbao, ProfileASVS:
		return p, nil
	}
	return "", tianbao.Invalid("bad_profile", "密码规则只能是 dengbao（等保）或 asvs。")
}

// shortest is the least number of characters.
func (p *Policy) shortest() int {
	if p.Profile == ProfileASVS && p.Breached == nil {
		return 12
	}
	return 8
}

// Hint tells people what a password must be.
func (p *Policy) Hint() string {
	switch {
	case p.Profile != ProfileASVS:
		return "至少 8 位，含大写字母、小写字母、数字、符号中的三种；不能是常见密码，不能与最近用过的 5 个相同。"
	case p.shortest() == 8:
		return "至少 8 位，越长越好，可以是一句话；不能是常见密码。"
	}
	return "至少 12 位，越长越好，可以是一句话；不能是常见密码。"
}

// Check applies the rules that need nothing but the password itself. Nothing is
// truncated.
func (p *Policy) Check(login, password string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case p.Profile != ProfileASVS && (n < p.shortest() || kinds(password) < 3):
		return tianbao.Invalid("weak_password", "密码至少 8 位，并且包含大写字母、小写字母、数字、符号中的三种，请重新设置。")
	case n < p.shortest() && p.shortest() == 8:
		return tianbao.Invalid("weak_password", "密码至少 8 位，请重新设置；不必混用大小写和符号，可以是一句话。")
	case n < p.shortest():
		return tianbao.Invalid("weak_password", "密码至少 12 位，请重新设置；不必混用大小写和符号，可以是一句话。")
	case n > longest:
		return tianbao.Invalid("long_password", "密码最长 128 位，请换一个短一些的密码。")
	case len(login) >= 4 && strings.Contains(strings.ToLower(password), strings.ToLower(login)):
		return tianbao.Invalid("login_in_password", "密码中不能包含用户名，请重新设置。")
	case common(password) || p.Breached != nil && p.Breached(password):
		return tianbao.Invalid("common_password", "这个密码太常见，很容易被猜中，请换一个。")
	}
	return nil
}

// kinds counts the kinds of characters: small letters, capitals, digits, others.
func kinds(password string) int {
	var has [4]int
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			has[0] = 1
		case unicode.IsUpper(r):
			has[1] = 1
		case unicode.IsDigit(r):
			has[2] = 1
		default:
			has[3] = 1
		}
	}
	return has[0] + has[1] + has[2] + has[3]
}

// expired reports whether a password that was set at a time has to be changed.
func (p *Policy) expired(set, now time.Time) bool {
	return p.Profile == ProfileDengbao && now.Sub(set) > passwordLife
}

// needsFactor reports whether the account must have a second factor (security.md 9).
func (p *Policy) needsFactor(u *tianbao.User) bool { return u.Office != "" && !p.FactorOptional }
