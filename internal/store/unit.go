package store

import (
	"context"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/db"
)

const unitColumns = `u.id, u.parent, u.region_id, u.path, u.name, u.budget_code, u.org_code, u.type, u.kind`

func scanUnit(scan db.Scan) (u tianbao.Unit, err error) {
	err = scan(&u.ID, &u.Parent, &u.Region, &u.Path, &u.Name, &u.BudgetCode, &u.OrgCode, &u.Type, &u.Kind)
	return u, err
}

const (
	sqlUnit  = `SELECT ` + unitColumns + ` FROM unit u WHERE u.id = $1 AND SCOPE(u.path)`
	sqlUnits = `SELECT ` + unitColumns + ` FROM unit u
 WHERE SCOPE(u.path) AND (u.valid_to = 0 OR u.valid_to > $2)
 AND (lower(u.name) LIKE $1 ESCAPE '\' OR lower(u.budget_code) LIKE $1 ESCAPE '\' OR lower(u.org_code) LIKE $1 ESCAPE '\')
 ORDER BY u.path LIMIT $3`
	sqlUnitByKey = `SELECT ` + unitColumns + ` FROM unit u
 WHERE (u.org_code = $1 OR u.budget_code = $1) AND (u.valid_to = 0 OR u.valid_to > $2) ORDER BY u.path LIMIT 2`
	sqlUnitByID = `SELECT ` + unitColumns + ` FROM unit u WHERE u.id = $1`
)

// Unit returns a unit in scope.
func (s *Store) Unit(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Unit, error) {
	sql, args := within(sqlUnit, scope, id)
	return first(ctx, s.db, scanUnit, sql, args...)
}

// Units returns units in scope by name or code, for pickers.
func (s *Store) Units(ctx context.Context, scope tianbao.Scope, q string, limit int) ([]tianbao.Unit, error) {
	sql, args := within(sqlUnits, scope, contains(q), ms(s.now()), max(limit, 0))
	return db.Collect(ctx, s.db, scanUnit, sql, args...)
}

// FindUnit returns the open unit with the given organisation code or budget code, or the
// one with the id, whatever the scope. A code that several units bear is tianbao.ErrInvalid.
func (s *Store) FindUnit(ctx context.Context, key string) (tianbao.Unit, error) {
	if key == "" {
		return tianbao.Unit{}, tianbao.NotFound()
	}
	units, err := db.Collect(ctx, s.db, scanUnit, sqlUnitByKey, key, ms(s.now()))
	switch {
	case err != nil:
		return tianbao.Unit{}, err
	case len(units) == 1:
		return units[0], nil
	case len(units) > 1:
		return tianbao.Unit{}, tianbao.Invalid("unit_ambiguous", "有多个单位使用这个代码，请改填单位的另一个代码或单位编号。")
	}
	id, err := tianbao.ParseID(key)
	if err != nil {
		return tianbao.Unit{}, tianbao.NotFound()
	}
	return first(ctx, s.db, scanUnit, sqlUnitByID, id)
}

const sqlBudgetCodes = `SELECT DISTINCT u.budget_code FROM unit u WHERE u.budget_code <> ''`

// PaddedCodes returns the budget codes that begin with zeros by what is left when a
// spreadsheet takes them for numbers; codes that some unit bears as they are, and
// those of which several are left alike, are not among them.
func (s *Store) PaddedCodes(ctx context.Context) (map[string]string, error) {
	codes, err := db.Collect(ctx, s.db, func(scan db.Scan) (code string, err error) {
		err = scan(&code)
		return code, err
	}, sqlBudgetCodes)
	if err != nil {
		return nil, err
	}
	padded, taken := make(map[string]string), make(map[string]bool)
	for _, code := range codes {
		bare := strings.TrimLeft(code, "0")
		if bare == code || bare == "" || taken[bare] {
			taken[code] = true
			continue
		}
		if _, twice := padded[bare]; twice {
			taken[bare] = true
			continue
		}
		padded[bare] = code
	}
	for bare := range taken {
		delete(padded, bare)
	}
	return padded, nil
}

const (
	sqlByOrgCode    = `SELECT u.id, u.valid_to FROM unit u WHERE u.org_code = $1 AND SCOPE(u.path)`
	sqlByBudgetCode = `SELECT u.id, u.valid_to FROM unit u WHERE u.budget_code = $1 AND SCOPE(u.path)`
	sqlByName       = `SELECT u.id, u.valid_to FROM unit u WHERE u.name = $1 AND SCOPE(u.path)`
	sqlByAlias      = `SELECT u.id, u.valid_to FROM unit_alias a JOIN unit u ON u.id = a.unit_id
 WHERE a.field = $1 AND a.value = $2 AND SCOPE(u.path)`
)

const (
	sqlAllKeys    = `SELECT u.id, u.valid_to, u.org_code, u.budget_code, u.name FROM unit u WHERE SCOPE(u.path)`
	sqlAllAliases = `SELECT u.id, u.valid_to, a.field, a.value FROM unit_alias a JOIN unit u ON u.id = a.unit_id WHERE SCOPE(u.path)`
)

// unitKeys are the register's own keys, the most certain first, by the name under
// which forms have them.
func unitKeys() [3]struct{ field, sql string } {
	return [...]struct{ field, sql string }{
		{"org_code", sqlByOrgCode}, {"budget_code", sqlByBudgetCode}, {"unit_name", sqlByName},
	}
}

// UnitOf returns the unit within the scope that the keys name, as the finder of
// UnitFinder does.
func (s *Store) UnitOf(ctx context.Context, scope tianbao.Scope, keys map[string]string) (tianbao.ID, error) {
	return unitOf(keys, func(field, sql, value string) ([]tianbao.ID, error) { return s.unitsBy(ctx, scope, field, sql, value) })
}

// askMany is from how many look-ups on the register is read whole: one query for
// all units costs as much as some two hundred for one.
const askMany = 200

// UnitFinder implements report.Store. For few look-ups each is a query; for many
// the units in scope are read once and looked up in memory.
func (s *Store) UnitFinder(ctx context.Context, scope tianbao.Scope, lookups int) (func(keys map[string]string) (tianbao.ID, error), error) {
	if lookups < askMany {
		return func(keys map[string]string) (tianbao.ID, error) { return s.UnitOf(ctx, scope, keys) }, nil
	}
	own, alias := make(map[[2]string][]keyed), make(map[[2]string][]keyed)
	now := ms(s.now())
	err := s.db.Read(ctx, func(q db.Queryer) error {
		sql, args := within(sqlAllKeys, scope)
		err := q.Each(ctx, func(scan db.Scan) error {
			var k keyed
			var org, budget, name string
			err := scan(&k.id, &k.to, &org, &budget, &name)
			for field, v := range map[string]string{"org_code": org, "budget_code": budget, "unit_name": name} {
				own[[2]string{field, v}] = append(own[[2]string{field, v}], k)
			}
			return err
		}, sql, args...)
		if err != nil {
			return err
		}
		sql, args = within(sqlAllAliases, scope)
		return q.Each(ctx, func(scan db.Scan) error {
			var bearer keyed
			var k [2]string
			err := scan(&bearer.id, &bearer.to, &k[0], &k[1])
			alias[k] = append(alias[k], bearer)
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, err
	}
	return func(keys map[string]string) (tianbao.ID, error) {
		return unitOf(keys, func(field, _, value string) ([]tianbao.ID, error) {
			return bearers(own[[2]string{field, value}], now, func() ([]keyed, error) { return alias[[2]string{field, value}], nil })
		})
	}, nil
}

// unitOf: each key, the most certain first, either finds one unit, which is the
// answer; or several, among which the next key chooses; or none, and is passed
// over. Aliases of a unit count like its own values.
func unitOf(keys map[string]string, by func(field, sql, value string) ([]tianbao.ID, error)) (tianbao.ID, error) {
	var among []tianbao.ID
	for _, k := range unitKeys() {
		value := keys[k.field]
		if value == "" {
			continue
		}
		found, err := by(k.field, k.sql, value)
		if err != nil {
			return 0, err
		}
		if among != nil {
			found = slices.DeleteFunc(found, func(id tianbao.ID) bool { return !slices.Contains(among, id) })
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			among = found
		}
	}
	return 0, nil
}

// keyed is a unit that bears a value, with the day on which it closed.
type keyed struct {
	id tianbao.ID
	to int64
}

func scanKeyed(scan db.Scan) (k keyed, err error) {
	err = scan(&k.id, &k.to)
	return k, err
}

// bearers returns the open units that have a value themselves; if none has, those that
// have it as an alias, as the heir of a merged unit does; and if there is none either,
// the closed ones.
func bearers(own []keyed, now int64, aliases func() ([]keyed, error)) ([]tianbao.ID, error) {
	open := func(list []keyed) (ids []tianbao.ID) {
		for _, k := range list {
			if k.to == 0 || k.to > now {
				ids = append(ids, k.id)
			}
		}
		return ids
	}
	if ids := open(own); len(ids) > 0 {
		return ids, nil
	}
	alias, err := aliases()
	if err != nil {
		return nil, err
	}
	if ids := open(alias); len(ids) > 0 {
		return ids, nil
	}
	var ids []tianbao.ID
	for _, k := range own {
		ids = append(ids, k.id)
	}
	return ids, nil
}

// unitsBy returns the units within the scope that bear the value.
func (s *Store) unitsBy(ctx context.Context, scope tianbao.Scope, field, sql, value string) ([]tianbao.ID, error) {
	sql, args := within(sql, scope, value)
	own, err := db.Collect(ctx, s.db, scanKeyed, sql, args...)
	if err != nil {
		return nil, err
	}
	return bearers(own, ms(s.now()), func() ([]keyed, error) {
		sql, args := within(sqlByAlias, scope, field, value)
		return db.Collect(ctx, s.db, scanKeyed, sql, args...)
	})
}
