package org

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// RequestFields are the fields of an entry that a unit may wish to have corrected.
func RequestFields() []string {
	return []string{keyName, keyBudget, keyOrg, keyType, keyRegion, keyContact, keyPhone}
}

// Lengths of what people write into requests, in characters.
const (
	minWhy = 4
	maxWhy = 500
)

// Ask stores a unit's wish to have a field of its entry corrected. The scope of the
// actor is that of filling in.
func (s *Service) Ask(ctx context.Context, a Actor, unit tianbao.ID, field, value, why string) (*tianbao.UnitRequest, error) {
	why = strings.TrimSpace(why)
	if n := utf8.RuneCountInString(why); n < minWhy || n > maxWhy {
		return nil, tianbao.Invalid("why", "请写明更正的理由，4 到 500 个字。")
	}
	if !slices.Contains(RequestFields(), field) {
		return nil, tianbao.Invalid("bad_field", "请选择要更正的栏目。")
	}
	e, err := s.Store.UnitEntry(ctx, a.Scope, unit)
	if err != nil {
		return nil, err
	}
	regions, err := s.Store.Regions(ctx)
	if err != nil {
		return nil, err
	}
	if !e.To.IsZero() {
		return nil, tianbao.Invalid("unit_closed", "这个单位已经撤销或并入其他单位，不能再变更。")
	}
	i := s.Checker.Form().Index(field)
	value = s.Checker.Normalize(i, value)
	if value == "" {
		return nil, tianbao.Invalid("required", "请填写更正后的内容。")
	}
	// The rules of the act that would fulfil it, so that no bureau is asked for what
	// cannot be.
	d := &desk{s: s, act: Act{Day: s.Today(), Values: map[string]string{field: value}}, regions: newRegionFinder(regions), e: &e}
	if err := d.edit(); err != nil {
		return nil, err
	}
	if len(d.out) == 0 {
		return nil, tianbao.Invalid("no_change", "填写的内容与登记册相同，没有需要变更的。")
	}
	r := &tianbao.UnitRequest{
		ID: tianbao.ID(s.IDs.Next()), Unit: unit, UnitName: e.Name, Field: field, Value: value, Why: why,
		State: tianbao.RequestOpen, By: a.User, At: s.Now(),
	}
	return r, s.Store.PutRequest(ctx, a.Scope, r, s.event(a, "request.make", unit, "request="+r.ID.String()+" field="+field))
}

// Accept carries a request out, from today on, as one change of the register.
func (s *Service) Accept(ctx context.Context, a Actor, id tianbao.ID, remark string) error {
	r, err := s.decided(ctx, a, id, tianbao.RequestAccepted, remark)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, a, r.Unit, Act{Act: tianbao.UnitEdit, Day: s.Today(), Values: map[string]string{r.Field: r.Value}}, r)
	return err
}

// Refuse refuses a request; the unit is told why.
func (s *Service) Refuse(ctx context.Context, a Actor, id tianbao.ID, remark string) error {
	if utf8.RuneCountInString(strings.TrimSpace(remark)) < minWhy {
		return tianbao.Invalid("remark", "请写明不采纳的原因，至少 4 个字，申请单位会看到。")
	}
	r, err := s.decided(ctx, a, id, tianbao.RequestRefused, remark)
	if err != nil {
		return err
	}
	return s.Store.RefuseRequest(ctx, r, s.event(a, "request.refuse", r.Unit, "request="+id.String()+" field="+r.Field))
}

// decided is an open request with a decision.
func (s *Service) decided(ctx context.Context, a Actor, id tianbao.ID, state tianbao.RequestState, remark string) (*tianbao.UnitRequest, error) {
	r, err := s.Store.Request(ctx, a.Scope, id)
	if err != nil {
		return nil, err
	}
	if r.State != tianbao.RequestOpen {
		return nil, &tianbao.Error{Kind: tianbao.ErrConflict, Code: "decided", Message: "这项申请已经处理过了，请刷新页面查看。"}
	}
	remark = strings.TrimSpace(remark)
	if utf8.RuneCountInString(remark) > maxWhy {
		return nil, tianbao.Invalid("remark_long", "处理意见请不超过 500 个字。")
	}
	r.State, r.Remark, r.Decider, r.Decided = state, remark, a.User, s.Now()
	return &r, nil
}
