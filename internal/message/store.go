package message

import (
	"context"
	"time"

	"tianbao"
)

// Reader is who reads.
type Reader struct {
	User tianbao.ID
	// Sees is where the reader has a role, Units the units that these roles are over.
	Sees  tianbao.Scope
	Units []tianbao.Unit
}

// Store keeps notices and questions. internal/store implements it. Scope is applied in
// the query; every write carries its events in its transaction.
type Store interface {
	// Notices returns what is published or withdrawn and addressed to the reader, or to
	// units below where the reader has a role, newest first, without bodies.
	Notices(ctx context.Context, r *Reader, offset, limit int) ([]tianbao.Notice, error)
	// Notice returns one of them, with its units and files and without their data.
	Notice(ctx context.Context, r *Reader, id tianbao.ID) (tianbao.Notice, error)
	// Led returns the notices of bureaus in scope, drafts too, newest first, without bodies.
	Led(ctx context.Context, leads tianbao.Scope, offset, limit int) ([]tianbao.Notice, error)
	// LedNotice returns one of them as Notice does.
	LedNotice(ctx context.Context, leads tianbao.Scope, id tianbao.ID) (tianbao.Notice, error)
	// File returns a file of a notice with its data. The caller has checked the notice.
	File(ctx context.Context, notice, id tianbao.ID) (tianbao.Attachment, error)
	// NoticeVersions returns what a notice said before, the newest first. The caller has checked
	// the notice.
	NoticeVersions(ctx context.Context, notice tianbao.ID) ([]Version, error)
	// PutNoticeDraft makes a draft, or changes the one at n.Turn.
	PutNoticeDraft(ctx context.Context, n *tianbao.Notice, events ...tianbao.Event) error
	// Amend makes another version of a published notice, or a draft's first one, with what
	// n says, and keeps the one before; tianbao.ErrConflict when it is not at n.Turn.
	Amend(ctx context.Context, n *tianbao.Notice, at time.Time, events ...tianbao.Event) error
	// SetFile adds a file, or takes the one with this id away where it has no data. It
	// raises the version of a published notice.
	SetFile(ctx context.Context, n *tianbao.Notice, a tianbao.Attachment, at time.Time, events ...tianbao.Event) error
	// Withdraw withdraws a published notice.
	Withdraw(ctx context.Context, n *tianbao.Notice, at time.Time, events ...tianbao.Event) error

	// Unread counts what is addressed to the reader and not read, and answers not seen.
	Unread(ctx context.Context, r *Reader) (int, error)
	// MarkRead keeps that the reader read the notice's version for the units, and saw the
	// answers to the reader's units' questions about it. Again it writes nothing.
	MarkRead(ctx context.Context, r *Reader, n *tianbao.Notice, units []tianbao.ID, at time.Time, e tianbao.Event) error
	// ReadFigures counts the units in scope by how far they read a notice. The scope is what
	// the caller may see of those whom it is for.
	ReadFigures(ctx context.Context, scope tianbao.Scope, n *tianbao.Notice, at time.Time) (Figures, error)
	// Unreading returns units in scope of which nobody read the newest version, in the
	// order of the tree.
	Unreading(ctx context.Context, scope tianbao.Scope, n *tianbao.Notice, at time.Time, offset, limit int) ([]Behind, error)
	// Readers returns who read a notice in scope, the last first.
	Readers(ctx context.Context, scope tianbao.Scope, n *tianbao.Notice, offset, limit int) ([]Receipt, error)

	// PutQuestion stores a question, unless the unit has most open ones or the person asked
	// so many since a time: tianbao.ErrTooMany.
	PutQuestion(ctx context.Context, q *tianbao.Question, campaign tianbao.ID, since time.Time, most int, events ...tianbao.Event) error
	// Questions returns the questions of units in scope in a state, the oldest open one
	// first, else the newest; notice 0: about all notices, state "": in any.
	Questions(ctx context.Context, scope tianbao.Scope, notice tianbao.ID, state tianbao.QuestionState, offset, limit int) ([]tianbao.Question, error)
	// Question returns one of them.
	Question(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Question, error)
	// Published returns the published answers under a notice, the newest first, without
	// who asked and what the unit wrote. The caller has checked the notice.
	Published(ctx context.Context, notice tianbao.ID, limit int) ([]tianbao.Question, error)
	// OpenQuestions counts the open questions of units in scope.
	OpenQuestions(ctx context.Context, scope tianbao.Scope) (int, error)
	// Answer stores an answer; tianbao.ErrConflict when the question is not at q.Turn.
	Answer(ctx context.Context, q *tianbao.Question, by, bureau tianbao.ID, events ...tianbao.Event) error
}

// Version is what a notice said until it was amended.
type Version struct {
	Version             int
	Title, Issuer, Body string
	At                  time.Time // from when on it said so
}

// Figures are how many units a notice is for and how many of them read it.
type Figures struct {
	Units     int // the denominator
	Read      int // the newest version
	Earlier   int // an earlier version only
	NoAccount int // not read, and nobody could
}

// Unread is how many did not read the newest version.
func (f Figures) Unread() int { return f.Units - f.Read }

// Behind is a unit that has not read the newest version.
type Behind struct {
	Unit    tianbao.Unit
	Version int // which one it read, 0: none
	Account bool
}

// Receipt is that somebody of a unit read a notice.
type Receipt struct {
	Unit      tianbao.Unit
	Name      string // of the person
	Version   int
	First, At time.Time
}
