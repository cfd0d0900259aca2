package store

import (
	"context"
	"fmt"
	"strconv"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

const (
	sqlInsertPiece = `INSERT INTO piece (report_id, of_id, n, data) VALUES ($1, $2, $3, $4)`
	sqlPieces      = `SELECT data FROM piece WHERE report_id = $1 AND of_id = $2 AND n > $3 ORDER BY n LIMIT 1`
	sqlDropPieces  = `DELETE FROM piece WHERE report_id = $1 AND of_id = $2`
)

// piecePlace names the place of a sealed piece.
func piecePlace(rep, of tianbao.ID, n int) []byte {
	return seal.Place("piece", "data", rowPlace(rep, of)+"/"+strconv.Itoa(n))
}

// pieceStatement keeps the nth piece, from 1, of a change set or import.
func (s *Store) pieceStatement(rep, of tianbao.ID, n int, plain []byte) db.Statement {
	return db.Statement{SQL: sqlInsertPiece, Args: []any{rep, of, n, s.ring.Seal(nil, plain, piecePlace(rep, of, n))}}
}

// eachPiece opens the pieces of a change set or import one by one. Pieces never
// change, so each is read by itself and no connection is held while fn works.
func (s *Store) eachPiece(ctx context.Context, rep, of tianbao.ID, fn func(plain []byte) error) error {
	for n := 1; ; n++ {
		found, err := db.Collect(ctx, s.db, func(scan db.Scan) (b []byte, err error) {
			err = scan(&b)
			return b, err
		}, sqlPieces, rep, of, n-1)
		if err != nil {
			return fmt.Errorf("store: read a piece of %s: %w", of, err)
		}
		if len(found) == 0 {
			return nil
		}
		plain, err := s.ring.Open(nil, found[0], piecePlace(rep, of, n))
		if err != nil {
			return fmt.Errorf("store: open piece %d of %s: %w", n, of, err)
		}
		if err := fn(plain); err != nil {
			return err
		}
	}
}
