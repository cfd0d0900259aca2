package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"tianbao"
	"tianbao/internal/sheet"
)

// Template runs `tianbao template [-o FILE]`: the blank workbook. Without -o it goes
// to standard output, or, when that is a terminal, to a file named after the form.
func Template(_ context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("tianbao template", flag.ContinueOnError)
	fs.SetOutput(stderr)
	out := fs.String("o", "", "写到这个`文件`")
	fs.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "用法：tianbao template [-o 文件]\n\n写出空白的采集表工作簿；填写时它会自己检查，把问题写在“错误说明”列。")
		fs.PrintDefaults()
	}
	rest, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	if len(rest) > 0 {
		fs.Usage()
		return exitUsage
	}
	c, err := newChecker()
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "tianbao template:", err)
		return exitError
	}
	f := c.Form()
	blank := func(w io.Writer) error {
		return sheet.Write(w, f, func(func(tianbao.Row, error) bool) {}, sheet.WriteOptions{SelfCheck: true})
	}
	if *out == "" && isTerminal(stdout) {
		*out = f.Title + ".xlsx"
	}
	if *out == "" || *out == "-" {
		err = blank(stdout)
	} else if err = writeFile(*out, func(w *os.File) error { return blank(w) }); err == nil {
		_, _ = fmt.Fprintf(stderr, "已写出 %s\n", *out)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "tianbao template: 写不了模板：%s\n", reason(err))
		return exitError
	}
	return exitOK
}

// isTerminal reports whether w is a terminal, into which nobody wants a workbook.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
