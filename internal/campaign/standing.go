package campaign

import (
	"math/bits"

	"tianbao"
)

// Review is how far the review of a unit's rows has come.
type Review string

// The reviews.
const (
	ReviewNone     Review = ""
	ReviewReturned Review = "returned" // and not reported since
	ReviewPassed   Review = "passed"   // by the last level
)

// Facts are what is known of a unit in a collection, whoever filled in for it.
type Facts struct {
	Rows   int
	Faulty int // rows with errors of their own
	// Waiting: some of the rows, in whatever sheet, were never reported, or not as they
	// are now, or were returned since.
	Waiting  bool
	Drafts   int // people who typed something in the unit's own sheet and did not submit it
	Declared tianbao.DeclarationKind
	Review   Review
	Passes   Passes
}

// Passes are the levels of review that passed a unit's rows, a bit each.
type Passes int

// Level returns the highest of them, 0 for none.
func (p Passes) Level() int {
	if p <= 0 {
		return 0
	}
	return bits.Len(uint(p)) - 1
}

// StandingOf tells where a unit stands. Rows come before what is declared: who said that
// there is nobody, and then names somebody, has somebody.
func StandingOf(f *Facts) tianbao.Standing {
	switch {
	case f.Rows > 0 && !f.Waiting && f.Review == ReviewPassed:
		return tianbao.StandingPassed
	case f.Rows > 0 && !f.Waiting:
		return tianbao.StandingReported
	case f.Rows > 0 && f.Review == ReviewReturned:
		return tianbao.StandingReturned
	case f.Faulty > 0:
		return tianbao.StandingFaulty
	case f.Rows > 0:
		return tianbao.StandingSaved
	case f.Declared == tianbao.DeclareNil:
		return tianbao.StandingNil
	case f.Declared == tianbao.DeclareExempt:
		return tianbao.StandingExempt
	case f.Review == ReviewReturned:
		return tianbao.StandingReturned
	case f.Drafts > 0:
		return tianbao.StandingDraft
	}
	return tianbao.StandingNone
}

// Settle brings the review up to date after rows, reports or declarations changed: what
// was returned and is reported again is no longer returned, what was passed and has lost
// its rows is no longer passed, unless it says that it has nobody, as a register does whose
// last person left.
func (f *Facts) Settle() {
	if f.Review == ReviewReturned && f.Rows > 0 && !f.Waiting {
		f.Review = ReviewNone
	}
	if f.Rows == 0 && f.Review == ReviewPassed && f.Declared == "" {
		f.Review, f.Passes = ReviewNone, 0
	}
}

// Judge takes a verdict into account. After a return all rows wait to be reported again;
// the caller sees to that in Waiting's sources.
func (f *Facts) Judge(v *tianbao.Verdict) {
	switch v.Kind {
	case tianbao.VerdictPass:
		f.Passes |= 1 << v.Level
		f.Review = ReviewNone
		if v.Last {
			f.Review = ReviewPassed
		}
	case tianbao.VerdictReturn:
		f.Review, f.Passes, f.Waiting = ReviewReturned, 0, true
	case tianbao.VerdictWithdraw:
		f.Review, f.Passes = ReviewNone, f.Passes&^(1<<v.Level)
	}
}

// Shown is the standing as people see it: overdue where the unit's time is over and it
// is not done.
func Shown(s tianbao.Standing, d Door) tianbao.Standing {
	if d.Late && !s.Done() {
		return tianbao.StandingOverdue
	}
	return s
}
