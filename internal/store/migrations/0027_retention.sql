-- +goose Up
-- For how many months after its end a campaign's personal cells are kept; 0: for as long
-- as the operator's setting says.
ALTER TABLE campaign ADD COLUMN keep_months BIGINT NOT NULL DEFAULT 0;

-- People who are being erased on request. person is sealed and holds by what they are
-- found; once all is done it is empty and state 1.
CREATE TABLE erasure (
  id BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  state BIGINT NOT NULL,
  person BYTEA NOT NULL
);
