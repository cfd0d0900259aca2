package store

import (
	"context"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
)

const (
	sqlInsertGrant = `INSERT INTO role_grant (id, user_id, role, unit_id, valid_from, valid_to, by_id, given, lent, mac)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	sqlGrantByID   = `SELECT ` + grantColumns + ` FROM role_grant g LEFT JOIN unit u ON u.id = g.unit_id WHERE g.id = $1`
	sqlLockGrant   = `UPDATE role_grant SET given = given WHERE id = $1`
	sqlEndGrant    = `UPDATE role_grant SET valid_to = $1, mac = $2 WHERE id = $3`
	sqlDropGrant   = `DELETE FROM role_grant WHERE id = $1`
	sqlHasOffice   = `SELECT COUNT(*) FROM app_user p WHERE p.id = $1 AND (p.office <> '' OR p.asked <> '')`
	sqlCountGrants = `SELECT COUNT(*) FROM role_grant g WHERE g.user_id = $1 AND (g.valid_to = 0 OR g.valid_to > $2)`
)

// putGrant writes a new grant.
func (s *Store) putGrant(ctx context.Context, tx db.Tx, g tianbao.Grant) error {
	_, err := tx.Exec(ctx, sqlInsertGrant, g.ID, g.User, g.Role, g.Unit, ms(g.From), ms(g.To), g.By, ms(g.Given), g.Lent, s.grantMAC(&g))
	return err
}

// GiveGrant implements auth.Store.
func (s *Store) GiveGrant(ctx context.Context, g tianbao.Grant, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		// The lock keeps an office from being given at the same moment.
		if n, err := tx.Exec(ctx, sqlLockUser, g.User); err != nil {
			return err
		} else if n == 0 {
			return tianbao.NotFound()
		}
		var n int64
		if err := tx.One(ctx, []any{&n}, sqlHasOffice, g.User); err != nil {
			return err
		}
		if n > 0 {
			return auth.OfficesApart()
		}
		if err := s.putGrant(ctx, tx, g); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// EndGrant implements auth.Store. An altered grant is taken away whole: what it says
// was never given.
func (s *Store) EndGrant(ctx context.Context, id tianbao.ID, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockGrant, id); err != nil {
			return err
		}
		g, err := first(ctx, tx, scanGrant, sqlGrantByID, id)
		if err != nil {
			return err
		}
		if sameMAC(g.mac, s.grantMAC(&g.Grant)) {
			if !g.To.IsZero() && !g.To.After(at) {
				return tianbao.NotFound() // it has ended
			}
			g.To = time.UnixMilli(ms(at))
			_, err = tx.Exec(ctx, sqlEndGrant, ms(at), s.grantMAC(&g.Grant), id)
		} else {
			_, err = tx.Exec(ctx, sqlDropGrant, id)
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// sqlGrantLines lists grants with who has them and who gave them. $1 a time before which
// they have not ended, $2 the user, $3 the unit's path with $4 as its end, $5 the path
// again for what lies above, $6 the giver, $7 the id below which, $8 how many. A column comes
// before the 0 that switches it off, from which PostgreSQL would take its type.
const sqlGrantLines = `SELECT ` + grantColumns + `, p.name, p.disabled, COALESCE(b.name, '')
 FROM role_grant g JOIN app_user p ON p.id = g.user_id LEFT JOIN unit u ON u.id = g.unit_id LEFT JOIN app_user b ON b.id = g.by_id
 WHERE (g.valid_to = 0 OR g.valid_to > $1) AND (g.user_id = $2 OR $2 = 0)
 AND ($3 = '' OR u.path >= $3 AND u.path < $4 OR $5 LIKE u.path || '%')
 AND (g.by_id = $6 AND g.lent <> 0 OR $6 = 0) AND g.id < $7
 ORDER BY g.id DESC LIMIT $8`

// Grants implements auth.Store.
func (s *Store) Grants(ctx context.Context, q auth.GrantQuery) ([]auth.GrantLine, error) {
	before := int64(q.Before)
	if before == 0 {
		before = int64(1) << 62
	}
	ended := ms(q.Now)
	if q.Ended {
		ended = 0
	}
	end := ""
	if q.UnitPath != "" {
		end = q.UnitPath + "~"
	}
	return db.Collect(ctx, s.db, func(scan db.Scan) (l auth.GrantLine, err error) {
		var g storedGrant
		dest, done := grantDest(&g)
		if err = scan(append(dest, &l.UserName, &l.UserDisabled, &l.ByName)...); err != nil {
			return l, err
		}
		done()
		l.Grant = g.Grant
		l.Altered = !sameMAC(g.mac, s.grantMAC(&g.Grant))
		return l, nil
	}, sqlGrantLines, ended, q.User, q.UnitPath, end, q.UnitPath, q.Lender, before, max(q.Limit, 0))
}

const (
	sqlUsersNamed = `SELECT ` + userColumns + ` FROM app_user p WHERE p.login_key = $1 OR lower(p.name) LIKE $2 ESCAPE '\' ORDER BY p.name, p.id LIMIT $3`
	// Who has no office, no wish for one refused, and no grant that has not ended.
	sqlUsersWaiting = `SELECT ` + userColumns + ` FROM app_user p
 WHERE p.disabled = $1 AND p.office = '' AND (p.asked <> '' OR NOT EXISTS
 (SELECT 1 FROM role_grant g WHERE g.user_id = p.id AND (g.valid_to = 0 OR g.valid_to > $2))) ORDER BY p.id LIMIT $3`
	// Who holds an own grant over just this unit.
	sqlUsersOfUnit = `SELECT DISTINCT ` + userColumns + ` FROM app_user p JOIN role_grant g ON g.user_id = p.id
 WHERE p.disabled = $1 AND p.office = '' AND g.unit_id = $2 AND g.lent = 0
 AND g.valid_from <= $3 AND (g.valid_to = 0 OR g.valid_to > $3) ORDER BY p.id LIMIT $4`
)

// FindUsers implements auth.Store.
func (s *Store) FindUsers(ctx context.Context, text string, limit int) ([]tianbao.User, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	return s.userList(ctx, sqlUsersNamed, s.loginKey(text), contains(text), limit)
}

// WaitingUsers implements auth.Store.
func (s *Store) WaitingUsers(ctx context.Context, limit int) ([]tianbao.User, error) {
	return s.userList(ctx, sqlUsersWaiting, false, ms(s.now()), limit)
}

// UsersOfUnit implements auth.Store.
func (s *Store) UsersOfUnit(ctx context.Context, unit tianbao.ID, limit int) ([]tianbao.User, error) {
	return s.userList(ctx, sqlUsersOfUnit, false, unit, ms(s.now()), limit)
}

// userList reads users with their grants.
func (s *Store) userList(ctx context.Context, sql string, args ...any) ([]tianbao.User, error) {
	var out []tianbao.User
	err := s.db.Read(ctx, func(q db.Queryer) error {
		stored, err := db.Collect(ctx, q, scanUser, sql, args...)
		if err != nil {
			return err
		}
		for i := range stored {
			s.checked(&stored[i])
			if err := s.withGrants(ctx, q, &stored[i]); err != nil {
				return err
			}
			if err := s.openUser(&stored[i]); err != nil {
				return err
			}
			out = append(out, stored[i].user)
		}
		return nil
	})
	return out, err
}

// UserByID implements auth.Store.
func (s *Store) UserByID(ctx context.Context, id tianbao.ID) (tianbao.User, error) {
	us, err := s.userList(ctx, sqlUserByID, id)
	if err == nil && len(us) == 0 {
		err = tianbao.NotFound()
	}
	if err != nil {
		return tianbao.User{}, err
	}
	return us[0], nil
}

// SetOffice implements auth.Store.
func (s *Store) SetOffice(ctx context.Context, user tianbao.ID, office tianbao.Role, agree bool, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		err := s.amend(ctx, tx, user, false, func(u *storedUser) error {
			if u.user.Asked != office || office == "" {
				return tianbao.NotFound()
			}
			u.user.Asked = ""
			if !agree {
				return nil
			}
			var n int64
			if err := tx.One(ctx, []any{&n}, sqlCountGrants, user, ms(s.now())); err != nil {
				return err
			}
			if n > 0 {
				return auth.OfficesApart()
			}
			u.user.Office = office
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlEndSessions, user); err != nil { // a new session with other rights
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
