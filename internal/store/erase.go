package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

const (
	sqlRetention = `SELECT c.closes, c.erased, c.kept FROM campaign c WHERE c.id = $1`
	// The version rises, so that a save that is under way meets the new state.
	sqlShutReports = `UPDATE report SET state = $1, version = version + 1 WHERE campaign_id = $2 AND state <> $1`
	sqlReportsOf   = `SELECT r.id, r.form, r.form_version FROM report r WHERE r.campaign_id = $1 ORDER BY r.id`
	sqlRowsToErase = `SELECT w.row_id, w.vals, w.look_keys FROM report_row w WHERE w.report_id = $1 AND w.row_id > $2 ORDER BY w.row_id LIMIT 200`
	sqlEraseRow    = `UPDATE report_row SET vals = $1, look_keys = $2 WHERE report_id = $3 AND row_id = $4`
	sqlSetsToErase = `SELECT c.version, c.delta FROM change_set c WHERE c.report_id = $1 AND c.version > $2 ORDER BY c.version LIMIT 50`
	sqlEraseSet    = `UPDATE change_set SET delta = $1 WHERE report_id = $2 AND version = $3`
	sqlEraseNames  = `UPDATE receipt SET inserted = $1 WHERE report_id = $2`
	sqlEraseFiles  = `DELETE FROM import_record WHERE report_id = $1`
	sqlErasePieces = `DELETE FROM piece WHERE report_id = $1`
	sqlEraseDrafts = `DELETE FROM draft WHERE report_id = $1`
	sqlEraseStaged = `DELETE FROM staged_row WHERE staging_id IN (SELECT id FROM staging WHERE report_id = $1)`
	sqlDropStages  = `DELETE FROM staging WHERE report_id = $1`
	sqlErased      = `UPDATE campaign SET erased = $1 WHERE id = $2`
)

// EraseCampaign erases what the reports of a campaign hold of people, when the time for
// which it is kept has passed since the campaign's end: the cells of rows that do not
// name the unit, the contents of the history, imports, drafts. What stays: the rows with
// their unit, what was saved when by whom, receipts, the trail, and of each row a salted
// digest by which somebody who still has the row can prove what it was.
//
// From the first moment on the reports take nothing in. A run that is cut off is gone on
// with by the next one.
func (s *Store) EraseCampaign(ctx context.Context, campaign tianbao.ID, keptUntil func(closes time.Time) time.Time, e tianbao.Event) (sum tianbao.Erased, err error) {
	var closes, erased, kept int64
	if err := one(ctx, s.db, []any{&closes, &erased, &kept}, sqlRetention, campaign); err != nil {
		return sum, err
	}
	if kept != 0 {
		return sum, errors.New("这次采集正作为人员登记保留，不能清除；请先在采集管理里停止登记")
	}
	if closes == 0 {
		return sum, errors.New("这次采集没有截止日期，不能计算保存期限；请先设定截止日期")
	}
	if until := keptUntil(when(closes)); s.now().Before(until) {
		return sum, fmt.Errorf("保存期限到 %s，现在还不能清除", until.Format(time.DateOnly))
	}
	if erased != 0 {
		return sum, errors.New("这次采集的个人信息已经清除过了")
	}
	e.What, e.Object = "erase", campaign.String()
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlShutReports, tianbao.StateErased, campaign); err != nil {
			return err
		}
		begin := e
		begin.At, begin.Detail = s.now(), "begin"
		return s.trail(ctx, tx, begin)
	})
	if err != nil {
		return sum, fmt.Errorf("store: close the reports of campaign %s: %w", campaign, err)
	}
	reports, err := db.Collect(ctx, s.db, func(scan db.Scan) (r tianbao.Report, err error) {
		err = scan(&r.ID, &r.Form, &r.FormV)
		return r, err
	}, sqlReportsOf, campaign)
	if err != nil {
		return sum, err
	}
	for i := range reports {
		if err := s.eraseReport(ctx, &reports[i], &sum); err != nil {
			return sum, fmt.Errorf("store: erase report %s: %w", reports[i].ID, err)
		}
	}
	if _, err := s.eraseTexts(ctx, func(c tianbao.ID, _ string) bool { return c == campaign }); err != nil {
		return sum, err
	}
	if err := s.BringKeys(ctx); err != nil {
		return sum, err
	}
	sum.Reports = int64(len(reports))
	return sum, s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlDropProofs, []byte{}, campaign); err != nil {
			return err
		}
		if err := erasePlans(ctx, tx, campaign); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlErased, ms(s.now()), campaign); err != nil {
			return err
		}
		end := e
		end.At, end.Detail = s.now(), fmt.Sprintf("reports=%d rows=%d saves=%d", sum.Reports, sum.Rows, sum.Saves)
		return s.trail(ctx, tx, end)
	})
}

// eraseReport erases one report, its rows first.
func (s *Store) eraseReport(ctx context.Context, rep *tianbao.Report, sum *tianbao.Erased) error {
	form, err := s.forms(rep.Form, rep.FormV)
	if err != nil {
		return err
	}
	for last := tianbao.ID(0); ; {
		next, n, err := s.eraseRows(ctx, form, rep.ID, last)
		if err != nil {
			return err
		}
		if sum.Rows += n; next == last {
			break
		}
		last = next
	}
	for last := int64(0); ; {
		next, n, err := s.eraseSets(ctx, rep.ID, last)
		if err != nil {
			return err
		}
		if sum.Saves += n; next == last {
			break
		}
		last = next
	}
	return s.again(ctx, func(tx db.Tx) error {
		batch := []db.Statement{{SQL: sqlEraseNames, Args: []any{[]byte{}, rep.ID}}}
		for _, sql := range []string{sqlEraseFiles, sqlErasePieces, sqlEraseDrafts, sqlEraseStaged, sqlDropStages} {
			batch = append(batch, db.Statement{SQL: sql, Args: []any{rep.ID}})
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return err
		}
		return s.settleOwner(ctx, tx, rep.ID, 0)
	})
}

// erasedRow is what is left of a row: the cells that name its unit, and the proof.
type erasedRow struct {
	V map[string]string `json:"v"`
	P string            `json:"p"` // salt and keyed digest, hexadecimal
	E []string          `json:"e"` // the fields that held something of a person
}

// namesUnit reports whether a field says something of the unit and not of a person.
func namesUnit(f *tianbao.Form, fd *tianbao.Field) bool {
	return !fd.Sealed && (slices.Contains(f.UnitKeys, fd.Key) || fd.Kind == tianbao.KindChoice)
}

func (s *Store) eraseRows(ctx context.Context, form *tianbao.Form, rep, last tianbao.ID) (next tianbao.ID, n int64, err error) {
	next = last
	var batch []db.Statement
	var drop []rowKey
	err = s.db.Each(ctx, func(scan db.Scan) error {
		var vals, look []byte
		if err := scan(&next, &vals, &look); err != nil {
			return err
		}
		var j erasedRow
		if json.Unmarshal(vals, &j) != nil {
			return errors.New("store: a stored row is not readable")
		}
		if j.P != "" {
			return nil
		}
		row := tianbao.Row{ID: next}
		if err := s.decodeRow(form, rep, &row, vals); err != nil {
			return err
		}
		left, err := s.erasedRow(form, row.Values)
		if err != nil {
			return err
		}
		batch = append(batch, db.Statement{SQL: sqlEraseRow, Args: []any{left, []byte{}, rep, next}})
		drop = without(drop, next, lookKeys(look), nil)
		n++
		return nil
	}, sqlRowsToErase, rep, last)
	if err == nil && len(batch) > 0 {
		err = s.db.Tx(ctx, func(tx db.Tx) error {
			keys, err := s.keepKeys(ctx, tx, rep, nil, drop)
			if err == nil {
				_, err = tx.Send(ctx, append(batch, keys...))
			}
			return err
		})
	}
	return next, n, err
}

// erasedRow makes what is left of a row. The salt keeps equal rows from looking alike.
func (s *Store) erasedRow(form *tianbao.Form, values tianbao.Values) ([]byte, error) {
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // never fails (crypto/rand)
	left := erasedRow{V: make(map[string]string), P: hex.EncodeToString(salt[:]) + s.rowProof(salt[:], values)}
	for i := range form.Fields {
		switch fd := &form.Fields[i]; {
		case values[i] == "":
		case namesUnit(form, fd):
			left.V[fd.Key] = values[i]
		default:
			left.E = append(left.E, fd.Key)
		}
	}
	b, err := json.Marshal(left)
	if err != nil {
		return nil, errors.New("store: an erased row cannot be encoded")
	}
	return b, nil
}

// rowProof is the digest of a row's cells under a salt.
func (s *Store) rowProof(salt []byte, values tianbao.Values) string {
	b, err := json.Marshal([]string(values))
	if err != nil {
		return "" // strings always can
	}
	return s.ring.Digest("erased row", salt, b)
}

// eraseSets leaves of each save which rows it touched and how, and no contents.
func (s *Store) eraseSets(ctx context.Context, rep tianbao.ID, last int64) (next, n int64, err error) {
	next = last
	var batch []db.Statement
	err = s.db.Each(ctx, func(scan db.Scan) error {
		var delta []byte
		if err := scan(&next, &delta); err != nil {
			return err
		}
		plain, err := s.ring.Open(nil, delta, deltaPlace(rep, next))
		if err != nil {
			return fmt.Errorf("open version %d: %w", next, err)
		}
		var d deltaJSON
		if err := d.decode(plain); err != nil {
			return err
		}
		d.Note, d.Pieces = "", 0
		for i := range d.Changes {
			d.Changes[i].Cells, d.Changes[i].Reason = nil, nil
		}
		if plain, err = d.encode(); err != nil {
			return err
		}
		sealed := s.ring.Seal(nil, plain, deltaPlace(rep, next))
		batch = append(batch, db.Statement{SQL: sqlEraseSet, Args: []any{sealed, rep, next}})
		n++
		return nil
	}, sqlSetsToErase, rep, last)
	if err == nil && len(batch) > 0 {
		err = s.db.Tx(ctx, func(tx db.Tx) error { _, err := tx.Send(ctx, batch); return err })
	}
	return next, n, err
}

// ProveErased reports whether an erased row held the given cells.
func (s *Store) ProveErased(ctx context.Context, rep, row tianbao.ID, values tianbao.Values) (bool, error) {
	var vals []byte
	if err := one(ctx, s.db, []any{&vals}, sqlErasedRow, rep, row); err != nil {
		return false, err
	}
	var j erasedRow
	if json.Unmarshal(vals, &j) != nil || len(j.P) < 32 {
		return false, nil
	}
	salt, err := hex.DecodeString(j.P[:32])
	return err == nil && j.P[32:] == s.rowProof(salt, values), nil
}

const sqlErasedRow = `SELECT w.vals FROM report_row w WHERE w.report_id = $1 AND w.row_id = $2`
