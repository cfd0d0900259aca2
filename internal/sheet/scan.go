package sheet

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"tianbao"
)

// flow hands the rows of a sheet on as they come.
type flow struct {
	ctx   context.Context
	c     *collector
	sheet int

	row     tianbao.ImportedRow // used for every row
	marks   []tianbao.Mark      // of row, where it has some
	last    int                 // number of the row before
	seen    []uint64            // bit set of the rows handed on
	garbage int

	filled []*fill // of the fields that are filled down
	known  bool    // the merged ranges have been read
}

// fill is the state of one field whose merged cells belong to each row.
type fill struct {
	field, col int
	merges     []Merge // in order of rows, without those of one row
	from       tianbao.ImportedRow
	inside     bool // from is the first row of merges[0]
}

func newFlow(ctx context.Context, c *collector, sheet int) *flow {
	n := len(c.names.form.Fields)
	w := &flow{ctx: ctx, c: c, sheet: sheet, marks: make([]tianbao.Mark, n), seen: make([]uint64, maxRow/64+1)}
	w.row = blankRow(n)
	w.row.Unknown = make([]string, len(c.imp.Unknown))
	for f := range c.names.form.Fields {
		if col := c.header.columns[f]; col >= 0 && c.names.form.Fields[f].Merged {
			w.filled = append(w.filled, &fill{field: f, col: col, from: blankRow(n)})
		}
	}
	return w
}

func blankRow(n int) tianbao.ImportedRow {
	return tianbao.ImportedRow{Raw: make([]string, n), Row: tianbao.Row{Values: make([]string, n)}}
}

// next gives the row's memory, empty.
func (w *flow) next(r *RowData) *tianbao.ImportedRow {
	raw, values, unknown := w.row.Raw, w.row.Row.Values, w.row.Unknown
	clear(raw)
	clear(values)
	clear(unknown)
	w.row = tianbao.ImportedRow{SheetRow: r.Num, Hidden: r.Hidden, Raw: raw, Row: tianbao.Row{Values: values}}
	if len(unknown) > 0 {
		w.row.Unknown = unknown
	}
	return &w.row
}

// garbageStep is how much text of rows is made between two runs of the collector.
// Left alone it lets as much garbage grow as lives, and the shared strings of a
// million rows live; marking them is cheap, as they hold no pointers.
const garbageStep = 32 << 20

// pass hands on one row.
func (w *flow) pass(row *tianbao.ImportedRow) error {
	if row.SheetRow <= w.last {
		return errUnreadable("文件里的行没有按行号排列，无法逐行读入；请用 Excel 或 WPS 打开，另存为 .xlsx 后再上传。",
			fmt.Errorf("%w: rows out of order", ErrNeedsAll))
	}
	if err := w.fillDown(row); err != nil {
		return err
	}
	w.last = row.SheetRow
	w.seen[row.SheetRow/64] |= 1 << (row.SheetRow % 64)
	if w.garbage += len(w.c.text) + 1; w.garbage > garbageStep && w.c.limits.Memory-w.c.mem.left > garbageStep/2 {
		w.garbage = 0
		runtime.GC()
	}
	if err := w.c.homes.row(w.c, row); err != nil {
		return err
	}
	if err := w.c.fn(w.c.imp, row); err != nil {
		return &rowFuncError{err}
	}
	return nil
}

// fillDown gives a row the cells of its unit that are merged with those above.
// Merged ranges stand behind the rows in most files. They are fetched, by a reading
// of its own, when the first row comes that lacks a cell of its unit; rows that have
// them all need no range.
func (w *flow) fillDown(row *tianbao.ImportedRow) error {
	for _, f := range w.filled {
		if row.Row.Values[f.field] == "" && !w.known {
			if err := w.fetch(); err != nil {
				return err
			}
		}
	}
	for _, f := range w.filled {
		for len(f.merges) > 0 && int(f.merges[0].Row2) < row.SheetRow {
			f.merges, f.inside = f.merges[1:], false
		}
		switch {
		case len(f.merges) > 0 && f.inside && row.SheetRow > int(f.merges[0].Row1):
			w.set(row, &f.from, f.field)
		case len(f.merges) > 0 && row.SheetRow == int(f.merges[0].Row1):
			w.keep(f, row)
			f.inside = true
		case !w.known:
			w.keep(f, row) // a range may turn out to begin here
		}
	}
	return nil
}

// set is setCell for a row whose marks are used again.
func (w *flow) set(dst, src *tianbao.ImportedRow, f int) {
	if dst.Row.Marks == nil && src.Row.Mark(f) != tianbao.MarkNone {
		clear(w.marks)
		dst.Row.Marks = w.marks
	}
	setCell(dst, src, f)
}

// keep notes a row's cell as the one that may be merged with those below.
func (w *flow) keep(f *fill, row *tianbao.ImportedRow) {
	f.from.SheetRow = row.SheetRow
	setCell(&f.from, row, f.field)
}

// fetch reads the merged ranges.
func (w *flow) fetch() error {
	w.known = true
	merges, err := w.c.book.rows(w.ctx, w.sheet, func(*RowData) error { return nil })
	if err != nil {
		return err
	}
	return w.use(merges)
}

// use keeps for each field the ranges that still matter. A range with rows that have
// been handed on can only be honoured if its first row was the last of them.
func (w *flow) use(merges []Merge) error {
	slices.SortStableFunc(merges, func(a, b Merge) int { return cmp.Compare(a.Row1, b.Row1) })
	for _, f := range w.filled {
		last := int32(0)
		for _, m := range merges {
			if int(m.Col1) != f.col || m.Row2 <= m.Row1 || m.Row1 <= last {
				continue
			}
			last = m.Row2
			switch {
			case int(m.Row1) > w.last:
				f.merges = append(f.merges, m)
			case !w.handed(int(m.Row1)):
			case int(m.Row1) == w.last && f.from.SheetRow == w.last:
				f.merges, f.inside = append(f.merges, m), true
			default:
				for r := int(m.Row1) + 1; r <= min(int(m.Row2), w.last); r++ {
					if w.handed(r) {
						return errUnreadable("合并的单位单元格下面还留有被遮住的内容，无法逐行读入；请取消合并，逐行填写单位后再上传。",
							fmt.Errorf("%w: text under merged cells", ErrNeedsAll))
					}
				}
			}
		}
	}
	return nil
}

func (w *flow) handed(row int) bool { return w.seen[row/64]>>(row%64)&1 == 1 }

// finish checks the rows handed on against the ranges, if nobody has asked for them.
func (w *flow) finish(merges []Merge) error {
	if w.known {
		return nil
	}
	w.last = maxRow
	return w.use(merges)
}
