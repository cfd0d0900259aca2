-- +goose Up
-- The register of units in time. unit holds an entry as it is, from since on (0: as long
-- as anybody knows); unit_past holds what it was from since until until, also where
-- only the unit above it moved, so that a subtree of any day is one range of paths.
-- All of these are days: the times at which they begin.
ALTER TABLE unit ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE unit ADD COLUMN heir_id BIGINT NOT NULL DEFAULT 0;
CREATE INDEX unit_parent ON unit (parent, path);
CREATE TABLE unit_past (
  unit_id BIGINT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  parent BIGINT NOT NULL,
  region_id BIGINT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  budget_code TEXT NOT NULL,
  org_code TEXT NOT NULL,
  type TEXT NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (unit_id, since)
);
CREATE INDEX unit_past_path ON unit_past (path);
CREATE INDEX unit_alias_of ON unit_alias (unit_id);

-- Whom to ask at a unit. contact is sealed.
CREATE TABLE unit_contact (
  unit_id BIGINT PRIMARY KEY,
  contact BYTEA NOT NULL
);

-- What happened to an entry; nothing was written to this table before. what is the act,
-- day from when on it holds, before the fields that changed.
ALTER TABLE unit_history ADD COLUMN day BIGINT NOT NULL DEFAULT 0;
ALTER TABLE unit_history ADD COLUMN other_id BIGINT NOT NULL DEFAULT 0;

-- One row, raised by each change of the register: a change is planned from a version
-- and made at that version or not at all.
CREATE TABLE register_version (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL
);
INSERT INTO register_version (id, version) VALUES (1, 1);

-- Wishes of units to have their entries corrected. wish (value and reason) and remark
-- are sealed.
CREATE TABLE unit_request (
  id BIGINT PRIMARY KEY,
  unit_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  wish BYTEA NOT NULL,
  state TEXT NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  remark BYTEA NOT NULL
);
CREATE INDEX unit_request_of ON unit_request (unit_id, state);

-- The code of the fiscal division, which the province gives.
ALTER TABLE region ADD COLUMN fiscal TEXT NOT NULL DEFAULT '';
