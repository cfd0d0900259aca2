package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/seal"
)

const (
	sqlBump = `UPDATE report SET version = version + 1, state = $1, row_count = $2, updated_at = $3, updated_by = $4
 WHERE id = $5 AND version = $6`
	sqlKeyUsed   = `SELECT id FROM receipt WHERE report_id = $1 AND idem_key = $2`
	sqlInsertSet = `INSERT INTO change_set (report_id, version, id, idem_key, source, by_id, at, delta)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	sqlRowLooks  = `SELECT row_id, look_keys, unit_id, faults FROM report_row WHERE report_id = $1 AND row_id IN LIST`
	sqlInsertRow = `INSERT INTO report_row (report_id, row_id, unit_id, pos, version, faults, vals, look_keys)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	sqlUpdateRow = `UPDATE report_row SET unit_id = $3, version = $4, faults = $5, vals = $6, look_keys = $7
 WHERE report_id = $1 AND row_id = $2`
	sqlDeleteRow   = `DELETE FROM report_row WHERE report_id = $1 AND row_id = $2`
	sqlCarryImport = `UPDATE import_record SET version = $1 WHERE report_id = $2 AND id = $3`
)

// sealedPut is a row ready to be written.
type sealedPut struct {
	put        *report.Put
	vals, look []byte
}

// prepared is a commit whose values are sealed and encoded, before any lock is held.
type prepared struct {
	c       *report.Commit
	puts    []sealedPut
	set     db.Statement // change set
	receipt db.Statement
	event   tianbao.Event
}

func (s *Store) prepare(c *report.Commit) (*prepared, error) {
	form, err := s.forms(c.Report.Form, c.Report.FormV)
	if err != nil {
		return nil, err
	}
	p := &prepared{c: c, puts: make([]sealedPut, len(c.Puts))}
	if err := s.sealRows(form, p); err != nil {
		return nil, err
	}
	return p, s.prepareHistory(p, s.id(), 0, len(c.Puts), len(c.Deletes))
}

// prepareHistory makes the change set, with its id and in how many pieces its changes
// stand elsewhere, the receipt and the line of the trail.
func (s *Store) prepareHistory(p *prepared, id tianbao.ID, pieces, put, deleted int) error {
	c := p.c
	set, version := c.Set, c.Report.Version+1
	delta, err := encodeDelta(set.Note, pieces, c.Recorded)
	if err != nil {
		return err
	}
	sealed := s.ring.Seal(nil, delta, deltaPlace(c.Report.ID, version))
	p.set = db.Statement{SQL: sqlInsertSet, Args: []any{
		c.Report.ID, version, id, set.Key, set.Source, set.By, ms(set.At), sealed,
	}}
	if p.receipt, err = s.receiptStatement(c.Receipt, set.Key, c.RequestDigest, c.Inserted); err != nil {
		return err
	}
	p.event = tianbao.Event{
		Owner: c.Report.Owner, At: set.At, Actor: set.By, What: "save", Object: c.Report.ID.String(),
		Detail: fmt.Sprintf("version=%d source=%s put=%d deleted=%d", version, set.Source, put, deleted),
		News:   &tianbao.News{Kind: tianbao.NewsSubmitted, Campaign: c.Report.Campaign, Report: c.Report.ID, Version: version, Rows: c.Report.Rows, Put: put, Deleted: deleted},
	}
	return nil
}

// sealRows seals and encodes the rows of a commit; many of them on all processors.
func (s *Store) sealRows(form *tianbao.Form, p *prepared) error {
	const share = 500 // rows for which another goroutine is worth it
	workers := min(runtime.GOMAXPROCS(0), 1+len(p.puts)/share)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		from, to := len(p.puts)*w/workers, len(p.puts)*(w+1)/workers
		wg.Go(func() {
			for i := from; i < to; i++ {
				put := &p.c.Puts[i]
				vals, look, err := s.encodeRow(form, p.c.Report.ID, &put.Row)
				if err != nil {
					errs[w] = err
					return
				}
				p.puts[i] = sealedPut{put: put, vals: vals, look: look}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Commit implements report.Store. The version check comes first and locks the
// report, so that on every engine the second of two commits finds either its
// version gone or its key used.
func (s *Store) Commit(ctx context.Context, c *report.Commit) error {
	p, err := s.prepare(c)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := p.raise(ctx, tx); err != nil {
			return err
		}
		touched, err := s.writeRows(ctx, tx, p)
		if err != nil {
			return err
		}
		pass, err := s.settleCommit(ctx, tx, c, touched)
		if err != nil {
			return err
		}
		return pass.after(ctx, tx, s.trail(ctx, tx, p.event))
	})
}

// settleCommit asks the gate for what a commit touches and settles where its units stand.
func (s *Store) settleCommit(ctx context.Context, tx db.Tx, c *report.Commit, touched deltas) (*passage, error) {
	pass, err := s.gateCommit(ctx, tx, &c.Report, touched)
	if err != nil {
		return nil, err
	}
	st := settling{campaign: c.Report.Campaign, report: c.Report.ID, version: c.Report.Version + 1, deltas: touched, by: c.Set.By}
	if c.Set.Draft != "" {
		st.units = []tianbao.ID{c.Report.Owner} // its draft is gone
	}
	return pass, s.settle(ctx, tx, &st)
}

// raise raises the version and writes the history.
func (p *prepared) raise(ctx context.Context, tx db.Tx) error {
	rep, set := &p.c.Report, p.c.Set
	n, err := tx.Exec(ctx, sqlBump, rep.State, rep.Rows, ms(set.At), set.By, rep.ID, rep.Version)
	if err != nil {
		return fmt.Errorf("store: raise version: %w", err)
	}
	if n != 1 {
		return staleOrUsed(ctx, tx, rep.ID, set.Key)
	}
	// These fail on a unique constraint only when the key was used at an earlier
	// version.
	_, err = tx.Send(ctx, []db.Statement{p.receipt, p.set})
	switch {
	case db.IsUnique(err):
		return report.ErrDuplicate
	case err != nil:
		return fmt.Errorf("store: write history: %w", err)
	}
	return nil
}

// staleOrUsed tells why a version did not stand.
func staleOrUsed(ctx context.Context, tx db.Tx, rep tianbao.ID, key string) error {
	var id int64
	err := tx.One(ctx, []any{&id}, sqlKeyUsed, rep, key)
	switch {
	case err == nil:
		return report.ErrDuplicate
	case errors.Is(err, db.ErrNoRows):
		return report.ErrStale
	}
	return fmt.Errorf("store: look for key: %w", err)
}

// writeRows writes rows, their keys, and the imports carried, and returns what that changes
// of each unit. It reads what it needs of the stored rows first and then sends all
// statements together.
func (s *Store) writeRows(ctx context.Context, tx db.Tx, p *prepared) (deltas, error) {
	c := p.c
	touched := make(deltas)
	rep, version := c.Report.ID, c.Report.Version+1
	pos, moved, err := positions(ctx, tx, rep, c.Puts)
	if err != nil {
		return nil, err
	}
	looks, err := p.storedLooks(ctx, tx)
	if err != nil {
		return nil, err
	}
	must := make([]db.Statement, 0, len(moved)+len(c.Deletes)+len(p.puts)) // each changes exactly one row
	var add, drop []rowKey
	keys := func(row tianbao.ID, before, after []byte) {
		was, is := lookKeys(before), lookKeys(after)
		for _, k := range was {
			if !containsKey(is, k) {
				drop = append(drop, rowKey{k, row})
			}
		}
		for _, k := range is {
			if !containsKey(was, k) {
				add = append(add, rowKey{k, row})
			}
		}
	}
	for _, m := range moved {
		must = append(must, db.Statement{SQL: sqlMoveRow, Args: []any{m.pos, rep, m.row}})
	}
	for _, row := range c.Deletes {
		must = append(must, db.Statement{SQL: sqlDeleteRow, Args: []any{rep, row}})
		was := looks[row]
		keys(row, was.keys, nil)
		touched.gone(&was)
	}
	for i := range p.puts {
		sp := &p.puts[i]
		row, put := &sp.put.Row, sp.put
		if put.New {
			must = append(must, db.Statement{SQL: sqlInsertRow, Args: []any{
				rep, row.ID, row.Unit, pos[row.ID], version, put.Faults, sp.vals, sp.look,
			}})
			keys(row.ID, nil, sp.look)
			touched.put(row.Unit, put.Faults, nil)
			continue
		}
		must = append(must, db.Statement{SQL: sqlUpdateRow, Args: []any{
			rep, row.ID, row.Unit, version, put.Faults, sp.vals, sp.look,
		}})
		was := looks[row.ID]
		keys(row.ID, was.keys, sp.look)
		touched.put(row.Unit, put.Faults, &was)
	}
	for _, id := range c.Set.Imports {
		must = append(must, db.Statement{SQL: sqlCarryImport, Args: []any{version, rep, id}})
	}
	for i := range c.Set.Confirms {
		a := &c.Set.Confirms[i]
		must = append(must, insertAnswer(a, tianbao.RowPlace{Report: rep, Row: c.Inserted[a.Temp]}))
	}
	all := must
	if c.Set.Draft != "" {
		all = append(all, db.Statement{SQL: sqlSavedDraft, Args: []any{rep, c.Set.By, c.Set.Draft}})
	}
	found, err := s.keepKeys(ctx, tx, rep, add, drop)
	if err != nil {
		return nil, err
	}
	counts, err := tx.Send(ctx, append(all, found...))
	if db.IsUnique(err) && len(c.Set.Confirms) > 0 {
		return nil, errAnswered()
	}
	if err != nil {
		return nil, fmt.Errorf("store: write rows: %w", err)
	}
	for i := range must {
		if counts[i] != 1 {
			return nil, fmt.Errorf("store: a row or import of report %s is not there", rep)
		}
	}
	return touched, nil
}

// rowKey is a key of a row.
type rowKey struct {
	lookKey
	row tianbao.ID
}

// sortKeys brings keys into the order of the index: many new ones then go through it
// once, from left to right, instead of to a random page each.
func sortKeys(keys []rowKey) {
	slices.SortFunc(keys, func(a, b rowKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.k, b.k), cmp.Compare(a.row, b.row))
	})
}

func containsKey(keys []lookKey, k lookKey) bool {
	for _, o := range keys {
		if o == k {
			return true
		}
	}
	return false
}

// rowLook is what is looked at of a stored row before it is replaced or deleted.
type rowLook struct {
	keys   []byte // under which it is found
	unit   tianbao.ID
	faults int
}

// storedLooks reads it of the rows to be replaced or deleted.
func (p *prepared) storedLooks(ctx context.Context, q db.Queryer) (map[tianbao.ID]rowLook, error) {
	ids := append([]tianbao.ID(nil), p.c.Deletes...)
	for i := range p.puts {
		if !p.puts[i].put.New {
			ids = append(ids, p.puts[i].put.Row.ID)
		}
	}
	looks := make(map[tianbao.ID]rowLook, len(ids))
	err := listed(sqlRowLooks, ids, []any{p.c.Report.ID}, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var (
				id tianbao.ID
				l  rowLook
			)
			err := scan(&id, &l.keys, &l.unit, &l.faults)
			looks[id] = l
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("store: read keys: %w", err)
	}
	return looks, nil
}

// deltaPlace names the place of a change set's sealed content.
func deltaPlace(rep tianbao.ID, version int64) []byte {
	return seal.Place("change_set", "delta", fmt.Sprintf("%d/%d", rep, version))
}
