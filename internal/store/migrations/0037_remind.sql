-- +goose Up
-- 催报. How a collection is reminded of; no line: nobody was asked. From and to are minutes
-- of the day between which reminders go out, days off and working days are dates
-- (2026-10-01, one a line), version another one after each change.
CREATE TABLE remind_policy (
  campaign_id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  days BIGINT NOT NULL,
  every_hours BIGINT NOT NULL,
  from_minute BIGINT NOT NULL,
  to_minute BIGINT NOT NULL,
  weekends BOOLEAN NOT NULL,
  days_off TEXT NOT NULL,
  days_on TEXT NOT NULL,
  channels TEXT NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL
);

-- When a unit was reminded last. Whoever reminds raises it first, so that of two servers,
-- or a server and an officer, one does.
CREATE TABLE remind_turn (
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, unit_id)
)/*sqlite WITHOUT ROWID*/;

-- Reminders by channel: what is to go out, and what became of it. state: waiting (until
-- next), sending (node has it until next), sent, failed, dropped. reason: why it failed or
-- was dropped. body is sealed: the text as it went out. hand: an officer sent it.
CREATE TABLE remind_outbox (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  due BIGINT NOT NULL,
  channel TEXT NOT NULL,
  hand BOOLEAN NOT NULL,
  made BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'dropped')),
  reason TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next BIGINT NOT NULL,
  node TEXT NOT NULL,
  sent BIGINT NOT NULL,
  body BYTEA NOT NULL,
  read_at BIGINT NOT NULL,
  read_by BIGINT NOT NULL
);
CREATE UNIQUE INDEX remind_outbox_once ON remind_outbox (campaign_id, unit_id, due, channel);
CREATE INDEX remind_outbox_next ON remind_outbox (state, next);
CREATE INDEX remind_outbox_unit ON remind_outbox (unit_id, channel, state, read_at);
CREATE INDEX remind_outbox_log ON remind_outbox (campaign_id, id);

-- Where a unit gets mail. address is sealed.
CREATE TABLE unit_mail (
  unit_id BIGINT PRIMARY KEY,
  address BYTEA NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL
);
