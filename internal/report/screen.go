package report

import (
	"context"
	"slices"
	"strconv"
	"unicode/utf8"

	"tianbao"
)

// Screen is a sheet as its sender sees it: the stored rows with changes made that
// are not saved yet. Rows that do not exist yet have negative ids.
type Screen struct {
	Report tianbao.Report
	Rows   []tianbao.Row
	Names  map[tianbao.ID]string // negative id → the sender's name of the new row
	stored []tianbao.Row         // the rows before the changes
}

// RowName returns how the sender calls the row: its id, or the name of a new one.
func (s *Screen) RowName(id tianbao.ID) string {
	if id < 0 {
		return s.Names[id]
	}
	return id.String()
}

// Screen loads the report and makes the changes of the set on it, in memory. It
// returns the rules of its form too.
func (s *Service) Screen(ctx context.Context, a Actor, set *tianbao.ChangeSet) (*Screen, Checker, error) {
	rep, rows, err := s.Store.Snapshot(ctx, a.Scope, set.Report)
	if err != nil {
		return nil, nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, nil, err
	}
	if err := s.prepare(ctx, rules, set, a); err != nil {
		return nil, nil, err
	}
	scr := &Screen{Report: rep, Rows: rows, stored: rows}
	scr.apply(rules.Form(), set.Changes)
	return scr, rules, nil
}

// prepare checks the shape of a change set and brings its cells into normal form.
func (s *Service) prepare(ctx context.Context, rules Checker, set *tianbao.ChangeSet, a Actor) error {
	if len(set.Changes) > MaxChanges {
		return errTooMany()
	}
	marks, err := s.marksOf(ctx, set)
	if err != nil {
		return err
	}
	n := len(rules.Form().Fields)
	temps := make(map[string]bool)
	for i := range set.Changes {
		c := &set.Changes[i]
		switch c.Op {
		case tianbao.OpInsert:
			if c.Temp == "" || temps[c.Temp] {
				return tianbao.Invalid("bad_change", "提交的内容有误：新增的行没有名称或名称重复，请刷新页面后重试。")
			}
			temps[c.Temp] = true
			if c.AfterTemp != "" && !temps[c.AfterTemp] {
				return tianbao.Invalid("bad_change", "提交的内容有误：新增行的位置无法确定，请刷新页面后重试。")
			}
		case tianbao.OpEdit, tianbao.OpDelete:
			if c.Row <= 0 {
				return tianbao.Invalid("bad_change", "提交的内容有误：没有指明修改哪一行，请刷新页面后重试。")
			}
		case tianbao.OpReason:
			if utf8.RuneCountInString(c.Reason.Text) < tianbao.MinReason {
				return tianbao.Invalid("short_reason", "情况说明至少写 "+strconv.Itoa(tianbao.MinReason)+" 个字，请写清原因。")
			}
			if utf8.RuneCountInString(c.Reason.Text) > 500 || c.Reason.Code == "" || (c.Row <= 0 && c.Temp == "") {
				return tianbao.Invalid("bad_change", "提交的内容有误：情况说明过长或没有指明对应的问题，请修改后重试。")
			}
			c.Reason.By, c.Reason.At = a.Login, s.Now()
		default:
			return tianbao.Invalid("bad_change", "提交的内容有误：不认识的操作，请刷新页面后重试。")
		}
		for j := range c.Cells {
			e := &c.Cells[j]
			if e.Field < 0 || e.Field >= n {
				return tianbao.Invalid("bad_field", "提交的内容有误：表中没有这一列，请刷新页面后重试。")
			}
			if !utf8.ValidString(e.Value) || utf8.RuneCountInString(e.Value) > MaxCellRunes {
				return tianbao.Invalid("bad_value", "有单元格的内容过长或含有无法识别的字符，请修改后再提交。")
			}
			e.Value = rules.Normalize(e.Field, e.Value)
			if m, ok := marks[markedCell{e.Field, e.Value}]; ok && e.Mark == tianbao.MarkNone {
				e.Mark = m
			}
		}
	}
	return nil
}

func errTooMany() error {
	return &tianbao.Error{
		Kind: tianbao.ErrTooLarge, Code: "too_many_changes",
		Message: "一次提交的改动超过 " + strconv.Itoa(MaxChanges) + " 处，请分几次提交。",
	}
}

// apply makes the changes on the rows. A change of a row that is gone is passed
// over: this is what the sender's screen looks like, the merge decides later.
func (s *Screen) apply(f *tianbao.Form, changes []tianbao.Change) {
	ids := make(map[string]tianbao.ID)
	s.Names = make(map[tianbao.ID]string)
	order := newOrder(s.Rows)
	byID := make(map[tianbao.ID]*tianbao.Row, len(s.Rows))
	for i := range s.Rows {
		byID[s.Rows[i].ID] = &s.Rows[i]
	}
	for i := range changes {
		c := &changes[i]
		switch c.Op {
		case tianbao.OpInsert:
			id := tianbao.ID(-2 - len(ids)) // -1 is AtEnd
			ids[c.Temp], s.Names[id] = id, c.Temp
			row := &tianbao.Row{ID: id, Values: make(tianbao.Values, len(f.Fields))}
			setCells(row, c.Cells)
			byID[id] = row
			after := c.After
			if c.AfterTemp != "" {
				after = ids[c.AfterTemp]
			}
			order.insert(id, after)
		case tianbao.OpEdit:
			if row := byID[c.Row]; row != nil {
				cp := *row
				cp.Values = slices.Clone(row.Values)
				cp.Marks = slices.Clone(row.Marks)
				setCells(&cp, c.Cells)
				byID[c.Row] = &cp
			}
		case tianbao.OpDelete:
			order.remove(c.Row)
		case tianbao.OpReason:
			id := c.Row
			if c.Temp != "" {
				id = ids[c.Temp]
			}
			if row := byID[id]; row != nil {
				cp := *row
				cp.Reasons = setReason(row.Reasons, c.Reason)
				byID[id] = &cp
			}
		}
	}
	s.Rows = order.rows(byID)
}

// setCells writes edits into a row that the caller owns.
func setCells(row *tianbao.Row, cells []tianbao.CellEdit) {
	for _, e := range cells {
		row.Values[e.Field] = e.Value
		if e.Mark != tianbao.MarkNone && row.Marks == nil {
			row.Marks = make([]tianbao.Mark, len(row.Values))
		}
		if row.Marks != nil {
			row.Marks[e.Field] = e.Mark
		}
	}
}

// setReason returns the reasons with the one for the same code replaced.
func setReason(rs []tianbao.Reason, r tianbao.Reason) []tianbao.Reason {
	out := slices.Clone(rs)
	for i := range out {
		if out[i].Code == r.Code {
			out[i] = r
			return out
		}
	}
	return append(out, r)
}

// order is the sequence of rows as a linked list, so that inserting after a row
// and removing one cost the same however long the sheet is.
type order struct {
	next, prev map[tianbao.ID]tianbao.ID // 0 is both ends
}

func newOrder(rows []tianbao.Row) *order {
	o := &order{next: make(map[tianbao.ID]tianbao.ID, len(rows)+1), prev: make(map[tianbao.ID]tianbao.ID, len(rows)+1)}
	for i := range rows {
		o.insert(rows[i].ID, tianbao.AtEnd)
	}
	return o
}

// insert puts id after the given row; after AtEnd, or after a row that is gone,
// it becomes the last.
func (o *order) insert(id, after tianbao.ID) {
	if after != 0 {
		if _, ok := o.next[after]; !ok {
			after = o.prev[0]
		}
	}
	n := o.next[after]
	o.next[after], o.next[id] = id, n
	o.prev[n], o.prev[id] = id, after
}

func (o *order) remove(id tianbao.ID) {
	n, ok := o.next[id]
	if !ok || id == 0 {
		return
	}
	p := o.prev[id]
	o.next[p], o.prev[n] = n, p
	delete(o.next, id)
	delete(o.prev, id)
}

func (o *order) rows(byID map[tianbao.ID]*tianbao.Row) []tianbao.Row {
	out := make([]tianbao.Row, 0, len(o.next))
	for id := o.next[0]; id != 0; id = o.next[id] {
		row := *byID[id]
		row.Seq = len(out) + 1
		out = append(out, row)
	}
	return out
}
