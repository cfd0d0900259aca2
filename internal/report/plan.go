package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tianbao"
)

// Plan is the preview of an import: what the file would do to the screen, counted
// and named, and the changes that do exactly that.
type Plan struct {
	Import tianbao.ID // record of the import, to be named by the change set
	Mode   Mode
	Sheet  string // of the workbook
	Rows   int    // of the file
	// Changes turn the screen into what the preview shows. Rows are named as the
	// screen names them.
	Changes []tianbao.Change
	Added   int
	Changed int // rows of the screen that get other cells
	Deleted int
	Same    int // rows of the file that the screen has already
	Items   []Item
	// Conflicts are cells that the file and somebody else changed, each since the
	// file was exported. Changes leaves them out; the sender decides.
	Conflicts []PlanConflict
	// Problems are those of the file's rows, the first ones of a long file;
	// Problem.Row counts them from 0. Errors is how many of all are errors.
	Problems []tianbao.Problem
	Errors   int
	Remarks  []string
	// Confirm is the question to be answered with yes before a plan that replaces
	// or deletes rows may be carried out; empty when there is nothing to ask.
	Confirm string
	// Again is the earlier import of the very same file, if there was one.
	Again *ImportRecord
}

// PlanConflict is a conflict of an import with the change that carries out the
// file's side of it.
type PlanConflict struct {
	tianbao.Conflict
	SheetRow int // row of the workbook's sheet, 0 for a row that was deleted there
	Seq      int // number of the row on the screen, 0 when it is gone there
	Take     tianbao.Change
}

// detailed is how many items name their cells; of a long file nobody reads more, and
// the counts tell of all.
const detailed = 1000

// ItemKind is what happens to a row in a plan.
type ItemKind string

// The kinds of items.
const (
	ItemAdd    ItemKind = "add"
	ItemChange ItemKind = "change"
	ItemDelete ItemKind = "delete"
	ItemSame   ItemKind = "same"
)

// Item is one line of the preview.
type Item struct {
	Kind     ItemKind
	SheetRow int // row of the workbook's sheet, 0 for a deleted row
	FileRow  int // index into the file's rows, -1 for a deleted row
	Seq      int // number of the row on the screen, before (change, delete) or after (add)
	Row      tianbao.ID
	Cells    []tianbao.RecordedCell // the cells that differ, of the first items only
	Errors   int                    // of the file's row
}

// planner works one plan out.
type planner struct {
	form  *tianbao.Form
	rows  []tianbao.Row // the screen, or of a long file those that the part at hand meets
	scr   *Screen
	file  []tianbao.ImportedRow
	first int        // file row that file begins with
	id    tianbao.ID // of the import; makes the names of new rows unique
	plan  *Plan
	match []int // file row → index into rows, -1
	// detail is how many items of new rows name their cells.
	detail int
	cols   []int // the import's Columns: a column that the file lacks erases nothing
	// ways is what is known of the report since the file was exported, nil for a
	// foreign file.
	ways *ways
	done []bool // file rows that the three-way merge has dealt with
}

// makePlan works out what the file does to the screen in the given mode.
func makePlan(rules Checker, scr *Screen, imp *tianbao.Import, w *ways, mode Mode, id tianbao.ID) (*Plan, error) {
	p := &planner{
		form: rules.Form(), detail: detailed, rows: scr.Rows, scr: scr, file: imp.Rows, id: id,
		plan: &Plan{
			Import: id, Mode: mode, Sheet: imp.Sheet, Rows: len(imp.Rows), Remarks: imp.Remarks, Problems: rules.Imported(imp),
		},
		match: make([]int, len(imp.Rows)), cols: imp.Columns, ways: w, done: make([]bool, len(imp.Rows)),
	}
	for i := range p.match {
		p.match[i] = -1
	}
	switch mode {
	case ModeMerge:
		p.merge()
	case ModeAppend:
		p.appendAll(func(int) bool { return true })
	case ModeBySeq:
		if err := p.bySeq(); err != nil {
			return nil, err
		}
	case ModeReplace:
		p.replace()
	default:
		return nil, errMode()
	}
	errs := make([]int, len(imp.Rows))
	for i := range p.plan.Problems {
		if pr := &p.plan.Problems[i]; pr.Severity == tianbao.SeverityError {
			errs[pr.Row]++
			p.plan.Errors++
		}
	}
	p.plan.count(errs)
	return p.plan, nil
}

// count counts the items by kind and tells each how many errors its file row has.
func (p *Plan) count(errs []int) {
	for i := range p.Items {
		it := &p.Items[i]
		if it.FileRow >= 0 {
			it.Errors = errs[it.FileRow]
		}
		switch it.Kind {
		case ItemAdd:
			p.Added++
		case ItemChange:
			p.Changed++
		case ItemDelete:
			p.Deleted++
		case ItemSame:
			p.Same++
		}
	}
}

// merge brings home the rows of an exported workbook by their ids, cell by cell
// (threeway.go); then it matches rows that are alike in every cell, then rows of
// the same person in the same unit, and appends the rest.
func (p *planner) merge() {
	taken := make([]bool, len(p.rows))
	if p.ways != nil {
		p.threeWay(taken)
	}
	same := make(map[string][]int)
	for i := range p.rows {
		if taken[i] {
			continue
		}
		k := whole(p.rows[i].Values)
		same[k] = append(same[k], i)
	}
	for i := range p.file {
		if p.done[i] {
			continue
		}
		k := whole(p.file[i].Row.Values)
		if at := same[k]; len(at) > 0 {
			p.match[i], taken[at[0]] = at[0], true
			same[k] = at[1:]
		}
	}
	byPerson := make(map[string][]int)
	for i := range p.rows {
		if k := p.identity(p.rows[i].Values); k != "" && !taken[i] {
			byPerson[k] = append(byPerson[k], i)
		}
	}
	for i := range p.file {
		if p.match[i] >= 0 || p.done[i] {
			continue
		}
		// Two rows of one person on the screen are a fault to be put right by
		// hand; guessing which of them is meant could overwrite the wrong one.
		if at := byPerson[p.identity(p.file[i].Row.Values)]; len(at) == 1 && !taken[at[0]] {
			p.match[i], taken[at[0]] = at[0], true
		}
	}
	for i := range p.file {
		if p.match[i] >= 0 && !p.done[i] {
			// A blank in the file is no wish to erase what is known here.
			p.change(i, p.match[i], false)
		}
	}
	p.appendAll(func(i int) bool { return p.match[i] < 0 && !p.done[i] })
}

// seqOf reads the row number of a file's row, 0 for none.
func seqOf(r *tianbao.ImportedRow) int {
	n, err := strconv.Atoi(strings.TrimSpace(r.Seq))
	if err != nil || n < 1 {
		return 0
	}
	return n
}

func errNoSeq(sheetRow int) error {
	return tianbao.Invalid("no_seq", fmt.Sprintf("文件第 %d 行的序号不是数字，按序号导入需要每行都有序号，请补上序号，或改用智能合并。", sheetRow))
}

func errSeqTwice(first, second, n int) error {
	return tianbao.Invalid("seq_twice", fmt.Sprintf("文件第 %d 行和第 %d 行的序号都是 %d，无法判断用哪一行替换，请改正序号，或改用智能合并。", first, second, n))
}

// The questions of plans that replace or delete rows, which they name.

func askReplaced(nums []string) string {
	return fmt.Sprintf("报表中的第 %s 行（共 %d 行）将被文件中相同序号的行替换，确定吗？", listed(nums), len(nums))
}

func askGone(nums []string) string {
	return fmt.Sprintf("报表中的第 %s 行（共 %d 行）将被删除，确定用文件替换整张表吗？", listed(nums), len(nums))
}

func askDeleted(nums []string) string {
	return fmt.Sprintf("文件中删去了报表的第 %s 行（共 %d 行），导入后这些行将被删除，确定吗？", listed(nums), len(nums))
}

// bySeq is the manual's own rule: row n of the file replaces row n of the screen.
func (p *planner) bySeq() error {
	target := make(map[int]int)
	for i := range p.file {
		n := seqOf(&p.file[i])
		if n == 0 {
			return errNoSeq(p.file[i].SheetRow)
		}
		if j, ok := target[n]; ok {
			return errSeqTwice(p.file[j].SheetRow, p.file[i].SheetRow, n)
		}
		target[n] = i
		if n <= len(p.rows) {
			p.match[i] = n - 1
		}
	}
	var replaced []string
	for i := range p.file {
		if p.match[i] >= 0 && p.change(i, p.match[i], true) {
			replaced = append(replaced, strconv.Itoa(p.match[i]+1))
		}
	}
	p.appendAll(func(i int) bool { return p.match[i] < 0 })
	if len(replaced) > 0 {
		p.plan.Confirm = askReplaced(replaced)
	}
	return nil
}

// replace makes the file the sheet. Rows that are alike and in the same order
// stay, with their history; the others go and come anew.
func (p *planner) replace() {
	at := 0
	where := make(map[string][]int)
	for i := range p.rows {
		k := whole(p.rows[i].Values)
		where[k] = append(where[k], i)
	}
	kept := make([]bool, len(p.rows))
	for i := range p.file {
		k := whole(p.file[i].Row.Values)
		c := where[k]
		for len(c) > 0 && c[0] < at {
			c = c[1:]
		}
		where[k] = c
		if len(c) > 0 {
			p.match[i], kept[c[0]], at = c[0], true, c[0]+1
			where[k] = c[1:]
		}
	}
	var gone []string
	for i := range p.rows {
		r := &p.rows[i]
		if kept[i] || blank(r.Values) { // no file can tell of a row without content
			continue
		}
		gone = append(gone, strconv.Itoa(i+1))
		p.remove(i)
	}
	var after tianbao.Change // the place of the next new row
	for i := range p.file {
		if p.match[i] >= 0 {
			id := p.rows[p.match[i]].ID
			after = tianbao.Change{After: id}
			if id < 0 {
				after = tianbao.Change{AfterTemp: p.scr.Names[id]}
			}
			p.change(i, p.match[i], true)
			continue
		}
		p.add(i, i+1, after)
		after = tianbao.Change{AfterTemp: p.temp(i)}
	}
	if len(gone) > 0 {
		p.plan.Confirm = askGone(gone)
	}
}

// remove takes away row i of the screen.
func (p *planner) remove(i int) {
	r := &p.rows[i]
	it := Item{Kind: ItemDelete, FileRow: -1, Seq: r.Seq, Row: r.ID}
	for f, v := range r.Values {
		if v != "" {
			it.Cells = append(it.Cells, tianbao.RecordedCell{Field: f, Before: v})
		}
	}
	p.plan.Items = append(p.plan.Items, it)
	p.plan.Changes = append(p.plan.Changes, p.name(tianbao.Change{Op: tianbao.OpDelete}, r.ID))
}

// appendAll adds the chosen rows of the file behind the last row of the screen.
func (p *planner) appendAll(chosen func(i int) bool) {
	after := tianbao.Change{After: tianbao.AtEnd}
	seq := len(p.rows)
	for i := range p.file {
		if !chosen(i) {
			continue
		}
		seq++
		p.add(i, seq, after)
		after = tianbao.Change{AfterTemp: p.temp(i)}
	}
}

func (p *planner) add(i, seq int, after tianbao.Change) {
	row := &p.file[i].Row
	c := tianbao.Change{Op: tianbao.OpInsert, Temp: p.temp(i), After: after.After, AfterTemp: after.AfterTemp}
	it := Item{Kind: ItemAdd, SheetRow: p.file[i].SheetRow, FileRow: i, Seq: seq}
	c.Cells = make([]tianbao.CellEdit, 0, len(row.Values))
	for f, v := range row.Values {
		if v != "" {
			c.Cells = append(c.Cells, tianbao.CellEdit{Field: f, Value: v, Mark: row.Mark(f)})
			if len(p.plan.Items) < p.detail {
				it.Cells = append(it.Cells, tianbao.RecordedCell{Field: f, After: v})
			}
		}
	}
	p.plan.Changes = append(p.plan.Changes, c)
	p.plan.Items = append(p.plan.Items, it)
}

// change brings the cells of file row i into screen row j and reports whether any
// differ. With erase, a blank in the file empties the cell.
func (p *planner) change(i, j int, erase bool) bool {
	row, now := &p.file[i].Row, &p.rows[j]
	it := Item{Kind: ItemSame, SheetRow: p.file[i].SheetRow, FileRow: i, Seq: now.Seq, Row: now.ID}
	c := p.name(tianbao.Change{Op: tianbao.OpEdit}, now.ID)
	for f, v := range row.Values {
		if v == now.Values[f] || v == "" && !erase || p.absent(f) {
			continue
		}
		c.Cells = append(c.Cells, tianbao.CellEdit{Field: f, Value: v, Mark: row.Mark(f)})
		it.Cells = append(it.Cells, tianbao.RecordedCell{Field: f, Before: now.Values[f], After: v})
	}
	if len(c.Cells) > 0 {
		it.Kind = ItemChange
		p.plan.Changes = append(p.plan.Changes, c)
	}
	p.plan.Items = append(p.plan.Items, it)
	return len(c.Cells) > 0
}

// absent reports whether the file has no column for the field.
func (p *planner) absent(f int) bool { return f < len(p.cols) && p.cols[f] < 0 }

// name puts the row's name on the screen into the change.
func (p *planner) name(c tianbao.Change, id tianbao.ID) tianbao.Change {
	if id < 0 {
		c.Temp = p.scr.Names[id]
	} else {
		c.Row = id
	}
	return c
}

// identity is the key of (unit, person); empty when either is not filled.
func (p *planner) identity(v tianbao.Values) string { return identity(p.form, v) }

func identity(form *tianbao.Form, v tianbao.Values) string {
	var b strings.Builder
	for _, k := range form.IdentityKeys {
		i := form.Index(k)
		if i < 0 || v[i] == "" {
			return ""
		}
		b.WriteString(v[i])
		b.WriteByte(0)
	}
	return b.String()
}

func errMode() error {
	return tianbao.Invalid("bad_mode", "请选择一种导入方式：智能合并、仅追加、按序号或整表替换。")
}

// temp names the new row that the file's row i becomes.
func (p *planner) temp(i int) string { return "i" + p.id.String() + "-" + strconv.Itoa(p.first+i+1) }

func blank(v tianbao.Values) bool {
	return !slices.ContainsFunc(v, func(s string) bool { return s != "" })
}

// whole joins all cells of a row.
func whole(v tianbao.Values) string { return strings.Join(v, "\x00") }

// listed joins row numbers, runs as 1–4, the first few of many.
func listed(nums []string) string {
	const most = 10
	var out []string
	for i := 0; i < len(nums); {
		j := i
		for j+1 < len(nums) && next(nums[j]) == nums[j+1] {
			j++
		}
		if j > i {
			out = append(out, nums[i]+"–"+nums[j])
		} else {
			out = append(out, nums[i])
		}
		i = j + 1
	}
	if len(out) > most {
		return strings.Join(out[:most], "、") + " 等"
	}
	return strings.Join(out, "、")
}

func next(n string) string {
	i, err := strconv.Atoi(n)
	if err != nil {
		return ""
	}
	return strconv.Itoa(i + 1)
}
