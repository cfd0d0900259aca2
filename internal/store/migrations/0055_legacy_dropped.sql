-- +goose Up
-- When a bureau deleted its old list, 0: it is there. Of the versions that were deleted only
-- that they were stays, so that versions are never counted twice.
ALTER TABLE legacy_list ADD COLUMN dropped BIGINT NOT NULL DEFAULT 0;
