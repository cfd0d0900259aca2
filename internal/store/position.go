package store

import (
	"context"
	"fmt"
	"math"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

// Rows are ordered by pos, a number with gaps: a row put between two others takes a
// number between theirs, and only when there is none are the rows of that one
// report numbered anew.
const (
	// posStep is the gap left between rows that are added at an end.
	posStep = 1 << 36
	// posInner bounds the gap between rows put into the middle. Less than half of
	// what there is would do for one row; but whoever puts in a row often puts the
	// next one after it, and finds room there 2^18 times.
	posInner = 1 << 18
)

const (
	sqlLastPos  = `SELECT row_id, pos FROM report_row WHERE report_id = $1 ORDER BY pos DESC LIMIT 1`
	sqlFirstPos = `SELECT pos FROM report_row WHERE report_id = $1 ORDER BY pos LIMIT 1`
	sqlNextPos  = `SELECT pos FROM report_row WHERE report_id = $1 AND pos > $2 ORDER BY pos LIMIT 1`
	sqlSomePos  = `SELECT row_id, pos FROM report_row WHERE report_id = $1 AND row_id IN LIST`
	sqlAllPos   = `SELECT row_id, pos FROM report_row WHERE report_id = $1 ORDER BY pos, row_id`
	sqlMoveRow  = `UPDATE report_row SET pos = $1 WHERE report_id = $2 AND row_id = $3`
)

// move is a stored row that gets another pos.
type move struct {
	row tianbao.ID
	pos int64
}

// placed is a row of a commit in the chain behind its anchor.
type placed struct {
	id   tianbao.ID
	next *placed
}

// chains are the new rows of a commit, each behind the stored row (the anchor; 0:
// none, at the top) that it follows, directly or by way of other new rows.
type chains struct {
	head  map[tianbao.ID]*placed
	fresh map[tianbao.ID]*placed
	order []tianbao.ID // anchors as they came
}

// chain puts the new rows behind their anchors. A row that follows one which is not
// there goes to the end, after last.
func chain(puts []report.Put, stored map[tianbao.ID]int64, last tianbao.ID) *chains {
	c := &chains{head: make(map[tianbao.ID]*placed), fresh: make(map[tianbao.ID]*placed)}
	var tail *placed // of the chain behind last, so far
	for i := range puts {
		if !puts[i].New {
			continue
		}
		n := &placed{id: puts[i].Row.ID}
		after := puts[i].After
		_, known := stored[after]
		switch prev := c.fresh[after]; {
		case prev != nil:
			n.next, prev.next = prev.next, n
		case after == 0 || known:
			c.behind(after, n)
		default: // tianbao.AtEnd
			if tail == nil {
				tail = c.head[last]
			}
			if tail == nil {
				c.behind(last, n)
			} else {
				for tail.next != nil { // each step is made once for all
					tail = tail.next
				}
				tail.next = n
			}
			tail = n
		}
		c.fresh[n.id] = n
	}
	return c
}

// behind puts a row directly behind an anchor.
func (c *chains) behind(anchor tianbao.ID, n *placed) {
	if c.head[anchor] == nil {
		c.order = append(c.order, anchor)
	}
	n.next, c.head[anchor] = c.head[anchor], n
}

// positions returns the pos of each new row, and the stored rows that must move.
func positions(ctx context.Context, tx db.Tx, rep tianbao.ID, puts []report.Put) (map[tianbao.ID]int64, []move, error) {
	fresh := make(map[tianbao.ID]bool)
	var anchors []tianbao.ID
	for i := range puts {
		if puts[i].New {
			fresh[puts[i].Row.ID] = true
			if a := puts[i].After; a > 0 && !fresh[a] {
				anchors = append(anchors, a)
			}
		}
	}
	if len(fresh) == 0 {
		return nil, nil, nil
	}
	stored := make(map[tianbao.ID]int64, len(anchors))
	err := listed(sqlSomePos, anchors, []any{rep}, func(sql string, args []any) error {
		return tx.Each(ctx, func(scan db.Scan) error {
			var m move
			err := scan(&m.row, &m.pos)
			stored[m.row] = m.pos
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("store: read positions: %w", err)
	}
	lasts, err := db.Collect(ctx, tx, scanMove, sqlLastPos, rep)
	if err != nil {
		return nil, nil, fmt.Errorf("store: read positions: %w", err)
	}
	var last move
	if len(lasts) > 0 {
		last = lasts[0]
		stored[last.row] = last.pos
	}
	c := chain(puts, stored, last.row)
	pos := make(map[tianbao.ID]int64, len(fresh))
	for _, anchor := range c.order {
		room, err := between(ctx, tx, rep, anchor, stored[anchor], last)
		if err != nil {
			return nil, nil, err
		}
		if !room.fill(c.head[anchor], pos) {
			return renumber(ctx, tx, rep, c)
		}
	}
	return pos, nil, nil
}

func scanMove(scan db.Scan) (m move, err error) {
	err = scan(&m.row, &m.pos)
	return m, err
}

// gap is the room behind an anchor; an open end has no number of its own.
type gap struct {
	low, high         int64
	openLow, openHigh bool
}

// between finds the room behind an anchor.
func between(ctx context.Context, tx db.Tx, rep, anchor tianbao.ID, pos int64, last move) (gap, error) {
	g := gap{low: pos, openLow: anchor == 0, openHigh: anchor == last.row}
	if g.openHigh {
		return g, nil // at the end, or the report is empty
	}
	sql, args := sqlNextPos, []any{rep, pos}
	if anchor == 0 {
		sql, args = sqlFirstPos, args[:1]
	}
	if err := tx.One(ctx, []any{&g.high}, sql, args...); err != nil {
		return g, fmt.Errorf("store: read positions: %w", err)
	}
	return g, nil
}

// fill numbers a chain within the gap and reports whether there was room.
func (g gap) fill(head *placed, pos map[tianbao.ID]int64) bool {
	n := int64(0)
	for p := head; p != nil; p = p.next {
		n++
	}
	at, step := g.low, int64(posStep)
	switch {
	case g.openHigh: // after the last, or into an empty report
		if g.openLow {
			at = 0
		}
		if n > (math.MaxInt64-max(at, 0))/step {
			return false
		}
	case g.openLow: // before the first
		if n > (math.MaxInt64+min(g.high, 0))/step {
			return false
		}
		at = g.high - step*(n+1)
	default:
		if step = min((g.high-g.low)/(n+1), posInner); step <= 0 {
			return false
		}
	}
	for p := head; p != nil; p = p.next {
		at += step
		pos[p.id] = at
	}
	return true
}

// renumber gives every row of the report a new pos, the new ones in their places.
func renumber(ctx context.Context, tx db.Tx, rep tianbao.ID, c *chains) (map[tianbao.ID]int64, []move, error) {
	all, err := db.Collect(ctx, tx, scanMove, sqlAllPos, rep)
	if err != nil {
		return nil, nil, fmt.Errorf("store: read positions: %w", err)
	}
	pos, moved, at := make(map[tianbao.ID]int64, len(c.fresh)), []move(nil), int64(0)
	number := func(p *placed) {
		for ; p != nil; p = p.next {
			at += posStep
			pos[p.id] = at
		}
	}
	number(c.head[0])
	for _, m := range all {
		at += posStep
		if m.pos != at {
			moved = append(moved, move{row: m.row, pos: at})
		}
		number(c.head[m.row])
	}
	return pos, moved, nil
}
