package sheet

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tianbao"
	"tianbao/internal/check"
)

// ReadOptions says what the sender helps with. The zero value reads what needs no
// help.
type ReadOptions struct {
	Password string // of an encrypted workbook
	Sheet    string // title of the sheet to read, where several could be meant
	// Digest checks the signature of a workbook that was exported; without it every
	// workbook is a foreign one.
	Digest func(label string, parts ...[]byte) string
}

// Read finds the form in a workbook and returns its rows in normal form. What kind
// of file it is is told by its content; name serves as the title of a sheet that
// has none. The error is a *tianbao.Error made by tianbao.WorkbookError, or wraps
// the end of ctx. With an error nothing is returned.
func Read(ctx context.Context, r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions) (*tianbao.Import, error) {
	return read(ctx, r, size, name, c, opt, DefaultLimits())
}

func read(ctx context.Context, r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions, limits Limits) (*tianbao.Import, error) {
	mem := &budget{left: limits.Memory}
	b, err := open(ctx, r, size, name, &limits, mem, opt.Password)
	if err != nil {
		return nil, err
	}
	rd := &reader{book: b, check: c, opt: opt, names: namesOf(c.Form()), limits: &limits, mem: mem}
	imp, err := rd.run(ctx)
	if err != nil {
		return nil, blame("reading the workbook", err)
	}
	return imp, nil
}

// reader finds the form in a book.
type reader struct {
	book   book
	check  *check.Checker
	opt    ReadOptions
	names  *names
	limits *Limits
	mem    *budget
}

// candidate is a visible sheet with a complete header.
type candidate struct {
	sheet  int
	header *header
	data   bool // a row stands below the header
}

// run surveys the visible sheets and reads the first that has the form's header
// and data; without any data, the first that has the header.
func (rd *reader) run(ctx context.Context) (*tianbao.Import, error) {
	var best *header
	var found []candidate
	for i, info := range rd.book.sheets() {
		if info.Hidden {
			continue
		}
		h, data, err := rd.survey(ctx, i)
		if err != nil {
			return nil, err
		}
		if h.complete() {
			found = append(found, candidate{i, h, data})
		} else if h != nil && (best == nil || h.matched > best.matched) {
			best = h
		}
	}
	if len(found) == 0 {
		return nil, errNoHeader(rd.names.form, best)
	}
	chosen := found[0]
	for _, c := range found {
		if c.data {
			chosen = c
			break
		}
	}
	imp, err := rd.collect(ctx, chosen)
	if err != nil {
		return nil, err
	}
	var others []string
	for _, c := range found {
		if c.sheet != chosen.sheet && c.data {
			others = append(others, shorten(rd.book.sheets()[c.sheet].Name))
		}
	}
	if len(others) > 0 {
		imp.Remarks = append(imp.Remarks, fmt.Sprintf(
			"工作簿里的“%s”也是这张表，本次没有读入；如需上报，请把其中的行复制到“%s”后再导入。",
			strings.Join(others, "”“"), shorten(imp.Sheet)))
	}
	return imp, nil
}

// survey looks for the header within the first rows of sheet i: the first row that
// names every must-be-filled field, else the one that names the most. A sheet
// without the header is read to its end, as rows may come in any order.
func (rd *reader) survey(ctx context.Context, i int) (best *header, data bool, err error) {
	below := -1 // the last row that is not blank, to know whether there is data
	_, err = rd.book.rows(ctx, i, func(r *RowData) error {
		if r.Num <= rd.limits.HeaderRows && !best.complete() {
			h := rd.names.match(r)
			if h != nil && (h.complete() || best == nil || h.matched > best.matched) {
				best = h
			}
		}
		if best.complete() && r.Num > best.row && !rd.blank(best, r) && !rd.names.noData(best, r) {
			below = max(below, r.Num)
			return errStop
		}
		return nil
	})
	return best, below > 0, err
}

// blank reports whether a row holds nothing in the form's columns. A row number
// alone is no data.
func (rd *reader) blank(h *header, r *RowData) bool {
	for i := range r.Cells {
		c := &r.Cells[i]
		if h.fieldAt(c.Col) >= 0 && !blankText(c.Raw) {
			return false
		}
	}
	return true
}

// rowCost is what a row costs beside its text: tianbao.ImportedRow and two slices.
func (rd *reader) rowCost() int { return 200 + 2*16*len(rd.names.form.Fields) }

// collect reads the rows below the header.
func (rd *reader) collect(ctx context.Context, c candidate) (*tianbao.Import, error) {
	h := c.header
	imp := &tianbao.Import{
		Sheet:     rd.book.sheets()[c.sheet].Name,
		Columns:   h.columns,
		SeqColumn: h.seq,
	}
	col := &collector{reader: rd, imp: imp, header: h}
	merges, err := rd.book.rows(ctx, c.sheet, col.row)
	if err != nil {
		return nil, err
	}
	col.inOrder()
	col.fillMerged(merges)
	col.remarks()
	return imp, col.marks.finish(ctx, rd, imp)
}

// collector turns the rows of a sheet into an Import.
type collector struct {
	*reader
	imp    *tianbao.Import
	header *header

	text     []byte // of one row
	unsorted bool
	hidden   int
	firstHid int
	long     string // address of the first cell that was cut
	twice    int    // first row number that came twice
	slots    []string
	marks    marks
}

// row takes one row of the sheet.
func (c *collector) row(r *RowData) error {
	if err := c.marks.note(c.header, r, c.mem); err != nil {
		return err
	}
	if r.Num <= c.header.row || c.blank(c.header, r) || c.names.noData(c.header, r) {
		return nil
	}
	n := len(c.names.form.Fields)
	if err := c.mem.take(c.rowCost()); err != nil {
		return err
	}
	rows := &c.imp.Rows
	if k := len(*rows); k > 0 && (*rows)[k-1].SheetRow >= r.Num {
		c.unsorted = true
	}
	*rows = append(*rows, tianbao.ImportedRow{SheetRow: r.Num, Hidden: r.Hidden, Raw: c.slice(n)})
	row := &(*rows)[len(*rows)-1]
	row.Row.Values = tianbao.Values(c.slice(n))
	// One string holds the row's texts; the cells are pieces of it.
	c.text = c.text[:0]
	for i := range r.Cells {
		if c.header.fieldAt(r.Cells[i].Col) != noField {
			c.text = append(c.text, r.Cells[i].Raw...)
		}
	}
	text := string(c.text)
	if err := c.mem.take(len(text)); err != nil {
		return err
	}
	for i := range r.Cells {
		if f := c.header.fieldAt(r.Cells[i].Col); f != noField {
			n := len(r.Cells[i].Raw)
			c.cell(row, f, &r.Cells[i], clean(text[:n]))
			text = text[n:]
		}
	}
	if r.Hidden {
		if c.hidden++; c.hidden == 1 {
			c.firstHid = r.Num
		}
	}
	return nil
}

// slice cuts n strings off a larger piece, so that rows do not cost an allocation
// each.
func (c *collector) slice(n int) []string {
	if len(c.slots) < n {
		c.slots = make([]string, 128*n)
	}
	s := c.slots[:n:n]
	c.slots = c.slots[n:]
	return s
}

// cell sets one cell of a row: the raw text, its normal form, and a mark when the
// cell's type is a fault that its text does not show.
func (c *collector) cell(row *tianbao.ImportedRow, f int, cell *Cell, raw string) {
	raw, text, mark := c.cellText(cell, raw, row.SheetRow)
	if f == seqField {
		row.Seq = strings.TrimFunc(text, isBlank)
		row.Row.Seq, _ = strconv.Atoi(row.Seq)
		return
	}
	row.Raw[f] = raw
	row.Row.Values[f] = c.check.Normalize(f, text)
	if mark != tianbao.MarkNone {
		if row.Row.Marks == nil {
			row.Row.Marks = make([]tianbao.Mark, len(row.Raw))
		}
		row.Row.Marks[f] = mark
	}
}

// cellText gives a cell's raw text, cut if it is too long, and the text that it
// stands for.
func (c *collector) cellText(cell *Cell, in string, row int) (raw, text string, mark tianbao.Mark) {
	raw = in
	switch cell.Kind {
	case Number:
		if cell.NumFmt.Date {
			if d, ok := dateText(raw, c.book.date1904()); ok {
				return raw, d, tianbao.MarkDate
			}
		}
		t, lost := numberText(raw, cell.NumFmt)
		if lost {
			mark = tianbao.MarkNumber
		}
		return raw, t, mark
	case Date:
		return raw, isoDate(raw), tianbao.MarkDate
	case Error:
		return raw, raw, tianbao.MarkError
	case Bool:
		if raw == "0" || strings.EqualFold(raw, "false") {
			return raw, "FALSE", mark
		}
		return raw, "TRUE", mark
	}
	if len(raw) > c.limits.CellChars {
		if r := []rune(raw); len(r) > c.limits.CellChars {
			raw = string(r[:c.limits.CellChars])
			if c.long == "" {
				c.long = Address(cell.Col, row)
			}
		}
	}
	return raw, raw, mark
}

// maxNamed is how many unknown columns a remark names.
const maxNamed = 10

// remarks tells what was noticed.
func (c *collector) remarks() {
	add := func(format string, args ...any) {
		c.imp.Remarks = append(c.imp.Remarks, fmt.Sprintf(format, args...))
	}
	if u := c.header.unknown; len(u) > 0 {
		more := ""
		if len(u) > maxNamed {
			u, more = u[:maxNamed], "等"
		}
		add("列“%s”%s不在本表中，没有读入；如果是本表的列，请把列名改成与模板一致。", strings.Join(u, "”“"), more)
	}
	if c.hidden > 0 {
		add("有 %d 行被隐藏或筛选（第一处在第 %d 行），已一并读入，请核对是否需要。", c.hidden, c.firstHid)
	}
	if c.twice > 0 {
		add("文件中第 %d 行重复出现，以后出现的内容为准，请核对这一行。", c.twice)
	}
	if c.long != "" {
		add("单元格 %s 的文字超过 %d 个字，只读入前面的部分，请改短。", c.long, c.limits.CellChars)
	}
}
