package provision

import (
	"cmp"
	"fmt"
	"slices"

	"tianbao"
)

// Row is an accepted row of a collection.
type Row struct {
	Report, Row tianbao.ID
	Unit        tianbao.ID
	Person      string // resident id, in normal form
	Name        string
	Phone       string // in normal form
	Legacy      string // user name in the old system
	// Reason is what was said of the person being in another unit too (兼职), empty: nothing.
	Reason string
	// Mobile tells that Phone is a mobile phone, which alone can be a login.
	Mobile bool
}

// Ref names a row.
type Ref struct {
	Report, Row tianbao.ID
	Unit        tianbao.ID
}

func (r *Row) ref() Ref { return Ref{r.Report, r.Row, r.Unit} }

// Account is an account of the new platform: as it is to be, or as it was applied.
type Account struct {
	ID       tianbao.ID // our own, 0: not made yet
	Person   string
	Name     string
	Login    string // the mobile phone; of a disabled account whose phone is another's now: Retired
	Legacy   string
	Units    []tianbao.ID // the first one is the home
	Disabled bool
}

// same reports whether two accounts say the same but for their ids.
func (a *Account) same(b *Account) bool {
	return a.Person == b.Person && a.Name == b.Name && a.Login == b.Login && a.Legacy == b.Legacy &&
		a.Disabled == b.Disabled && slices.Equal(a.Units, b.Units)
}

// Retired is the login of a disabled account whose phone has become somebody else's.
func Retired(id tianbao.ID) string { return "retired-" + id.String() }

// Kind is what a step does.
type Kind string

// The kinds of steps.
const (
	Create  Kind = "create"  // a person without an account
	Rebind  Kind = "rebind"  // other units; whatever else changed goes along
	Change  Kind = "change"  // another phone, name or old user name
	Restore Kind = "restore" // somebody who was disabled is back
	Disable Kind = "disable" // nobody reports the person any more
	Release Kind = "release" // a disabled account gives up a phone that is another's now
)

// Kinds returns the kinds in the order in which plans have them.
func Kinds() []Kind { return []Kind{Release, Disable, Rebind, Change, Restore, Create} }

// Title returns the kind in the users' words.
func (k Kind) Title() string {
	switch k {
	case Create:
		return "新建"
	case Rebind:
		return "换绑单位"
	case Change:
		return "变更信息"
	case Restore:
		return "恢复启用"
	case Disable:
		return "停用"
	case Release:
		return "释放登录名"
	}
	return ""
}

// Step is one change of one account.
type Step struct {
	Kind   Kind
	Before Account // zero for Create
	After  Account
	Rows   []Ref // that say so
	// Needs is the place in the plan of the step that gives up the login this one takes,
	// -1: none does.
	Needs int
}

// Why tells why a person is held.
type Why string

// The reasons for holding a person.
const (
	NoPerson    Why = "no_person"    // no id in the row
	NoMobile    Why = "no_mobile"    // a landline cannot be a login
	TwoNames    Why = "two_names"    // one id under two names
	TwoPhones   Why = "two_phones"   // one person with two phones
	TwoUnits    Why = "two_units"    // one id in several units without a reason
	PhoneShared Why = "phone_shared" // other rows give the phone to another person
	PhoneTaken  Why = "phone_taken"  // it is the login of an account that stays
	PhoneSwap   Why = "phone_swap"   // people who want each other's phone
	Unproven    Why = "unproven"     // nobody has shown that the phone is the person's
)

// Whys returns the reasons in the order in which pages list them.
func Whys() []Why {
	return []Why{TwoUnits, PhoneShared, PhoneTaken, PhoneSwap, TwoNames, TwoPhones, NoMobile, NoPerson, Unproven}
}

// Conflict reports whether rows contradict each other or what stands, rather than that
// something is still to come.
func (w Why) Conflict() bool { return w != Unproven && w != NoMobile }

// Title returns the reason in the users' words.
func (w Why) Title() string {
	switch w {
	case NoPerson:
		return "没有身份证号码"
	case NoMobile:
		return "联系方式不是手机号"
	case TwoNames:
		return "同一身份证号码有两个姓名"
	case TwoPhones:
		return "同一人填了两个手机号"
	case TwoUnits:
		return "同一人在几个单位，没有说明兼职原因"
	case PhoneShared:
		return "几个人填了同一个手机号"
	case PhoneTaken:
		return "手机号是另一个账号的登录名"
	case PhoneSwap:
		return "几个人互换了手机号"
	case Unproven:
		return "手机号还没有验证"
	}
	return ""
}

// Advice says what to do about it, in one sentence.
func (w Why) Advice() string {
	switch w {
	case NoPerson:
		return "请单位补填身份证号码后重新上报。"
	case NoMobile:
		return "登录名必须是手机号，请单位改填本人的手机号后重新上报。"
	case TwoNames:
		return "请与各单位核对姓名，更正后重新上报。"
	case TwoPhones:
		return "请与本人核对用哪个手机号登录，请各单位改成一致后重新上报。"
	case TwoUnits:
		return "确实兼职的，请其中一个单位在情况说明中写明；已经调走的，请原单位删去后重新上报。"
	case PhoneShared:
		return "请与各单位核对手机号是谁本人的，请其他人改填自己的手机号后重新上报。"
	case PhoneTaken:
		return "请先处理现在用这个手机号登录的账号，再重新生成方案。"
	case PhoneSwap:
		return "请先让其中一人改用另外的手机号，执行方案后再改回来。"
	case Unproven:
		return "请本人或单位在“验证手机号”中填写收到的验证码。"
	}
	return ""
}

// Held is somebody about whom nothing is done for now.
type Held struct {
	Why     Why
	Person  string
	Name    string
	Phone   string
	Account tianbao.ID // the account that stays as it is, 0: none
	Rows    []Ref      // of the person
	With    []Ref      // of the others concerned
}

// Plan is what is to be done, in this order, and who is held.
type Plan struct {
	Steps []Step
	Held  []Held
	// Kept is how many accounts are right as they are.
	Kept int
}

// Counts returns how many steps there are of each kind.
func (p *Plan) Counts() map[Kind]int {
	out := make(map[Kind]int)
	for i := range p.Steps {
		out[p.Steps[i].Kind]++
	}
	return out
}

// The types that hold ids and phones print none of them.

// Format prints a row without what is in it.
func (r Row) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "row %s/%s", r.Report, r.Row) }

// Format prints an account without what is in it.
func (a Account) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "account %s", a.ID) }

// Format prints a step without what is in it.
func (s Step) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s %s", s.Kind, s.After.ID) }

// Format prints somebody held without who it is.
func (h Held) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "held %s (%d rows)", h.Why, len(h.Rows)) }

// Format prints a plan as its size.
func (p Plan) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "plan of %d steps, %d held", len(p.Steps), len(p.Held))
}

func compareRows(a, b Row) int {
	return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Report, b.Report), cmp.Compare(a.Row, b.Row))
}
