package sheet

import (
	"context"
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/check"
)

// reader finds the form in a book.
type reader struct {
	book   book
	check  *check.Checker
	opt    ReadOptions
	names  *names
	limits *Limits
	mem    *budget
	fn     RowFunc // nil: rows are kept
	homes  *homes  // of a Scanner, nil: a scan finds no origin
}

// candidate is a sheet with a complete header.
type candidate struct {
	sheet  int
	header *header
	data   bool // a row stands below the header
}

// run surveys the sheets and reads the one that is meant.
func (rd *reader) run(ctx context.Context) (*tianbao.Import, error) {
	var best *header
	var found []candidate
	for i, info := range rd.book.sheets() {
		if rd.opt.Sheet == "" && info.Hidden || rd.opt.Sheet != "" && info.Name != rd.opt.Sheet {
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
	chosen, err := rd.choose(found, best)
	if err != nil {
		return nil, err
	}
	return rd.collect(ctx, chosen)
}

// choose takes the only sheet with the form's header and data; without any data, the
// first with the header. Two with data could both be meant, so the sender is asked.
func (rd *reader) choose(found []candidate, best *header) (candidate, error) {
	var full []candidate
	for _, c := range found {
		if c.data {
			full = append(full, c)
		}
	}
	switch {
	case len(full) == 1:
		return full[0], nil
	case len(full) > 1 && rd.opt.Sheet == "":
		var titles, short []string
		for _, c := range full {
			titles = append(titles, rd.book.sheets()[c.sheet].Name)
			short = append(short, shorten(rd.book.sheets()[c.sheet].Name))
		}
		more := ""
		if len(short) > maxNamed {
			short, more = short[:maxNamed], "等"
		}
		return candidate{}, errChoose(fmt.Sprintf("工作簿里有 %d 张工作表都是这张表（“%s”%s），请选择要读入哪一张。",
			len(full), strings.Join(short, "”“"), more), titles)
	case len(found) > 0:
		return found[0], nil
	case rd.opt.Sheet != "" && best == nil && !rd.named(rd.opt.Sheet):
		var titles []string
		for _, info := range rd.book.sheets() {
			if !info.Hidden {
				titles = append(titles, info.Name)
			}
		}
		return candidate{}, errChoose("工作簿里没有这个名称的工作表，请选择要读入哪一张。", titles)
	}
	return candidate{}, errNoHeader(rd.names.form, best)
}

func (rd *reader) named(title string) bool {
	for _, info := range rd.book.sheets() {
		if info.Name == title {
			return true
		}
	}
	return false
}

// survey looks for the header within the first rows of sheet i: the first row, or
// two rows one below the other, that names every must-be-filled field, else the one
// that names the most. A sheet without the header is read to its end, as rows may
// come in any order.
func (rd *reader) survey(ctx context.Context, i int) (best *header, data bool, err error) {
	var prev, top *line // the row before, and the header's own
	_, err = rd.book.rows(ctx, i, func(r *RowData) error {
		switch {
		case !best.complete() && r.Num <= rd.limits.HeaderRows:
			l := lineOf(r)
			h := rd.names.match(nil, l)
			if !h.complete() && prev != nil && prev.num+1 == l.num {
				if two := rd.names.match(prev, l); two != nil && (h == nil || two.matched > h.matched) {
					h = two
				}
			}
			if h != nil && (h.complete() || best == nil || h.matched > best.matched) {
				best, top = h, l
			}
			prev = l
			return nil
		case best.complete() && r.Num == best.row+1 && top.num == best.row:
			if l := lineOf(r); rd.names.continues(best, l) {
				if two := rd.names.match(top, l); two.complete() {
					best = two
				} else {
					best.row = l.num
				}
				return nil
			}
		}
		if best.complete() && r.Num > best.row && !rd.blank(best, r) && !rd.names.noData(best, r) {
			data = true
			return errStop
		}
		return nil
	})
	return best, data, err
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

// collect reads the rows below the header.
func (rd *reader) collect(ctx context.Context, c candidate) (*tianbao.Import, error) {
	h := c.header
	imp := &tianbao.Import{
		Sheet:     rd.book.sheets()[c.sheet].Name,
		Columns:   h.columns,
		SeqColumn: h.seq,
	}
	for _, u := range h.unknown {
		imp.Unknown = append(imp.Unknown, strings.TrimFunc(u.text, isBlank))
	}
	col := &collector{reader: rd, imp: imp, header: h}
	if rd.fn != nil {
		col.flow = newFlow(ctx, col, c.sheet)
		if err := rd.homes.begin(ctx, rd); err != nil {
			return nil, err
		}
	}
	merges, err := rd.book.rows(ctx, c.sheet, col.row)
	if err != nil {
		return nil, err
	}
	if col.flow != nil {
		if err := col.flow.finish(merges); err != nil {
			return nil, err
		}
		col.remarks()
		return imp, rd.homes.finish(rd, imp)
	}
	col.join()
	col.inOrder()
	col.fillMerged(merges)
	col.remarks()
	return imp, col.marks.finish(ctx, rd, imp)
}
