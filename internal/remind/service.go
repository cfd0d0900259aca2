package remind

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/ident"
)

// Sender takes messages out of the house. An error that has a method Permanent which
// answers true is not tried again.
type Sender interface {
	Send(ctx context.Context, m *Message) error
}

// Service reminds units. Its fields do not change once it is in use.
type Service struct {
	Store Store
	IDs   *clock.IDs
	Now   clock.Clock
	// Senders are the channels beside the page that the operator has set up.
	Senders map[Channel]Sender
	// Node names this process among those that share the database.
	Node string
	// Workers is how many messages go out at once; 0: one.
	Workers int
	Log     *slog.Logger
}

// Actor is an officer who reminds.
type Actor struct {
	User tianbao.ID
	From string // address
	// Runs: the actor runs the collection. Who does not reminds units strictly below the
	// tops of Scope.
	Runs  bool
	Scope tianbao.Scope
}

// within reports whether the actor reminds the unit at a path.
func (a *Actor) within(path string) bool {
	return a.Runs || slices.ContainsFunc(a.Scope.Paths, func(p string) bool {
		return p != "" && len(path) > len(p) && strings.HasPrefix(path, p)
	})
}

// Usable reports whether a channel is there.
func (s *Service) Usable(c Channel) bool { return c == ChannelPage || s.Senders[c] != nil }

// Policy returns the policy of a collection, the default one where nobody has saved one.
func (s *Service) Policy(ctx context.Context, campaign tianbao.ID) (Policy, error) {
	p, err := s.Store.RemindPolicy(ctx, campaign)
	if err != nil && tianbao.KindOf(err) == tianbao.ErrNotFound {
		return Default(campaign), nil
	}
	return p, err
}

// SetPolicy stores the policy of a collection, for who runs it.
func (s *Service) SetPolicy(ctx context.Context, a Actor, p Policy) error {
	if !a.Runs {
		return tianbao.NotFound()
	}
	if err := p.Check(); err != nil {
		return err
	}
	p.By, p.At = a.User, s.Now()
	return s.Store.PutRemindPolicy(ctx, &p, a.event(p.At, "remind.policy", p.Campaign, fmt.Sprintf("active=%t days=%d every=%dh channels=%s", p.Active, p.Days, p.Every, join(p.Channels))))
}

func join(cs []Channel) string {
	var out []string
	for _, c := range cs {
		out = append(out, string(c))
	}
	return strings.Join(out, ",")
}

func (a *Actor) event(at time.Time, what string, campaign tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: at, Actor: a.User, From: a.From, What: what, Object: campaign.String(), Detail: detail}
}

// Preview is whom a round by hand would remind now.
type Preview struct {
	At time.Time
	// From is when it would go out: At, or when the quiet hours are over; zero: never.
	From       time.Time
	Policy     Policy
	Recipients int
	By         map[Channel]int
	Left       map[Why]int // those left out, by reason
	List       []Recipient // the first of them
}

// Recipient is a unit that would be reminded.
type Recipient struct {
	Unit     tianbao.Unit
	Shown    tianbao.Standing
	Closes   time.Time
	Channels []Channel
	Contact  tianbao.Contact // to be shown masked
}

// MaxRecipients is how many recipients a preview lists.
const MaxRecipients = 200

// Preview tells whom SendNow would remind.
func (s *Service) Preview(ctx context.Context, a Actor, campaign tianbao.ID) (*Preview, error) {
	p, err := s.Policy(ctx, campaign)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	v := &Preview{At: now, From: p.Next(now), Policy: p, By: make(map[Channel]int), Left: make(map[Why]int)}
	err = s.Store.EachFacts(ctx, a.Scope, campaign, now, func(f *Facts) error {
		if !a.within(f.Unit.Path) {
			return nil
		}
		_, channels, why := p.Decide(f, now, true, s.Usable)
		if why != WhyNot {
			v.Left[why]++
			return nil
		}
		v.Recipients++
		for _, c := range channels {
			v.By[c]++
		}
		if len(v.List) < MaxRecipients {
			v.List = append(v.List, Recipient{Unit: f.Unit, Shown: f.Shown, Closes: f.Closes, Channels: channels})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	delete(v.Left, WhyOutside)
	ids := make([]tianbao.ID, len(v.List))
	for i := range v.List {
		ids[i] = v.List[i].Unit.ID
	}
	contacts, err := s.Store.Contacts(ctx, ids)
	for i := range v.List {
		v.List[i].Contact = contacts[v.List[i].Unit.ID]
	}
	return v, err
}

// SendNow reminds all units that Preview names, and returns how many. What falls into
// quiet hours waits for their end. Whom somebody else reminds meanwhile is left out, so
// pressing twice reminds once.
func (s *Service) SendNow(ctx context.Context, a Actor, campaign tianbao.ID) (int, error) {
	p, err := s.Policy(ctx, campaign)
	if err != nil {
		return 0, err
	}
	now := s.Now()
	next := p.Next(now)
	if next.IsZero() {
		return 0, tianbao.Invalid("always_quiet", "放假的日期太多，没有能发送的时候；请先修改催报安排。")
	}
	b := Batch{Campaign: campaign, At: now, Every: p.every(), Next: next, By: a.User, Hand: true}
	return s.round(ctx, &p, b, a.Scope, a.within, func(n int) []tianbao.Event {
		return []tianbao.Event{a.event(now, "remind.send", campaign, fmt.Sprintf("units=%d", n))}
	})
}

// everywhere is the whole register.
func everywhere() tianbao.Scope { return tianbao.Scope{Paths: []string{"/"}} }

// Round puts into the outbox whoever is to be reminded now of collections that remind by
// themselves, and returns how many units that are.
func (s *Service) Round(ctx context.Context) (sum int, err error) {
	policies, err := s.Store.ActivePolicies(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for i := range policies {
		p := &policies[i]
		now := s.Now()
		if p.Quiet(now) {
			continue
		}
		b := Batch{Campaign: p.Campaign, At: now, Every: p.every(), Next: now}
		n, err := s.round(ctx, p, b, everywhere(), func(string) bool { return true }, func(n int) []tianbao.Event {
			return []tianbao.Event{{At: now, What: "remind.round", Object: p.Campaign.String(), Detail: fmt.Sprintf("units=%d", n)}}
		})
		sum += n
		if err != nil { // the others go on
			errs = append(errs, fmt.Errorf("remind: round of collection %s: %w", p.Campaign, err))
		}
	}
	return sum, errors.Join(errs...)
}

// perBatch is how many units go into the outbox in one transaction.
const perBatch = 500

func (s *Service) round(ctx context.Context, p *Policy, b Batch, scope tianbao.Scope, within func(path string) bool, events func(n int) []tianbao.Event) (sum int, err error) {
	var all []Item
	err = s.Store.EachFacts(ctx, scope, p.Campaign, b.At, func(f *Facts) error {
		if !within(f.Unit.Path) {
			return nil
		}
		due, channels, why := p.Decide(f, b.At, b.Hand, s.Usable)
		if why != WhyNot {
			return nil
		}
		it := Item{Unit: f.Unit.ID, Due: due, Channels: channels}
		for range channels {
			it.IDs = append(it.IDs, tianbao.ID(s.IDs.Next()))
		}
		all = append(all, it)
		return nil
	})
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(all, perBatch) {
		b.Items = part
		n, err := s.Store.Enqueue(ctx, &b, events)
		sum += n
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Stop drops what waits to go out: for who runs the collection all of it, and no round
// starts by itself any more; for others what they sent by hand.
func (s *Service) Stop(ctx context.Context, a Actor, campaign tianbao.ID) (int, error) {
	now, by := s.Now(), a.User
	if a.Runs {
		by = 0
		p, err := s.Store.RemindPolicy(ctx, campaign)
		switch {
		case err == nil && p.Active:
			p.Active, p.By, p.At = false, a.User, now
			if err := s.Store.PutRemindPolicy(ctx, &p, a.event(now, "remind.policy", campaign, "active=false")); err != nil {
				return 0, err
			}
		case err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound:
			return 0, err
		}
	}
	return s.Store.StopReminders(ctx, a.Scope, campaign, by, func(n int) []tianbao.Event {
		return []tianbao.Event{a.event(now, "remind.stop", campaign, fmt.Sprintf("reminders=%d", n))}
	})
}

// SetMail sets where a unit gets mail; no address takes it away. The caller has checked
// the scope.
func (s *Service) SetMail(ctx context.Context, by tianbao.ID, from string, unit tianbao.ID, m Mailbox) error {
	if m.Address = ident.NormalizeMail(m.Address); m.Address != "" && !ident.IsMail(m.Address) {
		return tianbao.Invalid("bad_mail", "邮箱地址无法识别，请按“name@example.gov.cn”的样子填写。")
	}
	e := tianbao.Event{At: s.Now(), Actor: by, Owner: unit, From: from, What: "remind.mail", Object: unit.String(), Detail: fmt.Sprintf("set=%t copies=%t", m.Address != "", m.Address != "" && m.Copies)}
	return s.Store.PutUnitMail(ctx, unit, m, by, e.At, e)
}

// Read notes that one of the units has read a message.
func (s *Service) Read(ctx context.Context, by tianbao.ID, from string, units []tianbao.ID, id tianbao.ID) error {
	now := s.Now()
	return s.Store.ReadReminder(ctx, units, id, by, now, func(unit tianbao.ID) []tianbao.Event {
		return []tianbao.Event{{At: now, Actor: by, Owner: unit, From: from, What: "remind.read", Object: id.String()}}
	})
}

const (
	pageBatch = 100 // of the page's messages, claimed together
	lookBatch = 500
	lease     = 5 * time.Minute
)

// Deliver sends what is due and returns how many reminders it took in hand. Call it again
// and again.
func (s *Service) Deliver(ctx context.Context) (sum int, err error) {
	n, err := s.deliverPage(ctx)
	if err != nil {
		return n, err
	}
	var outside []Channel
	for _, c := range Channels() {
		if s.Senders[c] != nil {
			outside = append(outside, c)
		}
	}
	if len(outside) == 0 {
		return n, nil
	}
	ids, err := s.Store.DueReminders(ctx, outside, s.Now(), lookBatch)
	if err != nil {
		return n, err
	}
	jobs := make(chan tianbao.ID)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range cmp.Or(s.Workers, 1) {
		wg.Go(func() {
			for id := range jobs {
				if e := s.deliverOne(ctx, id); e != nil {
					mu.Lock()
					err = errors.Join(err, e)
					mu.Unlock()
				}
			}
		})
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		jobs <- id
	}
	close(jobs)
	wg.Wait()
	return n + len(ids), err
}

// deliverPage delivers the page's messages, many in one transaction.
func (s *Service) deliverPage(ctx context.Context) (sum int, err error) {
	for ctx.Err() == nil {
		ids, err := s.Store.DueReminders(ctx, []Channel{ChannelPage}, s.Now(), pageBatch)
		if err != nil || len(ids) == 0 {
			return sum, err
		}
		if _, err := s.claim(ctx, ids); err != nil {
			return sum, err
		}
		sum += len(ids)
	}
	return sum, ctx.Err()
}

// claim takes reminders and decides about them once more.
func (s *Service) claim(ctx context.Context, ids []tianbao.ID) ([]Message, error) {
	now := s.Now()
	c := &Claim{IDs: ids, Node: s.Node, At: now, Until: now.Add(lease), Trail: func(sent, dropped int) []tianbao.Event {
		return []tianbao.Event{{At: now, What: "remind.deliver", Object: s.Node, Detail: fmt.Sprintf("page=%d dropped=%d", sent, dropped)}}
	}}
	return s.Store.ClaimReminders(ctx, c, func(p *Policy, r *Reminder, f *Facts) Decision { return decide(p, r, f, now) })
}

// decide is the last word on a reminder, at the time of sending.
func decide(p *Policy, r *Reminder, f *Facts, now time.Time) Decision {
	if why := f.awaited(); why != WhyNot {
		return Decision{Why: why}
	}
	if !f.reaches(r.Channel) {
		return Decision{Why: WhyNoContact}
	}
	if next := p.Next(now); next.IsZero() {
		return Decision{Why: WhyQuiet}
	} else if next.After(now) {
		return Decision{Wait: next}
	}
	return Decision{}
}

func (s *Service) deliverOne(ctx context.Context, id tianbao.ID) error {
	claimed, err := s.claim(ctx, []tianbao.ID{id})
	for i := range claimed {
		if e := s.send(ctx, &claimed[i]); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

// send sends a claimed message and writes what became of it. It is written also while the
// server stops: a message that is out is not sent again.
func (s *Service) send(ctx context.Context, m *Message) error {
	err := s.Senders[m.Channel].Send(ctx, m)
	now := s.Now()
	f := &Finish{ID: m.ID, Node: s.Node, Attempts: m.Attempts, State: StateSent, Sent: now}
	var lasting interface{ Permanent() bool }
	switch {
	case err == nil:
	case errors.As(err, &lasting) && lasting.Permanent():
		f.State, f.Reason, f.Sent = StateFailed, WhyRefused, time.Time{}
	default:
		wait, more := retryAfter(m.Attempts)
		if f.State, f.Next, f.Sent = StateWaiting, now.Add(wait), (time.Time{}); !more {
			f.State, f.Reason = StateFailed, WhyGaveUp
		}
	}
	var events []tianbao.Event
	if f.State != StateWaiting {
		e := tianbao.Event{At: now, Owner: m.Unit.ID, What: "remind.sent", Object: m.ID.String(), Detail: string(m.Channel)}
		if f.State == StateFailed {
			e.Result = tianbao.ResultFailed
		}
		events = append(events, e)
	}
	if err != nil && s.Log != nil {
		s.Log.Warn("a reminder did not go out", "reminder", m.ID, "channel", m.Channel, "attempts", m.Attempts, "err", err)
	}
	_, ferr := s.Store.FinishReminder(context.WithoutCancel(ctx), f, events...)
	return ferr
}
