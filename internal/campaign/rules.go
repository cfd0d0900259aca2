package campaign

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
)

// maxRules bounds the rules of a collection that stand, which every page of it reads.
const maxRules = 2_000

// SetRule adds a rule to a collection. A window, an inclusion or an exclusion takes the
// place of the one about the same unit or region; locks and reopenings stand beside
// others, and the last made of those that hold decides. Locks and reopenings are for who
// may lock the unit, all others for who runs the collection.
func (s *Service) SetRule(ctx context.Context, a Actor, id tianbao.ID, r tianbao.CampaignRule) error {
	c, runs, err := s.Collection(ctx, a, id)
	if err != nil {
		return err
	}
	rules, err := s.Store.Rules(ctx, id)
	if err != nil {
		return err
	}
	now := s.Now()
	standing := slices.DeleteFunc(rules, func(o tianbao.CampaignRule) bool { return !o.Stands(now) })
	part := 0 // about more than one unit
	for i := range standing {
		if !standing[i].Alone {
			part++
		}
	}
	if part >= maxRules {
		return tianbao.Invalid("too_many_rules", "这次采集的安排已经很多，请先取消不再需要的，或改为对上级单位、地区统一安排。")
	}
	r.Reason = strings.TrimSpace(r.Reason)
	if err := checkRule(&r, now); err != nil {
		return err
	}
	what := "campaign.rule"
	detail := string(r.Kind)
	switch r.Kind {
	case tianbao.RuleLock, tianbao.RuleReopen:
		what = "campaign." + string(r.Kind)
		if err := s.mayLock(ctx, a, &c, runs, &r, standing); err != nil {
			return err
		}
	default:
		if !runs {
			return tianbao.NotFound()
		}
		if r.Unit != 0 {
			if _, err := s.Store.Unit(ctx, a.Runs, r.Unit); err != nil {
				return err
			}
		}
	}
	if r.Region != 0 {
		regions, err := s.Store.Regions(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(regions, func(g tianbao.Region) bool { return g.ID == r.Region }) {
			return tianbao.Invalid("no_region", "没有这个地区，请从列表中选择。")
		}
		detail += " region=" + r.Region.String()
	}
	ev := s.event(a, what, &c, r.Unit, detail)
	ev.Reason = r.Reason
	ch := s.change(a, c, ev)
	ch.Add = []tianbao.CampaignRule{s.rule(a, ch, r)}
	for i := range standing {
		if replaces(&r, &standing[i]) {
			ch.End = append(ch.End, standing[i].ID)
		}
	}
	return s.Store.ChangeCollection(ctx, ch)
}

func checkRule(r *tianbao.CampaignRule, now time.Time) error {
	timed := r.Kind == tianbao.RuleWindow || r.Kind == tianbao.RuleLock || r.Kind == tianbao.RuleReopen
	if !timed {
		r.Opens, r.Closes = time.Time{}, time.Time{}
	}
	switch {
	case r.Kind.Title() == "":
		return tianbao.Invalid("bad_rule", "没有这种安排，请刷新页面后重试。")
	case (r.Unit == 0) == (r.Region == 0):
		return tianbao.Invalid("no_target", "请选择一个单位或一个地区。")
	case utf8.RuneCountInString(r.Reason) > maxReason:
		return tianbao.Invalid("long_reason", "原因最多 200 个字，请写得短一些。")
	case r.Reason == "" && (r.Kind == tianbao.RuleLock || r.Kind == tianbao.RuleReopen):
		return tianbao.Invalid("no_reason", "请写明原因，填报单位会看到。")
	case r.Kind == tianbao.RuleWindow && r.Opens.IsZero():
		return tianbao.Invalid("no_opening", "请填写从什么时候开始填报。")
	case r.Kind == tianbao.RuleReopen && r.Closes.IsZero():
		return tianbao.Invalid("no_expiry", "请填写重新开放到什么时候为止。")
	case !r.Opens.IsZero() && !r.Closes.IsZero() && !r.Opens.Before(r.Closes):
		return tianbao.Invalid("bad_window", "截止时间要在开始时间之后，请重新填写。")
	case !r.Closes.IsZero() && !r.Closes.After(now) && r.Kind != tianbao.RuleWindow:
		return tianbao.Invalid("over_already", "结束时间已经过去，请填写以后的时间。")
	}
	return nil
}

// replaces reports whether a new rule takes the place of another.
func replaces(r, old *tianbao.CampaignRule) bool {
	if r.Unit != old.Unit || r.Region != old.Region || r.Alone != old.Alone {
		return false
	}
	scope := func(k tianbao.RuleKind) bool { return k == tianbao.RuleInclude || k == tianbao.RuleExclude }
	return r.Kind == tianbao.RuleWindow && old.Kind == tianbao.RuleWindow || scope(r.Kind) && scope(old.Kind)
}

// mayLock refuses a lock or reopening that is not the actor's to give: a unit outside the
// actor's part of the register, or at its very top, which is the business of those above;
// a region, which is for who runs the collection; and a reopening against a lock that was
// set further up.
func (s *Service) mayLock(ctx context.Context, a Actor, c *tianbao.Campaign, runs bool, r *tianbao.CampaignRule, standing []tianbao.CampaignRule) error {
	if c.Phase() != tianbao.PhaseOpen {
		return tianbao.Invalid("not_open", "采集不在开放阶段，不能锁定或重新开放单位。")
	}
	if runs {
		if r.Unit == 0 {
			return nil
		}
		_, err := s.Store.Unit(ctx, a.Runs, r.Unit)
		return err
	}
	if r.Unit == 0 {
		return tianbao.NotFound()
	}
	u, err := s.Store.Unit(ctx, a.Locks, r.Unit)
	if err != nil {
		return err
	}
	if !strictlyBelow(a.Locks, u.Path) {
		return tianbao.Invalid("not_below", "只能锁定或重新开放下级单位；本单位的请联系上级财政部门。")
	}
	if r.Kind == tianbao.RuleLock {
		return nil
	}
	now := s.Now()
	for i := range standing {
		o := &standing[i]
		if o.Kind != tianbao.RuleLock || now.Before(o.Opens) || !o.Closes.IsZero() && !now.Before(o.Closes) {
			continue
		}
		inside := false
		if o.Unit != 0 {
			if at := strings.Index(u.Path, "/"+o.Unit.String()+"/"); at < 0 {
				continue // about others
			} else {
				inside = strictlyBelow(a.Locks, u.Path[:at]+"/"+o.Unit.String()+"/")
			}
		} else if in, err := s.inRegion(ctx, u.Region, o.Region); err != nil {
			return err
		} else if !in {
			continue
		}
		if !inside {
			return tianbao.Invalid("locked_above", "上级已锁定这个单位（原因："+o.Reason+"），要重新开放请联系上级财政部门。")
		}
	}
	return nil
}

func (s *Service) inRegion(ctx context.Context, region, in tianbao.ID) (bool, error) {
	regions, err := s.Store.Regions(ctx)
	if err != nil {
		return false, err
	}
	above := make(map[tianbao.ID]tianbao.ID, len(regions))
	for _, r := range regions {
		above[r.ID] = r.Parent
	}
	for n := 0; region != 0 && n < 10; n++ {
		if region == in {
			return true, nil
		}
		region = above[region]
	}
	return false, nil
}

// strictlyBelow reports whether a path lies in a scope and is none of its tops.
func strictlyBelow(scope tianbao.Scope, path string) bool {
	return slices.ContainsFunc(scope.Paths, func(p string) bool {
		return p != "" && len(path) > len(p) && strings.HasPrefix(path, p)
	})
}

// EndRule takes a standing rule back. Who does not run the collection may do so with
// locks and reopenings of units strictly below, unless somebody further up made them.
func (s *Service) EndRule(ctx context.Context, a Actor, id, rule tianbao.ID) error {
	c, runs, err := s.Collection(ctx, a, id)
	if err != nil {
		return err
	}
	rules, err := s.Store.Rules(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rules, func(r tianbao.CampaignRule) bool { return r.ID == rule && r.Stands(s.Now()) })
	if i < 0 {
		return tianbao.NotFound()
	}
	r := &rules[i]
	if !runs {
		if r.Kind != tianbao.RuleLock && r.Kind != tianbao.RuleReopen || r.Unit == 0 {
			return tianbao.NotFound()
		}
		u, err := s.Store.Unit(ctx, a.Locks, r.Unit)
		if err != nil {
			return err
		}
		if !strictlyBelow(a.Locks, u.Path) {
			return tianbao.NotFound()
		}
		if r.By != a.User {
			return tianbao.Invalid("not_yours", "这项安排由别人作出，请联系作出安排的财政部门取消。")
		}
	}
	ch := s.change(a, c, s.event(a, "campaign.release", &c, r.Unit, string(r.Kind)+" "+r.ID.String()))
	ch.End = []tianbao.ID{r.ID}
	return s.Store.ChangeCollection(ctx, ch)
}
