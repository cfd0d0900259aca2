package demo

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
)

// collect stores a released collection and takes Dalian out of it, which does not take
// part in what the province collects (计划单列市).
func (w World) collect(ctx context.Context, c tianbao.Campaign) error {
	if err := w.Store.PutCampaign(ctx, c); err != nil {
		return fmt.Errorf("demo: store the campaign: %w", err)
	}
	a := campaign.Actor{Runs: tianbao.Scope{Paths: []string{"/" + rootID.String() + "/"}}}
	rule := tianbao.CampaignRule{Kind: tianbao.RuleExclude, Region: regionID("210200"), Reason: "计划单列市，不参加全省采集"}
	if err := w.Campaigns.SetRule(ctx, a, c.ID, rule); err != nil {
		return fmt.Errorf("demo: take Dalian out: %w", err)
	}
	return w.Store.SetRetention(ctx, c.ID, 24, tianbao.Event{}) // as the purpose notice says
}

// beside makes a second collection with a small form of its own, which runs beside the
// first. It began a minute earlier, so that the first is the newest.
func (w World) beside(ctx context.Context, now, closes time.Time) error {
	f := w.Forms.Latest("contacts")
	return w.collect(ctx, tianbao.Campaign{
		ID: besideID, Title: f.Title, Form: f.Name, FormV: f.Version, Opens: now.Add(-time.Minute), Closes: closes, Released: true, Owner: rootID,
	})
}
