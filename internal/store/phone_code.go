package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/provision"
	"tianbao/internal/seal"
)

// Codes that are sent to phones and typed in.

const (
	sqlPhoneIDs = `SELECT k.phone_key, k.id FROM phone_code k WHERE k.phone_key IN LIST`
	// A line that stands for a phone to which nothing was sent.
	sqlFirstCode = `INSERT INTO phone_code (id, phone_key, person_key, campaign_id, unit_id, sending, state, made, by_id, next, node, attempts, expires, tries, day, sends, wrong, body)
 VALUES ($1, $2, $3, $4, $5, 0, 'used', 0, 0, 0, '', 0, 0, 0, 0, 0, 0, '')`
	sqlOrderCode = `UPDATE phone_code SET person_key = $1, campaign_id = $2, unit_id = $3, sending = $4, state = 'waiting', made = $5, by_id = $6, next = $5,
 node = '', attempts = 0, expires = 0, tries = 0, sends = CASE WHEN day = $7 THEN sends + 1 ELSE 1 END, wrong = CASE WHEN day = $7 THEN wrong ELSE 0 END, day = $7, body = $8
 WHERE phone_key = $9 AND (day <> $7 OR sends < $10) AND made <= $11`
	sqlDropOldProof = `DELETE FROM phone_proof WHERE person_key = $1 AND phone_key <> $2`
	sqlDueCodes     = `SELECT k.sending FROM phone_code k WHERE k.state IN ('waiting', 'sending') AND k.next <= $1 ORDER BY k.next LIMIT $2`
	sqlFreeCodes    = `UPDATE phone_code SET next = 0 WHERE state = 'sending'`
	sqlClaimCode    = `UPDATE phone_code SET state = 'sending', node = $1, next = $2, expires = $3, attempts = attempts + 1
 WHERE sending = $4 AND state IN ('waiting', 'sending') AND next <= $5`
	sqlClaimedCode = `SELECT k.id, k.phone_key, k.person_key, k.body, k.attempts, k.made, u.id, u.name, u.budget_code FROM phone_code k JOIN unit u ON u.id = k.unit_id WHERE k.sending = $1`
	sqlSentCode    = `UPDATE phone_code SET state = 'sent', expires = $1, body = '', node = '' WHERE sending = $2 AND node = $3 AND attempts = $4 AND state = 'sending'`
	sqlRetryCode   = `UPDATE phone_code SET state = 'waiting', next = $1, node = '' WHERE sending = $2 AND node = $3 AND attempts = $4 AND state = 'sending'`
	sqlFailedCode  = `UPDATE phone_code SET state = 'failed', expires = 0, body = '', node = '' WHERE sending = $1 AND node = $2 AND attempts = $3 AND state = 'sending'`
	// A code counts from when it is taken to be sent, so that it does before the gateway
	// answers, and where that answer is lost.
	sqlTryCode = `UPDATE phone_code SET tries = tries + 1 WHERE phone_key = $1 AND person_key = $2 AND state IN ('waiting', 'sending', 'sent') AND expires > $3 AND tries < $4`
	sqlTried   = `SELECT k.sending, k.by_id, k.tries FROM phone_code k WHERE k.phone_key = $1`
	sqlWrong   = `SELECT COALESCE(SUM(k.wrong), 0) FROM phone_code k WHERE k.unit_id = $1 AND k.day = $2`
	// The day is that of the code, which may have been sent before midnight.
	sqlWrongCode   = `UPDATE phone_code SET unit_id = $1, wrong = CASE WHEN day = $2 THEN wrong + 1 ELSE 1 END, sends = CASE WHEN day = $2 THEN sends ELSE 0 END, day = $2 WHERE phone_key = $3`
	sqlUsedCode    = `UPDATE phone_code SET state = 'used', expires = 0, body = '' WHERE phone_key = $1`
	sqlDropProven  = `DELETE FROM phone_proof WHERE person_key = $1 OR phone_key = $2`
	sqlInsertPhone = `INSERT INTO phone_proof (id, person_key, phone_key, campaign_id, unit_id, at, by_id, sent_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

func codePlace(id tianbao.ID) []byte { return seal.Place("phone_code", "body", id.String()) }

// codeOf derives the code of a message: whoever has the database but not the key does not
// have it, and a message that is sent again says the same.
func (s *Store) codeOf(sending tianbao.ID, person, phone []byte) string {
	sum := s.ring.Digest("code of a phone", []byte(sending.String()), person, phone)
	n, _ := strconv.ParseUint(sum[:15], 16, 64) // hex by its nature
	return fmt.Sprintf("%0*d", provision.CodeDigits, n%1_000_000)
}

// dayOf is the day of a time, as a number.
func dayOf(t time.Time) int64 {
	_, offset := t.In(clock.Shanghai).Zone()
	return (t.Unix() + int64(offset)) / (24 * 60 * 60)
}

// OrderCodes implements provision.CodeStore.
func (s *Store) OrderCodes(ctx context.Context, o *provision.CodeOrder, event func(i int) tianbao.Event) (sent int, err error) {
	for again := true; again; {
		sent, err = s.orderCodes(ctx, o, event)
		again = db.IsUnique(err) // somebody else made the line of a phone
	}
	return sent, err
}

func (s *Store) orderCodes(ctx context.Context, o *provision.CodeOrder, event func(i int) tianbao.Event) (sent int, err error) {
	persons, phones := make([][]byte, len(o.Rows)), make([][]byte, len(o.Rows))
	for i := range o.Rows {
		persons[i], phones[i] = s.phoneKeys(&o.Rows[i])
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		sent = 0
		lines := make(map[string]tianbao.ID)
		if err := listed(sqlPhoneIDs, phones, nil, func(sql string, args []any) error {
			return tx.Each(ctx, func(scan db.Scan) error {
				var key []byte
				var id tianbao.ID
				err := scan(&key, &id)
				lines[string(key)] = id
				return err
			}, sql, args...)
		}); err != nil {
			return fmt.Errorf("store: find phones: %w", err)
		}
		var batch []db.Statement
		// In one order, so that no two orders wait for each other.
		order := make([]int, len(o.Rows))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return slices.Compare(phones[a], phones[b]) })
		for _, i := range order {
			if lines[string(phones[i])] == 0 {
				id := s.id()
				lines[string(phones[i])] = id
				batch = append(batch, db.Statement{SQL: sqlFirstCode, Args: []any{id, phones[i], persons[i], o.Campaign, o.Rows[i].Unit}})
			}
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: note phones: %w", err)
		}
		batch = nil
		for _, i := range order {
			body := s.ring.Seal(nil, []byte(o.Rows[i].Phone), codePlace(lines[string(phones[i])]))
			batch = append(batch, db.Statement{SQL: sqlOrderCode, Args: []any{
				persons[i], o.Campaign, o.Rows[i].Unit, o.IDs[i], ms(o.At), o.By, dayOf(o.At), body, phones[i], provision.CodeSends, ms(o.At.Add(-provision.CodePause)),
			}})
		}
		counts, err := tx.Send(ctx, batch)
		if err != nil {
			return fmt.Errorf("store: order codes: %w", err)
		}
		batch = nil
		var events []tianbao.Event
		for n, i := range order {
			if counts[n] == 1 {
				sent++
				batch = append(batch, db.Statement{SQL: sqlDropOldProof, Args: []any{persons[i], phones[i]}})
				events = append(events, event(i))
			}
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: drop proofs of other phones: %w", err)
		}
		return s.trail(ctx, tx, events...)
	})
	return sent, err
}

// DueCodes implements provision.CodeStore.
func (s *Store) DueCodes(ctx context.Context, at time.Time, limit int) ([]tianbao.ID, error) {
	return db.Collect(ctx, s.db, scanID, sqlDueCodes, ms(at), max(limit, 0))
}

// FreeCodes implements provision.CodeStore.
func (s *Store) FreeCodes(ctx context.Context) error {
	_, err := s.exec(ctx, sqlFreeCodes)
	return err
}

// ClaimCode implements provision.CodeStore.
func (s *Store) ClaimCode(ctx context.Context, sending tianbao.ID, node string, at, until time.Time) (m provision.CodeMessage, ok bool, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlClaimCode, node, ms(until), ms(at.Add(provision.CodeLife)), sending, ms(at))
		if ok = err == nil && n == 1; !ok {
			return err
		}
		var id tianbao.ID
		var phone, person, body []byte
		var made int64
		m = provision.CodeMessage{ID: sending}
		u := &m.Unit
		if err := tx.One(ctx, []any{&id, &phone, &person, &body, &m.Attempts, &made, &u.ID, &u.Name, &u.BudgetCode}, sqlClaimedCode, sending); err != nil {
			return err
		}
		plain, err := s.ring.Open(nil, body, codePlace(id))
		if err != nil {
			return fmt.Errorf("store: open the phone of message %s: %w", sending, err)
		}
		m.Phone, m.Made, m.Code = string(plain), when(made), s.codeOf(sending, person, phone)
		return nil
	})
	return m, ok && err == nil, err
}

// FinishCode implements provision.CodeStore.
func (s *Store) FinishCode(ctx context.Context, m *provision.CodeMessage, node string, sent bool, at, next time.Time, events ...tianbao.Event) error {
	sql, args := sqlFailedCode, []any{m.ID, node, m.Attempts}
	switch {
	case sent:
		sql, args = sqlSentCode, []any{ms(at.Add(provision.CodeLife)), m.ID, node, m.Attempts}
	case !next.IsZero():
		sql, args = sqlRetryCode, []any{ms(next), m.ID, node, m.Attempts}
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return fmt.Errorf("store: finish message %s: %w", m.ID, err)
		}
		if n == 0 {
			return nil // the code was typed in meanwhile, or another one ordered
		}
		return s.trail(ctx, tx, events...)
	})
}

// TryCode implements provision.CodeStore. A wrong code is an outcome, not an error: it
// must count.
func (s *Store) TryCode(ctx context.Context, t *provision.CodeTry) (got provision.CodeResult, left int, err error) {
	person, phone := s.phoneKeys(&t.Row)
	day := dayOf(t.At)
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		got, left = provision.CodeGone, 0
		var wrong int
		if err := tx.One(ctx, []any{&wrong}, sqlWrong, t.Row.Unit, day); err != nil {
			return fmt.Errorf("store: count wrong codes: %w", err)
		}
		e := t.Event
		if wrong >= provision.CodeWrong {
			got = provision.CodeLocked
			return nil
		}
		n, err := tx.Exec(ctx, sqlTryCode, phone, person, ms(t.At), provision.CodeTries)
		if err != nil || n == 0 {
			return err
		}
		var sending, by tianbao.ID
		var tries int
		if err := tx.One(ctx, []any{&sending, &by, &tries}, sqlTried, phone); err != nil {
			return fmt.Errorf("store: read the code of a phone: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(s.codeOf(sending, person, phone)), []byte(t.Code)) != 1 {
			got, left = provision.CodeFalse, provision.CodeTries-tries
			if _, err := tx.Exec(ctx, sqlWrongCode, t.Row.Unit, day, phone); err != nil {
				return fmt.Errorf("store: count a wrong code: %w", err)
			}
			e.What, e.Object, e.Result = "phone.wrong", sending.String(), tianbao.ResultDenied
			return s.trail(ctx, tx, e)
		}
		got = provision.CodeRight
		_, err = tx.Send(ctx, []db.Statement{
			{SQL: sqlUsedCode, Args: []any{phone}},
			{SQL: sqlDropProven, Args: []any{person, phone}},
			{SQL: sqlInsertPhone, Args: []any{t.ID, person, phone, t.Campaign, t.Row.Unit, ms(t.At), t.By, by}},
		})
		if err != nil {
			return fmt.Errorf("store: note whose a phone is: %w", err)
		}
		e.Detail += " sent=" + sending.String()
		return s.trail(ctx, tx, e)
	})
	if db.IsUnique(err) {
		err = errors.New("store: two proofs of one phone at once")
	}
	return got, left, err
}
