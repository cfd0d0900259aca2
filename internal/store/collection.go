package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// Collections with their rules; what follows from them is decided by internal/campaign.

const (
	sqlCollections      = `SELECT ` + campaignColumns + ` FROM campaign c ORDER BY c.opens DESC, c.id DESC`
	sqlCollection       = `SELECT ` + campaignColumns + ` FROM campaign c WHERE c.id = $1`
	sqlChangeCollection = `UPDATE campaign SET title = $1, form = $2, form_version = $3, opens = $4, closes = $5, released = $6,
 owner_id = $7, notice_id = $8, version = $9, opened = $10, ended = $11, archived = $12, levels = $13, kept = $14, accepts = $15, prefill_id = $16 WHERE id = $17 AND version = $18`
	sqlNewCollection = `INSERT INTO campaign
 (title, form, form_version, opens, closes, released, owner_id, notice_id, version, opened, ended, archived, levels, kept, accepts, prefill_id, id)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	ruleColumns   = `r.id, r.campaign_id, r.kind, r.unit_id, r.region_id, r.opens, r.closes, r.reason, r.by_id, r.made, r.ended, r.ended_by, r.alone`
	sqlRules      = `SELECT ` + ruleColumns + ` FROM campaign_rule r WHERE r.campaign_id = $1 ORDER BY r.made DESC, r.id DESC`
	sqlInsertRule = `INSERT INTO campaign_rule (id, campaign_id, kind, unit_id, region_id, opens, closes, reason, by_id, made, ended, ended_by, alone)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, $11)`
	sqlEndRule = `UPDATE campaign_rule SET ended = $1, ended_by = $2 WHERE id = $3 AND campaign_id = $4 AND ended = 0`
)

// Collections implements campaign.Store.
func (s *Store) Collections(ctx context.Context) ([]tianbao.Campaign, error) {
	return db.Collect(ctx, s.db, scanCampaign, sqlCollections)
}

// Collection implements campaign.Store.
func (s *Store) Collection(ctx context.Context, id tianbao.ID) (tianbao.Campaign, error) {
	return first(ctx, s.db, scanCampaign, sqlCollection, id)
}

func rulePlace(id tianbao.ID) []byte { return seal.Place("campaign_rule", "reason", id.String()) }

// sealText seals a text, nothing to nothing.
func (s *Store) sealText(text string, place []byte) []byte {
	if text == "" {
		return []byte{}
	}
	return s.ring.Seal(nil, []byte(text), place)
}

// openText opens what sealText made.
func (s *Store) openText(sealed, place []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	b, err := s.ring.Open(nil, sealed, place)
	return string(b), err
}

// Rules implements campaign.Store.
func (s *Store) Rules(ctx context.Context, id tianbao.ID) ([]tianbao.CampaignRule, error) {
	return s.rulesOf(ctx, s.db, id)
}

func (s *Store) rulesOf(ctx context.Context, q db.Queryer, id tianbao.ID) ([]tianbao.CampaignRule, error) {
	return db.Collect(ctx, q, func(scan db.Scan) (r tianbao.CampaignRule, err error) {
		var opens, closes, made, ended int64
		var reason []byte
		if err = scan(&r.ID, &r.Campaign, &r.Kind, &r.Unit, &r.Region, &opens, &closes, &reason, &r.By, &made, &ended, &r.EndedBy, &r.Alone); err != nil {
			return r, err
		}
		r.Opens, r.Closes, r.Made, r.Ended = when(opens), when(closes), when(made), when(ended)
		if r.Reason, err = s.openText(reason, rulePlace(r.ID)); err != nil {
			return r, fmt.Errorf("store: open the reason of rule %s: %w", r.ID, err)
		}
		return r, nil
	}, sqlRules, id)
}

// plans keeps the plans of collections by their versions, which are used only once: a
// plan that a transaction read and that was never committed is asked for by nobody.
type plans struct {
	mu  sync.Mutex
	all map[tianbao.ID]*campaign.Plan
}

// maxPlans is how many plans are kept.
const maxPlans = 50

// Plan implements campaign.Store.
func (s *Store) Plan(ctx context.Context, id tianbao.ID) (p *campaign.Plan, err error) {
	err = s.db.Read(ctx, func(q db.Queryer) error {
		p, err = s.planOf(ctx, q, id)
		return err
	})
	return p, err
}

// planOf returns the plan of a collection as q sees it.
func (s *Store) planOf(ctx context.Context, q db.Queryer, id tianbao.ID) (*campaign.Plan, error) {
	c, err := first(ctx, q, scanCampaign, sqlCollection, id)
	if err != nil {
		return nil, err
	}
	s.plans.mu.Lock()
	p := s.plans.all[id]
	s.plans.mu.Unlock()
	if p != nil && p.Campaign == c && c.Version != 0 {
		return p, nil
	}
	rules, err := s.rulesOf(ctx, q, id)
	if err != nil {
		return nil, err
	}
	regions, err := db.Collect(ctx, q, scanRegion, sqlRegions)
	if err != nil {
		return nil, err
	}
	p = campaign.NewPlan(c, rules, regions)
	s.plans.mu.Lock()
	defer s.plans.mu.Unlock()
	if s.plans.all == nil || len(s.plans.all) >= maxPlans {
		s.plans.all = make(map[tianbao.ID]*campaign.Plan)
	}
	s.plans.all[id] = p
	return p, nil
}

func (s *Store) forgetPlans() {
	s.plans.mu.Lock()
	defer s.plans.mu.Unlock()
	s.plans.all = nil
}

// ChangeCollection implements campaign.Store.
func (s *Store) ChangeCollection(ctx context.Context, ch *campaign.Change) error {
	c, base := ch.Campaign, ch.Campaign.Version
	args := []any{
		c.Title, c.Form, c.FormV, ms(c.Opens), ms(c.Closes), c.Released, c.Owner, c.Notice, s.id(),
		ms(c.Opened), ms(c.Ended), ms(c.Archived), c.Levels, ms(c.Kept), c.Accepts, c.Prefill, c.ID,
	}
	var batch []db.Statement
	for _, id := range ch.End {
		batch = append(batch, db.Statement{SQL: sqlEndRule, Args: []any{ms(ch.At), ch.By, id, c.ID}})
	}
	for i := range ch.Add {
		batch = append(batch, s.insertRule(&ch.Add[i], c.ID, ch.By, ms(ch.At)))
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var n int64
		var levels tianbao.Levels
		err := tx.One(ctx, []any{new(int64), &levels}, sqlCampaignVersion, c.ID)
		switch {
		case err == nil:
			n, err = tx.Exec(ctx, sqlChangeCollection, append(args, base)...)
		case errors.Is(err, db.ErrNoRows) && base == 0:
			n, err = tx.Exec(ctx, sqlNewCollection, args...)
		}
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("store: change collection %s: %w", c.ID, err)
		}
		if n != 1 {
			return errCollectionChanged()
		}
		// Whoever was let in by the rules as they were ends first.
		if err := tx.Hold(ctx, int64(c.ID), false); err != nil {
			return fmt.Errorf("store: wait for what is being written to collection %s: %w", c.ID, err)
		}
		if levels != c.Levels {
			if err := noPasses(ctx, tx, c.ID); err != nil {
				return err
			}
		}
		counts, err := tx.Send(ctx, batch)
		if err != nil {
			return fmt.Errorf("store: change the rules of collection %s: %w", c.ID, err)
		}
		for _, n := range counts {
			if n != 1 {
				return errCollectionChanged()
			}
		}
		return s.trail(ctx, tx, ch.Events...)
	})
}

func (s *Store) insertRule(r *tianbao.CampaignRule, campaign, by tianbao.ID, made int64) db.Statement {
	return db.Statement{SQL: sqlInsertRule, Args: []any{
		r.ID, campaign, r.Kind, r.Unit, r.Region, ms(r.Opens), ms(r.Closes), s.sealText(r.Reason, rulePlace(r.ID)), by, made, r.Alone,
	}}
}

const sqlCampaignVersion = `SELECT c.version, c.levels FROM campaign c WHERE c.id = $1`

func errCollectionChanged() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "collection_changed", Message: "这次采集的安排刚刚由别人改过，请重新查看后再做一次。"}
}
