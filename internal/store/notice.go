package store

import (
	"context"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/message"
)

const (
	noticeColumns = `n.id, n.title, n.issuer, n.plain, n.state, n.version, n.turn, n.at, n.amended, n.withdrawn, n.owner_id, n.everyone, n.campaign_id, n.mail`
	// $1 is who reads, LIST the units above and at the reader's own.
	noticeMine = `CASE WHEN n.everyone OR EXISTS (SELECT 1 FROM notice_scope x WHERE x.notice_id = n.id AND x.unit_id IN LIST) THEN 1 ELSE 0 END,
 COALESCE((SELECT MAX(d.version) FROM notice_read d WHERE d.notice_id = n.id AND d.user_id = $1), 0)`
	noticeReaches = `n.state <> 'draft' AND (n.everyone OR EXISTS (SELECT 1 FROM notice_scope x JOIN unit u ON u.id = x.unit_id
 WHERE x.notice_id = n.id AND (x.unit_id IN LIST OR SCOPE(u.path))))`
	sqlNotices = `SELECT ` + noticeColumns + `, '', ` + noticeMine + ` FROM notice n WHERE ` + noticeReaches + `
 ORDER BY n.at DESC, n.id DESC LIMIT $2 OFFSET $3`
	sqlNotice = `SELECT ` + noticeColumns + `, n.body, ` + noticeMine + ` FROM notice n WHERE n.id = $2 AND ` + noticeReaches

	sqlLedNotices = `SELECT ` + noticeColumns + `, '', 0, 0 FROM notice n JOIN unit u ON u.id = n.owner_id WHERE SCOPE(u.path)
 ORDER BY n.at DESC, n.id DESC LIMIT $1 OFFSET $2`
	sqlLedNotice = `SELECT ` + noticeColumns + `, n.body, 0, 0 FROM notice n JOIN unit u ON u.id = n.owner_id WHERE n.id = $1 AND SCOPE(u.path)`

	sqlNoticeUnits    = `SELECT u.id, u.path, u.name, u.budget_code FROM notice_scope x JOIN unit u ON u.id = x.unit_id WHERE x.notice_id = $1 ORDER BY u.path`
	sqlAttachments    = `SELECT a.id, a.name, a.type, a.size FROM attachment a WHERE a.notice_id = $1 AND a.gone = 0 ORDER BY a.pos, a.id`
	sqlAttachment     = `SELECT a.name, a.type, a.size, a.data FROM attachment a WHERE a.notice_id = $1 AND a.id = $2 AND a.gone = 0`
	sqlNoticeVersions = `SELECT v.version, v.title, v.issuer, v.body, v.at FROM notice_version v WHERE v.notice_id = $1 ORDER BY v.version DESC LIMIT 100`

	sqlUnreadNotices = `SELECT COUNT(*) FROM notice n WHERE n.state = 'published'
 AND (n.everyone OR EXISTS (SELECT 1 FROM notice_scope x WHERE x.notice_id = n.id AND x.unit_id IN LIST))
 AND NOT EXISTS (SELECT 1 FROM notice_read d WHERE d.notice_id = n.id AND d.user_id = $1 AND d.version >= n.version)`
	sqlUnseenAnswers = `SELECT COUNT(*) FROM question q WHERE q.state <> 'open' AND q.seen = 0 AND q.unit_id IN LIST`
)

// addressedTo returns the units above and at the reader's own: whatever is for their subtrees
// is for the reader.
func addressedTo(r *message.Reader) (ids []tianbao.ID) {
	for _, path := range r.Sees.Paths {
		for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
			if id, err := tianbao.ParseID(part); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// reaching puts what a reader may read into a text: what is above at LIST, and where the
// reader has a role at SCOPE.
func reaching(sql string, r *message.Reader, args ...any) (string, []any) {
	sql, args = oneList(sql, addressedTo(r), args)
	return within(sql, r.Sees, args...)
}

// oneList puts all ids into a text at LIST, however many; no id is that of nothing. A
// list of units above somebody's own is short, and may not be cut into chunks where the
// text counts. Its length is rounded up, so that few texts come about.
func oneList(sql string, ids []tianbao.ID, args []any) (string, []any) {
	slices.Sort(ids)
	ids = append(slices.Compact(ids), 0)
	want := 4
	for want < len(ids) {
		want *= 4
	}
	sql = strings.ReplaceAll(sql, listMark, db.In(len(args)+1, want))
	args = slices.Clip(args)
	for i := range want {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	return sql, args
}

func scanNotice(scan db.Scan) (n tianbao.Notice, err error) {
	var at, amended, withdrawn int64
	var mine int
	err = scan(&n.ID, &n.Title, &n.Issuer, &n.Plain, &n.State, &n.Version, &n.Turn, &at, &amended, &withdrawn, &n.Owner, &n.Everyone, &n.Campaign, &n.Mail,
		&n.Body, &mine, &n.Seen)
	n.At, n.Amended, n.Withdrawn, n.Mine = when(at), when(amended), when(withdrawn), mine != 0
	return n, err
}

// Notices implements message.Store.
func (s *Store) Notices(ctx context.Context, r *message.Reader, offset, limit int) ([]tianbao.Notice, error) {
	sql, args := reaching(sqlNotices, r, r.User, max(limit, 0), max(offset, 0))
	return db.Collect(ctx, s.db, scanNotice, sql, args...)
}

// Led implements message.Store.
func (s *Store) Led(ctx context.Context, leads tianbao.Scope, offset, limit int) ([]tianbao.Notice, error) {
	sql, args := within(sqlLedNotices, leads, max(limit, 0), max(offset, 0))
	return db.Collect(ctx, s.db, scanNotice, sql, args...)
}

// Notice implements message.Store.
func (s *Store) Notice(ctx context.Context, r *message.Reader, id tianbao.ID) (tianbao.Notice, error) {
	sql, args := reaching(sqlNotice, r, r.User, id)
	return s.wholeNotice(ctx, sql, args)
}

// LedNotice implements message.Store.
func (s *Store) LedNotice(ctx context.Context, leads tianbao.Scope, id tianbao.ID) (tianbao.Notice, error) {
	sql, args := within(sqlLedNotice, leads, id)
	return s.wholeNotice(ctx, sql, args)
}

func (s *Store) wholeNotice(ctx context.Context, sql string, args []any) (n tianbao.Notice, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) (err error) {
		if n, err = first(ctx, q, scanNotice, sql, args...); err != nil {
			return err
		}
		n.Attachments, err = db.Collect(ctx, q, func(scan db.Scan) (a tianbao.Attachment, err error) {
			err = scan(&a.ID, &a.Name, &a.Type, &a.Size)
			return a, err
		}, sqlAttachments, n.ID)
		if err != nil || n.Everyone {
			return err
		}
		n.Units, err = db.Collect(ctx, q, func(scan db.Scan) (u tianbao.Unit, err error) {
			err = scan(&u.ID, &u.Path, &u.Name, &u.BudgetCode)
			return u, err
		}, sqlNoticeUnits, n.ID)
		return err
	})
	return n, err
}

// File implements message.Store.
func (s *Store) File(ctx context.Context, notice, id tianbao.ID) (tianbao.Attachment, error) {
	a := tianbao.Attachment{ID: id}
	if err := one(ctx, s.db, []any{&a.Name, &a.Type, &a.Size, &a.Data}, sqlAttachment, notice, id); err != nil {
		return tianbao.Attachment{}, err
	}
	return a, nil
}

// NoticeVersions implements message.Store.
func (s *Store) NoticeVersions(ctx context.Context, notice tianbao.ID) ([]message.Version, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (v message.Version, err error) {
		var at int64
		err = scan(&v.Version, &v.Title, &v.Issuer, &v.Body, &at)
		v.At = when(at)
		return v, err
	}, sqlNoticeVersions, notice)
}

// Unread implements message.Store.
func (s *Store) Unread(ctx context.Context, r *message.Reader) (int, error) {
	var notices, answers int
	err := s.db.Read(ctx, func(q db.Queryer) error {
		sql, args := oneList(sqlUnreadNotices, addressedTo(r), []any{r.User})
		if err := q.One(ctx, []any{&notices}, sql, args...); err != nil || len(r.Units) == 0 {
			return err
		}
		var ids []tianbao.ID
		for _, u := range r.Units {
			ids = append(ids, u.ID)
		}
		sql, args = oneList(sqlUnseenAnswers, ids, nil)
		return q.One(ctx, []any{&answers}, sql, args...)
	})
	return notices + answers, err
}
