package living

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"tianbao"
)

// The confirmation round: a collection may be prefilled from another. Whoever stands there
// is asked about in the new one; nobody is in it before their unit says that they stay.

// MaxAsked is how many people one page of questions lists, and one answer names.
const MaxAsked = 500

// Asked returns the people of the round before whom the report of a unit is asked about.
// ok is false where the collection is not prefilled.
func (s *Service) Asked(ctx context.Context, rep *tianbao.Report) (asked Asked, ok bool, err error) {
	c, err := s.Store.Collection(ctx, rep.Campaign)
	if err != nil || c.Prefill == 0 {
		return asked, false, err
	}
	asked, err = s.Store.Prefill(ctx, *rep, c.Prefill, MaxAsked)
	return asked, true, err
}

// Answer is what a unit says of its people of the round before: who stays becomes a row of
// the report, as they stood there, with the unit as it is named today; who left does not.
type Answer struct {
	Key         string // idempotency key of what it saves
	Stays, Left []tianbao.RowPlace
	// Again takes the answer back that somebody left.
	Again []tianbao.RowPlace
}

// Confirm carries an answer out and returns how many rows came into the report.
func (s *Service) Confirm(ctx context.Context, a Actor, rep *tianbao.Report, in Answer) (int, error) {
	n := len(in.Stays) + len(in.Left) + len(in.Again)
	if n == 0 {
		return 0, tianbao.Invalid("no_answer", "请先选择人员。")
	}
	if n > MaxAsked {
		return 0, tianbao.Invalid("many_answers", fmt.Sprintf("一次最多确认 %d 人，请分几次。", MaxAsked))
	}
	asked, ok, err := s.Asked(ctx, rep)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, tianbao.NotFound()
	}
	to, err := s.Form(rep.Form, rep.FormV)
	if err != nil {
		return 0, err
	}
	find := func(at tianbao.RowPlace) *AskedPerson {
		i := slices.IndexFunc(asked.People, func(p AskedPerson) bool {
			return p.Report.ID == at.Report && p.Row.ID == at.Row
		})
		if i < 0 {
			return nil
		}
		return &asked.People[i]
	}
	answer := func(p *AskedPerson, says tianbao.ConfirmAnswer) tianbao.Confirmation {
		return tianbao.Confirmation{
			Campaign: rep.Campaign, Unit: p.Unit.ID, From: tianbao.RowPlace{Report: p.Report.ID, Row: p.Row.ID}, Answer: says, By: a.User, Said: s.Now(),
		}
	}
	ev := tianbao.Event{At: s.Now(), Actor: a.User, Owner: rep.Owner, From: a.From, What: "people.confirm", Object: rep.ID.String()}
	for _, at := range in.Again {
		if p := find(at); p == nil || p.Answer != tianbao.ConfirmLeft {
			return 0, tianbao.NotFound()
		}
		ev.Detail = "asked again"
		if err := s.Store.DropAnswer(ctx, *rep, at, ev); err != nil {
			return 0, err
		}
	}
	set := &tianbao.ChangeSet{Report: rep.ID, Key: in.Key, Base: rep.Version, Source: tianbao.SourceConfirm, Note: "确认上一次采集的人员"}
	var left []tianbao.Confirmation
	for _, at := range in.Left {
		p := find(at)
		if p == nil {
			return 0, tianbao.NotFound()
		}
		left = append(left, answer(p, tianbao.ConfirmLeft))
	}
	for i, at := range in.Stays {
		p := find(at)
		if p == nil {
			return 0, tianbao.NotFound()
		}
		from, err := s.Form(p.Report.Form, p.Report.FormV)
		if err != nil {
			return 0, err
		}
		c := answer(p, tianbao.ConfirmStays)
		c.Temp = fmt.Sprint("confirm", i)
		set.Confirms = append(set.Confirms, c)
		set.Changes = append(set.Changes, copied(c.Temp, from, to, &p.Unit, &p.Row)...)
	}
	if len(left) > 0 {
		ev.Detail = fmt.Sprintf("left=%d", len(left))
		if err := s.Store.PutAnswers(ctx, *rep, left, ev); err != nil {
			return 0, err
		}
	}
	if len(set.Changes) == 0 {
		return 0, nil
	}
	_, err = s.Office.Save(ctx, a.Doer, set)
	return len(set.Confirms), err
}

// copied are the changes that bring a row of one round into the next one: cells by their
// keys, those of the unit as the register of units has them today, and the reasons.
func copied(temp string, from, to *tianbao.Form, u *tianbao.Unit, row *tianbao.Row) []tianbao.Change {
	in := tianbao.Change{Op: tianbao.OpInsert, Temp: temp, After: tianbao.AtEnd}
	unit := fromRegister(to, u)
	for i := range to.Fields {
		v := unit[i]
		if at := from.Index(to.Fields[i].Key); v == "" && at >= 0 {
			v = row.Values[at]
		}
		if v != "" {
			in.Cells = append(in.Cells, tianbao.CellEdit{Field: i, Value: v})
		}
	}
	out := []tianbao.Change{in}
	for _, r := range row.Reasons {
		if utf8.RuneCountInString(r.Text) >= tianbao.MinReason {
			out = append(out, tianbao.Change{Op: tianbao.OpReason, Temp: temp, Reason: tianbao.Reason{Code: r.Code, Text: r.Text}})
		}
	}
	return out
}
