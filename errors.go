package tianbao

import "errors"

// ErrKind classes an error for the outside: which HTTP status, whether to retry.
type ErrKind int

// The kinds of errors that reach people.
const (
	ErrInternal    ErrKind = iota // our fault; the text shown is generic
	ErrInvalid                    // the request cannot be understood or is not allowed by the form
	ErrNotFound                   // no such thing, or outside the viewer's scope
	ErrConflict                   // somebody else changed the same cells
	ErrFaulty                     // 上报 refused: problems remain
	ErrUnsigned                   // not signed in, or the session ended
	ErrForbidden                  // signed in, not allowed, and no secret that the thing exists
	ErrTooMany                    // rate limit or lockout
	ErrTooLarge                   // upload or sheet over a limit
	ErrUnavailable                // overloaded or shutting down; try again
)

// Error is an error meant for people: a kind, one Chinese sentence that says what
// to do, and the cause for the log.
type Error struct {
	Kind    ErrKind
	Code    string // machine-readable, e.g. "no_header"; may be empty
	Message string // Chinese, shown as it is
	Err     error  // the cause, never shown

	Conflicts []Conflict // with ErrConflict
	Problems  []Problem  // with ErrFaulty
	Choices   []string   // what the sender may choose from, e.g. the sheets of a workbook
	// RetryAfter is in seconds, with ErrTooMany and ErrUnavailable.
	RetryAfter int
}

// Error returns the code or message, followed by the cause.
func (e *Error) Error() string {
	s := e.Code
	if s == "" {
		s = e.Message
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// NotFound returns the error for a thing that is not there for this viewer. It is
// the same for a thing that does not exist and one outside the scope.
func NotFound() *Error {
	return &Error{Kind: ErrNotFound, Code: "not_found", Message: "没有找到您要的内容，请从首页重新进入。"}
}

// Invalid returns an error for a request that cannot be carried out as it is.
func Invalid(code, message string) *Error {
	return &Error{Kind: ErrInvalid, Code: code, Message: message}
}

// KindOf returns the kind of the first *Error in err's chain, ErrInternal if there
// is none.
func KindOf(err error) ErrKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ErrInternal
}
