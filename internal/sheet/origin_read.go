package sheet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
)

// marks gathers the hidden marks of a sheet while its rows are read: also those of
// rows that hold nothing else, since cells that were moved apart leave theirs behind.
type marks struct {
	rows []sheetMark
}

type sheetMark struct {
	row  int
	text string
}

// note takes the mark of a row below the header.
func (m *marks) note(h *header, r *RowData, mem *budget) error {
	if h.origin < 0 || r.Num <= h.row {
		return nil
	}
	for i := range r.Cells {
		if c := &r.Cells[i]; isMark(h, c) {
			if err := mem.take(24 + len(c.Raw)); err != nil {
				return err
			}
			m.rows = append(m.rows, sheetMark{r.Num, string(c.Raw)})
		}
	}
	return nil
}

// isMark reports whether a cell can be a row's mark.
func isMark(h *header, c *Cell) bool {
	return c.Col == h.origin && c.Kind == Text && len(c.Raw) > 0 && len(c.Raw) <= maxMark
}

// remarkChanged is what the sender of a workbook is told whose signature does not fit.
const remarkChanged = "文件中的导出标记已被改动，或来自别的系统，本次按普通文件读入；如要与原来的行合并，请重新导出后再填。"

// remarkMoved tells the sender that rows were moved without their marks.
func remarkMoved(moved int) string {
	return fmt.Sprintf("有 %d 行的内容与隐藏的行标记错开了（多半是排序或移动时没有选中整行），已按内容重新对应，请在预览中核对。", moved)
}

// finish reads the hidden sheet and gives the rows what their marks say. A workbook
// without that sheet, or with a signature that does not fit, is a foreign one.
func (m *marks) finish(ctx context.Context, rd *reader, imp *tianbao.Import) error {
	lines, err := rd.originSheet(ctx)
	if err != nil || lines == nil {
		return err
	}
	slices.SortStableFunc(m.rows, func(a, b sheetMark) int { return cmp.Compare(a.row, b.row) })
	// Of two marks in one row the later counts, as with any cell.
	m.rows = lastOfRow(m.rows)
	imp.Carried = lines
	at := m.place(imp)
	for i, k := range at {
		if k >= 0 {
			imp.Rows[i].Carried = m.rows[k].text
		}
	}
	if rd.opt.Digest == nil {
		return nil
	}
	o := parseOrigin(lines, rd.opt.Digest)
	if o == nil {
		imp.Remarks = append(imp.Remarks, remarkChanged)
		return nil
	}
	// The ids, and what pairing the rows with their marks takes.
	if err := rd.mem.take(8*len(o.Held) + 96*len(imp.Rows)); err != nil {
		return err
	}
	imp.Origin = o
	v := &verifier{stamper: stamper{digest: rd.opt.Digest, report: o.Report}, fields: len(rd.names.form.Fields), imp: imp}
	v.run(m.rows, at)
	return nil
}

func lastOfRow(rows []sheetMark) []sheetMark {
	out := rows[:0]
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1].row == r.row {
			out[n-1] = r
		} else {
			out = append(out, r)
		}
	}
	return out
}

// place returns for each row of the import the index of the mark that stands beside
// it, or -1. Both are in the order of the sheet.
func (m *marks) place(imp *tianbao.Import) []int {
	at := make([]int, len(imp.Rows))
	k := 0
	for i := range imp.Rows {
		for k < len(m.rows) && m.rows[k].row < imp.Rows[i].SheetRow {
			k++
		}
		at[i] = -1
		if k < len(m.rows) && m.rows[k].row == imp.Rows[i].SheetRow {
			at[i] = k
		}
	}
	return at
}

// maxOriginLines bounds the hidden sheet: a full sheet of rows has 2,100 lines.
const maxOriginLines = 4096

// originSheet reads the hidden sheet's two columns, nil when there is none. Its state
// does not matter: programs turn a very hidden sheet into a hidden one.
func (rd *reader) originSheet(ctx context.Context) ([]string, error) {
	for i, info := range rd.book.sheets() {
		if info.Name != originSheet {
			continue
		}
		var lines []string
		bad := false
		_, err := rd.book.rows(ctx, i, func(r *RowData) error {
			if len(r.Cells) != 2 || r.Cells[0].Col != 0 || r.Cells[1].Col != 1 || len(lines) >= 2*maxOriginLines {
				bad = true
				return errStop
			}
			for k := range r.Cells {
				if err := rd.mem.take(16 + len(r.Cells[k].Raw)); err != nil {
					return err
				}
				lines = append(lines, string(r.Cells[k].Raw))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if bad || len(lines) == 0 || lines[0] != keyFormat {
			return nil, nil
		}
		return lines, nil
	}
	return nil, nil
}

// parseOrigin verifies the lines and returns what they say, or nil.
func parseOrigin(lines []string, digest digestFunc) *tianbao.Origin {
	n := len(lines)
	if n < 4 || lines[1] != originFormat || lines[n-2] != keySignature {
		return nil
	}
	sign := &lineSigner{digest: digest}
	for i := 0; i < n-2; i += 2 {
		sign.add(lines[i], lines[i+1])
	}
	if sign.signature() != lines[n-1] {
		return nil
	}
	// What is signed is ours, so what cannot be read is of a later format.
	o := &tianbao.Origin{}
	for i := 2; i < n-2; i += 2 {
		var err error
		switch key, text := lines[i], lines[i+1]; key {
		case keyForm:
			o.Form = text
		case keyFormV:
			o.FormV, err = strconv.Atoi(text)
		case keyReport:
			o.Report, err = tianbao.ParseID(text)
		case keyVersion:
			o.Version, err = strconv.ParseInt(text, 10, 64)
		case keyAt:
			o.At, err = time.Parse(time.RFC3339Nano, text)
		case keyHeld:
			for id := range strings.FieldsSeq(text) {
				var held tianbao.ID
				if held, err = tianbao.ParseID(id); err != nil {
					return nil
				}
				o.Held = append(o.Held, held)
			}
		}
		if err != nil {
			return nil
		}
	}
	return o
}

// mark is what a row's verified mark says: its id, 0 for a mark that is not ours, and
// the digest of the cells that it was written beside.
type mark struct {
	id    tianbao.ID
	cells uint64
}

// verify takes a mark apart and tells whether it is one of ours.
func (s *stamper) verify(text string) (mark, int64) {
	m, ok := parseMark(text)
	if !ok || s.sign(m.id, m.version, []byte(m.cells)) != m.sign {
		return mark{}, 0
	}
	cells, _ := strconv.ParseUint(m.cells, 16, 64) // parseMark has looked at each digit
	return mark{m.id, cells}, m.version
}

// verifier gives rows the ids that their marks prove.
type verifier struct {
	stamper
	fields int
	imp    *tianbao.Import
}

// run verifies the marks and pairs them with the rows. at[i] is the mark that stands
// beside row i.
func (v *verifier) run(found []sheetMark, at []int) {
	marks := make([]mark, len(found)) // id 0: not one of ours
	versions := make([]int64, len(found))
	for k := range found {
		marks[k], versions[k] = v.verify(found[k].text)
	}
	rows := v.imp.Rows
	now := make([]uint64, len(rows))
	for i := range rows {
		now[i] = v.sum(&rows[i].Row, v.fields)
	}
	if moved := repair(marks, now, at); moved > 0 {
		for i := range rows {
			rows[i].Carried = ""
			if at[i] >= 0 {
				rows[i].Carried = found[at[i]].text
			}
		}
		v.imp.Remarks = append(v.imp.Remarks, remarkMoved(moved))
	}
	taken := make(map[tianbao.ID]bool, len(rows))
	for i := range rows {
		if at[i] < 0 || marks[at[i]].id == 0 {
			continue
		}
		// A copied row has the mark of the row it was copied from: the first is that
		// row, the others are new.
		m := &marks[at[i]]
		if taken[m.id] {
			rows[i].Carried = ""
			continue
		}
		taken[m.id] = true
		rows[i].Row.ID, rows[i].Row.Version = m.id, versions[at[i]]
		rows[i].Untouched = m.cells == now[i]
	}
}

// repair finds rows whose cells are just those of another row's mark: sorted or moved
// without the hidden column. Left alone, one person's row would take another's id,
// and the merge would write it over that row. Such rows get the mark that fits.
// Rows among them that fit no mark lose theirs, as it may be anybody's; they are
// found by unit and person as rows of a foreign file are. It returns how many rows
// got another mark.
func repair(marks []mark, now []uint64, at []int) int {
	free := make(map[uint64][]int) // marks whose own row holds other cells, by digest
	used := make([]bool, len(marks))
	fits := func(i int) bool { return at[i] >= 0 && marks[at[i]].id != 0 && marks[at[i]].cells == now[i] }
	astray := 0
	for i := range now {
		if fits(i) {
			used[at[i]] = true
		} else {
			astray++
		}
	}
	if astray == 0 {
		return 0
	}
	for k := range marks {
		if marks[k].id != 0 && !used[k] {
			free[marks[k].cells] = append(free[marks[k].cells], k)
		}
	}
	old := slices.Clone(at)
	first, last, moved := len(now), -1, 0
	for i := range now {
		if fits(i) {
			continue
		}
		if ks := free[now[i]]; len(ks) > 0 {
			at[i] = ks[0]
			free[now[i]] = ks[1:]
			used[ks[0]] = true
			first, last = min(first, i), i
			moved++
		}
	}
	if moved == 0 {
		return 0
	}
	// The stretch that was moved reaches from the first row to the last that got or
	// gave a mark.
	for i, k := range old {
		if k >= 0 && used[k] && at[i] != k {
			first, last = min(first, i), max(last, i)
		}
	}
	for i := range at {
		if k := old[i]; at[i] == k && k >= 0 && marks[k].cells != now[i] && (used[k] || i >= first && i <= last) {
			at[i] = -1
		}
	}
	return moved
}
