package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/report"
)

// Workbooks reads workbooks and marks their faults; internal/sheet does it.
type Workbooks interface {
	Read(ctx context.Context, data []byte, name string, form string, version int) (*tianbao.Import, error)
	Annotate(w io.Writer, form *tianbao.Form, imp *tianbao.Import, problems []tianbao.Problem, at time.Time) error
}

// Catalog finds the report that a file belongs to.
type Catalog interface {
	Campaigns(ctx context.Context) ([]tianbao.Campaign, error)
	FindUnit(ctx context.Context, key string) (tianbao.Unit, error)
	OpenReport(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (tianbao.Report, error)
}

// Folder is a watched folder.
type Folder struct {
	Dir       string
	Workbooks Workbooks
	Catalog   Catalog
	Reports   *report.Service
	Log       *slog.Logger
	Now       clock.Clock
	// Settle is how long a file must not have changed before it is taken; Every is
	// how often the folder is looked at.
	Settle, Every time.Duration

	seen map[string]string // path → size and time when it was last dealt with
}

// maxFile is the most a file may have, as everywhere.
const maxFile = 20 << 20

// The endings of what is left beside a file.
const (
	receiptEnding = ".回执.txt"
	noteEnding    = ".说明.txt"
	markedEnding  = "-批注.xlsx"
)

// Watch deals with the folder until the context ends. An unreadable folder is
// reported once and looked at again.
func (f *Folder) Watch(ctx context.Context) {
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	broken := false
	for {
		if err := f.Once(ctx); err != nil && ctx.Err() == nil {
			if !broken {
				f.Log.Error("intake folder", "err", err)
			}
			broken = true
		} else {
			broken = false
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Once deals with every file that has settled and is new or changed.
func (f *Folder) Once(ctx context.Context) error {
	if f.seen == nil {
		f.seen = make(map[string]string)
	}
	return filepath.WalkDir(f.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && path != f.Dir {
				return nil // gone while we looked
			}
			return fmt.Errorf("intake: look into the folder: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if d.IsDir() {
			if path != f.Dir && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !wanted(d.Name()) || !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // gone while we looked
		}
		mark := fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		if f.seen[path] == mark || f.Now().Sub(info.ModTime()) < f.Settle || f.answered(path, info.ModTime()) {
			return nil
		}
		if err := f.take(ctx, path, info.Size()); err != nil {
			return err
		}
		f.seen[path] = mark
		return nil
	})
}

// wanted leaves out what we left ourselves, and what office programs leave open.
func wanted(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || strings.HasSuffix(name, receiptEnding) || strings.HasSuffix(name, noteEnding) || strings.HasSuffix(name, markedEnding) {
		return false
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xlsx", ".xlsm", ".xls", ".et", ".ods", ".fods", ".csv", ".tsv", ".txt", ".xml", ".html", ".htm":
		return true
	}
	return false
}

// answered reports whether an answer lies beside the file that is newer than it.
func (f *Folder) answered(path string, changed time.Time) bool {
	for _, ending := range []string{receiptEnding, noteEnding} {
		if info, err := os.Stat(path + ending); err == nil && !info.ModTime().Before(changed) {
			return true
		}
	}
	return false
}

// take deals with one file and leaves the answer beside it. The error is of the
// folder or the database, after which the file is tried again; what is wrong with
// the file itself is answered.
func (f *Folder) take(ctx context.Context, path string, size int64) error {
	answer, imp, form, problems, err := f.file(ctx, path, size)
	var te *tianbao.Error
	switch {
	case errors.As(err, &te) && te.Kind != tianbao.ErrInternal && te.Kind != tianbao.ErrUnavailable:
		f.Log.Info("intake", "outcome", "refused", "code", te.Code)
		text := te.Message + "\n"
		if te.Kind == tianbao.ErrConflict && !strings.HasPrefix(te.Code, "gate_") {
			text += "文件夹中无法选择，请登录后在填报页面上导入这个文件。\n"
		}
		return f.leave(path, noteEnding, receiptEnding, text)
	case err != nil:
		return err
	}
	faults := 0
	for i := range problems {
		if problems[i].Severity == tianbao.SeverityError {
			faults++
		}
	}
	marked := strings.TrimSuffix(path, filepath.Ext(path)) + markedEnding
	if faults > 0 {
		answer += fmt.Sprintf("其中有 %d 处错误，已保存为草稿，还不能上报；请照“%s”中标出的单元格改正后重新放入。\n", faults, filepath.Base(marked))
		if err := write(marked, func(w io.Writer) error { return f.Workbooks.Annotate(w, form, imp, problems, f.Now()) }); err != nil {
			return err
		}
	} else if err := os.Remove(marked); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("intake: remove an old marked copy: %w", err)
	}
	f.Log.Info("intake", "outcome", "saved", "rows", len(imp.Rows), "faults", faults)
	return f.leave(path, receiptEnding, noteEnding, answer)
}

// file reads one file and saves its rows; it returns the text of the receipt.
func (f *Folder) file(ctx context.Context, path string, size int64) (string, *tianbao.Import, *tianbao.Form, []tianbao.Problem, error) {
	fail := func(err error) (string, *tianbao.Import, *tianbao.Form, []tianbao.Problem, error) {
		return "", nil, nil, nil, err
	}
	if size > maxFile {
		return fail(tianbao.WorkbookError("too_large", "文件超过 20 MB，没有导入；请删去无关的工作表和图片，或分成几份再放入。", nil))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fail(fmt.Errorf("intake: read a file: %w", err))
	}
	c, imp, err := readBook(ctx, f.Catalog, f.Workbooks, data, filepath.Base(path))
	if err != nil {
		return fail(err)
	}
	rules, err := f.Reports.Rules(c.Form, c.FormV)
	if err != nil {
		return fail(err)
	}
	rep, err := f.belongs(ctx, path, c, rules, imp)
	if err != nil {
		return fail(err)
	}
	sum := sha256.Sum256(append([]byte(rep.ID.String()+"\x00"), data...))
	set := &tianbao.ChangeSet{Report: rep.ID, Key: "folder-" + hex.EncodeToString(sum[:20]), Source: tianbao.SourceFolder, Note: filepath.Base(path)}
	_, saved, err := f.Reports.Apply(ctx, actor(), set, imp, report.ModeMerge, filepath.Base(path), data, false, func(string, int, int) {})
	if err != nil {
		return fail(err)
	}
	r := saved.Receipt
	text := fmt.Sprintf("已保存到“%s”的表中。\n回执编号：%s\n时间：%s\n文件中的数据：%d 行\n表中现有：%d 行\n内容摘要：%s\n",
		rep.OwnerName, r.Number, r.At.In(clock.Shanghai).Format("2006-01-02 15:04:05"), len(imp.Rows), r.Rows, r.Digest)
	problems, err := f.Reports.Imported(ctx, &rep, imp)
	if err != nil {
		return fail(err)
	}
	return text, imp, rules.Form(), problems, nil
}

// actor is the folder as one who saves: it may reach every unit, because whoever
// may write into the folder was trusted with that by who named it.
func actor() report.Actor {
	return report.Actor{Login: "folder", Name: "收件文件夹", Scope: tianbao.Scope{Paths: []string{"/"}}}
}

// belongs finds the report of a file; see the package's rules.
func (f *Folder) belongs(ctx context.Context, path string, c tianbao.Campaign, rules report.Checker, imp *tianbao.Import) (tianbao.Report, error) {
	scope := actor().Scope
	if imp.Origin != nil {
		return f.Reports.Store.Report(ctx, scope, imp.Origin.Report)
	}
	if dir := filepath.Dir(path); dir != filepath.Clean(f.Dir) {
		u, err := f.Catalog.FindUnit(ctx, filepath.Base(dir))
		if err == nil {
			return f.Catalog.OpenReport(ctx, scope, c.ID, u.ID)
		}
		if tianbao.KindOf(err) != tianbao.ErrNotFound {
			return tianbao.Report{}, err
		}
	}
	form := rules.Form()
	find, err := f.Reports.Store.UnitFinder(ctx, scope, len(imp.Rows))
	if err != nil {
		return tianbao.Report{}, err
	}
	var unit tianbao.ID
	for i := range imp.Rows {
		keys := make(map[string]string)
		for _, k := range form.UnitKeys {
			if at := form.Index(k); at >= 0 {
				keys[form.Fields[at].RegisterKey()] = imp.Rows[i].Row.Values[at]
			}
		}
		m, err := find(keys)
		if err != nil {
			return tianbao.Report{}, err
		}
		u := m.ID()
		if u == 0 || unit != 0 && u != unit {
			return tianbao.Report{}, tianbao.Invalid("whose", "看不出这份文件属于哪个单位，没有导入；请放到以单位组织机构代码或预算编码命名的子文件夹中。")
		}
		unit = u
	}
	if unit == 0 {
		return tianbao.Report{}, tianbao.Invalid("empty", "文件中没有数据行，没有导入；请填写后重新放入。")
	}
	return f.Catalog.OpenReport(ctx, scope, c.ID, unit)
}

// leave writes the answer beside the file and removes one of the other kind.
func (f *Folder) leave(path, ending, other, text string) error {
	if err := write(path+ending, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}); err != nil {
		return err
	}
	if err := os.Remove(path + other); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("intake: remove an old answer: %w", err)
	}
	return nil
}

// write makes a file whole or not at all.
func write(path string, fill func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tianbao-*")
	if err != nil {
		return fmt.Errorf("intake: write an answer: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	// Who may read the folder may read its answers.
	if info, serr := os.Stat(filepath.Dir(path)); serr == nil {
		err = tmp.Chmod(info.Mode().Perm() & 0o666)
	}
	if err == nil {
		err = fill(tmp)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("intake: write an answer: %w", err)
	}
	return nil
}
