package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/living"
	"tianbao/internal/seal"
)

// Changes of people (变更), with what they say of somebody sealed.

const (
	sqlInsertChange = `INSERT INTO person_change (id, campaign_id, unit_id, kind, day, state, form, form_version, report_id, row_id, base, version,
 from_unit, from_report, from_row, k, look, body, by_id, made, decided_by, decided, remark)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`
	sqlDecideChange = `UPDATE person_change SET state = $1, report_id = $2, row_id = $3, version = $4, from_unit = $5, from_report = $6, from_row = $7,
 body = $8, decided_by = $9, decided = $10, remark = $11 WHERE id = $12 AND state = 'waiting'`
	sqlWaitingLike = `SELECT c.report_id, c.row_id, c.look FROM person_change c WHERE c.unit_id = $1 AND c.campaign_id = $2 AND c.state = 'waiting'`
	changeColumns  = `SELECT c.id, c.campaign_id, c.unit_id, v.name, c.kind, c.day, c.state, c.form, c.form_version, c.report_id, c.row_id, c.base, c.version,
 c.from_unit, COALESCE(f.name, ''), c.from_report, c.from_row, c.body, c.by_id, COALESCE(p.name, ''), c.made,
 c.decided_by, COALESCE(d.name, ''), c.decided, c.remark FROM person_change c JOIN unit u ON u.id = `
	changeJoins = ` JOIN unit v ON v.id = c.unit_id LEFT JOIN unit f ON f.id = c.from_unit
 LEFT JOIN app_user p ON p.id = c.by_id LEFT JOIN app_user d ON d.id = c.decided_by
 WHERE SCOPE(u.path) AND `
	changeFilter = `($1 = 0 OR c.campaign_id = $1) AND ($2 = 0 OR u.id = $2) AND ($3 = '' OR c.state = $3) AND c.id < $4 ORDER BY c.id DESC LIMIT $5`
	sqlChanges   = changeColumns + `c.unit_id` + changeJoins + changeFilter
	// Those that took somebody away from a unit.
	sqlChangesFrom = changeColumns + `c.from_unit` + changeJoins + changeFilter
	sqlChange      = changeColumns + `c.unit_id` + changeJoins + `c.id = $1`
	sqlReturned    = `SELECT c.campaign_id, COUNT(*) FROM person_change c JOIN unit u ON u.id = c.unit_id
 WHERE c.unit_id = $1 AND SCOPE(u.path) AND c.state = 'returned' AND c.decided >= $2
 AND NOT EXISTS (SELECT 1 FROM person_change n WHERE n.unit_id = c.unit_id AND n.campaign_id = c.campaign_id AND n.made > c.decided) GROUP BY c.campaign_id`
	sqlCountChanges = `SELECT c.campaign_id, COUNT(*) FROM person_change c JOIN unit u ON u.id = c.unit_id
 WHERE c.state = 'waiting' AND SCOPE(u.path) GROUP BY c.campaign_id`
)

// maxWaiting is how many changes of one unit may wait in a collection.
const maxWaiting = 200

// changeBody is what a change says of somebody, on its way into the seal; cells by the
// keys of their fields.
type changeBody struct {
	Values map[string]string `json:"v,omitempty"`
	Before map[string]string `json:"b,omitempty"`
	Why    string            `json:"w,omitempty"`
}

func changePlace(column string, id tianbao.ID) []byte {
	return seal.Place("person_change", column, id.String())
}

// sealedChange is what is stored of a change besides itself.
type sealedChange struct {
	body, remark, look []byte
	k                  int64
}

func cellsByKey(f *tianbao.Form, v tianbao.Values) map[string]string {
	out := make(map[string]string)
	for i := range v {
		if v[i] != "" {
			out[f.Fields[i].Key] = v[i]
		}
	}
	return out
}

func cellsOf(f *tianbao.Form, by map[string]string) tianbao.Values {
	if by == nil {
		return nil
	}
	out := make(tianbao.Values, len(f.Fields))
	for i := range f.Fields {
		out[i] = by[f.Fields[i].Key]
	}
	return out
}

func (s *Store) sealChange(c *tianbao.PersonChange, person string) (*sealedChange, error) {
	f, err := s.forms(c.Form, c.FormV)
	if err != nil {
		return nil, err
	}
	if len(c.Values) > len(f.Fields) || len(c.Before) > len(f.Fields) {
		return nil, errors.New("store: a change has more cells than its form")
	}
	plain, err := json.Marshal(changeBody{cellsByKey(f, c.Values), cellsByKey(f, c.Before), c.Why})
	if err != nil {
		return nil, errors.New("store: a change cannot be encoded")
	}
	out := &sealedChange{body: s.ring.Seal(nil, plain, changePlace("body", c.ID)), remark: s.sealText(c.Remark, changePlace("remark", c.ID)), look: []byte{}}
	if field := columnsOf(f).id; field >= 0 && person != "" {
		out.look = s.appendLook(nil, f.Fields[field].Key, person)
		out.k = lookKeys(out.look)[0].k
	}
	return out, nil
}

func (s *Store) insertChange(ctx context.Context, tx db.Tx, c *tianbao.PersonChange, sealed *sealedChange) error {
	_, err := tx.Exec(ctx, sqlInsertChange, c.ID, c.Campaign, c.Unit, c.Kind, ms(c.Day), c.State, c.Form, c.FormV, c.At.Report, c.At.Row, c.Base, c.Version,
		c.From, c.FromAt.Report, c.FromAt.Row, sealed.k, sealed.look, sealed.body, c.By, ms(c.Made), c.Decider, ms(c.Decided), sealed.remark)
	if err != nil {
		return fmt.Errorf("store: write change %s: %w", c.ID, err)
	}
	return nil
}

func (s *Store) decideChange(ctx context.Context, tx db.Tx, c *tianbao.PersonChange, sealed *sealedChange) error {
	n, err := tx.Exec(ctx, sqlDecideChange, c.State, c.At.Report, c.At.Row, c.Version, c.From, c.FromAt.Report, c.FromAt.Row,
		sealed.body, c.Decider, ms(c.Decided), sealed.remark, c.ID)
	if err != nil {
		return fmt.Errorf("store: decide change %s: %w", c.ID, err)
	}
	if n != 1 {
		return living.Decided()
	}
	return nil
}

// PutChange implements living.Store. The turn of the unit is taken first: two changes of
// one person do not pass each other.
func (s *Store) PutChange(ctx context.Context, c *tianbao.PersonChange, person string, events ...tianbao.Event) error {
	sealed, err := s.sealChange(c, person)
	if err != nil {
		return err
	}
	return s.again(ctx, func(tx db.Tx) error {
		if _, err := s.takeTurns(ctx, tx, c.Campaign, []tianbao.ID{c.Unit}); err != nil {
			return err
		}
		n, same := 0, false
		err := tx.Each(ctx, func(scan db.Scan) error {
			var at tianbao.RowPlace
			var look []byte
			err := scan(&at.Report, &at.Row, &look)
			n++
			same = same || at.Row != 0 && at == c.At || len(look) > 0 && bytes.Equal(look, sealed.look)
			return err
		}, sqlWaitingLike, c.Unit, c.Campaign)
		switch {
		case err != nil:
			return err
		case same:
			return tianbao.Invalid("waits_already", "这名人员已有一项变更在等待核准；要改的请先撤回那一项。")
		case n >= maxWaiting:
			return &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "many_changes", Message: "本单位等待核准的变更已经很多，请等财政部门处理以后再报。"}
		}
		if _, err := s.keptNow(ctx, tx, c); err != nil {
			return err
		}
		if err := s.insertChange(ctx, tx, c, sealed); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// EndChange implements living.Store.
func (s *Store) EndChange(ctx context.Context, c *tianbao.PersonChange, events ...tianbao.Event) error {
	sealed, err := s.sealChange(c, "")
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.decideChange(ctx, tx, c, sealed); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

func (s *Store) scanChange(scan db.Scan) (c tianbao.PersonChange, err error) {
	var day, made, decided int64
	var body, remark []byte
	err = scan(&c.ID, &c.Campaign, &c.Unit, &c.UnitName, &c.Kind, &day, &c.State, &c.Form, &c.FormV, &c.At.Report, &c.At.Row, &c.Base, &c.Version,
		&c.From, &c.FromName, &c.FromAt.Report, &c.FromAt.Row, &body, &c.By, &c.ByName, &made, &c.Decider, &c.DeciderName, &decided, &remark)
	if err != nil {
		return c, err
	}
	c.Day, c.Made, c.Decided = when(day), when(made), when(decided)
	if c.Remark, err = s.openText(remark, changePlace("remark", c.ID)); err != nil {
		return c, fmt.Errorf("store: open the remark of change %s: %w", c.ID, err)
	}
	plain, err := s.ring.Open(nil, body, changePlace("body", c.ID))
	if err != nil {
		return c, fmt.Errorf("store: open change %s: %w", c.ID, err)
	}
	if string(plain) == tianbao.ErasedMark {
		c.Erased, c.Why = true, tianbao.ErasedMark
		return c, nil
	}
	var b changeBody
	if json.Unmarshal(plain, &b) != nil {
		return c, errors.New("store: a stored change is not readable")
	}
	f, err := s.forms(c.Form, c.FormV)
	if err != nil {
		return c, err
	}
	c.Values, c.Before, c.Why = cellsOf(f, b.Values), cellsOf(f, b.Before), b.Why
	return c, nil
}

// Changes implements living.Store.
func (s *Store) Changes(ctx context.Context, scope tianbao.Scope, f living.Filter) ([]tianbao.PersonChange, error) {
	if f.Before == 0 {
		f.Before = 1<<62 - 1
	}
	args := []any{f.Campaign, f.Unit, f.State, f.Before, max(f.Limit, 0)}
	sql, more := within(sqlChanges, scope, args...)
	out, err := db.Collect(ctx, s.db, s.scanChange, sql, more...)
	if err != nil {
		return nil, err
	}
	sql, more = within(sqlChangesFrom, scope, args...)
	from, err := db.Collect(ctx, s.db, s.scanChange, sql, more...)
	return newest(append(out, from...), f.Limit), err
}

// newest brings changes into order, each once: a move within a scope is of both its units.
func newest(list []tianbao.PersonChange, limit int) []tianbao.PersonChange {
	slices.SortFunc(list, func(a, b tianbao.PersonChange) int { return cmp.Compare(b.ID, a.ID) })
	list = slices.CompactFunc(list, func(a, b tianbao.PersonChange) bool { return a.ID == b.ID })
	return list[:min(len(list), max(limit, 0))]
}

// Change implements living.Store.
func (s *Store) Change(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.PersonChange, error) {
	sql, args := within(sqlChange, scope, id)
	return first(ctx, s.db, s.scanChange, sql, args...)
}

// ReturnedChanges implements living.Store.
func (s *Store) ReturnedChanges(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, since time.Time) (map[tianbao.ID]int, error) {
	sql, args := within(sqlReturned, scope, unit, ms(since))
	return s.countBy(ctx, sql, args)
}

// CountChanges implements living.Store.
func (s *Store) CountChanges(ctx context.Context, scope tianbao.Scope) (map[tianbao.ID]int, error) {
	sql, args := within(sqlCountChanges, scope)
	return s.countBy(ctx, sql, args)
}

// countBy reads ids with a number each.
func (s *Store) countBy(ctx context.Context, sql string, args []any) (map[tianbao.ID]int, error) {
	out := make(map[tianbao.ID]int)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var id tianbao.ID
		var n int
		err := scan(&id, &n)
		out[id] = n
		return err
	}, sql, args...)
	return out, err
}

// hasLook reports whether look_keys hold a key.
func hasLook(look, want []byte) bool {
	for ; len(look) >= lookSize; look = look[lookSize:] {
		if bytes.Equal(look[:lookSize], want) {
			return true
		}
	}
	return false
}
