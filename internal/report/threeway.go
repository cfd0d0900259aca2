package report

import (
	"context"
	"strconv"

	"tianbao"
)

// ways is what a three-way merge knows besides the file and the screen: the rows
// the file held when it was exported, and how the report changed since.
type ways struct {
	held   map[tianbao.ID]bool
	since  theirs
	stored map[tianbao.ID]*tianbao.Row
}

// waysSince reads what happened to the report since the workbook was exported; what
// is stored now is to be added.
func (s *Service) waysSince(ctx context.Context, rep *tianbao.Report, o *tianbao.Origin) (*ways, error) {
	w := &ways{held: make(map[tianbao.ID]bool, len(o.Held)), stored: make(map[tianbao.ID]*tianbao.Row)}
	for _, id := range o.Held {
		w.held[id] = true
	}
	if o.Version < rep.Version {
		revs, err := s.between(ctx, o.Version, rep)
		if err != nil {
			return nil, err
		}
		w.since = since(revs)
	}
	return w, nil
}

// isHome reports whether a file came home to the report and can be merged three ways.
func isHome(o *tianbao.Origin, rep *tianbao.Report, mode Mode) bool {
	return o != nil && o.Report == rep.ID && o.Version <= rep.Version && mode == ModeMerge
}

// base returns the cell as it was when the workbook was exported; ok is false for
// a row of which nothing is known.
func (w *ways) base(row tianbao.ID, field int) (v string, ok bool) {
	if th, changed := w.since.cells[cellRef{row, field}]; changed {
		return th.base, true
	}
	if r := w.stored[row]; r != nil {
		return r.Values[field], true
	}
	if d, gone := w.since.deleted[row]; gone {
		return valueIn(d.cells, field), true
	}
	return "", false
}

// who tells who changed a cell last, and when.
func (w *ways) who(row tianbao.ID, field int) their {
	if th, ok := w.since.cells[cellRef{row, field}]; ok {
		return th
	}
	if d, ok := w.since.deleted[row]; ok {
		return their{by: d.by, at: d.at}
	}
	return their{}
}

// threeWay merges the rows that carry an id: base is what was exported, mine the
// file, theirs the screen. What only one side changed goes through, what both
// changed alike is the same, the rest is a conflict. A row that the file held once
// and holds no more was deleted offline. Screen rows that were dealt with are
// marked as taken, file rows as done.
func (p *planner) threeWay(taken []bool) {
	at := make(map[tianbao.ID]int, len(p.rows))
	for i := range p.rows {
		at[p.rows[i].ID] = i
	}
	home := make(map[tianbao.ID]bool)
	for i := range p.file {
		id := p.file[i].Row.ID
		if id == 0 || !p.ways.held[id] || home[id] {
			continue // new in the file, or a copy of a row that came home already
		}
		home[id] = true
		j, here := at[id]
		if !here {
			p.done[i] = p.goneHere(i, id)
			continue
		}
		p.done[i], taken[j] = true, true
		p.match[i] = j
		p.cells(i, j, id)
	}
	var gone []string
	for j := range p.rows {
		id := p.rows[j].ID
		if !p.ways.held[id] || home[id] {
			continue
		}
		taken[j] = true
		if p.goneThere(j, id) {
			gone = append(gone, strconv.Itoa(j+1))
		}
	}
	if len(gone) > 0 {
		p.plan.Confirm = askDeleted(gone)
	}
}

// cells merges file row i into screen row j.
func (p *planner) cells(i, j int, id tianbao.ID) {
	file, now := &p.file[i], &p.rows[j]
	it := Item{Kind: ItemSame, SheetRow: file.SheetRow, FileRow: i, Seq: now.Seq, Row: id}
	edit := tianbao.Change{Op: tianbao.OpEdit, Row: id}
	for f, mine := range file.Row.Values {
		base, _ := p.ways.base(id, f)
		theirs := now.Values[f]
		if p.absent(f) || mine == base || mine == theirs {
			continue
		}
		cell := tianbao.CellEdit{Field: f, Value: mine, Mark: file.Row.Mark(f)}
		if theirs != base {
			who := p.ways.who(id, f)
			p.conflict(PlanConflict{
				SheetRow: file.SheetRow, Seq: now.Seq,
				Conflict: tianbao.Conflict{Row: id, Field: p.form.Fields[f].Key, Base: base, Mine: mine, Theirs: theirs, By: who.by, At: who.at, Kind: "edited"},
				Take:     tianbao.Change{Op: tianbao.OpEdit, Row: id, Cells: []tianbao.CellEdit{cell}},
			})
			continue
		}
		edit.Cells = append(edit.Cells, cell)
		it.Cells = append(it.Cells, tianbao.RecordedCell{Field: f, Before: theirs, After: mine})
	}
	if len(edit.Cells) > 0 {
		it.Kind = ItemChange
		p.plan.Changes = append(p.plan.Changes, edit)
	}
	p.plan.Items = append(p.plan.Items, it)
}

// goneHere deals with a file row whose row was deleted here. Untouched offline, it
// stays deleted; edited offline, it is a conflict. It reports whether that settles
// the row; of a row nobody knows the file's row is like a new one.
func (p *planner) goneHere(i int, id tianbao.ID) bool {
	file := &p.file[i]
	if _, known := p.ways.base(id, 0); !known {
		return false
	}
	c := PlanConflict{SheetRow: file.SheetRow, Take: tianbao.Change{Op: tianbao.OpInsert, Temp: p.temp(i), After: tianbao.AtEnd}}
	who := p.ways.who(id, 0)
	c.Conflict = tianbao.Conflict{Row: id, By: who.by, At: who.at, Kind: "deleted"}
	touched := false
	for f, mine := range file.Row.Values {
		base, _ := p.ways.base(id, f)
		touched = touched || mine != base && !p.absent(f)
		if mine != "" {
			c.Take.Cells = append(c.Take.Cells, tianbao.CellEdit{Field: f, Value: mine, Mark: file.Row.Mark(f)})
		}
	}
	if touched {
		p.conflict(c)
	} else {
		p.plan.Items = append(p.plan.Items, Item{Kind: ItemSame, SheetRow: file.SheetRow, FileRow: i, Row: id})
	}
	return true
}

// goneThere deals with a row that was deleted offline: it goes, unless somebody
// changed it here since, which is a conflict. It reports whether the row goes.
func (p *planner) goneThere(j int, id tianbao.ID) bool {
	now := &p.rows[j]
	take := tianbao.Change{Op: tianbao.OpDelete, Row: id}
	it := Item{Kind: ItemDelete, FileRow: -1, Seq: now.Seq, Row: id}
	for f, v := range now.Values {
		if base, _ := p.ways.base(id, f); v != base {
			who := p.ways.who(id, f)
			p.conflict(PlanConflict{
				Seq: now.Seq, Take: take,
				Conflict: tianbao.Conflict{Row: id, Field: p.form.Fields[f].Key, Base: base, Theirs: v, By: who.by, At: who.at, Kind: "delete-edited"},
			})
			return false
		}
		if v != "" {
			it.Cells = append(it.Cells, tianbao.RecordedCell{Field: f, Before: v})
		}
	}
	p.plan.Changes = append(p.plan.Changes, take)
	p.plan.Items = append(p.plan.Items, it)
	return true
}

func (p *planner) conflict(c PlanConflict) { p.plan.Conflicts = append(p.plan.Conflicts, c) }
