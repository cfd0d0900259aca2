package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

const (
	questionColumns = `q.id, q.notice_id, COALESCE(n.title, ''), q.unit_id, u.name, u.path, q.by_id, q.at, q.state, q.asked, q.shown, q.answer, q.answered_at, COALESCE(b.name, ''), q.turn`
	questionTables  = ` FROM question q JOIN unit u ON u.id = q.unit_id LEFT JOIN notice n ON n.id = q.notice_id LEFT JOIN unit b ON b.id = q.bureau_id`
	// A notice and a state that are not asked for are 0 and ''.
	questionsWhere = ` WHERE SCOPE(u.path) AND (q.notice_id = $1 OR $1 = 0) AND (q.state = $2 OR $2 = '')`
	sqlQuestions   = `SELECT ` + questionColumns + questionTables + questionsWhere + ` ORDER BY q.id DESC LIMIT $3 OFFSET $4`
	sqlWaiting     = `SELECT ` + questionColumns + questionTables + questionsWhere + ` ORDER BY q.at, q.id LIMIT $3 OFFSET $4`
	sqlQuestion    = `SELECT ` + questionColumns + questionTables + ` WHERE q.id = $1 AND SCOPE(u.path)`
	sqlPublished   = `SELECT q.id, q.shown, q.answer, q.answered_at, COALESCE(b.name, '') FROM question q LEFT JOIN unit b ON b.id = q.bureau_id
 WHERE q.notice_id = $1 AND q.state = 'published' ORDER BY q.answered_at DESC, q.id DESC LIMIT $2`
	sqlOpenQuestions  = `SELECT COUNT(*) FROM question q JOIN unit u ON u.id = q.unit_id WHERE q.state = 'open' AND SCOPE(u.path)`
	sqlOpenOfUnit     = `SELECT COUNT(*) FROM question q WHERE q.unit_id = $1 AND q.state = 'open'`
	sqlAskedSince     = `SELECT COUNT(*) FROM question q WHERE q.unit_id = $1 AND q.by_id = $2 AND q.at > $3`
	sqlInsertQuestion = `INSERT INTO question (id, notice_id, campaign_id, unit_id, by_id, at, state, turn, asked, shown, answer, answered_at, answered_by, bureau_id, seen)
 VALUES ($1, $2, $3, $4, $5, $6, 'open', 1, $7, $8, $8, 0, 0, 0, 0)`
	sqlAnswer = `UPDATE question SET state = $1, turn = turn + 1, shown = $2, answer = $3, answered_at = $4, answered_by = $5, bureau_id = $6, seen = 0
 WHERE id = $7 AND turn = $8`
)

func questionPlace(column string, id tianbao.ID) []byte {
	return seal.Place("question", column, id.String())
}

// openQuestion opens the texts of a question.
func (s *Store) openQuestion(q *tianbao.Question, asked, shown, answer []byte) error {
	for _, t := range []struct {
		column string
		sealed []byte
		to     *string
	}{{"asked", asked, &q.Asked}, {"shown", shown, &q.Shown}, {"answer", answer, &q.Answer}} {
		text, err := s.openText(t.sealed, questionPlace(t.column, q.ID))
		if err != nil {
			return fmt.Errorf("store: open %s of question %s: %w", t.column, q.ID, err)
		}
		*t.to = text
	}
	return nil
}

func (s *Store) scanQuestion(scan db.Scan) (q tianbao.Question, err error) {
	var at, answered int64
	var asked, shown, answer []byte
	err = scan(&q.ID, &q.Notice, &q.Title, &q.Unit, &q.UnitName, &q.UnitPath, &q.By, &at, &q.State, &asked, &shown, &answer, &answered, &q.Bureau, &q.Turn)
	if err != nil {
		return q, err
	}
	q.At, q.Answered = when(at), when(answered)
	return q, s.openQuestion(&q, asked, shown, answer)
}

// Questions implements message.Store.
func (s *Store) Questions(ctx context.Context, scope tianbao.Scope, notice tianbao.ID, state tianbao.QuestionState, offset, limit int) ([]tianbao.Question, error) {
	text := sqlQuestions
	if state == tianbao.QuestionOpen {
		text = sqlWaiting
	}
	sql, args := within(text, scope, notice, state, max(limit, 0), max(offset, 0))
	return db.Collect(ctx, s.db, s.scanQuestion, sql, args...)
}

// Question implements message.Store.
func (s *Store) Question(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Question, error) {
	sql, args := within(sqlQuestion, scope, id)
	return first(ctx, s.db, s.scanQuestion, sql, args...)
}

// Published implements message.Store.
func (s *Store) Published(ctx context.Context, notice tianbao.ID, limit int) ([]tianbao.Question, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (q tianbao.Question, err error) {
		var answered int64
		var shown, answer []byte
		if err = scan(&q.ID, &shown, &answer, &answered, &q.Bureau); err != nil {
			return q, err
		}
		q.Notice, q.State, q.Answered = notice, tianbao.QuestionPublished, when(answered)
		return q, s.openQuestion(&q, nil, shown, answer)
	}, sqlPublished, notice, max(limit, 0))
}

// OpenQuestions implements message.Store.
func (s *Store) OpenQuestions(ctx context.Context, scope tianbao.Scope) (n int, err error) {
	sql, args := within(sqlOpenQuestions, scope)
	err = s.db.One(ctx, []any{&n}, sql, args...)
	return n, err
}

// PutQuestion implements message.Store.
func (s *Store) PutQuestion(ctx context.Context, q *tianbao.Question, campaign tianbao.ID, since time.Time, most int, events ...tianbao.Event) error {
	asked := s.sealText(q.Asked, questionPlace("asked", q.ID))
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var open, today int
		if err := tx.One(ctx, []any{&open}, sqlOpenOfUnit, q.Unit); err != nil {
			return err
		}
		if err := tx.One(ctx, []any{&today}, sqlAskedSince, q.Unit, q.By, ms(since)); err != nil {
			return err
		}
		if open >= most || today >= most {
			return &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "many_questions", Message: "本单位的提问已经很多，请等上级答复以后再提。"}
		}
		if _, err := tx.Exec(ctx, sqlInsertQuestion, q.ID, q.Notice, campaign, q.Unit, q.By, ms(q.At), asked, []byte{}); err != nil {
			return fmt.Errorf("store: keep a question: %w", err)
		}
		return s.trail(ctx, tx, events...)
	})
}

// Answer implements message.Store.
func (s *Store) Answer(ctx context.Context, q *tianbao.Question, by, bureau tianbao.ID, events ...tianbao.Event) error {
	shown, answer := s.sealText(q.Shown, questionPlace("shown", q.ID)), s.sealText(q.Answer, questionPlace("answer", q.ID))
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlAnswer, q.State, shown, answer, ms(q.Answered), by, bureau, q.ID, q.Turn)
		if err != nil {
			return err
		}
		if n != 1 {
			return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "question_changed", Message: "这个提问刚刚由别人答复过，请刷新页面查看。"}
		}
		return s.trail(ctx, tx, events...)
	})
}
