-- +goose Up
-- Imports of any length. Their rows are sealed and put aside in short transactions and
-- become rows of the report in one.

-- An import under way. seen is when it last put rows aside; state 1: it is committed,
-- and only its rows in staged_row are left to be dropped.
CREATE TABLE staging (
  id BIGINT PRIMARY KEY,
  report_id BIGINT NOT NULL,
  set_id BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  state BIGINT NOT NULL
);

-- A row of it as it will stand in report_row. kind: 0 a new row, 1 other cells, 2 the
-- row goes, 3 another place only. pos counts from 1, the place is made of it.
CREATE TABLE staged_row (
  staging_id BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  faults BIGINT NOT NULL,
  vals BYTEA NOT NULL,
  look_keys BYTEA NOT NULL,
  PRIMARY KEY (staging_id, kind, row_id)
)/*sqlite WITHOUT ROWID*/;

-- What is too long for one value, cut into pieces that are sealed one by one: the
-- changes of a change set, the raw cells of an import. Pieces count only with the
-- change set or import whose id they bear.
CREATE TABLE piece (
  report_id BIGINT NOT NULL,
  of_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (report_id, of_id, n)
);
