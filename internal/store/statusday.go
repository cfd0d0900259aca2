package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// Days that are over are kept as where units stood at their end; see migration 0051 and
// docs/adr/0050.

const (
	sqlStatusDays = `SELECT d.at FROM unit_status_day d WHERE d.campaign_id = $1`
	sqlStatusDay  = `SELECT d.states FROM unit_status_day d WHERE d.campaign_id = $1 AND d.at = $2`
	sqlKeepDay    = `INSERT INTO unit_status_day (campaign_id, at, states) VALUES ($1, $2, $3)`
	sqlDropDays   = `DELETE FROM unit_status_day WHERE campaign_id = $1 AND at < $2`
	sqlScanLog    = `SELECT l.unit_id, l.at, l.id, l.state FROM unit_status_log l WHERE l.campaign_id = $1 AND l.at <= $2`
)

// KeptDays implements campaign.Store.
func (s *Store) KeptDays(ctx context.Context, id tianbao.ID) (map[time.Time]bool, error) {
	out := make(map[time.Time]bool)
	return out, s.db.Each(ctx, func(scan db.Scan) error {
		var at int64
		err := scan(&at)
		out[when(at).UTC()] = true
		return err
	}, sqlStatusDays, id)
}

// KeepDay implements campaign.Store.
func (s *Store) KeepDay(ctx context.Context, id tianbao.ID, at time.Time) error {
	if s.now().Sub(at) < campaign.KeepAfter {
		return errors.New("store: a day is kept when nothing of it is under way any more")
	}
	stood := make(map[tianbao.ID]*lastChange)
	err := s.db.Read(ctx, func(q db.Queryer) error {
		return scanLog(ctx, q, id, at, func(unit tianbao.ID) *lastChange {
			if stood[unit] == nil {
				stood[unit] = &lastChange{}
			}
			return stood[unit]
		})
	})
	if err != nil {
		return fmt.Errorf("store: read where units of collection %s stood: %w", id, err)
	}
	day := encodeDay(stood)
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlKeepDay, id, ms(at), day); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlDropDays, id, ms(at.AddDate(0, 0, -campaign.DaysKept)))
		return err
	})
	if db.IsUnique(err) {
		return nil // another server was faster
	}
	return err
}

// lastChange is the last change of where a unit stood, as far as it was read.
type lastChange struct {
	state   string
	at, log int64
}

// scanLog reads where all units of a collection stood at a time from the log; of tells
// where to put it, nil for units that are not asked for.
func scanLog(ctx context.Context, q db.Queryer, id tianbao.ID, until time.Time, of func(tianbao.ID) *lastChange) error {
	var unit, at, log int64
	var state string
	dest := []any{&unit, &at, &log, &state}
	return q.Each(ctx, func(scan db.Scan) error {
		if err := scan(dest...); err != nil {
			return err
		}
		if u := of(tianbao.ID(unit)); u != nil && (at > u.at || at == u.at && log >= u.log) {
			u.state, u.at, u.log = state, at, log
		}
		return nil
	}, sqlScanLog, id, ms(until))
}

// stoodThen tells where all units of a collection stood at a time, as scanLog, from what
// was kept of the day if it was.
func stoodThen(ctx context.Context, q db.Queryer, id tianbao.ID, at time.Time, of func(tianbao.ID) *lastChange) error {
	var kept []byte
	err := q.One(ctx, []any{&kept}, sqlStatusDay, id, ms(at))
	switch {
	case errors.Is(err, db.ErrNoRows):
		return scanLog(ctx, q, id, at, of)
	case err != nil:
		return err
	}
	return decodeDay(kept, func(unit tianbao.ID, state string) {
		if u := of(unit); u != nil {
			u.state = state
		}
	})
}

// A kept day: a version, the number of states and each of them with its length, the number
// of units, and of each, in the order of their ids, how far its id is from the one before
// and the number of its state.
const dayVersion = 1

func encodeDay(stood map[tianbao.ID]*lastChange) []byte {
	b := []byte{dayVersion}
	number := make(map[string]byte)
	var names []string
	for _, u := range stood {
		if _, ok := number[u.state]; !ok {
			number[u.state] = 0
			names = append(names, u.state)
		}
	}
	slices.Sort(names) // the same day, the same bytes
	b = append(b, byte(len(names)))
	for i, n := range names {
		number[n] = byte(i)
		b = append(append(b, byte(len(n))), n...)
	}
	b = binary.AppendUvarint(b, uint64(len(stood)))
	last := tianbao.ID(0)
	for _, id := range slices.Sorted(maps.Keys(stood)) {
		b = binary.AppendUvarint(b, uint64(id-last))
		b = append(b, number[stood[id].state])
		last = id
	}
	return b
}

var errDay = errors.New("store: a kept day is not readable")

func decodeDay(b []byte, fn func(unit tianbao.ID, state string)) error {
	if len(b) < 2 || b[0] != dayVersion {
		return errDay
	}
	names := make([]string, b[1])
	b = b[2:]
	for i := range names {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return errDay
		}
		names[i], b = string(b[1:1+b[0]]), b[1+b[0]:]
	}
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return errDay
	}
	b = b[n:]
	id := tianbao.ID(0)
	for range count {
		step, n := binary.Uvarint(b)
		if n <= 0 || n >= len(b) || int(b[n]) >= len(names) {
			return errDay
		}
		id += tianbao.ID(step)
		fn(id, names[b[n]])
		b = b[n+1:]
	}
	if len(b) > 0 {
		return errDay
	}
	return nil
}
