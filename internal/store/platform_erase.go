package store

import (
	"context"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/provision"
)

const (
	sqlEraseSteps    = `DELETE FROM platform_step WHERE plan_id IN (SELECT p.id FROM platform_plan p WHERE p.campaign_id = $1 AND p.state <> 'approved')`
	sqlEraseHeld     = `DELETE FROM platform_held WHERE plan_id IN (SELECT p.id FROM platform_plan p WHERE p.campaign_id = $1 AND p.state <> 'approved')`
	sqlEraseCodes    = `DELETE FROM phone_code WHERE campaign_id = $1`
	sqlEraseProofs   = `DELETE FROM phone_proof WHERE campaign_id = $1`
	sqlErasePhones   = `DELETE FROM phone_code WHERE person_key = $1`
	sqlEraseProof    = `DELETE FROM phone_proof WHERE person_key = $1`
	sqlEraseFindings = `DELETE FROM compare_item WHERE comparison_id IN (SELECT c.id FROM comparison c WHERE c.campaign_id = $1)`
	sqlAnewFindings  = `UPDATE comparison SET turn = turn + 1 WHERE campaign_id = $1`
	sqlErasePlans    = `UPDATE platform_plan SET state = 'dropped', open_root = -id WHERE campaign_id = $1 AND state = 'planned'`

	sqlEndedSteps = `SELECT x.plan_id, x.n, x.body FROM platform_step x JOIN platform_plan p ON p.id = x.plan_id WHERE p.campaign_id = $1 AND p.state <> 'approved'`
	sqlEndedHeld  = `SELECT x.plan_id, x.n, x.body FROM platform_held x JOIN platform_plan p ON p.id = x.plan_id WHERE p.campaign_id = $1 AND p.state <> 'approved'`
	sqlEraseStep  = `DELETE FROM platform_step WHERE plan_id = $1 AND n = $2`
	sqlEraseOne   = `DELETE FROM platform_held WHERE plan_id = $1 AND n = $2`
)

// erasePlans erases what the plans of a campaign say of people, and what was found of them
// beside the old list; that there were such plans
// stays. What became of the accounts is in platform_account, which is no part of a campaign.
func erasePlans(ctx context.Context, tx db.Tx, campaign tianbao.ID) error {
	_, err := tx.Send(ctx, []db.Statement{
		{SQL: sqlErasePlans, Args: []any{campaign}},
		{SQL: sqlEraseSteps, Args: []any{campaign}},
		{SQL: sqlEraseHeld, Args: []any{campaign}},
		{SQL: sqlEraseFindings, Args: []any{campaign}},
		{SQL: sqlAnewFindings, Args: []any{campaign}},
		{SQL: sqlEraseCodes, Args: []any{campaign}},
		{SQL: sqlEraseProofs, Args: []any{campaign}},
	})
	return err
}

// erasePlatform erases the person from the plans of the campaigns that are over. The account
// itself stays: it is at the platform, and goes when nobody reports the person any more.
func (s *Store) erasePlatform(ctx context.Context, p *sought, sum *tianbao.PersonErased) error {
	var batch []db.Statement
	for _, c := range p.Campaigns {
		for _, x := range []struct {
			find, erase string
			place       func(tianbao.ID, int) []byte
		}{{sqlEndedSteps, sqlEraseStep, stepPlace}, {sqlEndedHeld, sqlEraseOne, heldPlace}} {
			err := s.db.Each(ctx, func(scan db.Scan) error {
				var plan tianbao.ID
				var n int
				var body []byte
				if err := scan(&plan, &n, &body); err != nil {
					return err
				}
				plain, err := s.ring.Open(nil, body, x.place(plan, n))
				if err == nil && p.in(string(plain), false) {
					batch = append(batch, db.Statement{SQL: x.erase, Args: []any{plan, n}})
				}
				return err
			}, x.find, c)
			if err != nil {
				return err
			}
		}
	}
	sum.Others += int64(len(batch))
	if err := s.send(ctx, batch); err != nil {
		return err
	}
	// Whose phone was shown to be hers; where she is still reported it is shown anew.
	person, _ := s.phoneKeys(&provision.Row{Person: p.ID})
	return s.db.Tx(ctx, func(tx db.Tx) error {
		counts, err := tx.Send(ctx, []db.Statement{{SQL: sqlErasePhones, Args: []any{person}}, {SQL: sqlEraseProof, Args: []any{person}}})
		if err == nil {
			sum.Others += int64(counts[0] + counts[1])
		}
		return err
	})
}
