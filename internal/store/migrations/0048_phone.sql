-- +goose Up
-- Codes that are sent to phones to show whose they are (验证手机号): a line a phone, with
-- what was sent last. person_key and phone_key are keyed indexes. sending is the id of the
-- message, of which the code is derived by a key; the code itself stands nowhere. body is
-- sealed, the phone until the message is out, and empty then. next: when it is to go out, or
-- how long node has it. expires: until when the code counts. tries: wrong ones of it; sends
-- and wrong: those of the day.
CREATE TABLE phone_code (
  id BIGINT PRIMARY KEY,
  phone_key BYTEA NOT NULL,
  person_key BYTEA NOT NULL,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  sending BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'used')),
  made BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  next BIGINT NOT NULL,
  node TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  day BIGINT NOT NULL,
  sends BIGINT NOT NULL,
  wrong BIGINT NOT NULL,
  body BYTEA NOT NULL
);
CREATE UNIQUE INDEX phone_code_phone ON phone_code (phone_key);
CREATE INDEX phone_code_next ON phone_code (state, next);
CREATE INDEX phone_code_unit ON phone_code (unit_id, day);
CREATE INDEX phone_code_person ON phone_code (person_key);

-- Phones that were shown to be somebody's: one a person, and one person a phone. sent_by
-- had the code sent, by_id typed it in.
CREATE TABLE phone_proof (
  id BIGINT PRIMARY KEY,
  person_key BYTEA NOT NULL,
  phone_key BYTEA NOT NULL,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  sent_by BIGINT NOT NULL
);
CREATE UNIQUE INDEX phone_proof_person ON phone_proof (person_key);
CREATE UNIQUE INDEX phone_proof_phone ON phone_proof (phone_key);
