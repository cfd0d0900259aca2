package store

import (
	"context"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

const sqlInsertAudit = `INSERT INTO audit (id, owner, at, actor, login, address, what, object, detail)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

// auditLine is a line of the trail before it gets its id.
type auditLine struct {
	owner, actor tianbao.ID
	at           int64
	login        string // as typed, so it may be anything; stored sealed
	address      string
	what         string
	object       string
	detail       string
}

// auditStatement writes a line; it belongs into the transaction of what it tells.
func (s *Store) auditStatement(l auditLine) db.Statement {
	id, login := s.id(), []byte{}
	if l.login != "" {
		login = s.ring.Seal(nil, []byte(l.login), seal.Place("audit", "login", id.String()))
	}
	return db.Statement{SQL: sqlInsertAudit, Args: []any{
		id, l.owner, l.at, l.actor, login, l.address, l.what, l.object, l.detail,
	}}
}

// Audit implements auth.Store.
func (s *Store) Audit(ctx context.Context, e auth.Event) error {
	st := s.auditStatement(auditLine{
		at: ms(e.At), actor: e.Actor, login: e.Login, address: e.From, what: e.What, object: e.Object, detail: e.Detail,
	})
	_, err := s.exec(ctx, st.SQL, st.Args...)
	return err
}
