package auth

import (
	"context"
	"time"

	"tianbao"
)

// Store keeps people, their grants and their sessions. internal/store implements
// it on both engines. A thing that is not there is tianbao.NotFound.
//
// What changes something takes the events that tell of it, and writes them in the
// same transaction.
type Store interface {
	// UserByLogin returns the user and the password hash; login is compared exactly.
	UserByLogin(ctx context.Context, login string) (tianbao.User, string, error)
	// Users returns all users with their grants, by login.
	Users(ctx context.Context) ([]tianbao.User, error)
	// CreateUser stores a new user with its grants; a login that is taken is
	// tianbao.ErrConflict with code "login_taken". With first set it stores the
	// user only while no administrator exists, else tianbao.ErrConflict "set_up".
	CreateUser(ctx context.Context, u tianbao.User, hash string, first bool, events ...tianbao.Event) error
	// SetPassword replaces the hash and ends the user's sessions.
	SetPassword(ctx context.Context, user tianbao.ID, hash string, events ...tianbao.Event) error
	// SetDisabled disables or enables the user and, when disabling, ends the sessions.
	SetDisabled(ctx context.Context, user tianbao.ID, disabled bool, events ...tianbao.Event) error
	// HasAdmin reports whether an enabled administrator exists.
	HasAdmin(ctx context.Context) (bool, error)

	// PutSession stores a session under the hash of its token.
	PutSession(ctx context.Context, s Session, events ...tianbao.Event) error
	// Session returns the session with the given token hash and its user with grants.
	Session(ctx context.Context, tokenHash []byte) (Session, tianbao.User, error)
	// TouchSession moves the time of the session's last use.
	TouchSession(ctx context.Context, tokenHash []byte, at time.Time) error
	// DropSession ends a session; ending one that is gone is no error.
	DropSession(ctx context.Context, tokenHash []byte, events ...tianbao.Event) error

	// AddFailure counts a failed sign-in under each key (an account, an address)
	// and returns the counts since the given time, the new one included.
	AddFailure(ctx context.Context, keys []string, at, since time.Time) ([]int, error)
	// Failures returns the counts since the given time without adding to them.
	Failures(ctx context.Context, keys []string, since time.Time) ([]int, error)
	// ClearFailures forgets the failures of a key.
	ClearFailures(ctx context.Context, key string) error

	// PutSetupToken stores the hash of the one-time set-up link's token, replacing
	// any earlier one.
	PutSetupToken(ctx context.Context, tokenHash []byte, expires time.Time) error
	// CheckSetupToken reports whether the token is stored and has not expired.
	CheckSetupToken(ctx context.Context, tokenHash []byte, now time.Time) (bool, error)
	// DropSetupToken removes it.
	DropSetupToken(ctx context.Context) error

	// Record writes an event on the trail by itself.
	Record(ctx context.Context, e tianbao.Event) error
}

// Session is one signed-in browser or client.
type Session struct {
	TokenHash []byte // SHA-256 of the token; the token itself is never stored
	User      tianbao.ID
	Created   time.Time
	Seen      time.Time
	Address   string
}
