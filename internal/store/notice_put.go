package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

const (
	sqlUpdateNotice     = `UPDATE notice SET title = $1, issuer = $2, body = $3, at = $4, owner_id = $5 WHERE id = $6`
	sqlInsertNotice     = `INSERT INTO notice (title, issuer, body, at, owner_id, id) VALUES ($1, $2, $3, $4, $5, $6)`
	sqlDropAttachments  = `DELETE FROM attachment WHERE notice_id = $1`
	sqlInsertAttachment = `INSERT INTO attachment (notice_id, id, pos, name, type, size, data) VALUES ($1, $2, $3, $4, $5, $6, $7)`

	sqlInsertNoticeDraft = `INSERT INTO notice (id, title, issuer, body, at, owner_id, campaign_id, state, version, turn, plain, everyone)
 VALUES ($1, $2, $3, $4, $5, $6, $7, 'draft', 0, 1, $8, $9)`
	sqlChangeNoticeDraft = `UPDATE notice SET title = $1, issuer = $2, body = $3, owner_id = $4, campaign_id = $5, turn = turn + 1
 WHERE id = $6 AND turn = $7 AND state = 'draft'`
	sqlDropNoticeScope   = `DELETE FROM notice_scope WHERE notice_id = $1`
	sqlInsertNoticeScope = `INSERT INTO notice_scope (notice_id, unit_id) VALUES ($1, $2)`
	sqlKeepVersion       = `INSERT INTO notice_version (notice_id, version, title, issuer, body, at)
 SELECT n.id, n.version, n.title, n.issuer, n.body, CASE WHEN n.amended > 0 THEN n.amended ELSE n.at END
 FROM notice n WHERE n.id = $1 AND n.turn = $2 AND n.state = 'published'`
	sqlAmendNotice = `UPDATE notice SET title = $1, issuer = $2, body = $3, campaign_id = $4, version = version + 1, turn = turn + 1, amended = $5
 WHERE id = $6 AND turn = $7 AND state = 'published'`
	sqlPublishNotice = `UPDATE notice SET state = 'published', version = 1, turn = turn + 1, at = $1, mail = $2 WHERE id = $3 AND turn = $4 AND state = 'draft'`
	sqlTurnNotice    = `UPDATE notice SET turn = turn + 1 WHERE id = $1 AND turn = $2 AND state = 'draft'`
	sqlAttach        = `INSERT INTO attachment (notice_id, id, pos, name, type, size, data, since) VALUES ($1, $2,
 (SELECT COUNT(*) FROM attachment b WHERE b.notice_id = $1), $3, $4, $5, $6, $7)`
	sqlDropDraftFile  = `DELETE FROM attachment WHERE notice_id = $1 AND id = $2`
	sqlDetach         = `UPDATE attachment SET gone = $1 WHERE notice_id = $2 AND id = $3 AND gone = 0`
	sqlWithdrawNotice = `UPDATE notice SET state = 'withdrawn', withdrawn = $1, turn = turn + 1 WHERE id = $2 AND turn = $3 AND state = 'published'`
)

// PutNotice stores a published notice for everybody, with its attachments and their data,
// in place of those it had.
func (s *Store) PutNotice(ctx context.Context, n tianbao.Notice) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := upsert(ctx, tx, sqlUpdateNotice, sqlInsertNotice, n.Title, n.Issuer, n.Body, ms(n.At), n.Owner, n.ID); err != nil {
			return err
		}
		batch := []db.Statement{{SQL: sqlDropAttachments, Args: []any{n.ID}}}
		for i, a := range n.Attachments {
			batch = append(batch, db.Statement{SQL: sqlInsertAttachment, Args: []any{
				n.ID, a.ID, i, a.Name, a.Type, len(a.Data), a.Data,
			}})
		}
		_, err := tx.Send(ctx, batch)
		return err
	})
}

func errNoticeChanged() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "notice_changed", Message: "这份通知刚刚由别人改过，请重新打开后再做一次。"}
}

// oneNotice carries out a statement that changes a notice at a turn.
func oneNotice(ctx context.Context, tx db.Tx, sql string, args ...any) error {
	n, err := tx.Exec(ctx, sql, args...)
	if err == nil && n != 1 {
		err = errNoticeChanged()
	}
	return err
}

// PutNoticeDraft implements message.Store.
func (s *Store) PutNoticeDraft(ctx context.Context, n *tianbao.Notice, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var err error
		if n.Turn == 0 {
			_, err = tx.Exec(ctx, sqlInsertNoticeDraft, n.ID, n.Title, n.Issuer, n.Body, ms(n.At), n.Owner, n.Campaign, n.Plain, n.Everyone)
		} else {
			err = oneNotice(ctx, tx, sqlChangeNoticeDraft, n.Title, n.Issuer, n.Body, n.Owner, n.Campaign, n.ID, n.Turn)
		}
		if err != nil {
			return err
		}
		batch := []db.Statement{{SQL: sqlDropNoticeScope, Args: []any{n.ID}}}
		for _, u := range n.Units {
			batch = append(batch, db.Statement{SQL: sqlInsertNoticeScope, Args: []any{n.ID, u.ID}})
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: keep whom notice %s is for: %w", n.ID, err)
		}
		return s.trail(ctx, tx, events...)
	})
}

// amend keeps what a published notice says and makes the next version of it.
func amend(ctx context.Context, tx db.Tx, n *tianbao.Notice, at time.Time) error {
	if err := oneNotice(ctx, tx, sqlKeepVersion, n.ID, n.Turn); err != nil {
		return err
	}
	return oneNotice(ctx, tx, sqlAmendNotice, n.Title, n.Issuer, n.Body, n.Campaign, ms(at), n.ID, n.Turn)
}

// Amend implements message.Store.
func (s *Store) Amend(ctx context.Context, n *tianbao.Notice, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) (err error) {
		if n.State == tianbao.NoticeDraft {
			err = oneNotice(ctx, tx, sqlPublishNotice, ms(at), n.Mail, n.ID, n.Turn)
		} else {
			err = amend(ctx, tx, n, at)
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// SetFile implements message.Store.
func (s *Store) SetFile(ctx context.Context, n *tianbao.Notice, a tianbao.Attachment, at time.Time, events ...tianbao.Event) error {
	draft := n.State == tianbao.NoticeDraft
	return s.db.Tx(ctx, func(tx db.Tx) (err error) {
		if draft {
			err = oneNotice(ctx, tx, sqlTurnNotice, n.ID, n.Turn)
		} else {
			err = amend(ctx, tx, n, at)
		}
		if err != nil {
			return err
		}
		next := n.Version + 1 // of a draft the first
		switch {
		case len(a.Data) > 0:
			_, err = tx.Exec(ctx, sqlAttach, n.ID, a.ID, a.Name, a.Type, len(a.Data), a.Data, next)
		case draft:
			err = oneNotice(ctx, tx, sqlDropDraftFile, n.ID, a.ID)
		default:
			err = oneNotice(ctx, tx, sqlDetach, next, n.ID, a.ID)
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// Withdraw implements message.Store.
func (s *Store) Withdraw(ctx context.Context, n *tianbao.Notice, at time.Time, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := oneNotice(ctx, tx, sqlWithdrawNotice, ms(at), n.ID, n.Turn); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}
