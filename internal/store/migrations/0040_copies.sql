-- +goose Up
-- Copies of notices by mail go through the outbox of reminders: campaign_id 0, notice_id
-- the notice, due 0, so that a unit gets one once. mail: the officer asked for copies;
-- mailed: when all of them were in the outbox, 0: not yet.
ALTER TABLE notice ADD COLUMN mail BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE notice ADD COLUMN mailed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE remind_outbox ADD COLUMN notice_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX remind_outbox_once;
CREATE UNIQUE INDEX remind_outbox_once ON remind_outbox (campaign_id, notice_id, unit_id, due, channel);

-- copies: the unit takes copies of notices at its address.
ALTER TABLE unit_mail ADD COLUMN copies BOOLEAN NOT NULL DEFAULT TRUE;
