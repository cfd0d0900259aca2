package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
)

// View chooses units by what a reviewer has to do with them.
type View string

// The views.
const (
	ViewWaiting  View = ""         // those whose turn it is at the reviewer's level
	ViewReturned View = "returned" // sent back and not reported since
	ViewPassed   View = "passed"   // passed last at the reviewer's level
	ViewAll      View = "all"      // whatever their state
)

// ReviewFilter chooses units for a reviewer.
type ReviewFilter struct {
	View  View
	Below tianbao.ID // a unit in scope and what lies below it, 0: all
	Text  string     // part of the name or of a code
	Code  string     // with a reason for this fault
	Sheet tianbao.ID // with rows in this report, 0: all
}

// Limits of one act of a reviewer.
const (
	MaxJudged  = 200
	maxRemark  = 500
	maxRemarks = 500
)

// Reviews lists the units that the filter chooses, in the order of the tree, behind the
// path after, with the path to go on from ("" at the end).
func (s *Service) Reviews(ctx context.Context, rv Reviewer, id tianbao.ID, f ReviewFilter, after string, limit int) (page []ReviewLine, next string, err error) {
	plan, err := s.Store.Plan(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if plan.Campaign.Phase() == tianbao.PhasePreparing {
		return nil, "", tianbao.NotFound()
	}
	only, err := s.chosen(ctx, rv, id, &f)
	if err != nil {
		return nil, "", err
	}
	limit = min(max(limit, 1), PageSize)
	states := map[View][]tianbao.Standing{
		ViewWaiting:  {tianbao.StandingReported},
		ViewReturned: {tianbao.StandingReturned, tianbao.StandingOverdue},
		ViewPassed:   {tianbao.StandingReported, tianbao.StandingPassed},
	}[f.View]
	const some = 500
	for {
		var batch []UnitState
		q := Question{Campaign: id, At: s.Now()}
		err := s.Each(ctx, rv.Scope, q, Filter{States: states, Below: f.Below, Text: f.Text}, after, func(u *UnitState) error {
			if len(batch) == some {
				return errFull
			}
			if only == nil || only[u.Unit.ID] {
				batch = append(batch, *u)
			}
			return nil
		})
		if err != nil && !errors.Is(err, errFull) {
			return nil, "", err
		}
		paths := slices.Clone(rv.Scope.Paths)
		for i := range batch {
			paths = append(paths, batch[i].Unit.Path)
		}
		t, terr := s.treeOf(ctx, paths...)
		if terr != nil {
			return nil, "", terr
		}
		for i := range batch {
			after = batch[i].Unit.Path
			l := t.line(&rv, plan.Campaign.Levels, &batch[i])
			if !l.seenIn(f.View) {
				continue
			}
			if len(page) == limit {
				return page, page[limit-1].Unit.Path, nil
			}
			page = append(page, l)
		}
		if err == nil {
			return page, "", nil
		}
	}
}

func (l *ReviewLine) seenIn(v View) bool {
	switch v {
	case ViewWaiting:
		return l.Pass != 0
	case ViewReturned:
		return l.State == tianbao.StandingReturned
	case ViewPassed:
		return l.Withdraw != 0
	}
	return l.Ladder != 0
}

// maxChosen bounds the rows that are looked through for a filter by reason.
const maxChosen = 20_000

// chosen returns the units that have rows in the filter's sheet and reasons of its code,
// nil for all.
func (s *Service) chosen(ctx context.Context, rv Reviewer, id tianbao.ID, f *ReviewFilter) (map[tianbao.ID]bool, error) {
	var only map[tianbao.ID]bool
	if f.Sheet != 0 {
		units, err := s.Store.UnitsOf(ctx, f.Sheet)
		if err != nil {
			return nil, err
		}
		only = make(map[tianbao.ID]bool, len(units))
		for _, u := range units {
			only[u] = true
		}
	}
	if f.Code == "" {
		return only, nil
	}
	with := make(map[tianbao.ID]bool)
	var at Cursor
	for n := 0; n < maxChosen; {
		rows, err := s.Store.Explained(ctx, rv.Scope, id, at, 500)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			r := &rows[i]
			at = Cursor{r.Unit.Path, r.Report.ID, r.Row.ID}
			if (only == nil || only[r.Unit.ID]) && slices.ContainsFunc(r.Row.Reasons, func(x tianbao.Reason) bool { return x.Code == f.Code }) {
				with[r.Unit.ID] = true
			}
		}
		if n += len(rows); len(rows) < 500 {
			break
		}
	}
	return with, nil
}

// ReviewOf returns the line of one unit that the reviewer may look at.
func (s *Service) ReviewOf(ctx context.Context, rv Reviewer, id, unit tianbao.ID) (ReviewLine, error) {
	plan, err := s.Store.Plan(ctx, id)
	if err != nil {
		return ReviewLine{}, err
	}
	if plan.Campaign.Phase() == tianbao.PhasePreparing {
		return ReviewLine{}, tianbao.NotFound()
	}
	u, err := s.State(ctx, rv.Scope, id, unit)
	if err != nil {
		return ReviewLine{}, err
	}
	t, err := s.treeOf(ctx, append(slices.Clone(rv.Scope.Paths), u.Unit.Path)...)
	if err != nil {
		return ReviewLine{}, err
	}
	return t.line(&rv, plan.Campaign.Levels, &u), nil
}

// ReviewAct is what a reviewer does with units.
type ReviewAct struct {
	Units  []tianbao.ID
	Kind   tianbao.VerdictKind
	Remark string
	// Until lets returned units edit until then, zero: until their time is over.
	Until time.Time
	// Cells are remarks on cells and rows of the units that are returned: Report, Row,
	// Field and Text.
	Cells []tianbao.Remark
}

// Review passes units, returns them or takes the last pass back, all of them or none.
func (s *Service) Review(ctx context.Context, rv Reviewer, id tianbao.ID, act ReviewAct) error {
	if err := checkAct(&act, s.Now()); err != nil {
		return err
	}
	plan, err := s.Store.Plan(ctx, id)
	if err != nil {
		return err
	}
	c := &plan.Campaign
	switch {
	case c.Phase() != tianbao.PhaseOpen:
		return tianbao.Invalid("not_open", "采集不在开放阶段，不能审核。")
	case c.Levels == 0:
		return tianbao.Invalid("no_review", "这次采集没有设置审核；需要审核的，请省财政厅在采集管理中设置。")
	}
	j := Judgement{Levels: c.Levels, Remarks: act.Cells}
	now := s.Now()
	for i := range j.Remarks {
		j.Remarks[i].ID = tianbao.ID(s.IDs.Next())
	}
	for _, unit := range act.Units {
		l, err := s.ReviewOf(ctx, rv, id, unit)
		if err != nil {
			return err
		}
		v, err := l.verdict(act.Kind)
		if err != nil {
			return err
		}
		v.ID, v.Campaign, v.Unit, v.Remark, v.By, v.At = tianbao.ID(s.IDs.Next()), id, unit, act.Remark, rv.User, now
		j.Verdicts = append(j.Verdicts, v)
		if act.Kind == tianbao.VerdictReturn {
			r, err := reopening(plan, &l, act.Until, now)
			if err != nil {
				return err
			}
			if r != nil {
				r.ID, r.Campaign, r.By = tianbao.ID(s.IDs.Next()), id, rv.User
				j.Reopen = append(j.Reopen, *r)
			}
		}
		ev := tianbao.Event{
			At: now, Actor: rv.User, Owner: unit, From: rv.From, What: "review." + string(act.Kind), Object: id.String(), Reason: act.Remark,
			Detail: fmt.Sprintf("level=%d", v.Level), News: &tianbao.News{Kind: act.Kind.News(), Campaign: id},
		}
		j.Events = append(j.Events, ev)
	}
	return s.Store.Review(ctx, &j)
}

func checkAct(act *ReviewAct, now time.Time) error {
	act.Remark = strings.TrimSpace(act.Remark)
	slices.Sort(act.Units)
	act.Units = slices.Compact(act.Units)
	kept := act.Cells[:0:0]
	for _, m := range act.Cells {
		if m.Text = strings.TrimSpace(m.Text); m.Text != "" {
			kept = append(kept, m)
		}
	}
	act.Cells = kept
	long := slices.ContainsFunc(kept, func(m tianbao.Remark) bool { return utf8.RuneCountInString(m.Text) > maxRemark })
	switch {
	case len(act.Units) == 0:
		return tianbao.Invalid("no_units", "请先选择单位。")
	case len(act.Units) > MaxJudged:
		return tianbao.Invalid("too_many_units", fmt.Sprintf("一次最多审核 %d 个单位，请分几次。", MaxJudged))
	case utf8.RuneCountInString(act.Remark) > maxRemark || long:
		return tianbao.Invalid("long_remark", fmt.Sprintf("每条意见最多 %d 个字，请写得短一些。", maxRemark))
	case len(kept) > maxRemarks:
		return tianbao.Invalid("too_many_remarks", fmt.Sprintf("一次最多写 %d 条意见，请写在整行或整个单位上。", maxRemarks))
	case act.Kind != tianbao.VerdictReturn && len(kept) > 0:
		return tianbao.Invalid("remarks_need_return", "写了单元格的意见就要退回，单位才看得到；要通过的，请先清空这些意见。")
	case act.Kind != tianbao.VerdictPass && act.Remark == "" && len(kept) == 0:
		return tianbao.Invalid("no_remark", "请写明意见，填报单位会看到。")
	case !act.Until.IsZero() && !act.Until.After(now):
		return tianbao.Invalid("over_already", "结束时间已经过去，请填写以后的时间。")
	}
	return nil
}

// verdict is what the act says of the unit, refused where the reviewer may not.
func (l *ReviewLine) verdict(k tianbao.VerdictKind) (v tianbao.Verdict, err error) {
	v.Kind = k
	name := "“" + l.Unit.Name + "”"
	switch k {
	case tianbao.VerdictPass:
		if l.Pass == 0 {
			return v, tianbao.Invalid("not_to_pass", l.refusal(name))
		}
		v.Level = int(l.Pass)
		v.Last, v.After = l.Pass == l.Ladder.Top(), l.Passes.Level()
	case tianbao.VerdictReturn:
		if l.Return == 0 {
			return v, tianbao.Invalid("not_to_return", l.refusal(name))
		}
		v.Level = int(l.Return)
	case tianbao.VerdictWithdraw:
		if l.Withdraw == 0 {
			return v, tianbao.Invalid("not_to_withdraw", l.refusal(name))
		}
		v.Level = int(l.Withdraw)
	default:
		return v, tianbao.Invalid("bad_verdict", "没有这种审核结论，请刷新页面后重试。")
	}
	return v, nil
}

// refusal tells why the reviewer cannot do that with the unit.
func (l *ReviewLine) refusal(name string) string {
	top := l.Passed()
	switch {
	case l.Mine == 0:
		return name + "不由您所在的一级审核。"
	case top > 0 && !l.Mine.Has(top) && top > l.Mine.Top():
		return fmt.Sprintf("%s已由%s级审核通过，请先由%s级撤回。", name, top.Title(), top.Title())
	case top > 0 && l.Mine.Has(top):
		return name + "已由您这一级审核通过，要改变请先撤回审核。"
	case l.Next > 0 && !l.Mine.Has(l.Next):
		return fmt.Sprintf("%s现在由%s级审核，还没有轮到您这一级。", name, l.Next.Title())
	}
	return fmt.Sprintf("%s现在是“%s”，不能这样处理；请刷新页面后重试。", name, l.Shown.Title())
}

// reopening is the rule that lets a returned unit edit until a time, nil where its door is
// open as long anyway.
func reopening(p *Plan, l *ReviewLine, until, now time.Time) (*tianbao.CampaignRule, error) {
	d := p.At(Place{l.Unit.Path, l.Unit.Region}, now)
	name := "“" + l.Unit.Name + "”"
	switch {
	case d.Open() && (until.IsZero() || d.When.IsZero() || !until.After(d.When)):
		return nil, nil //nolint:nilnil // nothing to reopen is an answer
	case d.Why == WhyLocked:
		return nil, tianbao.Invalid("locked", name+"已被锁定，退回了也不能修改；请先取消锁定再退回。")
	case !d.Open() && d.Why != WhyClosed && d.Why != WhyNotYet:
		return nil, tianbao.Invalid("not_open", name+"现在不能修改，没有退回："+d.Explain())
	case until.IsZero():
		return nil, tianbao.Invalid("no_expiry", name+"的填报时间已过，请填写让它修改到什么时候为止。")
	}
	return &tianbao.CampaignRule{Kind: tianbao.RuleReopen, Unit: l.Unit.ID, Closes: until, Reason: "审核退回，请修改后重新上报", Made: now, Alone: true}, nil
}

// SetLevels sets which levels review a collection, none: nobody does. While a unit is
// passed they stay.
func (s *Service) SetLevels(ctx context.Context, a Actor, id tianbao.ID, levels tianbao.Levels) error {
	c, err := s.mine(ctx, a, id)
	if err != nil {
		return err
	}
	if !levels.Valid() {
		return tianbao.Invalid("bad_levels", "没有这样的审核层级，请重新选择。")
	}
	c.Levels = levels
	return s.Store.ChangeCollection(ctx, s.change(a, c, s.event(a, "review.levels", &c, 0, fmt.Sprintf("levels=%v", levels.List()))))
}
