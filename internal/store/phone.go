package store

import (
	"context"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/provision"
)

// Whose phones were shown to be, and where the codes for that stand.

const (
	sqlPhoneRows = sqlAcceptedRows + ` AND u.id = $2 ORDER BY r.id, w.pos, w.row_id`
	sqlPhoneWork = `SELECT p.campaign_id, c.title, u.id, u.name, COUNT(*)
 FROM platform_held h JOIN platform_plan p ON p.id = h.plan_id JOIN unit u ON u.id = h.unit_id JOIN campaign c ON c.id = p.campaign_id
 WHERE h.why = 'unproven' AND p.state <> 'dropped' AND SCOPE(u.path) AND p.id = (SELECT MAX(o.id) FROM platform_plan o WHERE o.root_id = p.root_id AND o.campaign_id = p.campaign_id)
 GROUP BY p.campaign_id, c.title, u.id, u.name ORDER BY p.campaign_id DESC, u.name LIMIT $1`
	sqlProofsOf = `SELECT f.person_key, f.phone_key, f.at, COALESCE(b.name, '') FROM phone_proof f LEFT JOIN app_user b ON b.id = f.by_id WHERE f.person_key IN LIST`
	sqlCodesOf  = `SELECT k.phone_key, k.person_key, k.state, k.made, k.expires, k.tries, COALESCE(b.name, '') FROM phone_code k LEFT JOIN app_user b ON b.id = k.by_id WHERE k.phone_key IN LIST`
)

// phoneKeys are the indexes by which a row's person and phone are known here.
func (s *Store) phoneKeys(r *provision.Row) (person, phone []byte) {
	return s.ring.Index("phone.person", r.Person), s.ring.Index("phone.phone", r.Phone)
}

// PhoneRows implements provision.CodeStore.
func (s *Store) PhoneRows(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (title string, out []provision.Row, err error) {
	var rows []acceptedRow
	err = s.db.Read(ctx, func(q db.Queryer) error {
		if err := one(ctx, q, []any{&title}, sqlCampaignTitle, campaign); err != nil {
			return err
		}
		sql, args := within(sqlPhoneRows, scope, campaign, unit)
		rows, err = db.Collect(ctx, q, scanAccepted, sql, args...)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	out, err = s.openAccepted(rows, func(f *tianbao.Form) error {
		if !provision.Fits(f) {
			return tianbao.NotFound()
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	return title, out, nil
}

// PhoneWork implements provision.CodeStore.
func (s *Store) PhoneWork(ctx context.Context, scope tianbao.Scope, limit int) ([]provision.PhoneWork, error) {
	sql, args := within(sqlPhoneWork, scope, max(limit, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (w provision.PhoneWork, err error) {
		err = scan(&w.Campaign, &w.Title, &w.Unit, &w.UnitName, &w.People)
		return w, err
	}, sql, args...)
}

// proof is what stands of a phone that was shown to be somebody's.
type proof struct {
	phone string // its key
	at    int64
	by    string
}

// proofs returns the proofs of people, by their keys.
func (s *Store) proofs(ctx context.Context, q db.Queryer, persons [][]byte) (map[string]proof, error) {
	out := make(map[string]proof)
	err := listed(sqlProofsOf, persons, nil, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var person, phone []byte
			var p proof
			err := scan(&person, &phone, &p.at, &p.by)
			p.phone = string(phone)
			out[string(person)] = p
			return err
		}, sql, args...)
	})
	return out, err
}

// ProvenPhones implements provision.CodeStore.
func (s *Store) ProvenPhones(ctx context.Context, rows []provision.Row) (func(person, phone string) bool, error) {
	var keys [][]byte
	for i := range rows {
		person, _ := s.phoneKeys(&rows[i])
		keys = append(keys, person)
	}
	all, err := s.proofs(ctx, s.db, keys)
	if err != nil {
		return nil, err
	}
	return func(person, phone string) bool {
		k, p := s.phoneKeys(&provision.Row{Person: person, Phone: phone})
		got, ok := all[string(k)]
		return ok && got.phone == string(p)
	}, nil
}

// PhoneStates implements provision.CodeStore.
func (s *Store) PhoneStates(ctx context.Context, rows []provision.Row, at time.Time) ([]provision.PhoneState, error) {
	type code struct {
		person        string
		state         string
		made, expires int64
		tries         int
		by            string
	}
	persons, phones := make([][]byte, len(rows)), make([][]byte, len(rows))
	for i := range rows {
		persons[i], phones[i] = s.phoneKeys(&rows[i])
	}
	codes := make(map[string]code)
	var proven map[string]proof
	err := s.db.Read(ctx, func(q db.Queryer) (err error) {
		if proven, err = s.proofs(ctx, q, persons); err != nil {
			return err
		}
		return listed(sqlCodesOf, phones, nil, func(sql string, args []any) error {
			return q.Each(ctx, func(scan db.Scan) error {
				var phone, person []byte
				var c code
				err := scan(&phone, &person, &c.state, &c.made, &c.expires, &c.tries, &c.by)
				c.person = string(person)
				codes[string(phone)] = c
				return err
			}, sql, args...)
		})
	})
	if err != nil {
		return nil, err
	}
	out := make([]provision.PhoneState, len(rows))
	for i := range rows {
		st := &out[i]
		st.State = provision.ProofNone
		if p, ok := proven[string(persons[i])]; ok && p.phone == string(phones[i]) {
			st.State, st.At, st.By = provision.ProofDone, when(p.at), p.by
			continue
		}
		c, ok := codes[string(phones[i])]
		if !ok || c.person != string(persons[i]) {
			continue
		}
		st.At, st.By = when(c.made), c.by
		switch c.state {
		case "waiting":
			st.State = provision.ProofWaiting
		case "failed":
			st.State = provision.ProofFailed
		case "sending", "sent":
			st.State, st.Until = provision.ProofSent, when(c.expires)
			if c.tries >= provision.CodeTries || c.expires <= ms(at) {
				st.State = provision.ProofEnded
			}
		}
	}
	return out, nil
}
