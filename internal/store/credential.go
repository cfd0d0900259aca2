package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// A credential opens an account, so its row is bound as rows of rights are (rights.go):
// the body is sealed in the place of its id and its account and repeats kind and key. A
// row that was written, moved to another account or pointed at another key around the
// program does not open or does not fit. It then counts for nothing but still counts as
// a second factor that is set up, so that breaking one lets nobody in without.

func (s *Store) credentialKey(kind auth.Kind, key string) []byte {
	return s.ring.Index("credential", string(kind)+"\x00"+key)
}

func credentialPlace(id, user tianbao.ID) []byte {
	return seal.Place("credential", "body", id.String()+"/"+user.String())
}

// credentialBody is what is sealed of a credential.
type credentialBody struct {
	Kind auth.Kind
	Key  string
	Name string
	Data []byte
}

// storedCredential is a credential as the table has it.
type storedCredential struct {
	auth.Credential
	k, body []byte
}

const (
	credentialColumns   = `c.id, c.user_id, c.kind, c.k, c.body, c.counter, c.created, c.used`
	sqlCredentials      = `SELECT ` + credentialColumns + ` FROM credential c WHERE c.user_id = $1 ORDER BY c.id`
	sqlCredential       = `SELECT ` + credentialColumns + ` FROM credential c WHERE c.user_id = $1 AND c.id = $2`
	sqlCredentialByKey  = `SELECT ` + credentialColumns + ` FROM credential c WHERE c.kind = $1 AND c.k = $2`
	sqlAllCredentials   = `SELECT ` + credentialColumns + ` FROM credential c ORDER BY c.id`
	sqlInsertCredential = `INSERT INTO credential (id, user_id, kind, k, body, counter, created, used) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`
	sqlRenameCredential = `UPDATE credential SET body = $1 WHERE id = $2 AND body = $3`
	sqlDropCredential   = `DELETE FROM credential WHERE user_id = $1 AND id = $2`
	// An authenticator that counts must have counted on; one that does not stays at 0.
	sqlUseCredential = `UPDATE credential SET counter = $1, used = $2 WHERE user_id = $3 AND id = $4 AND (counter < $1 OR counter = 0 AND $1 = 0)`
	// What counts as a second factor.
	sqlDropKeys     = `DELETE FROM credential WHERE user_id = $1 AND kind <> 'oidc'`
	sqlCountFactors = `SELECT (SELECT COUNT(*) FROM factor f WHERE f.user_id = $1 AND f.confirmed > 0) + (SELECT COUNT(*) FROM credential c WHERE c.user_id = $1 AND c.kind <> 'oidc')`
	sqlInsertFlow   = `INSERT INTO ceremony (id, k, body, expires) VALUES ($1, $2, $3, $4)`
	sqlDropFlows    = `DELETE FROM ceremony WHERE k = $1 OR expires < $2`
	sqlFlow         = `SELECT c.id, c.body, c.expires FROM ceremony c WHERE c.k = $1`
	sqlTakeFlow     = `DELETE FROM ceremony WHERE id = $1`
)

func scanCredential(scan db.Scan) (c storedCredential, err error) {
	var created, used int64
	err = scan(&c.ID, &c.User, &c.Kind, &c.k, &c.body, &c.Counter, &created, &used)
	c.Created, c.Used = when(created), when(used)
	return c, err
}

// openCredential opens a credential; false for one that was altered.
func (s *Store) openCredential(c *storedCredential) bool {
	plain, err := s.ring.Open(nil, c.body, credentialPlace(c.ID, c.User))
	if err != nil {
		return false
	}
	var b credentialBody
	if json.Unmarshal(plain, &b) != nil || b.Kind != c.Kind || !bytes.Equal(c.k, s.credentialKey(b.Kind, b.Key)) {
		return false
	}
	c.Key, c.Name, c.Data = b.Key, b.Name, b.Data
	return true
}

func (s *Store) sealCredential(c *auth.Credential) ([]byte, error) {
	plain, err := json.Marshal(credentialBody{c.Kind, c.Key, c.Name, c.Data})
	if err != nil {
		return nil, fmt.Errorf("store: encode a credential: %w", err)
	}
	return s.ring.Seal(nil, plain, credentialPlace(c.ID, c.User)), nil
}

// Credentials implements auth.CredentialStore.
func (s *Store) Credentials(ctx context.Context, user tianbao.ID) ([]auth.Credential, error) {
	stored, err := db.Collect(ctx, s.db, scanCredential, sqlCredentials, user)
	var out []auth.Credential
	for i := range stored {
		if s.openCredential(&stored[i]) {
			out = append(out, stored[i].Credential)
		}
	}
	return out, err
}

// CredentialByKey implements auth.CredentialStore.
func (s *Store) CredentialByKey(ctx context.Context, kind auth.Kind, key string) (auth.Credential, error) {
	c, err := first(ctx, s.db, scanCredential, sqlCredentialByKey, kind, s.credentialKey(kind, key))
	if err == nil && !s.openCredential(&c) {
		err = tianbao.NotFound()
	}
	if err != nil {
		return auth.Credential{}, err
	}
	return c.Credential, nil
}

// PutCredential implements auth.CredentialStore.
func (s *Store) PutCredential(ctx context.Context, c auth.Credential, codes []string, session tianbao.ID, events ...tianbao.Event) error {
	if c.ID == 0 {
		c.ID = s.id()
	}
	body, err := s.sealCredential(&c)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlInsertCredential, c.ID, c.User, c.Kind, s.credentialKey(c.Kind, c.Key), body, c.Counter, ms(c.Created))
		if db.IsUnique(err) {
			return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "key_taken", Message: "这个凭据已经绑定了账号，请先在原来的账号中解除。"}
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlEndOthers, c.User, session); err != nil {
			return err
		}
		if codes != nil {
			return s.putRecovery(ctx, tx, c.User, codes, events)
		}
		return s.trail(ctx, tx, events...)
	})
}

// RenameCredential implements auth.CredentialStore.
func (s *Store) RenameCredential(ctx context.Context, user, id tianbao.ID, name string, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		c, err := first(ctx, tx, scanCredential, sqlCredential, user, id)
		if err == nil && !s.openCredential(&c) {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		c.Name = name
		body, err := s.sealCredential(&c.Credential)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, sqlRenameCredential, body, id, c.body)
		if err == nil && n == 0 {
			err = &tianbao.Error{Kind: tianbao.ErrConflict, Code: "changed", Message: "刚才有人同时改了它，请刷新页面后再试。"}
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// DropCredential implements auth.CredentialStore. The last second factor takes the
// recovery codes along.
func (s *Store) DropCredential(ctx context.Context, user, id, session tianbao.ID, last bool, events ...tianbao.Event) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		// Two that are removed at once each see the other without this.
		if _, err := tx.Exec(ctx, sqlLockUser, user); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, sqlDropCredential, user, id)
		if err == nil && n == 0 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		var left int64
		if err := tx.One(ctx, []any{&left}, sqlCountFactors, user); err != nil {
			return err
		}
		if left == 0 && !last {
			return auth.FactorRequired()
		}
		batch := []db.Statement{{SQL: sqlEndOthers, Args: []any{user, session}}}
		if left == 0 {
			batch = append(batch, db.Statement{SQL: sqlDropCodes, Args: []any{user}})
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// UseCredential implements auth.CredentialStore.
func (s *Store) UseCredential(ctx context.Context, c auth.Credential, counter int64, at time.Time, events ...tianbao.Event) (bool, error) {
	return s.use(ctx, events, sqlUseCredential, counter, ms(at), c.User, c.ID)
}

func flowPlace(id tianbao.ID) []byte { return seal.Place("ceremony", "body", id.String()) }

// PutCeremony implements auth.CredentialStore. What has expired goes.
func (s *Store) PutCeremony(ctx context.Context, hash, body []byte, now, expires time.Time) error {
	id := s.id()
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, []db.Statement{
			{SQL: sqlDropFlows, Args: []any{hash, ms(now)}},
			{SQL: sqlInsertFlow, Args: []any{id, hash, s.ring.Seal(nil, body, flowPlace(id)), ms(expires)}},
		})
		return err
	})
}

// TakeCeremony implements auth.CredentialStore.
func (s *Store) TakeCeremony(ctx context.Context, hash []byte, now time.Time) (body []byte, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var id tianbao.ID
		var sealed []byte
		var expires int64
		if err := one(ctx, tx, []any{&id, &sealed, &expires}, sqlFlow, hash); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, sqlTakeFlow, id)
		if err != nil {
			return err
		}
		if body = nil; n > 0 && expires > ms(now) {
			body, err = s.ring.Open(nil, sealed, flowPlace(id))
		}
		return err
	})
	if err == nil && body == nil {
		err = tianbao.NotFound()
	}
	return body, err
}
