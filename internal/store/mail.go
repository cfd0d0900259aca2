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
	"tianbao/internal/report"
	"tianbao/internal/seal"
)

// Mails with reports: keeping and judging them. What officers see is in mail_officer.go,
// answers are in mail_reply.go.

const (
	sqlInsertMail = `INSERT INTO mail_message
 (id, k, sender, received, judged, state, verdict, fault, cleared, attempts, next, node, unit_id, size, copies, row_count, faults, spf, dkim, dmarc, head)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, '', 0, $11, 0, 0, 0, $12, $13, $14, $15)`
	sqlHasMail     = `SELECT m.id FROM mail_message m WHERE m.k = $1`
	sqlMailAgain   = `UPDATE mail_message SET copies = copies + 1 WHERE id = $1`
	sqlInsertText  = `INSERT INTO mail_text (message_id, data) VALUES ($1, $2)`
	sqlMailText    = `SELECT t.data FROM mail_text t WHERE t.message_id = $1`
	sqlDropText    = `DELETE FROM mail_text WHERE message_id = $1`
	sqlMailMark    = `SELECT b.validity, b.last, b.since FROM mail_box b WHERE b.name = $1`
	sqlUpdateMark  = `UPDATE mail_box SET validity = $1, last = $2, since = $3 WHERE name = $4`
	sqlInsertMark  = `INSERT INTO mail_box (validity, last, since, name) VALUES ($1, $2, $3, $4)`
	sqlMailSince   = `SELECT COUNT(*) FROM mail_message m WHERE m.sender = $1 AND m.received > $2`
	sqlStrangers   = `SELECT COUNT(*) FROM mail_message m WHERE m.state = 'waiting' AND m.unit_id = 0`
	sqlJudgedSince = `SELECT COUNT(*) FROM mail_message m WHERE m.sender = $1 AND m.judged > $2 AND m.state <> 'ignored'`
	sqlDueMail     = `SELECT m.id FROM mail_message m WHERE m.state = 'received' AND m.next <= $1 ORDER BY m.next, m.id LIMIT $2`
	sqlClaimMail   = `UPDATE mail_message SET node = $1, next = $2, attempts = attempts + 1 WHERE id = $3 AND state = 'received' AND next <= $4`
	sqlFreeMail    = `UPDATE mail_message SET next = $1 WHERE state = 'received' AND node <> '' AND next > $1`
	sqlDelayMail   = `UPDATE mail_message SET next = $1, attempts = $2 WHERE id = $3 AND state = 'received' AND node = $4 AND attempts = $5`
	sqlJudgeMail   = `UPDATE mail_message SET state = $1, verdict = $2, judged = $3, unit_id = $4, row_count = $5, faults = $6, head = $7, node = '', next = 0
 WHERE id = $8 AND state = 'received' AND node = $9 AND attempts = $10`

	mailColumns = `m.id, m.received, m.judged, m.state, m.verdict, m.fault, m.cleared, m.attempts, m.unit_id, COALESCE(u.name, ''), m.size, m.copies,
 m.row_count, m.faults, m.spf, m.dkim, m.dmarc, m.head`
	sqlMailByID = `SELECT ` + mailColumns + ` FROM mail_message m LEFT JOIN unit u ON u.id = m.unit_id WHERE m.id = $1`
)

func mailHeadPlace(id tianbao.ID) []byte { return seal.Place("mail_message", "head", id.String()) }
func mailTextPlace(id tianbao.ID) []byte { return seal.Place("mail_text", "data", id.String()) }

// mailKey is the keyed index of what makes a mail the same.
func (s *Store) mailKey(key string) []byte { return s.ring.Index("mail message", key) }

// addressKey is the keyed index of an address, empty for none.
func (s *Store) addressKey(address string) []byte {
	if address == "" {
		return []byte{}
	}
	return s.ring.Index("mail address", address)
}

func (s *Store) sealHead(h *post.Head, id tianbao.ID) ([]byte, error) {
	plain, err := json.Marshal(h)
	if err != nil {
		return nil, errors.New("store: the head of a mail cannot be encoded")
	}
	return s.ring.Seal(nil, plain, mailHeadPlace(id)), nil
}

func (s *Store) scanMail(scan db.Scan) (m post.Message, err error) {
	var received, judged int64
	var head []byte
	err = scan(&m.ID, &received, &judged, &m.State, &m.Verdict, &m.Fault, &m.Cleared, &m.Attempts, &m.Unit, &m.UnitName, &m.Size, &m.Copies,
		&m.Rows, &m.Faults, &m.SPF, &m.DKIM, &m.DMARC, &head)
	if err != nil {
		return m, err
	}
	m.Received, m.Judged = when(received), when(judged)
	plain, err := s.ring.Open(nil, head, mailHeadPlace(m.ID))
	if err != nil {
		return m, fmt.Errorf("store: open the head of mail %s: %w", m.ID, err)
	}
	if json.Unmarshal(plain, &m.Head) != nil {
		return m, errors.New("store: the head of a mail is not readable")
	}
	return m, nil
}

// TakeMail implements post.Store.
func (s *Store) TakeMail(ctx context.Context, t *post.Taken, events ...tianbao.Event) (taken bool, err error) {
	k := s.mailKey(t.Key)
	head, err := s.sealHead(&t.Head, t.ID)
	if err != nil {
		return false, err
	}
	var text []byte
	if t.Raw != nil {
		text = s.ring.Seal(nil, t.Raw, mailTextPlace(t.ID))
	}
	// Two servers that take the same mail at once: the key decides, and one begins again.
	err = s.again(ctx, func(tx db.Tx) error {
		taken = false
		if err := s.putMark(ctx, tx, t.Mark); err != nil {
			return err
		}
		var old tianbao.ID
		switch err := tx.One(ctx, []any{&old}, sqlHasMail, k); {
		case err == nil:
			_, err = tx.Exec(ctx, sqlMailAgain, old)
			return err
		case !errors.Is(err, db.ErrNoRows):
			return fmt.Errorf("store: look for a mail: %w", err)
		}
		_, err := tx.Exec(ctx, sqlInsertMail, t.ID, k, s.addressKey(t.Sender), ms(t.Received), ms(t.Judged), t.State, t.Verdict, t.Fault, t.Cleared,
			ms(t.Next), t.Size, t.SPF, t.DKIM, t.DMARC, head)
		if db.IsUnique(err) {
			return report.ErrStale
		}
		if err != nil {
			return fmt.Errorf("store: keep a mail: %w", err)
		}
		if text != nil {
			if _, err := tx.Exec(ctx, sqlInsertText, t.ID, text); err != nil {
				return fmt.Errorf("store: keep the text of a mail: %w", err)
			}
		}
		taken = true
		return s.trail(ctx, tx, events...)
	})
	return taken && err == nil, err
}

func (s *Store) putMark(ctx context.Context, tx db.Tx, m *post.Mark) error {
	if m == nil {
		return nil
	}
	return upsert(ctx, tx, sqlUpdateMark, sqlInsertMark, int64(m.Validity), int64(m.Last), ms(m.Since), m.Box)
}

// MailMark implements post.Store.
func (s *Store) MailMark(ctx context.Context, box string) (post.Mark, error) {
	m := post.Mark{Box: box}
	var validity, last, since int64
	err := s.db.One(ctx, []any{&validity, &last, &since}, sqlMailMark, box)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	m.Validity, m.Last, m.Since = uint32(validity), uint32(last), when(since)
	return m, err
}

// MailLoad implements post.Store.
func (s *Store) MailLoad(ctx context.Context, sender string, since time.Time) (sent, waiting int, err error) {
	if err = s.db.One(ctx, []any{&sent}, sqlMailSince, s.addressKey(sender), ms(since)); err != nil {
		return 0, 0, err
	}
	err = s.db.One(ctx, []any{&waiting}, sqlStrangers)
	return sent, waiting, err
}

// JudgedSince implements post.Store.
func (s *Store) JudgedSince(ctx context.Context, sender string, since time.Time) (n int, err error) {
	err = s.db.One(ctx, []any{&n}, sqlJudgedSince, s.addressKey(sender), ms(since))
	return n, err
}

// DueMail implements post.Store.
func (s *Store) DueMail(ctx context.Context, at time.Time, limit int) ([]tianbao.ID, error) {
	return db.Collect(ctx, s.db, scanID, sqlDueMail, ms(at), limit)
}

// ClaimMail implements post.Store.
func (s *Store) ClaimMail(ctx context.Context, id tianbao.ID, node string, at, until time.Time) (*post.Claimed, error) {
	c := &post.Claimed{Node: node}
	var text []byte
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlClaimMail, node, ms(until), id, ms(at))
		if err != nil {
			return fmt.Errorf("store: claim mail %s: %w", id, err)
		}
		if n != 1 {
			return tianbao.NotFound()
		}
		if c.Message, err = first(ctx, tx, s.scanMail, sqlMailByID, id); err != nil {
			return err
		}
		text, err = s.mailText(ctx, tx, id)
		return err
	})
	c.Raw = text
	return c, err
}

// mailText opens the text of a mail, nil where it is gone.
func (s *Store) mailText(ctx context.Context, q db.Queryer, id tianbao.ID) ([]byte, error) {
	var sealed []byte
	err := q.One(ctx, []any{&sealed}, sqlMailText, id)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: read mail %s: %w", id, err)
	}
	plain, err := s.ring.Open(nil, sealed, mailTextPlace(id))
	if err != nil {
		return nil, fmt.Errorf("store: open mail %s: %w", id, err)
	}
	return plain, nil
}

// FreeMail implements post.Store.
func (s *Store) FreeMail(ctx context.Context, at time.Time) error {
	return s.send(ctx, []db.Statement{{SQL: sqlFreeMail, Args: []any{ms(at)}}, {SQL: sqlFreeReplies, Args: []any{ms(at)}}})
}

// DelayMail implements post.Store.
func (s *Store) DelayMail(ctx context.Context, c *post.Claimed, next time.Time, spent bool) error {
	attempts := c.Attempts
	if !spent {
		attempts--
	}
	_, err := s.exec(ctx, sqlDelayMail, ms(next), attempts, c.ID, c.Node, c.Attempts)
	return err
}

// JudgeMail implements post.Store.
func (s *Store) JudgeMail(ctx context.Context, c *post.Claimed, j *post.Judgement, events ...tianbao.Event) (mine bool, err error) {
	head, err := s.sealHead(&j.Head, c.ID)
	if err != nil {
		return false, err
	}
	reply, err := s.replyStatement(j.Reply)
	if err != nil {
		return false, err
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		mine = false
		n, err := tx.Exec(ctx, sqlJudgeMail, j.State, j.Verdict, ms(j.At), j.Unit, j.Rows, j.Faults, head, c.ID, c.Node, c.Attempts)
		if err != nil {
			return fmt.Errorf("store: judge mail %s: %w", c.ID, err)
		}
		if n != 1 {
			return nil
		}
		batch := []db.Statement{reply}
		if j.State != post.StateWaiting {
			batch = append(batch, db.Statement{SQL: sqlDropText, Args: []any{c.ID}})
		}
		if j.Bind != nil {
			n, err := tx.Exec(ctx, sqlUseActivation, ms(j.At), j.Code)
			if err == nil && n != 1 {
				err = errors.New("the code is used meanwhile")
			}
			if err != nil {
				return fmt.Errorf("store: bind the sender of mail %s: %w", c.ID, err)
			}
			batch = append(batch, s.bindStatement(j.Bind))
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: answer mail %s: %w", c.ID, err)
		}
		mine = true
		return s.trail(ctx, tx, events...)
	})
	return mine && err == nil, err
}
