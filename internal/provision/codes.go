package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Codes shows whose phones are. Its fields do not change once it is in use.
type Codes struct {
	Store  CodeStore
	Plans  Store
	IDs    *clock.IDs
	Now    clock.Clock
	Sender CodeSender // nil: there is no way to a phone
	Node   string
	Log    *slog.Logger
}

// noSender says that no codes can be sent.
func noSender() error {
	return tianbao.Invalid("no_proofs", "系统没有配置短信接口，不能发验证码，请联系运维人员。")
}

// PhoneLine is a person whose phone is to be verified.
type PhoneLine struct {
	Row
	PhoneState
	// Sendable tells that a code may be asked for now.
	Sendable bool
}

// Phones are those of a unit.
type Phones struct {
	Title string // of the collection
	Lines []PhoneLine
}

// Open are the people to whom codes can be sent together.
func (p *Phones) Open() (n int) {
	for i := range p.Lines {
		if l := &p.Lines[i]; l.Sendable && l.State != ProofSent {
			n++
		}
	}
	return n
}

// Look returns the people of a unit, each once with each phone.
func (s *Codes) Look(ctx context.Context, a Actor, campaign, unit tianbao.ID) (*Phones, error) {
	title, rows, err := s.Store.PhoneRows(ctx, a.Scope, campaign, unit)
	if err != nil {
		return nil, err
	}
	out := &Phones{Title: title}
	type pair struct{ person, phone string }
	seen := make(map[pair]bool)
	var list []Row
	for _, r := range rows {
		p := pair{r.Person, r.Phone}
		if r.Person == "" || !r.Mobile || seen[p] {
			continue // the plan says what is wrong with them
		}
		seen[p] = true
		list = append(list, r)
	}
	now := s.Now()
	states, err := s.Store.PhoneStates(ctx, list, now)
	if err != nil {
		return nil, err
	}
	for i := range list {
		out.Lines = append(out.Lines, PhoneLine{list[i], states[i], s.Sender != nil && states[i].open(now, true)})
	}
	return out, nil
}

// Send sends a code to one of the unit's people, row 0 to all that have none and are not
// verified. It returns how many go out.
func (s *Codes) Send(ctx context.Context, a Actor, campaign, unit, row tianbao.ID) (int, error) {
	if s.Sender == nil {
		return 0, noSender()
	}
	p, err := s.Look(ctx, a, campaign, unit)
	if err != nil {
		return 0, err
	}
	var rows []Row
	for i := range p.Lines {
		l := &p.Lines[i]
		switch {
		case row != 0 && l.Row.Row == row && l.State == ProofDone:
			return 0, tianbao.Invalid("proven", "这个手机号已经验证过，不用再发。")
		case row != 0 && l.Row.Row == row && !l.Sendable:
			return 0, soon()
		case l.Row.Row == row, row == 0 && l.Sendable && l.State != ProofSent && len(rows) < CodeBatch:
			rows = append(rows, l.Row)
		}
	}
	if row != 0 && len(rows) == 0 {
		return 0, tianbao.NotFound()
	}
	n, err := s.order(ctx, a, campaign, rows)
	if err == nil && row != 0 && n == 0 {
		err = soon()
	}
	return n, err
}

// soon says that a phone gets no code now.
func soon() error {
	return &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "code_soon", Message: fmt.Sprintf("这个手机号刚刚发过，或者今天已经发了 %d 次：请等一分钟再发，当天发满的请明天再发。", CodeSends)}
}

// SendHeld sends codes to people whom a plan holds because of their phones, so many at
// once; it returns how many go out.
func (s *Codes) SendHeld(ctx context.Context, a Actor, plan tianbao.ID) (int, error) {
	if s.Sender == nil {
		return 0, noSender()
	}
	h, err := s.Plans.PlanOf(ctx, a.Scope, plan)
	if err != nil {
		return 0, err
	}
	now := s.Now()
	var rows []Row
	for behind := -1; len(rows) < CodeBatch; {
		held, err := s.Plans.HeldOf(ctx, plan, behind, Unproven, CodeBatch)
		if err != nil {
			return 0, err
		}
		if len(held) == 0 {
			break
		}
		var some []Row
		for i := range held {
			x := &held[i]
			behind = x.N
			some = append(some, Row{Report: x.Rows[0].Report, Row: x.Rows[0].Row, Unit: x.Rows[0].Unit, Person: x.Person, Name: x.Name, Phone: x.Phone, Mobile: true})
		}
		states, err := s.Store.PhoneStates(ctx, some, now)
		if err != nil {
			return 0, err
		}
		for i := range some {
			if states[i].open(now, false) && len(rows) < CodeBatch {
				rows = append(rows, some[i])
			}
		}
	}
	return s.order(ctx, a, h.Campaign, rows)
}

func (s *Codes) order(ctx context.Context, a Actor, campaign tianbao.ID, rows []Row) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	o := &CodeOrder{Campaign: campaign, At: s.Now(), By: a.User, Rows: rows}
	for range rows {
		o.IDs = append(o.IDs, tianbao.ID(s.IDs.Next()))
	}
	return s.Store.OrderCodes(ctx, o, func(i int) tianbao.Event { return s.event(a, &rows[i], "phone.send", o.IDs[i]) })
}

// event is an event about the phone of a row, which names nobody.
func (s *Codes) event(a Actor, r *Row, what string, object tianbao.ID) tianbao.Event {
	return tianbao.Event{
		At: s.Now(), Actor: a.User, Owner: r.Unit, From: a.From, What: what, Object: object.String(),
		Detail: fmt.Sprintf("report=%s row=%s", r.Report, r.Row),
	}
}

// Confirm holds a code against the one that was sent to somebody of the unit.
func (s *Codes) Confirm(ctx context.Context, a Actor, campaign, unit, row tianbao.ID, code string) error {
	p, err := s.Look(ctx, a, campaign, unit)
	if err != nil {
		return err
	}
	for i := range p.Lines {
		if l := &p.Lines[i]; l.Row.Row == row {
			return s.confirm(ctx, a, campaign, &l.Row, code)
		}
	}
	return tianbao.NotFound()
}

func (s *Codes) confirm(ctx context.Context, a Actor, campaign tianbao.ID, r *Row, code string) error {
	if len(code) != CodeDigits || strings.Trim(code, "0123456789") != "" {
		return tianbao.Invalid("code_form", "验证码是 6 位数字，请照短信填写。")
	}
	t := &CodeTry{Row: *r, Campaign: campaign, Code: code, By: a.User, At: s.Now(), ID: tianbao.ID(s.IDs.Next())}
	t.Event = s.event(a, r, "phone.confirm", t.ID)
	got, left, err := s.Store.TryCode(ctx, t)
	switch {
	case err != nil:
		return err
	case got == CodeFalse && left > 0:
		return tianbao.Invalid("code_wrong", fmt.Sprintf("验证码不对，请核对短信后重填，还可以试 %d 次。", left))
	case got == CodeFalse:
		return tianbao.Invalid("code_spent", "验证码不对，已经试满次数，请重新发送验证码。")
	case got == CodeGone:
		return tianbao.Invalid("code_gone", "这个手机号现在没有有效的验证码，请重新发送。")
	case got == CodeLocked:
		return &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "code_locked", Message: "本单位今天填错验证码的次数太多，请明天再验证。"}
	}
	return nil
}

// Timing of delivery.
const (
	codeLease = time.Minute
	codeRetry = 15 * time.Second
	codeLook  = 100
	// codeWorkers is how many are handed over at once.
	codeWorkers = 4
)

// Resume is [Service.Resume] for codes.
func (s *Codes) Resume(ctx context.Context) error { return s.Store.FreeCodes(ctx) }

// Deliver sends codes that wait and returns how many it took in hand. What does not get
// out while it would count is given up.
func (s *Codes) Deliver(ctx context.Context) (n int, err error) {
	if s.Sender == nil {
		return 0, nil
	}
	ids, err := s.Store.DueCodes(ctx, s.Now(), codeLook)
	if err != nil {
		return 0, err
	}
	jobs := make(chan tianbao.ID)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range codeWorkers {
		wg.Go(func() {
			for id := range jobs {
				took, e := s.deliver(ctx, id)
				mu.Lock()
				if took {
					n++
				}
				err = errors.Join(err, e)
				mu.Unlock()
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
	return n, err
}

func (s *Codes) deliver(ctx context.Context, id tianbao.ID) (took bool, err error) {
	now := s.Now()
	m, ok, err := s.Store.ClaimCode(ctx, id, s.Node, now, now.Add(codeLease))
	if err != nil || !ok {
		return false, err
	}
	if now.Before(m.Made.Add(CodeLife)) {
		err = s.Sender.SendCode(ctx, &m)
	} else { // the server was down meanwhile: nobody waits for it any more
		err = errLate
	}
	return true, s.sent(context.WithoutCancel(ctx), &m, err)
}

var errLate = errors.New("provision: a code was not sent in time")

// sent notes what became of a message.
func (s *Codes) sent(ctx context.Context, m *CodeMessage, err error) error {
	now := s.Now()
	if err == nil {
		return s.Store.FinishCode(ctx, m, s.Node, true, now, time.Time{})
	}
	s.Log.Warn("a code did not go out", "message", m.ID, "attempts", m.Attempts, "err", err)
	var lasting interface{ Permanent() bool }
	next := now.Add(codeRetry * time.Duration(m.Attempts))
	if errors.As(err, &lasting) && lasting.Permanent() || next.After(m.Made.Add(CodeLife)) {
		e := tianbao.Event{At: now, Owner: m.Unit.ID, What: "phone.fail", Object: m.ID.String(), Result: tianbao.ResultFailed}
		return s.Store.FinishCode(ctx, m, s.Node, false, now, time.Time{}, e)
	}
	return s.Store.FinishCode(ctx, m, s.Node, false, now, next)
}
