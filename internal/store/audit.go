package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

const (
	// Raising the number locks the lane until the transaction ends, so it comes last
	// in a transaction, and then the rest of the head is read.
	sqlRaiseLane   = `UPDATE trail_lane SET seq = seq + $1 WHERE lane = $2`
	sqlLaneHead    = `SELECT seq, hash, mac FROM trail_lane WHERE lane = $1`
	sqlSetLane     = `UPDATE trail_lane SET hash = $1, mac = $2 WHERE lane = $3`
	sqlInsertTrail = `INSERT INTO trail
 (lane, seq, id, at, actor, owner, address, what, object, result, detail, personal, personal_sealed, hash, mac)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`
)

// personal is what a record says of a person.
type personal struct {
	Login  string `json:"login,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func personalPlace(id tianbao.ID) []byte { return seal.Place("trail", "personal", id.String()) }

// entry is an event on its way into the trail.
type entry struct {
	audit.Record
	sealed []byte
}

func (s *Store) entry(e tianbao.Event) (entry, error) {
	r := entry{Record: audit.Record{Event: e, Lane: audit.LaneOf(&e), ID: s.id()}, sealed: []byte{}}
	r.Result = cmp.Or(r.Result, tianbao.ResultDone)
	if p := (personal{e.Login, e.Reason}); p != (personal{}) {
		plain, err := json.Marshal(p)
		if err != nil {
			return r, errors.New("store: what a record says of a person cannot be encoded")
		}
		r.Personal = s.ring.Digest("audit personal", []byte(r.ID.String()), plain)
		r.sealed = s.ring.Seal(nil, plain, personalPlace(r.ID))
	}
	return r, nil
}

// trail writes events behind the ends of their lanes. It belongs into the transaction
// of what the events tell, as its last part: without its record nothing happens
// (GB/T 22239-2019 8.1.4.3).
func (s *Store) trail(ctx context.Context, tx db.Tx, events ...tianbao.Event) error {
	var entries []entry
	for _, e := range events {
		r, err := s.entry(e)
		if err != nil {
			return err
		}
		entries = append(entries, r)
	}
	// Always in the order of lanes, so that no two transactions wait for each other.
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.Lane, b.Lane) })
	for len(entries) > 0 {
		lane, n := entries[0].Lane, 1
		for n < len(entries) && entries[n].Lane == lane {
			n++
		}
		if err := s.extend(ctx, tx, lane, entries[:n]); err != nil {
			return fmt.Errorf("store: write the trail: %w", err)
		}
		entries = entries[n:]
	}
	for i := range events {
		s.events.add(events[i].What, events[i].Result)
	}
	return nil
}

func (s *Store) extend(ctx context.Context, tx db.Tx, lane int, entries []entry) error {
	n, err := tx.Exec(ctx, sqlRaiseLane, len(entries), lane)
	if err == nil && n != 1 {
		err = fmt.Errorf("lane %d is not there", lane)
	}
	if err != nil {
		return err
	}
	head, err := laneHead(ctx, tx, lane)
	if err != nil {
		return err
	}
	head.Seq -= int64(len(entries))
	var batch []db.Statement
	for i := range entries {
		r := &entries[i]
		head = r.Link(head, s.ring.Digest)
		batch = append(batch, db.Statement{SQL: sqlInsertTrail, Args: []any{
			r.Lane, r.Seq, r.ID, ms(r.At), r.Actor, r.Owner, r.From, r.What, r.Object, r.Result, r.Detail,
			r.Personal, r.sealed, r.Hash[:], r.MAC,
		}})
		if r.News != nil {
			batch = append(batch, insertNews(r))
		}
	}
	batch = append(batch, db.Statement{SQL: sqlSetLane, Args: []any{head.Hash[:], head.MAC, lane}})
	_, err = tx.Send(ctx, batch)
	return err
}

func laneHead(ctx context.Context, q db.Queryer, lane int) (audit.Head, error) {
	var h audit.Head
	var hash []byte
	err := q.One(ctx, []any{&h.Seq, &hash, &h.MAC}, sqlLaneHead, lane)
	copy(h.Hash[:], hash)
	return h, err
}

// Record implements audit.Store and auth.Store.
func (s *Store) Record(ctx context.Context, e tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error { return s.trail(ctx, tx, e) })
}

const (
	trailColumns = `t.lane, t.seq, t.id, t.at, t.actor, t.owner, t.address, t.what, t.object, t.result, t.detail, t.personal, t.hash, t.mac`
	sqlWalkTrail = `SELECT ` + trailColumns + ` FROM trail t ORDER BY t.lane, t.seq`
	sqlTrail     = `SELECT ` + trailColumns + `, t.personal_sealed, COALESCE(p.name, ''), COALESCE(u.name, '')
 FROM trail t LEFT JOIN app_user p ON p.id = t.actor LEFT JOIN unit u ON u.id = t.owner
 WHERE t.at >= $1 AND t.at < $2 AND (t.actor = $3 OR $3 = 0) AND (t.owner = $4 OR $4 = 0)
 AND (t.what = $5 OR $5 = '') AND (t.result = $6 OR $6 = '') AND t.id < $7
 ORDER BY t.id DESC LIMIT $8`
)

// recordDest are the places for trailColumns; done finishes the record.
func recordDest(r *audit.Record) (dest []any, done func()) {
	var at int64
	var hash []byte
	dest = []any{
		&r.Lane, &r.Seq, &r.ID, &at, &r.Actor, &r.Owner, &r.From, &r.What, &r.Object, &r.Result, &r.Detail, &r.Personal, &hash, &r.MAC,
	}
	done = func() {
		r.At = when(at)
		copy(r.Hash[:], hash)
	}
	return dest, done
}

// Trail implements audit.Store.
func (s *Store) Trail(ctx context.Context, q audit.Query) ([]audit.Line, error) {
	const forever = int64(1) << 62
	to, before := ms(q.To), int64(q.Before)
	if to == 0 {
		to = forever
	}
	if before == 0 {
		before = forever
	}
	scan := func(scan db.Scan) (l audit.Line, err error) {
		var sealed []byte
		dest, done := recordDest(&l.Record)
		if err = scan(append(dest, &sealed, &l.ActorName, &l.OwnerName)...); err != nil {
			return l, err
		}
		done()
		if len(sealed) == 0 {
			if l.Personal != "" {
				l.Reason = tianbao.ErasedMark
			}
			return l, nil
		}
		plain, err := s.ring.Open(nil, sealed, personalPlace(l.ID))
		if err != nil {
			return l, fmt.Errorf("store: open record %s of the trail: %w", l.ID, err)
		}
		var p personal
		if json.Unmarshal(plain, &p) != nil {
			return l, errors.New("store: a record of the trail is not readable")
		}
		l.Login, l.Reason = p.Login, p.Reason
		return l, nil
	}
	return db.Collect(ctx, s.db, scan, sqlTrail, ms(q.From), to, q.Actor, q.Owner, q.What, q.Result, before, max(q.Limit, 0))
}

// WalkTrail implements audit.Store.
func (s *Store) WalkTrail(ctx context.Context, fn func(bases, heads [audit.Lanes]audit.Head, records iter.Seq2[audit.Record, error]) error) error {
	return s.db.Read(ctx, func(q db.Queryer) error {
		from, err := bases(ctx, q)
		if err != nil {
			return err
		}
		var heads [audit.Lanes]audit.Head
		for lane := range heads {
			h, err := laneHead(ctx, q, lane)
			if err != nil && !errors.Is(err, db.ErrNoRows) {
				return err
			}
			heads[lane] = h
		}
		records := func(yield func(audit.Record, error) bool) {
			stop := errors.New("stop")
			err := q.Each(ctx, func(scan db.Scan) error {
				var r audit.Record
				dest, done := recordDest(&r)
				if err := scan(dest...); err != nil {
					return err
				}
				done()
				if !yield(r, nil) {
					return stop
				}
				return nil
			}, sqlWalkTrail)
			if err != nil && !errors.Is(err, stop) {
				yield(audit.Record{}, err)
			}
		}
		return fn(from, heads, records)
	})
}

const (
	sqlPutCheckpoint = `INSERT INTO trail_checkpoint (at, signed) VALUES ($1, $2)`
	sqlCheckpoints   = `SELECT c.signed FROM trail_checkpoint c ORDER BY c.at`
)

// PutCheckpoint implements audit.Store. Of two in one millisecond the first stands.
func (s *Store) PutCheckpoint(ctx context.Context, at time.Time, c audit.Signed) error {
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("store: encode a checkpoint: %w", err)
	}
	_, err = s.exec(ctx, sqlPutCheckpoint, ms(at), b)
	if db.IsUnique(err) {
		return nil
	}
	return err
}

// Checkpoints implements audit.Store.
func (s *Store) Checkpoints(ctx context.Context) ([]audit.Signed, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (c audit.Signed, err error) {
		var b []byte
		if err = scan(&b); err == nil && json.Unmarshal(b, &c) != nil {
			c = audit.Signed{} // its signature will not fit
		}
		return c, err
	}, sqlCheckpoints)
}
