-- +goose Up
-- The three offices of administrators (三员分立) are of an account as a whole: one
-- column has room for one, and whoever has one has no grants (grants are read with
-- office = '' only). Roles over a subtree are a closed list, so that no statement can
-- grant an office, or a role that does not exist.
ALTER TABLE app_user ADD COLUMN office TEXT NOT NULL DEFAULT ''
  CHECK (office IN ('', 'system', 'security', 'audit'));
UPDATE app_user SET office = 'system' WHERE id IN (SELECT user_id FROM user_grant WHERE role = 'admin');

-- Who has which role over the subtree of a unit, from when until when (0: without
-- bound), given by whom.
CREATE TABLE role_grant (
  id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL,
  role TEXT NOT NULL
    CHECK (role IN ('filler', 'reviewer', 'department', 'county', 'city', 'province', 'service')),
  unit_id BIGINT NOT NULL CHECK (unit_id > 0),
  valid_from BIGINT NOT NULL,
  valid_to BIGINT NOT NULL,
  by_id BIGINT NOT NULL
);
CREATE INDEX role_grant_of_user ON role_grant (user_id);
CREATE INDEX role_grant_of_unit ON role_grant (unit_id);
INSERT INTO role_grant (id, user_id, role, unit_id, valid_from, valid_to, by_id)
  SELECT id, user_id, role, unit_id, valid_from, valid_to, 0 FROM user_grant WHERE role <> 'admin' AND unit_id > 0;
DROP TABLE user_grant;
