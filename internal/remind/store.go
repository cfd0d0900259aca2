package remind

import (
	"context"
	"time"

	"tianbao"
)

// Store keeps policies, the outbox and addresses. internal/store implements it. Scope is
// applied in the query; every write carries its events in its transaction.
type Store interface {
	// RemindPolicy returns the policy of a collection, tianbao.NotFound without one.
	RemindPolicy(ctx context.Context, campaign tianbao.ID) (Policy, error)
	// PutRemindPolicy stores a policy over the one of version p.Version (0: none);
	// tianbao.ErrConflict when somebody else was faster.
	PutRemindPolicy(ctx context.Context, p *Policy, events ...tianbao.Event) error
	// ActivePolicies returns the policies by which rounds start by themselves, of
	// collections that are open.
	ActivePolicies(ctx context.Context) ([]Policy, error)
	// EachFacts calls fn for each unit in scope, in the order of the tree, with what is
	// known of it at a time, which is now. fn must not keep what it gets.
	EachFacts(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, at time.Time, fn func(*Facts) error) error
	// Enqueue puts reminders into the outbox, each unit's only if nobody reminded it in
	// the interval before, and returns how many units it took.
	Enqueue(ctx context.Context, r *Batch, events func(units int) []tianbao.Event) (units int, err error)
	// DueReminders returns ids of reminders of channels that wait for nothing but being
	// sent, or whose claim has run out, the oldest first.
	DueReminders(ctx context.Context, channels []Channel, at time.Time, limit int) ([]tianbao.ID, error)
	// ClaimReminders takes reminders that are due for node until its lease ends, and asks
	// decide about each, within one transaction, with where the unit stands then. Those
	// of the page are sent thereby; it returns all others that are to be sent. Reminders
	// that somebody else took are left out. decide may be asked more than once.
	ClaimReminders(ctx context.Context, c *Claim, decide func(*Policy, *Reminder, *Facts) Decision) ([]Message, error)
	// FinishReminder writes what became of a claimed reminder; false: the claim was not
	// this one any more.
	FinishReminder(ctx context.Context, f *Finish, events ...tianbao.Event) (bool, error)
	// StopReminders drops what waits for units in scope; with by not 0 only what that
	// person sent by hand. It returns how many there were.
	StopReminders(ctx context.Context, scope tianbao.Scope, campaign, by tianbao.ID, events func(n int) []tianbao.Event) (int, error)
	// Reminders returns what went out or waits, the last made first.
	Reminders(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, q Query) ([]Reminder, error)
	// CountReminders counts it by state and channel.
	CountReminders(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID) ([]Count, error)
	// Inbox returns the page's messages of units that nobody there has read, with texts,
	// the last first.
	Inbox(ctx context.Context, units []tianbao.ID) ([]Reminder, error)
	// UnreadReminders counts them.
	UnreadReminders(ctx context.Context, units []tianbao.ID) (int, error)
	// ReadReminder notes that a unit of those has read a message and all earlier ones of
	// the collection; tianbao.NotFound for one of another unit.
	ReadReminder(ctx context.Context, units []tianbao.ID, id, by tianbao.ID, at time.Time, events func(unit tianbao.ID) []tianbao.Event) error
	// UnitMail returns where a unit gets mail; the caller has checked the scope.
	UnitMail(ctx context.Context, unit tianbao.ID) (Mailbox, error)
	// PutUnitMail sets it; no address takes it away.
	PutUnitMail(ctx context.Context, unit tianbao.ID, m Mailbox, by tianbao.ID, at time.Time, events ...tianbao.Event) error
	// Contacts returns the contacts of units, whatever the scope.
	Contacts(ctx context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Contact, error)
	CopyStore
}

// Mailbox is where a unit gets mail.
type Mailbox struct {
	Address string // "": nowhere
	Copies  bool   // also copies of notices
}

// Batch are reminders to be put into the outbox together.
type Batch struct {
	Campaign tianbao.ID
	At       time.Time
	Every    time.Duration // how long nobody may have reminded a unit
	Next     time.Time     // from when on they may go out
	By       tianbao.ID    // 0: by itself
	Hand     bool
	Items    []Item
}

// Item are the reminders of one unit.
type Item struct {
	Unit     tianbao.ID
	Due      time.Time
	Channels []Channel
	IDs      []tianbao.ID // one a channel
}

// State is how far a reminder has come.
type State string

// The states.
const (
	StateWaiting State = "waiting"
	StateSending State = "sending"
	StateSent    State = "sent"
	StateFailed  State = "failed"
	StateDropped State = "dropped"
)

// States returns all states, in the order in which pages list them.
func States() []State {
	return []State{StateSent, StateWaiting, StateSending, StateFailed, StateDropped}
}

// Title returns the state in the users' words.
func (s State) Title() string {
	switch s {
	case StateWaiting:
		return "待发送"
	case StateSending:
		return "发送中"
	case StateSent:
		return "已发送"
	case StateFailed:
		return "发送失败"
	case StateDropped:
		return "未发送"
	}
	return ""
}

// Reminder is one reminder by one channel.
type Reminder struct {
	ID       tianbao.ID
	Campaign tianbao.ID
	Unit     tianbao.ID
	UnitName string
	UnitCode string
	Title    string // of the collection, in an inbox
	Due      time.Time
	Channel  Channel
	Hand     bool
	Made     time.Time
	State    State
	Reason   Why
	Attempts int
	Next     time.Time
	Sent     time.Time
	Text     string // in an inbox
	Read     time.Time
}

// Claim is who takes which reminders.
type Claim struct {
	IDs   []tianbao.ID
	Node  string
	At    time.Time
	Until time.Time // when the lease ends
	Trail func(sent, dropped int) []tianbao.Event
}

// Decision is what is to become of a claimed reminder.
type Decision struct {
	Why  Why       // not WhyNot: dropped for this reason
	Wait time.Time // not zero: it waits on until then
}

// Message is a reminder on its way out of the house.
type Message struct {
	ID       tianbao.ID
	Attempts int
	Channel  Channel
	Unit     tianbao.Unit
	Notice   tianbao.ID // of which it is a copy, 0: a reminder
	Title    string     // of the collection, or the notice
	Text     string
	Due      time.Time
	// Phone and Mail are the unit's, opened only for the channel that needs them.
	Phone, Mail string
}

// Finish is what became of a claimed reminder.
type Finish struct {
	ID       tianbao.ID
	Node     string
	Attempts int
	State    State
	Reason   Why
	Next     time.Time
	Sent     time.Time
}

// Query chooses from the log.
type Query struct {
	State   State   // "": all
	Channel Channel // "": all
	// Notice chooses copies of a notice; the collection is then 0.
	Notice tianbao.ID
	Text   string // part of the unit's name or code
	Before tianbao.ID
	Limit  int
}

// Count is how many reminders of a channel are in a state.
type Count struct {
	State   State
	Channel Channel
	N       int
}
