-- +goose Up
-- What somebody signs in with beside a password and an authenticator's codes: passkeys,
-- accounts of the platform's own sign-in, certificates on USB keys. k is the keyed index
-- of what it is found by; body says whose it is and what it is, sealed in the place of
-- its row and account, so that a row that is written or moved around the program does
-- not open (internal/store/credential.go). counter is the authenticator's.
CREATE TABLE credential (
  id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('passkey', 'oidc', 'certificate')),
  k BYTEA NOT NULL,
  body BYTEA NOT NULL,
  counter BIGINT NOT NULL,
  created BIGINT NOT NULL,
  used BIGINT NOT NULL
);
CREATE UNIQUE INDEX credential_key ON credential (kind, k);
CREATE INDEX credential_of_user ON credential (user_id, kind);

-- What was sent out and is waited for: the challenge of a passkey, the state of a sign-in
-- at the platform. k is the hash of a secret that the browser keeps; taken once.
CREATE TABLE ceremony (
  id BIGINT PRIMARY KEY,
  k BYTEA NOT NULL,
  body BYTEA NOT NULL,
  expires BIGINT NOT NULL
);
CREATE UNIQUE INDEX ceremony_key ON ceremony (k);
CREATE INDEX ceremony_expires ON ceremony (expires);

-- By what the session was opened.
ALTER TABLE session ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
