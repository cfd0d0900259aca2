package store

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/db"
)

// What a row of app_user or role_grant says of somebody's rights is under a keyed digest
// (GB/T 39786-2021, access control information; security.md SEC-23). A row whose digest
// does not fit was written around the program. It gives no power, the trail tells when it
// is met, and verifying the trail finds it. The digest does not tell of a row that is
// gone, or put back as it once was: that is in the trail, which names every grant and end.

// digestOf is the digest of a row of rights. Whatever is compared has one spelling.
func (s *Store) digestOf(table string, fields ...any) string {
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err) // numbers, strings and bytes always encode
	}
	return s.ring.Digest("rights "+table, b)
}

func (s *Store) userMAC(u *storedUser) string {
	return s.digestOf("app_user", int64(u.user.ID), u.loginKey, u.user.Office, u.user.Asked, u.hash, u.user.Disabled)
}

func (s *Store) grantMAC(g *tianbao.Grant) string {
	return s.digestOf("role_grant", int64(g.ID), int64(g.User), g.Role, int64(g.Unit), ms(g.From), ms(g.To), int64(g.By), ms(g.Given), int64(g.Lent))
}

func sameMAC(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// checked takes the rights from an account whose row was altered.
func (s *Store) checked(u *storedUser) bool {
	if sameMAC(u.mac, s.userMAC(u)) {
		return true
	}
	u.user.Altered = append(u.user.Altered, "app_user "+u.user.ID.String())
	u.user.Office, u.user.Asked, u.user.Disabled, u.hash = "", "", true, ""
	return false
}

// storedGrant is a grant with its digest, as the table has it.
type storedGrant struct {
	tianbao.Grant
	mac string
}

const grantColumns = `g.id, g.user_id, g.role, g.unit_id, g.valid_from, g.valid_to, g.by_id, g.given, g.lent, g.mac,
 COALESCE(u.path, ''), COALESCE(u.name, '')`

// grantDest are the places for grantColumns; done finishes the grant.
func grantDest(g *storedGrant) (dest []any, done func()) {
	var from, to, given int64
	return []any{&g.ID, &g.User, &g.Role, &g.Unit, &from, &to, &g.By, &given, &g.Lent, &g.mac, &g.UnitPath, &g.UnitName},
		func() { g.From, g.To, g.Given = when(from), when(to), when(given) }
}

func scanGrant(scan db.Scan) (g storedGrant, err error) {
	dest, done := grantDest(&g)
	err = scan(dest...)
	done()
	return g, err
}

const (
	// Only grants that hold at $1, and none of somebody with an office.
	sqlHeld = `SELECT ` + grantColumns + `
 FROM role_grant g JOIN app_user p ON p.id = g.user_id LEFT JOIN unit u ON u.id = g.unit_id
 WHERE p.office = '' AND g.valid_from <= $1 AND (g.valid_to = 0 OR g.valid_to > $1)`
	sqlGrants     = sqlHeld + ` AND g.user_id = $2 ORDER BY g.id`
	sqlAllGrants  = sqlHeld + ` ORDER BY g.id`
	sqlLenders    = sqlHeld + ` AND g.id IN LIST`
	sqlLenderUser = `SELECT ` + userColumns + ` FROM app_user p WHERE p.id IN LIST`
)

// effective returns those of some grants that hold at now that give power, and the rows
// that were altered. A lent grant needs its lender's: never more than that, never longer.
func (s *Store) effective(ctx context.Context, q db.Queryer, grants []storedGrant, now int64) (held []tianbao.Grant, altered map[tianbao.ID][]string, err error) {
	altered = make(map[tianbao.ID][]string)
	var parents []tianbao.ID
	sound := grants[:0:0]
	for i := range grants {
		g := &grants[i]
		if !sameMAC(g.mac, s.grantMAC(&g.Grant)) {
			altered[g.User] = append(altered[g.User], "role_grant "+g.ID.String())
			continue
		}
		sound = append(sound, *g)
		if g.Lent != 0 {
			parents = append(parents, g.Lent)
		}
	}
	lenders, err := s.lenders(ctx, q, parents, now)
	if err != nil {
		return nil, nil, err
	}
	for i := range sound {
		g := &sound[i].Grant
		if g.Lent != 0 {
			p, ok := lenders[g.Lent]
			if !ok || p.User != g.By || p.Role != g.Role || p.UnitPath == "" || !strings.HasPrefix(g.UnitPath, p.UnitPath) {
				continue
			}
			if !p.To.IsZero() && (g.To.IsZero() || p.To.Before(g.To)) {
				g.To = p.To
			}
		}
		held = append(held, *g)
	}
	return held, altered, nil
}

// lenders returns the grants of the given ids that may be lent from: sound, holding now,
// not lent themselves, of accounts that are in use.
func (s *Store) lenders(ctx context.Context, q db.Queryer, ids []tianbao.ID, now int64) (map[tianbao.ID]tianbao.Grant, error) {
	out := make(map[tianbao.ID]tianbao.Grant)
	if len(ids) == 0 {
		return out, nil
	}
	var users []tianbao.ID
	err := listed(sqlLenders, ids, []any{now}, func(sql string, args []any) error {
		gs, err := db.Collect(ctx, q, scanGrant, sql, args...)
		for _, g := range gs {
			if g.Lent == 0 && sameMAC(g.mac, s.grantMAC(&g.Grant)) {
				out[g.ID] = g.Grant
				users = append(users, g.User)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	in := make(map[tianbao.ID]bool)
	err = listed(sqlLenderUser, users, nil, func(sql string, args []any) error {
		us, err := db.Collect(ctx, q, scanUser, sql, args...)
		for i := range us {
			in[us[i].user.ID] = s.checked(&us[i]) && !us[i].user.Disabled
		}
		return err
	})
	for id, g := range out {
		if !in[g.User] {
			delete(out, id)
		}
	}
	return out, err
}

// withGrants reads a user's grants; an altered account has none.
func (s *Store) withGrants(ctx context.Context, q db.Queryer, u *storedUser) error {
	now := ms(s.now())
	stored, err := db.Collect(ctx, q, scanGrant, sqlGrants, now, u.user.ID)
	if err != nil {
		return err
	}
	held, altered, err := s.effective(ctx, q, stored, now)
	if err != nil {
		return err
	}
	u.grants(held, altered[u.user.ID])
	return nil
}

// grants gives a checked user what was found to be held.
func (u *storedUser) grants(held []tianbao.Grant, altered []string) {
	if len(u.user.Altered) == 0 {
		u.user.Grants = held
	}
	u.user.Altered = append(u.user.Altered, altered...)
}

const (
	// Nothing is changed: the row is locked until the transaction ends.
	sqlLockUser  = `UPDATE app_user SET last_seen = last_seen WHERE id = $1`
	sqlAmendUser = `UPDATE app_user SET office = $1, asked = $2, hash = $3, disabled = $4, mac = $5 WHERE id = $6`
)

// amend changes what an account may, the one way to do it. An altered row is refused, as
// the change would make it sound again; with repair it is put right first: no office.
func (s *Store) amend(ctx context.Context, tx db.Tx, user tianbao.ID, repair bool, change func(u *storedUser) error) error {
	if n, err := tx.Exec(ctx, sqlLockUser, user); err != nil {
		return err
	} else if n == 0 {
		return tianbao.NotFound()
	}
	u, err := first(ctx, tx, scanUser, sqlUserByID, user)
	if err != nil {
		return err
	}
	if !s.checked(&u) && !repair {
		return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "rights_altered", Message: "这个账号在数据库中的记录被动过，已经停止使用。请在服务器上用 tianbao user passwd 重新确认这个账号，并报告审计管理员。"}
	}
	if err := change(&u); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, sqlAmendUser, u.user.Office, u.user.Asked, u.hash, u.user.Disabled, s.userMAC(&u), user)
	return err
}

const (
	sqlAllUserRights  = `SELECT ` + userColumns + ` FROM app_user p ORDER BY p.id`
	sqlAllGrantRights = `SELECT ` + grantColumns + ` FROM role_grant g LEFT JOIN unit u ON u.id = g.unit_id ORDER BY g.id`
	sqlSealUser       = `UPDATE app_user SET mac = $1 WHERE id = $2`
	sqlSealGrant      = `UPDATE role_grant SET mac = $1 WHERE id = $2`
	sqlWasSealed      = `SELECT COUNT(*) FROM trail t WHERE t.what = 'rights.seal'`
	rightsSetting     = "rights"
)

// AlteredRights implements audit.Store.
func (s *Store) AlteredRights(ctx context.Context) (rows int64, altered []string, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		users, err := db.Collect(ctx, q, scanUser, sqlAllUserRights)
		if err != nil {
			return err
		}
		grants, err := db.Collect(ctx, q, scanGrant, sqlAllGrantRights)
		if err != nil {
			return err
		}
		keys, err := db.Collect(ctx, q, scanCredential, sqlAllCredentials)
		if err != nil {
			return err
		}
		tokens, err := db.Collect(ctx, q, s.scanToken, sqlAllTokens)
		if err != nil {
			return err
		}
		rows = int64(len(users) + len(grants) + len(keys) + len(tokens))
		for i := range users {
			if !s.checked(&users[i]) {
				altered = append(altered, users[i].user.Altered...)
			}
		}
		for i := range grants {
			if !sameMAC(grants[i].mac, s.grantMAC(&grants[i].Grant)) {
				altered = append(altered, "role_grant "+grants[i].ID.String())
			}
		}
		for i := range keys {
			if !s.openCredential(&keys[i]) {
				altered = append(altered, "credential "+keys[i].ID.String())
			}
		}
		for i := range tokens {
			if tokens[i].Altered {
				altered = append(altered, "service_token "+tokens[i].ID.String())
			}
		}
		return nil
	})
	return rows, altered, err
}

// SealRights puts the rights that a database without digests has under them, once: the
// trail tells that it happened, so that taking the setting away does not make it happen
// again.
func (s *Store) SealRights(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var v string
		err := tx.One(ctx, []any{&v}, sqlSetting, rightsSetting)
		if err == nil || !errors.Is(err, db.ErrNoRows) {
			return err
		}
		var n int64
		if err := tx.One(ctx, []any{&n}, sqlWasSealed); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("store: the rights were sealed before, and the setting that says so is gone")
		}
		users, err := db.Collect(ctx, tx, scanUser, sqlAllUserRights)
		if err != nil {
			return err
		}
		grants, err := db.Collect(ctx, tx, scanGrant, sqlAllGrantRights)
		if err != nil {
			return err
		}
		var batch []db.Statement
		for i := range users {
			batch = append(batch, db.Statement{SQL: sqlSealUser, Args: []any{s.userMAC(&users[i]), users[i].user.ID}})
		}
		for i := range grants {
			batch = append(batch, db.Statement{SQL: sqlSealGrant, Args: []any{s.grantMAC(&grants[i].Grant), grants[i].ID}})
		}
		batch = append(batch, db.Statement{SQL: sqlInsertSetting, Args: []any{rightsSetting, "sealed"}})
		if _, err := tx.Send(ctx, batch); err != nil {
			return err
		}
		return s.trail(ctx, tx, tianbao.Event{At: s.now(), What: "rights.seal", Detail: fmt.Sprintf("users=%d grants=%d", len(users), len(grants))})
	})
}
