package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tianbao"
	"tianbao/internal/db"
)

const (
	sqlRaiseRegister = `UPDATE register_version SET version = version + 1 WHERE id = 1 AND version = $1`
	sqlTouchRegister = `UPDATE register_version SET version = version + 1 WHERE id = 1`
	sqlCreateUnit    = `INSERT INTO unit (parent, region_id, path, name, budget_code, org_code, type, kind, search, valid_from, since, id)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)`
	// What closed before the day of a change was what it was until it closed.
	keepPast = `INSERT INTO unit_past (unit_id, since, until, parent, region_id, path, name, budget_code, org_code, type, kind)
 SELECT u.id, u.since, CASE WHEN u.valid_to > 0 AND u.valid_to < $1 THEN u.valid_to ELSE $1 END,
 u.parent, u.region_id, u.path, u.name, u.budget_code, u.org_code, u.type, u.kind FROM unit u WHERE u.since < $1 AND `
	sqlKeepUnit       = keepPast + `u.id = $2`
	sqlKeepBelow      = keepPast + `u.path >= $2 AND u.path < $3`
	sqlEditUnit       = `UPDATE unit SET region_id = $1, name = $2, budget_code = $3, org_code = $4, type = $5, kind = $6, search = $7, since = $8 WHERE id = $9`
	sqlMoveUnit       = `UPDATE unit SET parent = $1 WHERE id = $2`
	sqlMoveTree       = `UPDATE unit SET path = $1 || substr(path, $2), since = $3 WHERE path >= $4 AND path < $5`
	sqlCloseUnit      = `UPDATE unit SET valid_to = $1, heir_id = $2 WHERE id = $3`
	sqlInheritAliases = `INSERT INTO unit_alias (field, value, unit_id)
 SELECT a.field, a.value, $1 FROM unit_alias a WHERE a.unit_id = $2
 AND NOT EXISTS (SELECT 1 FROM unit_alias b WHERE b.field = a.field AND b.value = a.value AND b.unit_id = $1)`
	sqlDropAliases   = `DELETE FROM unit_alias WHERE unit_id = $1`
	sqlInsertContact = `INSERT INTO unit_contact (contact, unit_id) VALUES ($1, $2)`
	sqlDropContact   = `DELETE FROM unit_contact WHERE unit_id = $1`
	// An address that comes with the register leaves to the unit whether it takes copies.
	sqlRegisterMail = `UPDATE unit_mail SET address = $1, at = $2, by_id = $3 WHERE unit_id = $4`
	sqlAddMail      = `INSERT INTO unit_mail (address, copies, at, by_id, unit_id) SELECT $1, $2, $3, $4, u.id FROM unit u WHERE u.id = $5
 AND NOT EXISTS (SELECT 1 FROM unit_mail m WHERE m.unit_id = $5)`
	sqlInsertUnitRecord = `INSERT INTO unit_history (unit_id, id, at, by_id, what, before, day, other_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

// batchSize is how many statements are sent at once.
const batchSize = 500

// stagedChange is a change with what is sealed and encoded before the transaction.
type stagedChange struct {
	*tianbao.UnitChange
	search  string
	contact []byte // sealed; empty: none is left
	mail    []byte // sealed; empty: none is left
	fields  []byte
	id      tianbao.ID // of the record
}

func (s *Store) stage(c *tianbao.UnitChange) (st stagedChange, err error) {
	st = stagedChange{UnitChange: c, search: s.searchText(&c.Unit), id: s.id(), contact: []byte{}}
	fields := c.Fields
	if fields == nil {
		fields = []tianbao.FieldChange{}
	}
	if st.fields, err = json.Marshal(fields); err != nil {
		return st, errors.New("store: the record of a change cannot be encoded")
	}
	if c.Contact != nil && c.Contact.Mail != "" {
		st.mail = s.sealText(c.Contact.Mail, mailPlace(c.Unit.ID))
	}
	if c.Contact != nil && (c.Contact.Name != "" || c.Contact.Phone != "") {
		st.contact, err = s.sealContact(c.Unit.ID, *c.Contact)
	}
	return st, err
}

// ChangeRegister carries out changes of the register together, with the request that
// they fulfil and their events. The register must still be at the version from which
// they were planned; otherwise it is tianbao.ErrConflict and nothing changes.
func (s *Store) ChangeRegister(ctx context.Context, rc *tianbao.RegisterChange) error {
	staged := make([]stagedChange, len(rc.Changes))
	for i := range rc.Changes {
		var err error
		if staged[i], err = s.stage(&rc.Changes[i]); err != nil {
			return err
		}
	}
	var decided *sealedRequest
	if rc.Request != nil {
		r, err := s.sealRequest(rc.Request)
		if err != nil {
			return err
		}
		decided = &r
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlRaiseRegister, rc.Base)
		if err != nil {
			return err
		}
		if n != 1 {
			return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "register_changed", Message: "单位登记册刚刚由别人改过，请重新查看后再做一次。"}
		}
		w := registerWriter{ctx: ctx, s: s, tx: tx, rc: rc, paths: map[tianbao.ID]string{0: "/"}}
		for i := range staged {
			if err := w.change(&staged[i]); err != nil {
				return fmt.Errorf("store: change unit %s: %w", staged[i].Unit.ID, err)
			}
		}
		if err := w.flush(); err != nil {
			return err
		}
		if decided != nil {
			if err := decide(ctx, tx, decided); err != nil {
				return err
			}
		}
		return s.trail(ctx, tx, rc.Events...)
	})
}

// registerWriter writes the changes of one transaction.
type registerWriter struct {
	ctx   context.Context
	s     *Store
	tx    db.Tx
	rc    *tianbao.RegisterChange
	batch []db.Statement
	paths map[tianbao.ID]string // of parents, as they are now
}

func (w *registerWriter) send(sql string, args ...any) error {
	w.batch = append(w.batch, db.Statement{SQL: sql, Args: args})
	if len(w.batch) >= batchSize {
		return w.flush()
	}
	return nil
}

func (w *registerWriter) flush() error {
	if len(w.batch) == 0 {
		return nil
	}
	_, err := w.tx.Send(w.ctx, w.batch)
	w.batch = w.batch[:0]
	return err
}

// path returns the path of a unit as it is now.
func (w *registerWriter) path(id tianbao.ID) (string, error) {
	if p, ok := w.paths[id]; ok {
		return p, nil
	}
	if err := w.flush(); err != nil {
		return "", err
	}
	var p string
	if err := one(w.ctx, w.tx, []any{&p}, sqlUnitPath, id); err != nil {
		return "", err
	}
	w.paths[id] = p
	return p, nil
}

func (w *registerWriter) change(c *stagedChange) error {
	u, day := &c.Unit, ms(w.rc.Day)
	var err error
	switch c.Act {
	case tianbao.UnitCreate, tianbao.UnitSplit:
		var parent string
		if parent, err = w.path(u.Parent); err != nil {
			return err
		}
		path := parent + u.ID.String() + "/"
		w.paths[u.ID] = path
		err = w.send(sqlCreateUnit, u.Parent, u.Region, path, u.Name, u.BudgetCode, u.OrgCode, u.Type, u.Kind, c.search, day, u.ID)
	case tianbao.UnitEdit:
		if !c.entry() {
			break
		}
		if err = w.send(sqlKeepUnit, day, u.ID); err == nil {
			err = w.send(sqlEditUnit, u.Region, u.Name, u.BudgetCode, u.OrgCode, u.Type, u.Kind, c.search, day, u.ID)
		}
	case tianbao.UnitMove:
		err = w.move(u, day)
	case tianbao.UnitMerge, tianbao.UnitClose:
		if err = w.send(sqlCloseUnit, day, c.Other, u.ID); err == nil && c.Act == tianbao.UnitMerge {
			err = errors.Join(w.send(sqlInheritAliases, c.Other, u.ID), w.send(sqlDropAliases, u.ID))
		}
	default:
		err = fmt.Errorf("no act %q", c.Act)
	}
	if err != nil {
		return err
	}
	return w.rest(c, day)
}

// rest writes what stands beside the entry: contact, aliases and history.
func (w *registerWriter) rest(c *stagedChange, day int64) error {
	u := &c.Unit
	if c.Contact != nil {
		sql := []db.Statement{{SQL: sqlDropContact, Args: []any{u.ID}}}
		if len(c.contact) > 0 {
			sql = append(sql, db.Statement{SQL: sqlInsertContact, Args: []any{c.contact, u.ID}})
		}
		if c.Act == tianbao.UnitCreate {
			sql = sql[1:]
		}
		for _, st := range sql {
			if err := w.send(st.SQL, st.Args...); err != nil {
				return err
			}
		}
	}
	if err := w.mail(c); err != nil {
		return err
	}
	bearer := u.ID
	if c.Act == tianbao.UnitMerge {
		bearer = c.Other // its names lead to the heir
	}
	for _, a := range c.Aliases {
		if err := w.send(sqlAddAlias, a.Field, a.Value, bearer); err != nil {
			return err
		}
	}
	return w.send(sqlInsertUnitRecord, u.ID, c.id, ms(w.rc.At), w.rc.By, c.Act, c.fields, day, c.Other)
}

// mail writes where a unit gets mail, where that changes.
func (w *registerWriter) mail(c *stagedChange) error {
	id, at := c.Unit.ID, ms(w.rc.At)
	switch {
	case c.Act != tianbao.UnitEdit && len(c.mail) == 0,
		c.Act == tianbao.UnitEdit && !slices.ContainsFunc(c.UnitChange.Fields, func(f tianbao.FieldChange) bool { return f.Field == "contact_mail" }):
		return nil
	case len(c.mail) == 0:
		return w.send(sqlDropUnitMail, id)
	}
	if err := w.send(sqlRegisterMail, c.mail, at, w.rc.By, id); err != nil {
		return err
	}
	return w.send(sqlAddMail, c.mail, true, at, w.rc.By, id)
}

// entry reports whether the entry itself changes, and not only what stands beside it.
func (c *stagedChange) entry() bool {
	return slices.ContainsFunc(c.UnitChange.Fields, func(f tianbao.FieldChange) bool {
		return f.Field != "aliases" && f.Field != "contact_name" && f.Field != "contact_phone" && f.Field != "contact_mail"
	})
}

// move takes a unit under another one, with everything below it.
func (w *registerWriter) move(u *tianbao.Unit, day int64) error {
	old, err := w.path(u.ID)
	if err != nil {
		return err
	}
	parent, err := w.path(u.Parent)
	if err != nil {
		return err
	}
	path := parent + u.ID.String() + "/"
	clear(w.paths) // what was below has other paths now
	w.paths[0] = "/"
	for _, st := range []db.Statement{
		{SQL: sqlKeepBelow, Args: []any{day, old, old + "~"}},
		{SQL: sqlMoveTree, Args: []any{path, len(old) + 1, day, old, old + "~"}},
		{SQL: sqlMoveUnit, Args: []any{u.Parent, u.ID}},
	} {
		if err := w.send(st.SQL, st.Args...); err != nil {
			return err
		}
	}
	return nil
}

const sqlAddAlias = `INSERT INTO unit_alias (field, value, unit_id) SELECT $1, $2, u.id FROM unit u WHERE u.id = $3
 AND NOT EXISTS (SELECT 1 FROM unit_alias a WHERE a.field = $1 AND a.value = $2 AND a.unit_id = $3)`
