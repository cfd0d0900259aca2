package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tianbao"
)

// How a plan is carried out, step by step, or many new accounts at once.

// carryOut takes the steps of a plan that are not taken yet, in order.
func (s *Service) carryOut(ctx context.Context, h *Head) (steps int, err error) {
	bad := make(map[int]bool) // steps that failed
	most := 1
	if b, ok := s.Target.(Bulk); ok {
		if most, err = b.Most(ctx); err != nil {
			return 0, err
		}
	}
	for behind := -1; ; {
		lines, err := s.Store.Lines(ctx, h.ID, behind, "", "", batch)
		if err != nil {
			return steps, err
		}
		if len(lines) == 0 {
			break
		}
		for i := 0; i < len(lines); i++ {
			if n := together(lines[i:], bad, most); n > 1 {
				took, err := s.many(ctx, h, lines[i:i+n], bad)
				if steps += took; err != nil {
					return steps, err
				}
				behind, i = lines[i+n-1].N, i+n-1
				continue
			}
			l := &lines[i]
			behind = l.N
			switch l.State {
			case StepFailed, StepSkipped:
				bad[l.N] = true
			case StepPlanned, StepSending:
				o := &Outcome{Plan: h.ID, N: l.N, Node: s.Node}
				if err := s.step(ctx, h, l, o, bad[l.Needs]); err != nil {
					return steps, err
				}
				steps++
				bad[l.N] = o.State != StepApplied
			}
		}
	}
	at := s.Now()
	e := tianbao.Event{At: at, Actor: h.ApprovedBy, Owner: h.Root, What: "platform.done", Object: h.ID.String(), News: &tianbao.News{Kind: tianbao.NewsAccounts, Campaign: h.Campaign}}
	return steps, s.Store.Leave(ctx, h.ID, s.Node, true, "", time.Time{}, at, e)
}

// step takes one step.
func (s *Service) step(ctx context.Context, h *Head, l *Line, o *Outcome, skip bool) error {
	o.State = StepApplied
	switch {
	case skip:
		o.State = StepSkipped
	case s.Target != nil:
		if err := s.begin(ctx, o); err != nil {
			return err
		}
		if err := s.ask(ctx, l, o); err != nil {
			return err
		}
	}
	return s.finish(ctx, h, l, o)
}

// finish writes down what became of a step.
func (s *Service) finish(ctx context.Context, h *Head, l *Line, o *Outcome) error {
	o.At = s.Now()
	o.Until = o.At.Add(lease)
	e := tianbao.Event{
		At: o.At, Actor: h.ApprovedBy, What: "platform.apply", Object: l.After.ID.String(),
		Detail: fmt.Sprintf("plan=%s kind=%s state=%s", h.ID, l.Kind, o.State),
	}
	if len(l.After.Units) > 0 {
		e.Owner = l.After.Units[0]
	}
	if o.State != StepApplied {
		e.Result = tianbao.ResultFailed
	}
	mine, err := s.Store.Finish(ctx, l, o, e)
	if err == nil && !mine {
		err = errLost
	}
	return err
}

// begin marks a step as being sent.
func (s *Service) begin(ctx context.Context, o *Outcome) error {
	o.At = s.Now()
	o.Until = o.At.Add(lease)
	mine, err := s.Store.Begin(ctx, o)
	if err == nil && !mine {
		err = errLost
	}
	return err
}

// ask asks the other side for a step.
func (s *Service) ask(ctx context.Context, l *Line, o *Outcome) error {
	external, err := s.Store.External(ctx, l.After.ID)
	if err != nil {
		return err
	}
	orders, err := s.orders(ctx, []Line{*l})
	if err != nil {
		return err
	}
	order := orders[0]
	order.External = external
	o.External, err = s.Target.Apply(ctx, order)
	var p interface{ Permanent() bool }
	if errors.As(err, &p) && p.Permanent() {
		o.State, o.Reason = StepFailed, refused
		s.Log.Warn("the platform refused a step", "plan", o.Plan, "step", o.N, "err", err)
		return nil
	}
	return err
}

// refused tells that the platform will not take a step.
const refused = "平台拒绝了这一步，请核对登录名和单位后重新生成方案。"

// orders makes the orders of steps, without the other side's ids.
func (s *Service) orders(ctx context.Context, lines []Line) ([]*Order, error) {
	var ids []tianbao.ID
	for i := range lines {
		ids = append(ids, lines[i].After.Units...)
	}
	units, err := s.Store.UnitsNamed(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*Order, len(lines))
	for i := range lines {
		out[i] = &Order{Step: lines[i].Step}
		for _, id := range lines[i].After.Units {
			if u, ok := units[id]; ok {
				out[i].Units = append(out[i].Units, u)
			}
		}
	}
	return out, nil
}

// together counts how many lines from the first one on can be asked for at once: new accounts
// that nobody was asked for yet, and that wait for none of each other. Whether a service takes
// the operations of one request in their order is its own affair.
func together(lines []Line, bad map[int]bool, most int) (n int) {
	for n < len(lines) && n < most {
		l := &lines[n]
		if l.Kind != Create || l.State != StepPlanned || l.Needs >= 0 && (l.Needs >= lines[0].N || bad[l.Needs]) {
			break
		}
		n++
	}
	return n
}

// many takes such steps at once. Each is begun and finished by itself: what the answer does
// not tell, and what is cut off, is asked for one by one, which looks before it makes.
func (s *Service) many(ctx context.Context, h *Head, lines []Line, bad map[int]bool) (steps int, err error) {
	orders, err := s.orders(ctx, lines)
	if err != nil {
		return 0, err
	}
	for i := range lines {
		if err := s.begin(ctx, &Outcome{Plan: h.ID, N: lines[i].N, Node: s.Node}); err != nil {
			return 0, err
		}
	}
	made, err := s.Target.(Bulk).Create(ctx, orders)
	if err != nil {
		return 0, err
	}
	for i := range lines {
		l := &lines[i]
		o := &Outcome{Plan: h.ID, N: l.N, Node: s.Node, State: StepApplied, External: made[i].External}
		switch {
		case made[i].Refused:
			o.State, o.Reason = StepFailed, refused
			err = s.finish(ctx, h, l, o)
		case made[i].External == "":
			err = s.step(ctx, h, l, o, false)
		default:
			err = s.finish(ctx, h, l, o)
		}
		if err != nil {
			return steps, err
		}
		steps++
		bad[l.N] = o.State != StepApplied
	}
	return steps, nil
}
