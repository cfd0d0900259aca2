package post

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/letter"
)

// Door takes workbooks in, as page and folder do; internal/intake has it. An error that
// people may see is an answer to the sender; any other is tried again.
type Door interface {
	// Deliver saves a workbook as what a unit sent. The same content for the same unit
	// gives the first outcome again.
	Deliver(ctx context.Context, unit tianbao.Unit, name string, data []byte) (*Delivered, error)
	// Report reports the unit's reports upward in whose collections it delivered; key is
	// one of this mail.
	Report(ctx context.Context, unit tianbao.Unit, report tianbao.ID, key string) (tianbao.Receipt, error)
	// Look reads a workbook and saves nothing.
	Look(ctx context.Context, name string, data []byte) (*Looked, error)
	// Cells gives the cells of a workbook that can be read, as long as more of them are wanted.
	Cells(ctx context.Context, name string, data []byte, more func(cell string) bool) error
}

// Delivered is what became of a workbook.
type Delivered struct {
	Report  tianbao.ID
	Owner   string // of the report
	Receipt tianbao.Receipt
	Rows    int    // of the file
	Faults  int    // that keep it from being reported
	Marked  []byte // a copy with the faults marked, nil without faults
	First   bool   // this call saved it, or one of this mail did
}

// Looked is what stands in a workbook.
type Looked struct {
	Campaign string
	Fields   []string
	Rows     [][]string // the first, masked
	Total    int
	Units    []string // that the rows name
}

// Codes looks activation codes up; internal/auth has it. A wrong one counts against from,
// and is tianbao.ErrInvalid; too many of them tianbao.ErrTooMany.
type Codes interface {
	CheckActivation(ctx context.Context, code, from string) (id, user tianbao.ID, unit tianbao.Unit, err error)
}

// Outgoing takes answers out of the house. An error that has a method Permanent which
// answers true is not tried again.
type Outgoing interface {
	SendReply(ctx context.Context, r *Reply) error
}

// Service takes mails in. Its fields do not change once it is in use.
type Service struct {
	Store  Store
	Door   Door
	Codes  Codes
	Out    Outgoing // nil: answers wait
	IDs    *clock.IDs
	Now    clock.Clock
	Digest func(label string, parts ...[]byte) string
	Node   string // names this process among those that share the database
	Read   letter.Options
	Log    *slog.Logger
	// Hourly is how many mails of one sender are judged in an hour, more wait; Daily is
	// how many are kept in a day at all; Strangers is how many mails of nobody known wait.
	Hourly, Daily, Strangers int
}

// The usual limits.
const (
	Hourly    = 30
	Daily     = 200
	Strangers = 5000
	// Keep is how long a mail waits for an officer.
	Keep = 30 * 24 * time.Hour
)

const (
	// lease is how long a claim holds. A judging that takes longer may be done twice by two
	// servers, and is written once.
	lease = time.Minute
	// mostTries is after how many judgings that failed a mail waits for an officer.
	mostTries = 6
)

func (s *Service) event(what string, m tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: s.Now(), What: what, Object: m.String(), Detail: detail}
}

// Take keeps a mail; after it the mail may be taken out of the mailbox. It returns whether
// it is a new one.
func (s *Service) Take(ctx context.Context, raw []byte, mark *Mark) (bool, error) {
	l, err := letter.Read(raw, s.Read)
	var fault letter.Fault
	if err != nil && !errors.As(err, &fault) {
		return false, fmt.Errorf("post: read a mail: %w", err)
	}
	now := s.Now()
	t := &Taken{Sender: l.From, Key: key(l, raw), Raw: raw, Mark: mark, Next: now}
	t.ID, t.Received, t.Size, t.State = tianbao.ID(s.IDs.Next()), now, len(raw), StateReceived
	t.Head = Head{From: l.From, Subject: l.Subject, ID: l.ID}
	for _, f := range l.Files {
		t.Head.Files = append(t.Head.Files, f.Name)
	}
	t.SPF, t.DKIM, t.DMARC = l.Auth.SPF, l.Auth.DKIM, l.Auth.DMARC
	ignore := func(v Verdict) { t.State, t.Verdict, t.Raw, t.Judged = StateIgnored, v, nil, now }
	switch {
	case l.Auto != "":
		t.Fault = string(l.Auto)
		ignore(VerdictAuto)
	case l.From == "":
		t.Fault = string(fault)
		ignore(VerdictNobody)
	default:
		if fault != "" {
			t.Fault, t.Raw = string(fault), nil // nothing of it is read again
		}
		sent, waiting, err := s.Store.MailLoad(ctx, l.From, now.Add(-24*time.Hour))
		if err != nil {
			return false, err
		}
		if sent >= s.Daily || waiting >= s.Strangers {
			ignore(VerdictFlood)
		}
	}
	return s.Store.TakeMail(ctx, t, s.event("mail.receive", t.ID, string(t.State)+" "+t.Fault))
}

// key knows a mail again: by its Message-ID, its sender, and all that stands below its
// header, since each delivery adds to that.
func key(l *letter.Letter, raw []byte) string {
	body := raw
	for _, sep := range []string{"\r\n\r\n", "\n\n"} {
		if _, after, ok := bytes.Cut(raw, []byte(sep)); ok {
			body = after
			break
		}
	}
	h := sha256.New()
	// Some servers end lines otherwise than others, or add one at the end.
	h.Write(bytes.TrimRight(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), "\n"))
	sum := sha256.Sum256([]byte(l.ID + "\x00" + l.From + "\x00" + l.Subject + "\x00" + hex.EncodeToString(h.Sum(nil))))
	return hex.EncodeToString(sum[:])
}

// Judge judges what is due and returns how many mails that were. Errors of one mail keep
// no other from being judged.
func (s *Service) Judge(ctx context.Context) (n int, err error) {
	ids, err := s.Store.DueMail(ctx, s.Now(), 50)
	if err != nil {
		return 0, err
	}
	return each(ctx, ids, s.judgeOne)
}

// each does what is due, until the context ends, and counts what was done.
func each(ctx context.Context, ids []tianbao.ID, do func(context.Context, tianbao.ID) (bool, error)) (n int, err error) {
	var errs []error
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		did, err := do(ctx, id)
		if err != nil {
			errs = append(errs, err)
		}
		if did {
			n++
		}
	}
	return n, errors.Join(errs...)
}

func (s *Service) judgeOne(ctx context.Context, id tianbao.ID) (bool, error) {
	now := s.Now()
	c, err := s.Store.ClaimMail(ctx, id, s.Node, now, now.Add(lease))
	if err != nil {
		if tianbao.KindOf(err) == tianbao.ErrNotFound {
			return false, nil
		}
		return false, err
	}
	if many, err := s.Store.JudgedSince(ctx, c.Head.From, now.Add(-time.Hour)); err != nil {
		return false, err
	} else if many >= s.Hourly {
		return false, s.Store.DelayMail(ctx, c, now.Add(10*time.Minute), false)
	}
	j, events, err := s.judge(ctx, c)
	mine := false
	if err == nil {
		mine, err = s.Store.JudgeMail(ctx, c, j, events...)
	}
	if err != nil {
		if ctx.Err() != nil {
			// The server stops: the mail is free at once.
			return false, s.Store.DelayMail(context.WithoutCancel(ctx), c, now, false)
		}
		return false, errors.Join(fmt.Errorf("post: judge mail %s: %w", id, err), s.Store.DelayMail(ctx, c, now.Add(retryAfter(c.Attempts)), true))
	}
	return mine, nil
}

// retryAfter is how long to wait after a failed attempt.
func retryAfter(attempts int) time.Duration {
	return min(time.Hour, time.Minute<<min(max(attempts, 1)-1, 10))
}

// Deliver sends answers that are due and returns how many went out.
func (s *Service) Deliver(ctx context.Context) (n int, err error) {
	if s.Out == nil {
		return 0, nil
	}
	ids, err := s.Store.DueReplies(ctx, s.Now(), 100)
	if err != nil {
		return 0, err
	}
	return each(ctx, ids, s.deliverOne)
}

func (s *Service) deliverOne(ctx context.Context, id tianbao.ID) (bool, error) {
	now := s.Now()
	r, err := s.Store.ClaimReply(ctx, id, s.Node, now, now.Add(lease))
	if err != nil {
		if tianbao.KindOf(err) == tianbao.ErrNotFound {
			return false, nil
		}
		return false, err
	}
	serr := s.Out.SendReply(ctx, r)
	now = s.Now()
	e := s.event("mail.reply", r.Message, "")
	next := time.Time{}
	var lasting interface{ Permanent() bool }
	const most = 20 // some three quarters of a day
	switch {
	case serr == nil:
	case errors.As(serr, &lasting) && lasting.Permanent(), r.Attempts >= most:
		e.Result = tianbao.ResultFailed
	default:
		next = now.Add(retryAfter(r.Attempts))
	}
	if serr != nil && s.Log != nil {
		s.Log.Warn("an answer to a mail did not go out", "mail", r.Message, "attempts", r.Attempts, "err", serr)
	}
	var events []tianbao.Event
	if next.IsZero() {
		events = append(events, e)
	}
	// Written also while the server stops: what is out is not sent again.
	_, err = s.Store.FinishReply(context.WithoutCancel(ctx), r, s.Node, serr == nil, next, now, events...)
	return serr == nil, err
}

// Expire drops what has waited too long.
func (s *Service) Expire(ctx context.Context) (int, error) {
	return s.Store.ExpireMail(ctx, s.Now().Add(-Keep), func(n int) []tianbao.Event {
		return []tianbao.Event{{At: s.Now(), What: "mail.expire", Detail: fmt.Sprintf("mails=%d", n)}}
	})
}
