package store

import (
	"context"
	"errors"

	"tianbao"
	"tianbao/internal/db"
)

const (
	campaignColumns = `c.id, c.title, c.form, c.form_version, c.opens, c.closes, c.released,
 c.owner_id, c.notice_id, c.version, c.opened, c.ended, c.archived, c.levels, c.kept, c.accepts, c.prefill_id`
	sqlCampaigns = `SELECT ` + campaignColumns + ` FROM campaign c WHERE c.released = $1 AND c.archived = 0 ORDER BY c.opens DESC, c.id DESC`
	sqlCampaign  = `SELECT ` + campaignColumns + ` FROM campaign c WHERE c.id = $1 AND c.released = $2`
)

func scanCampaign(scan db.Scan) (c tianbao.Campaign, err error) {
	var opens, closes, opened, ended, archived, kept int64
	err = scan(&c.ID, &c.Title, &c.Form, &c.FormV, &opens, &closes, &c.Released, &c.Owner, &c.Notice, &c.Version, &opened, &ended, &archived, &c.Levels,
		&kept, &c.Accepts, &c.Prefill)
	c.Opens, c.Closes, c.Opened, c.Ended, c.Archived = when(opens), when(closes), when(opened), when(ended), when(archived)
	c.Kept = when(kept)
	return c, err
}

// Campaigns returns the released campaigns that are not archived, newest first.
func (s *Store) Campaigns(ctx context.Context) ([]tianbao.Campaign, error) {
	return db.Collect(ctx, s.db, scanCampaign, sqlCampaigns, true)
}

// Campaign returns one released campaign.
func (s *Store) Campaign(ctx context.Context, id tianbao.ID) (tianbao.Campaign, error) {
	return first(ctx, s.db, scanCampaign, sqlCampaign, id, true)
}

// A unit that has closed by now ($3) is still shown with the report it made.
const sqlReports = `SELECT COALESCE(r.id, 0), u.id, u.name, u.path, COALESCE(r.form, ''), COALESCE(r.form_version, 0),
 COALESCE(r.version, 0), COALESCE(r.state, ''), COALESCE(r.row_count, 0), COALESCE(r.updated_at, 0), COALESCE(p.name, '')
 FROM unit u LEFT JOIN report r ON r.campaign_id = $1 AND r.owner_id = u.id
 LEFT JOIN app_user p ON p.id = r.updated_by
 WHERE SCOPE(u.path) AND (u.valid_to = 0 OR u.valid_to > $3 OR r.id IS NOT NULL)
 AND (lower(u.name) LIKE $2 ESCAPE '\' OR lower(u.budget_code) LIKE $2 ESCAPE '\' OR lower(u.org_code) LIKE $2 ESCAPE '\')
 ORDER BY u.path LIMIT $4 OFFSET $5`

// Reports returns the reports of a campaign whose owner lies in scope, in the order
// of the unit tree, together with units that have none yet (ID 0).
func (s *Store) Reports(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, q string, offset, limit int) ([]tianbao.Report, error) {
	c, err := s.Campaign(ctx, campaign)
	if err != nil {
		return nil, err
	}
	sql, args := within(sqlReports, scope, campaign, contains(q), ms(s.now()), max(limit, 0), max(offset, 0))
	return db.Collect(ctx, s.db, func(scan db.Scan) (tianbao.Report, error) {
		r := tianbao.Report{Campaign: campaign}
		var at int64
		err := scan(&r.ID, &r.Owner, &r.OwnerName, &r.OwnerPath, &r.Form, &r.FormV,
			&r.Version, &r.State, &r.Rows, &at, &r.UpdatedBy)
		r.UpdatedAt = when(at)
		if r.ID == 0 {
			r.Form, r.FormV, r.State = c.Form, c.FormV, tianbao.StateEmpty
		}
		return r, err
	}, sql, args...)
}

const (
	sqlReportOf = `SELECT ` + reportColumns + `
 FROM report r JOIN unit u ON u.id = r.owner_id LEFT JOIN app_user p ON p.id = r.updated_by
 WHERE r.campaign_id = $1 AND r.owner_id = $2 AND SCOPE(u.path)`
	sqlInsertReport = `INSERT INTO report
 (id, campaign_id, owner_id, form, form_version, version, state, row_count, updated_at, updated_by)
 VALUES ($1, $2, $3, $4, $5, 0, $6, 0, 0, 0)`
)

// OpenReport returns the unit's report in the campaign, made if there is none. Two
// that make it at once get the same one: the unique key of the report decides.
func (s *Store) OpenReport(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (tianbao.Report, error) {
	sql, args := within(sqlReportOf, scope, campaign, unit)
	c, err := s.Campaign(ctx, campaign)
	if err != nil {
		return tianbao.Report{}, err
	}
	r, err := first(ctx, s.db, scanReport, sql, args...)
	if err == nil || tianbao.KindOf(err) != tianbao.ErrNotFound {
		return r, err
	}
	if err := s.mayReport(ctx, scope, unit); err != nil {
		return tianbao.Report{}, err
	}
	_, err = s.exec(ctx, sqlInsertReport, s.id(), campaign, unit, c.Form, c.FormV, tianbao.StateEmpty)
	if err != nil && !db.IsUnique(err) {
		return tianbao.Report{}, err
	}
	return first(ctx, s.db, scanReport, sql, args...)
}

const sqlUnitEnd = `SELECT u.valid_to FROM unit u WHERE u.id = $1 AND SCOPE(u.path)`

// mayReport refuses a unit that is not in scope, and one that has closed: it keeps the
// reports that it has and begins no other.
func (s *Store) mayReport(ctx context.Context, scope tianbao.Scope, unit tianbao.ID) error {
	sql, args := within(sqlUnitEnd, scope, unit)
	var end int64
	if err := one(ctx, s.db, []any{&end}, sql, args...); err != nil {
		return err
	}
	if end != 0 && end <= ms(s.now()) {
		return tianbao.Invalid("unit_closed", "这个单位已经撤销或并入其他单位，请由现在的单位填报。")
	}
	return nil
}

const sqlReady = `SELECT COUNT(*) FROM setup_token WHERE id = 1`

// Ready reports whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	var n int64
	if err := s.db.One(ctx, []any{&n}, sqlReady); err != nil {
		return err
	}
	if n != 1 {
		return errors.New("store: the schema is not complete")
	}
	return nil
}
