// Package campaign runs collections (采集): which units are expected to report, from
// when until when each may, what is locked and what is open again, and where every
// unit stands.
//
// Rules. A collection is a form, a title and rules over parts of the register
// ([tianbao.CampaignRule]); [Plan] answers for one unit and one moment whether it takes
// part and whether its door is open ([Plan.At]), and is the only place that knows.
// Every write to rows asks it for each row's unit, inside the transaction that writes
// (internal/store), so that no channel and no late commit goes around it. Times are half
// open: what comes at the closing instant comes too late.
//
// Completeness is counted from the register of the day, never declared: the expected
// units are those of the register that take part, and a unit that nobody wrote of has
// not begun. Where a unit stands is [StandingOf] what is stored of it; whether it is
// overdue is told by the plan and the clock when somebody looks. Figures are of one
// moment, now or in the past ([Service.Progress]).
//
// Danger: contacts and reasons are personal. Errors and events of this package name
// units, never people; contacts come back as tianbao.Contact, which does not print.
package campaign
