package store

import (
	"context"
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

const (
	sqlPaddedCodes = `SELECT DISTINCT u.budget_code FROM unit u WHERE u.budget_code >= '0' AND u.budget_code < '1'`
	sqlBareCodes   = `SELECT u.budget_code FROM unit u WHERE u.budget_code <> '' AND (u.budget_code < '0' OR u.budget_code >= '1')`
)

// PaddedCodes returns the budget codes that begin with zeros by what is left when a
// spreadsheet takes them for numbers; codes that some unit bears as they are, and
// those of which several are left alike, are not among them.
func (s *Store) PaddedCodes(ctx context.Context) (map[string]string, error) {
	padded, twice := make(map[string]string), make(map[string]bool)
	each := func(sql string, fn func(code string)) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var code string
			err := scan(&code)
			fn(code)
			return err
		}, sql)
	}
	err := each(sqlPaddedCodes, func(code string) {
		bare := strings.TrimLeft(code, "0")
		if _, ok := padded[bare]; ok {
			twice[bare] = true
		}
		padded[bare] = code
	})
	delete(padded, "") // nothing but zeros
	for bare := range twice {
		delete(padded, bare)
	}
	if err != nil || len(padded) == 0 {
		return padded, err
	}
	err = each(sqlBareCodes, func(code string) { delete(padded, code) })
	return padded, err
}
