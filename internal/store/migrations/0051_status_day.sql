-- +goose Up
-- Where the units of a collection stood at the end of a day that is over, at its last
-- millisecond. It follows from unit_status_log alone and may be thrown away; it is kept so
-- that a past day costs the same however often its units have changed. What the units were
-- on that day is not in it: the register may still be changed for days that are over.
CREATE TABLE unit_status_day (
  campaign_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  states BYTEA NOT NULL,
  PRIMARY KEY (campaign_id, at)
);
