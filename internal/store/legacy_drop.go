package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/ident"
	"tianbao/internal/post"
)

// How old lists go: a whole one, when its bureau needs it no more, and the lines of one
// person. What was found of the lines goes with them; a comparison that lost some begins
// anew with its next run.

const (
	sqlListOwner    = `SELECT u.id FROM unit u WHERE u.id = $1 AND SCOPE(u.path)`
	sqlLoadingList  = `SELECT COUNT(*) FROM legacy_list l WHERE l.owner_id = $1 AND l.ready = $2 AND l.at > $3`
	sqlDropList     = `UPDATE legacy_list SET dropped = $1, ready = $2, file = '', digest = '' WHERE owner_id = $3 AND dropped = 0`
	sqlDropUsers    = `DELETE FROM legacy_user WHERE owner_id = $1`
	sqlDropFindings = `DELETE FROM compare_item WHERE comparison_id IN (SELECT c.id FROM comparison c WHERE c.owner_id = $1)`
	sqlDropReasons  = `UPDATE compare_decision SET reason = '', ended = CASE WHEN ended = 0 THEN $1 ELSE ended END, ended_by = CASE WHEN ended = 0 THEN $2 ELSE ended_by END
 WHERE comparison_id IN (SELECT c.id FROM comparison c WHERE c.owner_id = $3)`
	sqlRestart      = `UPDATE comparison SET list = 0, at = 0, turn = turn + 1 WHERE owner_id = $1`
	sqlAnew         = `UPDATE comparison SET turn = turn + 1 WHERE owner_id = $1`
	sqlUsersToErase = `SELECT l.id, l.since, l.owner_id, l.unit_id, l.body FROM legacy_user l JOIN unit u ON u.id = CASE WHEN l.unit_id = 0 THEN l.owner_id ELSE l.unit_id END
 WHERE SCOPE(u.path) AND (l.id, l.since) > ($1, $2) ORDER BY l.id, l.since LIMIT 2000`
	sqlEraseUser     = `UPDATE legacy_user SET user_key = '', content = $1, body = $2 WHERE id = $3 AND since = $4`
	sqlEraseFound    = `DELETE FROM compare_item WHERE comparison_id IN (SELECT c.id FROM comparison c WHERE c.owner_id = $1) AND (side = 0 AND item_id = $2 OR side = 1 AND partner_id = $2)`
	sqlListFiles     = `SELECT l.owner_id, l.version, l.file FROM legacy_list l JOIN unit u ON u.id = l.owner_id WHERE SCOPE(u.path) AND l.dropped = 0`
	sqlBlankListFile = `UPDATE legacy_list SET file = $1 WHERE owner_id = $2 AND version = $3`
	sqlMailHeads     = `SELECT m.id, m.head FROM mail_message m WHERE m.id > $1 AND m.state <> 'waiting' AND m.state <> 'received' ORDER BY m.id LIMIT 500`
	sqlBlankHead     = `UPDATE mail_message SET head = $1 WHERE id = $2`
)

// DropList deletes the list of a bureau in scope with all its versions, what comparisons found
// of it, and the reasons of decisions; that there were such lists and decisions stays. It
// returns how many lines there were.
func (s *Store) DropList(ctx context.Context, scope tianbao.Scope, owner, by tianbao.ID, at time.Time, event func(lines int64) tianbao.Event) (lines int64, err error) {
	sql, args := within(sqlListOwner, scope, owner)
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var id tianbao.ID
		if err := one(ctx, tx, []any{&id}, sql, args...); err != nil {
			return err
		}
		var loading int
		if err := tx.One(ctx, []any{&loading}, sqlLoadingList, owner, false, ms(at)-loadingLife); err != nil {
			return err
		}
		if loading > 0 {
			return errListTaken()
		}
		n, err := tx.Exec(ctx, sqlDropList, ms(at), true, owner)
		if err == nil && n == 0 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		counts, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlDropUsers, Args: []any{owner}},
			{SQL: sqlDropFindings, Args: []any{owner}},
			{SQL: sqlDropReasons, Args: []any{ms(at), by, owner}},
			{SQL: sqlRestart, Args: []any{owner}},
		})
		if err != nil {
			return fmt.Errorf("store: delete the old list of unit %s: %w", owner, err)
		}
		lines = counts[0]
		return s.trail(ctx, tx, event(lines))
	})
	if err != nil {
		return 0, err
	}
	s.forgetLists()
	return lines, nil
}

// forgetLists lets go of the lists in memory.
func (s *Store) forgetLists() {
	s.olds.mu.Lock()
	s.olds.list = nil
	s.olds.mu.Unlock()
}

// isPerson reports whether a line of an old list is the person's: by the id, or where it has
// none by phone and name together.
func (p *sought) isPerson(f *tianbao.Form, v tianbao.Values) bool {
	cell := func(key string) string { return fold(v[f.Index(key)]) }
	id := cell(compare.KeyPerson)
	if full, ok := ident.Convert15(id); ok {
		id = full
	}
	if id != "" {
		return id == p.ID
	}
	has := func(list []string, value string) bool {
		return value != "" && slices.ContainsFunc(list, func(x string) bool { return fold(x) == value })
	}
	return has(p.Phones, cell(compare.KeyPhone)) && has(p.Names, cell(compare.KeyName))
}

// eraseLists erases the person's lines of the old lists in scope, with what was found of them.
// The unit that a line names stays.
func (s *Store) eraseLists(ctx context.Context, p *sought, sum *tianbao.PersonErased) error {
	form, err := s.forms(compare.FormName, 1)
	if err != nil {
		return err
	}
	scope := tianbao.Scope{Paths: p.Scope}
	last, since := tianbao.ID(0), int64(0)
	for more := true; more; {
		var batch []db.Statement
		owners := make(map[tianbao.ID]bool)
		n := 0
		sql, args := within(sqlUsersToErase, scope, last, since)
		err := s.db.Each(ctx, func(scan db.Scan) error {
			n++
			var owner, unit tianbao.ID
			var body []byte
			if err := scan(&last, &since, &owner, &unit, &body); err != nil {
				return err
			}
			v, err := s.legacyValues(form, last, since, body)
			if err != nil || !p.isPerson(form, v) {
				return err
			}
			for i := range form.Fields {
				if v[i] != "" && !namesUnit(form, &form.Fields[i]) {
					v[i] = tianbao.ErasedMark
				}
			}
			_, content := s.legacyKeys(form, v, unit)
			plain, err := json.Marshal([]string(v))
			if err != nil {
				return errors.New("store: a line of an old list cannot be encoded")
			}
			owners[owner] = true
			sum.Others++
			batch = append(batch, db.Statement{SQL: sqlEraseUser, Args: []any{content, s.ring.Seal(nil, plain, userPlace(last, since)), last, since}},
				db.Statement{SQL: sqlEraseFound, Args: []any{owner, last}})
			return nil
		}, sql, args...)
		for owner := range owners {
			batch = append(batch, db.Statement{SQL: sqlAnew, Args: []any{owner}})
		}
		if err == nil {
			err = s.send(ctx, batch)
		}
		if err != nil {
			return fmt.Errorf("store: erase lines of old lists: %w", err)
		}
		more = n > 0
	}
	s.forgetLists()
	return s.eraseListFiles(ctx, scope, p, sum)
}

// eraseListFiles takes the names of files of lists that name the person.
func (s *Store) eraseListFiles(ctx context.Context, scope tianbao.Scope, p *sought, sum *tianbao.PersonErased) error {
	var batch []db.Statement
	sql, args := within(sqlListFiles, scope)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var owner tianbao.ID
		var version int64
		var file []byte
		if err := scan(&owner, &version, &file); err != nil {
			return err
		}
		name, err := s.openText(file, listPlace(owner, version))
		if err == nil && p.in(name, true) {
			batch = append(batch, db.Statement{SQL: sqlBlankListFile, Args: []any{s.sealText(tianbao.ErasedMark, listPlace(owner, version)), owner, version}})
		}
		return err
	}, sql, args...)
	sum.Others += int64(len(batch))
	if err != nil {
		return fmt.Errorf("store: erase names of old lists: %w", err)
	}
	return s.send(ctx, batch)
}

// eraseHeads takes subjects, names of files and answers of mails that are dealt with and
// name the person. Mails that wait are the officer's ([post.Service.Naming]).
func (s *Store) eraseHeads(ctx context.Context, p *sought, sum *tianbao.PersonErased) error {
	n, err := s.inPages(ctx, sqlMailHeads, func(scan db.Scan, last *tianbao.ID) ([]db.Statement, error) {
		var sealed []byte
		if err := scan(last, &sealed); err != nil {
			return nil, err
		}
		plain, err := s.ring.Open(nil, sealed, mailHeadPlace(*last))
		if err != nil {
			return nil, fmt.Errorf("store: open the head of mail %s: %w", *last, err)
		}
		var h post.Head
		if json.Unmarshal(plain, &h) != nil {
			return nil, errors.New("store: the head of a mail is not readable")
		}
		changed := false
		for _, text := range append([]*string{&h.Subject, &h.Why}, pointers(h.Files)...) {
			if p.in(*text, true) {
				*text, changed = tianbao.ErasedMark, true
			}
		}
		if !changed {
			return nil, nil
		}
		head, err := s.sealHead(&h, *last)
		return []db.Statement{{SQL: sqlBlankHead, Args: []any{head, *last}}}, err
	})
	sum.Others += n
	return err
}

func pointers(list []string) (out []*string) {
	for i := range list {
		out = append(out, &list[i])
	}
	return out
}
