package sheet

import (
	"cmp"
	"context"
	"io"
	"slices"

	"tianbao"
	"tianbao/internal/check"
)

// Scanner is [Scan] for a workbook that is gone through several times, under the limits
// of [Read], and that may have come home: after the first scan Import.Origin names the
// rows by their marks ([tianbao.Origin.Home]), and in later ones ImportedRow.Row.ID
// does. It is used by one goroutine.
type Scanner struct {
	r     io.ReaderAt
	size  int64
	name  string
	check *check.Checker
	opt   ReadOptions
	homes homes
}

// NewScanner returns a Scanner of the workbook, which it does not read yet.
func NewScanner(r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions) *Scanner {
	return &Scanner{r: r, size: size, name: name, check: c, opt: opt}
}

// Scan hands the rows of the workbook to fn, see the function of that name.
func (s *Scanner) Scan(ctx context.Context, fn RowFunc) (*tianbao.Import, error) {
	rd, err := openReader(ctx, s.r, s.size, s.name, s.check, s.opt, DefaultLimits())
	if err != nil {
		return nil, err
	}
	rd.fn, rd.homes = fn, &s.homes
	return rd.read(ctx)
}

// Read reads the workbook with all its rows, see the function of that name.
func (s *Scanner) Read(ctx context.Context) (*tianbao.Import, error) {
	return Read(ctx, s.r, s.size, s.name, s.check, s.opt)
}

// homes gathers what pairs rows with their marks while they pass, some thirty bytes a
// row. A nil one does nothing.
type homes struct {
	stamper
	origin  *tianbao.Origin
	remarks []string
	known   bool // a scan has come to its end
	at      int  // rows handed on by this scan

	marks []numberedMark
	rows  []int32 // of the sheet
	now   []uint64
}

type numberedMark struct {
	mark
	row int32
}

// begin reads the hidden sheet, before the rows of the first scan.
func (h *homes) begin(ctx context.Context, rd *reader) error {
	if h == nil || rd.opt.Digest == nil {
		return nil
	}
	h.at = 0
	if h.known {
		return nil
	}
	h.origin, h.remarks, h.marks, h.rows, h.now = nil, nil, nil, nil, nil
	lines, err := rd.originSheet(ctx)
	if err != nil || lines == nil {
		return err
	}
	if h.origin = parseOrigin(lines, rd.opt.Digest); h.origin == nil {
		h.remarks = []string{remarkChanged}
		return nil
	}
	h.stamper = stamper{digest: rd.opt.Digest, report: h.origin.Report}
	return rd.mem.take(8 * len(h.origin.Held))
}

// learning reports whether marks are gathered.
func (h *homes) learning() bool { return h != nil && h.origin != nil && !h.known }

// note takes the mark of a row below the header.
func (h *homes) note(hd *header, r *RowData, mem *budget) error {
	if !h.learning() || hd.origin < 0 || r.Num <= hd.row {
		return nil
	}
	for i := range r.Cells {
		if c := &r.Cells[i]; isMark(hd, c) {
			if err := mem.take(24); err != nil {
				return err
			}
			m, _ := h.verify(string(c.Raw))
			h.marks = append(h.marks, numberedMark{m, int32(r.Num)})
		}
	}
	return nil
}

// row takes a row of the first scan, and gives a row of a later one its id.
func (h *homes) row(c *collector, row *tianbao.ImportedRow) error {
	if h == nil || h.origin == nil {
		return nil
	}
	if h.known {
		if h.at < len(h.origin.Home) {
			row.Row.ID = h.origin.Home[h.at]
		}
		h.at++
		return nil
	}
	if err := c.mem.take(24); err != nil { // also for its id
		return err
	}
	h.rows = append(h.rows, int32(row.SheetRow))
	h.now = append(h.now, h.sum(&row.Row, len(c.names.form.Fields)))
	return nil
}

// finish pairs the rows with the marks, after the first scan.
func (h *homes) finish(rd *reader, imp *tianbao.Import) error {
	if h == nil {
		return nil
	}
	if h.learning() {
		// What pairing takes for a moment.
		if err := rd.mem.take(32 * len(h.rows)); err != nil {
			return err
		}
		h.pair()
	}
	h.known = true
	imp.Origin = h.origin
	imp.Remarks = append(imp.Remarks, h.remarks...)
	return nil
}

func (h *homes) pair() {
	slices.SortStableFunc(h.marks, func(a, b numberedMark) int { return cmp.Compare(a.row, b.row) })
	at, k := make([]int, len(h.rows)), 0
	for i, row := range h.rows {
		at[i] = -1
		// Of two marks in one row the later counts, as with any cell.
		for ; k < len(h.marks) && h.marks[k].row <= row; k++ {
			if h.marks[k].row == row {
				at[i] = k
			}
		}
	}
	marks := make([]mark, len(h.marks))
	for k := range h.marks {
		if k+1 == len(h.marks) || h.marks[k+1].row != h.marks[k].row {
			marks[k] = h.marks[k].mark
		}
	}
	if moved := repair(marks, h.now, at); moved > 0 {
		h.remarks = append(h.remarks, remarkMoved(moved))
	}
	home := make([]tianbao.ID, len(h.rows))
	taken := make(map[tianbao.ID]bool, len(h.rows))
	for i, k := range at {
		// A copied row is a new one, as in verifier.run.
		if k >= 0 && marks[k].id != 0 && !taken[marks[k].id] {
			home[i] = marks[k].id
			taken[home[i]] = true
		}
	}
	h.origin.Home = home
	h.marks, h.rows, h.now = nil, nil, nil
}
