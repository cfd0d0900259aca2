-- +goose Up
-- A collection: whose it is, with what it is announced, how far it has come. version
-- changes with every change of the collection or its rules and is never used twice, so
-- that what was read of them once may be kept in memory under it.
ALTER TABLE campaign ADD COLUMN owner_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN notice_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN opened BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN archived BIGINT NOT NULL DEFAULT 0;

-- What holds for a part of the register: who takes part, until when, what is locked and
-- what is open again. A rule is about the subtree of a unit or about a region with what
-- lies in it; from and until are the time that it speaks of (0: without bound), made and
-- ended the time in which it was the rule. Nothing is changed or deleted: another rule
-- takes its place. reason is sealed.
CREATE TABLE campaign_rule (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('include', 'exclude', 'window', 'lock', 'reopen')),
  unit_id BIGINT NOT NULL,
  region_id BIGINT NOT NULL,
  opens BIGINT NOT NULL,
  closes BIGINT NOT NULL,
  reason BYTEA NOT NULL,
  by_id BIGINT NOT NULL,
  made BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  ended_by BIGINT NOT NULL
);
CREATE INDEX campaign_rule_of ON campaign_rule (campaign_id, unit_id);

UPDATE campaign SET opened = opens WHERE released;
