-- +goose Up
-- The purpose notice (告知书, PIPL art. 17): its versions, which never change, and who
-- said yes to which of them when.
CREATE TABLE purpose (
  version BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE TABLE purpose_yes (
  user_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (user_id, version)
);

-- Where the lanes of the trail begin after their older records went into an archive:
-- behind the record of this number and hash. A lane without a row begins at 1.
CREATE TABLE trail_base (
  lane BIGINT PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  mac TEXT NOT NULL
);
