package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Order is one step as the other side is asked to take it.
type Order struct {
	Step
	External string         // the other side's id of the account, empty: not known
	Units    []tianbao.Unit // of the account as it is to be, the home first
}

// Remote is an account as it stands at the other side.
type Remote struct {
	External string     // its id there
	Account  tianbao.ID // ours, 0: one that we did not make
	Login    string
	Name     string
	Disabled bool
	Unit     string // code of the home
}

// Target is the platform's own interface. An error that has a method Permanent which
// answers true is a refusal of this step; any other ends the run, to be tried again.
type Target interface {
	// Apply makes an account as the step says and returns the other side's id. It may be
	// asked again for a step whose answer was lost, and does not do it twice.
	Apply(ctx context.Context, o *Order) (external string, err error)
	// List goes through all accounts of the other side.
	List(ctx context.Context, fn func(r *Remote) error) error
}

// Bulk is a Target that takes many creations at once.
type Bulk interface {
	// Most returns how many it takes at once, less than 2: it does not.
	Most(ctx context.Context) (int, error)
	// Create makes accounts for which the other side was never asked before, the answers in
	// their order.
	Create(ctx context.Context, orders []*Order) ([]Made, error)
}

// Made is what became of an account that was asked for with others: the other side's id, or
// a refusal; neither: it is not known, and Apply finds out.
type Made struct {
	External string
	Refused  bool
}

// Service makes plans and carries them out. Its fields do not change once it is in use.
type Service struct {
	Store Store
	IDs   *clock.IDs
	Now   clock.Clock
	// Target is the platform, nil: accounts go there by file, and a plan that is approved
	// counts as carried out by whoever takes the file there.
	Target Target
	// Proofs tells whether codes can be sent to phones.
	Proofs bool
	// Proven returns the phones that were shown to be somebody's; nil: nobody asks.
	Proven func(ctx context.Context, rows []Row) (func(person, phone string) bool, error)
	Node   string
	Log    *slog.Logger
}

// Actor is who acts.
type Actor struct {
	User tianbao.ID
	From string // address
	Root tianbao.ID
	// Scope is what the actor may see of plans and accounts.
	Scope tianbao.Scope
}

func (a *Actor) event(at time.Time, what string, object tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: at, Actor: a.User, Owner: a.Root, From: a.From, What: what, Object: object.String(), Detail: detail}
}

// Draw makes the plan of a collection for the actor's subtree and stores it. Nothing is
// done before somebody else approves it.
func (s *Service) Draw(ctx context.Context, a Actor, campaign tianbao.ID, proof bool) (Head, error) {
	if proof && s.Proven == nil {
		return Head{}, tianbao.Invalid("no_proofs", "系统没有配置短信接口，不能要求验证手机号，请去掉这一项再生成。")
	}
	m, err := s.Store.Material(ctx, a.Root, campaign)
	if err != nil {
		return Head{}, err
	}
	in := &Input{Rows: m.Rows, Settled: func(u tianbao.ID) bool { return m.Settled[u] }}
	for i := range m.Stored {
		in.Accounts = append(in.Accounts, m.Stored[i].Account)
	}
	if proof {
		if in.Proven, err = s.Proven(ctx, m.Rows); err != nil {
			return Head{}, err
		}
	}
	plan := Make(in)
	for i := range plan.Steps {
		if plan.Steps[i].Kind == Create {
			plan.Steps[i].After.ID = tianbao.ID(s.IDs.Next())
		}
	}
	h := Head{ID: tianbao.ID(s.IDs.Next()), Campaign: campaign, Root: a.Root, State: Planned, Proof: proof, Kept: plan.Kept, Made: s.Now(), By: a.User}
	e := a.event(h.Made, "platform.plan", h.ID, fmt.Sprintf("campaign=%s steps=%d held=%d", campaign, len(plan.Steps), len(plan.Held)))
	return h, s.Store.PutPlan(ctx, &h, plan, e)
}

// Decide approves a plan of somebody else, or gives one up.
func (s *Service) Decide(ctx context.Context, a Actor, id tianbao.ID, approve bool) error {
	h, err := s.Store.PlanOf(ctx, a.Scope, id)
	if err != nil {
		return err
	}
	to, what := Dropped, "platform.drop"
	if approve {
		to, what = Approved, "platform.approve"
		if h.By == a.User {
			return &tianbao.Error{Kind: tianbao.ErrForbidden, Code: "two_people", Message: "方案要由另一位经办人批准，请同事登录后核对并批准。"}
		}
	}
	at := s.Now()
	return s.Store.Decide(ctx, id, to, a.User, at, a.event(at, what, id, ""))
}

// Timing of carrying out: a plan stays in hand for lease after each step, and rests after
// trouble.
const (
	lease = 2 * time.Minute
	rest  = time.Minute
	// batch is how many steps are read at once.
	batch = 100
)

// errLost tells that another server has the plan in hand by now.
var errLost = errors.New("provision: another server has the plan in hand")

// Resume goes on at once with what a server left that was killed; without it, when its lease
// is over. Only a server that knows that it is alone may ask for it.
func (s *Service) Resume(ctx context.Context) error { return s.Store.FreePlans(ctx) }

// Round carries out approved plans, also what a killed server left half done; it returns
// how many steps it took.
func (s *Service) Round(ctx context.Context) (steps int, err error) {
	for {
		now := s.Now()
		h, ok, err := s.Store.Lease(ctx, s.Node, now, now.Add(lease))
		if err != nil || !ok {
			return steps, err
		}
		n, err := s.carryOut(ctx, &h)
		steps += n
		switch {
		case errors.Is(err, errLost):
			continue
		case ctx.Err() != nil:
			return steps, ctx.Err() // the lease ends by itself
		case err != nil:
			at := s.Now()
			if lerr := s.Store.Leave(ctx, h.ID, s.Node, false, "平台没有应答，稍后自动重试。", at.Add(rest), at); lerr != nil {
				return steps, errors.Join(err, lerr)
			}
			return steps, err
		}
	}
}

// Drift is what stands at the other side otherwise than here.
type Drift struct {
	Kind    DriftKind
	Account Stored // zero for Foreign
	Remote  Remote // zero for Missing
	Fields  []string
}

// DriftKind is a kind of difference.
type DriftKind string

// The kinds of drift.
const (
	Missing DriftKind = "missing" // we made it, and it is not there
	Foreign DriftKind = "foreign" // it is there, and we did not make it
	Differs DriftKind = "differs"
)

// Title returns the kind in the users' words.
func (k DriftKind) Title() string {
	switch k {
	case Missing:
		return "平台上没有"
	case Foreign:
		return "平台上多出"
	case Differs:
		return "内容不一致"
	}
	return ""
}

// Drift compares what stands at the other side with the accounts in scope.
func (s *Service) Drift(ctx context.Context, a Actor) ([]Drift, error) {
	if s.Target == nil {
		return nil, tianbao.Invalid("no_target", "系统没有配置平台的接口，不能自动核对，请用导出的工作簿核对。")
	}
	ours := make(map[tianbao.ID]Stored)
	var homes []tianbao.ID
	for behind := tianbao.ID(0); ; {
		some, err := s.Store.Accounts(ctx, a.Scope, behind, 1000)
		if err != nil {
			return nil, err
		}
		for _, x := range some {
			ours[x.ID], behind = x, x.ID
			homes = append(homes, x.Units[0])
		}
		if len(some) == 0 {
			break
		}
	}
	slices.Sort(homes)
	units, err := s.Store.UnitsNamed(ctx, slices.Compact(homes))
	if err != nil {
		return nil, err
	}
	var out []Drift
	err = s.Target.List(ctx, func(r *Remote) error {
		x, ok := ours[r.Account]
		if !ok {
			if r.Account == 0 {
				out = append(out, Drift{Kind: Foreign, Remote: *r})
			}
			return nil // or of units that are not the actor's
		}
		delete(ours, r.Account)
		d := Drift{Kind: Differs, Account: x, Remote: *r}
		for _, f := range []struct {
			name string
			same bool
		}{
			{"登录名", r.Login == x.Login},
			{"姓名", r.Name == x.Name},
			{"是否停用", r.Disabled == x.Disabled},
			{"单位", r.Unit == units[x.Units[0]].BudgetCode},
		} {
			if !f.same {
				d.Fields = append(d.Fields, f.name)
			}
		}
		if len(d.Fields) > 0 {
			out = append(out, d)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("provision: read the accounts of the platform: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(ours)) {
		out = append(out, Drift{Kind: Missing, Account: ours[id]})
	}
	slices.SortStableFunc(out, func(x, y Drift) int { return strings.Compare(string(x.Kind), string(y.Kind)) })
	return out, nil
}
