-- +goose Up
-- Full values of a row that somebody looked at, as long as they count for the limit.
CREATE TABLE reveal (
  user_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- What a campaign says of its purpose ('': what the product says), for how many months
-- after its end personal cells are kept (0: the default), and when they were erased.
ALTER TABLE campaign ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE campaign ADD COLUMN keep_months BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN erased BIGINT NOT NULL DEFAULT 0;

-- The texts that people were shown before their first entry, by their digest, and who
-- took note of which when.
CREATE TABLE purpose (
  version TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE TABLE purpose_seen (
  user_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  version TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (user_id, campaign_id, version)
);
