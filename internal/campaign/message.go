package campaign

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Moment writes a time as a notice does: to the minute, and midnight as the end of the
// day before, 2022年9月30日 24:00.
func Moment(t time.Time) string {
	t = t.In(clock.Shanghai)
	if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
		return t.AddDate(0, 0, -1).Format("2006年1月2日") + " 24:00"
	}
	return t.Format("2006年1月2日 15:04")
}

// Beginning is Moment for a time from which on something holds: midnight begins its day.
func Beginning(t time.Time) string { return t.In(clock.Shanghai).Format("2006年1月2日 15:04") }

// Explain says in the users' words how it stands with a door. Each sentence is whole, so
// that it can be looked up in another language.
func (d Door) Explain() string {
	until, reason := "", "没有写明"
	if !d.When.IsZero() {
		until = Moment(d.When)
	}
	if d.Rule != nil && d.Rule.Reason != "" {
		reason = d.Rule.Reason
	}
	switch d.Why {
	case WhyOpen:
		if until == "" {
			return "正在开放填报，没有截止时间。"
		}
		return fmt.Sprintf("正在开放填报，%s截止。", until)
	case WhyReopened:
		return fmt.Sprintf("已重新开放填报，%s截止。原因：%s", until, reason)
	case WhyPreparing:
		return "这次采集还没有开始。"
	case WhyEnded:
		return fmt.Sprintf("这次采集已于%s结束。", Beginning(d.When))
	case WhyOutside:
		return "不在这次采集的范围内，不用填报。"
	case WhyNotYet:
		return fmt.Sprintf("%s开始填报。", Beginning(d.When))
	case WhyClosed:
		return fmt.Sprintf("填报已于%s截止。", until)
	case WhyLocked:
		if until == "" {
			return fmt.Sprintf("已被锁定。原因：%s", reason)
		}
		return fmt.Sprintf("已被锁定，到%s为止。原因：%s", until, reason)
	case WhyPassed:
		return "已经审核通过，不能再改。"
	}
	return ""
}

// Refused is a unit whose rows may not be written.
type Refused struct {
	Unit string // its name
	Door Door
}

// Refusal is the error of a write to rows of units whose doors are not open, which speaks
// of the first door. bureau is the name of whom to ask, "" if there is none above.
func Refusal(refused []Refused, bureau string) error {
	d := refused[0].Door
	msg := refusal(d, namesOf(refused), cmp.Or(bureau, "财政部门"))
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "gate_" + string(d.Why), Message: msg}
}

func refusal(d Door, who, bureau string) string {
	reason := "没有写明"
	if d.Rule != nil && d.Rule.Reason != "" {
		reason = d.Rule.Reason
	}
	switch d.Why {
	case WhyPreparing:
		return "这次采集还没有开始，没有保存；您填的内容可以先留在页面上，开始以后再提交。"
	case WhyNotYet:
		return fmt.Sprintf("%s从%s开始填报，没有保存；您填的内容可以先留在页面上，到时候再提交。", who, Beginning(d.When))
	case WhyEnded:
		return fmt.Sprintf("这次采集已于%s结束，没有保存；您填的内容仍在页面上，需要补报请联系%s。", Beginning(d.When), bureau)
	case WhyOutside:
		return fmt.Sprintf("%s不在这次采集的范围内，没有保存；请删除这些行或更正其中的单位，有疑问请联系%s。", who, bureau)
	case WhyPassed:
		return fmt.Sprintf("%s已经审核通过，没有保存；确需修改请联系%s撤回审核。", who, bureau)
	case WhyLocked:
		if d.When.IsZero() {
			return fmt.Sprintf("%s已被锁定（原因：%s），没有保存；您填的内容仍在页面上，需要修改请联系%s重新开放。", who, reason, bureau)
		}
		return fmt.Sprintf("%s已被锁定，到%s为止（原因：%s），没有保存；您填的内容仍在页面上，需要修改请联系%s重新开放。", who, Moment(d.When), reason, bureau)
	}
	return fmt.Sprintf("%s的填报已于%s截止，没有保存；您填的内容仍在页面上，需要补报请联系%s重新开放。", who, Moment(d.When), bureau)
}

// namesOf names the units that are refused.
func namesOf(refused []Refused) string {
	const most = 3
	names := make([]string, 0, most)
	for _, r := range refused[:min(len(refused), most)] {
		names = append(names, "“"+r.Unit+"”")
	}
	who := strings.Join(names, "")
	if n := len(refused); n > most {
		return fmt.Sprintf("%s等 %d 个单位", who, n)
	}
	return who
}
