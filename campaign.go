package tianbao

import "time"

// Phase is how far a collection has come.
type Phase string

// The phases.
const (
	PhasePreparing Phase = "preparing" // 筹备: only its officers see it
	PhaseOpen      Phase = "open"      // 开放: its windows tell who may report when
	PhaseEnded     Phase = "ended"     // 结束: nothing is taken any more
	PhaseArchived  Phase = "archived"  // 归档: nor listed
)

// Title returns the phase in the users' words.
func (p Phase) Title() string {
	switch p {
	case PhasePreparing:
		return "筹备"
	case PhaseOpen:
		return "开放"
	case PhaseEnded:
		return "结束"
	case PhaseArchived:
		return "归档"
	}
	return ""
}

// Campaign is one collection: a form, a title and a time to report in.
type Campaign struct {
	ID    ID
	Title string
	Form  string
	FormV int
	// Opens and Closes are the window of all units that no rule gives another. The
	// window is half open: what comes at Closes comes too late. Closes zero: no deadline.
	Opens    time.Time
	Closes   time.Time
	Released bool // everybody sees it
	// Owner is the unit whose subtree the collection is about, 0: the whole register.
	Owner  ID
	Notice ID // with which it is announced, 0: none
	// Levels are those that review what was reported, none: nobody does.
	Levels Levels
	// Version is another one after each change of the collection or its rules.
	Version int64
	// Opened, Ended and Archived tell when it was released, ended and archived last.
	Opened, Ended, Archived time.Time
	// Kept tells since when it is kept as a register of people, zero: it is not. Accepts:
	// a change there waits until a bureau accepts it.
	Kept    time.Time
	Accepts bool
	// Prefill is the collection whose people units confirm in this one, 0: none.
	Prefill ID
}

// Phase returns how far the collection has come.
func (c *Campaign) Phase() Phase {
	switch {
	case !c.Archived.IsZero():
		return PhaseArchived
	case !c.Ended.IsZero():
		return PhaseEnded
	case c.Released:
		return PhaseOpen
	}
	return PhasePreparing
}

// RuleKind is what a rule of a collection does.
type RuleKind string

// The kinds.
const (
	RuleInclude RuleKind = "include" // 纳入: only what is included takes part, if anything is
	RuleExclude RuleKind = "exclude" // 不含
	RuleWindow  RuleKind = "window"  // 填报时间
	RuleLock    RuleKind = "lock"    // 锁定
	RuleReopen  RuleKind = "reopen"  // 重新开放, with an end
)

// Title returns the kind in the users' words.
func (k RuleKind) Title() string {
	switch k {
	case RuleInclude:
		return "纳入"
	case RuleExclude:
		return "不含"
	case RuleWindow:
		return "填报时间"
	case RuleLock:
		return "锁定"
	case RuleReopen:
		return "重新开放"
	}
	return ""
}

// CampaignRule is what holds for a part of the register in a collection: for the subtree
// of Unit, or for Region with what lies in it. It is never changed; another takes its
// place.
type CampaignRule struct {
	ID       ID
	Campaign ID
	Kind     RuleKind
	Unit     ID
	Region   ID // where Unit is 0
	// Opens and Closes are the window; of a lock and a reopening from when until when it
	// holds. Zero: without bound.
	Opens, Closes time.Time
	Reason        string
	By            ID
	Made          time.Time
	Ended         time.Time // when it was taken back, zero: it stands
	EndedBy       ID
	// Alone: it is about Unit and nothing below it.
	Alone bool
}

// Stands reports whether the rule was there at a time.
func (r *CampaignRule) Stands(at time.Time) bool {
	return !at.Before(r.Made) && (r.Ended.IsZero() || at.Before(r.Ended))
}

// Standing is where a unit stands in a collection. A unit stands in exactly one way.
type Standing string

// The standings.
const (
	StandingNone     Standing = ""         // 未开始
	StandingDraft    Standing = "draft"    // 草稿: typed in its own sheet, not submitted
	StandingFaulty   Standing = "faulty"   // 有错: submitted with errors, not reported
	StandingSaved    Standing = "saved"    // 已提交: submitted without errors, not reported, or not since
	StandingReported Standing = "reported" // 已上报
	StandingReturned Standing = "returned" // 已退回: by a reviewer, not reported since
	StandingPassed   Standing = "passed"   // 已通过: by the last reviewer
	StandingNil      Standing = "nil"      // 零申报
	StandingExempt   Standing = "exempt"   // 免报
	// StandingOverdue is never stored: one of those that are not done, after its window.
	StandingOverdue Standing = "overdue" // 逾期
)

// Standings returns all standings in the order in which pages list them.
func Standings() []Standing {
	return []Standing{
		StandingNone, StandingDraft, StandingFaulty, StandingSaved, StandingReported,
		StandingReturned, StandingPassed, StandingNil, StandingExempt, StandingOverdue,
	}
}

// Done reports whether nothing is awaited of the unit: it reported, was passed, or has
// nothing to report.
func (s Standing) Done() bool {
	return s == StandingReported || s == StandingPassed || s == StandingNil || s == StandingExempt
}

// Title returns the standing in the users' words.
func (s Standing) Title() string {
	switch s {
	case StandingNone:
		return "未开始"
	case StandingDraft:
		return "草稿"
	case StandingFaulty:
		return "有错"
	case StandingSaved:
		return "已提交"
	case StandingReported:
		return "已上报"
	case StandingReturned:
		return "已退回"
	case StandingPassed:
		return "已通过"
	case StandingNil:
		return "零申报"
	case StandingExempt:
		return "免报"
	case StandingOverdue:
		return "逾期"
	}
	return ""
}

// DeclarationKind is what a unit says instead of rows.
type DeclarationKind string

// The kinds.
const (
	DeclareNil    DeclarationKind = "nil"    // 零申报: it has nobody to report
	DeclareExempt DeclarationKind = "exempt" // 免报: it need not report
)

// Title returns the kind in the users' words.
func (k DeclarationKind) Title() string {
	switch k {
	case DeclareNil:
		return "零申报"
	case DeclareExempt:
		return "免报"
	}
	return ""
}

// Declaration is said for a unit instead of rows. It counts while the unit has no rows.
type Declaration struct {
	ID         ID
	Campaign   ID
	Unit       ID
	Kind       DeclarationKind
	Reason     string
	Attachment ID // the proof, 0: none
	// Proof is the file, only with the declaration that brings it.
	Proof   *Proof
	By      ID
	At      time.Time
	Ended   time.Time // when it was taken back, zero: it stands
	EndedBy ID
}

// VerdictKind is what a reviewer says.
type VerdictKind string

// The verdicts.
const (
	VerdictPass     VerdictKind = "pass"
	VerdictReturn   VerdictKind = "return"
	VerdictWithdraw VerdictKind = "withdraw" // takes the last pass back
)

// Verdict is what a reviewer said of the rows of a unit.
type Verdict struct {
	ID       ID
	Campaign ID
	Unit     ID
	Kind     VerdictKind
	Level    int  // 1 the unit itself, 2 county, 3 city, 4 province
	Last     bool // of a pass: no level comes after it, the unit is 已通过
	After    int  // of a pass: the level that passed before it, 0 where it is the first
	Remark   string
	By       ID
	At       time.Time
}
