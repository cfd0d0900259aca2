package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// wishJSON is what a request says of people, on its way into the seal.
type wishJSON struct {
	Value string `json:"v,omitempty"`
	Why   string `json:"w,omitempty"`
}

func requestPlace(column string, id tianbao.ID) []byte {
	return seal.Place("unit_request", column, id.String())
}

// sealedRequest is a request with its words sealed.
type sealedRequest struct {
	*tianbao.UnitRequest
	wish, remark []byte
}

func (s *Store) sealRequest(r *tianbao.UnitRequest) (sealedRequest, error) {
	wish, err := json.Marshal(wishJSON{Value: r.Value, Why: r.Why})
	if err != nil {
		return sealedRequest{}, errors.New("store: a request cannot be encoded")
	}
	out := sealedRequest{UnitRequest: r, wish: s.ring.Seal(nil, wish, requestPlace("wish", r.ID)), remark: []byte{}}
	if r.Remark != "" {
		out.remark = s.ring.Seal(nil, []byte(r.Remark), requestPlace("remark", r.ID))
	}
	return out, nil
}

const (
	sqlInsertRequest = `INSERT INTO unit_request (id, unit_id, field, wish, state, by_id, at, decided_by, decided_at, remark)
 SELECT $1, u.id, $2, $3, $4, $5, $6, 0, 0, '' FROM unit u WHERE u.id = $7 AND SCOPE(u.path)`
	sqlOpenRequests  = `SELECT COUNT(*) FROM unit_request r WHERE r.unit_id = $1 AND r.state = $2`
	sqlDecideRequest = `UPDATE unit_request SET state = $1, decided_by = $2, decided_at = $3, remark = $4 WHERE id = $5 AND state = $6`
	requestColumns   = `SELECT r.id, r.unit_id, u.name, r.field, r.wish, r.state, r.by_id, COALESCE(p.name, ''), r.at,
 r.decided_by, COALESCE(d.name, ''), r.decided_at, r.remark
 FROM unit_request r JOIN unit u ON u.id = r.unit_id LEFT JOIN app_user p ON p.id = r.by_id LEFT JOIN app_user d ON d.id = r.decided_by
 WHERE SCOPE(u.path) AND `
	sqlRequests = requestColumns + `($1 = '' OR r.state = $1) AND r.id < $2 ORDER BY r.id DESC LIMIT $3`
	sqlRequest  = requestColumns + `r.id = $1`
)

// maxOpenRequests is how many requests of one unit may wait.
const maxOpenRequests = 20

// PutRequest stores a new request of a unit in scope, with its event.
func (s *Store) PutRequest(ctx context.Context, scope tianbao.Scope, r *tianbao.UnitRequest, events ...tianbao.Event) error {
	sealed, err := s.sealRequest(r)
	if err != nil {
		return err
	}
	sql, args := within(sqlInsertRequest, scope, r.ID, r.Field, sealed.wish, r.State, r.By, ms(r.At), r.Unit)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var open int64
		if err := tx.One(ctx, []any{&open}, sqlOpenRequests, r.Unit, tianbao.RequestOpen); err != nil {
			return err
		}
		if open >= maxOpenRequests {
			return &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "many_requests", Message: "本单位待处理的更正申请已经很多，请等财政部门处理后再提交。"}
		}
		n, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return err
		}
		if n != 1 {
			return tianbao.NotFound()
		}
		return s.trail(ctx, tx, events...)
	})
}

// decide records the decision on an open request.
func decide(ctx context.Context, tx db.Tx, r *sealedRequest) error {
	n, err := tx.Exec(ctx, sqlDecideRequest, r.State, r.Decider, ms(r.Decided), r.remark, r.ID, tianbao.RequestOpen)
	if err == nil && n != 1 {
		err = &tianbao.Error{Kind: tianbao.ErrConflict, Code: "decided", Message: "这项申请已经处理过了，请刷新页面查看。"}
	}
	return err
}

// RefuseRequest records that a request is refused, with its event. The caller has read
// it within the scope of who decides.
func (s *Store) RefuseRequest(ctx context.Context, r *tianbao.UnitRequest, events ...tianbao.Event) error {
	sealed, err := s.sealRequest(r)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := decide(ctx, tx, &sealed); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

func (s *Store) scanRequest(scan db.Scan) (r tianbao.UnitRequest, err error) {
	var wish, remark []byte
	var at, decided int64
	err = scan(&r.ID, &r.Unit, &r.UnitName, &r.Field, &wish, &r.State, &r.By, &r.ByName, &at, &r.Decider, &r.DeciderName, &decided, &remark)
	if err != nil {
		return r, err
	}
	r.At, r.Decided = when(at), when(decided)
	plain, err := s.ring.Open(nil, wish, requestPlace("wish", r.ID))
	if err != nil {
		return r, fmt.Errorf("store: open request %s: %w", r.ID, err)
	}
	var w wishJSON
	if json.Unmarshal(plain, &w) != nil {
		return r, errors.New("store: a stored request is not readable")
	}
	r.Value, r.Why = w.Value, w.Why
	if len(remark) > 0 {
		if plain, err = s.ring.Open(nil, remark, requestPlace("remark", r.ID)); err != nil {
			return r, fmt.Errorf("store: open the remark of request %s: %w", r.ID, err)
		}
		r.Remark = string(plain)
	}
	return r, nil
}

// Requests returns the requests of units in scope, the newest first; state "" is any,
// before 0 no bound.
func (s *Store) Requests(ctx context.Context, scope tianbao.Scope, state tianbao.RequestState, before tianbao.ID, limit int) ([]tianbao.UnitRequest, error) {
	if before == 0 {
		before = 1<<62 - 1
	}
	sql, args := within(sqlRequests, scope, state, before, max(limit, 0))
	return db.Collect(ctx, s.db, s.scanRequest, sql, args...)
}

// Request returns a request of a unit in scope.
func (s *Store) Request(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.UnitRequest, error) {
	sql, args := within(sqlRequest, scope, id)
	return first(ctx, s.db, s.scanRequest, sql, args...)
}
