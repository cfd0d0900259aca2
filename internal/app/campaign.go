package app

import (
	"context"
	"fmt"

	"tianbao"
)

// campaigns is the subcommand that looks after collections.
func campaigns(ctx context.Context, e env, args []string) int {
	if len(args) == 0 || args[0] != "recount" {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao campaign recount [选项]，选项见 tianbao campaign recount -h。")
		return exitUsage
	}
	var p place
	fs := e.flags("campaign recount")
	p.flags(fs)
	only := fs.String("campaign", "", "采集的编号；不写就是全部采集")
	mend := fs.Bool("mend", false, "把不一致的改正过来，不带时只报告")
	if err := e.parse(fs, args[1:]); err != nil {
		return e.failed(err)
	}
	if fs.NArg() > 0 {
		_, _ = fmt.Fprintf(e.stderr, "不认识的参数 %q，选项见 tianbao campaign recount -h。\n", fs.Arg(0))
		return exitUsage
	}
	return e.within(ctx, &p, func(in *installation) (int, error) { return e.recount(ctx, in, *only, *mend) })
}

// recount counts collections anew. It ends with an error where something differs and was
// not mended.
func (e env) recount(ctx context.Context, in *installation, only string, mend bool) (int, error) {
	list, err := in.store.Collections(ctx)
	if err != nil {
		return 0, err
	}
	code, met := exitOK, false
	for _, c := range list {
		if only != "" && only != c.ID.String() {
			continue
		}
		met = true
		sum, err := in.store.Recount(ctx, c.ID, mend)
		if err != nil {
			return 0, err
		}
		_, _ = fmt.Fprintf(e.stdout, "%s　%s：%d 个单位，报表所含不一致 %d 处，填报情况不一致 %d 个单位", c.ID, c.Title, sum.Units, sum.Parts, sum.Standings)
		if sum.Parts+sum.Standings == 0 {
			_, _ = fmt.Fprintln(e.stdout)
			continue
		}
		if !mend {
			_, _ = fmt.Fprintln(e.stdout, "，加 --mend 改正")
			code = exitError
			continue
		}
		_, _ = fmt.Fprintln(e.stdout, "，已改正")
		ev := tianbao.Event{At: in.audit.Now(), What: "campaign.recount", Object: c.ID.String(), Detail: fmt.Sprintf("parts=%d standings=%d", sum.Parts, sum.Standings)}
		if err := in.store.Record(ctx, ev); err != nil {
			return 0, err
		}
	}
	if !met && only != "" {
		return 0, tianbao.Invalid("no_campaign", "没有编号为 "+only+" 的采集，请核对编号。")
	}
	return code, nil
}
