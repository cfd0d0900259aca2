INSERT INTO campaign_rule (id, campaign_id, kind, unit_id, region_id, opens, closes, reason, by_id, made, ended, ended_by) VALUES
 (1140, 100, 'include', 1, 0, 0, 0, seal('campaign_rule.reason', '1140', '全市'), 201, 1663891200000, 0, 0);
UPDATE campaign SET owner_id = 1, version = 1141 WHERE id = 100;
