package store

import (
	"context"
	"fmt"
	"math"
	"slices"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

// The kinds of staged rows.
const (
	stagedNew = iota
	stagedEdit
	stagedGone
	stagedMove
	stagedKinds
)

const (
	sqlStage     = `INSERT INTO staging (id, report_id, set_id, seen, state) VALUES ($1, $2, $3, $4, 0)`
	sqlStageSeen = `UPDATE staging SET seen = $1 WHERE id = $2 AND state = 0`
	sqlStageRow  = `INSERT INTO staged_row (staging_id, kind, row_id, unit_id, pos, faults, vals, look_keys)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	// The casts tell PostgreSQL the types of what stands alone.
	sqlLandRows = `INSERT INTO report_row (report_id, row_id, unit_id, pos, version, faults, vals, look_keys)
 SELECT CAST($1 AS BIGINT), row_id, unit_id, CAST($2 AS BIGINT) + pos * CAST($3 AS BIGINT), CAST($4 AS BIGINT), faults, vals, look_keys
 FROM staged_row WHERE staging_id = $5 AND kind = 0 ORDER BY row_id`
	sqlLandEdits = `UPDATE report_row SET version = $1, (unit_id, faults, vals, look_keys) =
 (SELECT e.unit_id, e.faults, e.vals, e.look_keys FROM staged_row e
  WHERE e.staging_id = $2 AND e.kind = 1 AND e.row_id = report_row.row_id)
 WHERE report_id = $3 AND row_id IN (SELECT row_id FROM staged_row WHERE staging_id = $2 AND kind = 1)`
	sqlLandGone = `DELETE FROM report_row
 WHERE report_id = $1 AND row_id IN (SELECT row_id FROM staged_row WHERE staging_id = $2 AND kind = 2)`
	sqlLandMoves = `UPDATE report_row SET pos =
 (SELECT m.pos * CAST($1 AS BIGINT) FROM staged_row m WHERE m.staging_id = $2 AND m.kind = 3 AND m.row_id = report_row.row_id)
 WHERE report_id = $3 AND row_id IN (SELECT row_id FROM staged_row WHERE staging_id = $2 AND kind = 3)`
	sqlLanded = `UPDATE staging SET state = 1 WHERE id = $1 AND state = 0`
)

// staging implements report.Staging. Rows wait in staged_row, sealed for the place
// where they will stand; the changes and the raw cells are written to their own place
// at once, where nobody looks for them before the change set is there; the keys of new
// rows likewise, as a key without its row finds nothing. So the transaction that
// commits, which holds up every other writer of an SQLite database, has only the rows
// to move and the units to settle. Beside counts this keeps the keys of the rows, 24 bytes
// each, and what changes of each unit.
type staging struct {
	s      *Store
	form   *tianbao.Form
	rep    tianbao.Report
	id     tianbao.ID // also of the import record
	set    tianbao.ID // of the change set
	pieces int
	raws   int
	n      [stagedKinds]int64

	touched   deltas   // of all units
	fresh     []rowKey // of new rows, until they are in row_key
	add, drop []rowKey // of rows that get other cells or go
	ordered   bool
	over      bool // committed
}

// Stage implements report.Store.
func (s *Store) Stage(ctx context.Context, rep tianbao.Report, set, imp tianbao.ID) (report.Staging, error) {
	form, err := s.forms(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	if err := s.notOver(ctx, &rep); err != nil {
		return nil, err
	}
	if _, err := s.exec(ctx, sqlStage, imp, rep.ID, set, ms(s.now())); err != nil {
		return nil, fmt.Errorf("store: begin an import: %w", err)
	}
	return &staging{s: s, form: form, rep: rep, id: imp, set: set, touched: make(deltas)}, nil
}

// Add implements report.Staging.
func (g *staging) Add(ctx context.Context, b *report.Batch) error {
	p := &prepared{c: &report.Commit{Report: g.rep, Puts: b.Puts, Deletes: b.Deletes}, puts: make([]sealedPut, len(b.Puts))}
	if err := g.s.sealRows(g.form, p); err != nil {
		return err
	}
	looks, err := p.storedLooks(ctx, g.s.db)
	if err != nil {
		return err
	}
	n := g.n
	g.ordered = g.ordered || b.Order != nil || b.Moves != nil
	batch := []db.Statement{{SQL: sqlStageSeen, Args: []any{ms(g.s.now()), g.id}}}
	stage := func(kind int, row, unit tianbao.ID, pos int64, faults int, vals, look []byte) {
		n[kind]++
		batch = append(batch, db.Statement{SQL: sqlStageRow, Args: []any{g.id, kind, row, unit, pos, faults, vals, look}})
	}
	fresh, next := g.fresh, 0
	var add, drop []rowKey
	touched := make(deltas)
	for i := range p.puts {
		sp := &p.puts[i]
		row, put := &sp.put.Row, sp.put
		is := lookKeys(sp.look)
		if !put.New {
			stage(stagedEdit, row.ID, row.Unit, 0, put.Faults, sp.vals, sp.look)
			old := looks[row.ID]
			touched.put(row.Unit, put.Faults, &old)
			was := lookKeys(old.keys)
			add, drop = without(add, row.ID, is, was), without(drop, row.ID, was, is)
			continue
		}
		pos := n[stagedNew] + 1
		if b.Order != nil {
			pos = int64(b.Order[next])
			next++
		}
		stage(stagedNew, row.ID, row.Unit, pos, put.Faults, sp.vals, sp.look)
		touched.put(row.Unit, put.Faults, nil)
		fresh = without(fresh, row.ID, is, nil)
	}
	for _, row := range b.Deletes {
		stage(stagedGone, row, 0, 0, 0, nil, nil)
		old := looks[row]
		touched.gone(&old)
		drop = without(drop, row, lookKeys(old.keys), nil)
	}
	for _, m := range b.Moves {
		stage(stagedMove, m.Row, 0, int64(m.Order), 0, nil, nil)
	}
	pieces, raws := g.pieces, g.raws
	if len(b.Recorded) > 0 {
		delta, err := encodeDelta("", 0, b.Recorded)
		if err != nil {
			return err
		}
		pieces++
		batch = append(batch, g.s.pieceStatement(g.rep.ID, g.set, pieces, delta))
	}
	if len(b.Raw) > 0 {
		raws++
		batch = append(batch, g.s.pieceStatement(g.rep.ID, g.id, raws, b.Raw))
	}
	err = g.s.db.Tx(ctx, func(tx db.Tx) error {
		counts, err := tx.Send(ctx, batch)
		if err == nil && counts[0] != 1 {
			err = fmt.Errorf("import %s is not staged any more", g.id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: stage rows: %w", err)
	}
	g.n, g.pieces, g.raws, g.fresh = n, pieces, raws, fresh
	g.add, g.drop = append(g.add, add...), append(g.drop, drop...)
	for u, d := range touched {
		x := g.touched[u]
		g.touched[u] = delta{x.rows + d.rows, x.faulty + d.faulty}
	}
	return nil
}

// without appends the keys of a row that the others are not.
func without(dst []rowKey, row tianbao.ID, keys, others []lookKey) []rowKey {
	for _, k := range keys {
		if !containsKey(others, k) {
			dst = append(dst, rowKey{k, row})
		}
	}
	return dst
}

// keyChunk is how many keys of new rows are written in one transaction.
const keyChunk = 10_000

// writeKeys writes the keys of new rows before the rows are there.
func (g *staging) writeKeys(ctx context.Context) error {
	sortKeys(g.fresh)
	batch := make([]db.Statement, 0, min(len(g.fresh), keyChunk))
	for len(g.fresh) > 0 {
		chunk := g.fresh[:min(len(g.fresh), keyChunk)]
		batch = keyStatements(batch[:0], sqlInsertKey, g.rep.ID, chunk)
		if err := g.s.db.Tx(ctx, func(tx db.Tx) error { _, err := tx.Send(ctx, batch); return err }); err != nil {
			return fmt.Errorf("store: write keys: %w", err)
		}
		g.fresh = g.fresh[len(chunk):]
	}
	g.fresh = nil
	return nil
}

func keyStatements(dst []db.Statement, sql string, rep tianbao.ID, keys []rowKey) []db.Statement {
	for _, k := range keys {
		dst = append(dst, db.Statement{SQL: sql, Args: []any{k.kind, k.k, rep, k.row}})
	}
	return dst
}

// Commit implements report.Staging.
func (g *staging) Commit(ctx context.Context, c *report.Commit, rec *report.ImportRecord) error {
	if err := g.writeKeys(ctx); err != nil {
		return err
	}
	p := &prepared{c: c}
	version := c.Report.Version + 1
	if err := g.s.prepareHistory(p, g.set, g.pieces, int(g.n[stagedNew]+g.n[stagedEdit]), int(g.n[stagedGone])); err != nil {
		return err
	}
	carried := *rec
	carried.Version = version
	imported := g.s.importStatement(&carried)
	err := g.s.db.Tx(ctx, func(tx db.Tx) error {
		if err := p.raise(ctx, tx); err != nil {
			return err
		}
		keys, err := g.s.keepKeys(ctx, tx, g.rep.ID, g.add, g.drop)
		if err != nil {
			return err
		}
		err = g.land(ctx, tx, version, append([]db.Statement{imported, {SQL: sqlLanded, Args: []any{g.id}}}, keys...))
		if err != nil {
			return err
		}
		pass, err := g.s.settleCommit(ctx, tx, c, g.touched)
		if err != nil {
			return err
		}
		return pass.after(ctx, tx, g.s.trail(ctx, tx, p.event))
	})
	if err != nil {
		return err
	}
	g.over = true
	return nil
}

// land moves the staged rows to their places and executes the other statements, the
// first two of which change one row each.
func (g *staging) land(ctx context.Context, tx db.Tx, version int64, others []db.Statement) error {
	rep := g.rep.ID
	base, step := int64(0), int64(posStep)
	if !g.ordered && g.n[stagedNew] > 0 {
		last, err := db.Collect(ctx, tx, scanMove, sqlLastPos, rep)
		if err != nil {
			return fmt.Errorf("store: read positions: %w", err)
		}
		if len(last) > 0 {
			base = last[0].pos
			step = min(step, (math.MaxInt64-max(base, 0))/(g.n[stagedNew]+1))
		}
	}
	var must []db.Statement
	var want []int64
	move := func(kind int, sql string, args ...any) {
		if g.n[kind] > 0 {
			must, want = append(must, db.Statement{SQL: sql, Args: args}), append(want, g.n[kind])
		}
	}
	move(stagedGone, sqlLandGone, rep, g.id)
	move(stagedEdit, sqlLandEdits, version, g.id, rep)
	move(stagedMove, sqlLandMoves, step, g.id, rep)
	move(stagedNew, sqlLandRows, rep, base, step, version, g.id)
	want = append(want, 1, 1)
	counts, err := tx.Send(ctx, append(must, others...))
	if err != nil {
		return fmt.Errorf("store: move rows: %w", err)
	}
	if !slices.Equal(counts[:len(want)], want) {
		return fmt.Errorf("store: a row of report %s is not there", rep)
	}
	return nil
}

// Drop implements report.Staging.
func (g *staging) Drop(ctx context.Context) error {
	return g.s.dropStaging(ctx, stagingHead{id: g.id, rep: g.rep.ID, set: g.set, over: g.over})
}
