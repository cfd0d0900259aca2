package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
)

func (s *Store) activationKey(code string) []byte { return s.ring.Index("activation", code) }

const (
	sqlPeopleUnits = `SELECT ` + unitColumns + ` FROM unit u
 WHERE SCOPE(u.path) AND (u.valid_to = 0 OR u.valid_to > $1) AND u.search LIKE $2 ESCAPE '\'
 ORDER BY u.path LIMIT $3 OFFSET $4`
	sqlPeople = `SELECT g.unit_id, p.id, p.name, p.disabled, p.last_seen FROM role_grant g JOIN app_user p ON p.id = g.user_id
 WHERE g.role = 'filler' AND g.valid_from <= $1 AND (g.valid_to = 0 OR g.valid_to > $1) AND g.unit_id IN LIST`
	sqlOpenCodes = `SELECT a.unit_id, MAX(a.expires) FROM activation a
 WHERE a.used = 0 AND a.user_id = 0 AND a.expires > $1 AND a.unit_id IN LIST GROUP BY a.unit_id`
)

// UnitPeople implements auth.ActivationStore.
func (s *Store) UnitPeople(ctx context.Context, scope tianbao.Scope, q string, offset, limit int) ([]auth.UnitPeople, error) {
	if len(q) > 4*maxSearch || strings.ContainsRune(q, 0) {
		return nil, nil // no unit is called so, and PostgreSQL takes no NUL
	}
	var out []auth.UnitPeople
	err := s.db.Read(ctx, func(r db.Queryer) error {
		now := ms(s.now())
		sql, args := within(sqlPeopleUnits, scope, now, contains(strings.TrimSpace(q)), max(limit, 0), max(offset, 0))
		units, err := db.Collect(ctx, r, scanUnit, sql, args...)
		if err != nil {
			return err
		}
		ids, at := make([]tianbao.ID, len(units)), make(map[tianbao.ID]int)
		out = make([]auth.UnitPeople, len(units))
		for i, u := range units {
			out[i].Unit, ids[i], at[u.ID] = u, u.ID, i
		}
		err = listed(sqlPeople, ids, []any{now}, func(sql string, args []any) error {
			return r.Each(ctx, func(scan db.Scan) error {
				var unit tianbao.ID
				var a auth.UnitAccount
				var seen int64
				if err := scan(&unit, &a.ID, &a.Name, &a.Disabled, &seen); err != nil {
					return err
				}
				a.LastSeen = when(seen)
				out[at[unit]].Accounts = append(out[at[unit]].Accounts, a)
				return nil
			}, sql, args...)
		})
		if err != nil {
			return err
		}
		return listed(sqlOpenCodes, ids, []any{now}, func(sql string, args []any) error {
			return r.Each(ctx, func(scan db.Scan) error {
				var unit tianbao.ID
				var expires int64
				err := scan(&unit, &expires)
				if i, ok := at[unit]; err == nil && ok {
					out[i].Open = when(expires)
				}
				return err
			}, sql, args...)
		})
	})
	for i := range out {
		slices.SortFunc(out[i].Accounts, func(a, b auth.UnitAccount) int { return cmp.Compare(a.ID, b.ID) })
	}
	return out, err
}

const sqlUnitsWithout = `SELECT ` + unitColumns + ` FROM unit u
 WHERE SCOPE(u.path) AND u.path >= $1 AND u.path < $2 AND (u.valid_to = 0 OR u.valid_to > $3)
 AND NOT EXISTS (SELECT 1 FROM role_grant g JOIN app_user p ON p.id = g.user_id
  WHERE g.unit_id = u.id AND p.disabled = $4 AND (g.valid_to = 0 OR g.valid_to > $3))
 ORDER BY u.path LIMIT $5`

// UnitsWithout implements auth.ActivationStore.
func (s *Store) UnitsWithout(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, below bool, limit int) ([]tianbao.Unit, error) {
	u, err := s.Unit(ctx, scope, unit)
	if err != nil {
		return nil, err
	}
	if !below {
		return []tianbao.Unit{u}, nil
	}
	sql, args := within(sqlUnitsWithout, scope, u.Path, u.Path+"~", ms(s.now()), false, limit)
	return db.Collect(ctx, s.db, scanUnit, sql, args...)
}

const sqlAllUserGrants = `SELECT g.role, g.unit_id FROM role_grant g WHERE g.user_id = $1 ORDER BY g.id`

// FillerIn implements auth.ActivationStore. Grants to come and those that are over
// count too: nobody gets at an account that is more than a filler.
func (s *Store) FillerIn(ctx context.Context, scope tianbao.Scope, user tianbao.ID) (tianbao.User, tianbao.Unit, error) {
	none := func(err error) (tianbao.User, tianbao.Unit, error) { return tianbao.User{}, tianbao.Unit{}, err }
	u, err := s.UserByID(ctx, user)
	if err != nil {
		return none(err)
	}
	grants, err := db.Collect(ctx, s.db, func(scan db.Scan) (g tianbao.Grant, err error) {
		err = scan(&g.Role, &g.Unit)
		return g, err
	}, sqlAllUserGrants, user)
	if err != nil {
		return none(err)
	}
	if u.Office != "" || u.Asked != "" || len(grants) == 0 {
		return none(tianbao.NotFound())
	}
	var first tianbao.Unit
	for i, g := range grants {
		if g.Role != tianbao.RoleFiller {
			return none(tianbao.NotFound())
		}
		unit, err := s.Unit(ctx, scope, g.Unit)
		if err != nil {
			return none(err)
		}
		if i == 0 {
			first = unit
		}
	}
	return u, first, nil
}

const (
	// A code that is replaced, or that is used, has its time of use.
	sqlEndCodes         = `UPDATE activation SET used = $1 WHERE unit_id = $2 AND user_id = $3 AND used = 0`
	sqlInsertActivation = `INSERT INTO activation (id, k, unit_id, user_id, by_id, created, expires, used) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`
	sqlActivation       = `SELECT a.id, a.unit_id, a.user_id, a.by_id, a.created, a.expires FROM activation a WHERE a.k = $1 AND a.used = 0 AND a.expires > $2`
	sqlUseActivation    = `UPDATE activation SET used = $1 WHERE id = $2 AND used = 0`
)

// PutActivations implements auth.ActivationStore.
func (s *Store) PutActivations(ctx context.Context, by tianbao.ID, as []auth.Activation, events ...tianbao.Event) error {
	batch := s.activations(by, as)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Send(ctx, batch); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// activations are the statements that store codes.
func (s *Store) activations(by tianbao.ID, as []auth.Activation) []db.Statement {
	var batch []db.Statement
	for _, a := range as {
		batch = append(batch,
			db.Statement{SQL: sqlEndCodes, Args: []any{ms(a.Created), a.Unit.ID, a.User}},
			db.Statement{SQL: sqlInsertActivation, Args: []any{a.ID, s.activationKey(auth.PlainCode(a.Code)), a.Unit.ID, a.User, by, ms(a.Created), ms(a.Expires)}})
	}
	return batch
}

// Activation implements auth.ActivationStore.
func (s *Store) Activation(ctx context.Context, code string, now time.Time) (a auth.Activation, err error) {
	var created, expires int64
	err = one(ctx, s.db, []any{&a.ID, &a.Unit.ID, &a.User, &a.By, &created, &expires}, sqlActivation, s.activationKey(code), ms(now))
	if err != nil {
		return auth.Activation{}, err
	}
	a.Created, a.Expires = when(created), when(expires)
	if a.Unit, err = first(ctx, s.db, scanUnit, sqlUnitByID, a.Unit.ID); err != nil || a.User == 0 {
		return a, err
	}
	u, err := s.UserByID(ctx, a.User)
	if err == nil && u.Disabled {
		err = tianbao.NotFound()
	}
	a.Login = u.Login
	return a, err
}

// ActivateNew implements auth.ActivationStore.
func (s *Store) ActivateNew(ctx context.Context, a auth.Activation, u tianbao.User, hash string, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := useActivation(ctx, tx, a, at); err != nil {
			return err
		}
		if err := s.insertUser(ctx, tx, &u, hash); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// ActivateOld implements auth.ActivationStore.
func (s *Store) ActivateOld(ctx context.Context, a auth.Activation, hash string, keep int, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := useActivation(ctx, tx, a, at); err != nil {
			return err
		}
		if err := s.setPassword(ctx, tx, a.User, false, hash, keep, at); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// useActivation uses a code up; of two who use it at once, one finds it used.
func useActivation(ctx context.Context, tx db.Tx, a auth.Activation, at time.Time) error {
	n, err := tx.Exec(ctx, sqlUseActivation, ms(at), a.ID)
	if err == nil && n == 0 {
		err = tianbao.NotFound()
	}
	return err
}
