package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"tianbao"
	"tianbao/internal/db"
)

// unitKeys are the register's own keys, the most certain first, by the name under
// which forms have them.
func unitKeys() [3]string { return [...]string{"org_code", "budget_code", "unit_name"} }

const (
	sqlByOrgCode    = `SELECT ` + unitColumns + `, u.valid_to FROM unit u WHERE u.org_code = $1`
	sqlByBudgetCode = `SELECT ` + unitColumns + `, u.valid_to FROM unit u WHERE u.budget_code = $1`
	sqlByName       = `SELECT ` + unitColumns + `, u.valid_to FROM unit u WHERE u.name = $1`
	sqlByAlias      = `SELECT ` + unitColumns + `, u.valid_to FROM unit_alias a JOIN unit u ON u.id = a.unit_id WHERE a.field = $1 AND a.value = $2`
	sqlAllKnown     = `SELECT ` + unitColumns + `, u.valid_to FROM unit u ORDER BY u.id`
	sqlAllAliases   = `SELECT a.unit_id, a.field, a.value FROM unit_alias a ORDER BY a.unit_id, a.field, a.value`
)

// knownUnit is a unit with the day on which it closed.
type knownUnit struct {
	tianbao.Unit
	to      int64
	aliases []tianbao.UnitAlias
}

func scanKnown(scan db.Scan) (*knownUnit, error) {
	k := new(knownUnit)
	err := scan(&k.ID, &k.Parent, &k.Region, &k.Path, &k.Name, &k.BudgetCode, &k.OrgCode, &k.Type, &k.Kind, &k.to)
	return k, err
}

func (k *knownUnit) open(now int64) bool { return k.to == 0 || k.to > now }

// bearers gives the units, wherever they lie, that have a value of a key: own as their
// own, or as an alias.
type bearers func(key, value string, own bool) ([]*knownUnit, error)

// seek finds the unit that the keys name. Each key, the most certain first, either finds
// one unit of the scope, which is the answer; or several, among which the next key
// chooses; or none, and is passed over. An open unit that has a value itself goes before
// one that has it as an alias, as the heir of a merged unit does, and both before one that
// has closed. What is found out of scope is told as such only if nothing is found in it.
func seek(keys map[string]string, scope tianbao.Scope, now int64, by bearers) (m tianbao.UnitMatch, err error) {
	var among map[tianbao.ID]bool
	for _, key := range unitKeys() {
		value := keys[key]
		if value == "" {
			continue
		}
		own, err := by(key, value, true)
		if err != nil {
			return m, err
		}
		found, outside := openIn(own, scope, now)
		if len(found) == 0 {
			aliases, err := by(key, value, false)
			if err != nil {
				return m, err
			}
			also, more := openIn(aliases, scope, now)
			found, outside = also, outside || more
		}
		if len(found) == 0 {
			for _, k := range own {
				if scope.Covers(k.Path) { // none but closed ones
					found = append(found, k)
				}
			}
		}
		m.Outside = m.Outside || outside
		if among != nil {
			found = slices.DeleteFunc(found, func(k *knownUnit) bool { return !among[k.ID] })
		}
		switch len(found) {
		case 0:
		case 1:
			k := found[0]
			return tianbao.UnitMatch{Unit: &k.Unit, Closed: !k.open(now), Aliases: k.aliases}, nil
		default:
			among = make(map[tianbao.ID]bool, len(found))
			for _, k := range found {
				among[k.ID] = true
			}
		}
	}
	if among != nil {
		return tianbao.UnitMatch{Several: true}, nil
	}
	return m, nil
}

// openIn returns those of the units that are open and lie in the scope, and whether
// others are open.
func openIn(units []*knownUnit, scope tianbao.Scope, now int64) (in []*knownUnit, outside bool) {
	for _, k := range units {
		switch {
		case !k.open(now):
		case scope.Covers(k.Path):
			in = append(in, k)
		default:
			outside = true
		}
	}
	return in, outside
}

// UnitOf returns the unit within the scope that the keys name, as the finder of
// UnitFinder does.
func (s *Store) UnitOf(ctx context.Context, scope tianbao.Scope, keys map[string]string) (tianbao.ID, error) {
	m, err := seek(keys, scope, ms(s.now()), s.asked(ctx))
	return m.ID(), err
}

// asked asks the database for each value.
func (s *Store) asked(ctx context.Context) bearers {
	return func(key, value string, own bool) ([]*knownUnit, error) {
		if !own {
			return db.Collect(ctx, s.db, scanKnown, sqlByAlias, key, value)
		}
		sql := sqlByName
		switch key {
		case "org_code":
			sql = sqlByOrgCode
		case "budget_code":
			sql = sqlByBudgetCode
		}
		return db.Collect(ctx, s.db, scanKnown, sql, value)
	}
}

// asks is a finder that asks the database: for a row that says of its unit what the
// register says, one query by an index.
func (s *Store) asks(ctx context.Context, scope tianbao.Scope, now int64) tianbao.UnitFinder {
	by := s.asked(ctx)
	return func(keys map[string]string) (tianbao.UnitMatch, error) {
		m, err := seek(keys, scope, now, by)
		if err != nil || m.Unit == nil {
			return m, err
		}
		for _, key := range unitKeys() {
			if keys[key] != "" && keys[key] != m.Unit.Key(key) {
				m.Aliases, err = db.Collect(ctx, s.db, scanAlias, sqlAliasesOf, m.Unit.ID)
				break
			}
		}
		return m, err
	}
}

// UnitFinder implements report.Store. The register is kept in memory as of a version,
// which is asked for each time; a register that has changed is read anew where many units
// are to be looked up, and asked for the few otherwise.
func (s *Store) UnitFinder(ctx context.Context, scope tianbao.Scope, lookups int) (tianbao.UnitFinder, error) {
	now := ms(s.now())
	ix := s.known.index.Load()
	if ix != nil || lookups >= askMany {
		var version int64
		if err := one(ctx, s.db, []any{&version}, sqlRegisterVersion); err != nil {
			return nil, err
		}
		if ix == nil || ix.version != version {
			if ix = nil; lookups >= askMany {
				var err error
				if ix, err = s.readKnown(ctx, version); err != nil {
					return nil, err
				}
			}
		}
	}
	if ix == nil {
		return s.asks(ctx, scope, now), nil
	}
	return func(keys map[string]string) (tianbao.UnitMatch, error) { return seek(keys, scope, now, ix.bearers) }, nil
}

// askMany is from how many look-ups on a register that has changed is read anew.
const askMany = 32

// unitCache keeps the register as it was read last.
type unitCache struct {
	index atomic.Pointer[unitIndex]
	once  sync.Mutex // held by who reads it
}

// unitIndex is the register at a version; it never changes.
type unitIndex struct {
	version int64
	own     map[[2]string][]*knownUnit
	alias   map[[2]string][]*knownUnit
}

func (ix *unitIndex) bearers(key, value string, own bool) ([]*knownUnit, error) {
	if own {
		return ix.own[[2]string{key, value}], nil
	}
	return ix.alias[[2]string{key, value}], nil
}

// readKnown reads the register; who comes meanwhile waits and shares it.
func (s *Store) readKnown(ctx context.Context, version int64) (*unitIndex, error) {
	s.known.once.Lock()
	defer s.known.once.Unlock()
	if ix := s.known.index.Load(); ix != nil && ix.version >= version {
		return ix, nil
	}
	ix := &unitIndex{}
	err := s.db.Read(ctx, func(q db.Queryer) error {
		if err := one(ctx, q, []any{&ix.version}, sqlRegisterVersion); err != nil {
			return err
		}
		units, err := db.Collect(ctx, q, scanKnown, sqlAllKnown)
		if err != nil {
			return err
		}
		ix.own = make(map[[2]string][]*knownUnit, 3*len(units))
		ix.alias = make(map[[2]string][]*knownUnit)
		byID := make(map[tianbao.ID]*knownUnit, len(units))
		room := make([]*knownUnit, 0, 3*len(units)) // of the lists of one, in one piece
		for _, k := range units {
			byID[k.ID] = k
			for _, key := range unitKeys() {
				at := [2]string{key, k.Key(key)}
				if at[1] == "" {
					continue
				}
				if list, met := ix.own[at]; met {
					ix.own[at] = append(list, k)
					continue
				}
				room = append(room, k)
				ix.own[at] = room[len(room)-1 : len(room) : len(room)]
			}
		}
		return q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var a tianbao.UnitAlias
			err := scan(&id, &a.Field, &a.Value)
			if k := byID[id]; k != nil {
				k.aliases = append(k.aliases, a)
				ix.alias[[2]string{a.Field, a.Value}] = append(ix.alias[[2]string{a.Field, a.Value}], k)
			}
			return err
		}, sqlAllAliases)
	})
	if err != nil {
		return nil, err
	}
	s.known.index.Store(ix)
	return ix, nil
}
