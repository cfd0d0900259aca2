-- +goose Up
-- The newest change of where units stand, by which a watched page learns of it.
CREATE INDEX unit_status_log_newest ON unit_status_log (campaign_id, id);
