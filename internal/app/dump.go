package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tianbao"
	"tianbao/internal/sheet"
)

// dumpFile runs `tianbao dump [--exact] [--password-stdin] FILE`: what the reader
// sees of a workbook, one line a cell. The exit code is 2 when the file cannot be
// read whole; what was written by then is not all of it.
func dumpFile(ctx context.Context, e env, args []string) int {
	stdout, stderr := e.stdout, e.stderr
	fs := flag.NewFlagSet("tianbao dump", flag.ContinueOnError)
	fs.SetOutput(stderr)
	exact := fs.Bool("exact", false, "文字原样输出；不加时，像数字的文字按数字输出（001001 输出为 1001）")
	fromStdin := fs.Bool("password-stdin", false, "从标准输入的第一行读取工作簿的打开密码")
	fs.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "用法：tianbao dump [选项] 文件\n\n"+
			"显示读取程序看到的内容：每个非空单元格一行，依次为工作表、行、列、值，以制表符分隔。\n"+
			"工作表和列从 0 数起，行是表格中显示的行号。内容含身份证号和电话，请妥善保管。\n"+
			passwordHelp+"\n"+
			"退出码：0 已完整读出，2 读不出来。")
		fs.PrintDefaults()
	}
	files, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUnreadable
	}
	if len(files) != 1 {
		fs.Usage()
		return exitUnreadable
	}
	password, err := e.workbookPassword(*fromStdin)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "tianbao dump: 读不到标准输入里的密码：", reason(err))
		return exitUnreadable
	}
	if err := dump(ctx, files[0], stdout, sheet.DumpOptions{Exact: *exact, Password: password}); err != nil {
		if ctx.Err() != nil {
			_, _ = fmt.Fprintln(stderr, "tianbao dump: 已中断，内容没有输出完。")
		} else {
			_, _ = fmt.Fprintf(stderr, "%s：%s\n", files[0], dumpFailure(err))
		}
		return exitUnreadable
	}
	return exitOK
}

func dump(ctx context.Context, name string, stdout io.Writer, opt sheet.DumpOptions) error {
	f, err := os.Open(name)
	if err != nil {
		return tianbao.WorkbookError("unreadable", "打不开这个文件（"+reason(err)+"）；请检查文件名和路径。", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return tianbao.WorkbookError("unreadable", "这不是一个文件；请给出工作簿的文件名。", err)
	}
	return sheet.Dump(ctx, stdout, f, info.Size(), filepath.Base(name), opt)
}

// dumpFailure puts an error into words, which may also be one of the output.
func dumpFailure(err error) string {
	var e *tianbao.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "输出不了（" + reason(err) + "）；请检查磁盘空间和权限。"
}
