-- +goose Up
-- A collection that has ended may be kept as a register of people: since when (0: it is
-- not), and whether a change there waits until a bureau accepts it.
ALTER TABLE campaign ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN accepts BOOLEAN NOT NULL DEFAULT FALSE;

-- Changes of people (变更). day: from when on it holds; report_id and row_id: the row
-- concerned, once accepted also of who came; base: the version of that report from which
-- it was made; version: the one that carried it, 0: none. from_…: the unit that somebody
-- left by moving, and the row there. look is the keyed index of the person's id and k its
-- first 8 bytes. body is sealed: the cells as they are to be and as they were, and why; so
-- is remark.
CREATE TABLE person_change (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('join', 'move', 'part', 'leave', 'phone')),
  day BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'returned', 'withdrawn')),
  form TEXT NOT NULL,
  form_version BIGINT NOT NULL,
  report_id BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  base BIGINT NOT NULL,
  version BIGINT NOT NULL,
  from_unit BIGINT NOT NULL,
  from_report BIGINT NOT NULL,
  from_row BIGINT NOT NULL,
  k BIGINT NOT NULL,
  look BYTEA NOT NULL,
  body BYTEA NOT NULL,
  by_id BIGINT NOT NULL,
  made BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided BIGINT NOT NULL,
  remark BYTEA NOT NULL
);
CREATE INDEX person_change_unit ON person_change (unit_id, campaign_id, state);
CREATE INDEX person_change_from ON person_change (from_unit, campaign_id);
CREATE INDEX person_change_state ON person_change (state, campaign_id);
CREATE INDEX person_change_k ON person_change (k);
