package report_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"tianbao"
	"tianbao/internal/report"
	"tianbao/internal/sheet"
	"tianbao/internal/store"
)

// watched is a store whose stagings are watched.
type watched struct {
	report.Store
	added  func(rows int) error // before each part
	commit func()               // before each commit
}

func (w *watched) Stage(ctx context.Context, rep tianbao.Report, set, imp tianbao.ID) (report.Staging, error) {
	st, err := w.Store.Stage(ctx, rep, set, imp)
	return &watchedStaging{st, w}, err
}

type watchedStaging struct {
	report.Staging
	w *watched
}

func (s *watchedStaging) Add(ctx context.Context, b *report.Batch) error {
	if s.w.added != nil {
		if err := s.w.added(len(b.Puts)); err != nil {
			return err
		}
	}
	return s.Staging.Add(ctx, b)
}

func (s *watchedStaging) Commit(ctx context.Context, c *report.Commit, rec *report.ImportRecord) error {
	if s.w.commit != nil {
		s.w.commit()
	}
	return s.Staging.Commit(ctx, c, rec)
}

// leftovers counts what only an import under way may have.
func (o *office) leftovers() string {
	o.t.Helper()
	out := ""
	for _, table := range []string{"staging", "staged_row", "piece", "row_key", "report_row", "change_set", "import_record"} {
		var n int64
		must(o.t, o.Store.(*store.Store).DB().One(o.ctx(), []any{&n}, "SELECT COUNT(*) FROM "+table))
		out += fmt.Sprint(table, "=", n, " ")
	}
	return out
}

// long is a file of n people.
func (o *office) long(n int) *memory {
	rows := make([]tianbao.Values, n)
	for i := range rows {
		rows[i] = values(1000 + i)
	}
	return &memory{imp: o.file(1, rows...)}
}

func (o *office) applyBook(ctx context.Context, b report.Book, mode report.Mode) (*report.Plan, *report.Saved, error) {
	set := o.set(0)
	set.Source, set.Note = tianbao.SourceImport, "长.xlsx"
	return o.ApplyBook(ctx, o.who, set, b, mode, "长.xlsx", []byte("f"), true, quiet)
}

// However long a file is, no more than a few parts of it are held: rows are taken from
// the workbook only as fast as they are put aside.
func TestStreamHoldsFewRows(t *testing.T) {
	onBoth(t, func(o *office) {
		o.Short, o.Part = -1, 10
		const n = 600
		var handed, stored, most atomic.Int64
		book := o.long(n)
		st := o.Store
		o.Store = &watched{Store: st, added: func(rows int) error { stored.Add(int64(rows)); return nil }}
		counted := &counted{Book: book, row: func() {
			if book.passes == 2 {
				most.Store(max(most.Load(), handed.Add(1)-stored.Load()))
			}
		}}
		plan, saved, err := o.applyBook(o.ctx(), counted, report.ModeAppend)
		must(o.t, err)
		o.Store = st
		if plan.Added != n || saved.Receipt.Rows != n || stored.Load() != n || book.passes != 2 {
			o.t.Errorf("%d added, %d stored in %d passes", plan.Added, stored.Load(), book.passes)
		}
		if most.Load() > 4*10 {
			o.t.Errorf("%d rows were held at once, parts have 10", most.Load())
		}
		// Its history comes in pieces and is whole.
		revs, err := o.History(o.ctx(), o.who, o.id, 0, 5)
		must(o.t, err)
		if len(revs) != 1 || len(revs[0].Changes) != n || revs[0].Note != "长.xlsx" || revs[0].Changes[n-1].AfterRow != revs[0].Changes[n-2].Row {
			o.t.Errorf("%d revisions", len(revs))
		}
		if left := o.leftovers(); left != fmt.Sprint("staging=0 staged_row=0 piece=60 row_key=", 2*n, " report_row=", n, " change_set=1 import_record=1 ") {
			o.t.Error(left)
		}
		again := o.plan(report.ModeMerge, o.file(1, values(1000)))
		if again.Again != nil {
			o.t.Error("another file is taken for the same")
		}
	})
}

// counted is a book whose rows are counted as they pass.
type counted struct {
	report.Book
	row func()
}

func (c *counted) Scan(ctx context.Context, fn func(*tianbao.Import, *tianbao.ImportedRow) error) (*tianbao.Import, error) {
	return c.Book.Scan(ctx, func(imp *tianbao.Import, r *tianbao.ImportedRow) error {
		c.row()
		return fn(imp, r)
	})
}

// An import that is cancelled, or whose store or workbook fails, in whatever part,
// leaves nothing at all.
func TestStreamStoppedLeavesNothing(t *testing.T) {
	broken := errors.New("broken")
	onBoth(t, func(o *office) {
		o.Short, o.Part = -1, 10
		o.fill(values(1), values(2))
		st := o.Store
		before := o.leftovers()
		for _, part := range []int{1, 2, 5} {
			ctx, cancel := context.WithCancel(o.ctx())
			n := 0
			o.Store = &watched{Store: st, added: func(int) error {
				if n++; n == part {
					cancel()
				}
				return nil
			}}
			if _, _, err := o.applyBook(ctx, o.long(60), report.ModeAppend); !errors.Is(err, context.Canceled) {
				o.t.Errorf("cancelled in part %d: %v", part, err)
			}
			n = 0
			o.Store = &watched{Store: st, added: func(int) error {
				if n++; n == part {
					return broken
				}
				return nil
			}}
			if _, _, err := o.applyBook(o.ctx(), o.long(60), report.ModeAppend); !errors.Is(err, broken) {
				o.t.Errorf("store broken in part %d: %v", part, err)
			}
			cancel()
		}
		ctx, cancel := context.WithCancel(o.ctx())
		o.Store = &watched{Store: st, commit: cancel}
		if _, _, err := o.applyBook(ctx, o.long(60), report.ModeAppend); !errors.Is(err, context.Canceled) {
			o.t.Errorf("cancelled before the commit: %v", err)
		}
		o.Store = st
		for pass := 1; pass <= 2; pass++ {
			book := o.long(60)
			book.before = func(p int) error {
				if p == pass {
					return broken
				}
				return nil
			}
			if _, _, err := o.applyBook(o.ctx(), book, report.ModeMerge); !errors.Is(err, broken) {
				o.t.Errorf("workbook broken in pass %d: %v", pass, err)
			}
		}
		if after := o.leftovers(); after != before {
			o.t.Errorf("%s became %s", before, after)
		}
	})
}

// Others save while an import is under way. What concerns none of its rows goes through
// beside it; what does stops it, and nobody's cell is lost.
func TestStreamMeetsOthers(t *testing.T) {
	top := func(*office, []tianbao.Row) tianbao.Change { return insert("x", 0, values(7)...) }
	tests := []struct {
		name   string
		mode   report.Mode
		others func(o *office, rows []tianbao.Row) tianbao.Change
		rows   int // afterwards, 0: the import is refused
		check  func(rows []tianbao.Row) bool
	}{
		{"a new row, append", report.ModeAppend, top, 43, func(rows []tianbao.Row) bool { return rows[0].Values[4] == "user7" }},
		{"a new row, merge", report.ModeMerge, top, 42, func(rows []tianbao.Row) bool { return rows[0].Values[4] == "user7" && rows[1].Values[4] == "文件" }},
		{"a row that the file does not meet", report.ModeMerge, func(_ *office, rows []tianbao.Row) tianbao.Change {
			return edit(rows[1].ID, 4, "别人")
		}, 41, func(rows []tianbao.Row) bool { return rows[1].Values[4] == "别人" && rows[0].Values[4] == "文件" }},
		{"the row that the file edits", report.ModeMerge, func(_ *office, rows []tianbao.Row) tianbao.Change {
			return edit(rows[0].ID, 7, "16000000007")
		}, 0, nil},
		{"the row that the file edits goes", report.ModeMerge, func(_ *office, rows []tianbao.Row) tianbao.Change {
			return remove(rows[0].ID)
		}, 0, nil},
		{"a row at the top, by number", report.ModeBySeq, top, 0, nil},
		{"a row at the top, replaced", report.ModeReplace, top, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(o *office) {
				o.Short, o.Part = -1, 10
				o.fill(values(1000), values(2))
				rows := o.view().Rows
				book := o.long(40)
				first := &book.imp.Rows[0]
				first.Row.Values = slices.Clone(first.Row.Values)
				first.Row.Values[4] = "文件"
				first.Raw = first.Row.Values
				st, once := o.Store, false
				o.Store = &watched{Store: st, commit: func() {
					if !once {
						once = true
						_, err := o.Save(o.ctx(), o.other, o.set(o.view().Report.Version, tt.others(o, rows)))
						must(o.t, err)
					}
				}}
				_, saved, err := o.applyBook(o.ctx(), book, tt.mode)
				o.Store = st
				v := o.view()
				if tt.rows == 0 {
					if tianbao.KindOf(err) != tianbao.ErrConflict || v.Report.Version != 2 {
						o.t.Errorf("%v at version %d, want it refused", err, v.Report.Version)
					}
					return
				}
				must(o.t, err)
				if len(v.Rows) != tt.rows || v.Report.Rows != tt.rows || saved.Receipt.Rows != tt.rows || saved.Receipt.Version != 3 {
					o.t.Errorf("%d rows, version %d, receipt %d; want %d", len(v.Rows), v.Report.Version, saved.Receipt.Rows, tt.rows)
				}
				if !tt.check(v.Rows) {
					o.t.Error("the rows are not what they should be")
				}
			})
		})
	}
}

// The same key again gives the first outcome, also of a long import, and another
// content under it is refused.
func TestStreamOnceForAKey(t *testing.T) {
	onBoth(t, func(o *office) {
		o.Short = -1
		for i := range 3 {
			set := &tianbao.ChangeSet{Report: o.id, Key: "one", Source: tianbao.SourceImport}
			_, saved, err := o.ApplyBook(o.ctx(), o.who, set, o.long(30), report.ModeAppend, "f", []byte("f"), true, quiet)
			must(o.t, err)
			if saved.Again != (i > 0) || saved.Receipt.Version != 1 {
				o.t.Errorf("time %d: %+v", i, saved.Receipt)
			}
		}
		set := &tianbao.ChangeSet{Report: o.id, Key: "one", Source: tianbao.SourceImport}
		if _, _, err := o.ApplyBook(o.ctx(), o.who, set, o.long(30), report.ModeAppend, "f", []byte("other"), true, quiet); tianbao.KindOf(err) != tianbao.ErrInvalid {
			o.t.Errorf("another file under the key: %v", err)
		}
	})
}

// A stamped export that comes home through the reader of long files, with one edit,
// one row deleted and one added, is merged row by row.
func TestStreamComesHome(t *testing.T) {
	onBoth(t, func(o *office) {
		o.Short, o.Part = -1, 10
		var people []tianbao.Values
		for i := range 45 {
			people = append(people, values(i))
		}
		o.fill(people...)
		v := o.view()
		rows := slices.Clone(v.Rows)
		rows[3].Values = slices.Clone(rows[3].Values)
		rows[3].Values[4] = "改过" // in the file only: the stamp is of the stored row
		rows = append(slices.Delete(rows, 20, 21), tianbao.Row{Values: values(99)})
		var file bytes.Buffer
		must(o.t, sheet.Write(&file, o.form, func(yield func(tianbao.Row, error) bool) {
			for i := range rows {
				if !yield(rows[i], nil) {
					return
				}
			}
		}, sheet.WriteOptions{Stamp: &tianbao.Stamp{Report: o.id, Version: v.Report.Version, At: o.Now(), Digest: o.Digest}}))
		o.save(v.Report.Version, edit(v.Rows[3].ID, 7, "16000000009"))
		plan, _, err := o.applyBook(o.ctx(), scanOf(file.Bytes(), o.rules, sheet.ReadOptions{Digest: o.Digest}), report.ModeMerge)
		must(o.t, err)
		after := o.view().Rows
		if plan.Changed != 1 || plan.Added != 1 || len(after) != 46 || after[3].Values[4] != "改过" || after[3].Values[7] != "16000000009" {
			o.t.Errorf("%d changed, %d added, %d rows", plan.Changed, plan.Added, len(after))
		}
	})
}
