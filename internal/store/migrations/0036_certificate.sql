-- +goose Up
-- Where the expected units below a unit stood at one moment, as it was handed out. body is
-- the whole text, gzipped; digest is the SM3 of the text. It names units, no people; it is
-- never changed.
CREATE TABLE certificate (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  number TEXT NOT NULL,
  unit_name TEXT NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  expected BIGINT NOT NULL,
  done BIGINT NOT NULL,
  digest TEXT NOT NULL,
  body BYTEA NOT NULL
);
CREATE INDEX certificate_of ON certificate (campaign_id, id);
