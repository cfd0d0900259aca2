package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/post"
	"tianbao/internal/seal"
)

const (
	sqlInsertReply  = `INSERT INTO mail_reply (id, message_id, state, attempts, next, node, sent, body, file) VALUES ($1, $2, 'waiting', 0, $3, '', 0, $4, $5)`
	sqlDueReplies   = `SELECT r.id FROM mail_reply r WHERE r.state IN ('waiting', 'sending') AND r.next <= $1 ORDER BY r.next, r.id LIMIT $2`
	sqlClaimReply   = `UPDATE mail_reply SET state = 'sending', node = $1, next = $2, attempts = attempts + 1 WHERE id = $3 AND state IN ('waiting', 'sending') AND next <= $4`
	sqlFreeReplies  = `UPDATE mail_reply SET next = $1 WHERE state = 'sending' AND next > $1`
	sqlReply        = `SELECT r.id, r.message_id, r.attempts, r.body, r.file FROM mail_reply r WHERE r.id = $1`
	sqlDelayReply   = `UPDATE mail_reply SET state = 'waiting', next = $1 WHERE id = $2 AND node = $3 AND attempts = $4 AND state = 'sending'`
	sqlFinishReply  = `UPDATE mail_reply SET state = $1, sent = $2, body = $3, file = $3 WHERE id = $4 AND node = $5 AND attempts = $6 AND state = 'sending'`
	sqlMailAnswered = `UPDATE mail_message SET state = 'answered' WHERE id = $1 AND state = 'judged'`
)

func replyPlace(column string, id tianbao.ID) []byte {
	return seal.Place("mail_reply", column, id.String())
}

// replyStatement puts an answer into the outbox.
func (s *Store) replyStatement(r *post.Reply) (db.Statement, error) {
	plain, err := json.Marshal(r.Body)
	if err != nil {
		return db.Statement{}, errors.New("store: an answer cannot be encoded")
	}
	file := []byte{}
	if r.File != nil {
		file = s.ring.Seal(nil, r.File, replyPlace("file", r.ID))
	}
	return db.Statement{SQL: sqlInsertReply, Args: []any{r.ID, r.Message, ms(r.Body.At), s.ring.Seal(nil, plain, replyPlace("body", r.ID)), file}}, nil
}

// DueReplies implements post.Store.
func (s *Store) DueReplies(ctx context.Context, at time.Time, limit int) ([]tianbao.ID, error) {
	return db.Collect(ctx, s.db, scanID, sqlDueReplies, ms(at), limit)
}

// ClaimReply implements post.Store.
func (s *Store) ClaimReply(ctx context.Context, id tianbao.ID, node string, at, until time.Time) (*post.Reply, error) {
	var r post.Reply
	var body, file []byte
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlClaimReply, node, ms(until), id, ms(at))
		if err != nil {
			return fmt.Errorf("store: claim answer %s: %w", id, err)
		}
		if n != 1 {
			return tianbao.NotFound()
		}
		return one(ctx, tx, []any{&r.ID, &r.Message, &r.Attempts, &body, &file}, sqlReply, id)
	})
	if err != nil {
		return nil, err
	}
	plain, err := s.ring.Open(nil, body, replyPlace("body", id))
	if err == nil && len(file) > 0 {
		r.File, err = s.ring.Open(nil, file, replyPlace("file", id))
	}
	if err != nil {
		return nil, fmt.Errorf("store: open answer %s: %w", id, err)
	}
	if json.Unmarshal(plain, &r.Body) != nil {
		return nil, errors.New("store: a stored answer is not readable")
	}
	return &r, nil
}

// FinishReply implements post.Store.
func (s *Store) FinishReply(ctx context.Context, r *post.Reply, node string, sent bool, next, at time.Time, events ...tianbao.Event) (mine bool, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var n int64
		var err error
		switch {
		case !next.IsZero():
			n, err = tx.Exec(ctx, sqlDelayReply, ms(next), r.ID, node, r.Attempts)
		case sent:
			n, err = tx.Exec(ctx, sqlFinishReply, "sent", ms(at), []byte{}, r.ID, node, r.Attempts)
		default:
			n, err = tx.Exec(ctx, sqlFinishReply, "failed", ms(at), []byte{}, r.ID, node, r.Attempts)
		}
		if mine = err == nil && n == 1; !mine {
			return err
		}
		if next.IsZero() {
			if _, err := tx.Exec(ctx, sqlMailAnswered, r.Message); err != nil {
				return fmt.Errorf("store: finish answer %s: %w", r.ID, err)
			}
		}
		return s.trail(ctx, tx, events...)
	})
	return mine && err == nil, err
}
