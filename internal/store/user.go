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
	user     tianbao.User
	login    []byte
	loginKey []byte
	hash     string
	mac      string // of what the row says of rights
}

const userColumns = `p.id, p.login, p.name, p.office, p.hash, p.disabled, p.created, p.last_seen, p.asked, p.login_key, p.mac`

func scanUser(scan db.Scan) (u storedUser, err error) {
	dest, done := userDest(&u)
	err = scan(dest...)
	done()
	return u, err
}

// userDest are the places for userColumns; done finishes the user.
func userDest(u *storedUser) (dest []any, done func()) {
	var created, seen int64
	dest = []any{
		&u.user.ID, &u.login, &u.user.Name, &u.user.Office, &u.hash, &u.user.Disabled, &created, &seen,
		&u.user.Asked, &u.loginKey, &u.mac,
	}
	return dest, func() { u.user.Created, u.user.LastSeen = when(created), when(seen) }
}

const (
	sqlUserByLogin = `SELECT ` + userColumns + ` FROM app_user p WHERE p.login_key = $1`
	sqlUsers       = `SELECT ` + userColumns + ` FROM app_user p`
)

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
		s.checked(&u)
		return s.withGrants(ctx, q, &u)
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
		stored  []storedUser
		grants  []tianbao.Grant
		altered map[tianbao.ID][]string
	)
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if stored, err = db.Collect(ctx, q, scanUser, sqlUsers); err != nil {
			return err
		}
		now := ms(s.now())
		all, err := db.Collect(ctx, q, scanGrant, sqlAllGrants, now)
		if err != nil {
			return err
		}
		grants, altered, err = s.effective(ctx, q, all, now)
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
		s.checked(&stored[i])
		id := stored[i].user.ID
		stored[i].grants(byUser[id], altered[id])
		users[i] = stored[i].user
	}
	slices.SortFunc(users, func(a, b tianbao.User) int {
		return cmp.Or(strings.Compare(a.Login, b.Login), cmp.Compare(a.ID, b.ID))
	})
	return users, nil
}

const (
	// Whoever sets up an office first holds this row until the end of the transaction; on
	// PostgreSQL a second one waits here and then sees the holder.
	sqlLockSetup   = `UPDATE setup_token SET uses = uses + 1 WHERE id = $1`
	sqlCountOffice = `SELECT COUNT(*) FROM app_user p WHERE p.office = $1 AND p.disabled = $2`
	sqlInsertUser  = `INSERT INTO app_user (id, login_key, login, name, office, hash, disabled, created, last_seen, asked, mac)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
)

// CreateUser implements auth.Store. A user without id, and grants without, get one.
func (s *Store) CreateUser(ctx context.Context, u tianbao.User, hash string, first bool, events ...tianbao.Event) error {
	if u.ID == 0 {
		u.ID = s.id()
	}
	if u.Created.IsZero() {
		u.Created = s.now()
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if first {
			if _, err := tx.Exec(ctx, sqlLockSetup, setupRow(u.Office)); err != nil {
				return err
			}
			if has, err := hasOffice(ctx, tx, u.Office); err != nil {
				return err
			} else if has {
				return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "set_up", Message: "已经有" + u.Office.Title() + "了，请直接登录。"}
			}
		}
		if err := s.insertUser(ctx, tx, &u, hash); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// insertUser stores a new user with its grants.
func (s *Store) insertUser(ctx context.Context, tx db.Tx, u *tianbao.User, hash string) error {
	st := storedUser{user: *u, login: s.ring.Seal(nil, []byte(u.Login), loginPlace(u.ID)), loginKey: s.loginKey(u.Login), hash: hash}
	_, err := tx.Exec(ctx, sqlInsertUser,
		u.ID, st.loginKey, st.login, u.Name, u.Office, hash, u.Disabled, ms(u.Created), ms(u.LastSeen), u.Asked, s.userMAC(&st))
	if db.IsUnique(err) {
		return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "login_taken", Message: "这个用户名已经有人使用，请换一个。"}
	}
	if err != nil {
		return err
	}
	for _, g := range u.Grants {
		if g.ID == 0 {
			g.ID = s.id()
		}
		g.User = u.ID
		if err := s.putGrant(ctx, tx, g); err != nil {
			return err
		}
	}
	return nil
}

// HasOffice implements auth.Store.
func (s *Store) HasOffice(ctx context.Context, office tianbao.Role) (bool, error) {
	return hasOffice(ctx, s.db, office)
}

func hasOffice(ctx context.Context, q db.Queryer, office tianbao.Role) (bool, error) {
	var n int64
	err := q.One(ctx, []any{&n}, sqlCountOffice, office, false)
	return n > 0, err
}

const (
	sqlEndSessions = `DELETE FROM session WHERE user_id = $1`
	sqlEnabled     = `UPDATE app_user SET enabled_at = $1 WHERE id = $2`
)

// SetDisabled implements auth.Store.
func (s *Store) SetDisabled(ctx context.Context, user tianbao.ID, disabled bool, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		err := s.amend(ctx, tx, user, false, func(u *storedUser) error {
			u.user.Disabled = disabled
			return nil
		})
		if err == nil && disabled {
			_, err = tx.Exec(ctx, sqlEndSessions, user)
		} else if err == nil {
			_, err = tx.Exec(ctx, sqlEnabled, ms(s.now()), user)
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
