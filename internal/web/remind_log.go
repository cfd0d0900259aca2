package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"tianbao"
	"tianbao/internal/remind"
)

// wireReminders is a page of the log, the last made first.
type wireReminders struct {
	Reminders []wireReminder `json:"reminders"`
	Next      tianbao.ID     `json:"next,omitempty"` // ?before= of the next page
}

// wireReminder is one reminder by one channel.
type wireReminder struct {
	ID          tianbao.ID     `json:"id"`
	Unit        tianbao.ID     `json:"unit"`
	UnitName    string         `json:"unit_name"`
	UnitCode    string         `json:"budget_code,omitempty"`
	Channel     remind.Channel `json:"channel,omitempty"`
	ChannelName string         `json:"channel_name,omitempty"`
	Hand        bool           `json:"by_hand,omitempty"` // an officer sent it
	State       remind.State   `json:"state,omitempty"`
	StateName   string         `json:"state_name,omitempty"`
	Reason      string         `json:"reason,omitempty"` // why it was not delivered
	Attempts    int            `json:"attempts,omitempty"`
	Made        string         `json:"made,omitempty"`
	Sent        string         `json:"sent,omitempty"`
	Read        string         `json:"read,omitempty"`
	Campaign    tianbao.ID     `json:"campaign,omitempty"`
	Title       string         `json:"title,omitempty"` // of the collection, in an inbox
	Text        string         `json:"text,omitempty"`  // in an inbox

	made, sent, next, read time.Time
}

// MadeAt, SentAt, NextAt and ReadAt are times for the page.
func (w *wireReminder) MadeAt() time.Time { return w.made }

// SentAt is when it was delivered.
func (w *wireReminder) SentAt() time.Time { return w.sent }

// NextAt is when it is tried next.
func (w *wireReminder) NextAt() time.Time { return w.next }

// ReadAt is when the unit read it.
func (w *wireReminder) ReadAt() time.Time { return w.read }

// Mark is the look of its state.
func (w *wireReminder) Mark() string {
	switch w.State {
	case remind.StateSent:
		return "badge-reported"
	case remind.StateFailed:
		return "badge-fault"
	case remind.StateDropped:
		return "badge-empty"
	}
	return "badge-draft"
}

func toReminder(m *remind.Reminder) wireReminder {
	return wireReminder{
		ID: m.ID, Unit: m.Unit, UnitName: m.UnitName, UnitCode: m.UnitCode, Channel: m.Channel, ChannelName: m.Channel.Title(), Hand: m.Hand,
		State: m.State, StateName: m.State.Title(), Reason: m.Reason.Title(), Attempts: m.Attempts,
		Made: stamp(m.Made), Sent: stamp(m.Sent), Read: stamp(m.Read), Campaign: m.Campaign, Title: m.Title, Text: m.Text,
		made: m.Made, sent: m.Sent, next: m.Next, read: m.Read,
	}
}

// remindLogPage is the data of remindlog.html.
type remindLogPage struct {
	CSRF     string
	ID       tianbao.ID
	Title    string
	List     []wireReminder
	Q        string
	State    remind.State
	Channel  remind.Channel
	States   []remind.State
	Channels []remind.Channel
	More     string // address of the next page
}

// remindLogSize is how many lines a page of the log has.
const remindLogSize = 100

// remindLog is what became of reminders.
func (s *Server) remindLog(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, a, err := s.reminderOf(r, v)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	ask := remind.Query{State: remind.State(q.Get("state")), Channel: remind.Channel(q.Get("channel")), Text: q.Get("q"), Limit: remindLogSize}
	if text := q.Get("before"); text != "" {
		if ask.Before, err = tianbao.ParseID(text); err != nil {
			return tianbao.NotFound()
		}
	}
	list, err := s.Reminders.Store.Reminders(r.Context(), a.Scope, c.ID, ask)
	if err != nil {
		return err
	}
	out := wireReminders{Reminders: []wireReminder{}}
	for i := range list {
		out.Reminders = append(out.Reminders, toReminder(&list[i]))
	}
	p := &remindLogPage{
		CSRF: v.signed.CSRF, ID: c.ID, Title: c.Title, List: out.Reminders, Q: ask.Text, State: ask.State, Channel: ask.Channel,
		States: remind.States(), Channels: remind.Channels(),
	}
	if len(list) == remindLogSize {
		out.Next = list[len(list)-1].ID
		p.More = remindPath(c.ID, "/log?") + url.Values{
			"state": {string(ask.State)}, "channel": {string(ask.Channel)}, "q": {ask.Text}, "before": {out.Next.String()},
		}.Encode()
	}
	return s.answer(w, r, v, out, "remindlog.html", "催报记录", p)
}

// ownUnits are the units that the viewer fills in for by a grant of their own.
func (v *viewer) ownUnits() (ids []tianbao.ID) {
	u := v.user()
	for i := range u.Grants {
		if u.Grants[i].Role.Allows(tianbao.PowerFill) {
			ids = append(ids, u.Grants[i].Unit)
		}
	}
	return ids
}

// inbox are the reminders of the viewer's units that nobody there has read.
func (s *Server) inbox(ctx context.Context, v *viewer) ([]wireReminder, error) {
	list, err := s.Reminders.Store.Inbox(ctx, v.ownUnits())
	if err != nil {
		return nil, err
	}
	var out []wireReminder
	for i := range list {
		out = append(out, toReminder(&list[i]))
	}
	return out, nil
}

// bell is how many reminders wait to be read, for the head of every page.
func (s *Server) bell(r *http.Request, v *viewer) int {
	units := v.ownUnits()
	if len(units) == 0 || s.Reminders == nil {
		return 0
	}
	n, err := s.Reminders.Store.UnreadReminders(r.Context(), units)
	if err != nil {
		s.Log.Warn("reminders are not counted", "err", err)
	}
	return n
}

// readReminder notes that the viewer's unit has read a reminder.
func (s *Server) readReminder(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	id, err := pathID(r, "reminder")
	if err != nil {
		return err
	}
	if err := s.Reminders.Read(r.Context(), v.user().ID, address(r), v.ownUnits(), id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{Done: true}, "/")
}

// wireUnitMail is where a unit gets mail.
type wireUnitMail struct {
	Mail     string `json:"mail"`                // "" for nowhere
	NoCopies bool   `json:"no_copies,omitempty"` // no copies of notices
}

// setUnitMail sets where the unit of the path gets mail.
func (s *Server) setUnitMail(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireUnitMail
	if err := read(r, &in); err != nil {
		return err
	}
	if err := s.Reminders.SetMail(r.Context(), v.user().ID, address(r), v.unit.ID, remind.Mailbox{Address: in.Mail, Copies: !in.NoCopies}); err != nil {
		return err
	}
	return s.done(w, r, wireDone{Done: true}, "/units/"+v.unit.ID.String())
}
