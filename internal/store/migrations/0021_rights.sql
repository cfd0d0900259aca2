-- +goose Up
-- Each row that says who may do what carries a keyed digest of what it says, made by the
-- program with keys that the database does not hold: a row that was written or changed
-- around the program counts for nothing (internal/store/rights.go).
ALTER TABLE app_user ADD COLUMN mac TEXT NOT NULL DEFAULT '';
ALTER TABLE role_grant ADD COLUMN mac TEXT NOT NULL DEFAULT '';

-- The office that the system administrator made an account for, until the security
-- administrator agrees.
ALTER TABLE app_user ADD COLUMN asked TEXT NOT NULL DEFAULT ''
  CHECK (asked IN ('', 'system', 'security', 'audit'));

-- When a grant was given, and the grant of the giver that it was lent from (0: given by
-- the security administrator).
ALTER TABLE role_grant ADD COLUMN given BIGINT NOT NULL DEFAULT 0;
ALTER TABLE role_grant ADD COLUMN lent BIGINT NOT NULL DEFAULT 0;

-- One set-up link an office: 1 system, 2 security, 3 audit.
INSERT INTO setup_token (id, token_hash, expires, uses) VALUES (2, '', 0, 0), (3, '', 0, 0);

-- The rows of a unit in the reports of those above it.
CREATE INDEX report_row_unit ON report_row (unit_id);
