-- +goose Up
-- Form definitions that are worked on; a published one goes into form and never changes.
-- base is the form's newest version when the draft was begun, version counts its changes.
-- Nothing in a definition is personal.
CREATE TABLE form_draft (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  base BIGINT NOT NULL,
  definition BYTEA NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);
ALTER TABLE form ADD COLUMN published_by BIGINT NOT NULL DEFAULT 0;
