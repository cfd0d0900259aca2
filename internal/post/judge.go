package post

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"tianbao"
	"tianbao/internal/letter"
)

// judging is a mail in the making of its verdict.
type judging struct {
	s      *Service
	c      *Claimed
	l      *letter.Letter
	j      *Judgement
	unit   tianbao.Unit
	text   []string // of the answer, by paragraph
	file   []byte
	name   string // of file
	events []tianbao.Event
}

// judge decides about a mail. The error is of the database or the program.
func (s *Service) judge(ctx context.Context, c *Claimed) (*Judgement, []tianbao.Event, error) {
	g := &judging{s: s, c: c, j: &Judgement{At: s.Now(), Head: c.Head, State: StateJudged}}
	g.j.Head.Receipts, g.j.Head.Why = nil, ""
	if err := g.decide(ctx); err != nil {
		return nil, nil, err
	}
	if len(g.text) > 0 {
		g.j.Head.Why = g.text[0]
	}
	g.answer()
	e := s.event("mail.judge", c.ID, string(g.j.Verdict))
	e.Owner = g.j.Unit
	return g.j, append(g.events, e), nil
}

func (g *judging) decide(ctx context.Context) error {
	if g.c.Attempts > mostTries {
		g.wait(VerdictFailed, sayFailed)
		return nil
	}
	if g.c.Fault != "" {
		g.refuse(faultSentence(letter.Fault(g.c.Fault)))
		return nil
	}
	var err error
	if g.l, err = letter.Read(g.c.Raw, g.s.Read); err != nil {
		g.refuse(faultSentence(letter.FaultParts)) // it was read before: the limits are others now
		return nil
	}
	if g.l.Auth.Failed() && !g.c.Cleared {
		// The bureau of whom it claims to be from sees it.
		switch _, unit, err := g.s.Store.MailSender(ctx, g.l.From); {
		case err == nil:
			g.j.Unit = unit.ID
		case tianbao.KindOf(err) != tianbao.ErrNotFound:
			return err
		}
		g.wait(VerdictSuspect, saySuspect)
		return nil
	}
	known, err := g.sender(ctx)
	if err != nil || !known {
		return err
	}
	g.j.Unit = g.unit.ID
	return g.files(ctx)
}

// sender finds whose mail it is: by the binding, or by a code in it. False: it is decided.
func (g *judging) sender(ctx context.Context) (bool, error) {
	_, unit, err := g.s.Store.MailSender(ctx, g.l.From)
	isBound := err == nil
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
		return false, err
	}
	g.unit = unit
	if isBound && g.c.Cleared {
		return true, nil
	}
	code, of, tried, err := g.code(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case code == 0 && isBound:
		return true, nil
	case code == 0 && tried:
		g.wait(VerdictUnknown, sayBadCode)
	case code == 0:
		g.wait(VerdictUnknown, sayUnknown)
	case isBound && of.ID != unit.ID:
		g.j.Unit = unit.ID
		g.wait(VerdictRebind, fmt.Sprintf(sayRebind, unit.Name))
	case isBound:
		return true, nil // the code stays good for an account
	default:
		g.unit, g.j.Code = of, code
		g.j.Bind = &Sender{ID: tianbao.ID(g.s.IDs.Next()), Address: g.l.From, Unit: of.ID, How: ByCode, At: g.j.At}
		e := g.s.event("mail.bind", g.c.ID, string(ByCode))
		e.Owner = of.ID
		g.events = append(g.events, e)
		g.say(fmt.Sprintf(sayBound, of.Name))
		return true, nil
	}
	return false, nil
}

// codePattern is an activation code as it is printed; what stands in a word is none.
var codePattern = regexp.MustCompile(`(?i)\b[0-9A-Z]{4}(?:[-－—–][0-9A-Z]{4}){3}\b`)

// code finds a code for a new account in subject and text. tried: there was one that does
// not work.
func (g *judging) code(ctx context.Context) (id tianbao.ID, unit tianbao.Unit, tried bool, err error) {
	const most = 3
	for _, code := range codePattern.FindAllString(g.l.Subject+"\n"+g.l.Text, most) {
		id, user, unit, err := g.s.Codes.CheckActivation(ctx, code, "mail:"+g.s.Digest("mail sender", []byte(g.l.From))[:16])
		switch kind := tianbao.KindOf(err); {
		case err == nil && user == 0:
			return id, unit, false, nil
		case err == nil, kind == tianbao.ErrInvalid, kind == tianbao.ErrTooMany, kind == tianbao.ErrNotFound:
			tried = true
		default:
			return 0, unit, false, err
		}
	}
	return 0, tianbao.Unit{}, tried, nil
}

// files hands the workbooks to the door.
func (g *judging) files(ctx context.Context) error {
	var saved []*Delivered
	refused, books := 0, 0
	for i := range g.l.Files {
		f := &g.l.Files[i]
		if f.Kind != letter.Workbook {
			if advice := kindSentence(f.Kind); advice != "" {
				g.say(fmt.Sprintf("附件“%s”：%s", f.Name, advice))
				refused++
			}
			continue
		}
		books++
		d, err := g.s.Door.Deliver(ctx, g.unit, f.Name, f.Data)
		var te *tianbao.Error
		switch {
		case err == nil:
			saved = append(saved, d)
			g.delivered(f, d)
		case errors.As(err, &te) && te.Kind != tianbao.ErrInternal && te.Kind != tianbao.ErrUnavailable && te.Kind != tianbao.ErrTooMany:
			refused++
			g.say(fmt.Sprintf("附件“%s”：%s", f.Name, refusal(te)))
		default:
			return err
		}
	}
	switch {
	case len(saved) == 0 && books == 0 && refused == 0 && g.j.Bind != nil:
		g.j.Verdict = VerdictBound
		g.say(sayBoundNoBook)
		return nil
	case len(saved) == 0:
		g.j.Verdict = VerdictRefused
		if books == 0 && refused == 0 {
			g.say(sayNoBook)
		}
		return nil
	case g.j.Faults > 0:
		g.j.Verdict = VerdictFaulty
	default:
		g.j.Verdict = VerdictSaved
	}
	return g.report(ctx, saved, refused)
}

// delivered tells of a workbook that was saved.
func (g *judging) delivered(f *letter.File, d *Delivered) {
	g.j.Rows += d.Rows
	g.j.Faults += d.Faults
	g.j.Head.Receipts = append(g.j.Head.Receipts, d.Receipt.Number)
	if !d.First && d.Receipt.At.Before(g.c.Received) {
		g.say(fmt.Sprintf(sayAgain, f.Name, moment(d.Receipt.At), d.Receipt.Number))
	} else {
		g.say(fmt.Sprintf(saySaved, f.Name, d.Owner, d.Receipt.Number, moment(d.Receipt.At), d.Rows, d.Receipt.Rows, d.Receipt.Digest))
	}
	if d.Faults == 0 {
		return
	}
	if g.file == nil {
		g.file, g.name = d.Marked, strings.TrimSuffix(f.Name, path.Ext(f.Name))+"-批注.xlsx"
		g.say(fmt.Sprintf(sayFaults, f.Name, d.Faults, g.name))
		return
	}
	g.say(fmt.Sprintf(sayMoreFaults, f.Name, d.Faults))
}

// report reports upward where the subject asks for it, and nothing stands against it.
func (g *judging) report(ctx context.Context, saved []*Delivered, refused int) error {
	if !asksToReport(g.l.Subject) {
		g.say(sayNotReported)
		return nil
	}
	if g.j.Faults > 0 || refused > 0 {
		g.say(sayFaultyReport)
		return nil
	}
	done := map[tianbao.ID]bool{}
	for _, d := range saved {
		if done[d.Report] {
			continue
		}
		done[d.Report] = true
		r, err := g.s.Door.Report(ctx, g.unit, d.Report, "mail-report-"+g.c.ID.String())
		var te *tianbao.Error
		switch {
		case err == nil:
			g.j.Verdict = VerdictReported
			g.j.Head.Receipts = append(g.j.Head.Receipts, r.Number)
			g.say(fmt.Sprintf(sayReported, d.Owner, r.Number, moment(r.At)))
		case errors.As(err, &te) && te.Kind != tianbao.ErrInternal && te.Kind != tianbao.ErrUnavailable && te.Kind != tianbao.ErrTooMany:
			g.say(te.Message)
		default:
			return err
		}
	}
	return nil
}

// asksToReport reports whether a subject asks for 上报, and not against it.
func asksToReport(subject string) bool {
	for rest := subject; ; {
		before, after, ok := strings.Cut(rest, "上报")
		if !ok {
			return false
		}
		refuses := false
		for _, no := range []string{"不", "勿", "不要", "暂不", "先不", "未", "别", "撤回", "能否", "如何", "怎么", "怎样"} {
			refuses = refuses || strings.HasSuffix(strings.TrimSpace(before), no)
		}
		if !refuses {
			return true
		}
		rest = after
	}
}

func (g *judging) say(text string) { g.text = append(g.text, text) }

// wait keeps a mail for an officer.
func (g *judging) wait(v Verdict, text string) {
	g.j.State, g.j.Verdict = StateWaiting, v
	g.say(text)
}

func (g *judging) refuse(text string) {
	g.j.Verdict = VerdictRefused
	g.say(text)
}

// answer makes the one answer of a judging.
func (g *judging) answer() {
	id := tianbao.ID(g.s.IDs.Next())
	number := ""
	if n := g.j.Head.Receipts; len(n) > 0 {
		number = "，回执编号 " + n[len(n)-1]
	}
	g.j.Reply = &Reply{ID: id, Message: g.c.ID, File: g.file, Body: ReplyBody{
		To: g.c.Head.From, Subject: subjectOf(g.j.Verdict) + number, Re: g.c.Head.ID, At: g.j.At, FileName: g.name,
		Text: strings.Join(append(g.text, sayFoot), "\n\n") + "\n",
	}}
}
