package store

import (
	"context"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/message"
)

const (
	sqlNoticeReads = `SELECT d.unit_id, d.version FROM notice_read d WHERE d.notice_id = $1 AND d.user_id = $2`
	sqlInsertRead  = `INSERT INTO notice_read (version, at, notice_id, user_id, unit_id, first_at) VALUES ($1, $2, $3, $4, $5, $2)`
	sqlUpdateRead  = `UPDATE notice_read SET version = $1, at = $2 WHERE notice_id = $3 AND user_id = $4 AND unit_id = $5 AND version < $1`
	sqlUnseenOf    = `SELECT q.id FROM question q WHERE q.notice_id = $1 AND q.state <> 'open' AND q.seen = 0 AND q.unit_id IN LIST`
	sqlSeeAnswer   = `UPDATE question SET seen = $1 WHERE id = $2`

	// What was read last of a unit, by whomever; $1 is the notice, $2 the time, $3 false.
	readOf     = `(SELECT d.unit_id, MAX(d.version) AS version FROM notice_read d WHERE d.notice_id = $1 GROUP BY d.unit_id) r`
	hasAccount = `EXISTS (SELECT 1 FROM role_grant g JOIN app_user p ON p.id = g.user_id WHERE g.unit_id = u.id AND p.disabled = $3
 AND g.role <> 'service' AND g.valid_from <= $2 AND (g.valid_to = 0 OR g.valid_to > $2))`
	sqlReadFigures = `SELECT COUNT(*), COALESCE(CAST(SUM(CASE WHEN r.version >= $4 THEN 1 ELSE 0 END) AS BIGINT), 0),
 COALESCE(CAST(SUM(CASE WHEN r.version < $4 THEN 1 ELSE 0 END) AS BIGINT), 0),
 COALESCE(CAST(SUM(CASE WHEN r.version IS NULL AND NOT ` + hasAccount + ` THEN 1 ELSE 0 END) AS BIGINT), 0)
 FROM unit u LEFT JOIN ` + readOf + ` ON r.unit_id = u.id WHERE SCOPE(u.path) AND (u.valid_to = 0 OR u.valid_to > $2)`
	sqlUnreadUnits = `SELECT u.id, u.path, u.name, u.kind, COALESCE(r.version, 0), CASE WHEN ` + hasAccount + ` THEN 1 ELSE 0 END
 FROM unit u LEFT JOIN ` + readOf + ` ON r.unit_id = u.id
 WHERE SCOPE(u.path) AND (u.valid_to = 0 OR u.valid_to > $2) AND (r.version IS NULL OR r.version < $4) ORDER BY u.path LIMIT $5 OFFSET $6`
	sqlReceiptsOfNotice = `SELECT u.id, u.path, u.name, u.kind, COALESCE(p.name, ''), d.version, d.first_at, d.at
 FROM notice_read d JOIN unit u ON u.id = d.unit_id LEFT JOIN app_user p ON p.id = d.user_id
 WHERE d.notice_id = $1 AND SCOPE(u.path) ORDER BY d.at DESC, u.path, d.user_id LIMIT $2 OFFSET $3`
)

// MarkRead implements message.Store.
func (s *Store) MarkRead(ctx context.Context, r *message.Reader, n *tianbao.Notice, units []tianbao.ID, at time.Time, e tianbao.Event) error {
	read := make(map[tianbao.ID]int)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var unit tianbao.ID
		var version int
		err := scan(&unit, &version)
		read[unit] = version
		return err
	}, sqlNoticeReads, n.ID, r.User)
	if err != nil {
		return err
	}
	var batch []db.Statement
	for _, unit := range units {
		version, known := read[unit]
		switch {
		case !known:
			batch = append(batch, db.Statement{SQL: sqlInsertRead, Args: []any{n.Version, ms(at), n.ID, r.User, unit}})
		case version < n.Version:
			batch = append(batch, db.Statement{SQL: sqlUpdateRead, Args: []any{n.Version, ms(at), n.ID, r.User, unit}})
		}
	}
	if len(r.Units) > 0 {
		var own []tianbao.ID
		for _, u := range r.Units {
			own = append(own, u.ID)
		}
		sql, args := oneList(sqlUnseenOf, own, []any{n.ID})
		answers, err := db.Collect(ctx, s.db, func(scan db.Scan) (id tianbao.ID, err error) {
			err = scan(&id)
			return id, err
		}, sql, args...)
		if err != nil {
			return err
		}
		for _, id := range answers {
			batch = append(batch, db.Statement{SQL: sqlSeeAnswer, Args: []any{ms(at), id}})
		}
	}
	if len(batch) == 0 {
		return nil
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Send(ctx, batch); err != nil {
			return err
		}
		return s.trail(ctx, tx, e)
	})
	if db.IsUnique(err) {
		return nil // read twice at once
	}
	return err
}

// receiptArgs are the first parameters of the texts that look for readers.
func receiptArgs(n *tianbao.Notice, at time.Time, more ...any) []any {
	return append([]any{n.ID, ms(at), false, n.Version}, more...)
}

// ReadFigures implements message.Store.
func (s *Store) ReadFigures(ctx context.Context, scope tianbao.Scope, n *tianbao.Notice, at time.Time) (f message.Figures, err error) {
	sql, args := within(sqlReadFigures, scope, receiptArgs(n, at)...)
	err = s.db.One(ctx, []any{&f.Units, &f.Read, &f.Earlier, &f.NoAccount}, sql, args...)
	return f, err
}

// Unreading implements message.Store.
func (s *Store) Unreading(ctx context.Context, scope tianbao.Scope, n *tianbao.Notice, at time.Time, offset, limit int) ([]message.Behind, error) {
	sql, args := within(sqlUnreadUnits, scope, receiptArgs(n, at, max(limit, 0), max(offset, 0))...)
	return db.Collect(ctx, s.db, func(scan db.Scan) (b message.Behind, err error) {
		var account int
		u := &b.Unit
		err = scan(&u.ID, &u.Path, &u.Name, &u.Kind, &b.Version, &account)
		b.Account = account != 0
		return b, err
	}, sql, args...)
}

// Readers implements message.Store.
func (s *Store) Readers(ctx context.Context, scope tianbao.Scope, n *tianbao.Notice, offset, limit int) ([]message.Receipt, error) {
	sql, args := within(sqlReceiptsOfNotice, scope, n.ID, max(limit, 0), max(offset, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (r message.Receipt, err error) {
		var first, at int64
		u := &r.Unit
		err = scan(&u.ID, &u.Path, &u.Name, &u.Kind, &r.Name, &r.Version, &first, &at)
		r.First, r.At = when(first), when(at)
		return r, err
	}, sql, args...)
}
