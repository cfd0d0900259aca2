package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/provision"
	"tianbao/internal/seal"
)

// Accounts of the new platform.

const (
	accountColumns = `a.id, a.body, a.disabled, a.external, a.made, a.changed`
	sqlAccountsIn  = `SELECT ` + accountColumns + ` FROM platform_account a
 WHERE a.id > $1 AND EXISTS (SELECT 1 FROM platform_unit m JOIN unit u ON u.id = m.unit_id WHERE m.account_id = a.id AND SCOPE(u.path))
 ORDER BY a.id LIMIT $2`
	sqlAccountsOfKeys = `SELECT ` + accountColumns + ` FROM platform_account a WHERE a.person_key IN LIST`
	sqlAccountByID    = `SELECT ` + accountColumns + ` FROM platform_account a WHERE a.id = $1 AND EXISTS (SELECT 1 FROM platform_unit m JOIN unit u ON u.id = m.unit_id WHERE m.account_id = a.id AND SCOPE(u.path))`
	sqlAccountByLogin = `SELECT ` + accountColumns + ` FROM platform_account a WHERE a.login_key = $1 AND EXISTS (SELECT 1 FROM platform_unit m JOIN unit u ON u.id = m.unit_id WHERE m.account_id = a.id AND SCOPE(u.path))`
	sqlAccountUnits   = `SELECT m.account_id, m.unit_id FROM platform_unit m WHERE m.account_id IN LIST ORDER BY m.account_id, m.pos`
	sqlCountAccounts  = `SELECT COUNT(*) FROM platform_account a WHERE EXISTS (SELECT 1 FROM platform_unit m JOIN unit u ON u.id = m.unit_id WHERE m.account_id = a.id AND SCOPE(u.path))`
	sqlExternal       = `SELECT a.external FROM platform_account a WHERE a.id = $1`
	sqlInsertAccount  = `INSERT INTO platform_account (person_key, login_key, body, disabled, external, made, changed, id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	sqlUpdateAccount  = `UPDATE platform_account SET login_key = $1, body = $2, disabled = $3, external = $4, changed = $5 WHERE id = $6`
	sqlDropUnits      = `DELETE FROM platform_unit WHERE account_id = $1`
	sqlInsertUnitOf   = `INSERT INTO platform_unit (account_id, pos, unit_id) VALUES ($1, $2, $3)`
	sqlRootPath       = `SELECT u.path FROM unit u WHERE u.id = $1`
	sqlCampaignTitle  = `SELECT c.title FROM campaign c WHERE c.id = $1`
	// What a unit reported and nobody has to look at any more.
	sqlAcceptedRows = `SELECT r.id, r.form, r.form_version, w.row_id, w.unit_id, w.vals
 FROM unit u JOIN report_row w ON w.unit_id = u.id JOIN report r ON r.id = w.report_id
 JOIN unit_status s ON s.campaign_id = r.campaign_id AND s.unit_id = u.id JOIN campaign c ON c.id = r.campaign_id
 WHERE r.campaign_id = $1 AND SCOPE(u.path) AND (s.state = 'passed' OR s.state = 'reported' AND c.levels = 0)`
	// What has been closed has nothing more to say.
	sqlSettledUnits = `SELECT u.id FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $1 AND s.unit_id = u.id JOIN campaign c ON c.id = $1
 WHERE SCOPE(u.path) AND (s.state IN ('passed', 'nil') OR s.state = 'reported' AND c.levels = 0 OR u.valid_to > 0 AND u.valid_to <= $2)`
)

// accountJSON is the sealed body of an account.
type accountJSON struct {
	Person string `json:"i"`
	Name   string `json:"n"`
	Login  string `json:"l"`
	Legacy string `json:"o,omitempty"`
}

func accountPlace(id tianbao.ID) []byte { return seal.Place("platform_account", "body", id.String()) }

func (s *Store) platformKey(field, value string) []byte {
	return s.ring.Index("platform_account."+field, value)
}

// sealJSON seals a value as JSON.
func (s *Store) sealJSON(v any, place []byte) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, errors.New("store: a value cannot be encoded")
	}
	return s.ring.Seal(nil, b, place), nil
}

// openJSON opens what sealJSON made.
func (s *Store) openJSON(sealed, place []byte, v any) error {
	b, err := s.ring.Open(nil, sealed, place)
	if err != nil {
		return err
	}
	if json.Unmarshal(b, v) != nil { // its error might quote the value
		return errors.New("store: a sealed value is not readable")
	}
	return nil
}

func (s *Store) scanAccount(scan db.Scan) (a provision.Stored, err error) {
	var body []byte
	var made, changed int64
	if err = scan(&a.ID, &body, &a.Disabled, &a.External, &made, &changed); err != nil {
		return a, err
	}
	a.Made, a.Changed = when(made), when(changed)
	var j accountJSON
	if err = s.openJSON(body, accountPlace(a.ID), &j); err != nil {
		return a, fmt.Errorf("store: open account %s: %w", a.ID, err)
	}
	a.Person, a.Name, a.Login, a.Legacy = j.Person, j.Name, j.Login, j.Legacy
	return a, nil
}

// withUnits reads the units of accounts.
func withUnits(ctx context.Context, q db.Queryer, all []provision.Stored) error {
	at := make(map[tianbao.ID]int, len(all))
	ids := make([]tianbao.ID, len(all))
	for i := range all {
		at[all[i].ID], ids[i] = i, all[i].ID
	}
	return listed(sqlAccountUnits, ids, nil, func(sql string, args []any) error {
		return q.Each(ctx, func(scan db.Scan) error {
			var id, unit tianbao.ID
			if err := scan(&id, &unit); err != nil {
				return err
			}
			a := &all[at[id]]
			a.Units = append(a.Units, unit)
			return nil
		}, sql, args...)
	})
}

// accounts reads accounts with their units.
func (s *Store) accounts(ctx context.Context, q db.Queryer, sql string, args ...any) ([]provision.Stored, error) {
	all, err := db.Collect(ctx, q, s.scanAccount, sql, args...)
	if err == nil {
		err = withUnits(ctx, q, all)
	}
	return all, err
}

// Accounts implements provision.Store.
func (s *Store) Accounts(ctx context.Context, scope tianbao.Scope, behind tianbao.ID, limit int) (out []provision.Stored, err error) {
	sql, args := within(sqlAccountsIn, scope, behind, max(limit, 0))
	err = s.db.Read(ctx, func(q db.Queryer) (err error) {
		out, err = s.accounts(ctx, q, sql, args...)
		return err
	})
	return out, err
}

// Account returns one account with a unit in scope.
func (s *Store) Account(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (provision.Stored, error) {
	sql, args := within(sqlAccountByID, scope, id)
	return s.oneAccount(ctx, sql, args)
}

// AccountByLogin returns the account in scope that has a login.
func (s *Store) AccountByLogin(ctx context.Context, scope tianbao.Scope, login string) (provision.Stored, error) {
	sql, args := within(sqlAccountByLogin, scope, s.platformKey("login", login))
	return s.oneAccount(ctx, sql, args)
}

func (s *Store) oneAccount(ctx context.Context, sql string, args []any) (provision.Stored, error) {
	all, err := s.accounts(ctx, s.db, sql, args...)
	if err == nil && len(all) == 0 {
		err = tianbao.NotFound()
	}
	if err != nil {
		return provision.Stored{}, err
	}
	return all[0], nil
}

// CountAccounts counts the accounts in scope.
func (s *Store) CountAccounts(ctx context.Context, scope tianbao.Scope) (n int, err error) {
	sql, args := within(sqlCountAccounts, scope)
	return n, s.db.One(ctx, []any{&n}, sql, args...)
}

// External implements provision.Store.
func (s *Store) External(ctx context.Context, account tianbao.ID) (out string, err error) {
	err = s.db.One(ctx, []any{&out}, sqlExternal, account)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return out, err
}

// putAccount writes an account as a step left it.
func (s *Store) putAccount(ctx context.Context, tx db.Tx, l *provision.Line, o *provision.Outcome) error {
	a := &l.After
	body, err := s.sealJSON(accountJSON{a.Person, a.Name, a.Login, a.Legacy}, accountPlace(a.ID))
	if err != nil {
		return err
	}
	person, login := s.platformKey("person", a.Person), s.platformKey("login", a.Login)
	var batch []db.Statement
	if l.Kind == provision.Create {
		batch = append(batch, db.Statement{SQL: sqlInsertAccount, Args: []any{person, login, body, a.Disabled, o.External, ms(o.At), ms(o.At), a.ID}})
	} else {
		external := o.External
		if external == "" {
			if err := tx.One(ctx, []any{&external}, sqlExternal, a.ID); err != nil {
				return err
			}
		}
		batch = append(batch, db.Statement{SQL: sqlUpdateAccount, Args: []any{login, body, a.Disabled, external, ms(o.At), a.ID}},
			db.Statement{SQL: sqlDropUnits, Args: []any{a.ID}})
	}
	for i, u := range a.Units {
		batch = append(batch, db.Statement{SQL: sqlInsertUnitOf, Args: []any{a.ID, i, u}})
	}
	_, err = tx.Send(ctx, batch)
	return err
}

// Material implements provision.Store.
func (s *Store) Material(ctx context.Context, root, campaign tianbao.ID) (*provision.Material, error) {
	m := &provision.Material{Settled: make(map[tianbao.ID]bool)}
	var rows []acceptedRow
	err := s.db.Read(ctx, func(q db.Queryer) error {
		var path string
		if err := one(ctx, q, []any{&path}, sqlRootPath, root); err != nil {
			return err
		}
		if err := one(ctx, q, []any{&m.Title}, sqlCampaignTitle, campaign); err != nil {
			return err
		}
		scope := tianbao.Scope{Paths: []string{path}}
		sql, args := within(sqlAcceptedRows, scope, campaign)
		var err error
		if rows, err = db.Collect(ctx, q, scanAccepted, sql, args...); err != nil {
			return fmt.Errorf("store: read accepted rows: %w", err)
		}
		sql, args = within(sqlSettledUnits, scope, campaign, ms(s.now()))
		err = q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			err := scan(&id)
			m.Settled[id] = true
			return err
		}, sql, args...)
		if err != nil {
			return fmt.Errorf("store: read settled units: %w", err)
		}
		sql, args = within(sqlAccountsIn, scope, 0, int64(1)<<31)
		m.Stored, err = s.accounts(ctx, q, sql, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if m.Rows, err = s.openAccepted(rows, func(*tianbao.Form) error { return nil }); err != nil {
		return nil, err
	}
	return m, s.elsewhere(ctx, m)
}

// acceptedRow is what [sqlAcceptedRows] reads.
type acceptedRow struct {
	report      tianbao.ID
	form        string
	formVersion int
	row         tianbao.Row
	vals        []byte
}

func scanAccepted(scan db.Scan) (x acceptedRow, err error) {
	err = scan(&x.report, &x.form, &x.formVersion, &x.row.ID, &x.row.Unit, &x.vals)
	return x, err
}

// openAccepted opens accepted rows, but for those that are erased; fits may refuse a form.
func (s *Store) openAccepted(rows []acceptedRow, fits func(*tianbao.Form) error) (out []provision.Row, err error) {
	for i := range rows {
		x := &rows[i]
		form, err := s.forms(x.form, x.formVersion)
		if err != nil {
			return nil, err
		}
		if err := fits(form); err != nil {
			return nil, err
		}
		if err := s.decodeRow(form, x.report, &x.row, x.vals); err != nil {
			return nil, err
		}
		if !x.row.Erased {
			out = append(out, provision.FromRow(form, x.report, &x.row))
		}
	}
	return out, nil
}

// elsewhere adds the accounts of people of the rows that are, so far, of units outside.
func (s *Store) elsewhere(ctx context.Context, m *provision.Material) error {
	have := make(map[string]bool)
	for i := range m.Stored {
		have[m.Stored[i].Person] = true
	}
	var keys [][]byte
	for i := range m.Rows {
		if p := m.Rows[i].Person; p != "" && !have[p] {
			have[p] = true
			keys = append(keys, s.platformKey("person", p))
		}
	}
	return listed(sqlAccountsOfKeys, keys, nil, func(sql string, args []any) error {
		some, err := s.accounts(ctx, s.db, sql, args...)
		m.Stored = slices.Concat(m.Stored, some)
		return err
	})
}
