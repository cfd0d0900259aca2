package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/sheet"
)

// The columns that merge adds: where a row came from.
const (
	sourceTitle = "来源文件"
	lineTitle   = "来源行"
)

// merge runs `tianbao merge -o OUT FILE…|DIR`: the rows of many units' workbooks in
// one, renumbered, each with the file and line it came from, checked together and
// annotated. Files are read twice and never kept: the first pass finds what stands
// more than once, the second writes. Exit codes are those of check.
func merge(ctx context.Context, e env, args []string) int {
	stdout, stderr := e.stdout, e.stderr
	st, code := startFiles(args, e, "merge", "写到这个`文件`",
		"用法：tianbao merge -o 输出.xlsx 文件…|目录\n\n把多份采集表合并成一份：重新编号，注明来源文件，找出各份之间的重复。\n退出码：0 没有强制性问题，1 有强制性问题，2 有文件读不出来。")
	if st == nil {
		return code
	}
	m := &mergeRun{checker: st.checker, opt: st.opt, out: st.out, stdout: stdout, stderr: stderr, progress: newProgress(stderr)}
	code, err := m.run(ctx, st.list)
	m.progress.clear()
	if ctx.Err() != nil {
		return st.fail(errors.New("已中断，没有写出文件。"))
	}
	if err != nil {
		return st.fail(fmt.Errorf("写不了 %s：%v", st.out, shown(err)))
	}
	if st.passed > 0 {
		_, _ = fmt.Fprintf(stderr, "目录中另有 %d 个文件不是表格，没有读。\n", st.passed)
	}
	return code
}

// shown gives an error in the words that were meant for people, if it has any.
func shown(err error) string {
	var e *tianbao.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return reason(err)
}

// mergeRun is one run over several files.
type mergeRun struct {
	checker        *check.Checker
	opt            sheet.ReadOptions
	out            string
	stdout, stderr io.Writer
	progress       *progress

	files, rows int
	bySeverity  map[tianbao.Severity]int
	unreadable  int
}

func (m *mergeRun) run(ctx context.Context, list []input) (int, error) {
	m.bySeverity = make(map[tianbao.Severity]int)
	keys := m.checker.Keys()
	var good []input
	for i, in := range list {
		m.progress.show("正在读取", i+1, len(list), in.name)
		imp, err := readWorkbook(ctx, in.path, m.checker, m.opt)
		if ctx.Err() != nil {
			return exitUnreadable, nil
		}
		if err != nil {
			m.unreadable++
			m.progress.clear()
			_, _ = fmt.Fprintf(m.stderr, "%s：%s\n", in.name, workbookError(err).Message)
			continue
		}
		for _, remark := range imp.Remarks {
			m.progress.clear()
			_, _ = fmt.Fprintf(m.stderr, "%s：%s\n", in.name, remark)
		}
		good = append(good, in)
		m.rows += len(imp.Rows)
		for k := range imp.Rows {
			keys.Add(&imp.Rows[k].Row)
		}
	}
	if len(good) == 0 {
		_, _ = fmt.Fprintln(m.stderr, "没有可以合并的文件，没有写出。")
		return exitUnreadable, nil
	}
	stream := keys.Stream()
	err := writeFile(m.out, func(f *os.File) error { return m.write(ctx, f, good, stream) })
	if err != nil {
		return exitUnreadable, err
	}
	m.progress.clear()
	_, _ = fmt.Fprintf(m.stdout, "%s：%d 个文件，%d 行；强制性 %d 处，核实性 %d 处，提示 %d 处\n", m.out, m.files, m.rows,
		m.bySeverity[tianbao.SeverityError], m.bySeverity[tianbao.SeverityJustify], m.bySeverity[tianbao.SeverityHint])
	switch {
	case m.unreadable > 0:
		return exitUnreadable, nil
	case m.bySeverity[tianbao.SeverityError] > 0:
		return exitFaulty, nil
	}
	return exitOK, nil
}

// write is the second pass.
func (m *mergeRun) write(ctx context.Context, w io.Writer, list []input, stream *check.Stream) error {
	a, err := sheet.NewAnnotated(w, m.checker.Form(), []string{sourceTitle, lineTitle}, nil, sheet.WriteOptions{Rows: m.rows})
	if err != nil {
		return err
	}
	n := 0
	var problems []tianbao.Problem
	for i, in := range list {
		m.progress.show("正在合并", i+1, len(list), in.name)
		imp, err := readWorkbook(ctx, in.path, m.checker, m.opt)
		if err != nil {
			return fmt.Errorf("%s 在合并时变了：%w", in.name, err)
		}
		m.files++
		for k := range imp.Rows {
			r := &imp.Rows[k]
			n++
			r.Seq, r.Row.Seq = strconv.Itoa(n), n
			r.Unknown = []string{in.name, strconv.Itoa(r.SheetRow)}
			problems = stream.Row(problems[:0], n-1, &r.Row)
			for p := range problems {
				m.bySeverity[problems[p].Severity]++
			}
			if err := a.Row(r, problems); err != nil {
				return err
			}
		}
	}
	if n != m.rows {
		return errors.New("有文件在合并时变了，请重新合并。")
	}
	return a.Close()
}
