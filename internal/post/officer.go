package post

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/letter"
)

// Officer is who looks after the mailbox.
type Officer struct {
	User  tianbao.ID
	From  string // address
	Scope tianbao.Scope
}

// view is what an officer sees: mails of units in scope, and those of strangers for who
// has a whole tree of the register.
func (o *Officer) view() View {
	v := View{Scope: o.Scope}
	for _, p := range o.Scope.Paths {
		v.Strangers = v.Strangers || strings.Count(p, "/") <= 2 && p != ""
	}
	return v
}

func (o *Officer) event(s *Service, what string, object tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: s.Now(), Actor: o.User, From: o.From, What: what, Object: object.String(), Detail: detail}
}

// List returns mails that an officer sees, the last first, and how many there are by state.
func (s *Service) List(ctx context.Context, o *Officer, q Query) ([]Message, map[State]int, error) {
	counts, err := s.Store.CountMails(ctx, o.view())
	if err != nil {
		return nil, nil, err
	}
	list, err := s.Store.Mails(ctx, o.view(), q)
	return list, counts, err
}

// Opened is a mail with what it holds.
type Opened struct {
	Message
	Gone  bool // its text is dropped
	Text  string
	Files []OpenedFile
}

// OpenedFile is a file of it.
type OpenedFile struct {
	Name   string
	Kind   letter.Kind
	Looked *Looked // nil where it is no workbook of an open collection
	Why    string  // why not
}

// Open shows an officer what a mail holds, and writes that down.
func (s *Service) Open(ctx context.Context, o *Officer, id tianbao.ID) (*Opened, error) {
	m, raw, err := s.Store.Mail(ctx, o.view(), id)
	if err != nil {
		return nil, err
	}
	out := &Opened{Message: m, Gone: raw == nil}
	e := o.event(s, "mail.read", id, string(m.State))
	e.Owner = m.Unit
	if err := s.Store.Record(ctx, e); err != nil {
		return nil, err
	}
	if raw == nil {
		return out, nil
	}
	l, err := letter.Read(raw, s.Read)
	if err != nil {
		out.Gone = true // it was read before: the limits are others now
		return out, nil //nolint:nilerr
	}
	out.Text = l.Text
	for i := range l.Files {
		f := OpenedFile{Name: l.Files[i].Name, Kind: l.Files[i].Kind, Why: kindSentence(l.Files[i].Kind)}
		if f.Kind == letter.Workbook {
			f.Looked, err = s.Door.Look(ctx, f.Name, l.Files[i].Data)
			var te *tianbao.Error
			if errors.As(err, &te) && te.Kind != tianbao.ErrInternal {
				f.Why = refusal(te)
			} else if err != nil {
				return nil, err
			}
		}
		out.Files = append(out.Files, f)
	}
	return out, nil
}

// Bind binds the sender of a mail to a unit in the officer's scope, and lets it and all that
// waits because nobody knew the sender be judged again. It returns how many mails that are.
func (s *Service) Bind(ctx context.Context, o *Officer, id tianbao.ID, unit tianbao.Unit) (int, error) {
	if !o.Scope.Covers(unit.Path) {
		return 0, tianbao.NotFound()
	}
	m, _, err := s.Store.Mail(ctx, o.view(), id)
	if err != nil {
		return 0, err
	}
	if m.State != StateWaiting {
		return 0, errNotWaiting()
	}
	if m.Head.From == "" {
		return 0, tianbao.NotFound()
	}
	now := s.Now()
	b := &Sender{ID: tianbao.ID(s.IDs.Next()), Address: m.Head.From, Unit: unit.ID, How: ByOfficer, By: o.User, At: now}
	return s.Store.BindSender(ctx, b, id, now, func(mails int) []tianbao.Event {
		e := o.event(s, "mail.bind", id, fmt.Sprintf("%s mails=%d", ByOfficer, mails))
		e.Owner = unit.ID
		return []tianbao.Event{e}
	})
}

func errNotWaiting() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "mail_handled", Message: "这封邮件已经处理过了，请返回列表查看它现在的状态。"}
}

// Replay lets a mail that waits be judged again.
func (s *Service) Replay(ctx context.Context, o *Officer, id tianbao.ID) error {
	return s.Store.ReplayMail(ctx, o.view(), id, s.Now(), o.event(s, "mail.replay", id, ""))
}

// Drop drops a mail that waits, with all that it holds.
func (s *Service) Drop(ctx context.Context, o *Officer, id tianbao.ID) error {
	return s.Store.DropMail(ctx, o.view(), id, o.event(s, "mail.drop", id, ""))
}

// Unbind ends a binding.
func (s *Service) Unbind(ctx context.Context, o *Officer, sender tianbao.ID) error {
	return s.Store.UnbindSender(ctx, o.Scope, sender, func(unit tianbao.ID) []tianbao.Event {
		e := o.event(s, "mail.unbind", sender, "")
		e.Owner = unit
		return []tianbao.Event{e}
	})
}
