package living

import (
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
)

// Lengths of what people write, in characters.
const (
	minWhy = 4
	maxWhy = 500
)

// Kept refuses a collection that takes no changes: only one that has ended and is kept as
// a register does.
func Kept(c *tianbao.Campaign) error {
	switch c.Phase() {
	case tianbao.PhasePreparing:
		return tianbao.NotFound()
	case tianbao.PhaseOpen:
		return tianbao.Invalid("not_ended", "采集还没有结束，人员有变化请直接在报表里改，再提交上报。")
	case tianbao.PhaseArchived:
		return tianbao.Invalid("archived", "这次采集已经归档，不再接收变更；请在新的采集里填报。")
	}
	if c.Kept.IsZero() {
		return tianbao.Invalid("not_kept", "这次采集没有作为人员登记保留，不接收变更；需要更正请联系上级财政部门。")
	}
	return nil
}

// Days are from which to which day a change may hold.
type Days struct{ From, To time.Time }

// daysOf tells them: from the end of the round, or the last change of the same person
// there, until today.
func daysOf(c *tianbao.Campaign, last, now time.Time) Days {
	d := Days{From: Day(c.Ended), To: Day(now)}
	if last := Day(last); last.After(d.From) {
		d.From = last
	}
	return d
}

// check refuses a day outside.
func (d Days) check(day time.Time) error {
	switch {
	case day.IsZero():
		return tianbao.Invalid("no_day", "请填写生效日期，就是从哪一天起这样。")
	case day.After(d.To):
		return tianbao.Invalid("future_day", "生效日期还没有到，请到那一天再报。")
	case day.Before(d.From):
		return tianbao.Invalid("early_day", "生效日期不能早于 "+d.From.Format(time.DateOnly)+"：这是采集结束或者这名人员上一次变更的日期，更早的请填这一天。")
	}
	return nil
}

// checkWhy refuses a reason that is too long, or too short where one is asked for.
func checkWhy(k tianbao.ChangeKind, why string) error {
	n := utf8.RuneCountInString(why)
	switch {
	case n > maxWhy:
		return tianbao.Invalid("long_why", "说明最多 500 个字，请写得短一些。")
	case n < tianbao.MinReason && k == tianbao.ChangePart:
		return tianbao.Invalid("no_why", "兼任请写明原因，至少 6 个字，核准的人会看到。")
	}
	return nil
}

// decide brings a waiting change to another state.
func decide(c *tianbao.PersonChange, to tianbao.ChangeState, by tianbao.ID, at time.Time, remark string) error {
	if c.State != tianbao.ChangeWaiting {
		return Decided()
	}
	remark = strings.TrimSpace(remark)
	switch n := utf8.RuneCountInString(remark); {
	case n > maxWhy:
		return tianbao.Invalid("long_remark", "意见最多 500 个字，请写得短一些。")
	case to == tianbao.ChangeReturned && n < minWhy:
		return tianbao.Invalid("no_remark", "请写明退回的原因，至少 4 个字，单位会看到。")
	}
	c.State, c.Decider, c.Decided, c.Remark = to, by, at, remark
	return nil
}

// Decided is the error of an act on a change that somebody decided meanwhile.
func Decided() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "decided", Message: "这项变更已经处理过了，请刷新页面查看。"}
}

// kindField returns the first field of a kind, -1: the form has none.
func kindField(f *tianbao.Form, k tianbao.Kind) int {
	for i := range f.Fields {
		if f.Fields[i].Kind == k {
			return i
		}
	}
	return -1
}
