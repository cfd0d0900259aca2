package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/sheet"
)

// input is one workbook of many.
type input struct {
	path string
	name string // as the output calls it
}

// isWorkbookName tells which files are taken from a directory. What a file is, its
// content tells.
func isWorkbookName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xlsx", ".xlsm", ".xls", ".et", ".ods", ".fods", ".csv", ".tsv", ".txt", ".xml", ".htm", ".html":
		// Excel, WPS and LibreOffice leave locks beside an open file.
		return !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "~$")
	}
	return false
}

// started is a command that reads several workbooks and writes one thing.
type started struct {
	out     string // where to
	list    []input
	passed  int // files of directories that are no workbooks
	opt     sheet.ReadOptions
	checker *check.Checker
	fail    func(error) int
}

// startFiles reads the command line that such commands have in common. Where it
// returns nil the command has ended with the code.
func startFiles(args []string, e env, name, target, usage string) (*started, int) {
	stderr := e.stderr
	fl := flag.NewFlagSet("tianbao "+name, flag.ContinueOnError)
	fl.SetOutput(stderr)
	st := &started{fail: func(err error) int {
		_, _ = fmt.Fprintf(stderr, "tianbao %s: %v\n", name, err)
		return exitUnreadable
	}}
	fl.StringVar(&st.out, "o", "", target)
	help := readFlags(fl)
	fl.Usage = func() {
		_, _ = fmt.Fprintln(stderr, usage+"\n"+passwordHelp)
		fl.PrintDefaults()
	}
	rest, err := parse(fl, args)
	if errors.Is(err, flag.ErrHelp) {
		return nil, exitOK
	}
	if err != nil {
		return nil, exitUnreadable
	}
	if st.out == "" || len(rest) == 0 {
		fl.Usage()
		return nil, exitUnreadable
	}
	if st.list, st.passed, err = inputs(rest, st.out); err != nil {
		return nil, st.fail(err)
	}
	if st.opt, err = help(e); err != nil {
		return nil, st.fail(err)
	}
	if st.checker, err = newChecker(); err != nil {
		return nil, st.fail(err)
	}
	return st, exitOK
}

// inputs lists the workbooks that the arguments name, those of a directory by name,
// without the file that is to be written. Others in a directory are counted.
func inputs(args []string, output string) (list []input, passed int, err error) {
	out, _ := os.Stat(output)
	isOutput := func(info fs.FileInfo) bool { return out != nil && os.SameFile(info, out) }
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() {
			if err == nil && isOutput(info) {
				return nil, 0, fmt.Errorf("%s 既是来源又是要写的文件，请换一个输出文件名", arg)
			}
			list = append(list, input{arg, filepath.Base(arg)}) // reading it tells what is wrong
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				return nil
			}
			info, err := d.Info()
			if err != nil || isOutput(info) {
				return err
			}
			if !isWorkbookName(d.Name()) {
				passed++
				return nil
			}
			name, err := filepath.Rel(arg, path)
			list = append(list, input{path, filepath.ToSlash(name)})
			return err
		})
		if err != nil {
			return nil, 0, fmt.Errorf("读不了目录 %s：%s", arg, reason(err))
		}
	}
	// Two files of one name are told apart by their paths.
	count := make(map[string]int)
	for _, in := range list {
		count[in.name]++
	}
	for i := range list {
		if count[list[i].name] > 1 {
			list[i].name = filepath.ToSlash(list[i].path)
		}
	}
	return list, passed, nil
}

// readWorkbook reads one file as the import does.
func readWorkbook(ctx context.Context, path string, c *check.Checker, opt sheet.ReadOptions) (*tianbao.Import, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, tianbao.WorkbookError("unreadable", "打不开这个文件（"+reason(err)+"）；请检查文件名和路径。", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, tianbao.WorkbookError("unreadable", "这不是一个文件；请给出工作簿的文件名。", err)
	}
	return sheet.Read(ctx, f, info.Size(), filepath.Base(path), c, opt)
}

// progress shows on a terminal how far the work is, and nothing elsewhere.
type progress struct {
	w    io.Writer
	on   bool
	last int
}

func newProgress(w io.Writer) *progress { return &progress{w: w, on: isTerminal(w)} }

// show replaces the line.
func (p *progress) show(what string, i, n int, name string) {
	if !p.on {
		return
	}
	line := fmt.Sprintf("%s %d/%d %s", what, i, n, name)
	_, _ = fmt.Fprint(p.w, "\r\x1b[K"+clipLine(line))
	p.last = len(line)
}

// clear takes the line away, before anything else is written.
func (p *progress) clear() {
	if p.on && p.last > 0 {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
		p.last = 0
	}
}

// clipLine keeps a line from wrapping, which would leave pieces of it behind, and a
// file's name from steering the terminal.
func clipLine(s string) string {
	r := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return -1
		}
		return r
	}, s))
	return string(r[:min(len(r), 38)]) // 76 columns, were all of them wide
}
