package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

const (
	sqlStagings    = `SELECT id, report_id, set_id, state FROM staging WHERE seen <= $1 ORDER BY id`
	sqlStagedSome  = `SELECT kind, row_id, look_keys FROM staged_row WHERE staging_id = $1 ORDER BY kind, row_id LIMIT 4000`
	sqlDropStaged  = `DELETE FROM staged_row WHERE staging_id = $1 AND kind = $2 AND row_id <= $3`
	sqlDropStaging = `DELETE FROM staging WHERE id = $1`
)

// stagingHead is an import that is over, or whose process has died.
type stagingHead struct {
	id, rep, set tianbao.ID
	over         bool // committed
}

// SweepStagings drops what imports have put aside that nobody has heard of for the
// given time, and returns how many there were. Where this process is the only one it
// is called at the start with 0.
func (s *Store) SweepStagings(ctx context.Context, silent time.Duration) (int, error) {
	heads, err := s.stagings(ctx, sqlStagings, ms(s.now().Add(-silent)))
	if err != nil {
		return 0, fmt.Errorf("store: look for imports that died: %w", err)
	}
	for _, h := range heads {
		if err := s.dropStaging(ctx, h); err != nil {
			return 0, err
		}
	}
	return len(heads), nil
}

func (s *Store) stagings(ctx context.Context, sql string, args ...any) ([]stagingHead, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (h stagingHead, err error) {
		var state int64
		err = scan(&h.id, &h.rep, &h.set, &state)
		h.over = state == 1
		return h, err
	}, sql, args...)
}

// dropStaging removes what is left of an import, in short transactions. The keys of a
// new row go before the row that names them, and the head goes last, so that after a
// crash the rest is found again.
func (s *Store) dropStaging(ctx context.Context, h stagingHead) error {
	for {
		batch, err := s.dropSome(ctx, h)
		if err == nil && len(batch) == 0 {
			break
		}
		if err == nil {
			err = s.db.Tx(ctx, func(tx db.Tx) error { _, err := tx.Send(ctx, batch); return err })
		}
		if err != nil {
			return fmt.Errorf("store: drop staged rows: %w", err)
		}
	}
	var last []db.Statement
	if !h.over {
		for _, of := range []tianbao.ID{h.set, h.id} {
			last = append(last, db.Statement{SQL: sqlDropPieces, Args: []any{h.rep, of}})
		}
	}
	last = append(last, db.Statement{SQL: sqlDropStaging, Args: []any{h.id}})
	if err := s.db.Tx(ctx, func(tx db.Tx) error { _, err := tx.Send(ctx, last); return err }); err != nil {
		return fmt.Errorf("store: drop an import: %w", err)
	}
	return nil
}

// dropSome makes the statements that remove the next rows, none when there are none.
func (s *Store) dropSome(ctx context.Context, h stagingHead) ([]db.Statement, error) {
	var batch []db.Statement
	last := make(map[int64]tianbao.ID) // by kind
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var (
			kind int64
			row  tianbao.ID
			look []byte
		)
		if err := scan(&kind, &row, &look); err != nil {
			return err
		}
		if kind == stagedNew && !h.over {
			batch = keyStatements(batch, sqlDeleteKey, h.rep, without(nil, row, lookKeys(look), nil))
		}
		last[kind] = row
		return nil
	}, sqlStagedSome, h.id)
	for kind, row := range last {
		batch = append(batch, db.Statement{SQL: sqlDropStaged, Args: []any{h.id, kind, row}})
	}
	return batch, err
}
