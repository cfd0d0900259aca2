package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/post"
)

// mail keeps a mail of a sender.
func (w *world) mail(key, sender string, at time.Time) tianbao.ID {
	w.t.Helper()
	t := &post.Taken{Sender: sender, Key: key, Raw: []byte("text of " + key), Next: at, Mark: &post.Mark{Box: "box", Validity: 7, Last: 3}}
	t.ID, t.Received, t.State, t.Size = w.id(), at, post.StateReceived, 9
	t.Head = post.Head{From: sender, Subject: "填报", ID: key + "@x.example", Files: []string{"表.xlsx"}}
	taken, err := w.TakeMail(w.t.Context(), t, tianbao.Event{At: at, What: "mail.receive", Object: t.ID.String()})
	w.ok(err)
	if !taken {
		w.t.Fatalf("%s is there already", key)
	}
	return t.ID
}

// judged claims a mail and writes a verdict with an answer.
func (w *world) judged(id tianbao.ID, state post.State, v post.Verdict, unit tianbao.ID, at time.Time) tianbao.ID {
	w.t.Helper()
	c, err := w.ClaimMail(w.t.Context(), id, "n", at, at.Add(time.Minute))
	w.ok(err)
	reply := w.id()
	mine, err := w.JudgeMail(w.t.Context(), c, &post.Judgement{State: state, Verdict: v, At: at, Unit: unit, Rows: 3, Head: c.Head, Reply: &post.Reply{
		ID: reply, Message: id, Body: post.ReplyBody{To: c.Head.From, Subject: "回执", Text: "已收到", At: at}, File: []byte("marked"),
	}})
	w.ok(err)
	if !mine {
		w.t.Fatal("the claim is lost")
	}
	return reply
}

// everybodysMail is what sees all mails, unitsMail those of a subtree.
func everybodysMail() post.View { return post.View{Scope: at("/"), Strangers: true} }

func mailsBelow(path string) post.View { return post.View{Scope: at(path)} }

func noEvents(int) []tianbao.Event { return nil }

// fillMail leaves a mail that waits, with its answer, and a bound sender.
func (w *world) fillMail() {
	w.t.Helper()
	id := w.mail("fill", "clerk@bureau.example", epoch())
	w.judged(id, post.StateWaiting, post.VerdictUnknown, 0, epoch())
	_, err := w.BindSender(w.t.Context(), &post.Sender{ID: w.id(), Address: "clerk@bureau.example", Unit: unitA, How: post.ByOfficer, At: epoch()}, id, epoch(), noEvents)
	w.ok(err)
}

// A mail is kept once, judged once and answered once, whoever tries, and its text goes.
func testMail(w *world) {
	ctx, now := w.t.Context(), epoch()
	id := w.mail("a", "a@x.example", now)
	taken, err := w.TakeMail(ctx, &post.Taken{Message: post.Message{ID: w.id(), State: post.StateReceived}, Sender: "a@x.example", Key: "a", Mark: &post.Mark{Box: "box", Validity: 7, Last: 4}})
	if w.ok(err); taken {
		w.t.Error("a copy is a mail of its own")
	}
	mark, err := w.MailMark(ctx, "box")
	if w.ok(err); mark != (post.Mark{Box: "box", Validity: 7, Last: 4}) {
		w.t.Errorf("the mark %+v", mark)
	}
	if mark, err = w.MailMark(ctx, "other"); err != nil || mark.Last != 0 {
		w.t.Errorf("another mark %+v, %v", mark, err)
	}
	due, err := w.DueMail(ctx, now, 10)
	if w.ok(err); !cmp.Equal(due, []tianbao.ID{id}) {
		w.t.Errorf("due %v", due)
	}
	// Many want it, one has it, until the lease ends.
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			switch _, err := w.ClaimMail(ctx, id, fmt.Sprint("node", i), now, now.Add(time.Minute)); {
			case err == nil:
				won.Add(1)
			case tianbao.KindOf(err) != tianbao.ErrNotFound:
				w.t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		w.t.Errorf("%d have it", won.Load())
	}
	later := now.Add(2 * time.Minute)
	dead, err := w.ClaimMail(ctx, id, "n", later, later.Add(time.Minute))
	w.ok(err)
	if dead.Attempts != 2 || dead.Copies != 1 || string(dead.Raw) != "text of a" || dead.Head.From != "a@x.example" {
		w.t.Errorf("claimed %+v", dead)
	}
	// Who stopped gives it back, and the attempt does not count; who comes too late writes nothing.
	w.ok(w.DelayMail(ctx, dead, later, false))
	reply := w.judged(id, post.StateJudged, post.VerdictSaved, unitA, later)
	mine, err := w.JudgeMail(ctx, dead, &post.Judgement{State: post.StateJudged, Head: dead.Head, Reply: &post.Reply{ID: w.id(), Message: id}})
	if w.ok(err); mine {
		w.t.Error("a lost claim judges")
	}
	m, text, err := w.Mail(ctx, everybodysMail(), id)
	if w.ok(err); text != nil || m.State != post.StateJudged || m.Verdict != post.VerdictSaved || m.Unit != unitA || m.Attempts != 2 {
		w.t.Errorf("%+v, text %q", m, text)
	}
	n, err := w.JudgedSince(ctx, "a@x.example", now)
	if w.ok(err); n != 1 {
		w.t.Errorf("judged %d", n)
	}
	// The answer: claimed, put off, claimed, sent, and nothing of it stays.
	ids, err := w.DueReplies(ctx, later, 10)
	if w.ok(err); !cmp.Equal(ids, []tianbao.ID{reply}) {
		w.t.Fatalf("answers %v", ids)
	}
	r, err := w.ClaimReply(ctx, reply, "n", later, later.Add(time.Minute))
	w.ok(err)
	if r.Body.Text != "已收到" || string(r.File) != "marked" || r.Message != id {
		w.t.Errorf("answer %+v", r)
	}
	if _, err := w.ClaimReply(ctx, reply, "m", later, later.Add(time.Minute)); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("claimed twice: %v", err)
	}
	if mine, err := w.FinishReply(ctx, r, "m", true, time.Time{}, later); mine || err != nil {
		w.t.Errorf("another ends it: %t, %v", mine, err)
	}
	next := later.Add(time.Hour)
	if mine, err := w.FinishReply(ctx, r, "n", false, next, later); !mine || err != nil {
		w.t.Errorf("put off: %t, %v", mine, err)
	}
	r, err = w.ClaimReply(ctx, reply, "n", next, next.Add(time.Minute))
	w.ok(err)
	if mine, err := w.FinishReply(ctx, r, "n", true, time.Time{}, next); !mine || err != nil {
		w.t.Errorf("sent: %t, %v", mine, err)
	}
	if ids, err = w.DueReplies(ctx, next.Add(24*time.Hour), 10); err != nil || len(ids) > 0 {
		w.t.Errorf("still due: %v, %v", ids, err)
	}
	if m, _, err = w.Mail(ctx, everybodysMail(), id); err != nil || m.State != post.StateAnswered {
		w.t.Errorf("%+v, %v", m, err)
	}
}

// Officers see what is of their units, strangers' mails only who sees all; binding frees
// what waited because nobody knew the sender.
func testMailOfficers(w *world) {
	ctx, now := w.t.Context(), epoch()
	stranger := w.mail("s1", "s@x.example", now)
	second := w.mail("s2", "s@x.example", now)
	forged := w.mail("s3", "s@x.example", now)
	of := w.mail("b", "b@x.example", now)
	w.judged(stranger, post.StateWaiting, post.VerdictUnknown, 0, now)
	w.judged(second, post.StateWaiting, post.VerdictUnknown, 0, now)
	w.judged(forged, post.StateWaiting, post.VerdictSuspect, 0, now)
	w.judged(of, post.StateWaiting, post.VerdictRebind, unitB, now)
	see := func(v post.View) (ids []tianbao.ID) {
		list, err := w.Mails(ctx, v, post.Query{Limit: 10})
		w.ok(err)
		counts, err := w.CountMails(ctx, v)
		w.ok(err)
		for _, m := range list {
			ids = append(ids, m.ID)
		}
		if counts[post.StateWaiting] != len(list) {
			w.t.Errorf("%d of %d are counted", counts[post.StateWaiting], len(list))
		}
		return ids
	}
	for name, c := range map[string]struct {
		view post.View
		want []tianbao.ID
	}{
		"all":       {everybodysMail(), []tianbao.ID{of, forged, second, stranger}},
		"its unit":  {mailsBelow("/1/2/4/"), []tianbao.ID{of}},
		"above":     {mailsBelow("/1/"), []tianbao.ID{of}},
		"elsewhere": {mailsBelow("/12/"), nil},
		"nobody":    {post.View{}, nil},
	} {
		if diff := cmp.Diff(c.want, see(c.view)); diff != "" {
			w.t.Errorf("%s: %s", name, diff)
		}
	}
	for _, err := range []error{
		func() error { _, _, err := w.Mail(ctx, mailsBelow("/1/"), stranger); return err }(),
		w.ReplayMail(ctx, mailsBelow("/12/"), of, now), w.DropMail(ctx, mailsBelow("/12/"), of), w.DropMail(ctx, mailsBelow("/1/"), stranger),
	} {
		if tianbao.KindOf(err) != tianbao.ErrNotFound {
			w.t.Errorf("outside: %v", err)
		}
	}
	b := &post.Sender{ID: w.id(), Address: "s@x.example", Unit: unitA, How: post.ByOfficer, By: clerk, At: now}
	n, err := w.BindSender(ctx, b, stranger, now, noEvents)
	if w.ok(err); n != 2 {
		w.t.Errorf("%d mails are judged again, not 2", n)
	}
	if _, err := w.BindSender(ctx, b, stranger, now, noEvents); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("bound twice: %v", err)
	}
	c, err := w.ClaimMail(ctx, stranger, "n", now, now.Add(time.Minute))
	if w.ok(err); !c.Cleared || c.Attempts != 1 || len(c.Raw) == 0 {
		w.t.Errorf("after binding %+v", c.Message)
	}
	if c, err = w.ClaimMail(ctx, second, "n", now, now.Add(time.Minute)); err != nil || c.Cleared {
		w.t.Errorf("nobody looked at the second: %v", err)
	}
	got, u, err := w.MailSender(ctx, "s@x.example")
	if w.ok(err); got.Address != "s@x.example" || got.Unit != unitA || u.ID != unitA || got.How != post.ByOfficer {
		w.t.Errorf("bound %+v", got)
	}
	if _, _, err := w.MailSender(ctx, "nobody@x.example"); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("nobody: %v", err)
	}
	if list, err := w.MailSenders(ctx, at("/12/"), 10); err != nil || len(list) != 0 {
		w.t.Errorf("elsewhere sees %v, %v", list, err)
	}
	none := func(tianbao.ID) []tianbao.Event { return nil }
	if err := w.UnbindSender(ctx, at("/12/"), b.ID, none); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("unbound from elsewhere: %v", err)
	}
	w.ok(w.UnbindSender(ctx, at("/1/"), b.ID, none))
	if _, _, err := w.MailSender(ctx, "s@x.example"); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("still bound: %v", err)
	}
	w.ok(w.DropMail(ctx, everybodysMail(), forged))
	if n, err := w.ExpireMail(ctx, now.Add(time.Hour), noEvents); err != nil || n != 1 {
		w.t.Errorf("%d expired, %v", n, err)
	}
	for _, id := range []tianbao.ID{forged, of} {
		if m, text, err := w.Mail(ctx, everybodysMail(), id); err != nil || m.State != post.StateDropped || text != nil || m.Head.From != "" {
			w.t.Errorf("dropped %+v %q %v", m, text, err)
		}
	}
}

// A code binds once, together with the verdict.
func testMailCode(w *world) {
	ctx, now := w.t.Context(), epoch()
	a := auth.Activation{ID: w.id(), Unit: tianbao.Unit{ID: unitA}, Code: "AAAA-CCCC-EEEE-FFFF", Created: now, Expires: now.Add(time.Hour)}
	w.ok(w.PutActivations(ctx, clerk, []auth.Activation{a}))
	bind := func(key, sender string) (bool, error) {
		id := w.mail(key, sender, now)
		c, err := w.ClaimMail(ctx, id, "n", now, now.Add(time.Minute))
		w.ok(err)
		return w.JudgeMail(ctx, c, &post.Judgement{
			State: post.StateJudged, Verdict: post.VerdictBound, At: now, Unit: unitA, Head: c.Head, Code: a.ID,
			Bind:  &post.Sender{ID: w.id(), Address: sender, Unit: unitA, How: post.ByCode, At: now},
			Reply: &post.Reply{ID: w.id(), Message: id, Body: post.ReplyBody{To: sender, At: now}},
		})
	}
	if mine, err := bind("c1", "c1@x.example"); !mine || err != nil {
		w.t.Errorf("bound: %t, %v", mine, err)
	}
	if _, err := bind("c2", "c2@x.example"); err == nil {
		w.t.Error("a code binds twice")
	}
	if _, _, err := w.MailSender(ctx, "c2@x.example"); tianbao.KindOf(err) != tianbao.ErrNotFound {
		w.t.Errorf("the second is bound: %v", err)
	}
	if ids, err := w.DueReplies(ctx, now, 10); err != nil || len(ids) != 1 {
		w.t.Errorf("answers %v, %v", ids, err)
	}
}
