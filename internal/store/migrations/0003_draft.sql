-- +goose Up
-- What a person has filled in and not submitted yet: one draft a report and person.
-- body is sealed whole; id is the page's name for it, which the save that contains
-- it names too.
CREATE TABLE draft (
  report_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  at BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (report_id, user_id)
);
CREATE INDEX draft_at ON draft (at);
