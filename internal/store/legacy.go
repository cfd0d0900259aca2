package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// The old system's lists. Lines of a version come in before the version does, so the
// transaction that makes it the list has little to write; until then nobody sees them.

const (
	sqlLastList     = `SELECT version, ready, at FROM legacy_list WHERE owner_id = $1 ORDER BY version DESC LIMIT 1`
	sqlBeginList    = `INSERT INTO legacy_list (owner_id, version, ready, at, by_id, file, digest, row_count, fresh, gone, strange) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0)`
	sqlTakeList     = `UPDATE legacy_list SET at = $1, by_id = $2, file = $3, digest = $4 WHERE owner_id = $5 AND version = $6 AND ready = $7 AND at = $8`
	sqlTouchList    = `UPDATE legacy_list SET at = $1 WHERE owner_id = $2 AND version = $3 AND ready = $4 AND by_id = $5`
	sqlDropFresh    = `DELETE FROM legacy_user WHERE owner_id = $1 AND since = $2`
	sqlKeepOld      = `UPDATE legacy_user SET gone = 0 WHERE owner_id = $1 AND gone = $2`
	sqlLegacyKeys   = `SELECT id, unit_id, user_key, content FROM legacy_user WHERE owner_id = $1 AND gone = 0 ORDER BY id`
	sqlInsertLegacy = `INSERT INTO legacy_user (id, since, owner_id, gone, unit_id, line, user_key, content, body) VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8)`
	sqlEndUser      = `UPDATE legacy_user SET gone = $1 WHERE id = $2 AND gone = 0 AND owner_id = $3`
	sqlReadyList    = `UPDATE legacy_list SET ready = $1, at = $2, row_count = $3, fresh = $4, gone = $5, strange = $6 WHERE owner_id = $7 AND version = $8 AND by_id = $9 AND ready = $10`
	sqlUpdateHead   = `UPDATE legacy_header SET field = $1 WHERE owner_id = $2 AND header = $3`
	sqlInsertHead   = `INSERT INTO legacy_header (field, owner_id, header) VALUES ($1, $2, $3)`
	sqlHeaders      = `SELECT header, field FROM legacy_header WHERE owner_id = $1`
	listColumns     = `l.owner_id, u.name, u.path, l.version, l.at, COALESCE(p.name, ''), l.file, l.row_count, l.fresh, l.gone, l.strange
 FROM legacy_list l JOIN unit u ON u.id = l.owner_id LEFT JOIN app_user p ON p.id = l.by_id WHERE l.ready = $1 AND l.dropped = 0 AND `
	sqlListsIn    = `SELECT ` + listColumns + `SCOPE(u.path) ORDER BY u.path, l.version DESC`
	sqlListsAbove = `SELECT ` + listColumns + `u.id IN LIST ORDER BY u.path, l.version DESC`
)

// legacyChunk is how many lines are written in one transaction, loadingLife how long a
// list that does not get on is waited for, in ms.
const (
	legacyChunk = 2_000
	loadingLife = 5 * 60 * 1000
)

func listPlace(owner tianbao.ID, version int64) []byte {
	return seal.Place("legacy_list", "file", fmt.Sprintf("%d/%d", owner, version))
}

func userPlace(id tianbao.ID, since int64) []byte {
	return seal.Place("legacy_user", "body", fmt.Sprintf("%d/%d", id, since))
}

// legacyKeys returns the keyed indexes of a line: of its user name, and of all its cells.
func (s *Store) legacyKeys(f *tianbao.Form, v tianbao.Values, unit tianbao.ID) (user, content []byte) {
	user = []byte{}
	if name := v[f.Index(compare.KeyUser)]; name != "" {
		user = s.ring.Index("legacy.user", compare.FoldUser(name))
	}
	return user, s.ring.Index("legacy.content", unit.String()+"\x00"+strings.Join(v, "\x00"))
}

// oldLine is a line of the list that is to be replaced.
type oldLine struct {
	id, unit      tianbao.ID
	user, content string
	kept          bool
}

// PutList implements compare.Store.
func (s *Store) PutList(ctx context.Context, l *compare.NewList, events ...tianbao.Event) (out compare.OldList, err error) {
	form, err := s.forms(compare.FormName, 1)
	if err != nil {
		return out, err
	}
	version, err := s.beginList(ctx, l)
	if err != nil {
		return out, err
	}
	olds, err := db.Collect(ctx, s.db, func(scan db.Scan) (o oldLine, err error) {
		var user, content []byte
		err = scan(&o.id, &o.unit, &user, &content)
		o.user, o.content = string(user), string(content)
		return o, err
	}, sqlLegacyKeys, l.Owner)
	if err != nil {
		return out, err
	}
	fresh, strange := s.carry(form, l, olds)
	var batch []db.Statement
	flush := func(most int) error {
		if len(batch) < most || len(batch) == 0 {
			return nil
		}
		batch = append(batch, db.Statement{SQL: sqlTouchList, Args: []any{ms(s.now()), l.Owner, version, false, l.By}})
		err := s.db.Tx(ctx, func(tx db.Tx) error {
			counts, err := tx.Send(ctx, batch)
			if err == nil && counts[len(counts)-1] != 1 {
				err = errListTaken()
			}
			return err
		})
		batch = batch[:0]
		return err
	}
	gone := 0
	for i := range olds {
		if !olds[i].kept {
			gone++
			batch = append(batch, db.Statement{SQL: sqlEndUser, Args: []any{version, olds[i].id, l.Owner}})
			if err := flush(legacyChunk); err != nil {
				return out, err
			}
		}
	}
	for _, i := range fresh {
		u := &l.Users[i]
		user, content := s.legacyKeys(form, u.Values, u.Unit)
		body, err := json.Marshal([]string(u.Values))
		if err != nil {
			return out, errors.New("store: a line of an old list cannot be encoded")
		}
		batch = append(batch, db.Statement{SQL: sqlInsertLegacy, Args: []any{u.ID, version, l.Owner, u.Unit, u.Line, user, content, s.ring.Seal(nil, body, userPlace(u.ID, version))}})
		if err := flush(legacyChunk); err != nil {
			return out, err
		}
	}
	if err := flush(1); err != nil {
		return out, err
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlReadyList, true, ms(l.At), len(l.Users), len(fresh), gone, strange, l.Owner, version, l.By, false)
		if err == nil && n != 1 {
			err = errListTaken()
		}
		if err != nil {
			return err
		}
		for header, field := range l.Headers {
			if err := upsert(ctx, tx, sqlUpdateHead, sqlInsertHead, field, l.Owner, header); err != nil {
				return err
			}
		}
		return s.trail(ctx, tx, events...)
	})
	return compare.OldList{Owner: l.Owner, Version: version, At: l.At, File: l.File, Rows: len(l.Users), Fresh: len(fresh), Gone: gone, Strange: strange}, err
}

// errListTaken is for an import that another one took over.
func errListTaken() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "list_taken", Message: "另一个人正在导入这份名单，请等他完成后查看。"}
}

// beginList reserves the next version. What an import left that broke off is cleared away.
func (s *Store) beginList(ctx context.Context, l *compare.NewList) (version int64, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		version = 1
		var last, at int64
		var ready bool
		err := tx.One(ctx, []any{&last, &ready, &at}, sqlLastList, l.Owner)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return err
		}
		if version = last; ready || err != nil {
			version = last + 1
		}
		file := s.ring.Seal(nil, []byte(l.File), listPlace(l.Owner, version))
		if version != last {
			_, err := tx.Exec(ctx, sqlBeginList, l.Owner, version, false, ms(s.now()), l.By, file, l.Digest)
			return err
		}
		if ms(s.now())-at < loadingLife {
			return errListTaken()
		}
		n, err := tx.Exec(ctx, sqlTakeList, ms(s.now()), l.By, file, l.Digest, l.Owner, version, false, at)
		if err == nil && n != 1 {
			err = errListTaken()
		}
		if err != nil {
			return err
		}
		_, err = tx.Send(ctx, []db.Statement{{SQL: sqlDropFresh, Args: []any{l.Owner, version}}, {SQL: sqlKeepOld, Args: []any{l.Owner, version}}})
		return err
	})
	if db.IsUnique(err) {
		err = errListTaken()
	}
	return version, err
}

// carry gives each line its id: that of a line of the version before which is the same in
// every cell and stays, or which has the same user name in the same unit and gets other
// cells. It returns the lines that are to be written, and how many name a unit that the
// register does not know.
func (s *Store) carry(f *tianbao.Form, l *compare.NewList, olds []oldLine) (fresh []int, strange int) {
	same := make(map[string][]int, len(olds))
	for i := range olds {
		same[olds[i].content] = append(same[olds[i].content], i)
	}
	var open []int
	users := make([]string, len(l.Users))
	for i := range l.Users {
		u := &l.Users[i]
		if u.Unit == 0 {
			strange++
		}
		user, content := s.legacyKeys(f, u.Values, u.Unit)
		users[i] = string(user)
		if list := same[string(content)]; len(list) > 0 {
			u.ID, olds[list[0]].kept = olds[list[0]].id, true
			same[string(content)] = list[1:]
			continue
		}
		open = append(open, i)
	}
	type place struct {
		user string
		unit tianbao.ID
	}
	byUser := make(map[place][]int)
	for i := range olds {
		if o := &olds[i]; !o.kept && o.user != "" {
			byUser[place{o.user, o.unit}] = append(byUser[place{o.user, o.unit}], i)
		}
	}
	for _, i := range open {
		u := &l.Users[i]
		at := place{users[i], u.Unit}
		if list := byUser[at]; users[i] != "" && len(list) > 0 {
			u.ID, byUser[at] = olds[list[0]].id, list[1:]
		} else {
			u.ID = s.id()
		}
	}
	return open, strange
}

// OldHeaders returns which fields the headers of a bureau's lists mean.
func (s *Store) OldHeaders(ctx context.Context, owner tianbao.ID) (map[string]string, error) {
	out := make(map[string]string)
	return out, s.db.Each(ctx, func(scan db.Scan) error {
		var header, field string
		err := scan(&header, &field)
		out[header] = field
		return err
	}, sqlHeaders, owner)
}

func (s *Store) scanList(scan db.Scan) (l compare.OldList, err error) {
	var at int64
	var file []byte
	if err = scan(&l.Owner, &l.OwnerName, &l.OwnerPath, &l.Version, &at, &l.By, &file, &l.Rows, &l.Fresh, &l.Gone, &l.Strange); err != nil {
		return l, err
	}
	l.At = when(at)
	l.File, err = s.openText(file, listPlace(l.Owner, l.Version))
	return l, err
}

// OldLists returns the versions of the lists whose owner lies in the scope or above it, by
// owner from the top, the newest version first.
func (s *Store) OldLists(ctx context.Context, scope tianbao.Scope) ([]compare.OldList, error) {
	var up []tianbao.ID
	for _, p := range reduce(scope.Paths) {
		up = append(up, above(p)...)
	}
	var out []compare.OldList
	err := listed(sqlListsAbove, up, []any{true}, func(sql string, args []any) error {
		some, err := db.Collect(ctx, s.db, s.scanList, sql, args...)
		out = append(out, some...)
		return err
	})
	if err != nil {
		return nil, err
	}
	sql, args := within(sqlListsIn, scope, true)
	below, err := db.Collect(ctx, s.db, s.scanList, sql, args...)
	return append(out, below...), err
}

// legacyValues opens the cells of a line.
func (s *Store) legacyValues(form *tianbao.Form, id tianbao.ID, since int64, body []byte) (tianbao.Values, error) {
	plain, err := s.ring.Open(nil, body, userPlace(id, since))
	if err != nil {
		return nil, fmt.Errorf("store: open line %s of an old list: %w", id, err)
	}
	var v []string
	if json.Unmarshal(plain, &v) != nil || len(v) != len(form.Fields) {
		return nil, errors.New("store: a stored line of an old list is not readable")
	}
	return v, nil
}

// token is a keyed index as text, empty for an empty value.
func (s *Store) token(kind, value string) string {
	if value == "" {
		return ""
	}
	return hex.EncodeToString(s.ring.Index(kind, value))
}
