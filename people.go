package tianbao

import (
	"slices"
	"time"
)

// Role is what somebody is. The roles of the house are granted over the subtree of a
// unit; the three offices of the administrators (三员分立, GB/T 22239-2019 8.1.5) are
// of an account as a whole, and an account has at most one of them and then no other
// role.
type Role string

// The roles over a subtree.
const (
	RoleFiller     Role = "filler"     // 填报人
	RoleReviewer   Role = "reviewer"   // 审核人
	RoleDepartment Role = "department" // 主管部门经办人
	RoleCounty     Role = "county"     // 县区财政局经办人
	RoleCity       Role = "city"       // 市财政局经办人
	RoleProvince   Role = "province"   // 省财政厅经办人
	RoleService    Role = "service"    // 服务工程师
)

// The offices. None of them sees a report.
const (
	RoleSystem   Role = "system"   // 系统管理员: accounts, settings
	RoleSecurity Role = "security" // 安全管理员: who may do what
	RoleAudit    Role = "audit"    // 审计管理员: reads the trail, and nothing else
)

// Power is one thing that a role allows. Rules ask for powers, never for roles.
type Power string

// The powers over a subtree.
const (
	PowerSee      Power = "see"      // progress, and rows with ids and phones masked
	PowerFill     Power = "fill"     // fill in, save and report, also for units below
	PowerReview   Power = "review"   // pass and return what was reported
	PowerReveal   Power = "reveal"   // full ids and phones, with a reason, on the trail
	PowerRegister Power = "register" // the unit register: import, change, decide requests
	PowerPeople   Power = "people"   // activation codes for fillers below
	PowerCampaign Power = "campaign" // open collections, publish notices
	PowerLock     Power = "lock"     // lock units below in a collection, and open them again
	PowerMail     Power = "mail"     // mails with reports: see what waits, say whose it is
)

// The powers of the offices.
const (
	PowerAccounts Power = "accounts" // create, disable and reset accounts; settings
	PowerGrants   Power = "grants"   // give and withdraw roles
	PowerTrail    Power = "trail"    // read and verify the audit trail
)

// Powers returns what the role allows; nil for a role that does not exist.
func (r Role) Powers() []Power {
	switch r {
	case RoleFiller:
		return []Power{PowerSee, PowerFill}
	case RoleReviewer:
		return []Power{PowerSee, PowerReview, PowerReveal}
	case RoleDepartment:
		return []Power{PowerSee, PowerFill, PowerReview, PowerReveal, PowerPeople}
	case RoleCounty, RoleCity:
		return []Power{PowerSee, PowerFill, PowerReview, PowerReveal, PowerRegister, PowerPeople, PowerLock, PowerMail}
	case RoleProvince:
		return []Power{PowerSee, PowerFill, PowerReview, PowerReveal, PowerRegister, PowerPeople, PowerCampaign, PowerLock, PowerMail}
	case RoleService:
		return []Power{PowerSee, PowerMail}
	case RoleSystem:
		return []Power{PowerAccounts}
	case RoleSecurity:
		return []Power{PowerGrants}
	case RoleAudit:
		return []Power{PowerTrail}
	}
	return nil
}

// Allows reports whether the role has the power.
func (r Role) Allows(p Power) bool { return slices.Contains(r.Powers(), p) }

// Office reports whether the role is one of the three administrators'.
func (r Role) Office() bool { return r == RoleSystem || r == RoleSecurity || r == RoleAudit }

// Title returns the role in the users' words, "" for a role that does not exist.
func (r Role) Title() string {
	switch r {
	case RoleFiller:
		return "填报人"
	case RoleReviewer:
		return "审核人"
	case RoleDepartment:
		return "主管部门经办人"
	case RoleCounty:
		return "县区财政局经办人"
	case RoleCity:
		return "市财政局经办人"
	case RoleProvince:
		return "省财政厅经办人"
	case RoleService:
		return "服务工程师"
	case RoleSystem:
		return "系统管理员"
	case RoleSecurity:
		return "安全管理员"
	case RoleAudit:
		return "审计管理员"
	}
	return ""
}

// Roles returns all roles, in the order in which pages list them.
func Roles() []Role {
	return []Role{
		RoleFiller, RoleReviewer, RoleDepartment, RoleCounty, RoleCity, RoleProvince, RoleService,
		RoleSystem, RoleSecurity, RoleAudit,
	}
}

// Offices returns the offices of the administrators.
func Offices() []Role { return []Role{RoleSystem, RoleSecurity, RoleAudit} }

// Grant gives a user a role over the subtree of a unit.
type Grant struct {
	ID   ID
	User ID
	Role Role
	Unit ID
	// UnitPath and UnitName are the unit's, for scope and display.
	UnitPath string
	UnitName string
	// From and To bound the time in which it holds; zero: without bound.
	From time.Time
	To   time.Time
	// By gave it, at Given; 0: who has the machine.
	By    ID
	Given time.Time
	// Lent is the giver's own grant of which it is the whole or a part (委托), 0 for one
	// that the security administrator gave. A lent grant holds only while that one does.
	Lent ID
}

// Holds reports whether the grant holds at a time.
func (g *Grant) Holds(at time.Time) bool {
	return (g.From.IsZero() || !at.Before(g.From)) && (g.To.IsZero() || at.Before(g.To))
}

// User is somebody who can sign in.
type User struct {
	ID       ID
	Login    string
	Name     string // display name
	Disabled bool
	Created  time.Time
	LastSeen time.Time
	// Office is the administrator's, empty for everybody else. Who has one has no
	// grants: a store drops them.
	Office Role
	// Asked is the office that the account was made for, until the security
	// administrator agrees. It gives no power.
	Asked Role
	// Grants are those that hold now.
	Grants []Grant
	// Altered names the stored rows of this account that are not as the program wrote
	// them. They give no power; an altered account cannot sign in.
	Altered []string
}

// Scope returns the subtrees in which the user has the power.
func (u *User) Scope(p Power) Scope {
	var s Scope
	for _, g := range u.Grants {
		if g.Role.Allows(p) && g.UnitPath != "" {
			s.Paths = append(s.Paths, g.UnitPath)
		}
	}
	return s
}

// May reports whether the user has the power anywhere.
func (u *User) May(p Power) bool {
	if u.Office != "" {
		return u.Office.Allows(p)
	}
	return slices.ContainsFunc(u.Grants, func(g Grant) bool { return g.Role.Allows(p) })
}
