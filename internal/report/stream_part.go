package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"tianbao"
)

// part is what a part of a long import is worked out with, and what comes of it.
type part struct {
	t    *stream
	ctx  context.Context
	unit func(tianbao.Values) (tianbao.ID, error)
	// check appends the problems of the next row.
	check func([]tianbao.Problem, int, *tianbao.ImportedRow) []tianbao.Problem
	out   chan<- *Batch

	first int // file row that the part begins with
	file  []tianbao.ImportedRow
	after tianbao.ID // the row that the next new one follows
	added int
}

// parts is the second pass: it merges and checks part by part and stages what comes of
// it, one part behind.
func (t *stream) parts(ctx context.Context, staging Staging) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out, done := make(chan *Batch, 1), make(chan struct{})
	go func() {
		defer close(done)
		for b := range out {
			if ctx.Err() == nil {
				if err := staging.Add(ctx, b); err != nil {
					cancel(err)
				}
			}
		}
	}()
	err := t.merge(ctx, out)
	close(out)
	<-done
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// merge works out all parts and sends them.
func (t *stream) merge(ctx context.Context, out chan<- *Batch) error {
	p := &part{t: t, ctx: ctx, unit: t.known.unit, check: t.second(), out: out, after: tianbao.AtEnd}
	if t.order != nil || t.mode == ModeReplace {
		p.after = 0
	}
	for gone := range slices.Chunk(t.gone, t.size) {
		if err := p.remove(gone); err != nil {
			return err
		}
	}
	for moves := range slices.Chunk(t.moves, t.size) {
		if err := p.send(&Batch{Moves: moves}); err != nil {
			return err
		}
	}
	p.file = make([]tianbao.ImportedRow, 0, min(len(t.rows), t.size))
	_, err := t.book.Scan(ctx, func(_ *tianbao.Import, r *tianbao.ImportedRow) error {
		if t.known.err != nil {
			return t.known.err
		}
		if p.first+len(p.file) == len(t.rows) {
			return fmt.Errorf("report: the workbook has more rows in the second pass")
		}
		p.file = append(p.file, kept(r))
		if len(p.file) < t.size {
			return nil
		}
		return p.flush()
	})
	if err != nil {
		return err
	}
	if err := t.known.after(p.flush()); err != nil {
		return err
	}
	if p.first != len(t.rows) {
		return fmt.Errorf("report: the workbook has fewer rows in the second pass")
	}
	return nil
}

// kept is a copy of a row that Scan uses again.
func kept(r *tianbao.ImportedRow) tianbao.ImportedRow {
	out := *r
	out.Raw, out.Row.Values, out.Row.Marks = slices.Clone(r.Raw), slices.Clone(r.Row.Values), slices.Clone(r.Row.Marks)
	out.Unknown = nil
	return out
}

// send hands a part on to be staged. Once there are conflicts nothing is: the rest is
// gone through only to count them.
func (p *part) send(b *Batch) error {
	if p.t.conflicts > 0 || len(b.Puts)+len(b.Deletes)+len(b.Moves)+len(b.Raw) == 0 {
		return p.ctx.Err()
	}
	select {
	case p.out <- b:
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// planner returns a planner for rows of the file and those that they meet.
func (t *stream) planner(file []tianbao.ImportedRow, rows []tianbao.Row) *planner {
	return &planner{
		form: t.form, rows: rows, file: file, id: t.plan.Import, plan: &Plan{}, cols: t.imp.Columns, ways: t.ways,
		scr: &Screen{}, detail: shownItems - len(t.plan.Items),
	}
}

// remove takes away rows of the report.
func (p *part) remove(at []int) error {
	rows, err := p.t.fetch(p.ctx, at)
	if err != nil {
		return err
	}
	pl := p.t.planner(nil, rows)
	for k := range rows {
		if p.t.ways != nil {
			pl.goneThere(k, rows[k].ID)
		} else {
			pl.remove(k)
		}
	}
	pl.plan.count(nil)
	b, err := p.carry(pl, rows, nil, nil)
	if err != nil {
		return err
	}
	return p.send(b)
}

// flush works out the rows in hand.
func (p *part) flush() error {
	t := p.t
	if len(p.file) == 0 {
		return nil
	}
	t.progress("校验", p.first, len(t.rows))
	fates := t.rows[p.first : p.first+len(p.file)]
	var meet []int
	for i := range fates {
		if f := fates[i].fate; f == fateChange || f == fateReplace || f == fateHome {
			meet = append(meet, int(fates[i].match))
		}
	}
	rows, err := t.fetch(p.ctx, meet)
	if err != nil {
		return err
	}
	pl := t.planner(p.file, rows)
	pl.first = p.first
	anchors := []tianbao.ID{p.after} // that new rows of this part may follow
	after := tianbao.Change{After: p.after}
	last, next := "", 0
	for i := range fates {
		switch r := &fates[i]; r.fate {
		case fateSame:
			t.plan.Same++
			if t.mode == ModeReplace { // new rows follow it
				last, after = "", tianbao.Change{After: t.stored[r.match].id}
				anchors = append(anchors, after.After)
			}
		case fateChange, fateReplace:
			pl.change(i, next, r.fate == fateReplace)
			next++
		case fateHome:
			pl.cells(i, next, rows[next].ID)
			next++
		case fateGoneHere:
			pl.goneHere(i, p.file[i].Row.ID)
		case fateAdd:
			p.added++
			seq := t.rep.Rows + p.added
			if t.mode == ModeReplace {
				seq = p.first + i + 1
			}
			pl.add(i, seq, after)
			last = pl.temp(i)
			after = tianbao.Change{AfterTemp: last}
		}
	}
	raw, err := json.Marshal(rawOf(p.file))
	if err != nil {
		return fmt.Errorf("report: encode the raw cells of an import: %w", err)
	}
	ids := make(map[string]tianbao.ID)
	for i := range pl.plan.Changes {
		if c := &pl.plan.Changes[i]; c.Op == tianbao.OpInsert {
			ids[c.Temp] = tianbao.ID(t.s.IDs.Next())
		}
	}
	pl.plan.count(p.problems())
	b, err := p.carry(pl, rows, anchors, ids)
	if err != nil {
		return err
	}
	if len(raw) > len("{}") {
		b.Raw = raw
	}
	if p.after = after.After; last != "" {
		p.after = ids[last]
	}
	p.first += len(p.file)
	p.file = p.file[:0]
	return p.send(b)
}

// problems checks the rows in hand and returns how many errors each has.
func (p *part) problems() []int {
	plan, errs := p.t.plan, make([]int, len(p.file))
	var ps []tianbao.Problem
	for i := range p.file {
		ps = p.check(ps[:0], p.first+i, &p.file[i])
		for k := range ps {
			if ps[k].Severity == tianbao.SeverityError {
				errs[i]++
				plan.Errors++
			}
			if len(plan.Problems) < shownProblems {
				plan.Problems = append(plan.Problems, ps[k])
			}
		}
	}
	return errs
}

// carry brings what the planner worked out through the door of every save, and makes
// it ready to be staged. anchors are rows that new ones follow besides those at hand.
func (p *part) carry(pl *planner, rows []tianbao.Row, anchors []tianbao.ID, ids map[string]tianbao.ID) (*Batch, error) {
	t := p.t
	p.count(pl.plan)
	if t.conflicts > 0 {
		return &Batch{}, nil
	}
	changes := pl.plan.Changes
	if err := t.s.prepare(p.ctx, t.rules, &tianbao.ChangeSet{Report: t.rep.ID, Changes: changes}, t.actor); err != nil {
		return nil, err
	}
	m := &merger{
		ctx: p.ctx, progress: func(string, int, int) {}, rules: t.held, form: t.form, unit: p.unit, ids: ids,
		rows: make(map[tianbao.ID]tianbao.Row, len(rows)), commit: &Commit{Report: t.rep},
	}
	for _, id := range anchors {
		m.rows[id] = tianbao.Row{ID: id}
	}
	for i := range rows {
		m.rows[rows[i].ID] = rows[i]
	}
	if err := m.merge(changes); err != nil {
		return nil, err
	}
	b := &Batch{Puts: m.commit.Puts, Deletes: m.commit.Deletes, Recorded: m.commit.Recorded}
	for i := range b.Puts {
		switch put := &b.Puts[i]; {
		case !put.New:
			t.touched = append(t.touched, put.Row.ID)
		case t.order != nil:
			b.Order = append(b.Order, t.order[0])
			t.order = t.order[1:]
		}
	}
	t.touched = append(t.touched, b.Deletes...)
	t.changes += len(b.Puts) + len(b.Deletes)
	t.more += m.commit.Report.Rows - t.rep.Rows
	if t.changes > MaxChanges {
		return nil, errTooMany()
	}
	return b, nil
}

// count adds what a part does to the whole plan, of which the first items are kept.
func (p *part) count(part *Plan) {
	plan := p.t.plan
	plan.Added += part.Added
	plan.Changed += part.Changed
	plan.Deleted += part.Deleted
	plan.Same += part.Same
	for _, it := range part.Items {
		if len(plan.Items) < shownItems && it.Kind != ItemSame {
			if it.FileRow >= 0 {
				it.FileRow += p.first
			}
			plan.Items = append(plan.Items, it)
		}
	}
	p.t.conflicts += len(part.Conflicts)
	plan.Conflicts = append(plan.Conflicts, part.Conflicts[:min(len(part.Conflicts), shownItems-len(plan.Conflicts))]...)
}
