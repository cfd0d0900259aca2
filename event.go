package tianbao

import "time"

// Event is one thing that somebody did, or was refused, as the audit trail keeps it
// (GB/T 22239-2019 8.1.4.3: when, who, from where, what, on what, with what result).
// Apart from Login and Reason, which are sealed, it holds nothing personal.
type Event struct {
	At     time.Time
	Actor  ID     // 0: nobody signed in, or who has the machine
	Owner  ID     // the unit concerned, 0 for none
	Login  string // as typed, only for sign-ins
	From   string // address; empty for who has the machine
	What   string // e.g. "signin", "report.read", "grant.give"; internal/audit lists them
	Object string // e.g. the report's id
	Result Result
	Reason string // why, as the actor said it
	Detail string // no personal data
	// News is what other systems are told of it, nil: nothing. The trail does not hold it.
	News *News
}

// Result is how an event ended.
type Result string

// The results. The zero Result counts as done.
const (
	ResultDone   Result = "done"
	ResultDenied Result = "denied" // not allowed
	ResultFailed Result = "failed" // allowed, and went wrong
)
