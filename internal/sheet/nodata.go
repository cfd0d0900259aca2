package sheet

import (
	"strings"

	"tianbao"
)

// Lines below the header that are no data, form.md §7. A line is dropped only on
// strong signs: dropping one too many loses a person, keeping one too many shows a
// fault that the sender can see.

// totalWords begin a total line.
var totalWords = []string{"合计", "总计", "小计", "共计", "本页小计", "本页合计", "本页共计", "累计"}

// signWords begin a cell of a signature line or a foot note.
var signWords = []string{
	"填报人", "填表人", "制表人", "制表", "编制人", "审核人", "审核", "复核人", "复核", "审批人", "经办人", "负责人", "单位负责人",
	"部门负责人", "分管领导", "主管领导", "领导签字", "签字", "签章", "盖章", "单位盖章", "公章", "联系人", "联系电话", "电话", "填报单位",
	"编制单位", "填报日期", "填表日期", "填报时间", "制表日期", "日期", "注", "备注", "说明", "填表说明", "填报说明",
}

// lineText prepares a cell for comparison with the words above.
func lineText(b []byte) string {
	if len(b) > 1<<10 {
		b = b[:1<<10]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case isBlank(r):
			return -1
		case r == '：', r == '﹕', r == '∶':
			return ':'
		case r == '（':
			return '('
		case r == '）':
			return ')'
		}
		return r
	}, string(b))
}

// isTotal reports whether a cell begins a total line: the word alone, or followed
// by a colon, a number or a count.
func isTotal(text string) bool {
	for _, w := range totalWords {
		rest, ok := strings.CutPrefix(text, w)
		if ok && (rest == "" || strings.IndexByte(":(0123456789", rest[0]) >= 0 || strings.HasPrefix(rest, "人")) {
			return true
		}
	}
	return false
}

// isSign reports whether a cell is the label of a signature: the word alone, or
// followed by a colon or bracket.
func isSign(text string) bool {
	for _, w := range signWords {
		rest, ok := strings.CutPrefix(text, w)
		if ok && (rest == "" || rest[0] == ':' || rest[0] == '(' || strings.HasPrefix(rest, "签字") || strings.HasPrefix(rest, "签章")) {
			return true
		}
	}
	return false
}

// noData reports whether a row that is not blank is a total, a signature line, or
// a repetition of the header.
func (n *names) noData(h *header, r *RowData) bool {
	first := 0
	for first < len(r.Cells) && blankText(r.Cells[first].Raw) {
		first++
	}
	if first == len(r.Cells) {
		return true
	}
	// The first cell decides: in a row of data it is a number or a unit.
	if c := &r.Cells[first]; c.Kind == Text {
		text := lineText(c.Raw)
		if total := isTotal(text); total || isSign(text) {
			return n.footer(h, r.Cells[first:], total)
		}
	}
	return n.repeats(h, r)
}

// footer looks at a row that begins with the word of a total or signature.
func (n *names) footer(h *header, cells []Cell, total bool) bool {
	labels, others := 0, 0
	for i := range cells {
		c := &cells[i]
		if blankText(c.Raw) {
			continue
		}
		if f := h.fieldAt(c.Col); f >= 0 && n.form.Fields[f].Kind == tianbao.KindResidentID && digits(c.Raw) >= 15 {
			return false // whoever has an id is a person
		}
		if isSign(lineText(c.Raw)) {
			labels++
		} else if i > 0 || !total {
			others++
		}
	}
	if total {
		return others <= 3
	}
	return others <= labels+1
}

// repeats reports whether a row is the header or the row of letters once more, as
// a printed page or a second table pasted below has it.
func (n *names) repeats(h *header, r *RowData) bool {
	titles, letters := 0, 0
	for i := range r.Cells {
		f := h.fieldAt(r.Cells[i].Col)
		if f < 0 || blankText(r.Cells[i].Raw) {
			continue
		}
		switch text := string(r.Cells[i].Raw); {
		case text == n.form.Fields[f].Letter:
			letters++
		case text == n.form.Fields[f].Title || headerKey(text) == headerKey(n.form.Fields[f].Title):
			titles++
		default:
			return false // the usual case: the first cell already differs
		}
	}
	return titles >= 3 || letters >= 3
}

func digits(b []byte) int {
	n := 0
	for _, r := range string(b) {
		if r >= '0' && r <= '9' || r >= '０' && r <= '９' {
			n++
		}
	}
	return n
}

// fieldAt returns the field in a column, seqField or noField.
func (h *header) fieldAt(col int) int {
	if col < len(h.at) {
		return h.at[col]
	}
	return noField
}
