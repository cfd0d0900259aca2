package sheet

import (
	"cmp"
	"slices"

	"tianbao"
)

// inOrder puts the rows into the order of their numbers. Rows of one number, which
// only a damaged or odd writer makes, become one: what came later stands where it
// holds something, nothing is dropped that it does not hold.
func (c *collector) inOrder() {
	if !c.unsorted {
		return
	}
	rows := c.imp.Rows
	slices.SortStableFunc(rows, func(a, b tianbao.ImportedRow) int { return cmp.Compare(a.SheetRow, b.SheetRow) })
	out := rows[:0]
	for _, r := range rows {
		k := len(out) - 1
		if k < 0 || out[k].SheetRow != r.SheetRow {
			out = append(out, r)
			continue
		}
		if c.twice == 0 {
			c.twice = r.SheetRow
		}
		overlay(&out[k], &r)
	}
	clear(rows[len(out):])
	c.imp.Rows = out
}

func overlay(dst, src *tianbao.ImportedRow) {
	if src.Seq != "" {
		dst.Seq, dst.Row.Seq = src.Seq, src.Row.Seq
	}
	dst.Hidden = dst.Hidden && src.Hidden
	for f, raw := range src.Raw {
		if raw != "" {
			setCell(dst, src, f)
		}
	}
	for k, text := range src.Unknown {
		if text != "" {
			dst.Unknown[k] = text
		}
	}
}

// setCell copies one cell with its mark.
func setCell(dst, src *tianbao.ImportedRow, f int) {
	dst.Raw[f], dst.Row.Values[f] = src.Raw[f], src.Row.Values[f]
	m := src.Row.Mark(f)
	if m == dst.Row.Mark(f) {
		return
	}
	if dst.Row.Marks == nil {
		dst.Row.Marks = make([]tianbao.Mark, len(dst.Raw))
	}
	dst.Row.Marks[f] = m
}

// fillMerged gives the cells of a unit that are merged over several rows to each of
// them. Merged ranges stand behind the rows in the file, so this is a second pass.
// Only fields whose definition says so are filled: a name merged over two rows is
// a fault that the check must see.
func (c *collector) fillMerged(merges []Merge) {
	slices.SortFunc(merges, func(a, b Merge) int { return cmp.Compare(a.Row1, b.Row1) })
	for f := range c.names.form.Fields {
		col := c.header.columns[f]
		if !c.names.form.Fields[f].Merged || col < 0 {
			continue
		}
		// Both lists are sorted, so one walk is enough whatever is merged; of
		// ranges that overlap, which Excel refuses, the first counts.
		i, last := 0, int32(0)
		rows := c.imp.Rows
		for _, m := range merges {
			if int(m.Col1) != col || m.Row2 <= m.Row1 || m.Row1 <= last {
				continue
			}
			last = m.Row2
			for i < len(rows) && rows[i].SheetRow < int(m.Row1) {
				i++
			}
			if i == len(rows) {
				break
			}
			if rows[i].SheetRow != int(m.Row1) {
				continue
			}
			from := &rows[i]
			for k := i + 1; k < len(rows) && rows[k].SheetRow <= int(m.Row2); k++ {
				setCell(&rows[k], from, f)
			}
		}
	}
}
