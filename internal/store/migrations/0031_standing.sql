-- +goose Up
-- Where each unit stands in a collection, whoever filled in for it. All of this is kept
-- by the commits themselves, for the units that they touch.

-- What a report holds of a unit: its rows, how many of them have errors, the version that
-- last wrote or took away one of them, and the version as which they were reported upward
-- (0: never, or returned since). sent < newest: to be reported (again).
CREATE TABLE unit_part (
  report_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  faulty BIGINT NOT NULL,
  newest BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  PRIMARY KEY (report_id, unit_id)
)/*sqlite WITHOUT ROWID*/;
CREATE INDEX unit_part_of ON unit_part (campaign_id, unit_id);

-- The sum of it; no line is a unit that has not begun. state does not know the calendar:
-- what is overdue is told by the rules and the clock when it is read. passes has a bit for
-- each level of review that passed. turn is raised first, which is what two commits
-- that touch one unit wait for.
CREATE TABLE unit_status (
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  turn BIGINT NOT NULL,
  state TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  faulty BIGINT NOT NULL,
  review TEXT NOT NULL,
  passes BIGINT NOT NULL,
  declared TEXT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, unit_id)
)/*sqlite WITHOUT ROWID*/;

-- Its past, only ever added to: the state from at on.
CREATE TABLE unit_status_log (
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  id BIGINT NOT NULL,
  state TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  faulty BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, unit_id, at, id)
)/*sqlite WITHOUT ROWID*/;

-- 零申报 and 免报: what a unit, or a bureau for it, says instead of rows. reason is sealed;
-- attachment_id names the proof, 0: none. ended: taken back.
CREATE TABLE unit_declaration (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('nil', 'exempt')),
  reason BYTEA NOT NULL,
  attachment_id BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  ended_by BIGINT NOT NULL
);
CREATE INDEX unit_declaration_of ON unit_declaration (campaign_id, unit_id);

-- What reviewers said of a unit's rows. level: 1 the unit itself, 2 county, 3 city,
-- 4 province; last: no level comes after it. remark is sealed.
CREATE TABLE unit_verdict (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'return', 'withdraw')),
  level BIGINT NOT NULL,
  last BOOLEAN NOT NULL,
  remark BYTEA NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX unit_verdict_of ON unit_verdict (campaign_id, unit_id);
