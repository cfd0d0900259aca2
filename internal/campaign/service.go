package campaign

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
)

// Service runs collections.
type Service struct {
	Store Store
	IDs   *clock.IDs
	Now   clock.Clock
	// Form returns a published form, an error if there is none.
	Form func(name string, version int) (*tianbao.Form, error)

	recent recent
	past   trends
}

// Actor is who acts on collections, and where.
type Actor struct {
	User tianbao.ID
	From string // address
	// Runs are the subtrees in which the actor may run collections (PowerCampaign),
	// Locks those in which the actor may lock and reopen (PowerLock).
	Runs, Locks tianbao.Scope
}

// Draft is what an officer says of a collection.
type Draft struct {
	Title         string
	Form          string
	FormV         int
	Owner         tianbao.ID // whose subtree it is about; 0 takes the top of the actor's scope
	Notice        tianbao.ID
	Opens, Closes time.Time
}

// maxTitle and maxReason bound texts, in characters.
const (
	maxTitle  = 100
	maxReason = 200
)

func (s *Service) event(a Actor, what string, c *tianbao.Campaign, unit tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: s.Now(), Actor: a.User, Owner: cmp.Or(unit, c.Owner), From: a.From, What: what, Object: c.ID.String(), Detail: detail}
}

// Collection returns a collection with whether the actor may run it; tianbao.NotFound for
// one that is being prepared and is not the actor's.
func (s *Service) Collection(ctx context.Context, a Actor, id tianbao.ID) (tianbao.Campaign, bool, error) {
	c, err := s.Store.Collection(ctx, id)
	if err != nil {
		return c, false, err
	}
	runs, err := s.runs(ctx, a, &c)
	if err == nil && !runs && !c.Released {
		return tianbao.Campaign{}, false, tianbao.NotFound()
	}
	return c, runs, err
}

// runs reports whether the actor runs a collection: its owner lies in the actor's scope.
func (s *Service) runs(ctx context.Context, a Actor, c *tianbao.Campaign) (bool, error) {
	if c.Owner == 0 {
		return len(a.Runs.Paths) > 0, nil
	}
	_, err := s.Store.Unit(ctx, a.Runs, c.Owner)
	if tianbao.KindOf(err) == tianbao.ErrNotFound && err != nil {
		return false, nil
	}
	return err == nil, err
}

// mine returns a collection that the actor runs, tianbao.NotFound for any other.
func (s *Service) mine(ctx context.Context, a Actor, id tianbao.ID) (tianbao.Campaign, error) {
	c, runs, err := s.Collection(ctx, a, id)
	if err == nil && !runs {
		err = tianbao.NotFound()
	}
	return c, err
}

// fill puts a draft into a collection and refuses one that cannot be.
func (s *Service) fill(c *tianbao.Campaign, d Draft) error {
	d.Title = strings.TrimSpace(d.Title)
	switch n := utf8.RuneCountInString(d.Title); {
	case n == 0 || n > maxTitle:
		return tianbao.Invalid("bad_title", "请填写采集的名称，最多 100 个字。")
	case d.Opens.IsZero():
		return tianbao.Invalid("no_opening", "请填写从什么时候开始填报。")
	case !d.Closes.IsZero() && !d.Opens.Before(d.Closes):
		return tianbao.Invalid("bad_window", "截止时间要在开始时间之后，请重新填写。")
	}
	if _, err := s.Form(d.Form, d.FormV); err != nil {
		return tianbao.Invalid("no_form", "没有这个采集表的这一版，请重新选择。")
	}
	c.Title, c.Form, c.FormV, c.Notice, c.Opens, c.Closes = d.Title, d.Form, d.FormV, d.Notice, d.Opens, d.Closes
	return nil
}

// Create makes a collection, to be prepared. Regions that the register has outside of
// provincial rounds are excluded from the start.
func (s *Service) Create(ctx context.Context, a Actor, d Draft) (tianbao.ID, error) {
	c := tianbao.Campaign{ID: tianbao.ID(s.IDs.Next()), Owner: d.Owner}
	if err := s.fill(&c, d); err != nil {
		return 0, err
	}
	if c.Owner == 0 && len(a.Runs.Paths) > 0 {
		top := slices.MinFunc(a.Runs.Paths, func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)) })
		parts := strings.Split(strings.Trim(top, "/"), "/")
		c.Owner, _ = tianbao.ParseID(parts[len(parts)-1])
	}
	if runs, err := s.runs(ctx, a, &c); err != nil || !runs {
		return 0, cmp.Or(err, error(tianbao.NotFound()))
	}
	regions, err := s.Store.Regions(ctx)
	if err != nil {
		return 0, err
	}
	ch := s.change(a, c, s.event(a, "campaign.create", &c, 0, "form="+c.Form))
	for _, r := range regions {
		if !r.InScope && !slices.ContainsFunc(regions, func(up tianbao.Region) bool { return up.ID == r.Parent && !up.InScope }) {
			ch.Add = append(ch.Add, s.rule(a, ch, tianbao.CampaignRule{Kind: tianbao.RuleExclude, Region: r.ID, Reason: "登记册中标为不参加全省采集的地区"}))
		}
	}
	return c.ID, s.Store.ChangeCollection(ctx, ch)
}

func (s *Service) change(a Actor, c tianbao.Campaign, events ...tianbao.Event) *Change {
	return &Change{Campaign: c, At: s.Now(), By: a.User, Events: events}
}

// rule completes a rule that a change adds.
func (s *Service) rule(a Actor, ch *Change, r tianbao.CampaignRule) tianbao.CampaignRule {
	r.ID, r.Campaign, r.By, r.Made = tianbao.ID(s.IDs.Next()), ch.Campaign.ID, a.User, ch.At
	r.Ended, r.EndedBy = time.Time{}, 0
	return r
}

// Edit changes what an officer said of a collection. Its form stays once it is released,
// since reports of it are made.
func (s *Service) Edit(ctx context.Context, a Actor, id tianbao.ID, d Draft) error {
	c, err := s.mine(ctx, a, id)
	if err != nil {
		return err
	}
	if c.Released && (d.Form != c.Form || d.FormV != c.FormV) {
		return tianbao.Invalid("form_fixed", "采集已经开放，不能再换采集表；需要换表请复制一次新的采集。")
	}
	if err := s.fill(&c, d); err != nil {
		return err
	}
	return s.Store.ChangeCollection(ctx, s.change(a, c, s.event(a, "campaign.edit", &c, 0, "")))
}

// Copy makes a new collection to be prepared from another: same form, scope and windows,
// by as many years later as it takes for its end to lie ahead.
func (s *Service) Copy(ctx context.Context, a Actor, id tianbao.ID) (tianbao.ID, error) {
	from, err := s.mine(ctx, a, id)
	if err != nil {
		return 0, err
	}
	rules, err := s.Store.Rules(ctx, id)
	if err != nil {
		return 0, err
	}
	now, years := s.Now(), 1
	end := from.Closes
	if end.IsZero() {
		end = from.Opens
	}
	for years < 100 && !end.In(clock.Shanghai).AddDate(years, 0, 0).After(now) {
		years++
	}
	later := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.In(clock.Shanghai).AddDate(years, 0, 0)
	}
	c := tianbao.Campaign{
		ID: tianbao.ID(s.IDs.Next()), Title: clip(from.Title+"（副本）", maxTitle), Form: from.Form, FormV: from.FormV,
		Owner: from.Owner, Notice: from.Notice, Levels: from.Levels, Opens: later(from.Opens), Closes: later(from.Closes),
	}
	ch := s.change(a, c, s.event(a, "campaign.create", &c, 0, "copied from "+from.ID.String()))
	for _, r := range slices.Backward(rules) {
		switch r.Kind {
		case tianbao.RuleInclude, tianbao.RuleExclude, tianbao.RuleWindow:
			if r.Stands(now) {
				r.Opens, r.Closes = later(r.Opens), later(r.Closes)
				ch.Add = append(ch.Add, s.rule(a, ch, r))
			}
		}
	}
	return c.ID, s.Store.ChangeCollection(ctx, ch)
}

// SetPhase takes a collection to another phase: released, ended, open again, archived.
func (s *Service) SetPhase(ctx context.Context, a Actor, id tianbao.ID, to tianbao.Phase) error {
	c, err := s.mine(ctx, a, id)
	if err != nil {
		return err
	}
	now, from, what := s.Now(), c.Phase(), ""
	switch {
	case to == tianbao.PhaseOpen && from == tianbao.PhasePreparing:
		c.Released, c.Opened, what = true, now, "campaign.open"
	case to == tianbao.PhaseOpen && from == tianbao.PhaseEnded:
		c.Ended, what = time.Time{}, "campaign.open"
	case to == tianbao.PhaseEnded && from == tianbao.PhaseOpen:
		c.Ended, what = now, "campaign.end"
	case to == tianbao.PhaseEnded && from == tianbao.PhaseArchived:
		c.Archived, what = time.Time{}, "campaign.end"
	case to == tianbao.PhaseArchived && from == tianbao.PhaseEnded:
		c.Archived, what = now, "campaign.archive"
	default:
		return tianbao.Invalid("bad_phase", "采集现在处于“"+from.Title()+"”阶段，不能这样变更；请刷新页面后重试。")
	}
	return s.Store.ChangeCollection(ctx, s.change(a, c, s.event(a, what, &c, 0, string(from)+" to "+string(to))))
}

// clip shortens a text to n characters.
func clip(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n])
}
