package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
	"tianbao/internal/sheet"
)

// Exit codes of check beside exitOK, form.md §6.
const (
	exitFaulty     = 1 // an issue of severity error
	exitUnreadable = 2 // a file that could not be read, or a wrong command line
)

// formName is the form that the commands without a server work on.
const formName = "asset-role"

// checkFiles runs `tianbao check [--json] [--out DIR] FILE…`: the rules of the import
// without a server. A file that cannot be read does not stop the others; the end
// of ctx does.
func checkFiles(ctx context.Context, e env, args []string) int {
	stdout, stderr := e.stdout, e.stderr
	fs := flag.NewFlagSet("tianbao check", flag.ContinueOnError)
	fs.SetOutput(stderr)
	asJSON := fs.Bool("json", false, "每个文件输出一行 JSON")
	out := fs.String("out", "", "把带批注的副本写到这个`目录`")
	help := readFlags(fs)
	fs.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "用法：tianbao check [选项] 文件…\n\n按导入时的同一规则检查工作簿。\n"+passwordHelp+
			"\n退出码：0 没有强制性问题，1 有强制性问题，2 有文件读不出来。")
		fs.PrintDefaults()
	}
	files, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUnreadable
	}
	if len(files) == 0 {
		fs.Usage()
		return exitUnreadable
	}
	c, err := newChecker()
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "tianbao check:", err)
		return exitUnreadable
	}
	opt, err := help(e)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "tianbao check:", err)
		return exitUnreadable
	}
	r := &checkRun{
		checker: c, json: *asJSON, out: *out, files: files, stdout: stdout, stderr: stderr, written: make(map[string]bool),
		opt: opt,
	}
	return r.run(ctx)
}

// parse reads flags that may also stand behind the files.
func parse(fs *flag.FlagSet, args []string) (files []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			return files, nil
		}
		rest := fs.Args()
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			return append(files, rest...), nil
		}
		files, args = append(files, rest[0]), rest[1:]
	}
}

// newChecker returns the checker of the newest version of the form.
func newChecker() (*check.Checker, error) {
	forms, err := form.Builtin()
	if err != nil {
		return nil, err
	}
	return check.New(forms.Latest(formName), func() time.Time { return clock.System().In(clock.Shanghai) })
}

// checkRun is one run over several files.
type checkRun struct {
	checker        *check.Checker
	json           bool
	out            string
	opt            sheet.ReadOptions
	files          []string
	stdout, stderr io.Writer
	written        map[string]bool // copies of this run
}

func (r *checkRun) run(ctx context.Context) int {
	code := exitOK
	if r.out != "" {
		// The copies hold ids and phone numbers in clear.
		if err := os.MkdirAll(r.out, 0o700); err != nil {
			_, _ = fmt.Fprintf(r.stderr, "tianbao check: 建不了目录 %s：%v\n", r.out, reason(err))
			return exitUnreadable
		}
	}
	for _, name := range r.files {
		imp, problems, err := r.read(ctx, name)
		if ctx.Err() != nil {
			_, _ = fmt.Fprintln(r.stderr, "tianbao check: 已中断，其余文件没有检查。")
			return exitUnreadable
		}
		if err := r.report(name, imp, problems, err); err != nil {
			_, _ = fmt.Fprintln(r.stderr, "tianbao check:", err)
			return exitUnreadable
		}
		switch {
		case err != nil:
			code = exitUnreadable
			continue
		case code == exitOK && count(problems, tianbao.SeverityError) > 0:
			code = exitFaulty
		}
		if r.out != "" {
			if err := r.annotate(name, imp, problems); err != nil {
				_, _ = fmt.Fprintf(r.stderr, "tianbao check: 写不了 %s 的副本：%v\n", name, reason(err))
				code = exitUnreadable
			}
		}
	}
	return code
}

// read reads one file and checks it.
func (r *checkRun) read(ctx context.Context, name string) (*tianbao.Import, []tianbao.Problem, error) {
	imp, err := readWorkbook(ctx, name, r.checker, r.opt)
	if err != nil {
		return nil, nil, err
	}
	return imp, r.checker.Imported(imp), nil
}

// reason puts the usual errors of the file system into words.
func reason(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "没有这个文件或目录"
	case errors.Is(err, os.ErrPermission):
		return "没有权限"
	}
	return err.Error()
}

func count(problems []tianbao.Problem, s tianbao.Severity) int {
	n := 0
	for i := range problems {
		if problems[i].Severity == s {
			n++
		}
	}
	return n
}

func (r *checkRun) report(name string, imp *tianbao.Import, problems []tianbao.Problem, err error) error {
	if r.json {
		if imp != nil {
			for _, remark := range imp.Remarks {
				_, _ = fmt.Fprintf(r.stderr, "%s：%s\n", name, remark)
			}
		}
		return r.reportJSON(name, imp, problems, err)
	}
	return r.reportText(name, imp, problems, err)
}

// cellOf returns the address of the cell that a problem is about; a problem of the
// whole row is shown at its number, or at its first column.
func (r *checkRun) cellOf(imp *tianbao.Import, p *tianbao.Problem) string {
	col := -1
	if f := r.checker.Form().Index(p.Field); f >= 0 {
		col = imp.Columns[f]
	}
	if col < 0 {
		col = imp.SeqColumn
	}
	for _, c := range imp.Columns {
		if col >= 0 {
			break
		}
		col = c
	}
	return sheet.Address(col, imp.Rows[p.Row].SheetRow)
}

// reportText writes what a clerk reads.
func (r *checkRun) reportText(name string, imp *tianbao.Import, problems []tianbao.Problem, err error) error {
	var b strings.Builder
	if err != nil {
		_, _ = fmt.Fprintf(&b, "%s：%s\n", name, workbookError(err).Message)
		if choices := workbookError(err).Choices; len(choices) > 0 {
			_, _ = fmt.Fprintf(&b, "  请用 --sheet 给出其中一个名称：%s\n", strings.Join(choices, "、"))
		}
	} else {
		_, _ = fmt.Fprintf(&b, "%s：工作表“%s”，%d 行", name, imp.Sheet, len(imp.Rows))
		if len(problems) == 0 {
			b.WriteString("，没有问题")
		} else {
			_, _ = fmt.Fprintf(&b, "；强制性 %d 处，核实性 %d 处，提示 %d 处", count(problems, tianbao.SeverityError),
				count(problems, tianbao.SeverityJustify), count(problems, tianbao.SeverityHint))
		}
		b.WriteString("\n")
		for i := range problems {
			_, _ = fmt.Fprintf(&b, "  %-6s %s　%s\n", r.cellOf(imp, &problems[i]), severityName(problems[i].Severity), problems[i].Message)
		}
		for _, remark := range imp.Remarks {
			_, _ = fmt.Fprintf(&b, "  注意　%s\n", remark)
		}
	}
	_, werr := io.WriteString(r.stdout, b.String())
	return werr
}

func severityName(s tianbao.Severity) string {
	switch s {
	case tianbao.SeverityError:
		return "强制性"
	case tianbao.SeverityJustify:
		return "核实性"
	}
	return "提示　"
}

// workbookError gives the error as it may be shown.
func workbookError(err error) *tianbao.Error {
	var e *tianbao.Error
	if errors.As(err, &e) {
		return e
	}
	return tianbao.WorkbookError("unreadable", "文件读不出来；请在 Excel 或 WPS 中另存为 .xlsx 后再试。", err)
}
