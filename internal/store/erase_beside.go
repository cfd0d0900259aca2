package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
)

const (
	sqlUpdatePiece  = `UPDATE piece SET data = $1 WHERE report_id = $2 AND of_id = $3 AND n = $4`
	sqlDraftsOf     = `SELECT d.user_id, d.body FROM draft d WHERE d.report_id = $1`
	sqlImportsIn    = `SELECT i.id, i.file, i.raw FROM import_record i WHERE i.report_id = $1`
	sqlBlankImport  = `UPDATE import_record SET file = $1, raw = $2 WHERE report_id = $3 AND id = $4`
	sqlReceiptNames = `SELECT c.id, c.inserted FROM receipt c WHERE c.report_id = $1 AND length(c.inserted) > 0`
	sqlBlankReceipt = `UPDATE receipt SET inserted = $1 WHERE report_id = $2 AND id = $3`
	sqlStagingsOf   = `SELECT id, report_id, set_id, state FROM staging WHERE report_id = $1 ORDER BY id`
	sqlWishes       = `SELECT r.id, r.wish, r.remark FROM unit_request r JOIN unit u ON u.id = r.unit_id WHERE SCOPE(u.path)`
	sqlBlankWish    = `UPDATE unit_request SET wish = $1, remark = $2 WHERE id = $3`
	sqlCampaignKeep = `UPDATE campaign SET keep_months = $1 WHERE id = $2`
	// What is kept as a register of people has no end.
	sqlRetentions = `SELECT c.id, c.title, CASE WHEN c.kept = 0 THEN c.closes ELSE 0 END, c.erased, c.keep_months FROM campaign c ORDER BY c.closes DESC, c.id DESC`
	sqlCountErase = `SELECT COUNT(DISTINCT r.id), COALESCE(SUM(r.row_count), 0) FROM report r WHERE r.campaign_id = $1`
	sqlCountSaves = `SELECT COUNT(*) FROM change_set c JOIN report r ON r.id = c.report_id WHERE r.campaign_id = $1`
)

// eraseBeside erases what a report holds of the person beside its rows.
func (s *Store) eraseBeside(ctx context.Context, rep *tianbao.Report, p *sought, sum *tianbao.PersonErased) error {
	if rows := p.Reports[rep.ID]; len(rows) > 0 {
		form, err := s.forms(rep.Form, rep.FormV)
		if err != nil {
			return err
		}
		if err := s.eraseFromSets(ctx, form, rep.ID, rows, p, sum); err != nil {
			return err
		}
	}
	for _, act := range []func(context.Context, tianbao.ID, *sought) ([]db.Statement, error){s.draftsOf, s.importsOf, s.receiptsOf} {
		batch, err := act(ctx, rep.ID, p)
		if err == nil {
			err = s.send(ctx, batch)
		}
		if err != nil {
			return err
		}
		sum.Others += int64(len(batch))
	}
	return s.eraseStagings(ctx, rep.ID, sum)
}

// eraseFromSets takes the personal cells of the rows, the reasons given for them, and
// notes that name the person out of the history. Which rows a save touched stays.
func (s *Store) eraseFromSets(ctx context.Context, form *tianbao.Form, rep tianbao.ID, rows []tianbao.ID, p *sought, sum *tianbao.PersonErased) error {
	personal := func(field int) bool {
		return field < 0 || field >= len(form.Fields) || !namesUnit(form, &form.Fields[field])
	}
	var version int64
	var n int
	return s.eachSet(ctx, rep, func(st *storedSet, d *deltaJSON) error {
		if st.rev.Version != version {
			version, n = st.rev.Version, 0
		} else {
			n++
		}
		changed := d.Note != "" && p.in(d.Note, true)
		if changed {
			d.Note = ""
		}
		for i := range d.Changes {
			c := &d.Changes[i]
			if !slices.Contains(rows, c.Row) {
				continue
			}
			left := slices.DeleteFunc(slices.Clone(c.Cells), func(x cellJSON) bool { return personal(x.Field) })
			if len(left) != len(c.Cells) || c.Reason != nil {
				c.Cells, c.Reason, changed = left, nil, true
			}
		}
		if !changed {
			return nil
		}
		plain, err := d.encode()
		if err != nil {
			return err
		}
		stmt := db.Statement{SQL: sqlEraseSet, Args: []any{s.ring.Seal(nil, plain, deltaPlace(rep, version)), rep, version}}
		if n > 0 { // the pieces come after what names them
			stmt = db.Statement{SQL: sqlUpdatePiece, Args: []any{s.ring.Seal(nil, plain, piecePlace(rep, st.rev.ID, n)), rep, st.rev.ID, n}}
		}
		sum.Saves++
		return s.send(ctx, []db.Statement{stmt})
	})
}

func (s *Store) draftsOf(ctx context.Context, rep tianbao.ID, p *sought) (batch []db.Statement, err error) {
	err = s.db.Each(ctx, func(scan db.Scan) error {
		var user tianbao.ID
		var body []byte
		if err := scan(&user, &body); err != nil {
			return err
		}
		plain, err := s.ring.Open(nil, body, draftPlace(rep, user))
		if err == nil && p.in(string(plain), true) {
			batch = append(batch, db.Statement{SQL: sqlDropDraft, Args: []any{rep, user}})
		}
		return err
	}, sqlDraftsOf, rep)
	return batch, err
}

// importsOf blanks the raw cells of whole imports: their rows are in the report, and that
// a file of this digest came in stays.
func (s *Store) importsOf(ctx context.Context, rep tianbao.ID, p *sought) (batch []db.Statement, err error) {
	type record struct {
		id        tianbao.ID
		file, raw []byte
	}
	list, err := db.Collect(ctx, s.db, func(scan db.Scan) (r record, err error) {
		err = scan(&r.id, &r.file, &r.raw)
		return r, err
	}, sqlImportsIn, rep)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		file, err := s.ring.Open(nil, r.file, importPlace("file", rep, r.id))
		if err != nil {
			return nil, fmt.Errorf("open import %s: %w", r.id, err)
		}
		raw, err := s.ring.Open(nil, r.raw, importPlace("raw", rep, r.id))
		if err != nil {
			return nil, fmt.Errorf("open import %s: %w", r.id, err)
		}
		hit := p.in(string(file), true) || p.in(string(raw), true)
		err = s.eachPiece(ctx, rep, r.id, func(plain []byte) error {
			hit = hit || p.in(string(plain), true)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if hit {
			batch = append(batch,
				db.Statement{SQL: sqlBlankImport, Args: []any{
					s.ring.Seal(nil, []byte(tianbao.ErasedMark), importPlace("file", rep, r.id)),
					s.ring.Seal(nil, nil, importPlace("raw", rep, r.id)), rep, r.id,
				}},
				db.Statement{SQL: sqlDropPieces, Args: []any{rep, r.id}})
		}
	}
	return batch, nil
}

func (s *Store) receiptsOf(ctx context.Context, rep tianbao.ID, p *sought) (batch []db.Statement, err error) {
	err = s.db.Each(ctx, func(scan db.Scan) error {
		var id tianbao.ID
		var names []byte
		if err := scan(&id, &names); err != nil {
			return err
		}
		plain, err := s.ring.Open(nil, names, insertedPlace(rep, id))
		if err == nil && p.in(string(plain), true) {
			batch = append(batch, db.Statement{SQL: sqlBlankReceipt, Args: []any{[]byte{}, rep, id}})
		}
		return err
	}, sqlReceiptNames, rep)
	return batch, err
}

// eraseStagings drops the imports of a report that are under way or died, whoever is in
// them: its collection is over, so they can land no more. By their rows they could not be
// chosen: one that was half dropped when its eraser was killed has none, and still has
// its pieces.
func (s *Store) eraseStagings(ctx context.Context, rep tianbao.ID, sum *tianbao.PersonErased) error {
	heads, err := s.stagings(ctx, sqlStagingsOf, rep)
	if err != nil {
		return err
	}
	for _, h := range heads {
		if err := s.dropStaging(ctx, h); err != nil {
			return err
		}
		sum.Others++
	}
	return nil
}

// eraseContacts erases the person as whom to ask at a unit, by phone or id.
func (s *Store) eraseContacts(ctx context.Context, scope tianbao.Scope, p *sought, sum *tianbao.PersonErased) error {
	var batch []db.Statement
	sql, args := within(sqlContacts, scope)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var unit tianbao.ID
		var sealed []byte
		if err := scan(&unit, &sealed); err != nil {
			return err
		}
		plain, err := s.ring.Open(nil, sealed, contactPlace(unit))
		if err == nil && p.in(string(plain), false) {
			batch = append(batch, db.Statement{SQL: sqlDropContact, Args: []any{unit}}, db.Statement{SQL: sqlDropUnitMail, Args: []any{unit}})
		}
		return err
	}, sql, args...)
	if err != nil {
		return err
	}
	mark, err := json.Marshal(wishJSON{Value: tianbao.ErasedMark, Why: tianbao.ErasedMark})
	if err != nil {
		return errors.New("store: a request cannot be encoded")
	}
	sql, args = within(sqlWishes, scope)
	err = s.db.Each(ctx, func(scan db.Scan) error {
		var id tianbao.ID
		var wish, remark []byte
		if err := scan(&id, &wish, &remark); err != nil {
			return err
		}
		plain, err := s.ring.Open(nil, wish, requestPlace("wish", id))
		if err != nil {
			return err
		}
		hit := p.in(string(plain), true)
		if len(remark) > 0 {
			said, err := s.ring.Open(nil, remark, requestPlace("remark", id))
			if err != nil {
				return err
			}
			hit = hit || p.in(string(said), true)
		}
		if hit {
			batch = append(batch, db.Statement{SQL: sqlBlankWish, Args: []any{
				s.ring.Seal(nil, mark, requestPlace("wish", id)), s.ring.Seal(nil, []byte(tianbao.ErasedMark), requestPlace("remark", id)), id,
			}})
		}
		return nil
	}, sql, args...)
	if err != nil {
		return err
	}
	sum.Others += int64(len(batch))
	return s.send(ctx, batch)
}

// Retentions returns all campaigns with how long they are kept.
func (s *Store) Retentions(ctx context.Context) ([]tianbao.Retention, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (r tianbao.Retention, err error) {
		var closes, erased int64
		err = scan(&r.Campaign, &r.Title, &closes, &erased, &r.Months)
		if closes != 0 {
			r.Closes = when(closes).In(clock.Shanghai)
		}
		r.Erased = when(erased)
		return r, err
	}, sqlRetentions)
}

// SetRetention stores for how many months a campaign is kept after its end.
func (s *Store) SetRetention(ctx context.Context, campaign tianbao.ID, months int, e tianbao.Event) error {
	e.What, e.Object, e.At, e.Detail = "retention.set", campaign.String(), s.now(), fmt.Sprintf("months=%d", months)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlCampaignKeep, months, campaign)
		if err == nil && n == 0 {
			err = tianbao.NotFound()
		}
		if err != nil {
			return err
		}
		return s.trail(ctx, tx, e)
	})
}

// CountToErase counts what [Store.EraseCampaign] would erase.
func (s *Store) CountToErase(ctx context.Context, campaign tianbao.ID) (sum tianbao.Erased, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		if err := q.One(ctx, []any{&sum.Reports, &sum.Rows}, sqlCountErase, campaign); err != nil {
			return err
		}
		return q.One(ctx, []any{&sum.Saves}, sqlCountSaves, campaign)
	})
	return sum, err
}
