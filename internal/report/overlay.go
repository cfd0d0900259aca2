package report

import (
	"context"
	"slices"

	"tianbao"
)

// overlay makes the changes of a set on rows that pass by. It gives the rows that
// Screen.apply gives, and keeps only those that the set adds.
type overlay struct {
	form    *tianbao.Form
	changes map[tianbao.ID][]*tianbao.Change // edits and reasons by row
	deleted map[tianbao.ID]bool
	// behind holds the new rows that stand directly behind a row, 0 for the first
	// place; end those that were put last.
	behind map[tianbao.ID][]*tianbao.Row
	end    []*tianbao.Row
	names  map[tianbao.ID]string
}

func newOverlay(f *tianbao.Form, changes []tianbao.Change) *overlay {
	o := &overlay{
		form: f, changes: make(map[tianbao.ID][]*tianbao.Change), deleted: make(map[tianbao.ID]bool),
		behind: make(map[tianbao.ID][]*tianbao.Row), names: make(map[tianbao.ID]string),
	}
	ids := make(map[string]tianbao.ID)
	fresh := make(map[tianbao.ID]*tianbao.Row)
	for i := range changes {
		c := &changes[i]
		switch c.Op {
		case tianbao.OpInsert:
			id := tianbao.ID(-2 - len(ids)) // as in Screen.apply
			ids[c.Temp], o.names[id] = id, c.Temp
			row := &tianbao.Row{ID: id, Values: make(tianbao.Values, len(f.Fields))}
			setCells(row, c.Cells)
			fresh[id] = row
			after := c.After
			if c.AfterTemp != "" {
				after = ids[c.AfterTemp]
			}
			if after == tianbao.AtEnd || o.deleted[after] {
				o.end = append(o.end, row)
			} else {
				// Later ones come between the row and those before them; each reads
				// the list backwards.
				o.behind[after] = append(o.behind[after], row)
			}
		case tianbao.OpEdit:
			o.changes[c.Row] = append(o.changes[c.Row], c)
		case tianbao.OpDelete:
			o.deleted[c.Row] = true
		case tianbao.OpReason:
			if c.Temp == "" {
				o.changes[c.Row] = append(o.changes[c.Row], c)
			} else if row := fresh[ids[c.Temp]]; row != nil {
				row.Reasons = setReason(row.Reasons, c.Reason)
			}
		}
	}
	return o
}

// each calls fn for each row of the sheet with the changes made, Seq set from 1.
func (o *overlay) each(ctx context.Context, st Store, scope tianbao.Scope, id tianbao.ID, fn func(*tianbao.Row)) (tianbao.Report, error) {
	seq := 0
	met := make(map[tianbao.ID]bool) // the anchors that are there
	give := func(row *tianbao.Row) {
		seq++
		row.Seq = seq
		fn(row)
	}
	// follow gives what stands behind a row: a list instead of a recursion, for a
	// pasted block is one long chain.
	follow := func(anchor tianbao.ID) {
		stack := slices.Clone(o.behind[anchor])
		for len(stack) > 0 {
			row := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			give(row)
			stack = append(stack, o.behind[row.ID]...)
		}
	}
	follow(0)
	rep, err := st.EachRow(ctx, scope, id, func(row *tianbao.Row) error {
		at := row.ID
		if !o.deleted[at] {
			give(o.changed(row))
		}
		if len(o.behind[at]) > 0 {
			met[at] = true
			follow(at)
		}
		return nil
	})
	if err != nil {
		return rep, err
	}
	// Behind a row that is not there means at the end, in the order of the set.
	last := slices.Clone(o.end)
	for anchor, rows := range o.behind {
		if anchor > 0 && !met[anchor] {
			last = append(last, rows...)
		}
	}
	slices.SortFunc(last, func(a, b *tianbao.Row) int { return int(b.ID - a.ID) })
	for _, row := range last {
		give(row)
		follow(row.ID)
	}
	return rep, nil
}

// changed returns the row with its edits and reasons.
func (o *overlay) changed(row *tianbao.Row) *tianbao.Row {
	list := o.changes[row.ID]
	if len(list) == 0 {
		return row
	}
	cp := *row
	cp.Values, cp.Marks = slices.Clone(row.Values), slices.Clone(row.Marks)
	for _, c := range list {
		if c.Op == tianbao.OpReason {
			cp.Reasons = setReason(cp.Reasons, c.Reason)
		} else {
			setCells(&cp, c.Cells)
		}
	}
	return &cp
}
