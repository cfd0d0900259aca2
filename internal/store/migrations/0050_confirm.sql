-- +goose Up
-- The collection from which another is prefilled, 0: none.
ALTER TABLE campaign ADD COLUMN prefill_id BIGINT NOT NULL DEFAULT 0;

-- What units say in a collection of the people of the one it is prefilled from: who stays
-- is the row row_id of report_id, who left is none. One answer about a row.
CREATE TABLE person_answer (
  campaign_id BIGINT NOT NULL,
  from_report BIGINT NOT NULL,
  from_row BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('stays', 'left')),
  report_id BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, from_report, from_row)
)/*sqlite WITHOUT ROWID*/;
CREATE INDEX person_answer_from ON person_answer (from_report, from_row);
