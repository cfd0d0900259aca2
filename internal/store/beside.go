package store

import (
	"context"
	"slices"
	"sync"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

const (
	sqlNearLists = `SELECT l.owner_id, MAX(l.version) FROM legacy_list l WHERE l.ready = $1 AND l.dropped = 0 AND l.owner_id IN LIST GROUP BY l.owner_id`
	sqlOldUsers  = `SELECT l.user_key, l.unit_id FROM legacy_user l WHERE l.owner_id = $1 AND l.since <= $2 AND (l.gone = 0 OR l.gone > $2)`
	// Rows of other reports of a collection under a key; o is the row's unit.
	sqlBesideRows = `SELECT w.look_keys, o.id, o.name, o.path FROM report_row w JOIN report r ON r.id = w.report_id JOIN unit o ON o.id = w.unit_id
 WHERE r.campaign_id = $1 AND r.id <> $2 AND w.unit_id <> $3 AND PLACES(w) ORDER BY o.path LIMIT 50`
	sqlBesideSome = `SELECT k.k FROM row_key k WHERE k.kind = $1 AND k.k IN LIST`
	sqlBesideKeys = `SELECT k.k FROM row_key k JOIN report r ON r.id = k.report_id WHERE k.kind = $1 AND r.campaign_id = $2 AND r.id <> $3`
)

// From how many rows on all keys of a collection are read at once. The sheet of a school must
// not read those of the province, so it follows its size: a unit has some rows, and a key is
// read in a sixteenth of the time that a look-up takes.
const (
	manyLookups = 200
	manyShare   = 4 // of the units
)

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
	asked, many, all := 0, manyLookups, map[int64]bool(nil)
	expected := make(map[string]bool) // whether anybody has them
	b.Expect = func(persons []string) error { return s.expect(ctx, persons, expected) }
	b.Elsewhere = func(person string, unit tianbao.ID) (m tianbao.ElsewhereMatch, err error) {
		if there, told := expected[person]; told && !there {
			return m, nil
		}
		want := s.appendLook(nil, compare.KeyPerson, person)
		k := lookKeys(want)[0]
		if asked++; asked == manyLookups {
			units, err := s.registered(ctx, s.db)
			if err != nil {
				return m, err
			}
			many = max(many, units/manyShare)
		}
		if asked == many {
			all = make(map[int64]bool)
			found := func(k int64) { all[k] = true }
			if err := s.keysLogged(ctx, k.kind, found); err != nil {
				return m, err
			}
			if err := s.eachKey(ctx, found, sqlBesideKeys, k.kind, rep.Campaign, rep.ID); err != nil {
				return m, err
			}
		}
		if all != nil && !all[k.k] {
			return m, nil
		}
		places, err := s.keyPlaces(ctx, k)
		if err != nil {
			return m, err
		}
		own := tianbao.Scope{Paths: []string{rep.OwnerPath}}
		return m, atPlaces(sqlBesideRows, places, []any{rep.Campaign, rep.ID, unit}, func(sql string, args []any) error {
			return s.db.Each(ctx, func(scan db.Scan) error {
				var look []byte
				var id tianbao.ID
				var name, path string
				if err := scan(&look, &id, &name, &path); err != nil || !hasLook(look, want) {
					return err
				}
				m.Found = true
				if own.Covers(path) && !slices.Contains(m.Units, name) {
					m.Units = append(m.Units, name)
				}
				return nil
			}, sql, args...)
		})
	}
	return b, nil
}

// expect notes which persons stand in any row, by one question for all of them.
func (s *Store) expect(ctx context.Context, persons []string, there map[string]bool) error {
	keys := make(map[int64]bool, len(persons))
	found := func(k int64) { keys[k] = true }
	of := make([]int64, len(persons))
	kind := keyKind(compare.KeyPerson)
	for i, p := range persons {
		of[i] = lookKeys(s.appendLook(nil, compare.KeyPerson, p))[0].k
	}
	left, err := s.sieve(ctx, of, found)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		s.wantFilter(ctx)
	}
	err = listed(sqlBesideSome, left, []any{kind}, func(sql string, args []any) error {
		return s.eachKey(ctx, found, sql, args...)
	})
	for i, p := range persons {
		there[p] = keys[of[i]]
	}
	return err
}

func (s *Store) eachKey(ctx context.Context, found func(k int64), sql string, args ...any) error {
	return s.db.Each(ctx, func(scan db.Scan) error {
		var k int64
		err := scan(&k)
		found(k)
		return err
	}, sql, args...)
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
