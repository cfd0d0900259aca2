package sheet

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"tianbao"
)

// collector turns the rows of a sheet into an Import.
type collector struct {
	*reader
	imp    *tianbao.Import
	header *header

	flow     *flow  // of Scan, nil: rows are kept
	text     []byte // of one row
	unsorted bool
	hidden   int
	firstHid int
	long     string                  // address of the first cell that was cut
	twice    int                     // first row number that came twice
	chunks   [][]tianbao.ImportedRow // of the rows kept: growing one slice would copy each row five times
	last     int                     // number of the row before
	slots    []string
	marks    marks
}

// rowCost is what a row costs beside its text.
func (c *collector) rowCost() int {
	return int(unsafe.Sizeof(tianbao.ImportedRow{})) + 16*(2*len(c.names.form.Fields)+len(c.imp.Unknown))
}

// row takes one row of the sheet.
func (c *collector) row(r *RowData) error {
	if err := c.note(r); err != nil {
		return err
	}
	if r.Num <= c.header.row || c.blank(c.header, r) || c.names.noData(c.header, r) {
		return nil
	}
	row, err := c.place(r)
	if err != nil {
		return err
	}
	// One string holds the texts of the row, the cells are pieces of it; texts that
	// last are not copied at all.
	c.text = c.text[:0]
	for i := range r.Cells {
		if x := &r.Cells[i]; !x.Lasting && c.header.fieldAt(x.Col) != noField {
			c.text = append(c.text, x.Raw...)
		}
	}
	text := string(c.text)
	if c.flow == nil {
		if err := c.mem.take(len(text)); err != nil {
			return err
		}
	}
	for i := range r.Cells {
		x := &r.Cells[i]
		f := c.header.fieldAt(x.Col)
		if f == noField {
			continue
		}
		var raw string
		if x.Lasting {
			raw = lasting(x.Raw)
		} else {
			raw, text = text[:len(x.Raw)], text[len(x.Raw):]
		}
		c.cell(row, f, x, clean(raw))
	}
	if r.Hidden {
		if c.hidden++; c.hidden == 1 {
			c.firstHid = r.Num
		}
	}
	if c.flow != nil {
		return c.flow.pass(row)
	}
	return nil
}

// note takes the row's mark, if it has one.
func (c *collector) note(r *RowData) error {
	if c.flow == nil {
		return c.marks.note(c.header, r, c.mem)
	}
	return c.homes.note(c.header, r, c.mem)
}

// lasting gives bytes that are never written again as a string, without a copy.
func lasting(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //#nosec G103 -- b is never written again

// place gives the memory of the next row.
func (c *collector) place(r *RowData) (*tianbao.ImportedRow, error) {
	if c.flow != nil {
		return c.flow.next(r), nil
	}
	if err := c.mem.take(c.rowCost()); err != nil {
		return nil, err
	}
	n := len(c.names.form.Fields)
	c.unsorted = c.unsorted || r.Num <= c.last
	c.last = r.Num
	k := len(c.chunks) - 1
	if k < 0 || len(c.chunks[k]) == cap(c.chunks[k]) {
		// Small files stay small.
		c.chunks = append(c.chunks, make([]tianbao.ImportedRow, 0, min(32<<min(len(c.chunks), 5), 1024)))
		k++
	}
	c.chunks[k] = append(c.chunks[k], tianbao.ImportedRow{SheetRow: r.Num, Hidden: r.Hidden, Raw: c.slice(n)})
	row := &c.chunks[k][len(c.chunks[k])-1]
	row.Row.Values = tianbao.Values(c.slice(n))
	if k := len(c.imp.Unknown); k > 0 {
		row.Unknown = c.slice(k)
	}
	return row, nil
}

// join puts the rows kept into the import.
func (c *collector) join() {
	n := 0
	for _, rows := range c.chunks {
		n += len(rows)
	}
	if n > 0 {
		c.imp.Rows = make([]tianbao.ImportedRow, 0, n)
	}
	for i, rows := range c.chunks {
		c.imp.Rows = append(c.imp.Rows, rows...)
		c.chunks[i] = nil
	}
}

// slice cuts n strings off a larger piece, so that rows do not cost an allocation
// each.
func (c *collector) slice(n int) []string {
	if len(c.slots) < n {
		c.slots = make([]string, (32<<min(len(c.chunks), 4))*n)
	}
	s := c.slots[:n:n]
	c.slots = c.slots[n:]
	return s
}

// cell sets one cell of a row: the raw text, its normal form, and a mark when the
// cell's type is a fault that its text does not show.
func (c *collector) cell(row *tianbao.ImportedRow, f int, cell *Cell, raw string) {
	raw, text, mark := c.cellText(cell, raw, row.SheetRow)
	switch {
	case f == seqField:
		row.Seq = strings.TrimFunc(text, isBlank)
		row.Row.Seq, _ = strconv.Atoi(row.Seq)
		return
	case f <= unknownField:
		row.Unknown[unknownField-f] = text
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
	var names []string
	for _, u := range c.imp.Unknown {
		if len(names) < maxNamed {
			names = append(names, shorten(u))
		}
	}
	if len(names) > 0 {
		more := ""
		if len(c.imp.Unknown) > maxNamed {
			more = "等"
		}
		add("列“%s”%s不在本表中，没有读入；如果是本表的列，请把列名改成与模板一致。", strings.Join(names, "”“"), more)
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
