package remind

import (
	"time"

	"tianbao"
)

// Why is why a unit is not reminded, or a reminder was not delivered; WhyNot for none.
type Why string

// The reasons.
const (
	WhyNot       Why = ""
	WhyDone      Why = "done"       // reported, passed or nothing to report
	WhyExempt    Why = "exempt"     // 免报
	WhyOutside   Why = "outside"    // does not take part
	WhyClosed    Why = "closed"     // cannot report now: not open yet, over, locked
	WhyEarly     Why = "early"      // its time for reminders has not come
	WhyRecent    Why = "recent"     // reminded a short time ago
	WhyNoContact Why = "no_contact" // no channel of the policy leads to it
	WhyQuiet     Why = "quiet"      // not at this hour or on this day
	WhyStopped   Why = "stopped"    // by an officer
	WhyRefused   Why = "refused"    // the channel does not take it
	WhyGaveUp    Why = "gave_up"    // the channel was not to be reached, many times
	WhyWithdrawn Why = "withdrawn"  // the notice, before its copy went out
	WhyUnwanted  Why = "unwanted"   // the unit takes no copies
)

// Whys returns the reasons for which a preview leaves units out, in its order.
func Whys() []Why { return []Why{WhyDone, WhyExempt, WhyClosed, WhyEarly, WhyRecent, WhyNoContact} }

// Title returns the reason in the users' words.
func (w Why) Title() string {
	switch w {
	case WhyDone:
		return "已经完成"
	case WhyExempt:
		return "免报"
	case WhyOutside:
		return "不参加"
	case WhyClosed:
		return "现在不能填报"
	case WhyEarly:
		return "还没到催报的日子"
	case WhyRecent:
		return "刚催过"
	case WhyNoContact:
		return "没有联系方式"
	case WhyQuiet:
		return "不在发送时段"
	case WhyStopped:
		return "已停止"
	case WhyRefused:
		return "对方拒收"
	case WhyGaveUp:
		return "多次发送不成"
	case WhyWithdrawn:
		return "通知已撤回"
	case WhyUnwanted:
		return "单位不要抄送"
	}
	return ""
}

// Facts are what is known of a unit at a moment.
type Facts struct {
	Unit  tianbao.Unit
	State tianbao.Standing // as stored
	Shown tianbao.Standing // as people see it
	Takes bool             // takes part
	Open  bool             // rows may be written
	// Closes is when that ends, zero: no end is set.
	Closes time.Time
	Last   time.Time // when it was reminded last, zero: never
	// Account, Phone and Mail tell what leads to it.
	Account, Phone, Mail bool
}

// reaches reports whether a channel leads to the unit.
func (f *Facts) reaches(c Channel) bool {
	switch c {
	case ChannelPage:
		return f.Account
	case ChannelMail:
		return f.Mail
	case ChannelHook:
		return f.Phone
	}
	return false
}

// awaited tells why nothing is awaited of a unit, WhyNot where its report is.
func (f *Facts) awaited() Why {
	switch {
	case !f.Takes:
		return WhyOutside
	case f.State == tianbao.StandingExempt:
		return WhyExempt
	case f.State.Done():
		return WhyDone
	case !f.Open:
		return WhyClosed
	}
	return WhyNot
}

// Decide tells why a unit is not reminded at a moment, whatever the hour, and for which
// time it is. By hand is sent also before the policy's days have begun.
func (p *Policy) Decide(f *Facts, at time.Time, hand bool, usable func(Channel) bool) (due time.Time, channels []Channel, why Why) {
	if why = f.awaited(); why != WhyNot {
		return due, nil, why
	}
	if due = at; !hand {
		var ok bool
		if due, ok = p.Due(f.Closes, at); !ok {
			return due, nil, WhyEarly
		}
	}
	if !f.Last.IsZero() && at.Before(f.Last.Add(p.every())) {
		return due, nil, WhyRecent
	}
	for _, c := range p.Channels {
		if usable(c) && f.reaches(c) {
			channels = append(channels, c)
		}
	}
	if len(channels) == 0 {
		return due, nil, WhyNoContact
	}
	return due, channels, WhyNot
}

// retryAfter are the times to wait after each failed attempt; after the last one it is
// given up. Together they are some three days.
func retryAfter(attempts int) (wait time.Duration, more bool) {
	steps := [...]time.Duration{
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour,
		2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour, 12 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	}
	if attempts > len(steps) {
		return 0, false
	}
	return steps[max(attempts, 1)-1], true
}
