package sheet

import "slices"

// line is what a row may contribute to a header: its short texts by column.
type line struct {
	num   int
	cols  []int
	texts []string
	other bool // it also holds what can be no header: a number, a long text
}

// headerText is the longest text that can be a header; notes are longer.
const headerText = 64

func lineOf(r *RowData) *line {
	l := &line{num: r.Num}
	for i := range r.Cells {
		c := &r.Cells[i]
		switch {
		case blankText(c.Raw):
		case c.Kind != Text || len(c.Raw) > 4*headerText:
			l.other = true
		default:
			l.cols = append(l.cols, c.Col)
			l.texts = append(l.texts, clean(string(c.Raw)))
		}
	}
	return l
}

// over returns the text that stands over a column: its own, or the nearest to the
// left, which a merged cell shows over all of its columns. Merged ranges themselves
// are not asked: they stand behind the rows, and many a header is centred across
// columns without being merged.
func (l *line) over(col int) string {
	i, own := slices.BinarySearch(l.cols, col)
	switch {
	case own:
		return l.texts[i]
	case i > 0:
		return l.texts[i-1]
	}
	return ""
}

// has reports whether the line has a text in a column.
func (l *line) has(col int) bool {
	_, ok := slices.BinarySearch(l.cols, col)
	return ok
}

// headerCell is one text of a header and the field that it names.
type headerCell struct {
	col   int
	text  string
	field int
	grade int // 3 group and name together, 2 the title, 1 another name, 0 unknown
}

// cells gives the header cells of a line, or of two lines of which the upper one
// names groups: 资产管理人 over 姓名, 身份证号 and 电话.
func (n *names) cells(upper, lower *line) []headerCell {
	out := make([]headerCell, 0, len(lower.cols))
	for i, col := range lower.cols {
		c := headerCell{col: col, text: lower.texts[i]}
		c.field, c.grade = n.find(c.text)
		if upper != nil {
			if group := upper.over(col); group != "" {
				if f, grade := n.find(group + c.text); grade > 0 {
					c.field, c.grade = f, 3
				}
			}
		}
		out = append(out, c)
	}
	if upper == nil {
		return out
	}
	for i, col := range upper.cols {
		if !lower.has(col) {
			c := headerCell{col: col, text: upper.texts[i]}
			c.field, c.grade = n.find(c.text)
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b headerCell) int { return a.col - b.col })
	return out
}

// continues reports whether the row directly below a header is its second line:
// every text in it is the name of a column too.
func (n *names) continues(h *header, l *line) bool {
	if l.num != h.row+1 || l.other || len(l.cols) == 0 {
		return false
	}
	for _, t := range l.texts {
		if f, grade := n.find(t); grade == 0 || f == explainField {
			return false
		}
	}
	return true
}
