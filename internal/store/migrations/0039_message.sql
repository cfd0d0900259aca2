-- +goose Up
-- A notice comes from a unit's bureau (owner_id, 0: the program), for everybody or for
-- the subtrees of notice_scope. version counts what was published, turn every change.
-- plain: the body is plain text and not Markdown.
ALTER TABLE notice ADD COLUMN state TEXT NOT NULL DEFAULT 'published' CHECK (state IN ('draft', 'published', 'withdrawn'));
ALTER TABLE notice ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE notice ADD COLUMN turn BIGINT NOT NULL DEFAULT 1;
ALTER TABLE notice ADD COLUMN plain BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE notice ADD COLUMN everyone BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE notice ADD COLUMN owner_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN campaign_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN amended BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN withdrawn BIGINT NOT NULL DEFAULT 0;
CREATE INDEX notice_owner ON notice (owner_id);

-- The versions in which a file belongs to its notice; gone 0: to this day.
ALTER TABLE attachment ADD COLUMN since BIGINT NOT NULL DEFAULT 1;
ALTER TABLE attachment ADD COLUMN gone BIGINT NOT NULL DEFAULT 0;

CREATE TABLE notice_scope (
  notice_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  PRIMARY KEY (notice_id, unit_id)
)/*sqlite WITHOUT ROWID*/;

-- What a notice said before it was amended.
CREATE TABLE notice_version (
  notice_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  title TEXT NOT NULL,
  issuer TEXT NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (notice_id, version)
);

-- Who of a unit read a notice, when first, and which version last. unit_id 0: an account
-- without unit.
CREATE TABLE notice_read (
  notice_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (notice_id, user_id, unit_id)
)/*sqlite WITHOUT ROWID*/;
CREATE INDEX notice_read_unit ON notice_read (notice_id, unit_id);

-- What units ask. asked, shown (as published) and answer are sealed; seen: when the unit
-- saw the answer.
CREATE TABLE question (
  id BIGINT PRIMARY KEY,
  notice_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'published')),
  turn BIGINT NOT NULL,
  asked BYTEA NOT NULL,
  shown BYTEA NOT NULL,
  answer BYTEA NOT NULL,
  answered_at BIGINT NOT NULL,
  answered_by BIGINT NOT NULL,
  bureau_id BIGINT NOT NULL,
  seen BIGINT NOT NULL
);
CREATE INDEX question_notice ON question (notice_id, state);
CREATE INDEX question_unit ON question (unit_id, state);
CREATE INDEX question_state ON question (state, id);
