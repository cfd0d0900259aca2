package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// What a check-up opens and makes again, without changing anything.

const (
	sampleFirst = `SELECT KEYS, COLUMN FROM TABLE WHERE length(COLUMN) >= $1 ORDER BY KEYS LIMIT $2`
	sampleLast  = `SELECT KEYS, COLUMN FROM TABLE WHERE length(COLUMN) >= $1 ORDER BY BACKWARDS LIMIT $2`

	sqlFirstRows   = `SELECT w.report_id, w.row_id, w.vals, w.look_keys FROM report_row w ORDER BY w.report_id, w.row_id LIMIT $1`
	sqlLastRows    = `SELECT w.report_id, w.row_id, w.vals, w.look_keys FROM report_row w ORDER BY w.report_id DESC, w.row_id DESC LIMIT $1`
	sqlHasRowKey   = `SELECT COUNT(*) FROM row_key k WHERE k.kind = $1 AND k.k = $2 AND k.report_id = $3 AND k.row_id = $4`
	sqlNewestEvent = `SELECT t.at FROM trail t ORDER BY t.id DESC LIMIT 1`
)

// Sampled is what came of some values of a column, or of some rows.
type Sampled struct {
	Column       string // table.column
	Seen, Failed int
}

// SampleSealed opens the first and the last n values of each sealed column that the
// database has, whatever its schema.
func (s *Store) SampleSealed(ctx context.Context, n int) ([]Sampled, error) {
	var out []Sampled
	err := s.db.Read(ctx, func(q db.Queryer) error {
		tables, err := s.db.Catalog(ctx, q)
		if err != nil {
			return err
		}
		has := make(map[string]bool)
		for i := range tables {
			for _, c := range tables[i].Columns {
				has[tables[i].Name+"."+c.Name] = true
			}
		}
		for _, c := range sealedColumns() {
			if !has[c.table+"."+c.column] {
				continue // the schema is older
			}
			one := Sampled{Column: c.table + "." + c.column}
			for _, text := range []string{sampleFirst, sampleLast} {
				back := strings.Join(c.keys, " DESC, ") + " DESC"
				if err := s.sampleColumn(ctx, q, &c, strings.Replace(text, "BACKWARDS", back, 1), n, &one); err != nil {
					return err
				}
				if one.Seen < n {
					break // those were all
				}
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

func (s *Store) sampleColumn(ctx context.Context, q db.Queryer, c *sealedColumn, text string, n int, sum *Sampled) error {
	return q.Each(ctx, func(scan db.Scan) error {
		keys := make([]int64, len(c.keys))
		var value []byte
		dest := make([]any, 0, len(keys)+1)
		for i := range keys {
			dest = append(dest, &keys[i])
		}
		if err := scan(append(dest, &value)...); err != nil {
			return err
		}
		sum.Seen++
		if s.opens(c, c.place(keys), value) != nil {
			sum.Failed++
		}
		return nil
	}, c.sql(text, 3), seal.Overhead, n)
}

// opens reports what keeps a stored value from opening.
func (s *Store) opens(c *sealedColumn, place string, value []byte) error {
	if !c.cells {
		_, err := s.ring.Open(nil, value, seal.Place(c.table, cmp.Or(c.at, c.column), place))
		return err
	}
	return eachSealed(value, func(column string, sealed []byte) error {
		_, err := s.ring.Open(nil, sealed, seal.Place(rowTable, column, place))
		return err
	})
}

// SampleKeys makes the keyed indexes of the first and the last n rows anew, and looks
// whether they are what the rows are found by.
func (s *Store) SampleKeys(ctx context.Context, n int) (Sampled, error) {
	sum := Sampled{Column: "report_row.look_keys"}
	type row struct {
		rep, id    tianbao.ID
		vals, look []byte
	}
	logged := make(map[rowKey]bool) // whether they go to row_key or leave it
	err := s.db.Read(ctx, func(q db.Queryer) error {
		if err := s.loggedKeys(ctx, q, logged); err != nil {
			return err
		}
		var rows []row
		for _, text := range []string{sqlFirstRows, sqlLastRows} {
			some, err := db.Collect(ctx, q, func(scan db.Scan) (r row, err error) {
				err = scan(&r.rep, &r.id, &r.vals, &r.look)
				return r, err
			}, text, n)
			if err != nil {
				return err
			}
			if rows = append(rows, some...); len(some) < n {
				break // those were all
			}
		}
		for _, r := range rows {
			sum.Seen++
			look, err := s.lookAgain(r.rep, r.id, r.vals)
			if err == nil && !sameLooks(look, r.look) {
				err = errors.New("store: other indexes")
			}
			for _, k := range lookKeys(r.look) {
				var found int64
				if err := q.One(ctx, []any{&found}, sqlHasRowKey, k.kind, k.k, r.rep, r.id); err != nil {
					return err
				}
				if found == 0 && !logged[rowKey{k, r.id}] {
					err = errors.New("store: a key is missing")
				}
			}
			if err != nil {
				sum.Failed++
			}
		}
		return nil
	})
	return sum, err
}

// loggedKeys reads which keys are in the log, if the schema has one.
func (s *Store) loggedKeys(ctx context.Context, q db.Queryer, keys map[rowKey]bool) error {
	tables, err := s.db.Catalog(ctx, q)
	if err != nil || !slices.ContainsFunc(tables, func(t db.Table) bool { return t.Name == "row_key_log" }) {
		return err
	}
	return eachLogged(ctx, q, func(_ int64, line []loggedKey) {
		for _, k := range line {
			keys[rowKey{k.lookKey, k.at.Row}] = !k.gone
		}
	})
}

// lookAgain makes a row's indexes from its sealed cells.
func (s *Store) lookAgain(rep, id tianbao.ID, vals []byte) ([]byte, error) {
	var j rowJSON
	if json.Unmarshal(vals, &j) != nil {
		return nil, errors.New("store: a stored row is not readable")
	}
	var look []byte
	for field, sealed := range j.S {
		plain, err := s.ring.Open(nil, sealed, seal.Place(rowTable, field, rowPlace(rep, id)))
		if err != nil {
			return nil, err
		}
		look = s.appendLook(look, field, string(plain))
	}
	return look, nil
}

// sameLooks compares two lists of indexes, in whatever order.
func sameLooks(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for ; len(a) >= lookSize; a = a[lookSize:] {
		found := false
		for c := b; len(c) >= lookSize && !found; c = c[lookSize:] {
			found = bytes.Equal(a[:lookSize], c[:lookSize])
		}
		if !found {
			return false
		}
	}
	return true
}

// NewestEvent returns when the newest record of the trail was written, in milliseconds;
// 0: there is none.
func (s *Store) NewestEvent(ctx context.Context) (int64, error) {
	var at int64
	err := s.db.One(ctx, []any{&at}, sqlNewestEvent)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return at, err
}
