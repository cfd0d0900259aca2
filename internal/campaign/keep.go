package campaign

import (
	"context"
	"time"

	"tianbao"
)

// What a collection is for after its round, and before: it may be kept as a register of
// people, and another may be prefilled from it. internal/living does the rest.

// Keep keeps an ended collection as a register of people, or stops that. accepts: changes
// there wait until a bureau accepts them.
func (s *Service) Keep(ctx context.Context, a Actor, id tianbao.ID, keep, accepts bool) error {
	c, err := s.mine(ctx, a, id)
	if err != nil {
		return err
	}
	detail := "stop"
	if keep {
		if p := c.Phase(); p != tianbao.PhaseEnded {
			return tianbao.Invalid("not_ended", "采集结束以后才能作为人员登记保留；现在处于“"+p.Title()+"”阶段。")
		}
		f, err := s.Form(c.Form, c.FormV)
		if err != nil {
			return err
		}
		if !tellsPeople(f) {
			return tianbao.Invalid("no_people", "这张采集表没有身份证号码一栏，认不出人员，不能作为人员登记。")
		}
		if c.Kept.IsZero() {
			c.Kept = s.Now()
		}
		detail = "keep"
		if accepts {
			detail = "keep, a bureau accepts changes"
		}
	} else {
		c.Kept = time.Time{}
	}
	c.Accepts = keep && accepts
	return s.Store.ChangeCollection(ctx, s.change(a, c, s.event(a, "campaign.keep", &c, 0, detail)))
}

// Prefill sets from which collection another is prefilled, 0: from none. Units confirm its
// people one by one; so both have the same form, in whatever version, and the one that is
// prefilled has not begun.
func (s *Service) Prefill(ctx context.Context, a Actor, id, from tianbao.ID) error {
	c, err := s.mine(ctx, a, id)
	if err != nil {
		return err
	}
	if c.Phase() != tianbao.PhasePreparing {
		return tianbao.Invalid("begun", "采集已经开放，不能再换预填的来源。")
	}
	if from != 0 {
		source, err := s.mine(ctx, a, from)
		if err != nil {
			return err
		}
		f, err := s.Form(c.Form, c.FormV)
		if err != nil {
			return err
		}
		if from == id || source.Form != c.Form || source.Phase() == tianbao.PhasePreparing || !tellsPeople(f) {
			return tianbao.Invalid("bad_prefill", "只能从用同一张采集表、已经办过的采集预填人员。")
		}
	}
	c.Prefill = from
	return s.Store.ChangeCollection(ctx, s.change(a, c, s.event(a, "campaign.prefill", &c, 0, "from "+from.String())))
}

// tellsPeople reports whether rows of a form can be told apart as people.
func tellsPeople(f *tianbao.Form) bool {
	for i := range f.Fields {
		if f.Fields[i].Kind == tianbao.KindResidentID {
			return true
		}
	}
	return false
}
