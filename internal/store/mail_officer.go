package store

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/post"
	"tianbao/internal/seal"
)

const (
	// A mail of a stranger is seen where $1 says so, any other within the scope.
	mailsSeen     = ` FROM mail_message m LEFT JOIN unit u ON u.id = m.unit_id WHERE (m.unit_id = 0 AND $1 = 1 OR m.unit_id <> 0 AND SCOPE(u.path))`
	sqlPosts      = `SELECT ` + mailColumns + mailsSeen + ` AND ($2 = '' OR m.state = $2) AND m.id < $3 ORDER BY m.id DESC LIMIT $4`
	sqlCountPosts = `SELECT m.state, COUNT(*)` + mailsSeen + ` GROUP BY m.state`
	sqlPost       = `SELECT ` + mailColumns + mailsSeen + ` AND m.id = $2`

	sqlReplayMail = `UPDATE mail_message SET state = 'received', cleared = $1, attempts = 0, next = $2, node = '' WHERE id = $3 AND state = 'waiting'`
	sqlReplayAll  = `UPDATE mail_message SET state = 'received', attempts = 0, next = $1, node = '' WHERE sender = $2 AND state = 'waiting' AND verdict = 'unknown'`
	sqlEndMail    = `UPDATE mail_message SET state = 'dropped', head = $1 WHERE id = $2 AND state = 'waiting'`
	sqlOldMail    = `SELECT m.id FROM mail_message m WHERE m.state = 'waiting' AND m.received < $1 ORDER BY m.id LIMIT 200`

	senderColumns   = `b.id, b.address, b.unit_id, COALESCE(u.name, ''), COALESCE(u.path, ''), b.how, b.by_id, b.at`
	sqlMailSender   = `SELECT ` + senderColumns + ` FROM mail_sender b LEFT JOIN unit u ON u.id = b.unit_id WHERE b.k = $1`
	sqlMailSenders  = `SELECT ` + senderColumns + ` FROM mail_sender b JOIN unit u ON u.id = b.unit_id WHERE SCOPE(u.path) ORDER BY b.at DESC, b.id DESC LIMIT $1`
	sqlSenderInside = `SELECT b.unit_id FROM mail_sender b JOIN unit u ON u.id = b.unit_id WHERE b.id = $1 AND SCOPE(u.path)`
	sqlInsertBind   = `INSERT INTO mail_sender (id, k, address, unit_id, how, by_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	sqlDropBindOf   = `DELETE FROM mail_sender WHERE k = $1`
	sqlDropBind     = `DELETE FROM mail_sender WHERE id = $1`
)

func addressPlace(id tianbao.ID) []byte { return seal.Place("mail_sender", "address", id.String()) }

func (s *Store) scanSender(scan db.Scan) (b post.Sender, err error) {
	var at int64
	var address []byte
	if err = scan(&b.ID, &address, &b.Unit, &b.UnitName, &b.UnitPath, &b.How, &b.By, &at); err != nil {
		return b, err
	}
	b.At = when(at)
	if b.Address, err = s.openText(address, addressPlace(b.ID)); err != nil {
		return b, fmt.Errorf("store: open the address of sender %s: %w", b.ID, err)
	}
	return b, nil
}

func (s *Store) bindStatement(b *post.Sender) db.Statement {
	return db.Statement{SQL: sqlInsertBind, Args: []any{b.ID, s.addressKey(b.Address), s.sealText(b.Address, addressPlace(b.ID)), b.Unit, b.How, b.By, ms(b.At)}}
}

// MailSender implements post.Store.
func (s *Store) MailSender(ctx context.Context, address string) (b post.Sender, u tianbao.Unit, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		if b, err = first(ctx, q, s.scanSender, sqlMailSender, s.addressKey(address)); err != nil {
			return err
		}
		u, err = first(ctx, q, scanUnit, sqlUnitByID, b.Unit)
		return err
	})
	return b, u, err
}

// MailSenders implements post.Store.
func (s *Store) MailSenders(ctx context.Context, scope tianbao.Scope, limit int) ([]post.Sender, error) {
	sql, args := within(sqlMailSenders, scope, max(limit, 0))
	return db.Collect(ctx, s.db, s.scanSender, sql, args...)
}

// seen completes a text about mails that somebody sees. The mark of strangers is a number,
// since the text is one for both engines.
func seen(sql string, v post.View, args ...any) (string, []any) {
	strangers := 0
	if v.Strangers {
		strangers = 1
	}
	return within(sql, v.Scope, append([]any{strangers}, args...)...)
}

// Mails implements post.Store.
func (s *Store) Mails(ctx context.Context, v post.View, q post.Query) ([]post.Message, error) {
	before := q.Before
	if before == 0 {
		before = 1<<63 - 1
	}
	sql, args := seen(sqlPosts, v, q.State, before, max(q.Limit, 0))
	return db.Collect(ctx, s.db, s.scanMail, sql, args...)
}

// CountMails implements post.Store.
func (s *Store) CountMails(ctx context.Context, v post.View) (map[post.State]int, error) {
	out := make(map[post.State]int)
	sql, args := seen(sqlCountPosts, v)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var state post.State
		var n int
		err := scan(&state, &n)
		out[state] = n
		return err
	}, sql, args...)
	return out, err
}

// Mail implements post.Store.
func (s *Store) Mail(ctx context.Context, v post.View, id tianbao.ID) (m post.Message, text []byte, err error) {
	sql, args := seen(sqlPost, v, id)
	err = s.db.Read(ctx, func(q db.Queryer) error {
		if m, err = first(ctx, q, s.scanMail, sql, args...); err != nil {
			return err
		}
		text, err = s.mailText(ctx, q, id)
		return err
	})
	return m, text, err
}

// inView refuses a mail that somebody does not see.
func (s *Store) inView(ctx context.Context, v post.View, id tianbao.ID) error {
	sql, args := seen(sqlPost, v, id)
	_, err := first(ctx, s.db, s.scanMail, sql, args...)
	return err
}

// BindSender implements post.Store.
func (s *Store) BindSender(ctx context.Context, b *post.Sender, mail tianbao.ID, at time.Time, events func(mails int) []tianbao.Event) (mails int, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		k := s.addressKey(b.Address)
		n, err := tx.Exec(ctx, sqlReplayMail, true, ms(at), mail)
		if err != nil {
			return fmt.Errorf("store: replay mail %s: %w", mail, err)
		}
		if n != 1 {
			return tianbao.NotFound()
		}
		counts, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlReplayAll, Args: []any{ms(at), k}},
			{SQL: sqlDropBindOf, Args: []any{k}},
			s.bindStatement(b),
		})
		if err != nil {
			return fmt.Errorf("store: bind a sender: %w", err)
		}
		mails = 1 + int(counts[0])
		return s.trail(ctx, tx, events(mails)...)
	})
	if err != nil {
		return 0, err
	}
	return mails, nil
}

// UnbindSender implements post.Store.
func (s *Store) UnbindSender(ctx context.Context, scope tianbao.Scope, id tianbao.ID, events func(unit tianbao.ID) []tianbao.Event) error {
	sql, args := within(sqlSenderInside, scope, id)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var unit tianbao.ID
		if err := one(ctx, tx, []any{&unit}, sql, args...); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlDropBind, id); err != nil {
			return fmt.Errorf("store: unbind sender %s: %w", id, err)
		}
		return s.trail(ctx, tx, events(unit)...)
	})
}

// ReplayMail implements post.Store.
func (s *Store) ReplayMail(ctx context.Context, v post.View, id tianbao.ID, at time.Time, events ...tianbao.Event) error {
	if err := s.inView(ctx, v, id); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlReplayMail, true, ms(at), id)
		if err == nil && n != 1 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// DropMail implements post.Store.
func (s *Store) DropMail(ctx context.Context, v post.View, id tianbao.ID, events ...tianbao.Event) error {
	if err := s.inView(ctx, v, id); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := s.endMail(ctx, tx, []tianbao.ID{id})
		if err == nil && n != 1 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// endMail drops mails that wait with all that they hold, and returns how many did.
func (s *Store) endMail(ctx context.Context, tx db.Tx, ids []tianbao.ID) (n int, err error) {
	for _, id := range ids {
		head, err := s.sealHead(&post.Head{}, id)
		if err != nil {
			return n, err
		}
		c, err := tx.Exec(ctx, sqlEndMail, head, id)
		if err == nil && c == 1 {
			n++
			_, err = tx.Exec(ctx, sqlDropText, id)
		}
		if err != nil {
			return n, fmt.Errorf("store: drop mail %s: %w", id, err)
		}
	}
	return n, nil
}

// ExpireMail implements post.Store.
func (s *Store) ExpireMail(ctx context.Context, before time.Time, events func(n int) []tianbao.Event) (n int, err error) {
	ids, err := db.Collect(ctx, s.db, scanID, sqlOldMail, ms(before))
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = s.db.Tx(ctx, func(tx db.Tx) (err error) {
		if n, err = s.endMail(ctx, tx, ids); err != nil {
			return err
		}
		return s.trail(ctx, tx, events(n)...)
	})
	return n, err
}
