package store

import (
	"context"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/provision"
)

// Accounts of the new platform as other systems page through them.

const (
	sqlAccountsAt = `SELECT ` + accountColumns + ` FROM platform_account a
 WHERE EXISTS (SELECT 1 FROM platform_unit m JOIN unit u ON u.id = m.unit_id WHERE m.account_id = a.id AND SCOPE(u.path))
 ORDER BY a.id LIMIT $1 OFFSET $2`
	sqlAccountByExternal = `SELECT ` + accountColumns + ` FROM platform_account a WHERE a.external = $1 AND a.external <> '' AND EXISTS (SELECT 1 FROM platform_unit m JOIN unit u ON u.id = m.unit_id WHERE m.account_id = a.id AND SCOPE(u.path))`
	groupsIn             = ` FROM unit u WHERE SCOPE(u.path) AND (u.id = $1 OR $1 = 0) AND EXISTS (SELECT 1 FROM platform_unit m WHERE m.unit_id = u.id)`
	sqlGroups            = `SELECT ` + unitColumns + groupsIn + ` ORDER BY u.id LIMIT $2 OFFSET $3`
	sqlCountGroups       = `SELECT COUNT(*)` + groupsIn
	sqlMembers           = `SELECT m.unit_id, m.account_id FROM platform_unit m WHERE m.unit_id IN LIST ORDER BY m.unit_id, m.account_id`
)

// AccountsAt returns accounts with a unit in scope, in the order of ids, from an offset on.
func (s *Store) AccountsAt(ctx context.Context, scope tianbao.Scope, offset, limit int) (out []provision.Stored, err error) {
	sql, args := within(sqlAccountsAt, scope, max(limit, 0), max(offset, 0))
	err = s.db.Read(ctx, func(q db.Queryer) (err error) {
		out, err = s.accounts(ctx, q, sql, args...)
		return err
	})
	return out, err
}

// AccountByExternal returns the account in scope that has an id at the other side.
func (s *Store) AccountByExternal(ctx context.Context, scope tianbao.Scope, external string) (provision.Stored, error) {
	sql, args := within(sqlAccountByExternal, scope, external)
	return s.oneAccount(ctx, sql, args)
}

// AccountGroups returns the units in scope that have accounts, or the named one, with the
// accounts of each, and how many such units there are.
func (s *Store) AccountGroups(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, offset, limit int) (units []tianbao.Unit, members map[tianbao.ID][]tianbao.ID, total int, err error) {
	members = make(map[tianbao.ID][]tianbao.ID)
	err = s.db.Read(ctx, func(q db.Queryer) error {
		sql, args := within(sqlCountGroups, scope, unit)
		if err := q.One(ctx, []any{&total}, sql, args...); err != nil {
			return err
		}
		sql, args = within(sqlGroups, scope, unit, max(limit, 0), max(offset, 0))
		var err error
		if units, err = db.Collect(ctx, q, scanUnit, sql, args...); err != nil {
			return err
		}
		ids := make([]tianbao.ID, len(units))
		for i := range units {
			ids[i] = units[i].ID
		}
		return listed(sqlMembers, ids, nil, func(sql string, args []any) error {
			return q.Each(ctx, func(scan db.Scan) error {
				var u, a tianbao.ID
				err := scan(&u, &a)
				members[u] = append(members[u], a)
				return err
			}, sql, args...)
		})
	})
	return units, members, total, err
}
