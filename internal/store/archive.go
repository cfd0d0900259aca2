package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/db"
)

const (
	sqlBases = `SELECT b.lane, b.seq, b.hash, b.mac FROM trail_base b`
	// The last record before the first that is not old; all of the lane if none is.
	sqlOldEnd     = `SELECT COALESCE((SELECT MIN(t.seq) - 1 FROM trail t WHERE t.lane = $1 AND t.at >= $2), (SELECT MAX(t.seq) FROM trail t WHERE t.lane = $1), 0)`
	sqlOldTrail   = `SELECT ` + trailColumns + `, t.personal_sealed FROM trail t WHERE t.lane = $1 AND t.seq <= $2 ORDER BY t.seq`
	sqlDropOld    = `DELETE FROM trail WHERE lane = $1 AND seq <= $2 AND at < $3`
	sqlUpdateBase = `UPDATE trail_base SET seq = $2, hash = $3, mac = $4 WHERE lane = $1`
	sqlInsertBase = `INSERT INTO trail_base (lane, seq, hash, mac) VALUES ($1, $2, $3, $4)`
)

// bases returns where the lanes begin.
func bases(ctx context.Context, q db.Queryer) (out [audit.Lanes]audit.Head, err error) {
	err = q.Each(ctx, func(scan db.Scan) error {
		var lane int
		var h audit.Head
		var hash []byte
		if err := scan(&lane, &h.Seq, &hash, &h.MAC); err != nil {
			return err
		}
		if lane < 0 || lane >= audit.Lanes {
			return fmt.Errorf("store: the trail begins in lane %d, which there is not", lane)
		}
		copy(h.Hash[:], hash)
		out[lane] = h
		return nil
	}, sqlBases)
	return out, err
}

// OldTrail implements audit.Store.
func (s *Store) OldTrail(ctx context.Context, before time.Time, fn func([audit.Lanes]audit.Head, iter.Seq2[audit.Archived, error]) error) error {
	return s.db.Read(ctx, func(q db.Queryer) error {
		from, err := bases(ctx, q)
		if err != nil {
			return err
		}
		return fn(from, func(yield func(audit.Archived, error) bool) {
			for lane := range audit.Lanes {
				if !oldLane(ctx, q, lane, before, yield) {
					return
				}
			}
		})
	})
}

func oldLane(ctx context.Context, q db.Queryer, lane int, before time.Time, yield func(audit.Archived, error) bool) (more bool) {
	var end int64
	if err := q.One(ctx, []any{&end}, sqlOldEnd, lane, ms(before)); err != nil {
		yield(audit.Archived{}, err)
		return false
	}
	stop := errors.New("stop")
	err := q.Each(ctx, func(scan db.Scan) error {
		var a audit.Archived
		dest, done := recordDest(&a.Record)
		if err := scan(append(dest, &a.Sealed)...); err != nil {
			return err
		}
		done()
		if !yield(a, nil) {
			return stop
		}
		return nil
	}, sqlOldTrail, lane, end)
	if err != nil && !errors.Is(err, stop) {
		yield(audit.Archived{}, err)
	}
	return err == nil
}

// DropArchived implements audit.Store. This is the only place where records leave the
// database, and the statement itself takes none that must be kept.
func (s *Store) DropArchived(ctx context.Context, from, ends [audit.Lanes]audit.Head, at time.Time, c audit.Signed, e tianbao.Event) error {
	signed, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("store: encode a checkpoint: %w", err)
	}
	kept := ms(s.now().AddDate(0, -audit.MinKept, 0))
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		now, err := bases(ctx, tx)
		if err != nil {
			return err
		}
		if now != from {
			return errors.New("store: the trail was archived by somebody else meanwhile")
		}
		for lane, end := range ends {
			n := end.Seq - from[lane].Seq
			if n == 0 {
				continue
			}
			gone, err := tx.Exec(ctx, sqlDropOld, lane, end.Seq, kept)
			if err != nil {
				return err
			}
			if gone != n {
				return fmt.Errorf("store: lane %d has %d records to be archived, not %d: %w", lane, gone, n, audit.ErrTooYoung)
			}
			end.MAC = audit.BaseMAC(lane, end, s.ring.Digest)
			if err := upsert(ctx, tx, sqlUpdateBase, sqlInsertBase, lane, end.Seq, end.Hash[:], end.MAC); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, sqlPutCheckpoint, ms(at), signed); err != nil {
			return err
		}
		return s.trail(ctx, tx, e)
	})
	if err != nil {
		return fmt.Errorf("store: take archived records out: %w", err)
	}
	return nil
}
