package store

import (
	"context"

	"tianbao"
	"tianbao/internal/db"
)

// RowRef names a row that was found.
type RowRef struct {
	Report tianbao.ID
	Row    tianbao.ID
	Unit   tianbao.ID
}

const sqlFindByKey = `SELECT w.report_id, w.row_id, w.unit_id, w.look_keys
 FROM report_row w JOIN report r ON r.id = w.report_id JOIN unit u ON u.id = r.owner_id
 WHERE PLACES(w) AND SCAN(u.path) ORDER BY w.report_id, w.row_id`

// FindByKey returns the rows within the scope whose sealed field has the given
// value, which must be in normal form. No cell is opened: row_key finds candidates
// by 8 bytes of the keyed index, the row's own 16 confirm them.
func (s *Store) FindByKey(ctx context.Context, scope tianbao.Scope, field, value string) ([]RowRef, error) {
	if value == "" {
		return nil, nil
	}
	want := s.appendLook(nil, field, value)
	places, err := s.keyPlaces(ctx, lookKeys(want)[0])
	if err != nil {
		return nil, err
	}
	var out []RowRef
	sql, args := within(sqlFindByKey, scope)
	err = atPlaces(sql, places, args, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var (
				ref  RowRef
				look []byte
			)
			if err := scan(&ref.Report, &ref.Row, &ref.Unit, &look); err != nil {
				return err
			}
			if hasLook(look, want) {
				out = append(out, ref)
			}
			return nil
		}, sql, args...)
	})
	return out, err
}
