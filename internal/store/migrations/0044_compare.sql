-- +goose Up
-- The old system's list of users, one of each bureau (owner_id). Each import is the next
-- version; ready: it is whole. file is sealed.
CREATE TABLE legacy_list (
  owner_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  ready BOOLEAN NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  file BYTEA NOT NULL,
  digest TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  fresh BIGINT NOT NULL,
  gone BIGINT NOT NULL,
  strange BIGINT NOT NULL,
  PRIMARY KEY (owner_id, version)
);

-- A line of it, as it is in the versions from since on until before gone (0: to this day);
-- another one under the same id is the same user with other cells. unit_id 0: the register
-- does not know the unit. user_key and content are keyed indexes of the user name and of all
-- cells; body is sealed.
CREATE TABLE legacy_user (
  id BIGINT NOT NULL,
  since BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  gone BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  line BIGINT NOT NULL,
  user_key BYTEA NOT NULL,
  content BYTEA NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (id, since)
);
CREATE INDEX legacy_user_of ON legacy_user (owner_id, gone, id);

-- Which field a header of a bureau's lists means, as a person said; '': none.
CREATE TABLE legacy_header (
  owner_id BIGINT NOT NULL,
  header TEXT NOT NULL,
  field TEXT NOT NULL,
  PRIMARY KEY (owner_id, header)
);

-- A bureau's list held against a collection; list: the version that was compared last.
CREATE TABLE comparison (
  id BIGINT PRIMARY KEY,
  owner_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  list BIGINT NOT NULL,
  at BIGINT NOT NULL,
  turn BIGINT NOT NULL
);
CREATE UNIQUE INDEX comparison_of ON comparison (owner_id, campaign_id);

-- What was found of a line: side 0 the old list, 1 what was collected (report_id). list: 1
-- matched, 2 missing, 3 extra, 4 doubt. unit_id is within whose subtree it may be seen.
CREATE TABLE compare_item (
  comparison_id BIGINT NOT NULL,
  side BIGINT NOT NULL,
  item_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  report_id BIGINT NOT NULL,
  list BIGINT NOT NULL,
  partner_id BIGINT NOT NULL,
  rung BIGINT NOT NULL,
  why BIGINT NOT NULL,
  agree BIGINT NOT NULL,
  alike BIGINT NOT NULL,
  differ BIGINT NOT NULL,
  others BIGINT NOT NULL,
  PRIMARY KEY (comparison_id, side, item_id)
)/*sqlite WITHOUT ROWID*/;
CREATE INDEX compare_item_unit ON compare_item (comparison_id, unit_id, list);

-- What people said of lines. old_id or new_id 0: of one line alone. reason is sealed; ended:
-- taken back, or another took its place.
CREATE TABLE compare_decision (
  id BIGINT PRIMARY KEY,
  comparison_id BIGINT NOT NULL,
  old_id BIGINT NOT NULL,
  new_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('same', 'apart', 'ignore', 'correct')),
  reason BYTEA NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  ended_by BIGINT NOT NULL
);
CREATE INDEX compare_decision_old ON compare_decision (comparison_id, old_id);
CREATE INDEX compare_decision_new ON compare_decision (comparison_id, new_id);
