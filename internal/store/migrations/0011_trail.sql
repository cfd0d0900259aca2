-- +goose Up
-- The audit trail: chains of records, one a lane (internal/audit says what hash and
-- mac cover). personal_sealed holds what a record says of a person; it may be emptied,
-- personal stays. The table before it had no chain and was in no release.
DROP TABLE audit;
CREATE TABLE trail (
  lane BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor BIGINT NOT NULL,
  owner BIGINT NOT NULL,
  address TEXT NOT NULL,
  what TEXT NOT NULL,
  object TEXT NOT NULL,
  result TEXT NOT NULL,
  detail TEXT NOT NULL,
  personal TEXT NOT NULL,
  personal_sealed BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  mac TEXT NOT NULL,
  PRIMARY KEY (lane, seq)
);
CREATE UNIQUE INDEX trail_id ON trail (id);

-- The end of each lane, which is also what two writers of one lane wait for.
CREATE TABLE trail_lane (
  lane BIGINT PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  mac TEXT NOT NULL
);
INSERT INTO trail_lane (lane, seq, hash, mac) VALUES
  (0, 0, '', ''), (1, 0, '', ''), (2, 0, '', ''), (3, 0, '', ''),
  (4, 0, '', ''), (5, 0, '', ''), (6, 0, '', ''), (7, 0, '', ''),
  (8, 0, '', ''), (9, 0, '', ''), (10, 0, '', ''), (11, 0, '', ''),
  (12, 0, '', ''), (13, 0, '', ''), (14, 0, '', ''), (15, 0, '', '');

-- Signed states of all lanes.
CREATE TABLE trail_checkpoint (
  at BIGINT PRIMARY KEY,
  signed BYTEA NOT NULL
);
