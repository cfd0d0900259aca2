package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// draftLife is how long a draft that nobody comes back to is kept.
const draftLife = 60 * 24 * time.Hour

const (
	sqlUpdateDraft = `UPDATE draft SET id = $3, at = $4, body = $5 WHERE report_id = $1 AND user_id = $2`
	sqlInsertDraft = `INSERT INTO draft (report_id, user_id, id, at, body) VALUES ($1, $2, $3, $4, $5)`
	// In the order of the index on the time: by any other SQLite reads all drafts of the province.
	sqlOldDrafts  = `SELECT report_id FROM draft WHERE at < $1 ORDER BY at LIMIT 100`
	sqlDropLeft   = `DELETE FROM draft WHERE report_id = $1 AND at < $2`
	sqlDraft      = `SELECT id, at, body FROM draft WHERE report_id = $1 AND user_id = $2`
	sqlDropDraft  = `DELETE FROM draft WHERE report_id = $1 AND user_id = $2`
	sqlSavedDraft = `DELETE FROM draft WHERE report_id = $1 AND user_id = $2 AND id = $3`
	sqlDraftSpent = `SELECT COUNT(*) FROM receipt WHERE report_id = $1 AND idem_key >= $2 AND idem_key < $3`
)

// draftPlace names the place of a draft's sealed body.
func draftPlace(rep, user tianbao.ID) []byte {
	return seal.Place("draft", "body", fmt.Sprintf("%d/%d", rep, user))
}

// PutDraft implements web.Drafts. Who begins one also drops some that were left behind long ago.
func (s *Store) PutDraft(ctx context.Context, d tianbao.Draft) error {
	sealed := s.ring.Seal(nil, d.Body, draftPlace(d.Report, d.User))
	old := ms(d.At.Add(-draftLife))
	return s.again(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlUpdateDraft, d.Report, d.User, d.Name, ms(d.At), sealed)
		if err != nil || n > 0 {
			return err // there was one, so where the unit stands stays
		}
		left, err := db.Collect(ctx, tx, func(scan db.Scan) (id tianbao.ID, err error) { return id, scan(&id) }, sqlOldDrafts, old)
		if err != nil {
			return err
		}
		slices.Sort(left)
		for _, rep := range slices.Compact(left) {
			if _, err := tx.Exec(ctx, sqlDropLeft, rep, old); err != nil {
				return err
			}
			if err := s.settleOwner(ctx, tx, rep, 0); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, sqlInsertDraft, d.Report, d.User, d.Name, ms(d.At), sealed); err != nil {
			return err
		}
		return s.settleOwner(ctx, tx, d.Report, d.User)
	})
}

// Draft implements web.Drafts.
func (s *Store) Draft(ctx context.Context, rep, user tianbao.ID) (tianbao.Draft, error) {
	d := tianbao.Draft{Report: rep, User: user}
	var (
		at     int64
		sealed []byte
	)
	if err := one(ctx, s.db, []any{&d.Name, &at, &sealed}, sqlDraft, rep, user); err != nil {
		return tianbao.Draft{}, err
	}
	d.At = when(at)
	var err error
	if d.Body, err = s.ring.Open(nil, sealed, draftPlace(rep, user)); err != nil {
		return tianbao.Draft{}, fmt.Errorf("store: open a draft of report %s: %w", rep, err)
	}
	return d, nil
}

// DropDraft implements web.Drafts.
func (s *Store) DropDraft(ctx context.Context, rep, user tianbao.ID) error {
	return s.again(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlDropDraft, rep, user)
		if err != nil || n == 0 {
			return err
		}
		return s.settleOwner(ctx, tx, rep, user)
	})
}

// DraftSpent implements web.Drafts. Saves of a draft have its name and a dot before
// the rest of their key.
func (s *Store) DraftSpent(ctx context.Context, rep tianbao.ID, name string) (bool, error) {
	var n int64
	err := s.db.One(ctx, []any{&n}, sqlDraftSpent, rep, name+".", name+"/") // "/" follows "."
	return n > 0, err
}

const sqlVersions = `SELECT r.id, r.version, COALESCE(p.name, '')
 FROM report r LEFT JOIN app_user p ON p.id = r.updated_by WHERE r.id IN LIST`

// Versions implements web.Catalog.
func (s *Store) Versions(ctx context.Context, reports []tianbao.ID) (map[tianbao.ID]tianbao.Version, error) {
	out := make(map[tianbao.ID]tianbao.Version, len(reports))
	err := listed(sqlVersions, reports, nil, func(sql string, args []any) error {
		return s.db.Each(ctx, func(scan db.Scan) error {
			var (
				id tianbao.ID
				v  tianbao.Version
			)
			err := scan(&id, &v.Number, &v.By)
			out[id] = v
			return err
		}, sql, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("store: read versions: %w", err)
	}
	return out, nil
}
