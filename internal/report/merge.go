package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"tianbao"
)

// theirs is what others did to the sheet since the sender's base version.
type theirs struct {
	cells   map[cellRef]their // first value since base, last author
	deleted map[tianbao.ID]deletion
}

type cellRef struct {
	row   tianbao.ID
	field int
}

type their struct {
	base string // the value at the sender's base version
	by   string
	at   time.Time
}

type deletion struct {
	cells []tianbao.RecordedCell // what the row held when it went
	by    string
	at    time.Time
}

// since folds revisions, oldest first, into what they did cell by cell.
func since(revs []tianbao.Revision) theirs {
	t := theirs{cells: make(map[cellRef]their), deleted: make(map[tianbao.ID]deletion)}
	for i := range revs {
		rev := &revs[i]
		for j := range rev.Changes {
			ch := &rev.Changes[j]
			switch ch.Op {
			case tianbao.OpEdit:
				for _, c := range ch.Cells {
					ref := cellRef{ch.Row, c.Field}
					th, seen := t.cells[ref]
					if !seen {
						th.base = c.Before
					}
					th.by, th.at = rev.By, rev.At
					t.cells[ref] = th
				}
			case tianbao.OpDelete:
				t.deleted[ch.Row] = deletion{ch.Cells, rev.By, rev.At}
			}
		}
	}
	return t
}

// between returns what was done to a report from a version on to the one that was read.
// What came in after that reading is left out: its rows were not read, and a cell that
// was changed by it would seem to be in conflict with what it was before.
func (s *Service) between(ctx context.Context, from int64, rep *tianbao.Report) ([]tianbao.Revision, error) {
	revs, err := s.Store.Since(ctx, rep.ID, from)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(revs, func(r tianbao.Revision) bool { return r.Version > rep.Version }), nil
}

// merger turns the sender's changes into a commit against the rows as they stand.
type merger struct {
	ctx      context.Context // asked now and then, so that a long merge can be stopped
	progress Progress
	rules    Checker
	form     *tianbao.Form
	rows     map[tianbao.ID]tianbao.Row // the touched rows as stored
	theirs   theirs
	ids      map[string]tianbao.ID // sender's name → id of a new row
	unit     func(values tianbao.Values) (tianbao.ID, error)

	touched   []tianbao.ID // changed rows in the order of their first change
	edits     map[tianbao.ID]*edit
	conflicts []tianbao.Conflict
	commit    *Commit
}

// edit gathers all that one set does to one row, so that the row is written once.
type edit struct {
	row     tianbao.Row
	isNew   bool
	after   tianbao.ID
	gone    bool
	cells   []tianbao.RecordedCell
	reasons []tianbao.Reason
}

// merge applies the changes cell by cell. What others changed since the base
// version and the sender wants otherwise becomes a conflict; what both want alike,
// or only one touched, goes through.
func (m *merger) merge(changes []tianbao.Change) error {
	m.edits = make(map[tianbao.ID]*edit, len(changes))
	m.touched = make([]tianbao.ID, 0, len(changes))
	for i := range changes {
		c := &changes[i]
		switch c.Op {
		case tianbao.OpInsert:
			m.insert(c)
		case tianbao.OpEdit:
			if err := m.edit(c); err != nil {
				return err
			}
		case tianbao.OpDelete:
			m.delete(c)
		case tianbao.OpReason:
			if err := m.reason(c); err != nil {
				return err
			}
		}
	}
	if len(m.conflicts) > 0 {
		return nil
	}
	return m.finish()
}

func (m *merger) insert(c *tianbao.Change) {
	id := m.ids[c.Temp]
	e := &edit{isNew: true, after: c.After}
	if c.AfterTemp != "" {
		e.after = m.ids[c.AfterTemp]
	} else if c.After > 0 {
		if _, ok := m.rows[c.After]; !ok {
			e.after = tianbao.AtEnd // the row it was to follow is gone
		}
	}
	e.row = tianbao.Row{ID: id, Values: make(tianbao.Values, len(m.form.Fields))}
	m.edits[id] = e
	m.touched = append(m.touched, id)
	m.set(e, c.Cells)
}

// at returns the edit of a stored row, nil if the row is not there.
func (m *merger) at(id tianbao.ID) *edit {
	if e := m.edits[id]; e != nil {
		return e
	}
	row, ok := m.rows[id]
	if !ok {
		return nil
	}
	row.Values = slices.Clone(row.Values)
	row.Marks = slices.Clone(row.Marks)
	e := &edit{row: row}
	m.edits[id] = e
	m.touched = append(m.touched, id)
	return e
}

func (m *merger) edit(c *tianbao.Change) error {
	e := m.at(c.Row)
	if e == nil {
		d, ok := m.theirs.deleted[c.Row]
		if !ok {
			return tianbao.Invalid("unknown_row", "要修改的行已经不在表中，请刷新页面后重试。")
		}
		for _, cell := range c.Cells {
			m.conflicts = append(m.conflicts, tianbao.Conflict{
				Row: c.Row, Field: m.form.Fields[cell.Field].Key,
				Base: valueIn(d.cells, cell.Field), Mine: cell.Value, By: d.by, At: d.at, Kind: "deleted",
			})
		}
		return nil
	}
	if e.row.Erased {
		return rowErased()
	}
	var take []tianbao.CellEdit
	for _, cell := range c.Cells {
		now := e.row.Values[cell.Field]
		th, changed := m.theirs.cells[cellRef{c.Row, cell.Field}]
		if changed && now != cell.Value {
			m.conflicts = append(m.conflicts, tianbao.Conflict{
				Row: c.Row, Field: m.form.Fields[cell.Field].Key,
				Base: th.base, Mine: cell.Value, Theirs: now, By: th.by, At: th.at, Kind: "edited",
			})
			continue
		}
		take = append(take, cell)
	}
	m.set(e, take)
	return nil
}

func (m *merger) delete(c *tianbao.Change) {
	e := m.at(c.Row)
	if e == nil {
		return // gone already: what the sender wants is so
	}
	for f := range m.form.Fields {
		if th, ok := m.theirs.cells[cellRef{c.Row, f}]; ok && e.row.Values[f] != th.base {
			m.conflicts = append(m.conflicts, tianbao.Conflict{
				Row: c.Row, Field: m.form.Fields[f].Key,
				Base: th.base, Theirs: e.row.Values[f], By: th.by, At: th.at, Kind: "delete-edited",
			})
		}
	}
	e.gone = true
}

func (m *merger) reason(c *tianbao.Change) error {
	id := c.Row
	if c.Temp != "" {
		id = m.ids[c.Temp]
	}
	e := m.at(id)
	if e == nil {
		return tianbao.Invalid("unknown_row", "要说明情况的行已经不在表中，请刷新页面后重试。")
	}
	if e.row.Erased {
		return rowErased()
	}
	e.row.Reasons = setReason(e.row.Reasons, c.Reason)
	e.reasons = append(e.reasons, c.Reason)
	return nil
}

// set writes cells into the row and notes those that differ.
func (m *merger) set(e *edit, cells []tianbao.CellEdit) {
	e.cells = slices.Grow(e.cells, len(cells))
	for _, c := range cells {
		before, was := e.row.Values[c.Field], e.row.Mark(c.Field)
		if before == c.Value && was == c.Mark {
			continue
		}
		setCells(&e.row, []tianbao.CellEdit{c})
		i := slices.IndexFunc(e.cells, func(r tianbao.RecordedCell) bool { return r.Field == c.Field })
		if i < 0 {
			e.cells = append(e.cells, tianbao.RecordedCell{Field: c.Field, Before: before, After: c.Value, Mark: c.Mark, Was: was})
		} else {
			e.cells[i].After, e.cells[i].Mark = c.Value, c.Mark
		}
	}
}

// finish writes the gathered edits into the commit.
func (m *merger) finish() error {
	var problems []tianbao.Problem
	m.commit.Puts = make([]Put, 0, len(m.touched))
	m.commit.Recorded = make([]tianbao.Recorded, 0, len(m.touched))
	for i, id := range m.touched {
		if i%1000 == 0 {
			if err := m.ctx.Err(); err != nil {
				return err
			}
			m.progress("校验", i, len(m.touched))
		}
		e := m.edits[id]
		if e.gone {
			if e.isNew {
				continue
			}
			was := m.rows[id]
			var cells []tianbao.RecordedCell
			for f, v := range was.Values {
				if v != "" {
					cells = append(cells, tianbao.RecordedCell{Field: f, Before: v, Was: was.Mark(f)})
				}
			}
			m.commit.Deletes = append(m.commit.Deletes, id)
			m.commit.Recorded = append(m.commit.Recorded, tianbao.Recorded{Op: tianbao.OpDelete, Row: id, Cells: cells})
			m.commit.Report.Rows--
			continue
		}
		if !e.isNew && len(e.cells) == 0 && len(e.reasons) == 0 {
			continue
		}
		if e.isNew || m.namesUnit(e.cells) {
			u, err := m.unit(e.row.Values)
			if err != nil {
				return err
			}
			e.row.Unit = u
		}
		e.row.Version = m.commit.Report.Version + 1
		problems = m.rules.Row(problems[:0], 0, &e.row)
		faults := 0
		for i := range problems {
			if problems[i].Severity == tianbao.SeverityError {
				faults++
			}
		}
		m.commit.Puts = append(m.commit.Puts, Put{Row: e.row, New: e.isNew, After: e.after, Faults: faults})
		if e.isNew {
			m.commit.Report.Rows++
			m.commit.Recorded = append(m.commit.Recorded, tianbao.Recorded{Op: tianbao.OpInsert, Row: id, Cells: e.cells, AfterRow: e.after})
		} else if len(e.cells) > 0 {
			m.commit.Recorded = append(m.commit.Recorded, tianbao.Recorded{Op: tianbao.OpEdit, Row: id, Cells: e.cells})
		}
		for _, r := range e.reasons {
			m.commit.Recorded = append(m.commit.Recorded, tianbao.Recorded{Op: tianbao.OpReason, Row: id, Reason: r})
		}
	}
	return nil
}

func (m *merger) namesUnit(cells []tianbao.RecordedCell) bool {
	for _, c := range cells {
		if slices.Contains(m.form.UnitKeys, m.form.Fields[c.Field].Key) {
			return true
		}
	}
	return false
}

func valueIn(cells []tianbao.RecordedCell, field int) string {
	for _, c := range cells {
		if c.Field == field {
			return c.Before
		}
	}
	return ""
}

// unitKey joins the values that name a row's unit, for remembering look-ups.
func unitKey(f *tianbao.Form, values tianbao.Values) string {
	var b strings.Builder
	for _, k := range f.UnitKeys {
		if i := f.Index(k); i >= 0 {
			b.WriteString(values[i])
		}
		b.WriteByte(0)
	}
	return b.String()
}
