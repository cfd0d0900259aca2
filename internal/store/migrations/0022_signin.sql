-- +goose Up
-- Sign-in: sessions that can be listed, second factors, earlier passwords, activation
-- codes. Sessions get ids, by which they are named where their tokens must not be;
-- everybody signs in anew once.
DELETE FROM session;
ALTER TABLE session ADD COLUMN id BIGINT NOT NULL DEFAULT 0;
-- When the session last showed a second factor, 0: never.
ALTER TABLE session ADD COLUMN stepped BIGINT NOT NULL DEFAULT 0;

-- When the password was set (0: with the account), and when the account was last
-- enabled, from which the time without use counts too.
ALTER TABLE app_user ADD COLUMN password_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE app_user ADD COLUMN enabled_at BIGINT NOT NULL DEFAULT 0;

-- Hashes of the passwords an account had before, the newest few.
CREATE TABLE password_past (
  user_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- Second factors. secret is sealed; confirmed 0: being set up; used is the last time
-- step whose code was taken, so that none is taken twice.
CREATE TABLE factor (
  id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL,
  secret BYTEA NOT NULL,
  created BIGINT NOT NULL,
  confirmed BIGINT NOT NULL,
  used BIGINT NOT NULL
);
CREATE INDEX factor_of_user ON factor (user_id);

-- Codes for who has lost the second factor, under their keyed index.
CREATE TABLE recovery_code (
  user_id BIGINT NOT NULL,
  k BYTEA NOT NULL,
  PRIMARY KEY (user_id, k)
);

-- Activation codes under their keyed index: for a new filler of a unit, or (user_id)
-- for a new password of an account. used 0: still open.
CREATE TABLE activation (
  id BIGINT PRIMARY KEY,
  k BYTEA NOT NULL,
  unit_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  used BIGINT NOT NULL
);
CREATE UNIQUE INDEX activation_code ON activation (k);
CREATE INDEX activation_of_unit ON activation (unit_id, used);
