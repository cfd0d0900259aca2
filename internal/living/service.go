package living

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
)

// Service keeps registers of people.
type Service struct {
	Store  Store
	Office Office
	// Form returns a published form, an error if there is none.
	Form func(name string, version int) (*tianbao.Form, error)
	IDs  *clock.IDs
	Now  clock.Clock
}

// elsewhere is the code under which a row says why its person is in another unit too; plans
// of accounts look for it.
const elsewhere = "person.elsewhere"

// MaxPeople bounds the people of one unit that are read at once.
const MaxPeople = 5_000

// Wish is what a unit reports.
type Wish struct {
	Kind tianbao.ChangeKind
	Day  time.Time
	// Row is who leaves or has another phone.
	Row tianbao.ID
	// Values are the cells of who comes, or the new phone, by field key.
	Values map[string]string
	Why    string
}

// Report takes a change from a unit. Where nobody has to accept, it is made at once; who
// comes from another unit, or stays in one too, always waits for a bureau above both.
func (s *Service) Report(ctx context.Context, a Actor, campaign, unit tianbao.ID, w Wish) (*tianbao.PersonChange, error) {
	u, err := s.Store.Unit(ctx, a.Fills, unit)
	if err != nil {
		return nil, err
	}
	c, err := s.Store.Collection(ctx, campaign)
	if err != nil {
		return nil, err
	}
	if err := s.takes(ctx, &c, unit); err != nil {
		return nil, err
	}
	w.Why = strings.TrimSpace(w.Why)
	if w.Kind.Title() == "" {
		return nil, tianbao.Invalid("bad_kind", "请选择变更的种类。")
	}
	if err := checkWhy(w.Kind, w.Why); err != nil {
		return nil, err
	}
	ch := &tianbao.PersonChange{
		ID: tianbao.ID(s.IDs.Next()), Campaign: campaign, Unit: unit, UnitName: u.Name, Kind: w.Kind, Day: Day(w.Day), State: tianbao.ChangeWaiting,
		Why: w.Why, By: a.User, ByName: a.Name, Made: s.Now(),
	}
	people, err := s.Store.People(ctx, tianbao.Scope{Paths: []string{u.Path}}, campaign, unit, MaxPeople)
	if err != nil {
		return nil, err
	}
	var person string
	if w.Kind.Comes() {
		person, err = s.coming(ctx, a, &c, &u, ch, &w, people)
	} else {
		person, err = s.staying(ctx, &c, &u, ch, &w, people)
	}
	if err != nil {
		return nil, err
	}
	sets, err := s.sets(ctx, a, &c, &u, ch)
	if err != nil {
		return nil, err
	}
	ev := s.event(a, "change.make", ch)
	if c.Accepts || ch.Kind == tianbao.ChangeMove || ch.Kind == tianbao.ChangePart {
		return ch, s.Store.PutChange(ctx, ch, person, ev)
	}
	ch.State, ch.Decider, ch.DeciderName, ch.Decided = tianbao.ChangeAccepted, a.User, a.Name, s.Now()
	return ch, plainConflict(s.Office.Carry(ctx, a.Doer, ch, person, true, sets, ev, s.event(a, "change.accept", ch)))
}

// takes refuses a collection that is not kept as a register, and a unit that is not in it.
func (s *Service) takes(ctx context.Context, c *tianbao.Campaign, unit tianbao.ID) error {
	if err := Kept(c); err != nil {
		return err
	}
	ok, err := s.Store.Takes(ctx, c.ID, unit)
	if err == nil && !ok {
		err = tianbao.Invalid("outside", "本单位不在这次采集的范围内，不用报变更；有疑问请联系上级财政部门。")
	}
	return err
}

// coming fills in a change that brings somebody into the unit.
func (s *Service) coming(ctx context.Context, a Actor, c *tianbao.Campaign, u *tianbao.Unit, ch *tianbao.PersonChange, w *Wish, people []Person) (string, error) {
	if err := daysOf(c, time.Time{}, s.Now()).check(ch.Day); err != nil {
		return "", err
	}
	rep, err := s.Store.OpenReport(ctx, a.Fills, c.ID, u.ID)
	if err != nil {
		return "", err
	}
	f, err := s.Form(rep.Form, rep.FormV)
	if err != nil {
		return "", err
	}
	ch.Form, ch.FormV, ch.At.Report, ch.Base = f.Name, f.Version, rep.ID, rep.Version
	ch.Values = fromRegister(f, u)
	for i := range f.Fields {
		if v, ok := w.Values[f.Fields[i].Key]; ok && ch.Values[i] == "" {
			ch.Values[i] = v
		}
	}
	faulty := s.checked(ctx, a, f, ch, s.insertion(ch))
	if faulty != nil && tianbao.KindOf(faulty) != tianbao.ErrFaulty {
		return "", faulty
	}
	at := kindField(f, tianbao.KindResidentID)
	if at < 0 {
		return "", tianbao.Invalid("no_people", "这张采集表没有身份证号码一栏，认不出人员，不能报变更。")
	}
	person := ch.Values[at]
	if slices.ContainsFunc(people, func(p Person) bool { return s.idOf(&p) == person }) {
		return "", tianbao.Invalid("here_already", "这名人员已经登记在本单位，不用再报；号码变了请报“换号”。")
	}
	if faulty != nil { // after that: who is there twice is a fault too
		return "", faulty
	}
	switch whose, err := s.Office.UnitOf(ctx, rep.ID, ch.Values); {
	case err != nil:
		return "", err
	case whose != u.ID:
		return "", tianbao.Invalid("other_unit", "填写的单位代码是另一个单位的，请核对；登记册中本单位的代码有误，请先申请更正登记。")
	}
	others, err := s.Store.Elsewhere(ctx, c.ID, u.ID, f.Fields[at].Key, person)
	if err != nil {
		return "", err
	}
	return person, fits(ch.Kind, len(others))
}

// fits refuses a kind that does not go with how many other units have the person.
func fits(k tianbao.ChangeKind, others int) error {
	switch {
	case k == tianbao.ChangeJoin && others > 0:
		return tianbao.Invalid("elsewhere", "这名人员在其他单位已有登记：从那里调来的请改报“调入”，在两处任职的请改报“兼任”，由共同的上级财政部门核准。")
	case k == tianbao.ChangeMove && others > 1:
		return tianbao.Invalid("in_several", "这名人员登记在不止一个单位，请先由不再任职的单位报“离任”，再报“调入”。")
	case k != tianbao.ChangeJoin && others == 0:
		return tianbao.Invalid("nowhere", "这名人员没有登记在其他单位，请改报“新任”。")
	}
	return nil
}

// staying fills in a change of somebody who is in the unit.
func (s *Service) staying(ctx context.Context, c *tianbao.Campaign, u *tianbao.Unit, ch *tianbao.PersonChange, w *Wish, people []Person) (string, error) {
	i := slices.IndexFunc(people, func(p Person) bool { return p.Row.ID == w.Row })
	if i < 0 {
		return "", tianbao.Invalid("not_here", "请选择一名登记在本单位的人员。")
	}
	p := &people[i]
	f, err := s.Form(p.Report.Form, p.Report.FormV)
	if err != nil {
		return "", err
	}
	last, err := s.lastDay(ctx, u, c.ID, tianbao.RowPlace{Report: p.Report.ID, Row: p.Row.ID})
	if err != nil {
		return "", err
	}
	if err := daysOf(c, last, s.Now()).check(ch.Day); err != nil {
		return "", err
	}
	ch.Form, ch.FormV = f.Name, f.Version
	ch.At, ch.Base = tianbao.RowPlace{Report: p.Report.ID, Row: p.Row.ID}, p.Report.Version
	ch.Values, ch.Before = slices.Clone(p.Row.Values), p.Row.Values
	if ch.Kind == tianbao.ChangePhone {
		at := kindField(f, tianbao.KindPhone)
		if at < 0 {
			return "", tianbao.Invalid("no_phone", "这张采集表没有联系电话一栏，不能报“换号”。")
		}
		ch.Values[at] = w.Values[f.Fields[at].Key]
		if err := s.checked(ctx, Actor{Doer: tianbao.Doer{User: ch.By}}, f, ch, s.edit(f, ch)); err != nil {
			return "", err
		}
		if ch.Values[at] == ch.Before[at] {
			return "", tianbao.Invalid("same_phone", "填写的号码与登记的相同，没有需要变更的。")
		}
	}
	return s.idOf(p), nil
}

// lastDay is the day of the last accepted change of a row, zero without one.
func (s *Service) lastDay(ctx context.Context, u *tianbao.Unit, campaign tianbao.ID, at tianbao.RowPlace) (last time.Time, err error) {
	list, err := s.Store.Changes(ctx, tianbao.Scope{Paths: []string{u.Path}}, Filter{Campaign: campaign, Unit: u.ID, State: tianbao.ChangeAccepted, Limit: MaxPeople})
	for i := range list {
		if list[i].At == at && list[i].Day.After(last) {
			last = list[i].Day
		}
	}
	return last, err
}

// idOf is the resident id of somebody in the register.
func (s *Service) idOf(p *Person) string {
	f, err := s.Form(p.Report.Form, p.Report.FormV)
	if err != nil {
		return ""
	}
	return idIn(f, p.Row.Values)
}

func idIn(f *tianbao.Form, v tianbao.Values) string {
	if i := kindField(f, tianbao.KindResidentID); i >= 0 && i < len(v) {
		return v[i]
	}
	return ""
}

// fromRegister are the cells that the register of units has of a unit.
func fromRegister(f *tianbao.Form, u *tianbao.Unit) tianbao.Values {
	out := make(tianbao.Values, len(f.Fields))
	for i := range f.Fields {
		out[i] = u.Key(f.Fields[i].RegisterKey())
	}
	return out
}

// Given reports whether a field of who comes is given by the register of units.
func Given(f *tianbao.Form, u *tianbao.Unit) []bool {
	out := make([]bool, len(f.Fields))
	for i, v := range fromRegister(f, u) {
		out[i] = v != ""
	}
	return out
}

// checked refuses a change whose row would have faults, and gives the change's reason for
// those that ask for one. The cells of the change get their normal form.
func (s *Service) checked(ctx context.Context, a Actor, f *tianbao.Form, ch *tianbao.PersonChange, set *tianbao.ChangeSet) error {
	problems, err := s.Office.Problems(ctx, a.Doer, set)
	if err != nil {
		return err
	}
	for _, c := range set.Changes[0].Cells {
		ch.Values[c.Field] = c.Value
	}
	problems = slices.DeleteFunc(problems, func(p tianbao.Problem) bool {
		if p.Code == "person.elsewhere" { // fits asks for more, and by the kind of the change
			return true
		}
		return p.Severity == tianbao.SeverityHint || p.Severity == tianbao.SeverityJustify && utf8.RuneCountInString(ch.Why) >= tianbao.MinReason
	})
	if len(problems) == 0 {
		return nil
	}
	msg := ""
	for i := range problems {
		p := &problems[i]
		if fd := f.Field(p.Field); fd != nil {
			msg += fd.Title + "："
		}
		msg += p.Message
		if p.Severity == tianbao.SeverityJustify {
			msg += "确实如此的，请在说明里写明原因，至少 6 个字。"
		}
	}
	return &tianbao.Error{Kind: tianbao.ErrFaulty, Code: "faulty", Message: msg, Problems: problems}
}

// insertion is the change set that brings somebody in.
func (s *Service) insertion(ch *tianbao.PersonChange) *tianbao.ChangeSet {
	in := tianbao.Change{Op: tianbao.OpInsert, Temp: "change", After: tianbao.AtEnd}
	for i, v := range ch.Values {
		if v != "" {
			in.Cells = append(in.Cells, tianbao.CellEdit{Field: i, Value: v})
		}
	}
	return s.set(ch, ch.At.Report, ch.Base, "in", in)
}

// edit is the change set that changes cells of somebody.
func (s *Service) edit(f *tianbao.Form, ch *tianbao.PersonChange) *tianbao.ChangeSet {
	e := tianbao.Change{Op: tianbao.OpEdit, Row: ch.At.Row}
	for i := range f.Fields {
		if ch.Values[i] != ch.Before[i] {
			e.Cells = append(e.Cells, tianbao.CellEdit{Field: i, Value: ch.Values[i]})
		}
	}
	return s.set(ch, ch.At.Report, ch.Base, "in", e)
}

func (s *Service) set(ch *tianbao.PersonChange, rep tianbao.ID, base int64, side string, changes ...tianbao.Change) *tianbao.ChangeSet {
	return &tianbao.ChangeSet{
		Report: rep, Key: "change." + ch.ID.String() + "." + side, Base: base, Source: tianbao.SourceChange,
		Note: ch.Kind.Title() + "，自 " + ch.Day.Format(time.DateOnly) + " 起", Changes: changes,
	}
}

// sets are the change sets that carry a change out, checked as the rows stand now.
func (s *Service) sets(ctx context.Context, a Actor, c *tianbao.Campaign, u *tianbao.Unit, ch *tianbao.PersonChange) ([]*tianbao.ChangeSet, error) {
	f, err := s.Form(ch.Form, ch.FormV)
	if err != nil {
		return nil, err
	}
	var set *tianbao.ChangeSet
	switch {
	case ch.Kind.Comes():
		set = s.insertion(ch)
	case ch.Kind == tianbao.ChangePhone:
		set = s.edit(f, ch)
	default:
		return []*tianbao.ChangeSet{s.set(ch, ch.At.Report, ch.Base, "in", tianbao.Change{Op: tianbao.OpDelete, Row: ch.At.Row})}, nil
	}
	problems, err := s.Office.Problems(ctx, a.Doer, set)
	if err != nil {
		return nil, err
	}
	if ch.Kind == tianbao.ChangePart {
		set.Changes = append(set.Changes, tianbao.Change{Op: tianbao.OpReason, Temp: "change", Reason: tianbao.Reason{Code: elsewhere, Text: ch.Why}})
	}
	for i := range problems {
		if p := &problems[i]; p.Severity == tianbao.SeverityJustify && p.Code != elsewhere && utf8.RuneCountInString(ch.Why) >= tianbao.MinReason {
			r := tianbao.Change{Op: tianbao.OpReason, Row: ch.At.Row, Reason: tianbao.Reason{Code: p.Code, Text: ch.Why}}
			if ch.Kind.Comes() {
				r.Row, r.Temp = 0, "change"
			}
			set.Changes = append(set.Changes, r)
		}
	}
	return []*tianbao.ChangeSet{set}, nil
}

func (s *Service) event(a Actor, what string, ch *tianbao.PersonChange) tianbao.Event {
	e := tianbao.Event{
		At: s.Now(), Actor: a.User, Owner: ch.Unit, From: a.From, What: what, Object: ch.ID.String(),
		Detail: string(ch.Kind) + " from " + ch.Day.Format(time.DateOnly), Reason: ch.Remark,
	}
	if ch.State == tianbao.ChangeAccepted {
		e.News = &tianbao.News{Kind: tianbao.NewsChanged, Campaign: ch.Campaign}
	}
	return e
}

// plainConflict says of a conflict of cells what it means for a change; the values are not
// for whoever decides.
func plainConflict(err error) error {
	var e *tianbao.Error
	if errors.As(err, &e) && e.Kind == tianbao.ErrConflict && len(e.Conflicts) > 0 {
		return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "moved_on", Message: "报了这项变更以后，这名人员的登记又变了；请退回，让单位按现在的情况重新报。"}
	}
	return err
}
