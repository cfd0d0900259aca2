package news

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tianbao"
)

const (
	numbered = 500 // at once
	batch    = 200 // deliveries of a subscription in one turn
	streams  = 4   // units told at once
	lease    = 5 * time.Minute
	most     = 3 // failures of single deliveries after which a turn ends
	// patience is how often one delivery is tried while the address takes others.
	patience = 12
	// atOnce is how many subscriptions one server tells at the same time.
	atOnce = 4

	firstWait = 5 * time.Second
	lastWait  = 30 * time.Minute
)

// Round numbers news and tells who waits for it; it returns how many deliveries were
// answered. Call it again and again.
func (s *Service) Round(ctx context.Context) (sum int, err error) {
	for {
		n, err := s.Store.NumberNews(ctx, numbered)
		if err != nil {
			return 0, err
		}
		if n < numbered {
			break
		}
	}
	ids, err := s.Store.DueSubscriptions(ctx, s.Now())
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for _, id := range ids {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			n, e := s.tell(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			sum += n
			if e != nil { // the others go on
				err = errors.Join(err, fmt.Errorf("news: subscription %s: %w", id, e))
			}
		})
	}
	wg.Wait()
	return sum, err
}

// Drop forgets what is too old.
func (s *Service) Drop(ctx context.Context) (int, error) {
	return s.Store.DropNews(ctx, s.Now().Add(-Keep))
}

// turn is one subscription in hand.
type turn struct {
	s      *Service
	sub    *Subscription
	until  time.Time
	mu     sync.Mutex
	told   int
	taken  bool    // something was
	failed []*Item // what waits on
	why    error   // the last failure of the address
	stop   bool    // nothing more is sent
	lost   error   // of the store
	gone   bool    // the address said that it is gone
}

// tell takes a subscription in hand and sends what waits, until there is nothing, it fails,
// or the turn is over.
func (s *Service) tell(ctx context.Context, id tianbao.ID) (int, error) {
	now := s.Now()
	t := &turn{s: s, until: now.Add(lease)}
	mine, err := s.Store.TakeSubscription(ctx, id, s.Node, now, t.until)
	if err != nil || !mine {
		return 0, err
	}
	sub, err := s.Store.Subscription(ctx, tianbao.Scope{Paths: []string{"/"}}, id)
	if err != nil {
		return 0, err
	}
	t.sub = &sub
	items, err := s.Store.WaitingNews(ctx, id, batch)
	if err != nil {
		return 0, err
	}
	t.send(ctx, items)
	if t.lost != nil || ctx.Err() != nil {
		return t.told, errors.Join(t.lost, s.leave(context.WithoutCancel(ctx), t))
	}
	return t.told, s.leave(ctx, t)
}

// send sends items: those of one unit in order, of several units at once.
func (t *turn) send(ctx context.Context, items []Item) {
	of := make(map[tianbao.ID][]*Item)
	var order []tianbao.ID
	for i := range items {
		it := &items[i]
		if of[it.Unit] == nil {
			order = append(order, it.Unit)
		}
		of[it.Unit] = append(of[it.Unit], it)
	}
	units := make(chan []*Item)
	var wg sync.WaitGroup
	for range min(streams, len(order)) {
		wg.Go(func() {
			for list := range units {
				for _, it := range list {
					if t.over(ctx) || !t.one(ctx, it) {
						break
					}
				}
			}
		})
	}
	for _, u := range order {
		units <- of[u]
	}
	close(units)
	wg.Wait()
}

// over reports whether nothing more is to be sent: also when so little of the lease is left
// that another server could begin before this one's request ends.
func (t *turn) over(ctx context.Context) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return ctx.Err() != nil || t.stop || t.lost != nil || t.s.Now().Add(t.s.Sender.Timeout()).After(t.until)
}

// one sends one item and writes down what was answered; false: what comes behind it waits.
func (t *turn) one(ctx context.Context, it *Item) bool {
	b, err := encode(it)
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.lost = errors.New("an item cannot be encoded")
		return false
	}
	status, err := t.s.Sender.Send(ctx, t.sub.URL, t.sub.Secret, it.ID.String(), b)
	if err != nil && ctx.Err() != nil { // the server stops: that says nothing of the address
		return false
	}
	var lasting interface{ Permanent() bool }
	state := Done
	switch {
	case err == nil:
	case status != goneStatus && errors.As(err, &lasting) && lasting.Permanent():
		state = Refused
	default:
		state = Waiting
	}
	now := t.s.Now()
	// Written also while the server stops: what was taken is not sent again.
	ferr := t.s.Store.FinishDelivery(context.WithoutCancel(ctx), t.sub.ID, it.N, state, status, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told++
	t.sub.Code = status
	if state == Waiting {
		t.failed, t.why, t.gone = append(t.failed, it), err, t.gone || status == goneStatus
		t.stop = t.stop || all(status) || len(t.failed) >= most
	} else if state == Done {
		t.taken, t.sub.Sent = true, now
	}
	if ferr != nil {
		t.lost = ferr
	}
	return state != Waiting && ferr == nil
}

// all reports whether an answer says that the address takes nothing now, whatever it is; none
// is such an answer.
func all(status int) bool {
	switch status {
	case 0, 401, 403, 404, goneStatus, 429, 502, 503, 504:
		return true
	}
	return false
}

// goneStatus is the answer of an address that is there no more and never will be.
const goneStatus = 410

// leave writes down how the subscription stands.
func (s *Service) leave(ctx context.Context, t *turn) error {
	now, sub := s.Now(), t.sub
	if t.taken || len(t.failed) == 0 {
		sub.Failures, sub.Failing, sub.Next = 0, time.Time{}, time.Time{}
	}
	if len(t.failed) == 0 {
		return s.Store.LeaveSubscription(ctx, sub, s.Node)
	}
	sub.Failures++
	if sub.Failing.IsZero() {
		sub.Failing = now
	}
	n := sub.Failures
	for _, it := range t.failed {
		if t.taken && it.Attempts+1 >= patience {
			// The address is well and does not take this one: others do not wait for it longer.
			if err := s.Store.FinishDelivery(ctx, sub.ID, it.N, Refused, sub.Code, now); err != nil {
				return err
			}
			continue
		}
		n = max(n, it.Attempts+1)
	}
	sub.Next = now.Add(wait(n, s.Jitter()))
	if s.Log != nil {
		s.Log.Warn("a webhook does not take its news", "webhook", sub.ID, "failures", sub.Failures, "err", t.why)
	}
	if !t.gone && now.Sub(sub.Failing) < GiveUp {
		return s.Store.LeaveSubscription(ctx, sub, s.Node)
	}
	sub.State = Stopped
	e := tianbao.Event{At: now, Owner: sub.Unit, What: "webhook.stop", Object: sub.ID.String(), Result: tianbao.ResultFailed, Detail: fmt.Sprintf("status=%d failures=%d", sub.Code, sub.Failures)}
	return s.Store.LeaveSubscription(ctx, sub, s.Node, e)
}

// wait is how long a subscription rests after so many failures in a row: each time twice as
// long, up to half an hour, more or less a fifth.
func wait(failures int, jitter float64) time.Duration {
	d := lastWait
	if failures < 12 {
		d = min(firstWait<<(failures-1), lastWait)
	}
	return d - d/5 + time.Duration(jitter*float64(d)*2/5)
}
