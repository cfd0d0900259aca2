package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// retainEvery is how often the server looks for collections whose time is over.
const retainEvery = 6 * time.Hour

// keepRetention erases collections whose time is over, and goes on with erasures that
// were cut off, at once and some times a day, but not while the clock is in doubt. months holds for collections that say nothing
// themselves; 0: those are kept. The function it returns waits for the run in hand.
func (in *installation) keepRetention(ctx context.Context, months int, log *slog.Logger) func() {
	return atOnceAndEvery(ctx, retainEvery, func() {
		if !in.timeIsOver() {
			return
		}
		if err := in.retain(ctx, months, clock.System(), log); err != nil && ctx.Err() == nil {
			log.Error("what is held of people is not erased in time", "err", err)
		}
	})
}

func (in *installation) retain(ctx context.Context, months int, now time.Time, log *slog.Logger) error {
	if sum, err := in.store.ResumeErasures(ctx); err != nil {
		return err
	} else if sum != (tianbao.PersonErased{}) {
		log.Info("went on with an erasure", "rows", sum.Rows, "saves", sum.Saves, "others", sum.Others)
	}
	list, err := in.store.Retentions(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.Months == 0 {
			r.Months = months
		}
		if r.Months == 0 || r.Closes.IsZero() || !r.Erased.IsZero() || now.Before(r.KeptUntil(r.Months)) {
			continue
		}
		e := tianbao.Event{Detail: fmt.Sprintf("months=%d", r.Months)}
		sum, err := in.store.EraseCampaign(ctx, r.Campaign, func(time.Time) time.Time { return r.KeptUntil(r.Months) }, e)
		if err != nil {
			return fmt.Errorf("app: erase collection %s: %w", r.Campaign, err)
		}
		log.Info("erased a collection whose time is over", "campaign", r.Campaign, "reports", sum.Reports, "rows", sum.Rows, "saves", sum.Saves)
	}
	return nil
}

// erasePerson is `tianbao erase --person`: the id comes from standard input, where
// neither the list of processes nor the shell's history sees it.
func (in *installation) erasePerson(ctx context.Context, e env, months int, dry bool) error {
	line, err := bufio.NewReader(e.stdin).ReadString('\n')
	id := strings.TrimSpace(line)
	if id == "" {
		return errors.New("请从标准输入给出身份证号码，一行一个；不要写在命令行里")
	}
	_ = err // the end of the input ends the line too
	all := tianbao.Scope{Paths: []string{"/"}}
	if dry {
		sum, err := in.store.CountPerson(ctx, all, id, months)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(e.stdout, "可以清除 %d 行；还在保存期内的有 %d 行。没有改动任何内容。\n", sum.Rows, sum.Kept)
		return nil
	}
	sum, err := in.store.ErasePerson(ctx, all, id, months, tianbao.Event{})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(e.stdout, "已清除 %d 行、%d 次提交中的内容和 %d 处其他记录；还在保存期内、没有清除的有 %d 行。以前的备份和归档里还有这些内容，请按规定处理。\n", sum.Rows, sum.Saves, sum.Others, sum.Kept)
	return nil
}
