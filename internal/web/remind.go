package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/ident"
	"tianbao/internal/remind"
)

// wireRemindPolicy is how a collection is reminded of. Times of day are HH:MM, lists of
// days one a line, 2026-10-01 or 2026-10-01至2026-10-07.
type wireRemindPolicy struct {
	Active   bool       `json:"active"` // rounds start by themselves
	Days     int        `json:"days"`   // before the end of a unit's window
	Every    int        `json:"every"`  // hours between two reminders of a unit at least
	From     string     `json:"from"`
	To       string     `json:"to"`
	Weekends bool       `json:"weekends"`
	Off      string     `json:"days_off"`
	On       string     `json:"days_on"` // at work on a weekend
	Page     bool       `json:"page"`
	Mail     bool       `json:"mail"`
	Webhook  bool       `json:"webhook"`
	Text     string     `json:"text"` // with {单位} {截止时间} {状态} {经办电话}
	Version  tianbao.ID `json:"version,omitempty"`
}

func toRemindPolicy(p *remind.Policy) wireRemindPolicy {
	has := func(c remind.Channel) bool { return slices.Contains(p.Channels, c) }
	return wireRemindPolicy{
		Active: p.Active, Days: p.Days, Every: p.Every, From: minuteText(p.From), To: minuteText(p.To), Weekends: p.Weekends,
		Off: remind.FormatDays(p.Off), On: remind.FormatDays(p.On),
		Page: has(remind.ChannelPage), Mail: has(remind.ChannelMail), Webhook: has(remind.ChannelHook),
		Text: p.Text, Version: tianbao.ID(p.Version),
	}
}

func minuteText(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// parseMinute reads HH:MM; 24:00 is the end of the day.
func parseMinute(text string) (int, error) {
	h, m, _ := strings.Cut(strings.TrimSpace(text), ":")
	hour, err := strconv.Atoi(h)
	minute, merr := strconv.Atoi(m)
	if err != nil || merr != nil || hour < 0 || hour > 24 || minute < 0 || minute > 59 || hour*60+minute > 24*60 {
		return 0, tianbao.Invalid("bad_minute", "发送时段无法识别，请按“09:00”的样子填写。")
	}
	return hour*60 + minute, nil
}

func (in *wireRemindPolicy) policy(campaign tianbao.ID) (p remind.Policy, err error) {
	p = remind.Policy{Campaign: campaign, Active: in.Active, Days: in.Days, Every: in.Every, Weekends: in.Weekends, Text: in.Text, Version: int64(in.Version)}
	for c, chosen := range map[remind.Channel]bool{remind.ChannelPage: in.Page, remind.ChannelMail: in.Mail, remind.ChannelHook: in.Webhook} {
		if chosen {
			p.Channels = append(p.Channels, c)
		}
	}
	if p.From, err = parseMinute(in.From); err != nil {
		return p, err
	}
	if p.To, err = parseMinute(in.To); err != nil {
		return p, err
	}
	if p.Off, err = remind.ParseDays(in.Off); err != nil {
		return p, err
	}
	p.On, err = remind.ParseDays(in.On)
	return p, err
}

// wireReminding is the policy of a collection with what went out.
type wireReminding struct {
	wireRemindPolicy
	Runs   bool              `json:"runs,omitempty"` // the caller may change it
	Counts []wireRemindCount `json:"counts"`
}

type wireRemindCount struct {
	State       remind.State   `json:"state"`
	StateName   string         `json:"state_name"`
	Channel     remind.Channel `json:"channel"`
	ChannelName string         `json:"channel_name"`
	Count       int            `json:"count"`
}

type wireReminded struct {
	Count int `json:"count"`
}

// remindPage is the data of remind.html.
type remindPage struct {
	CSRF          string
	ID            tianbao.ID
	Title         string
	P             wireRemindPolicy
	Runs          bool
	Mail, Webhook bool // are set up
	Counts        []wireRemindCount
	Message       string
}

// reminderOf returns the collection of the path, and the viewer as who reminds in it.
func (s *Server) reminderOf(r *http.Request, v *viewer) (c tianbao.Campaign, a remind.Actor, err error) {
	id, err := pathID(r, "campaign")
	if err != nil {
		return c, a, err
	}
	who := v.runner(r)
	c, runs, err := s.Campaigns.Collection(r.Context(), who, id)
	a = remind.Actor{User: who.User, From: who.From, Runs: runs, Scope: who.Locks}
	if runs {
		a.Scope = who.Runs
	}
	return c, a, err
}

// reminding shows how a collection is reminded of.
func (s *Server) reminding(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.remindingShow(w, r, v, http.StatusOK, "", nil)
}

func (s *Server) remindingShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string, typed *wireRemindPolicy) error {
	c, a, err := s.reminderOf(r, v)
	if err != nil {
		return err
	}
	policy, err := s.Reminders.Policy(r.Context(), c.ID)
	if err != nil {
		return err
	}
	counts, err := s.Reminders.Store.CountReminders(r.Context(), a.Scope, c.ID)
	if err != nil {
		return err
	}
	out := wireReminding{wireRemindPolicy: toRemindPolicy(&policy), Runs: a.Runs, Counts: []wireRemindCount{}}
	for _, n := range counts {
		out.Counts = append(out.Counts, wireRemindCount{n.State, n.State.Title(), n.Channel, n.Channel.Title(), n.N})
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	p := &remindPage{
		CSRF: v.signed.CSRF, ID: c.ID, Title: c.Title, P: out.wireRemindPolicy, Runs: a.Runs, Counts: out.Counts, Message: message,
		Mail: s.Reminders.Usable(remind.ChannelMail), Webhook: s.Reminders.Usable(remind.ChannelHook),
	}
	if typed != nil {
		p.P = *typed
	}
	s.page(w, r, v, status, "remind.html", "催报", p)
	return nil
}

// setReminding changes it; what is wrong is told on the page, which keeps what was typed.
func (s *Server) setReminding(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireRemindPolicy
	if err := read(r, &in); err != nil {
		return err
	}
	c, a, err := s.reminderOf(r, v)
	if err != nil {
		return err
	}
	p, err := in.policy(c.ID)
	if err == nil {
		err = s.Reminders.SetPolicy(r.Context(), a, p)
	}
	if again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
		return s.remindingShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, &in)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, wireDone{Done: true}, remindPath(c.ID, ""))
}

func remindPath(campaign tianbao.ID, what string) string {
	return "/collections/" + campaign.String() + "/reminders" + what
}

// wireRemindPreview is whom a round by hand would remind.
type wireRemindPreview struct {
	Recipients int             `json:"recipients"`
	From       string          `json:"from,omitempty"` // when it would go out
	Channels   []wireWhy       `json:"channels"`
	Left       []wireWhy       `json:"left"` // left out, by reason
	List       []wireRecipient `json:"list"` // the first of them
}

type wireWhy struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Count int    `json:"count"`
}

type wireRecipient struct {
	Unit      tianbao.ID       `json:"unit"`
	Name      string           `json:"name"`
	Code      string           `json:"budget_code"`
	State     tianbao.Standing `json:"state"`
	StateName string           `json:"state_name"`
	Closes    string           `json:"closes,omitempty"`
	Contact   string           `json:"contact,omitempty"` // masked
	Phone     string           `json:"phone,omitempty"`   // masked
	Channels  []string         `json:"channels"`          // in the users' words

	closes time.Time
}

// Until is the end of the unit's window, for the page.
func (w *wireRecipient) Until() time.Time { return w.closes }

// remindPreviewPage is the data of remindpreview.html.
type remindPreviewPage struct {
	CSRF  string
	ID    tianbao.ID
	Title string
	wireRemindPreview
	Later time.Time // where it does not go out at once
	Never bool
	More  int // recipients that are not listed
}

// previewReminders tells whom a round by hand would remind, and asks.
func (s *Server) previewReminders(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, a, err := s.reminderOf(r, v)
	if err != nil {
		return err
	}
	pre, err := s.Reminders.Preview(r.Context(), a, c.ID)
	if err != nil {
		return err
	}
	out := wireRemindPreview{Recipients: pre.Recipients, From: stamp(pre.From), Channels: []wireWhy{}, Left: []wireWhy{}, List: []wireRecipient{}}
	for _, ch := range remind.Channels() {
		if n := pre.By[ch]; n > 0 {
			out.Channels = append(out.Channels, wireWhy{string(ch), ch.Title(), n})
		}
	}
	for _, why := range remind.Whys() {
		if n := pre.Left[why]; n > 0 {
			out.Left = append(out.Left, wireWhy{string(why), why.Title(), n})
		}
	}
	for i := range pre.List {
		l := &pre.List[i]
		line := wireRecipient{
			Unit: l.Unit.ID, Name: l.Unit.Name, Code: l.Unit.BudgetCode, State: l.Shown, StateName: l.Shown.Title(), Closes: stamp(l.Closes),
			Contact: ident.MaskName(l.Contact.Name), Phone: ident.MaskPhone(l.Contact.Phone), Channels: []string{}, closes: l.Closes,
		}
		for _, ch := range l.Channels {
			line.Channels = append(line.Channels, ch.Title())
		}
		out.List = append(out.List, line)
	}
	p := &remindPreviewPage{CSRF: v.signed.CSRF, ID: c.ID, Title: c.Title, wireRemindPreview: out, Never: pre.From.IsZero(), More: pre.Recipients - len(pre.List)}
	if !p.Never && pre.From.After(pre.At) {
		p.Later = pre.From
	}
	return s.answer(w, r, v, out, "remindpreview.html", "催报预览", p)
}

// sendReminders reminds whoever the preview names.
func (s *Server) sendReminders(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	c, a, err := s.reminderOf(r, v)
	if err != nil {
		return err
	}
	n, err := s.Reminders.SendNow(r.Context(), a, c.ID)
	if err != nil {
		return err
	}
	return s.done(w, r, wireReminded{n}, remindPath(c.ID, "/log"))
}

// stopReminders drops what waits.
func (s *Server) stopReminders(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	c, a, err := s.reminderOf(r, v)
	if err != nil {
		return err
	}
	n, err := s.Reminders.Stop(r.Context(), a, c.ID)
	if err != nil {
		return err
	}
	return s.done(w, r, wireReminded{n}, remindPath(c.ID, ""))
}
