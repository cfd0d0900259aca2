package news

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"tianbao"
)

// Item is news on its way out, with the words for the unit.
type Item struct {
	tianbao.News
	N          int64 // its number
	ID         tianbao.ID
	At         time.Time
	Unit       tianbao.ID
	BudgetCode string // of the unit, as it is now
	OrgCode    string
	Attempts   int
}

// State is how a subscription stands.
type State string

// The states.
const (
	Active  State = "active"
	Paused  State = "paused"  // by an officer
	Stopped State = "stopped" // by itself: the address did not answer for too long, or said that it is gone
	Ended   State = "ended"
)

// Title returns the state in the users' words.
func (s State) Title() string {
	switch s {
	case Active:
		return "正常"
	case Paused:
		return "已暂停"
	case Stopped:
		return "已停发"
	case Ended:
		return "已结束"
	}
	return ""
}

// Subscription is an address that is told of a subtree.
type Subscription struct {
	ID       tianbao.ID
	Name     string // what system it is for
	Unit     tianbao.ID
	UnitPath string // "" when the unit is gone
	UnitName string
	Kinds    []tianbao.NewsKind
	URL      string
	Secret   []byte
	State    State
	By       tianbao.ID
	ByName   string
	Made     time.Time
	Failures int       // in a row
	Failing  time.Time // since when; zero: it is well
	Next     time.Time // when it is tried again
	Code     int       // the last answer, 0: none
	Sent     time.Time // the last success
	Waiting  int       // deliveries, in lists
	Refused  int
}

// Delivery is one line of a subscription's log.
type Delivery struct {
	Item
	UnitName string
	State    DeliveryState
	Code     int       // of the last answer, 0: none
	Tried    time.Time // zero: never
}

// DeliveryState is what became of a delivery.
type DeliveryState string

// The states of deliveries.
const (
	Waiting DeliveryState = "waiting"
	Done    DeliveryState = "done"
	Refused DeliveryState = "refused" // the receiver will never take it
)

// DeliveryStates returns all states, in the order in which pages list them.
func DeliveryStates() []DeliveryState { return []DeliveryState{Waiting, Done, Refused} }

// Title returns the state in the users' words.
func (s DeliveryState) Title() string {
	switch s {
	case Waiting:
		return "待发送"
	case Done:
		return "已送达"
	case Refused:
		return "对方拒收"
	}
	return ""
}

// Range chooses deliveries to be told again: one by its number, or those of a time.
type Range struct {
	N        int64 // not 0: this one
	From, To time.Time
	Refused  bool // only those that were refused
}

// Store keeps news, subscriptions and deliveries. internal/store implements it. Scope is
// applied in the query; every write of an officer carries its events.
type Store interface {
	// NumberNews numbers up to limit news that have no number, puts their deliveries down
	// and returns how many there were.
	NumberNews(ctx context.Context, limit int) (int, error)
	// News returns news in scope behind a number, and the last number that was looked at.
	News(ctx context.Context, scope tianbao.Scope, behind int64, limit int) (items []Item, last int64, err error)
	// DropNews forgets news of before a time, with its deliveries.
	DropNews(ctx context.Context, before time.Time) (int, error)

	// Record writes an event on the trail that changes nothing else.
	Record(ctx context.Context, e tianbao.Event) error
	// PutSubscription stores a new subscription.
	PutSubscription(ctx context.Context, s *Subscription, events ...tianbao.Event) error
	// Subscriptions lists those in scope that have not ended, the newest first.
	Subscriptions(ctx context.Context, scope tianbao.Scope) ([]Subscription, error)
	// Subscription returns one in scope, also one that has ended.
	Subscription(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (Subscription, error)
	// SetSubscription sets name, kinds and state; one that is set active is tried at once.
	SetSubscription(ctx context.Context, s *Subscription, events ...tianbao.Event) error
	// Deliveries returns a log, the newest first; before 0: from its end, state "": all.
	Deliveries(ctx context.Context, id tianbao.ID, state DeliveryState, before int64, limit int) ([]Delivery, error)
	// Replay makes deliveries wait again, also such that were never put down, and returns
	// how many. More than limit are refused.
	Replay(ctx context.Context, s *Subscription, r Range, limit int, events func(n int) []tianbao.Event) (int, error)

	// DueSubscriptions returns active ones that have something waiting, may be tried, and
	// are in nobody's hand.
	DueSubscriptions(ctx context.Context, at time.Time) ([]tianbao.ID, error)
	// TakeSubscription takes one in hand, false: somebody else did.
	TakeSubscription(ctx context.Context, id tianbao.ID, node string, at, until time.Time) (bool, error)
	// WaitingNews returns what waits of one, in order.
	WaitingNews(ctx context.Context, id tianbao.ID, limit int) ([]Item, error)
	// FinishDelivery writes down an answer.
	FinishDelivery(ctx context.Context, id tianbao.ID, n int64, state DeliveryState, code int, at time.Time) error
	// LeaveSubscription writes down how one stands after a round, if node has it in hand,
	// and lets go of it. It stays paused or ended where somebody made it so meanwhile.
	LeaveSubscription(ctx context.Context, s *Subscription, node string, events ...tianbao.Event) error
}

// body is what an address gets.
type body struct {
	Type string    `json:"type"`
	ID   string    `json:"id"`
	At   time.Time `json:"timestamp"`
	Data *data     `json:"data,omitempty"`
}

// data is what it is told. Nothing in it says who a person is.
type data struct {
	Cursor   string     `json:"cursor"` // the number, to ask the feed from
	Unit     tianbao.ID `json:"unit"`
	Budget   string     `json:"budget_code,omitempty"`
	Org      string     `json:"org_code,omitempty"`
	Campaign tianbao.ID `json:"collection,omitempty"`
	Report   tianbao.ID `json:"report,omitempty"`
	Version  int64      `json:"version,omitempty"`
	Rows     int        `json:"rows,omitempty"`
	Put      int        `json:"put,omitempty"`
	Deleted  int        `json:"deleted,omitempty"`
}

// encode writes an item as its address gets it.
func encode(it *Item) ([]byte, error) {
	return json.Marshal(body{string(it.Kind), it.ID.String(), it.At.UTC(), &data{
		Cursor: strconv.FormatInt(it.N, 10), Unit: it.Unit, Budget: it.BudgetCode, Org: it.OrgCode, Campaign: it.Campaign, Report: it.Report,
		Version: it.Version, Rows: it.Rows, Put: it.Put, Deleted: it.Deleted,
	}})
}

// known reports whether all kinds exist.
func known(kinds []tianbao.NewsKind) bool {
	return len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k tianbao.NewsKind) bool { return k.Title() == "" })
}
