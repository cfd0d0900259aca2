package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/org"
	"tianbao/internal/sheet"
)

// maxListed is how many problems of a workbook the command line shows.
const maxListed = 50

// units is `tianbao units import|list`, for who has the machine and its keys.
func units(ctx context.Context, e env, args []string) int {
	const use = "用法：tianbao units import [选项] 文件\n      tianbao units list [选项]"
	if len(args) == 0 || args[0] != "import" && args[0] != "list" {
		_, _ = fmt.Fprintln(e.stderr, use)
		return exitUsage
	}
	var p place
	fs := e.flags("units " + args[0])
	p.flags(fs)
	day := fs.String("day", "", "import：从哪一天起生效，list：看哪一天的登记册；如 2022-09-23，默认今天")
	var act func(in *installation, day time.Time) error
	if args[0] == "list" {
		act = func(in *installation, day time.Time) error { return listUnits(ctx, e, in, day) }
	} else {
		dry := fs.Bool("dry-run", false, "只预览，不导入")
		out := fs.String("out", "", "有问题时把带批注的副本写到这个`文件`")
		help := readFlags(fs)
		files, err := parse(fs, args[1:])
		if err == nil && len(files) != 1 {
			err = errors.New(use)
		}
		if err != nil {
			return e.usage(err)
		}
		opt, err := help(e)
		if err != nil {
			return e.failed(err)
		}
		act = func(in *installation, day time.Time) error {
			return importUnits(ctx, e, in, files[0], opt, day, *dry, *out)
		}
		args = args[:1]
	}
	if err := e.parse(fs, args[1:]); err != nil {
		return e.failed(err)
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		on, err := in.org.ParseDay(*day)
		if err != nil {
			return 0, err
		}
		return exitOK, act(in, on)
	})
}

// usage ends a command whose line is wrong; the flag package has told what is.
func (e env) usage(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	_, _ = fmt.Fprintln(e.stderr, err)
	return exitUsage
}

// everything is the scope of who has the machine.
func everything() tianbao.Scope { return tianbao.Scope{Paths: []string{"/"}} }

func importUnits(ctx context.Context, e env, in *installation, name string, opt sheet.ReadOptions, day time.Time, dry bool, out string) error {
	rules, ok := in.org.Checker.(*check.Checker)
	if !ok {
		return errors.New("app: the register has no rules")
	}
	imp, err := readWorkbook(ctx, name, rules, opt)
	if err != nil {
		return workbookError(err)
	}
	plan, err := in.org.Preview(ctx, everything(), imp, day)
	if err != nil {
		return err
	}
	e.showPlan(rules.Form(), imp, plan)
	if out != "" && len(plan.Problems) > 0 {
		target, err := filepath.Abs(out)
		if err != nil {
			return fmt.Errorf("写不了 %s：%w", out, err)
		}
		err = writeFile(target, func(f *os.File) error {
			return sheet.WriteAnnotated(f, rules.Form(), imp, plan.Problems, sheet.WriteOptions{})
		})
		if err != nil {
			return fmt.Errorf("写不了 %s：%s", out, reason(err))
		}
	}
	if dry || plan.Empty() {
		_, _ = fmt.Fprintln(e.stdout, "没有改变登记册。")
		return nil
	}
	if err := in.org.Apply(ctx, org.Actor{Scope: everything()}, plan); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(e.stdout, "已经导入登记册。")
	return nil
}

// showPlan tells what a workbook does to the register.
func (e env) showPlan(f *tianbao.Form, imp *tianbao.Import, p *org.Plan) {
	_, _ = fmt.Fprintf(e.stdout, "工作表“%s”，%d 行：新增 %d，变更 %d，撤销 %d，不变 %d，有错误不导入 %d；登记册中另有 %d 个单位不在文件里，保持不变。\n",
		imp.Sheet, p.Rows, p.New, p.Changed, p.Closed, p.Same, p.Faulty, p.Absent)
	for i, pr := range p.Problems {
		if i == maxListed {
			_, _ = fmt.Fprintf(e.stdout, "  另有 %d 处没有列出，可用 --out 写出带批注的副本。\n", len(p.Problems)-maxListed)
			break
		}
		letter := ""
		if fd := f.Field(pr.Field); fd != nil {
			letter = fd.Letter + "列 "
		}
		_, _ = fmt.Fprintf(e.stdout, "  第%d行 %s%s　%s\n", imp.Rows[pr.Row].SheetRow, letter, severityName(pr.Severity), pr.Message)
	}
	for _, remark := range imp.Remarks {
		_, _ = fmt.Fprintf(e.stdout, "  注意　%s\n", remark)
	}
}

// listUnits writes the tree of a day.
func listUnits(ctx context.Context, e env, in *installation, day time.Time) error {
	list, err := in.store.UnitsAsOf(ctx, everything(), day)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	for _, u := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s%s\n", u.ID, u.BudgetCode, u.OrgCode, strings.Repeat("  ", strings.Count(u.Path, "/")-2), u.Name)
	}
	return w.Flush()
}
