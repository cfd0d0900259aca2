package remind

import (
	"context"
	"fmt"
	"time"

	"tianbao"
)

// Copies of notices by mail. A notice whose officer asked for them gets one reminder a unit
// with an address, once for all, and the deliveries send it as they send reminders; what
// is sent is the notice as it stands at that moment.

// Copy is a notice on its way to a unit by mail.
type Copy struct {
	Title, Issuer, Body string
	Files               int  // how many files it has
	Published           bool // and not withdrawn since
	// Mail tells that the unit, as it is now, has an address, Wanted that it takes copies there.
	Mail, Wanted bool
}

// Decide is the last word on a copy, at the time of sending.
func (c *Copy) Decide() Why {
	switch {
	case !c.Published:
		return WhyWithdrawn
	case !c.Mail:
		return WhyNoContact
	case !c.Wanted:
		return WhyUnwanted
	}
	return WhyNot
}

// Text is what the mail says. It names nobody: neither reader nor unit.
func (c *Copy) Text() string {
	text := c.Issuer + "发布通知：" + c.Title + "\n\n" + c.Body + "\n\n"
	if c.Files > 0 {
		text += fmt.Sprintf("通知有 %d 个附件，请登录填报系统，在“消息公告”里下载。\n", c.Files)
	}
	return text + "本邮件是通知的抄送，由系统发出，请不要回复。请登录填报系统打开这份通知，阅读情况以系统中的为准。"
}

// perCopies is how many copies go into the outbox in one transaction.
const perCopies = 500

// QueueCopies puts into the outbox the copies of notices that were published with them,
// and returns how many.
func (s *Service) QueueCopies(ctx context.Context) (sum int, err error) {
	if s.Senders[ChannelMail] == nil {
		return 0, nil
	}
	asked, err := s.Store.NoticesToCopy(ctx)
	if err != nil {
		return 0, err
	}
	for _, notice := range asked {
		for more := true; more && err == nil; {
			var n int
			now := s.Now()
			n, more, err = s.Store.QueueCopies(ctx, notice, now, perCopies, func() tianbao.ID { return tianbao.ID(s.IDs.Next()) }, func(n int) []tianbao.Event {
				return []tianbao.Event{{At: now, What: "remind.copies", Object: notice.String(), Detail: fmt.Sprintf("units=%d", n)}}
			})
			sum += n
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// CopyStore is what a [Store] keeps of copies.
type CopyStore interface {
	// NoticesToCopy returns the published notices whose copies are not all in the outbox.
	NoticesToCopy(ctx context.Context) ([]tianbao.ID, error)
	// QueueCopies puts the copies for some more units into the outbox, each unit's once
	// whoever else does the same, and notes it where these were the last; more: they were not.
	QueueCopies(ctx context.Context, notice tianbao.ID, at time.Time, limit int, id func() tianbao.ID, events func(units int) []tianbao.Event) (n int, more bool, err error)
	// Mailboxes counts the units in scope that take copies.
	Mailboxes(ctx context.Context, scope tianbao.Scope, at time.Time) (int, error)
	// CountCopies counts the copies of a notice by state.
	CountCopies(ctx context.Context, scope tianbao.Scope, notice tianbao.ID) ([]Count, error)
}
