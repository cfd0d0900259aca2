package app

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/form"
	"tianbao/internal/sheet"
)

// dataPackage runs `tianbao datapackage -o DIR|PACKAGE.zip FILE…|DIR`: the rows of
// workbooks as a Data Package. Faults do not stop it, they are what a program that
// reads the package finds by the schema; exit codes are those of check.
func dataPackage(ctx context.Context, e env, args []string) int {
	stdout, stderr := e.stdout, e.stderr
	st, code := startFiles(args, e, "datapackage", "写到这个`目录`，或以 .zip 结尾的文件",
		"用法：tianbao datapackage -o 目录|包.zip 文件…|目录\n\n把采集表的内容写成数据包：data.csv、schema.json、datapackage.json，供其他程序使用。\n退出码：0 没有强制性问题，1 有强制性问题，2 有文件读不出来。")
	if st == nil {
		return code
	}
	forms, err := form.Builtin()
	if err != nil {
		return st.fail(err)
	}
	d := &packageRun{checker: st.checker, opt: st.opt, schema: forms.Schema(st.checker.Form().Name, st.checker.Form().Version), list: st.list, stderr: stderr, progress: newProgress(stderr)}
	if strings.EqualFold(filepath.Ext(st.out), ".zip") {
		err = writeFile(st.out, func(f *os.File) error {
			z := zip.NewWriter(f)
			return errors.Join(d.write(ctx, z.Create), z.Close())
		})
	} else {
		err = d.writeDir(ctx, st.out)
	}
	d.progress.clear()
	if ctx.Err() != nil {
		return st.fail(errors.New("已中断，数据包没有写完。"))
	}
	if err != nil {
		return st.fail(fmt.Errorf("写不了 %s：%v", st.out, shown(err)))
	}
	_, _ = fmt.Fprintf(stdout, "%s：%d 个文件，%d 行；强制性 %d 处\n", st.out, len(st.list)-d.unreadable, d.rows, d.faults)
	switch {
	case d.unreadable > 0:
		return exitUnreadable
	case d.faults > 0:
		return exitFaulty
	}
	return exitOK
}

// packageRun is one run over several files.
type packageRun struct {
	checker  *check.Checker
	opt      sheet.ReadOptions
	schema   []byte
	list     []input
	stderr   io.Writer
	progress *progress

	rows, faults, unreadable int
}

func (d *packageRun) write(ctx context.Context, create func(string) (io.Writer, error)) error {
	rows := func(yield func(tianbao.Row, error) bool) {
		for i, in := range d.list {
			d.progress.show("正在读取", i+1, len(d.list), in.name)
			imp, err := readWorkbook(ctx, in.path, d.checker, d.opt)
			if ctx.Err() != nil {
				yield(tianbao.Row{}, ctx.Err())
				return
			}
			if err != nil {
				d.unreadable++
				d.progress.clear()
				_, _ = fmt.Fprintf(d.stderr, "%s：%s\n", in.name, workbookError(err).Message)
				continue
			}
			d.faults += count(d.checker.Imported(imp), tianbao.SeverityError)
			for k := range imp.Rows {
				d.rows++
				if !yield(imp.Rows[k].Row, nil) {
					return
				}
			}
		}
	}
	return sheet.WriteDataPackage(create, d.checker.Form(), d.schema, rows, sheet.PackageOptions{})
}

// writeDir writes the files into a directory, readable by their owner only.
func (d *packageRun) writeDir(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var open *os.File
	end := func() error {
		if open == nil {
			return nil
		}
		f := open
		open = nil
		return f.Close()
	}
	err := d.write(ctx, func(name string) (io.Writer, error) {
		if err := end(); err != nil {
			return nil, err
		}
		var err error
		open, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		return open, err
	})
	return errors.Join(err, end())
}
