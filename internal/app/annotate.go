package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tianbao"
	"tianbao/internal/sheet"
)

// annotate writes the annotated copy of a file into the output directory, under the
// file's own name and with the ending .xlsx. It never writes over one of the files
// to be checked, nor over a copy of the same run.
func (r *checkRun) annotate(name string, imp *tianbao.Import, problems []tianbao.Problem) error {
	base := filepath.Base(name)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	target := filepath.Join(r.out, base+".xlsx")
	for i := 2; r.taken(target); i++ {
		target = filepath.Join(r.out, fmt.Sprintf("%s-%d.xlsx", base, i))
	}
	r.written[target] = true
	return writeFile(target, func(f *os.File) error {
		return sheet.WriteAnnotated(f, r.checker.Form(), imp, problems, sheet.WriteOptions{})
	})
}

func (r *checkRun) taken(target string) bool {
	if r.written[target] {
		return true
	}
	there, err := os.Stat(target)
	if err != nil {
		return false
	}
	for _, f := range r.files {
		if info, err := os.Stat(f); err == nil && os.SameFile(info, there) {
			return true
		}
	}
	return false
}

// writeFile writes a file whole or not at all: beside its place first, readable by
// its owner only, then renamed.
func writeFile(target string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(target), ".tianbao-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}
