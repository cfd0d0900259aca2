package post

import (
	"context"
	"time"

	"tianbao"
)

// Store keeps mails, bindings and answers. internal/store implements it. Whatever changes
// carries its events in its transaction.
type Store interface {
	// Record puts an event on the trail.
	Record(ctx context.Context, e tianbao.Event) error
	// TakeMail keeps a mail and moves the mark of the mailbox it came from; false: it is
	// kept already, and its copies count one more.
	TakeMail(ctx context.Context, t *Taken, events ...tianbao.Event) (bool, error)
	// MailMark returns how far a mailbox was read, the zero Mark for a new one.
	MailMark(ctx context.Context, box string) (Mark, error)
	// MailLoad counts mails of a sender since a time, and mails of strangers that wait.
	MailLoad(ctx context.Context, sender string, since time.Time) (sent, waiting int, err error)
	// DueMail returns mails that are to be judged, the oldest first.
	DueMail(ctx context.Context, at time.Time, limit int) ([]tianbao.ID, error)
	// ClaimMail takes a mail for node until the lease ends and returns it with its text;
	// tianbao.NotFound: somebody else did.
	ClaimMail(ctx context.Context, id tianbao.ID, node string, at, until time.Time) (*Claimed, error)
	// FreeMail gives back all claims, on mails and on answers. Nobody else may be at work.
	FreeMail(ctx context.Context, at time.Time) error
	// DelayMail gives a claimed mail back until a time; with spent the attempt counts.
	DelayMail(ctx context.Context, c *Claimed, next time.Time, spent bool) error
	// JudgeMail writes a verdict with its answer and binding, all or nothing. Its text is
	// dropped unless it waits. False: the claim was not this one any more.
	JudgeMail(ctx context.Context, c *Claimed, j *Judgement, events ...tianbao.Event) (bool, error)
	// JudgedSince counts what was judged of a sender since a time.
	JudgedSince(ctx context.Context, sender string, since time.Time) (int, error)

	// MailSender returns the binding of an address, tianbao.NotFound for none, with the unit.
	MailSender(ctx context.Context, address string) (Sender, tianbao.Unit, error)
	// MailSenders returns bindings to units in scope, the last made first.
	MailSenders(ctx context.Context, scope tianbao.Scope, limit int) ([]Sender, error)
	// BindSender binds the sender of a mail to a unit, clears that mail, and lets it and all
	// that waits because nobody knew the sender be judged again; it returns how many mails
	// that are. tianbao.NotFound: the mail does not wait any more.
	BindSender(ctx context.Context, s *Sender, mail tianbao.ID, at time.Time, events func(mails int) []tianbao.Event) (int, error)
	// UnbindSender ends a binding to a unit in scope; tianbao.NotFound for another.
	UnbindSender(ctx context.Context, scope tianbao.Scope, id tianbao.ID, events func(unit tianbao.ID) []tianbao.Event) error

	// Mails returns mails of units in scope, and with strangers those of no unit, the last
	// first.
	Mails(ctx context.Context, v View, q Query) ([]Message, error)
	// CountMails counts them by state.
	CountMails(ctx context.Context, v View) (map[State]int, error)
	// Mail returns one of them with its text, which is nil where it is gone.
	Mail(ctx context.Context, v View, id tianbao.ID) (Message, []byte, error)
	// ReplayMail clears a mail that waits and lets it be judged again; tianbao.NotFound for another.
	ReplayMail(ctx context.Context, v View, id tianbao.ID, at time.Time, events ...tianbao.Event) error
	// DropMail drops a mail that waits, with its text; tianbao.NotFound for another.
	DropMail(ctx context.Context, v View, id tianbao.ID, events ...tianbao.Event) error
	// ExpireMail drops what has waited since before a time, and returns how many that were.
	ExpireMail(ctx context.Context, before time.Time, events func(n int) []tianbao.Event) (int, error)

	// DueReplies returns answers that are to go out, the oldest first.
	DueReplies(ctx context.Context, at time.Time, limit int) ([]tianbao.ID, error)
	// ClaimReply takes one for node until the lease ends; tianbao.NotFound: somebody else did.
	ClaimReply(ctx context.Context, id tianbao.ID, node string, at, until time.Time) (*Reply, error)
	// FinishReply writes what became of a claimed answer: sent, given up, or next at a
	// time. What it said is dropped when it is over. False: the claim was not this one.
	FinishReply(ctx context.Context, r *Reply, node string, sent bool, next, at time.Time, events ...tianbao.Event) (bool, error)
}

// Mark is how far a mailbox was read (RFC 3501 §2.3.1.1).
type Mark struct {
	Box      string
	Validity uint32
	Last     uint32    // the UID of the last mail that is kept
	Since    time.Time // mails from before are not taken
}

// Taken is a mail to be kept.
type Taken struct {
	Message
	Sender string // its address, "" for none
	Key    string // by which it is known again
	Raw    []byte // nil: not to be kept
	Next   time.Time
	Mark   *Mark // nil: it came from a folder
}

// Claimed is a mail that somebody judges.
type Claimed struct {
	Message
	Node string
	Raw  []byte
}

// Judgement is what is written of a mail.
type Judgement struct {
	State   State
	Verdict Verdict
	At      time.Time
	Unit    tianbao.ID
	Rows    int
	Faults  int
	Head    Head
	Reply   *Reply  // nil: none
	Bind    *Sender // by the code whose id is Code
	Code    tianbao.ID
}

// View is which mails somebody sees.
type View struct {
	Scope     tianbao.Scope
	Strangers bool // those of no unit too
}

// Query chooses from the list.
type Query struct {
	State  State // "": all
	Before tianbao.ID
	Limit  int
}
