-- +goose Up
-- Mails with reports. k is the keyed index of what makes a mail the same, sender that of
-- its address, empty where there is none. state: received (to be judged, from next on; node
-- has it until then), waiting (for an officer), judged (its answer is to go out), answered,
-- ignored, dropped. fault: why it is not read. cleared: an officer wants it judged. head is
-- sealed: address, subject, names of files.
CREATE TABLE mail_message (
  id BIGINT PRIMARY KEY,
  k BYTEA NOT NULL,
  sender BYTEA NOT NULL,
  received BIGINT NOT NULL,
  judged BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('received', 'waiting', 'judged', 'answered', 'ignored', 'dropped')),
  verdict TEXT NOT NULL,
  fault TEXT NOT NULL,
  cleared BOOLEAN NOT NULL,
  attempts BIGINT NOT NULL,
  next BIGINT NOT NULL,
  node TEXT NOT NULL,
  unit_id BIGINT NOT NULL,
  size BIGINT NOT NULL,
  copies BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  faults BIGINT NOT NULL,
  spf TEXT NOT NULL,
  dkim TEXT NOT NULL,
  dmarc TEXT NOT NULL,
  head BYTEA NOT NULL
);
CREATE UNIQUE INDEX mail_message_once ON mail_message (k);
CREATE INDEX mail_message_due ON mail_message (state, next);
CREATE INDEX mail_message_sender ON mail_message (sender, received);
CREATE INDEX mail_message_unit ON mail_message (unit_id, id);

-- The text of a mail, sealed, until it is answered.
CREATE TABLE mail_text (
  message_id BIGINT PRIMARY KEY,
  data BYTEA NOT NULL
);

-- Whose mail counts as which unit's. k is the keyed index of the address, address is sealed.
CREATE TABLE mail_sender (
  id BIGINT PRIMARY KEY,
  k BYTEA NOT NULL,
  address BYTEA NOT NULL,
  unit_id BIGINT NOT NULL,
  how TEXT NOT NULL CHECK (how IN ('code', 'officer')),
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX mail_sender_once ON mail_sender (k);
CREATE INDEX mail_sender_unit ON mail_sender (unit_id);

-- Answers, one a judging. body and file are sealed, and emptied when it is out.
CREATE TABLE mail_reply (
  id BIGINT PRIMARY KEY,
  message_id BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
  attempts BIGINT NOT NULL,
  next BIGINT NOT NULL,
  node TEXT NOT NULL,
  sent BIGINT NOT NULL,
  body BYTEA NOT NULL,
  file BYTEA NOT NULL
);
CREATE INDEX mail_reply_due ON mail_reply (state, next);
CREATE INDEX mail_reply_message ON mail_reply (message_id);

-- How far a mailbox was read: up to UID last under a UIDVALIDITY; mails from before since
-- were never taken. name is its keyed digest.
CREATE TABLE mail_box (
  name TEXT PRIMARY KEY,
  validity BIGINT NOT NULL,
  last BIGINT NOT NULL,
  since BIGINT NOT NULL
);
