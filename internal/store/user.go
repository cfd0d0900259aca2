package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// A login is found by its keyed index and stored sealed: many people will take
// their phone number for it.

func (s *Store) loginKey(login string) []byte { return s.ring.Index("app_user.login", login) }

func loginPlace(user tianbao.ID) []byte { return seal.Place("app_user", "login", user.String()) }

// storedUser is a user with the login sealed.
type storedUser struct {
	user  tianbao.User
	login []byte
	hash  string
}

const userColumns = `p.id, p.login, p.name, p.office, p.hash, p.disabled, p.created, p.last_seen`

func scanUser(scan db.Scan) (u storedUser, err error) {
	var created, seen int64
	err = scan(&u.user.ID, &u.login, &u.user.Name, &u.user.Office, &u.hash, &u.user.Disabled, &created, &seen)
	u.user.Created, u.user.LastSeen = when(created), when(seen)
	return u, err
}

const (
	sqlUserByLogin = `SELECT ` + userColumns + ` FROM app_user p WHERE p.login_key = $1`
	sqlUsers       = `SELECT ` + userColumns + ` FROM app_user p`
	// Only grants that hold at $1, and none of somebody with an office.
	grantColumns = `SELECT g.id, g.user_id, g.role, g.unit_id, g.valid_from, g.valid_to, COALESCE(u.path, ''), COALESCE(u.name, '')
 FROM role_grant g JOIN app_user p ON p.id = g.user_id LEFT JOIN unit u ON u.id = g.unit_id
 WHERE p.office = '' AND g.valid_from <= $1 AND (g.valid_to = 0 OR g.valid_to > $1)`
	sqlGrants    = grantColumns + ` AND g.user_id = $2 ORDER BY g.id`
	sqlAllGrants = grantColumns + ` ORDER BY g.id`
)

func scanGrant(scan db.Scan) (g tianbao.Grant, err error) {
	var from, to int64
	err = scan(&g.ID, &g.User, &g.Role, &g.Unit, &from, &to, &g.UnitPath, &g.UnitName)
	g.From, g.To = when(from), when(to)
	return g, err
}

// openUser opens the login.
func (s *Store) openUser(u *storedUser) error {
	plain, err := s.ring.Open(nil, u.login, loginPlace(u.user.ID))
	if err != nil {
		return fmt.Errorf("store: open the login of user %s: %w", u.user.ID, err)
	}
	u.user.Login = string(plain)
	return nil
}

// UserByLogin implements auth.Store.
func (s *Store) UserByLogin(ctx context.Context, login string) (tianbao.User, string, error) {
	var u storedUser
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if u, err = first(ctx, q, scanUser, sqlUserByLogin, s.loginKey(login)); err != nil {
			return err
		}
		u.user.Grants, err = db.Collect(ctx, q, scanGrant, sqlGrants, ms(s.now()), u.user.ID)
		return err
	})
	if err == nil {
		err = s.openUser(&u)
	}
	if err != nil {
		return tianbao.User{}, "", err
	}
	return u.user, u.hash, nil
}

// Users implements auth.Store.
func (s *Store) Users(ctx context.Context) ([]tianbao.User, error) {
	var (
		stored []storedUser
		grants []tianbao.Grant
	)
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if stored, err = db.Collect(ctx, q, scanUser, sqlUsers); err != nil {
			return err
		}
		grants, err = db.Collect(ctx, q, scanGrant, sqlAllGrants, ms(s.now()))
		return err
	})
	if err != nil {
		return nil, err
	}
	byUser := make(map[tianbao.ID][]tianbao.Grant)
	for _, g := range grants {
		byUser[g.User] = append(byUser[g.User], g)
	}
	users := make([]tianbao.User, len(stored))
	for i := range stored {
		if err := s.openUser(&stored[i]); err != nil {
			return nil, err
		}
		users[i] = stored[i].user
		users[i].Grants = byUser[users[i].ID]
	}
	slices.SortFunc(users, func(a, b tianbao.User) int {
		return cmp.Or(strings.Compare(a.Login, b.Login), cmp.Compare(a.ID, b.ID))
	})
	return users, nil
}

const (
	// Whoever sets up first holds this row until the end of the transaction; on
	// PostgreSQL a second one waits here and then sees the administrator.
	sqlLockSetup  = `UPDATE setup_token SET uses = uses + 1 WHERE id = 1`
	sqlCountAdmin = `SELECT COUNT(*) FROM app_user p WHERE p.office = $1 AND p.disabled = $2`
	sqlInsertUser = `INSERT INTO app_user (id, login_key, login, name, office, hash, disabled, created, last_seen)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	sqlInsertGrant = `INSERT INTO role_grant (user_id, role, unit_id, valid_from, valid_to, id, by_id) VALUES ($1, $2, $3, $4, $5, $6, 0)`
	sqlUpdateGrant = `UPDATE role_grant SET user_id = $1, role = $2, unit_id = $3, valid_from = $4, valid_to = $5 WHERE id = $6`
)

// CreateUser implements auth.Store. A user without id, and grants without, get one.
func (s *Store) CreateUser(ctx context.Context, u tianbao.User, hash string, firstAdmin bool, events ...tianbao.Event) error {
	if u.ID == 0 {
		u.ID = s.id()
	}
	if u.Created.IsZero() {
		u.Created = s.now()
	}
	login := s.ring.Seal(nil, []byte(u.Login), loginPlace(u.ID))
	grants := slices.Clone(u.Grants)
	for i := range grants {
		if grants[i].ID == 0 {
			grants[i].ID = s.id()
		}
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if firstAdmin {
			if _, err := tx.Exec(ctx, sqlLockSetup); err != nil {
				return err
			}
			if has, err := hasAdmin(ctx, tx); err != nil {
				return err
			} else if has {
				return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "set_up", Message: "系统已经有管理员了，请直接登录。"}
			}
		}
		_, err := tx.Exec(ctx, sqlInsertUser,
			u.ID, s.loginKey(u.Login), login, u.Name, u.Office, hash, u.Disabled, ms(u.Created), ms(u.LastSeen))
		if db.IsUnique(err) {
			return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "login_taken", Message: "这个用户名已经有人使用，请换一个。"}
		}
		if err != nil {
			return err
		}
		for _, g := range grants {
			if _, err := tx.Exec(ctx, sqlInsertGrant, u.ID, g.Role, g.Unit, ms(g.From), ms(g.To), g.ID); err != nil {
				return err
			}
		}
		return s.trail(ctx, tx, events...)
	})
}

// HasAdmin implements auth.Store.
func (s *Store) HasAdmin(ctx context.Context) (bool, error) { return hasAdmin(ctx, s.db) }

func hasAdmin(ctx context.Context, q db.Queryer) (bool, error) {
	var n int64
	err := q.One(ctx, []any{&n}, sqlCountAdmin, tianbao.RoleSystem, false)
	return n > 0, err
}

// PutGrant stores a grant, or replaces the one with its id.
func (s *Store) PutGrant(ctx context.Context, g tianbao.Grant) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		return upsert(ctx, tx, sqlUpdateGrant, sqlInsertGrant, g.User, g.Role, g.Unit, ms(g.From), ms(g.To), g.ID)
	})
}

const (
	sqlSetHash     = `UPDATE app_user SET hash = $1 WHERE id = $2`
	sqlSetDisabled = `UPDATE app_user SET disabled = $1 WHERE id = $2`
	sqlEndSessions = `DELETE FROM session WHERE user_id = $1`
)

// SetPassword implements auth.Store.
func (s *Store) SetPassword(ctx context.Context, user tianbao.ID, hash string, events ...tianbao.Event) error {
	return s.changeUser(ctx, user, true, events, sqlSetHash, hash, user)
}

// SetDisabled implements auth.Store.
func (s *Store) SetDisabled(ctx context.Context, user tianbao.ID, disabled bool, events ...tianbao.Event) error {
	return s.changeUser(ctx, user, disabled, events, sqlSetDisabled, disabled, user)
}

func (s *Store) changeUser(ctx context.Context, user tianbao.ID, endSessions bool, events []tianbao.Event, sql string, args ...any) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sql, args...)
		if err == nil && n == 0 {
			return tianbao.NotFound()
		}
		if err == nil && endSessions {
			_, err = tx.Exec(ctx, sqlEndSessions, user)
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
