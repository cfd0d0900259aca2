-- +goose Up
-- What other systems may be told of, written with what it tells of. lane and seq are those of its
-- record on the trail, by which the news of one unit follows each other; n numbers all of it in the
-- order in which it is told, 0: not numbered yet.
CREATE TABLE news (
  lane BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  n BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  report_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  put BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  PRIMARY KEY (lane, seq)
)/*sqlite WITHOUT ROWID*/;
CREATE INDEX news_n ON news (n);

-- The last number; whoever numbers raises it first.
CREATE TABLE news_count (
  id BIGINT PRIMARY KEY,
  n BIGINT NOT NULL
);
INSERT INTO news_count (id, n) VALUES (1, 0);

-- 事件订阅: an address that is told of the subtree of unit_id. kinds: one a line. body is sealed:
-- address and secret. failing: since when it does not take anything, 0: it does; next: when it is
-- tried again; code: the last answer, 0: none. node has it in hand until the time of until.
CREATE TABLE webhook (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  unit_id BIGINT NOT NULL,
  kinds TEXT NOT NULL,
  body BYTEA NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'stopped', 'ended')),
  by_id BIGINT NOT NULL,
  made BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  failing BIGINT NOT NULL,
  next BIGINT NOT NULL,
  code BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  node TEXT NOT NULL,
  until BIGINT NOT NULL
);
CREATE INDEX webhook_unit ON webhook (unit_id);

-- What it is told, in the order of n; what was told stays as the log.
CREATE TABLE webhook_delivery (
  webhook_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'refused')),
  attempts BIGINT NOT NULL,
  code BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (webhook_id, n)
)/*sqlite WITHOUT ROWID*/;
CREATE INDEX webhook_delivery_state ON webhook_delivery (webhook_id, state, n);
