package store

import (
	"context"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// What officers and reviewers wrote beside the sheets of a collection may name people too.

const (
	sqlRuleText     = `SELECT x.id, x.campaign_id, x.reason FROM campaign_rule x WHERE x.id > $1 AND length(x.reason) >= $2 ORDER BY x.id LIMIT 500`
	sqlDeclareText  = `SELECT x.id, x.campaign_id, x.reason FROM unit_declaration x WHERE x.id > $1 AND length(x.reason) >= $2 ORDER BY x.id LIMIT 500`
	sqlVerdictText  = `SELECT x.id, x.campaign_id, x.remark FROM unit_verdict x WHERE x.id > $1 AND length(x.remark) >= $2 ORDER BY x.id LIMIT 500`
	sqlRemarkText   = `SELECT x.id, x.campaign_id, x.remark FROM unit_remark x WHERE x.id > $1 AND length(x.remark) >= $2 ORDER BY x.id LIMIT 500`
	sqlProofText    = `SELECT x.id, x.campaign_id, x.name FROM unit_proof x WHERE x.id > $1 AND length(x.name) >= $2 ORDER BY x.id LIMIT 500`
	sqlBlankRemark  = `UPDATE unit_remark SET remark = $1 WHERE id = $2`
	sqlBlankProof   = `UPDATE unit_proof SET name = $1 WHERE id = $2`
	sqlDropProofs   = `UPDATE unit_proof SET data = $1, size = 0 WHERE campaign_id = $2`
	sqlAskedText    = `SELECT x.id, x.campaign_id, x.asked FROM question x WHERE x.id > $1 AND length(x.asked) >= $2 ORDER BY x.id LIMIT 500`
	sqlShownText    = `SELECT x.id, x.campaign_id, x.shown FROM question x WHERE x.id > $1 AND length(x.shown) >= $2 ORDER BY x.id LIMIT 500`
	sqlAnswerText   = `SELECT x.id, x.campaign_id, x.answer FROM question x WHERE x.id > $1 AND length(x.answer) >= $2 ORDER BY x.id LIMIT 500`
	sqlBlankAsked   = `UPDATE question SET asked = $1 WHERE id = $2`
	sqlBlankShown   = `UPDATE question SET shown = $1 WHERE id = $2`
	sqlBlankAnswer  = `UPDATE question SET answer = $1 WHERE id = $2`
	sqlChangeText   = `SELECT x.id, x.campaign_id, x.body FROM person_change x WHERE x.id > $1 AND length(x.body) >= $2 ORDER BY x.id LIMIT 500`
	sqlChangeRemark = `SELECT x.id, x.campaign_id, x.remark FROM person_change x WHERE x.id > $1 AND length(x.remark) >= $2 ORDER BY x.id LIMIT 500`
	sqlDecisionText = `SELECT x.id, c.campaign_id, x.reason FROM compare_decision x JOIN comparison c ON c.id = x.comparison_id WHERE x.id > $1 AND length(x.reason) >= $2 ORDER BY x.id LIMIT 500`
	sqlBlankDecided = `UPDATE compare_decision SET reason = $1 WHERE id = $2`
	// Without its index the person is found by it no more.
	sqlBlankChange       = `UPDATE person_change SET body = $1, k = 0, look = '' WHERE id = $2`
	sqlBlankChangeRemark = `UPDATE person_change SET remark = $1 WHERE id = $2`
	sqlRemindText        = `SELECT x.id, x.campaign_id, x.body FROM remind_outbox x WHERE x.id > $1 AND length(x.body) >= $2 ORDER BY x.id LIMIT 500`
	sqlBlankRule         = `UPDATE campaign_rule SET reason = $1 WHERE id = $2`
	sqlBlankDeclare      = `UPDATE unit_declaration SET reason = $1 WHERE id = $2`
	sqlBlankVerdict      = `UPDATE unit_verdict SET remark = $1 WHERE id = $2`
	sqlBlankRemind       = `UPDATE remind_outbox SET body = $1 WHERE id = $2`
)

// eraseTexts puts the mark of what is erased in place of each text that is to go, and
// returns how many there were.
func (s *Store) eraseTexts(ctx context.Context, goes func(campaign tianbao.ID, text string) bool) (sum int64, err error) {
	for _, t := range []struct{ table, column, find, blank string }{
		{"campaign_rule", "reason", sqlRuleText, sqlBlankRule},
		{"unit_declaration", "reason", sqlDeclareText, sqlBlankDeclare},
		{"unit_verdict", "remark", sqlVerdictText, sqlBlankVerdict},
		{"unit_remark", "remark", sqlRemarkText, sqlBlankRemark},
		{"unit_proof", "name", sqlProofText, sqlBlankProof},
		{"question", "asked", sqlAskedText, sqlBlankAsked},
		{"question", "shown", sqlShownText, sqlBlankShown},
		{"question", "answer", sqlAnswerText, sqlBlankAnswer},
		{"person_change", "body", sqlChangeText, sqlBlankChange},
		{"person_change", "remark", sqlChangeRemark, sqlBlankChangeRemark},
		{"compare_decision", "reason", sqlDecisionText, sqlBlankDecided},
		{"remind_outbox", "body", sqlRemindText, sqlBlankRemind},
	} {
		n, err := s.inPages(ctx, t.find, func(scan db.Scan, last *tianbao.ID) ([]db.Statement, error) {
			var campaign tianbao.ID
			var sealed []byte
			if err := scan(last, &campaign, &sealed); err != nil {
				return nil, err
			}
			place := seal.Place(t.table, t.column, last.String())
			plain, err := s.ring.Open(nil, sealed, place)
			if err != nil || string(plain) == tianbao.ErasedMark || !goes(campaign, string(plain)) {
				return nil, err
			}
			return []db.Statement{{SQL: t.blank, Args: []any{s.ring.Seal(nil, []byte(tianbao.ErasedMark), place), *last}}}, nil
		}, seal.Overhead)
		sum += n
		if err != nil {
			return sum, fmt.Errorf("store: erase %s.%s: %w", t.table, t.column, err)
		}
	}
	return sum, nil
}
