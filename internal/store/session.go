package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
)

const (
	sqlInsertSession = `INSERT INTO session (id, token_hash, user_id, created, seen, address, stepped, method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	sqlUserSeen      = `UPDATE app_user SET last_seen = $1 WHERE id = $2 AND last_seen < $1`
	sessionColumns   = `s.id, s.token_hash, s.user_id, s.created, s.seen, s.address, s.stepped, s.method`
	// Every request asks this: session and account by one statement.
	sqlSession = `SELECT ` + sessionColumns + `, ` + userColumns + `,
 CASE WHEN p.password_at > p.created THEN p.password_at ELSE p.created END,
 (SELECT COUNT(*) FROM factor f WHERE f.user_id = p.id AND f.confirmed > 0)
 + (SELECT COUNT(*) FROM credential c WHERE c.user_id = p.id AND c.kind <> 'oidc'),
 CASE WHEN COALESCE((SELECT MAX(y.version) FROM purpose_yes y WHERE y.user_id = p.id), 0) >= (SELECT COALESCE(MAX(n.version), 0) FROM purpose n) THEN 1 ELSE 0 END
 FROM session s JOIN app_user p ON p.id = s.user_id WHERE s.token_hash = $1`
	sqlUserByID     = `SELECT ` + userColumns + ` FROM app_user p WHERE p.id = $1`
	sqlTouchSession = `UPDATE session SET seen = $1 WHERE token_hash = $2`
	sqlTouchUser    = `UPDATE app_user SET last_seen = $1
 WHERE last_seen < $1 AND id IN (SELECT s.user_id FROM session s WHERE s.token_hash = $2)`
	sqlDropSession = `DELETE FROM session WHERE token_hash = $1`
)

// sqlDropOldSessions removes the user's sessions that ended by time and that nobody
// asked for again.
const sqlDropOldSessions = `DELETE FROM session WHERE user_id = $1 AND created < $2`

func scanSession(scan db.Scan) (v auth.Session, err error) {
	dest, done := sessionDest(&v)
	err = scan(dest...)
	done()
	return v, err
}

// sessionDest are the places for sessionColumns; done finishes the session.
func sessionDest(v *auth.Session) (dest []any, done func()) {
	var created, seen, stepped int64
	return []any{&v.ID, &v.TokenHash, &v.User, &created, &seen, &v.Address, &stepped, &v.Method}, func() {
		v.Created, v.Seen, v.Stepped = when(created), when(seen), when(stepped)
	}
}

// PutSession implements auth.Store. It also drops the user's sessions that are
// older than any may be.
func (s *Store) PutSession(ctx context.Context, v auth.Session, most int, events ...tianbao.Event) error {
	if v.ID == 0 {
		v.ID = s.id()
	}
	if v.Method == "" {
		v.Method = auth.ByPassword
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlLockUser, Args: []any{v.User}},
			{SQL: sqlInsertSession, Args: []any{v.ID, v.TokenHash, v.User, ms(v.Created), ms(v.Seen), v.Address, ms(v.Stepped), v.Method}},
			{SQL: sqlUserSeen, Args: []any{ms(v.Seen), v.User}},
			{SQL: sqlDropOldSessions, Args: []any{v.User, ms(v.Created.Add(-auth.AbsoluteLimit))}},
		})
		if err != nil {
			return err
		}
		if err := endOldest(ctx, tx, v.User, most); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// Session implements auth.Store. It may be of up to [sessionLife] ago where another process
// changed something.
func (s *Store) Session(ctx context.Context, tokenHash []byte) (auth.Session, tianbao.User, error) {
	m, ok := s.sessions.get(tokenHash, s.now())
	if !ok {
		if err := s.readSession(ctx, tokenHash, &m); err != nil {
			return auth.Session{}, tianbao.User{}, err
		}
		if m.session.Informed { // else whoever agrees by one server would be asked again by the next
			s.sessions.put(tokenHash, m)
		}
	}
	u := m.user
	u.Grants, u.Altered = slices.Clone(u.Grants), slices.Clone(u.Altered) // the asker's own
	return m.session, u, nil
}

// readSession reads a session with its user and what that one may.
func (s *Store) readSession(ctx context.Context, tokenHash []byte, m *rememberedSession) error {
	v := &m.session
	var u storedUser
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		var set int64
		var factors, informed int
		session, sessionDone := sessionDest(v)
		user, userDone := userDest(&u)
		if err := one(ctx, q, append(append(session, user...), &set, &factors, &informed), sqlSession, tokenHash); err != nil {
			return err
		}
		sessionDone()
		userDone()
		v.PasswordSet, v.Factor = when(set), factors > 0
		v.Informed = informed > 0
		s.checked(&u)
		return s.withGrants(ctx, q, &u)
	})
	if err == nil {
		err = s.openUser(&u)
	}
	m.user = u.user
	return err
}

// TouchSession implements auth.Store. Touching a session that has ended is no
// error; it stays ended.
func (s *Store) TouchSession(ctx context.Context, tokenHash []byte, at time.Time) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlTouchSession, Args: []any{ms(at), tokenHash}},
			{SQL: sqlTouchUser, Args: []any{ms(at), tokenHash}},
		})
		return err
	})
}

// DropSession implements auth.Store.
func (s *Store) DropSession(ctx context.Context, tokenHash []byte, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlDropSession, tokenHash); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

const (
	sqlPutSetup   = `UPDATE setup_token SET token_hash = $1, expires = $2 WHERE id = $3`
	sqlCheckSetup = `SELECT id FROM setup_token WHERE token_hash = $1 AND expires > $2`
)

// setupRow is the row of an office's set-up link.
func setupRow(office tianbao.Role) int64 {
	return int64(slices.Index(tianbao.Offices(), office) + 1)
}

// PutSetupToken implements auth.Store.
func (s *Store) PutSetupToken(ctx context.Context, office tianbao.Role, tokenHash []byte, expires time.Time) error {
	_, err := s.exec(ctx, sqlPutSetup, tokenHash, ms(expires), setupRow(office))
	return err
}

// CheckSetupToken implements auth.Store. The empty hash stands for no token and is
// never right.
func (s *Store) CheckSetupToken(ctx context.Context, tokenHash []byte, now time.Time) (tianbao.Role, error) {
	if len(tokenHash) == 0 {
		return "", nil
	}
	var id int64
	err := s.db.One(ctx, []any{&id}, sqlCheckSetup, tokenHash, ms(now))
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	offices := tianbao.Offices()
	if err != nil || id < 1 || int(id) > len(offices) {
		return "", err
	}
	return offices[id-1], nil
}

// DropSetupToken implements auth.Store.
func (s *Store) DropSetupToken(ctx context.Context, office tianbao.Role) error {
	_, err := s.exec(ctx, sqlPutSetup, []byte{}, 0, setupRow(office))
	return err
}
