package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/ident"
	"tianbao/internal/seal"
)

const (
	sqlComparison       = `SELECT id, owner_id, campaign_id, list, at, turn FROM comparison WHERE owner_id = $1 AND campaign_id = $2`
	sqlInsertComparison = `INSERT INTO comparison (id, owner_id, campaign_id, list, at, turn) VALUES ($1, $2, $3, 0, 0, 0)`
	sqlReadyVersion     = `SELECT COALESCE(MAX(version), 0) FROM legacy_list WHERE owner_id = $1 AND ready = $2 AND dropped = 0`
	sqlPathOf           = `SELECT path FROM unit WHERE id = $1`
	// Reports with rows of the owner's units, by what each unit has in each report.
	sqlComparedReports = `SELECT DISTINCT r.id, r.version FROM unit u JOIN unit_part p ON p.unit_id = u.id AND p.campaign_id = $1 JOIN report r ON r.id = p.report_id
 WHERE SCOPE(u.path) AND p.row_count > 0`
	sqlLegacyUsers  = `SELECT l.id, l.since, l.unit_id, l.body FROM legacy_user l WHERE l.owner_id = $1 AND l.since <= $2 AND (l.gone = 0 OR l.gone > $2) ORDER BY l.id`
	sqlComparedRows = `SELECT r.id, r.form, r.form_version, w.row_id, w.unit_id, w.vals FROM report r JOIN report_row w ON w.report_id = r.id JOIN unit u ON u.id = w.unit_id
 WHERE SCOPE(u.path) AND r.id IN LIST ORDER BY r.id, w.row_id`
	sqlHoldingDecisions = `SELECT d.old_id, d.new_id, d.kind FROM compare_decision d WHERE d.comparison_id = $1 AND d.ended = 0 AND d.kind IN ('same', 'apart') ORDER BY d.id`
	itemColumns         = `i.side, i.item_id, i.unit_id, i.report_id, i.list, i.partner_id, i.rung, i.why, i.agree, i.alike, i.differ, i.others`
	sqlAllItems         = `SELECT ` + itemColumns + ` FROM compare_item i WHERE i.comparison_id = $1 ORDER BY i.side, i.item_id`
	sqlInsertItem       = `INSERT INTO compare_item (unit_id, report_id, list, partner_id, rung, why, agree, alike, differ, others, comparison_id, side, item_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	sqlDropItem         = `DELETE FROM compare_item WHERE comparison_id = $1 AND side = $2 AND item_id = $3`
	sqlRaiseCompared    = `UPDATE comparison SET list = $1, at = $2, turn = turn + 1 WHERE id = $3 AND turn = $4`
	sqlOneItem          = `SELECT ` + itemColumns + `, COALESCE(p.unit_id, 0) FROM compare_item i JOIN unit u ON u.id = i.unit_id
 LEFT JOIN compare_item p ON p.comparison_id = i.comparison_id AND p.side = 1 - i.side AND p.item_id = i.partner_id
 WHERE i.comparison_id = $1 AND i.side = $2 AND i.item_id = $3 AND SCOPE(u.path)`
	sqlUnitInScope    = `SELECT COUNT(*) FROM unit u WHERE u.id = $1 AND SCOPE(u.path)`
	sqlEndDecisions   = `UPDATE compare_decision SET ended = $1, ended_by = $2 WHERE comparison_id = $3 AND ended = 0 AND (old_id = $4 AND $4 <> 0 AND (new_id = $5 OR new_id = 0) OR new_id = $5 AND $5 <> 0 AND (old_id = $4 OR old_id = 0))`
	sqlEndSame        = `UPDATE compare_decision SET ended = $1, ended_by = $2 WHERE comparison_id = $3 AND ended = 0 AND kind = 'same' AND (old_id = $4 OR new_id = $5)`
	sqlInsertDecision = `INSERT INTO compare_decision (id, comparison_id, old_id, new_id, unit_id, kind, reason, by_id, at, ended, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)`
	sqlDecisionIn     = `SELECT d.id FROM compare_decision d JOIN unit u ON u.id = d.unit_id WHERE d.id = $1 AND d.comparison_id = $2 AND d.ended = 0 AND SCOPE(u.path)`
	sqlEndDecision    = `UPDATE compare_decision SET ended = $1, ended_by = $2 WHERE id = $3 AND ended = 0`
)

func decisionPlace(id tianbao.ID) []byte {
	return seal.Place("compare_decision", "reason", id.String())
}

func scanComparison(scan db.Scan) (c compare.Comparison, err error) {
	var at int64
	err = scan(&c.ID, &c.Owner, &c.Campaign, &c.List, &at, &c.Turn)
	c.At = when(at)
	return c, err
}

// OpenComparison implements compare.Store.
func (s *Store) OpenComparison(ctx context.Context, owner, campaign tianbao.ID) (compare.Comparison, error) {
	for range 2 {
		list, err := db.Collect(ctx, s.db, scanComparison, sqlComparison, owner, campaign)
		if err != nil || len(list) > 0 {
			return append(list, compare.Comparison{})[0], err
		}
		if _, err := s.exec(ctx, sqlInsertComparison, s.id(), owner, campaign); err != nil && !db.IsUnique(err) {
			return compare.Comparison{}, err
		}
	}
	return compare.Comparison{}, errors.New("store: a comparison comes and goes")
}

// Depends implements compare.Store.
func (s *Store) Depends(ctx context.Context, c *compare.Comparison) (out compare.Snapshot, err error) {
	out.Reports = make(map[tianbao.ID]int64)
	return out, s.db.Read(ctx, func(q db.Queryer) error {
		var path string
		if err := one(ctx, q, []any{&out.Register}, sqlRegisterVersion); err != nil {
			return err
		}
		if err := q.One(ctx, []any{&out.List}, sqlReadyVersion, c.Owner, true); err != nil {
			return err
		}
		if err := q.One(ctx, []any{&path}, sqlPathOf, c.Owner); err != nil {
			return err
		}
		sql, args := within(sqlComparedReports, tianbao.Scope{Paths: []string{path}}, c.Campaign)
		return q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var version int64
			err := scan(&id, &version)
			out.Reports[id] = version
			return err
		}, sql, args...)
	})
}

// tokens makes a record of cells: what is sealed, and user names, become keyed indexes.
func (s *Store) tokens(f *tianbao.Form, v tianbao.Values, today time.Time) (r compare.Record) {
	cell := func(key string) string {
		if i := f.Index(key); i >= 0 && v[i] != tianbao.ErasedMark {
			return v[i]
		}
		return ""
	}
	r.OrgCode, r.UnitName, r.Name = cell(compare.KeyOrg), cell(compare.KeyUnitName), cell(compare.KeyName)
	r.User = s.token("legacy.user", compare.FoldUser(cell(compare.KeyUser)))
	id := cell(compare.KeyPerson)
	if full, ok := ident.Convert15(id); ok {
		id = full
	}
	head, tail := compare.Pieces(id)
	r.Person, r.Head, r.Tail = s.token(compare.KeyPerson, id), s.token("person.head", head), s.token("person.tail", tail)
	r.Sound = id != "" && ident.ResidentID(id, today)&^ident.Permit == 0
	r.Phone = s.token(compare.KeyPhone, cell(compare.KeyPhone))
	return r
}

// OldRecords implements compare.Store.
func (s *Store) OldRecords(ctx context.Context, c *compare.Comparison, version int64, fn func(compare.Record) error) error {
	form, err := s.forms(compare.FormName, 1)
	if err != nil {
		return err
	}
	today := s.now()
	return s.db.Each(ctx, func(scan db.Scan) error {
		var id, unit tianbao.ID
		var since int64
		var body []byte
		if err := scan(&id, &since, &unit, &body); err != nil {
			return err
		}
		values, err := s.legacyValues(form, id, since, body)
		if err != nil {
			return err
		}
		r := s.tokens(form, values, today)
		r.ID, r.Unit, r.Place = id, unit, unit
		if unit == 0 {
			r.Place = c.Owner
		}
		return fn(r)
	}, sqlLegacyUsers, c.Owner, version)
}

// NewRecords implements compare.Store.
func (s *Store) NewRecords(ctx context.Context, c *compare.Comparison, reports []tianbao.ID, fn func(compare.Record) error) error {
	var path string
	if err := s.db.One(ctx, []any{&path}, sqlPathOf, c.Owner); err != nil {
		return err
	}
	today := s.now()
	sql, args := within(sqlComparedRows, tianbao.Scope{Paths: []string{path}})
	return listed(sql, reports, args, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var report tianbao.ID
			var name string
			var version int
			var row tianbao.Row
			var vals []byte
			if err := scan(&report, &name, &version, &row.ID, &row.Unit, &vals); err != nil {
				return err
			}
			form, err := s.forms(name, version)
			if err != nil {
				return err
			}
			if err := s.decodeRow(form, report, &row, vals); err != nil {
				return err
			}
			r := s.tokens(form, row.Values, today)
			r.ID, r.Unit, r.Place, r.Report = row.ID, row.Unit, row.Unit, report
			return fn(r)
		}, sql, args...)
	})
}

// Decided implements compare.Store.
func (s *Store) Decided(ctx context.Context, c *compare.Comparison) ([]compare.Decision, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (d compare.Decision, err error) {
		var kind compare.Kind
		err = scan(&d.Old, &d.New, &kind)
		d.Same = kind == compare.KindSame
		return d, err
	}, sqlHoldingDecisions, c.ID)
}

// scanItem reads the item columns, and what follows them.
func scanItem(scan db.Scan, more ...any) (it compare.Item, err error) {
	var side, list, rung, why, agree, alike, differ int
	err = scan(append([]any{&side, &it.ID, &it.Unit, &it.Report, &list, &it.Partner, &rung, &why, &agree, &alike, &differ, &it.Others}, more...)...)
	it.Side, it.List, it.Rung, it.Why = compare.Side(side), compare.List(list), compare.Rung(rung), compare.Why(why) //nolint:gosec // as they were written
	it.Agree, it.Like, it.Differ = compare.Cells(agree), compare.Cells(alike), compare.Cells(differ)                 //nolint:gosec // likewise
	return it, err
}

// Items implements compare.Store.
func (s *Store) Items(ctx context.Context, c *compare.Comparison, fn func(compare.Item) error) error {
	return s.db.Each(ctx, func(scan db.Scan) error {
		it, err := scanItem(scan)
		if err != nil {
			return err
		}
		return fn(it)
	}, sqlAllItems, c.ID)
}

// itemChunk is how many findings are written in one transaction.
const itemChunk = 2_000

// PutItems implements compare.Store. Many findings are written in several transactions, the
// turn with the last one: who breaks off in between leaves another turn than anybody knows,
// and what is kept is held against a full run next time.
func (s *Store) PutItems(ctx context.Context, c *compare.Comparison, put []compare.Item, gone []compare.Line, events ...tianbao.Event) error {
	var batch []db.Statement
	for _, l := range gone {
		batch = append(batch, db.Statement{SQL: sqlDropItem, Args: []any{c.ID, int(l.Side), l.ID}})
	}
	for i := range put {
		it := &put[i]
		drop := db.Statement{SQL: sqlDropItem, Args: []any{c.ID, int(it.Side), it.ID}}
		batch = append(batch, drop, db.Statement{SQL: sqlInsertItem, Args: []any{it.Unit, it.Report, int(it.List), it.Partner, int(it.Rung), int(it.Why), int(it.Agree), int(it.Like), int(it.Differ), it.Others, c.ID, int(it.Side), it.ID}})
	}
	turn := c.Turn
	raise := func(ctx context.Context, tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlRaiseCompared, c.List, ms(c.At), c.ID, turn)
		if err == nil && n != 1 {
			err = &tianbao.Error{Kind: tianbao.ErrConflict, Code: "compared", Message: "名单刚刚由别人比对过，请刷新页面查看。"}
		}
		turn++
		return err
	}
	chunks := slices.Collect(slices.Chunk(batch, 2*itemChunk))
	for i := 0; i == 0 || i < len(chunks); i++ {
		err := s.db.Tx(ctx, func(tx db.Tx) error {
			was := turn
			err := raise(ctx, tx)
			if err == nil && i < len(chunks) {
				_, err = tx.Send(ctx, chunks[i])
			}
			if err == nil && i >= len(chunks)-1 {
				err = s.trail(ctx, tx, events...)
			}
			if err != nil {
				turn = was // the transaction may be repeated
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	c.Turn = turn
	return nil
}

// Item implements compare.Store.
func (s *Store) Item(ctx context.Context, scope tianbao.Scope, comparison tianbao.ID, line compare.Line) (it compare.Item, both bool, err error) {
	sql, args := within(sqlOneItem, scope, comparison, int(line.Side), line.ID)
	var partner tianbao.ID
	it, err = first(ctx, s.db, func(scan db.Scan) (compare.Item, error) { return scanItem(scan, &partner) }, sql, args...)
	if err != nil || partner == 0 {
		return it, false, err
	}
	var n int
	sql, args = within(sqlUnitInScope, scope, partner)
	err = s.db.One(ctx, []any{&n}, sql, args...)
	return it, n == 1, err
}

// PutDecision implements compare.Store.
func (s *Store) PutDecision(ctx context.Context, v *compare.Verdict, events ...tianbao.Event) error {
	reason := s.sealText(v.Reason, decisionPlace(v.ID))
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlEndDecisions, ms(v.At), v.By, v.Comparison, v.Old, v.New); err != nil {
			return err
		}
		if v.Kind == compare.KindSame {
			if _, err := tx.Exec(ctx, sqlEndSame, ms(v.At), v.By, v.Comparison, v.Old, v.New); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, sqlInsertDecision, v.ID, v.Comparison, v.Old, v.New, v.Unit, v.Kind, reason, v.By, ms(v.At)); err != nil {
			return fmt.Errorf("store: keep a decision: %w", err)
		}
		return s.trail(ctx, tx, events...)
	})
}

// EndDecision implements compare.Store.
func (s *Store) EndDecision(ctx context.Context, scope tianbao.Scope, comparison, decision, by tianbao.ID, at time.Time, events ...tianbao.Event) error {
	sql, args := within(sqlDecisionIn, scope, decision, comparison)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var id tianbao.ID
		if err := tx.One(ctx, []any{&id}, sql, args...); err != nil {
			if errors.Is(err, db.ErrNoRows) {
				return tianbao.NotFound()
			}
			return err
		}
		if n, err := tx.Exec(ctx, sqlEndDecision, ms(at), by, decision); err != nil || n != 1 {
			return errors.Join(err, tianbao.NotFound())
		}
		return s.trail(ctx, tx, events...)
	})
}
