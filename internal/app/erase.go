package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// keepMonths is for how long what a collection holds of people is kept after its end
// where the operator says nothing else.
const keepMonths = 24

// erase is `tianbao erase`, for who has the machine.
func erase(ctx context.Context, e env, args []string) int {
	var p place
	var id string
	var months int
	var person, dry bool
	fs := e.flags("erase")
	p.flags(fs)
	fs.StringVar(&id, "campaign", "", "采集的编号（报表管理页面地址中 campaign= 后面的数字）")
	fs.BoolVar(&person, "person", false, "只清除一个人：从标准输入读身份证号码")
	fs.BoolVar(&dry, "dry-run", false, "只计数，不清除")
	fs.IntVar(&months, "months", keepMonths, "截止以后保存几个月；期限未满不清除")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if person && id == "" && months >= 0 {
		return e.within(ctx, &p, func(in *installation) (int, error) { return exitOK, in.erasePerson(ctx, e, months, dry) })
	}
	campaign, err := tianbao.ParseID(id)
	if err != nil || months < 0 {
		_, _ = fmt.Fprintln(e.stderr, "请用 --campaign 给出采集的编号，或用 --person 清除一个人；--months 不能是负数。")
		return exitUsage
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		if dry {
			sum, err := in.store.CountToErase(ctx, campaign)
			if err == nil {
				_, _ = fmt.Fprintf(e.stdout, "这次采集有 %d 张表、%d 行和 %d 次提交。没有改动任何内容。\n", sum.Reports, sum.Rows, sum.Saves)
			}
			return exitOK, err
		}
		sum, err := in.store.EraseCampaign(ctx, campaign, func(closes time.Time) time.Time {
			return closes.In(clock.Shanghai).AddDate(0, months, 0)
		}, tianbao.Event{})
		if err != nil {
			if tianbao.KindOf(err) == tianbao.ErrNotFound {
				err = errors.New("没有这次采集，请检查编号")
			}
			return 0, err
		}
		_, _ = fmt.Fprintf(e.stdout, "已清除 %d 张表、%d 行的个人信息和 %d 次提交的内容；行数、单位、提交时间和审计记录都保留。以前的备份里还有这些内容，请按规定销毁。\n", sum.Reports, sum.Rows, sum.Saves)
		return exitOK, nil
	})
}
