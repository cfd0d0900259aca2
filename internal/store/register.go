package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// This file and those beside it, register_*.go, keep the register of units in time; see
// migration 0020. What may be changed is decided by internal/org.

const entryColumns = unitColumns + `, u.valid_from, u.valid_to, u.since, u.heir_id`

func scanEntry(scan db.Scan) (e tianbao.UnitEntry, err error) {
	var from, to, since int64
	err = scan(&e.ID, &e.Parent, &e.Region, &e.Path, &e.Name, &e.BudgetCode, &e.OrgCode, &e.Type, &e.Kind, &from, &to, &since, &e.Heir)
	e.From, e.To, e.Since = when(from), when(to), when(since)
	return e, err
}

const (
	sqlRegisterVersion = `SELECT version FROM register_version WHERE id = 1`
	sqlEntries         = `SELECT ` + entryColumns + ` FROM unit u WHERE SCOPE(u.path) ORDER BY u.path`
	sqlEntry           = `SELECT ` + entryColumns + ` FROM unit u WHERE u.id = $1 AND SCOPE(u.path)`
	sqlAliasesOf       = `SELECT a.field, a.value FROM unit_alias a WHERE a.unit_id = $1 ORDER BY a.field, a.value`
	sqlEntryAliases    = `SELECT a.unit_id, a.field, a.value FROM unit_alias a JOIN unit u ON u.id = a.unit_id WHERE SCOPE(u.path) ORDER BY a.unit_id, a.field, a.value`
	sqlContact         = `SELECT c.contact FROM unit_contact c WHERE c.unit_id = $1`
	sqlContacts        = `SELECT c.unit_id, c.contact FROM unit_contact c JOIN unit u ON u.id = c.unit_id WHERE SCOPE(u.path)`
	sqlMails           = `SELECT m.unit_id, m.address FROM unit_mail m JOIN unit u ON u.id = m.unit_id WHERE SCOPE(u.path)`
)

// Register returns the entries in scope in the order of the tree, closed ones too, and
// the version that a change planned from them names. contacts asks for the contacts,
// which have to be opened.
func (s *Store) Register(ctx context.Context, scope tianbao.Scope, contacts bool) (entries []tianbao.UnitEntry, version int64, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		if err := q.One(ctx, []any{&version}, sqlRegisterVersion); err != nil {
			return err
		}
		sql, args := within(sqlEntries, scope)
		if entries, err = db.Collect(ctx, q, scanEntry, sql, args...); err != nil {
			return err
		}
		at := make(map[tianbao.ID]int, len(entries))
		for i := range entries {
			at[entries[i].ID] = i
		}
		sql, args = within(sqlEntryAliases, scope)
		err = q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var a tianbao.UnitAlias
			err := scan(&id, &a.Field, &a.Value)
			entries[at[id]].Aliases = append(entries[at[id]].Aliases, a)
			return err
		}, sql, args...)
		if err != nil || !contacts {
			return err
		}
		sql, args = within(sqlContacts, scope)
		if err := q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var sealed []byte
			err := scan(&id, &sealed)
			if err == nil {
				entries[at[id]].Contact, err = s.openContact(id, sealed)
			}
			return err
		}, sql, args...); err != nil {
			return err
		}
		sql, args = within(sqlMails, scope)
		return q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var sealed []byte
			err := scan(&id, &sealed)
			if err == nil {
				entries[at[id]].Contact.Mail, err = s.openText(sealed, mailPlace(id))
			}
			return err
		}, sql, args...)
	})
	return entries, version, err
}

// UnitEntry returns the entry of a unit in scope, with its contact.
func (s *Store) UnitEntry(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (e tianbao.UnitEntry, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		sql, args := within(sqlEntry, scope, id)
		if e, err = first(ctx, q, scanEntry, sql, args...); err != nil {
			return err
		}
		e.Aliases, err = db.Collect(ctx, q, scanAlias, sqlAliasesOf, id)
		if err != nil {
			return err
		}
		var sealed []byte
		switch err = q.One(ctx, []any{&sealed}, sqlContact, id); {
		case err == nil:
			if e.Contact, err = s.openContact(id, sealed); err != nil {
				return err
			}
		case !errors.Is(err, db.ErrNoRows):
			return err
		}
		box, err := s.unitMail(ctx, q, id)
		e.Contact.Mail = box.Address
		return err
	})
	return e, err
}

func scanAlias(scan db.Scan) (a tianbao.UnitAlias, err error) {
	err = scan(&a.Field, &a.Value)
	return a, err
}

// contactJSON is a contact on its way into the seal; its mail address has a place of its own.
type contactJSON struct {
	Name  string `json:"n,omitempty"`
	Phone string `json:"p,omitempty"`
}

func contactPlace(unit tianbao.ID) []byte {
	return seal.Place("unit_contact", "contact", unit.String())
}

func (s *Store) sealContact(unit tianbao.ID, c tianbao.Contact) ([]byte, error) {
	plain, err := json.Marshal(contactJSON{c.Name, c.Phone})
	if err != nil {
		return nil, errors.New("store: a contact cannot be encoded")
	}
	return s.ring.Seal(nil, plain, contactPlace(unit)), nil
}

func (s *Store) openContact(unit tianbao.ID, sealed []byte) (tianbao.Contact, error) {
	plain, err := s.ring.Open(nil, sealed, contactPlace(unit))
	if err != nil {
		return tianbao.Contact{}, fmt.Errorf("store: open the contact of unit %s: %w", unit, err)
	}
	var c contactJSON
	if json.Unmarshal(plain, &c) != nil {
		return tianbao.Contact{}, errors.New("store: a stored contact is not readable")
	}
	return tianbao.Contact{Name: c.Name, Phone: c.Phone}, nil
}

// sqlChildren lists the open units right below one, or with $1 = 0 the roots, each with
// how many open units lie below it.
const sqlChildren = `SELECT ` + unitColumns + `,
 (SELECT COUNT(*) FROM unit d WHERE d.path > u.path AND d.path < u.path || '~' AND (d.valid_to = 0 OR d.valid_to > $2))
 FROM unit u WHERE u.parent = $1 AND SCOPE(u.path) AND (u.valid_to = 0 OR u.valid_to > $2) ORDER BY u.path LIMIT $3 OFFSET $4`

// Children returns the open units right below a unit, as far as they lie in scope.
func (s *Store) Children(ctx context.Context, scope tianbao.Scope, parent tianbao.ID, offset, limit int) ([]tianbao.UnitBelow, error) {
	sql, args := within(sqlChildren, scope, parent, ms(s.now()), max(limit, 0), max(offset, 0))
	return db.Collect(ctx, s.db, scanBelow, sql, args...)
}

func scanBelow(scan db.Scan) (u tianbao.UnitBelow, err error) {
	err = scan(&u.ID, &u.Parent, &u.Region, &u.Path, &u.Name, &u.BudgetCode, &u.OrgCode, &u.Type, &u.Kind, &u.Below)
	return u, err
}

// sqlRoots lists the units at the given paths as sqlChildren does.
const sqlRoots = `SELECT ` + unitColumns + `,
 (SELECT COUNT(*) FROM unit d WHERE d.path > u.path AND d.path < u.path || '~' AND (d.valid_to = 0 OR d.valid_to > $1))
 FROM unit u WHERE u.path IN LIST ORDER BY u.path`

// Roots returns the units at the tops of a scope, closed ones too.
func (s *Store) Roots(ctx context.Context, scope tianbao.Scope) (out []tianbao.UnitBelow, err error) {
	err = listed(sqlRoots, reduce(scope.Paths), []any{ms(s.now())}, func(sql string, args []any) error {
		list, err := db.Collect(ctx, s.db, scanBelow, sql, args...)
		out = append(out, list...)
		return err
	})
	return out, err
}

const sqlUnitHistory = `SELECT h.id, h.what, h.day, h.at, COALESCE(p.name, ''), COALESCE(o.name, ''), h.before
 FROM unit_history h JOIN unit u ON u.id = h.unit_id LEFT JOIN app_user p ON p.id = h.by_id LEFT JOIN unit o ON o.id = h.other_id
 WHERE h.unit_id = $1 AND SCOPE(u.path) ORDER BY h.id DESC LIMIT $2`

// UnitHistory returns what happened to the entry of a unit in scope, the last first.
func (s *Store) UnitHistory(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, limit int) ([]tianbao.UnitRecord, error) {
	sql, args := within(sqlUnitHistory, scope, unit, max(limit, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (r tianbao.UnitRecord, err error) {
		var day, at int64
		var fields []byte
		if err = scan(&r.ID, &r.Act, &day, &at, &r.By, &r.Other, &fields); err != nil {
			return r, err
		}
		r.Day, r.At = when(day), when(at)
		if json.Unmarshal(fields, &r.Fields) != nil {
			return r, errors.New("store: a record of a unit's history is not readable")
		}
		return r, nil
	}, sql, args...)
}

// The units of the day $1: those that are still what they were, and what the others
// were then. The scope is that of the day too (asOf): a unit that has moved away since is
// counted where it was.
const (
	dayNow  = ` FROM unit u WHERE SCOPE(u.path) AND u.since <= $1 AND (u.valid_to = 0 OR u.valid_to > $1)`
	dayPast = ` FROM unit_past u WHERE SCOPE(u.path) AND u.since <= $1 AND u.until > $1`

	pastColumns     = `u.unit_id, u.parent, u.region_id, u.path, u.name, u.budget_code, u.org_code, u.type, u.kind`
	sqlUnitsAsOf    = `SELECT ` + unitColumns + dayNow + ` UNION ALL SELECT ` + pastColumns + dayPast + ` ORDER BY 4`
	sqlCountRegions = `SELECT x.k, x.kind, COUNT(*) FROM (SELECT u.region_id AS k, u.kind AS kind` + dayNow +
		` UNION ALL SELECT u.region_id AS k, u.kind AS kind` + dayPast + `) x GROUP BY x.k, x.kind ORDER BY x.k, x.kind`
	sqlCountParents = `SELECT x.k, x.kind, COUNT(*) FROM (SELECT u.parent AS k, u.kind AS kind` + dayNow +
		` UNION ALL SELECT u.parent AS k, u.kind AS kind` + dayPast + `) x GROUP BY x.k, x.kind ORDER BY x.k, x.kind`
)

// sqlPathAsOf is where the unit $1 stood on the day $2.
const sqlPathAsOf = `SELECT u.path FROM unit u WHERE u.id = $1 AND u.since <= $2
 UNION ALL SELECT u.path FROM unit_past u WHERE u.unit_id = $1 AND u.since <= $2 AND u.until > $2`

// asOf runs a query of a day for a scope: of each unit at the top of it what lay below
// it then, wherever it stood.
func asOf[T any](ctx context.Context, s *Store, scope tianbao.Scope, day time.Time, scan func(db.Scan) (T, error), sql string) (out []T, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		var then tianbao.Scope
		for _, p := range reduce(scope.Paths) {
			id := path.Base(p)
			if id == "/" {
				then.Paths = append(then.Paths, p)
				continue
			}
			unit, err := tianbao.ParseID(id)
			if err != nil {
				return fmt.Errorf("store: a scope of path %q", p)
			}
			var was string
			err = q.One(ctx, []any{&was}, sqlPathAsOf, unit, ms(day))
			if errors.Is(err, db.ErrNoRows) {
				continue // it was not there
			}
			if err != nil {
				return err
			}
			then.Paths = append(then.Paths, was)
		}
		text, args := within(sql, then, ms(day))
		out, err = db.Collect(ctx, q, scan, text, args...)
		return err
	})
	return out, err
}

// UnitsAsOf returns the units that lay in scope at a time, as they were then, in the
// order of the tree.
func (s *Store) UnitsAsOf(ctx context.Context, scope tianbao.Scope, day time.Time) ([]tianbao.Unit, error) {
	return asOf(ctx, s, scope, day, scanUnit, sqlUnitsAsOf)
}

func scanCount(scan db.Scan) (c tianbao.UnitCount, err error) {
	err = scan(&c.Key, &c.Kind, &c.Count)
	return c, err
}

// CountByRegion returns how many units of each kind lay in scope in each region.
func (s *Store) CountByRegion(ctx context.Context, scope tianbao.Scope, day time.Time) ([]tianbao.UnitCount, error) {
	return asOf(ctx, s, scope, day, scanCount, sqlCountRegions)
}

// CountByParent returns how many units of each kind lay in scope right below each unit.
func (s *Store) CountByParent(ctx context.Context, scope tianbao.Scope, day time.Time) ([]tianbao.UnitCount, error) {
	return asOf(ctx, s, scope, day, scanCount, sqlCountParents)
}
