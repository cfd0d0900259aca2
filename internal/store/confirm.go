package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/living"
)

// A round that is prefilled from another: about whom units are asked, and what they say.

const (
	// Those of the owner in whosever sheet, and those of others in its own sheet.
	askedOf = `SELECT w.report_id, w.row_id, w.look_keys, COALESCE(a.answer, '') FROM report_row w JOIN report r ON r.id = w.report_id
 JOIN unit_part k ON k.report_id = w.report_id AND k.unit_id = w.unit_id AND k.sent >= k.newest
 LEFT JOIN person_answer a ON a.campaign_id = $1 AND a.from_report = w.report_id AND a.from_row = w.row_id
 WHERE r.campaign_id = $2 AND `
	sqlAskedUnit  = askedOf + `w.unit_id = $3`
	sqlAskedSheet = askedOf + `r.owner_id = $3`
	sqlAskedRows  = `SELECT ` + unitRowColumns + ` FROM unit u JOIN report_row w ON w.unit_id = u.id` + unitRowJoins + ` WHERE w.report_id = $1 AND w.row_id IN LIST`
	hereOf        = `SELECT w.look_keys FROM report_row w JOIN report r ON r.id = w.report_id WHERE r.campaign_id = $1 AND `
	sqlHereUnit   = hereOf + `w.unit_id = $2`
	sqlHereSheet  = hereOf + `r.owner_id = $2`
	sqlPutAnswer  = `INSERT INTO person_answer (campaign_id, from_report, from_row, unit_id, answer, report_id, row_id, by_id, at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	sqlDropAnswer = `DELETE FROM person_answer WHERE campaign_id = $1 AND from_report = $2 AND from_row = $3 AND answer = 'left'`
)

func insertAnswer(a *tianbao.Confirmation, at tianbao.RowPlace) db.Statement {
	return db.Statement{SQL: sqlPutAnswer, Args: []any{a.Campaign, a.From.Report, a.From.Row, a.Unit, a.Answer, at.Report, at.Row, a.By, ms(a.Said)}}
}

func errAnswered() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "answered", Message: "其中有人员刚刚已经确认过了，请刷新页面查看。"}
}

// askedRow is a row that somebody is asked about.
type askedRow struct {
	at     tianbao.RowPlace
	look   []byte
	answer tianbao.ConfirmAnswer
	here   bool
}

// askedRows returns all rows of a round that the owner of a report in another is asked about.
// Who is in the new round by their id is there, however they came.
func (s *Store) askedRows(ctx context.Context, q db.Queryer, c *tianbao.Campaign, owner tianbao.ID) ([]askedRow, error) {
	var out []askedRow
	met := make(map[tianbao.RowPlace]bool)
	for _, sql := range []string{sqlAskedUnit, sqlAskedSheet} {
		err := q.Each(ctx, func(scan db.Scan) error {
			var a askedRow
			err := scan(&a.at.Report, &a.at.Row, &a.look, &a.answer)
			if !met[a.at] {
				met[a.at] = true
				out = append(out, a)
			}
			return err
		}, sql, c.ID, c.Prefill, owner)
		if err != nil {
			return nil, fmt.Errorf("store: read who is asked about: %w", err)
		}
	}
	here := make(map[string]bool)
	for _, sql := range []string{sqlHereUnit, sqlHereSheet} {
		err := q.Each(ctx, func(scan db.Scan) error {
			var look []byte
			err := scan(&look)
			for ; len(look) >= lookSize; look = look[lookSize:] {
				here[string(look[:lookSize])] = true
			}
			return err
		}, sql, c.ID, owner)
		if err != nil {
			return nil, fmt.Errorf("store: read who is there: %w", err)
		}
	}
	form, err := s.forms(c.Form, c.FormV)
	if err != nil {
		return nil, err
	}
	kind := int64(-1)
	if at := columnsOf(form).id; at >= 0 {
		kind = keyKind(form.Fields[at].Key)
	}
	for i := range out {
		for look := out[i].look; len(look) >= lookSize; look = look[lookSize:] {
			k := lookKeys(look[:lookSize])[0]
			out[i].here = out[i].here || k.kind == kind && here[string(look[:lookSize])]
		}
	}
	slices.SortFunc(out, func(a, b askedRow) int {
		return cmp.Or(cmp.Compare(a.at.Report, b.at.Report), cmp.Compare(a.at.Row, b.at.Row))
	})
	return out, nil
}

func (a *askedRow) missing() bool { return a.answer == tianbao.ConfirmNone && !a.here }

// Prefill implements living.Store. Those without an answer come first.
func (s *Store) Prefill(ctx context.Context, rep tianbao.Report, from tianbao.ID, limit int) (out living.Asked, err error) {
	var rows []askedRow
	err = s.db.Read(ctx, func(q db.Queryer) error {
		c, err := first(ctx, q, scanCampaign, sqlCollection, rep.Campaign)
		if err != nil {
			return err
		}
		c.Prefill = from
		rows, err = s.askedRows(ctx, q, &c, rep.Owner)
		return err
	})
	if err != nil {
		return out, err
	}
	slices.SortStableFunc(rows, func(a, b askedRow) int {
		rank := map[bool]int{true: 0, false: 1}
		return cmp.Compare(rank[a.missing()], rank[b.missing()])
	})
	for i := range rows {
		if rows[i].missing() {
			out.Missing++
		}
	}
	out.More = len(rows) > limit
	rows = rows[:min(len(rows), limit)]
	by := make(map[tianbao.RowPlace]living.Person)
	of := make(map[tianbao.ID][]tianbao.ID)
	for i := range rows {
		of[rows[i].at.Report] = append(of[rows[i].at.Report], rows[i].at.Row)
	}
	for report, ids := range of {
		err := listed(sqlAskedRows, ids, []any{report}, func(sql string, args []any) error {
			list, err := s.unitRows(ctx, sql, args)
			for _, p := range toPeople(list) {
				by[tianbao.RowPlace{Report: p.Report.ID, Row: p.Row.ID}] = p
			}
			return err
		})
		if err != nil {
			return out, err
		}
	}
	for i := range rows {
		if p, ok := by[rows[i].at]; ok {
			out.People = append(out.People, living.AskedPerson{Person: p, Answer: rows[i].answer, Here: rows[i].here})
		}
	}
	return out, nil
}

// PutAnswers implements living.Store.
func (s *Store) PutAnswers(ctx context.Context, rep tianbao.Report, answers []tianbao.Confirmation, events ...tianbao.Event) error {
	batch := make([]db.Statement, len(answers))
	for i := range answers {
		batch[i] = insertAnswer(&answers[i], tianbao.RowPlace{})
	}
	return s.answer(ctx, rep, batch, errAnswered, events)
}

// DropAnswer implements living.Store.
func (s *Store) DropAnswer(ctx context.Context, rep tianbao.Report, from tianbao.RowPlace, events ...tianbao.Event) error {
	return s.answer(ctx, rep, []db.Statement{{SQL: sqlDropAnswer, Args: []any{rep.Campaign, from.Report, from.Row}}}, func() error { return tianbao.NotFound() }, events)
}

// answer writes answers while the door of the report's owner is open.
func (s *Store) answer(ctx context.Context, rep tianbao.Report, batch []db.Statement, refused func() error, events []tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		pass, err := s.gate(ctx, tx, rep.Campaign, []tianbao.ID{rep.Owner})
		if err != nil {
			return err
		}
		counts, err := tx.Send(ctx, batch)
		if db.IsUnique(err) {
			return refused()
		}
		if err != nil {
			return fmt.Errorf("store: write answers: %w", err)
		}
		for _, n := range counts {
			if n != 1 {
				return refused()
			}
		}
		return pass.after(ctx, tx, s.trail(ctx, tx, events...))
	})
}

// allAnswered refuses to report a sheet upward whose owner has not said of everybody of
// the round before whether they stay: who is forgotten would be gone in silence.
func (s *Store) allAnswered(ctx context.Context, tx db.Tx, rep *tianbao.Report) error {
	c, err := first(ctx, tx, scanCampaign, sqlCollection, rep.Campaign)
	if err != nil || c.Prefill == 0 {
		return err
	}
	rows, err := s.askedRows(ctx, tx, &c, rep.Owner)
	if err != nil {
		return err
	}
	n := 0
	for i := range rows {
		if rows[i].missing() {
			n++
		}
	}
	if n > 0 {
		return tianbao.Invalid("unconfirmed", fmt.Sprintf("上一次采集的人员还有 %d 人没有确认，请打开“确认上次的人员”，逐人选择仍在任或已离任，再上报。", n))
	}
	return nil
}
