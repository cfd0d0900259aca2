package store

import (
	"bytes"
	"context"
	"encoding/binary"

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
 FROM row_key k JOIN report_row w ON w.report_id = k.report_id AND w.row_id = k.row_id
 JOIN report r ON r.id = k.report_id JOIN unit u ON u.id = r.owner_id
 WHERE k.kind = $1 AND k.k = $2 AND SCOPE(u.path) ORDER BY w.report_id, w.row_id`

// FindByKey returns the rows within the scope whose sealed field has the given
// value, which must be in normal form. No cell is opened: row_key finds candidates
// by 8 bytes of the keyed index, the row's own 16 confirm them.
func (s *Store) FindByKey(ctx context.Context, scope tianbao.Scope, field, value string) ([]RowRef, error) {
	if value == "" {
		return nil, nil
	}
	want := s.appendLook(nil, field, value)
	kind, k := int64(binary.BigEndian.Uint16(want)), int64(binary.BigEndian.Uint64(want[2:]))
	var out []RowRef
	sql, args := within(sqlFindByKey, scope, kind, k)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var (
			ref  RowRef
			look []byte
		)
		if err := scan(&ref.Report, &ref.Row, &ref.Unit, &look); err != nil {
			return err
		}
		for ; len(look) >= lookSize; look = look[lookSize:] {
			if bytes.Equal(look[:lookSize], want) {
				out = append(out, ref)
				break
			}
		}
		return nil
	}, sql, args...)
	return out, err
}
