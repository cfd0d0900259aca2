package store

import (
	"context"
	"fmt"
	"math"
	"slices"

	"tianbao"
	"tianbao/internal/db"
)

// deltaJSON is the content of a change set, which is sealed whole: cells before and
// after hold ids, and a note may be the name of a file that somebody named after a
// person.
type deltaJSON struct {
	Note    string       `json:"n,omitempty"`
	Pieces  int          `json:"p,omitempty"` // the changes stand in so many pieces, each a deltaJSON
	Changes []changeJSON `json:"c"`
}

type changeJSON struct {
	Op     tianbao.Op      `json:"o"`
	Row    tianbao.ID      `json:"r"`
	After  int64           `json:"f,omitempty"` // may be tianbao.AtEnd
	Cells  []cellJSON      `json:"c,omitempty"`
	Reason *tianbao.Reason `json:"x,omitempty"`
}

type cellJSON struct {
	Field  int          `json:"i"`
	Before string       `json:"b,omitempty"`
	After  string       `json:"a,omitempty"`
	Mark   tianbao.Mark `json:"m,omitempty"`
	Was    tianbao.Mark `json:"w,omitempty"`
}

func encodeDelta(note string, pieces int, recorded []tianbao.Recorded) ([]byte, error) {
	d := deltaJSON{Note: note, Pieces: pieces, Changes: make([]changeJSON, len(recorded))}
	for i := range recorded {
		r := &recorded[i]
		c := changeJSON{Op: r.Op, Row: r.Row, After: int64(r.AfterRow)}
		for _, cell := range r.Cells {
			c.Cells = append(c.Cells, cellJSON(cell))
		}
		if r.Reason != (tianbao.Reason{}) {
			c.Reason = &r.Reason
		}
		d.Changes[i] = c
	}
	return d.encode()
}

// storedSet is a change set as stored.
type storedSet struct {
	rev   tianbao.Revision
	delta []byte
}

const setColumns = `c.id, c.version, c.source, COALESCE(p.name, ''), c.at, c.delta`

func scanSet(scan db.Scan) (st storedSet, err error) {
	var at int64
	err = scan(&st.rev.ID, &st.rev.Version, &st.rev.Source, &st.rev.By, &at, &st.delta)
	st.rev.At = when(at)
	return st, err
}

// openSets opens the change sets of a report.
func (s *Store) openSets(ctx context.Context, rep tianbao.ID, sets []storedSet) ([]tianbao.Revision, error) {
	out := make([]tianbao.Revision, len(sets))
	for i := range sets {
		r := sets[i].rev
		err := s.openSet(ctx, rep, &sets[i], func(d *deltaJSON) {
			if d.Note != "" {
				r.Note = d.Note
			}
			r.Changes = d.recorded(r.Changes)
		})
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	return out, nil
}

// openSet opens a change set and hands on what it holds, piece by piece.
func (s *Store) openSet(ctx context.Context, rep tianbao.ID, st *storedSet, fn func(*deltaJSON)) error {
	version := st.rev.Version
	plain, err := s.ring.Open(nil, st.delta, deltaPlace(rep, version))
	if err != nil {
		return fmt.Errorf("store: open version %d of report %s: %w", version, rep, err)
	}
	var d deltaJSON
	if err := d.decode(plain); err != nil {
		return err
	}
	fn(&d)
	if d.Pieces == 0 {
		return nil
	}
	n := 0
	err = s.eachPiece(ctx, rep, st.rev.ID, func(plain []byte) error {
		n++
		var d deltaJSON
		if err := d.decode(plain); err != nil {
			return err
		}
		fn(&d)
		return nil
	})
	if err == nil && n != d.Pieces {
		err = fmt.Errorf("store: version %d of report %s has %d of %d pieces", version, rep, n, d.Pieces)
	}
	return err
}

// recorded appends the changes.
func (d *deltaJSON) recorded(out []tianbao.Recorded) []tianbao.Recorded {
	out = slices.Grow(out, len(d.Changes))
	for _, c := range d.Changes {
		rec := tianbao.Recorded{Op: c.Op, Row: c.Row, AfterRow: tianbao.ID(c.After)}
		for _, cell := range c.Cells {
			rec.Cells = append(rec.Cells, tianbao.RecordedCell(cell))
		}
		if c.Reason != nil {
			rec.Reason = *c.Reason
		}
		out = append(out, rec)
	}
	return out
}

const sqlSince = `SELECT ` + setColumns + `
 FROM change_set c LEFT JOIN app_user p ON p.id = c.by_id
 WHERE c.report_id = $1 AND c.version > $2 ORDER BY c.version`

// Since implements report.Store.
func (s *Store) Since(ctx context.Context, rep tianbao.ID, version int64) ([]tianbao.Revision, error) {
	sets, err := db.Collect(ctx, s.db, scanSet, sqlSince, rep, version)
	if err != nil {
		return nil, err
	}
	return s.openSets(ctx, rep, sets)
}

const sqlHistory = `SELECT ` + setColumns + `
 FROM change_set c JOIN report r ON r.id = c.report_id JOIN unit u ON u.id = r.owner_id
 LEFT JOIN app_user p ON p.id = c.by_id
 WHERE c.report_id = $1 AND c.version < $2 AND SCOPE(u.path) ORDER BY c.version DESC LIMIT $3`

// History implements report.Store. A report outside the scope is not found; one
// without history has none.
func (s *Store) History(ctx context.Context, scope tianbao.Scope, rep tianbao.ID, before int64, limit int) ([]tianbao.Revision, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	var sets []storedSet
	err := s.db.Read(ctx, func(q db.Queryer) error {
		if _, err := reportOf(ctx, q, scope, rep); err != nil {
			return err
		}
		// The numbers of the scope's ranges follow those of the text.
		sql, args := within(sqlHistory, scope, rep, before, max(limit, 0))
		var err error
		sets, err = db.Collect(ctx, q, scanSet, sql, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.openSets(ctx, rep, sets)
}
