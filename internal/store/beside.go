package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"sync"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

const (
	sqlNearLists = `SELECT l.owner_id, MAX(l.version) FROM legacy_list l WHERE l.ready = $1 AND l.owner_id IN LIST GROUP BY l.owner_id`
	sqlOldUsers  = `SELECT l.user_key, l.unit_id FROM legacy_user l WHERE l.owner_id = $1 AND l.since <= $2 AND (l.gone = 0 OR l.gone > $2)`
	// Rows of other reports of a collection under a key; o is the row's unit.
	sqlBesideRows = `SELECT w.look_keys, o.id, o.name, o.path FROM row_key k JOIN report r ON r.id = k.report_id
 JOIN report_row w ON w.report_id = k.report_id AND w.row_id = k.row_id JOIN unit o ON o.id = w.unit_id
 WHERE k.kind = $1 AND k.k = $2 AND r.campaign_id = $3 AND r.id <> $4 AND w.unit_id <> $5 ORDER BY o.path LIMIT 50`
	sqlBesideKeys = `SELECT k.k FROM row_key k JOIN report r ON r.id = k.report_id WHERE k.kind = $1 AND r.campaign_id = $2 AND r.id <> $3`
)

// manyLookups is from how many rows on all keys of a collection are read at once.
const manyLookups = 200

// maxOldIndexes is how many old lists are kept in memory for look-ups.
const maxOldIndexes = 16

// oldIndex is an old list at a version: the units that have each user name.
type oldIndex struct {
	owner   tianbao.ID
	version int64
	units   map[[seal.IndexSize]byte][]tianbao.ID
}

// oldCache keeps old lists, the one used last at the end.
type oldCache struct {
	mu   sync.Mutex
	list []*oldIndex
}

// Beside implements report.Store.
func (s *Store) Beside(ctx context.Context, rep *tianbao.Report) (b tianbao.Beside, err error) {
	old, err := s.nearList(ctx, rep.OwnerPath)
	if err != nil {
		return b, err
	}
	if old != nil {
		b.Old = func(user string, unit tianbao.ID) (tianbao.OldMatch, error) {
			var k [seal.IndexSize]byte
			copy(k[:], s.ring.Index("legacy.user", compare.FoldUser(user)))
			units := old.units[k]
			switch {
			case len(units) == 0:
				return tianbao.OldUnknown, nil
			case unit == 0 || slices.Contains(units, unit) || slices.Contains(units, 0):
				return tianbao.OldHere, nil
			}
			return tianbao.OldOther, nil
		}
	}
	asked, all := 0, map[int64]bool(nil)
	b.Elsewhere = func(person string, unit tianbao.ID) (m tianbao.ElsewhereMatch, err error) {
		want := s.appendLook(nil, compare.KeyPerson, person)
		kind, k := int64(binary.BigEndian.Uint16(want)), int64(binary.BigEndian.Uint64(want[2:])) //nolint:gosec // bits
		if asked++; asked == manyLookups {
			all = make(map[int64]bool)
			if err := s.db.Each(ctx, func(scan db.Scan) error {
				var k int64
				err := scan(&k)
				all[k] = true
				return err
			}, sqlBesideKeys, kind, rep.Campaign, rep.ID); err != nil {
				return m, err
			}
		}
		if all != nil && !all[k] {
			return m, nil
		}
		own := tianbao.Scope{Paths: []string{rep.OwnerPath}}
		return m, s.db.Each(ctx, func(scan db.Scan) error {
			var look []byte
			var id tianbao.ID
			var name, path string
			if err := scan(&look, &id, &name, &path); err != nil || !holdsLook(look, want) {
				return err
			}
			m.Found = true
			if own.Covers(path) && !slices.Contains(m.Units, name) {
				m.Units = append(m.Units, name)
			}
			return nil
		}, sqlBesideRows, kind, k, rep.Campaign, rep.ID, unit)
	}
	return b, nil
}

// holdsLook reports whether a row's keyed indexes hold one.
func holdsLook(look, want []byte) bool {
	for ; len(look) >= lookSize; look = look[lookSize:] {
		if bytes.Equal(look[:lookSize], want) {
			return true
		}
	}
	return false
}

// nearList returns the old list of the nearest bureau at or above a unit, nil without one.
func (s *Store) nearList(ctx context.Context, path string) (*oldIndex, error) {
	chain := onPath(path)
	versions := make(map[tianbao.ID]int64)
	err := listed(sqlNearLists, chain, []any{true}, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var owner tianbao.ID
			var version int64
			err := scan(&owner, &version)
			versions[owner] = version
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, err
	}
	for _, owner := range slices.Backward(chain) {
		if version := versions[owner]; version > 0 {
			return s.oldIndexOf(ctx, owner, version)
		}
	}
	return nil, nil
}

func (s *Store) oldIndexOf(ctx context.Context, owner tianbao.ID, version int64) (*oldIndex, error) {
	s.olds.mu.Lock()
	defer s.olds.mu.Unlock()
	at := slices.IndexFunc(s.olds.list, func(x *oldIndex) bool { return x.owner == owner })
	if at >= 0 && s.olds.list[at].version == version {
		return s.olds.list[at], nil
	}
	x := &oldIndex{owner: owner, version: version, units: make(map[[seal.IndexSize]byte][]tianbao.ID)}
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var user []byte
		var unit tianbao.ID
		if err := scan(&user, &unit); err != nil || len(user) != seal.IndexSize {
			return err
		}
		k := [seal.IndexSize]byte(user)
		x.units[k] = append(x.units[k], unit)
		return nil
	}, sqlOldUsers, owner, version)
	if err != nil {
		return nil, err
	}
	if at >= 0 {
		s.olds.list = slices.Delete(s.olds.list, at, at+1)
	} else if len(s.olds.list) == maxOldIndexes {
		s.olds.list = slices.Delete(s.olds.list, 0, 1)
	}
	s.olds.list = append(s.olds.list, x)
	return x, nil
}
