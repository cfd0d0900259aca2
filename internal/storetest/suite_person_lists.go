package storetest

import (
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/post"
)

// An erased person leaves the old lists too, what was found of her lines, the reasons of
// decisions and the heads of mails that are dealt with; everybody else stays, and the next
// comparison holds what is left. Who stands in a collection that is not over stays in the lists.
func testErasedFromLists(w *world) {
	ctx := w.t.Context()
	const budget, name, org = "101002", "第二中学", "12210100000000004D"
	who, id, phone := somebody(gone)
	rep := w.open(unitB)
	d := w.draft(rep)
	d.insert(tianbao.AtEnd, collected("zc05", gone, budget, name, org))
	d.insert(tianbao.AtEnd, collected("zc09", stays, budget, name, org))
	d.save()
	s, a := w.comparing(), compare.Actor{User: clerk, Scope: at("/1/")}
	w.listed(s, a, oldLine("zc05x", gone, budget, name, org), oldLine("zc09", stays, budget, name, org))
	bare := oldLine("zc77", 77, budget, name, org)
	bare.Row.Values[4], bare.Row.Values[5], bare.Row.Values[6] = who, "", phone // hers, without an id
	namesake := oldLine("zc78", 78, budget, name, org)
	namesake.Row.Values[4], namesake.Row.Values[5] = who, "" // of another phone: who that is nobody knows
	w.listed(s, a, oldLine("zc05", gone, budget, name, org), oldLine("zc09", stays, budget, name, org), bare, namesake)
	c, err := s.Run(ctx, a, bureau, campaign)
	w.ok(err)
	w.ok(w.PutDecision(ctx, &compare.Verdict{ID: w.id(), Comparison: c.ID, Old: 1, Unit: unitB, Kind: compare.KindIgnore, Reason: "与" + who + "核对过", By: clerk, At: epoch()}))
	mail := w.mail("one", "a@b.example", epoch())
	cl, err := w.ClaimMail(ctx, mail, "n", epoch(), epoch().Add(time.Minute))
	w.ok(err)
	cl.Head.Subject = id + "的表"
	_, err = w.JudgeMail(ctx, cl, &post.Judgement{State: post.StateJudged, At: epoch(), Unit: unitB, Head: cl.Head, Reply: &post.Reply{ID: w.id(), Message: mail, Body: post.ReplyBody{At: epoch()}}})
	w.ok(err)

	lines := func() (mine, others int) {
		w.t.Helper()
		w.ok(w.DB().Each(ctx, func(scan db.Scan) error {
			var key []byte
			err := scan(&key)
			if len(key) == 0 {
				mine++
			} else {
				others++
			}
			return err
		}, `SELECT user_key FROM legacy_user`))
		return mine, others
	}
	erase := func() tianbao.PersonErased {
		w.t.Helper()
		sum, err := ErasePerson(w.t, w.Store)
		w.ok(err)
		return sum
	}
	// Her collection is not over: the list stays with her.
	if sum := erase(); sum.Kept != 1 {
		w.t.Errorf("kept %+v", sum)
	}
	if mine, others := lines(); mine != 0 || others != 5 {
		w.t.Errorf("%d lines blank, %d whole, while she is in a collection that is not over", mine, others)
	}
	w.ok(w.PutCampaign(ctx, tianbao.Campaign{ID: campaign, Title: "采集", Form: "asset-role", FormV: 1, Opens: epoch(), Closes: epoch().AddDate(0, 1, 0), Released: true}))
	before := w.paired(ctx, &c)
	if sum := erase(); sum.Rows != 1 || sum.Kept != 0 || sum.Others != 4 {
		w.t.Errorf("erased %+v", sum)
	}
	if mine, others := lines(); mine != 3 || others != 2 {
		w.t.Errorf("%d lines blank, %d whole", mine, others)
	}
	if after := w.paired(ctx, &c); len(before)-len(after) < 2 {
		w.t.Errorf("found before %q, after %q", before, after)
	}
	c, err = s.Run(ctx, a, bureau, campaign)
	w.ok(err)
	shown, err := w.ShownItems(ctx, all(), &c, compare.Query{Limit: 50})
	w.ok(err)
	matched := 0
	for _, x := range shown {
		if x.List == compare.Matched {
			matched++
		}
		for _, cells := range []*compare.Cellular{x.Mine, x.Other} {
			if cells != nil && strings.Contains(strings.Join(cells.Values, " "), id) {
				w.t.Error("a line still names the person")
			}
		}
	}
	if matched != 1 {
		w.t.Errorf("%d are matched after it, want the one who stays", matched)
	}
	m, _, err := w.Mail(ctx, everybodysMail(), mail)
	w.ok(err)
	if m.Head.Subject != tianbao.ErasedMark || m.Head.From == "" || m.Head.Files[0] != "表.xlsx" {
		w.t.Errorf("the head of a mail: %q", m.Head.Subject)
	}
	if sum := erase(); sum.Rows+sum.Others != 0 {
		w.t.Errorf("erased again: %+v", sum)
	}

	// The list is deleted, by who keeps the register of its bureau; another one may follow.
	event := func(int64) tianbao.Event {
		return tianbao.Event{At: epoch(), Actor: clerk, What: "compare.drop", Object: bureau.String()}
	}
	_, err = w.DropList(ctx, at("/1/2/"), bureau, clerk, epoch(), event)
	refused(w.t, "the list of a bureau above", err, tianbao.ErrNotFound)
	n, err := w.DropList(ctx, at("/1/"), bureau, clerk, epoch(), event)
	w.ok(err)
	if lists, err := w.OldLists(ctx, at("/1/")); n != 5 || err != nil || len(lists) != 0 {
		w.t.Errorf("%d lines deleted, %d lists left, %v", n, len(lists), err)
	}
	_, err = w.DropList(ctx, at("/1/"), bureau, clerk, epoch(), event)
	refused(w.t, "deleted twice", err, tianbao.ErrNotFound)
	if got := w.paired(ctx, &c); len(got) != 0 {
		w.t.Errorf("still found: %q", got)
	}
	var open, told int
	w.ok(w.DB().One(ctx, []any{&open, &told}, `SELECT COUNT(*), COALESCE(SUM(length(reason)), 0) FROM compare_decision`))
	if open != 1 || told != 0 {
		w.t.Errorf("%d decisions with reasons of %d bytes", open, told)
	}
	_, err = s.Run(ctx, a, bureau, campaign)
	refused(w.t, "a comparison without a list", err, tianbao.ErrInvalid)
	if l := w.listed(s, a, oldLine("zc09", stays, budget, name, org)); l.Version != 3 || l.Fresh != 1 {
		w.t.Errorf("the next list: %+v", l)
	}
	c, err = s.Run(ctx, a, bureau, campaign)
	w.ok(err)
	if got := w.paired(ctx, &c); len(got) < 2 {
		w.t.Errorf("found with the next list: %q", got)
	}
}
