package remind

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Channel is a way to a unit.
type Channel string

// The channels.
const (
	ChannelPage Channel = "page"    // the unit's home page
	ChannelMail Channel = "mail"    // SMTP
	ChannelHook Channel = "webhook" // the signed webhook, behind which SMS and chats lie
)

// Channels returns all channels, in the order in which pages list them.
func Channels() []Channel { return []Channel{ChannelPage, ChannelMail, ChannelHook} }

// Title returns the channel in the users' words.
func (c Channel) Title() string {
	switch c {
	case ChannelPage:
		return "站内消息"
	case ChannelMail:
		return "邮件"
	case ChannelHook:
		return "短信接口"
	}
	return ""
}

// Policy says how the units of a collection are reminded.
type Policy struct {
	Campaign tianbao.ID
	Active   bool // rounds start by themselves
	// Days before the end of a unit's window is when reminding begins, Every is how many
	// hours lie between two reminders of a unit at least.
	Days, Every int
	// From and To are the minutes of the day between which reminders go out: From is in,
	// To is not.
	From, To int
	Weekends bool
	// Off are days on which none go out (放假), On are weekend days on which they do (调休).
	Off, On  []string // 2006-01-02, in order
	Channels []Channel
	Text     string
	Version  int64 // 0: nobody has saved one
	By       tianbao.ID
	At       time.Time
}

// Default returns the policy that an officer begins with.
func Default(campaign tianbao.ID) Policy {
	return Policy{
		Campaign: campaign, Days: 7, Every: 48, From: 9 * 60, To: 17*60 + 30, Channels: []Channel{ChannelPage},
		Text: "{单位}：采集的填报时间到{截止时间}为止，贵单位目前为“{状态}”，请按时填报并上报。如有疑问请联系 {经办电话}。",
	}
}

const (
	maxDays  = 60
	maxEvery = 30 * 24
	maxOff   = 400 // days
	dayForm  = "2006-01-02"
)

// Check refuses a policy that cannot be, and puts its lists in order.
func (p *Policy) Check() error {
	p.Text = strings.TrimSpace(p.Text)
	slices.SortFunc(p.Channels, func(a, b Channel) int {
		return cmp.Compare(slices.Index(Channels(), a), slices.Index(Channels(), b))
	})
	p.Channels = slices.Compact(p.Channels)
	switch {
	case p.Days < 1 || p.Days > maxDays:
		return tianbao.Invalid("bad_days", "从截止前几天开始催报，请填写 1 到 60。")
	case p.Every < 1 || p.Every > maxEvery:
		return tianbao.Invalid("bad_every", "两次催报至少间隔几小时，请填写 1 到 720。")
	case p.From < 0 || p.To > 24*60 || p.From >= p.To:
		return tianbao.Invalid("bad_hours", "发送时段的结束要晚于开始，请重新填写。")
	case len(p.Channels) == 0:
		return tianbao.Invalid("no_channel", "请至少选择一种发送方式。")
	case slices.ContainsFunc(p.Channels, func(c Channel) bool { return c.Title() == "" }):
		return tianbao.Invalid("bad_channel", "没有这种发送方式，请刷新页面后重试。")
	}
	for _, list := range []*[]string{&p.Off, &p.On} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
		if len(*list) > maxOff {
			return tianbao.Invalid("too_many_days", "日期太多了，最多 400 天；请删去已经过去的日期。")
		}
	}
	if i := slices.IndexFunc(p.Off, func(d string) bool { return slices.Contains(p.On, d) }); i >= 0 {
		return tianbao.Invalid("day_twice", p.Off[i]+" 同时列在放假和上班的日期里，请只留一处。")
	}
	return CheckText(p.Text)
}

// ParseDays reads a list of days as an officer writes it: one or several a line, each
// 2026-10-01 or a range 2026-10-01至2026-10-07.
func ParseDays(text string) ([]string, error) {
	var out []string
	text = strings.NewReplacer("至", "~", "到", "~", "～", "~", "—", "~").Replace(text)
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,，、;；", r) }) {
		first, last, ranged := strings.Cut(part, "~")
		from, err := parseDay(first)
		to := from
		if err == nil && ranged {
			to, err = parseDay(last)
		}
		if err != nil || to.Before(from) || to.Sub(from) > maxOff*24*time.Hour {
			return nil, tianbao.Invalid("bad_day", "有一处日期无法识别，请写成 2026-10-01，一段日期写成 2026-10-01至2026-10-07。")
		}
		for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
			if out = append(out, d.Format(dayForm)); len(out) > 2*maxOff {
				return nil, tianbao.Invalid("too_many_days", "日期太多了，最多 400 天；请删去已经过去的日期。")
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func parseDay(text string) (time.Time, error) {
	for _, form := range []string{dayForm, "2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日"} {
		if t, err := time.ParseInLocation(form, text, clock.Shanghai); err == nil && t.Year() > 1970 && t.Year() < 3000 {
			return t, nil
		}
	}
	return time.Time{}, strconv.ErrSyntax
}

// FormatDays writes days as ParseDays reads them, ranges where days follow each other.
func FormatDays(days []string) string {
	var lines []string
	for i := 0; i < len(days); {
		j := i
		for ; j+1 < len(days); j++ {
			if t, err := parseDay(days[j]); err != nil || t.AddDate(0, 0, 1).Format(dayForm) != days[j+1] {
				break
			}
		}
		if i == j {
			lines = append(lines, days[i])
		} else {
			lines = append(lines, days[i]+"至"+days[j])
		}
		i = j + 1
	}
	return strings.Join(lines, "\n")
}

// sends reports whether reminders go out on a day at all.
func (p *Policy) sends(day time.Time) bool {
	name := day.Format(dayForm)
	if _, found := slices.BinarySearch(p.On, name); found {
		return true
	}
	if _, found := slices.BinarySearch(p.Off, name); found {
		return false
	}
	w := day.Weekday()
	return p.Weekends || w != time.Saturday && w != time.Sunday
}

// Next returns the first moment from t on at which reminders may go out: t itself where
// it is one; the zero time where the days off leave none within two years.
func (p *Policy) Next(t time.Time) time.Time {
	local := t.In(clock.Shanghai)
	for n := range 2 * 366 {
		day := time.Date(local.Year(), local.Month(), local.Day()+n, 0, 0, 0, 0, clock.Shanghai)
		from, to := day.Add(time.Duration(p.From)*time.Minute), day.Add(time.Duration(p.To)*time.Minute)
		switch {
		case !p.sends(day) || !t.Before(to):
		case t.Before(from):
			return from
		default:
			return t
		}
	}
	return time.Time{}
}

// Quiet reports whether no reminder may go out at a moment.
func (p *Policy) Quiet(t time.Time) bool { return !p.Next(t).Equal(t) }

// Due returns the time for which a unit whose window ends at closes is to be reminded by
// itself at t: of the times Every apart from the beginning on the last one that has come.
func (p *Policy) Due(closes, t time.Time) (due time.Time, ok bool) {
	begin := closes.In(clock.Shanghai).AddDate(0, 0, -p.Days)
	if closes.IsZero() || t.Before(begin) || !t.Before(closes) {
		return time.Time{}, false
	}
	every := p.every()
	return begin.Add(t.Sub(begin) / every * every), true
}

func (p *Policy) every() time.Duration { return time.Duration(p.Every) * time.Hour }
