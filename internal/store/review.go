package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// Reviewers' verdicts on units, with remarks on cells.

const (
	// Verdicts on a collection come one after the other, and never while its levels change.
	sqlHoldCampaign  = `UPDATE campaign SET version = version WHERE id = $1`
	sqlLevels        = `SELECT c.levels FROM campaign c WHERE c.id = $1`
	sqlPasses        = `SELECT COUNT(*) FROM unit_status s WHERE s.campaign_id = $1 AND s.passes > 0`
	sqlInsertVerdict = `INSERT INTO unit_verdict (id, campaign_id, unit_id, verdict, level, last, remark, by_id, at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	sqlUnsend = `UPDATE unit_part SET sent = 0 WHERE campaign_id = $1 AND unit_id = $2 AND row_count > 0`
	// Also those that are not reported: one may be on its way to be, for another unit.
	sqlUnsendRows = `UPDATE report SET state = CASE WHEN state = $2 THEN $1 ELSE state END WHERE id IN
 (SELECT p.report_id FROM unit_part p WHERE p.campaign_id = $3 AND p.unit_id = $4 AND p.row_count > 0)`
	sqlSeen = `INSERT INTO unit_seen (verdict_id, report_id, version)
 SELECT CAST($1 AS BIGINT), p.report_id, p.newest FROM unit_part p WHERE p.campaign_id = $2 AND p.unit_id = $3 AND p.row_count > 0`
	sqlInsertRemark = `INSERT INTO unit_remark (id, verdict_id, campaign_id, unit_id, report_id, row_id, field, level, remark, at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	sqlReviewedRow = `SELECT w.row_id, w.unit_id, w.version, w.vals, r.form, r.form_version FROM report_row w JOIN report r ON r.id = w.report_id
 WHERE r.campaign_id = $1 AND w.report_id = $2 AND w.row_id = $3`
	sqlEndAlone  = `UPDATE campaign_rule SET ended = $1, ended_by = $2 WHERE campaign_id = $3 AND unit_id = $4 AND alone = $5 AND ended = 0`
	sqlNewBase   = `UPDATE campaign SET version = $1 WHERE id = $2`
	sqlLastTaken = `SELECT v.id FROM unit_verdict v WHERE v.campaign_id = $1 AND v.unit_id = $2 AND v.verdict = 'return' ORDER BY v.id DESC LIMIT 1`
	remarkCols   = `m.id, m.verdict_id, m.report_id, m.row_id, m.field, m.level, m.remark, m.at`
	// Of the units that are returned, those of the last return.
	sqlOpenRemarks = `SELECT ` + remarkCols + ` FROM unit_remark m JOIN unit_status s ON s.campaign_id = m.campaign_id AND s.unit_id = m.unit_id AND s.review = 'returned'
 WHERE m.report_id = $1 AND m.verdict_id = (SELECT MAX(v.id) FROM unit_verdict v WHERE v.campaign_id = m.campaign_id AND v.unit_id = m.unit_id) ORDER BY m.id`
	sqlRemarks = `SELECT ` + remarkCols + ` FROM unit_remark m WHERE m.verdict_id = $1 ORDER BY m.id`
	sqlSeenOf  = `SELECT n.report_id, n.version FROM unit_seen n WHERE n.verdict_id = $1`
)

func remarkPlace(id tianbao.ID) []byte { return seal.Place("unit_remark", "remark", id.String()) }

// remarkJSON is what is sealed of a remark.
type remarkJSON struct {
	Text string `json:"t"`
	Was  string `json:"w,omitempty"`
}

// noPasses refuses other levels while units are passed: what a pass means would change.
func noPasses(ctx context.Context, q db.Queryer, id tianbao.ID) error {
	var n int
	if err := q.One(ctx, []any{&n}, sqlPasses, id); err != nil {
		return err
	}
	if n > 0 {
		return tianbao.Invalid("levels_fixed", fmt.Sprintf("已有 %d 个单位审核通过，不能再改审核层级；需要改的，请先从上到下撤回这些审核。", n))
	}
	return nil
}

// fits refuses a verdict on a unit that does not stand so that it could be given.
func fits(v *tianbao.Verdict, state tianbao.Standing, f *campaign.Facts) error {
	const top = int(tianbao.LevelProvince)
	switch v.Kind {
	case tianbao.VerdictPass:
		if state != tianbao.StandingReported || v.Level <= f.Passes.Level() || v.Level > top || v.After > 0 && f.Passes.Level() != v.After {
			return tianbao.Invalid("not_to_pass", "这个单位现在不能审核通过：它还没有上报，或者还没有轮到这一级，或者这一级已经审过；请刷新页面后重试。")
		}
	case tianbao.VerdictReturn:
		if state != tianbao.StandingReported || v.Level <= f.Passes.Level() || v.Level > top {
			return tianbao.Invalid("not_to_return", "这个单位现在不能退回：它还没有上报，或者已经审核通过，要先撤回审核；请刷新页面后重试。")
		}
	case tianbao.VerdictWithdraw:
		if v.Level < 1 || v.Level > top || v.Level != f.Passes.Level() {
			return tianbao.Invalid("not_to_withdraw", "只能由最后审核通过的一级撤回；请先由上级撤回它的审核。")
		}
	default:
		return tianbao.Invalid("bad_verdict", "没有这种审核结论，请刷新页面后重试。")
	}
	return nil
}

// Judge stores verdicts that bring nothing else with them; see Review.
func (s *Store) Judge(ctx context.Context, vs []tianbao.Verdict, events ...tianbao.Event) error {
	return s.Review(ctx, &campaign.Judgement{Verdicts: vs, Events: events})
}

// Review implements campaign.Store.
func (s *Store) Review(ctx context.Context, j *campaign.Judgement) error {
	if len(j.Verdicts) == 0 {
		return nil
	}
	id, by := j.Verdicts[0].Campaign, j.Verdicts[0].By
	of, units := make(map[tianbao.ID]*tianbao.Verdict, len(j.Verdicts)), make([]tianbao.ID, 0, len(j.Verdicts))
	var batch, rest []db.Statement
	for i := range j.Verdicts {
		v := &j.Verdicts[i]
		if of[v.Unit] != nil || v.Campaign != id {
			return errors.New("store: one verdict a unit, of one collection")
		}
		of[v.Unit], units = v, append(units, v.Unit)
		batch = append(batch, db.Statement{SQL: sqlInsertVerdict, Args: []any{
			v.ID, id, v.Unit, v.Kind, v.Level, v.Last, s.sealText(v.Remark, verdictPlace(v.ID)), v.By, ms(v.At),
		}})
		if v.Kind == tianbao.VerdictReturn {
			// Reports before units: that is the order of commits.
			batch = append(batch, db.Statement{SQL: sqlUnsendRows, Args: []any{tianbao.StateChanged, tianbao.StateReported, id, v.Unit}})
			rest = append(rest, db.Statement{SQL: sqlSeen, Args: []any{v.ID, id, v.Unit}}, db.Statement{SQL: sqlUnsend, Args: []any{id, v.Unit}})
		}
	}
	for i := range j.Reopen {
		r := &j.Reopen[i]
		r.Alone = true
		rest = append(rest, db.Statement{SQL: sqlEndAlone, Args: []any{ms(r.Made), by, id, r.Unit, true}}, s.insertRule(r, id, by, ms(r.Made)))
	}
	if len(j.Reopen) > 0 {
		rest = append(rest, db.Statement{SQL: sqlNewBase, Args: []any{s.id(), id}})
	}
	slices.Sort(units)
	return s.again(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlHoldCampaign, id); err != nil {
			return fmt.Errorf("store: hold collection %s: %w", id, err)
		}
		var levels tianbao.Levels
		if err := one(ctx, tx, []any{&levels}, sqlLevels, id); err != nil {
			return err
		}
		if j.Levels != 0 && j.Levels != levels {
			return errCollectionChanged()
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: write verdicts: %w", err)
		}
		lines, err := s.takeTurns(ctx, tx, id, units)
		if err != nil {
			return err
		}
		for _, u := range units {
			l := lines[u]
			if err := fits(of[u], l.state, &l.facts); err != nil {
				return err
			}
		}
		if _, err := tx.Send(ctx, rest); err != nil {
			return fmt.Errorf("store: return rows: %w", err)
		}
		if err := s.putRemarks(ctx, tx, id, of, j.Remarks); err != nil {
			return err
		}
		st := settling{campaign: id, units: units, by: by, facts: func(u tianbao.ID, f *campaign.Facts) { f.Judge(of[u]) }}
		if err := s.settle(ctx, tx, &st); err != nil {
			return err
		}
		return s.trail(ctx, tx, j.Events...)
	})
}

// putRemarks stores remarks on rows of the units that are returned, with a digest of what
// each cell holds.
func (s *Store) putRemarks(ctx context.Context, tx db.Tx, id tianbao.ID, of map[tianbao.ID]*tianbao.Verdict, remarks []tianbao.Remark) error {
	var batch []db.Statement
	for _, m := range remarks {
		var st storedRow
		var name string
		var version int
		err := one(ctx, tx, []any{&st.row.ID, &st.row.Unit, &st.row.Version, &st.vals, &name, &version}, sqlReviewedRow, id, m.Report, m.Row)
		if err != nil {
			return err
		}
		v := of[st.row.Unit]
		if v == nil || v.Kind != tianbao.VerdictReturn {
			return tianbao.NotFound()
		}
		form, err := s.forms(name, version)
		if err != nil {
			return err
		}
		if err := s.decodeRow(form, m.Report, &st.row, st.vals); err != nil {
			return err
		}
		if m.Field != "" {
			i := slices.IndexFunc(form.Fields, func(f tianbao.Field) bool { return f.Key == m.Field })
			if i < 0 {
				return tianbao.NotFound()
			}
			m.Was = s.ring.Digest(tianbao.RemarkLabel, []byte(st.row.Values[i]))
		}
		plain, err := json.Marshal(remarkJSON{m.Text, m.Was})
		if err != nil {
			return errors.New("store: a remark cannot be encoded")
		}
		batch = append(batch, db.Statement{SQL: sqlInsertRemark, Args: []any{
			m.ID, v.ID, id, v.Unit, m.Report, m.Row, m.Field, v.Level, s.ring.Seal(nil, plain, remarkPlace(m.ID)), ms(v.At),
		}})
	}
	if _, err := tx.Send(ctx, batch); err != nil {
		return fmt.Errorf("store: write remarks: %w", err)
	}
	return nil
}

func (s *Store) remarks(ctx context.Context, sql string, args ...any) ([]tianbao.Remark, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (m tianbao.Remark, err error) {
		var sealed []byte
		var at int64
		if err = scan(&m.ID, &m.Verdict, &m.Report, &m.Row, &m.Field, &m.Level, &sealed, &at); err != nil {
			return m, err
		}
		m.At = when(at)
		plain, err := s.ring.Open(nil, sealed, remarkPlace(m.ID))
		if err != nil {
			return m, fmt.Errorf("store: open remark %s: %w", m.ID, err)
		}
		var j remarkJSON
		if json.Unmarshal(plain, &j) != nil {
			j.Text = string(plain) // that it was erased
		}
		m.Text, m.Was = j.Text, j.Was
		return m, nil
	}, sql, args...)
}

// OpenRemarks implements report.Store and campaign.Store.
func (s *Store) OpenRemarks(ctx context.Context, rep tianbao.ID) ([]tianbao.Remark, error) {
	return s.remarks(ctx, sqlOpenRemarks, rep)
}

// LastReturn implements campaign.Store.
func (s *Store) LastReturn(ctx context.Context, id, unit tianbao.ID) (*campaign.Look, error) {
	l := &campaign.Look{Seen: make(map[tianbao.ID]int64)}
	err := s.db.One(ctx, []any{&l.Verdict}, sqlLastTaken, id, unit)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil //nolint:nilnil // that it was never returned is an answer
	}
	if err != nil {
		return nil, err
	}
	err = s.db.Each(ctx, func(scan db.Scan) error {
		var rep tianbao.ID
		var version int64
		err := scan(&rep, &version)
		l.Seen[rep] = version
		return err
	}, sqlSeenOf, l.Verdict)
	if err == nil {
		l.Remarks, err = s.remarks(ctx, sqlRemarks, l.Verdict)
	}
	return l, err
}
