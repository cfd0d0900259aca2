package news

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
)

// Sender calls an address. It answers the status, 0 where nothing answered; the error is
// nil where the body was taken. An error that has a method Permanent which answers true is
// not tried again.
type Sender interface {
	// Check says what is wrong with an address, for people.
	Check(url string) error
	Send(ctx context.Context, url string, secret []byte, id string, body []byte) (status int, err error)
	// Timeout bounds one Send.
	Timeout() time.Duration
}

// Service keeps subscriptions and tells them. Its fields do not change once it is in use.
type Service struct {
	Store  Store
	Sender Sender
	IDs    *clock.IDs
	Now    clock.Clock
	// Jitter spreads what is tried again, from 0 to 1.
	Jitter func() float64
	// Node names this process among those that share the database.
	Node string
	Log  *slog.Logger
}

// Actor is an officer.
type Actor struct {
	User  tianbao.ID
	From  string // address
	Scope tianbao.Scope
}

func (s *Service) event(a *Actor, what string, sub *Subscription, detail string) tianbao.Event {
	return tianbao.Event{At: s.Now(), Actor: a.User, Owner: sub.Unit, From: a.From, What: what, Object: sub.ID.String(), Detail: detail}
}

const (
	// MaxSubscriptions is how many subscriptions one subtree has.
	MaxSubscriptions = 20
	// MaxReplay is how many deliveries one act sends again.
	MaxReplay = 20_000
	// GiveUp is for how long an address may fail before the subscription stops.
	GiveUp = 3 * 24 * time.Hour
	// Keep is for how long news and deliveries are kept.
	Keep = 30 * 24 * time.Hour

	secretSize = 24
	maxURL     = 500
)

// Make stores a new subscription, whose secret it makes.
func (s *Service) Make(ctx context.Context, a Actor, sub *Subscription) error {
	if !a.Scope.Covers(sub.UnitPath) {
		return tianbao.NotFound()
	}
	if err := s.check(sub); err != nil {
		return err
	}
	if len(sub.URL) > maxURL {
		return tianbao.Invalid("bad_url", fmt.Sprintf("地址最长 %d 个字符。", maxURL))
	}
	if err := s.Sender.Check(sub.URL); err != nil {
		return err
	}
	all, err := s.Store.Subscriptions(ctx, tianbao.Scope{Paths: []string{sub.UnitPath}})
	if err != nil {
		return err
	}
	if len(all) >= MaxSubscriptions {
		return tianbao.Invalid("too_many", fmt.Sprintf("一个单位和它的下级最多有 %d 个事件订阅，请先结束不用的。", MaxSubscriptions))
	}
	sub.ID, sub.State, sub.By, sub.Made = tianbao.ID(s.IDs.Next()), Active, a.User, s.Now()
	sub.Secret = make([]byte, secretSize)
	_, _ = rand.Read(sub.Secret) // never fails (crypto/rand)
	return s.Store.PutSubscription(ctx, sub, s.event(&a, "webhook.make", sub, kindNames(sub.Kinds)))
}

// check says what is wrong with name and kinds, which it brings into order.
func (s *Service) check(sub *Subscription) error {
	sub.Name = strings.TrimSpace(sub.Name)
	if n := utf8.RuneCountInString(sub.Name); n < 2 || n > 50 {
		return tianbao.Invalid("bad_name", "请填写用途，说明给哪个系统用，2 到 50 个字。")
	}
	sub.Kinds = slices.Compact(slices.Sorted(slices.Values(sub.Kinds)))
	if !known(sub.Kinds) {
		return tianbao.Invalid("no_kind", "请至少勾选一种事件。")
	}
	return nil
}

func kindNames(kinds []tianbao.NewsKind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, " ")
}

// Get returns a subscription that has not ended.
func (s *Service) Get(ctx context.Context, a Actor, id tianbao.ID) (Subscription, error) {
	sub, err := s.Store.Subscription(ctx, a.Scope, id)
	if err == nil && sub.State == Ended {
		err = tianbao.NotFound()
	}
	return sub, err
}

// Set changes name, kinds and state. Active lets a paused or stopped one go on: what waited
// is told in order.
func (s *Service) Set(ctx context.Context, a Actor, id tianbao.ID, name string, kinds []tianbao.NewsKind, state State) error {
	sub, err := s.Get(ctx, a, id)
	if err != nil {
		return err
	}
	if state != Active && state != Paused && state != Ended {
		return tianbao.Invalid("bad_state", "没有这种状态，请刷新页面后重试。")
	}
	what := "webhook.edit"
	if state == Ended {
		what = "webhook.end"
	} else {
		sub.Name, sub.Kinds = name, kinds
		if err := s.check(&sub); err != nil {
			return err
		}
	}
	sub.State = state
	return s.Store.SetSubscription(ctx, &sub, s.event(&a, what, &sub, string(state)+" "+kindNames(sub.Kinds)))
}

// Ping sends a test and tells what was answered.
func (s *Service) Ping(ctx context.Context, a Actor, id tianbao.ID) (status int, err error) {
	sub, err := s.Get(ctx, a, id)
	if err != nil {
		return 0, err
	}
	now, ping := s.Now(), tianbao.ID(s.IDs.Next())
	b, err := json.Marshal(body{Type: "ping", ID: ping.String(), At: now.UTC()})
	if err != nil {
		return 0, errors.New("news: a ping cannot be encoded")
	}
	status, sent := s.Sender.Send(ctx, sub.URL, sub.Secret, ping.String(), b)
	e := s.event(&a, "webhook.test", &sub, fmt.Sprintf("status=%d", status))
	if sent != nil {
		e.Result = tianbao.ResultFailed
	}
	if err := s.Store.Record(ctx, e); err != nil {
		return status, err
	}
	var said *tianbao.Error
	if errors.As(sent, &said) {
		return status, said
	}
	return status, nil
}

// Replay tells deliveries once more and returns how many.
func (s *Service) Replay(ctx context.Context, a Actor, id tianbao.ID, r Range) (int, error) {
	sub, err := s.Get(ctx, a, id)
	if err != nil {
		return 0, err
	}
	if r.N == 0 && (r.From.IsZero() || !r.From.Before(r.To)) {
		return 0, tianbao.Invalid("bad_range", "请填写重发的起止时间，结束要晚于开始。")
	}
	n, err := s.Store.Replay(ctx, &sub, r, MaxReplay, func(n int) []tianbao.Event {
		return []tianbao.Event{s.event(&a, "webhook.replay", &sub, fmt.Sprintf("deliveries=%d", n))}
	})
	if err == nil && n == 0 {
		err = tianbao.Invalid("nothing", fmt.Sprintf("这段时间里没有可以重发的事件；事件只保留 %d 天。", int(Keep/(24*time.Hour))))
	}
	return n, err
}
