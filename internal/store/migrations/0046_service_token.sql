-- +goose Up
-- What other systems ask with (接口令牌): k is the hash of the token, which is shown once
-- and kept nowhere; verbs are what it may, one a line, over the subtree of unit_id. ended: taken back.
-- mac is the keyed digest of what the row says, as those of role_grant are.
CREATE TABLE service_token (
  id BIGINT PRIMARY KEY,
  k BYTEA NOT NULL,
  name TEXT NOT NULL,
  verbs TEXT NOT NULL,
  unit_id BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  used BIGINT NOT NULL,
  mac TEXT NOT NULL
);
CREATE UNIQUE INDEX service_token_key ON service_token (k);
