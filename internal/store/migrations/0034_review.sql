-- +goose Up
-- Which levels review what was reported, a bit each (bit 1 the unit, 2 county, 3 city,
-- 4 province); 0: nobody does.
ALTER TABLE campaign ADD COLUMN levels BIGINT NOT NULL DEFAULT 0;

-- A rule about one unit and nothing below it: a returned unit that may be edited again.
ALTER TABLE campaign_rule ADD COLUMN alone BOOLEAN NOT NULL DEFAULT FALSE;

-- What a reviewer said of a cell, or with an empty field of a row, when returning a unit.
-- remark is sealed, together with a digest of what the cell held.
CREATE TABLE unit_remark (
  id BIGINT PRIMARY KEY,
  verdict_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  report_id BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  level BIGINT NOT NULL,
  remark BYTEA NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX unit_remark_report ON unit_remark (report_id);
CREATE INDEX unit_remark_verdict ON unit_remark (verdict_id);

-- The version that had last written a row of the unit in a report when it was returned:
-- what is newer was changed since.
CREATE TABLE unit_seen (
  verdict_id BIGINT NOT NULL,
  report_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (verdict_id, report_id)
)/*sqlite WITHOUT ROWID*/;

-- The file that came with a 零申报 or 免报, named by unit_declaration.attachment_id. name
-- and data are sealed.
CREATE TABLE unit_proof (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  type TEXT NOT NULL,
  size BIGINT NOT NULL,
  name BYTEA NOT NULL,
  data BYTEA NOT NULL
);
