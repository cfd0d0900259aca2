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
	// UserByID returns the user with its grants.
	UserByID(ctx context.Context, id tianbao.ID) (tianbao.User, error)
	// FindUsers returns users whose login is the text or whose name holds it.
	FindUsers(ctx context.Context, text string, limit int) ([]tianbao.User, error)
	// WaitingUsers returns enabled users without office and grants, or for whom an office
	// was asked.
	WaitingUsers(ctx context.Context, limit int) ([]tianbao.User, error)
	// UsersOfUnit returns enabled users who hold a grant over just this unit that was not
	// lent to them.
	UsersOfUnit(ctx context.Context, unit tianbao.ID, limit int) ([]tianbao.User, error)
	// CreateUser stores a new user with its grants; a login that is taken is
	// tianbao.ErrConflict with code "login_taken". With first set it stores the
	// user only while nobody has the office, else tianbao.ErrConflict "set_up".
	CreateUser(ctx context.Context, u tianbao.User, hash string, first bool, events ...tianbao.Event) error
	// SetPassword replaces the hash, keeps the one before among the newest of those
	// before, and ends the user's sessions. An altered account (tianbao.User.Altered) is
	// refused, here and in the other changes.
	SetPassword(ctx context.Context, user tianbao.ID, hash string, keep int, events ...tianbao.Event) error
	// Repair is SetPassword that puts an altered account right: in use, without an office.
	Repair(ctx context.Context, user tianbao.ID, hash string, keep int, events ...tianbao.Event) error
	// Rehash replaces the hash by another one of the same password.
	Rehash(ctx context.Context, user tianbao.ID, hash string) error
	// PasswordHashes returns the hash of the user's password and those before it.
	PasswordHashes(ctx context.Context, user tianbao.ID) ([]string, error)
	// SetDisabled disables or enables the user and, when disabling, ends the sessions.
	SetDisabled(ctx context.Context, user tianbao.ID, disabled bool, events ...tianbao.Event) error
	// HasOffice reports whether an enabled holder of the office exists.
	HasOffice(ctx context.Context, office tianbao.Role) (bool, error)
	// SetOffice gives the user the office that was asked for, or refuses it, and ends the
	// sessions. An office that was not asked for is tianbao.NotFound; a user with grants
	// is OfficesApart.
	SetOffice(ctx context.Context, user tianbao.ID, office tianbao.Role, agree bool, events ...tianbao.Event) error

	// GiveGrant stores a new grant; a user with an office is OfficesApart.
	GiveGrant(ctx context.Context, g tianbao.Grant, events ...tianbao.Event) error
	// EndGrant lets a grant end at a time; one that has ended is tianbao.NotFound.
	EndGrant(ctx context.Context, id tianbao.ID, at time.Time, events ...tianbao.Event) error
	// Grants lists grants, the newest first.
	Grants(ctx context.Context, q GrantQuery) ([]GrantLine, error)

	// PutSession stores a session under the hash of its token, and ends the user's
	// oldest beyond most.
	PutSession(ctx context.Context, s Session, most int, events ...tianbao.Event) error
	// Session returns the session with the given token hash and its user with grants.
	Session(ctx context.Context, tokenHash []byte) (Session, tianbao.User, error)
	// TouchSession moves the time of the session's last use.
	TouchSession(ctx context.Context, tokenHash []byte, at time.Time) error
	// DropSession ends a session; ending one that is gone is no error.
	DropSession(ctx context.Context, tokenHash []byte, events ...tianbao.Event) error

	// Sessions returns the sessions of a user, the newest first.
	Sessions(ctx context.Context, user tianbao.ID) ([]Session, error)
	// EndSession ends one session of a user.
	EndSession(ctx context.Context, user, session tianbao.ID, events ...tianbao.Event) error
	// EndSessions ends the sessions of a user but that with the id except.
	EndSessions(ctx context.Context, user, except tianbao.ID, events ...tianbao.Event) error
	// StepUp gives a session a new token and the time of its second factor.
	StepUp(ctx context.Context, old, tokenHash []byte, at time.Time) error

	FactorStore
	CredentialStore
	TokenStore
	ActivationStore
	BatchStore

	// SetDormant disables the enabled users that were not seen, made or enabled since,
	// ends their sessions and returns their ids. It writes event for each of them,
	// whose object is the user.
	SetDormant(ctx context.Context, since time.Time, event tianbao.Event) ([]tianbao.ID, error)

	// AddFailure counts a failed sign-in under each key (an account, an address)
	// and returns the counts since the given time, the new one included.
	AddFailure(ctx context.Context, keys []string, at, since time.Time) ([]int, error)
	// Failures returns the counts since the given time without adding to them.
	Failures(ctx context.Context, keys []string, since time.Time) ([]int, error)
	// ClearFailures forgets the failures of a key.
	ClearFailures(ctx context.Context, key string) error

	// PutSetupToken stores the hash of the token of an office's one-time set-up link,
	// replacing any earlier one.
	PutSetupToken(ctx context.Context, office tianbao.Role, tokenHash []byte, expires time.Time) error
	// CheckSetupToken returns the office whose token it is, "" for none or one that has
	// expired.
	CheckSetupToken(ctx context.Context, tokenHash []byte, now time.Time) (tianbao.Role, error)
	// DropSetupToken removes it.
	DropSetupToken(ctx context.Context, office tianbao.Role) error

	// Record writes an event on the trail by itself.
	Record(ctx context.Context, e tianbao.Event) error
}

// Session is one signed-in browser or client.
type Session struct {
	ID        tianbao.ID
	TokenHash []byte // SHA-256 of the token; the token itself is never stored
	User      tianbao.ID
	Created   time.Time
	Seen      time.Time
	Address   string
	Stepped   time.Time // when it last showed a second factor, zero: never
	Method    Method
	// Factor, PasswordSet and Informed, that they said yes to the newest notice of what
	// the data are for, are of the user, filled in by Store.Session.
	Factor      bool
	Informed    bool
	PasswordSet time.Time
}
