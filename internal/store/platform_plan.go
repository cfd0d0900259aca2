package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/provision"
	"tianbao/internal/seal"
)

// Plans of accounts.

const (
	planColumns = `p.id, p.campaign_id, COALESCE(c.title, ''), p.root_id, u.name, p.state, p.proof, p.kept, p.made, p.by_id, COALESCE(b.name, ''),
 p.approved, p.approved_by, COALESCE(d.name, ''), p.ended, p.node, p.until, p.trouble
 FROM platform_plan p JOIN unit u ON u.id = p.root_id LEFT JOIN campaign c ON c.id = p.campaign_id
 LEFT JOIN app_user b ON b.id = p.by_id LEFT JOIN app_user d ON d.id = p.approved_by`
	sqlPlatformPlans = `SELECT ` + planColumns + ` WHERE SCOPE(u.path) ORDER BY p.id DESC LIMIT $1`
	sqlPlatformPlan  = `SELECT ` + planColumns + ` WHERE p.id = $1 AND SCOPE(u.path)`
	sqlLeasable      = `SELECT ` + planColumns + ` WHERE p.state = 'approved' AND p.until <= $1 ORDER BY p.id LIMIT 1`
	sqlInsertPlan    = `INSERT INTO platform_plan (id, campaign_id, root_id, open_root, state, proof, kept, made, by_id, approved, approved_by, ended, node, until, trouble)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, '', 0, '')`
	sqlDropOpenPlan = `UPDATE platform_plan SET state = 'dropped', open_root = -id, ended = $1 WHERE open_root = $2 AND state = 'planned'`
	sqlApprovePlan  = `UPDATE platform_plan SET state = 'approved', approved = $1, approved_by = $2 WHERE id = $3 AND state = 'planned'`
	sqlDropPlan     = `UPDATE platform_plan SET state = 'dropped', open_root = -id, ended = $1, approved_by = $2 WHERE id = $3 AND state = 'planned'`
	sqlLeasePlan    = `UPDATE platform_plan SET node = $1, until = $2 WHERE id = $3 AND state = 'approved' AND until <= $4`
	sqlFreePlans    = `UPDATE platform_plan SET node = '', until = 0 WHERE state = 'approved' AND node <> ''`
	sqlKeepPlan     = `UPDATE platform_plan SET until = $1 WHERE id = $2 AND node = $3 AND state = 'approved'`
	sqlRestPlan     = `UPDATE platform_plan SET node = '', until = $1, trouble = $2 WHERE id = $3 AND node = $4 AND state = 'approved'`
	sqlEndPlan      = `UPDATE platform_plan SET state = 'done', open_root = -id, node = '', until = 0, trouble = '', ended = $1 WHERE id = $2 AND node = $3 AND state = 'approved'`
	sqlInsertStep   = `INSERT INTO platform_step (plan_id, n, kind, account_id, unit_id, needs, state, reason, at, body) VALUES ($1, $2, $3, $4, $5, $6, 'planned', '', 0, $7)`
	sqlInsertHeld   = `INSERT INTO platform_held (plan_id, n, why, account_id, unit_id, body) VALUES ($1, $2, $3, $4, $5, $6)`
	sqlBeginStep    = `UPDATE platform_step SET state = 'sending' WHERE plan_id = $1 AND n = $2 AND state IN ('planned', 'sending')`
	sqlFinishStep   = `UPDATE platform_step SET state = $1, reason = $2, at = $3 WHERE plan_id = $4 AND n = $5 AND state IN ('planned', 'sending')`
	sqlPlanSteps    = `SELECT x.n, x.kind, x.needs, x.state, x.reason, x.at, x.body, COALESCE(u.name, '') FROM platform_step x LEFT JOIN unit u ON u.id = x.unit_id
 WHERE x.plan_id = $1 AND x.n > $2 AND (x.kind = $3 OR $3 = '') AND (x.state = $4 OR $4 = '') ORDER BY x.n LIMIT $5`
	sqlPlanHeld = `SELECT x.n, x.why, x.account_id, x.body, COALESCE(u.name, '') FROM platform_held x LEFT JOIN unit u ON u.id = x.unit_id
 WHERE x.plan_id = $1 AND x.n > $2 AND (x.why = $3 OR $3 = '') ORDER BY x.n LIMIT $4`
	sqlCountSteps = `SELECT x.kind, x.state, COUNT(*) FROM platform_step x WHERE x.plan_id = $1 GROUP BY x.kind, x.state`
	sqlCountHeld  = `SELECT x.why, COUNT(*) FROM platform_held x WHERE x.plan_id = $1 GROUP BY x.why`
)

func stepPlace(plan tianbao.ID, n int) []byte {
	return seal.Place("platform_step", "body", fmt.Sprintf("%d/%d", plan, n))
}

func heldPlace(plan tianbao.ID, n int) []byte {
	return seal.Place("platform_held", "body", fmt.Sprintf("%d/%d", plan, n))
}

// stepJSON is the sealed body of a step.
type stepJSON struct {
	Before accountState    `json:"b"`
	After  accountState    `json:"a"`
	Rows   []provision.Ref `json:"r,omitempty"`
}

// accountState is an account without the ways of its type, which prints itself as none.
type accountState struct {
	ID                          tianbao.ID
	Person, Name, Login, Legacy string
	Units                       []tianbao.ID
	Disabled                    bool
}

// heldJSON is the sealed body of somebody held.
type heldJSON struct {
	Person, Name, Phone string
	Rows, With          []provision.Ref
}

func scanPlan(scan db.Scan) (h provision.Head, err error) {
	var made, approved, ended, until int64
	err = scan(&h.ID, &h.Campaign, &h.Title, &h.Root, &h.RootName, &h.State, &h.Proof, &h.Kept, &made, &h.By, &h.ByName,
		&approved, &h.ApprovedBy, &h.ApprovedName, &ended, &h.Node, &until, &h.Trouble)
	h.Made, h.Approved, h.Ended, h.Until = when(made), when(approved), when(ended), when(until)
	return h, err
}

// planChunk is how many statements of a plan are sent at once.
const planChunk = 2000

// PutPlan implements provision.Store.
func (s *Store) PutPlan(ctx context.Context, h *provision.Head, p *provision.Plan, events ...tianbao.Event) error {
	batch := []db.Statement{
		{SQL: sqlDropOpenPlan, Args: []any{ms(h.Made), h.Root}},
		{SQL: sqlInsertPlan, Args: []any{h.ID, h.Campaign, h.Root, h.Root, h.State, h.Proof, h.Kept, ms(h.Made), h.By}},
	}
	for n := range p.Steps {
		x := &p.Steps[n]
		body, err := s.sealJSON(stepJSON{accountState(x.Before), accountState(x.After), x.Rows}, stepPlace(h.ID, n))
		if err != nil {
			return err
		}
		batch = append(batch, db.Statement{SQL: sqlInsertStep, Args: []any{h.ID, n, x.Kind, x.After.ID, x.After.Units[0], x.Needs, body}})
	}
	for n := range p.Held {
		x := &p.Held[n]
		body, err := s.sealJSON(heldJSON{x.Person, x.Name, x.Phone, x.Rows, x.With}, heldPlace(h.ID, n))
		if err != nil {
			return err
		}
		batch = append(batch, db.Statement{SQL: sqlInsertHeld, Args: []any{h.ID, n, x.Why, x.Account, x.Rows[0].Unit, body}})
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		for from := 0; from < len(batch); from += planChunk {
			if _, err := tx.Send(ctx, batch[from:min(from+planChunk, len(batch))]); err != nil {
				return err
			}
		}
		return s.trail(ctx, tx, events...)
	})
	if db.IsUnique(err) {
		return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "plan_open", Message: "上一个方案正在执行，请等它执行完毕再生成新的方案。"}
	}
	return err
}

// Plans implements provision.Store.
func (s *Store) Plans(ctx context.Context, scope tianbao.Scope, limit int) ([]provision.Head, error) {
	sql, args := within(sqlPlatformPlans, scope, max(limit, 0))
	return db.Collect(ctx, s.db, scanPlan, sql, args...)
}

// PlanOf implements provision.Store.
func (s *Store) PlanOf(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (h provision.Head, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		sql, args := within(sqlPlatformPlan, scope, id)
		if h, err = first(ctx, q, scanPlan, sql, args...); err != nil {
			return err
		}
		h.Steps, h.Held = make(map[provision.Kind]map[provision.StepState]int), make(map[provision.Why]int)
		err := q.Each(ctx, func(scan db.Scan) error {
			var kind provision.Kind
			var state provision.StepState
			var n int
			if err := scan(&kind, &state, &n); err != nil {
				return err
			}
			if h.Steps[kind] == nil {
				h.Steps[kind] = make(map[provision.StepState]int)
			}
			h.Steps[kind][state] = n
			return nil
		}, sqlCountSteps, id)
		if err != nil {
			return err
		}
		return q.Each(ctx, func(scan db.Scan) error {
			var why provision.Why
			var n int
			err := scan(&why, &n)
			h.Held[why] = n
			return err
		}, sqlCountHeld, id)
	})
	return h, err
}

// Lines implements provision.Store.
func (s *Store) Lines(ctx context.Context, id tianbao.ID, behind int, kind provision.Kind, state provision.StepState, limit int) ([]provision.Line, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (l provision.Line, err error) {
		var at int64
		var body []byte
		if err = scan(&l.N, &l.Kind, &l.Needs, &l.State, &l.Reason, &at, &body, &l.UnitName); err != nil {
			return l, err
		}
		l.At = when(at)
		var j stepJSON
		if err = s.openJSON(body, stepPlace(id, l.N), &j); err != nil {
			return l, fmt.Errorf("store: open step %d of plan %s: %w", l.N, id, err)
		}
		l.Before, l.After, l.Rows = provision.Account(j.Before), provision.Account(j.After), j.Rows
		return l, nil
	}, sqlPlanSteps, id, behind, kind, state, max(limit, 0))
}

// HeldOf implements provision.Store.
func (s *Store) HeldOf(ctx context.Context, id tianbao.ID, behind int, why provision.Why, limit int) ([]provision.HeldLine, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (l provision.HeldLine, err error) {
		var body []byte
		if err = scan(&l.N, &l.Why, &l.Account, &body, &l.UnitName); err != nil {
			return l, err
		}
		var j heldJSON
		if err = s.openJSON(body, heldPlace(id, l.N), &j); err != nil {
			return l, fmt.Errorf("store: open the one held as %d of plan %s: %w", l.N, id, err)
		}
		l.Person, l.Name, l.Phone, l.Rows, l.With = j.Person, j.Name, j.Phone, j.Rows, j.With
		return l, nil
	}, sqlPlanHeld, id, behind, why, max(limit, 0))
}

// Decide implements provision.Store.
func (s *Store) Decide(ctx context.Context, id tianbao.ID, to provision.State, by tianbao.ID, at time.Time, events ...tianbao.Event) error {
	sql := sqlDropPlan
	if to == provision.Approved {
		sql = sqlApprovePlan
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sql, ms(at), by, id)
		if err == nil && n == 0 {
			err = &tianbao.Error{Kind: tianbao.ErrConflict, Code: "plan_decided", Message: "这个方案已经有人处理过了，请刷新页面查看。"}
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// Lease implements provision.Store.
func (s *Store) Lease(ctx context.Context, node string, now, until time.Time) (h provision.Head, ok bool, err error) {
	h, err = first(ctx, s.db, scanPlan, sqlLeasable, ms(now))
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return h, false, nil
	}
	if err != nil {
		return h, false, err
	}
	n, err := s.exec(ctx, sqlLeasePlan, node, ms(until), h.ID, ms(now))
	return h, n == 1 && err == nil, err
}

// FreePlans implements provision.Store.
func (s *Store) FreePlans(ctx context.Context) error {
	_, err := s.exec(ctx, sqlFreePlans)
	return err
}

// Begin implements provision.Store.
func (s *Store) Begin(ctx context.Context, o *provision.Outcome) (mine bool, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		counts, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlKeepPlan, Args: []any{ms(o.Until), o.Plan, o.Node}},
			{SQL: sqlBeginStep, Args: []any{o.Plan, o.N}},
		})
		mine = err == nil && counts[0] == 1 && counts[1] == 1
		return err
	})
	return mine && err == nil, err
}

// Finish implements provision.Store.
func (s *Store) Finish(ctx context.Context, l *provision.Line, o *provision.Outcome, events ...tianbao.Event) (mine bool, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlKeepPlan, ms(o.Until), o.Plan, o.Node)
		if mine = err == nil && n == 1; !mine {
			return err
		}
		n, err = tx.Exec(ctx, sqlFinishStep, o.State, o.Reason, ms(o.At), o.Plan, o.N)
		if mine = err == nil && n == 1; !mine {
			return err
		}
		if o.State == provision.StepApplied {
			if err := s.putAccount(ctx, tx, l, o); err != nil {
				return err
			}
		}
		return s.trail(ctx, tx, events...)
	})
	return mine && err == nil, err
}

// Leave implements provision.Store.
func (s *Store) Leave(ctx context.Context, id tianbao.ID, node string, done bool, trouble string, until, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var n int64
		var err error
		if done {
			n, err = tx.Exec(ctx, sqlEndPlan, ms(at), id, node)
		} else {
			n, err = tx.Exec(ctx, sqlRestPlan, ms(until), trouble, id, node)
		}
		if err != nil || n == 0 {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
