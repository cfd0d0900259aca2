-- +goose Up
-- One text for SQLite and PostgreSQL (and engines that speak its protocol).
-- Ids and times (ms since 1970) are BIGINT set by the program. What each engine
-- reads otherwise is told at db.Options.Migrations. No column is NULL: 0 and '' mean
-- none. Columns called *_sealed, and those noted as sealed, hold what internal/seal
-- made; nothing else holds an id, a phone number or free text about a person.

-- The organisation: regions, and one tree of units.
CREATE TABLE region (
  id BIGINT PRIMARY KEY,
  parent BIGINT NOT NULL,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  in_scope BOOLEAN NOT NULL
);

CREATE TABLE unit (
  id BIGINT PRIMARY KEY,
  parent BIGINT NOT NULL,
  region_id BIGINT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  budget_code TEXT NOT NULL,
  org_code TEXT NOT NULL,
  type TEXT NOT NULL,
  kind TEXT NOT NULL,
  valid_from BIGINT NOT NULL DEFAULT 0,
  valid_to BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX unit_path ON unit (path);
CREATE INDEX unit_org_code ON unit (org_code);
CREATE INDEX unit_budget_code ON unit (budget_code);
CREATE INDEX unit_name ON unit (name);

-- Other names and codes by which a unit is found; field is a form's key.
CREATE TABLE unit_alias (
  field TEXT NOT NULL,
  value TEXT NOT NULL,
  unit_id BIGINT NOT NULL,
  PRIMARY KEY (field, value, unit_id)
);

-- What a unit was, before each change of its register entry.
CREATE TABLE unit_history (
  unit_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  what TEXT NOT NULL,
  before BYTEA NOT NULL,
  PRIMARY KEY (unit_id, id)
);

-- Forms as published; a version never changes.
CREATE TABLE form (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  definition BYTEA NOT NULL,
  published_at BIGINT NOT NULL,
  PRIMARY KEY (name, version)
);

CREATE TABLE campaign (
  id BIGINT PRIMARY KEY,
  title TEXT NOT NULL,
  form TEXT NOT NULL,
  form_version BIGINT NOT NULL,
  opens BIGINT NOT NULL,
  closes BIGINT NOT NULL,
  released BOOLEAN NOT NULL
);

-- The sheet of one owner in one campaign.
CREATE TABLE report (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  form TEXT NOT NULL,
  form_version BIGINT NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);
CREATE UNIQUE INDEX report_owner ON report (campaign_id, owner_id);

-- A row. vals is JSON with sealed cells inside; pos orders the rows of a report,
-- with gaps; look_keys are the keyed indexes of the sealed cells, as in row_key.
CREATE TABLE report_row (
  report_id BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  version BIGINT NOT NULL,
  faults BIGINT NOT NULL,
  vals BYTEA NOT NULL,
  look_keys BYTEA NOT NULL,
  PRIMARY KEY (report_id, row_id)
);
CREATE INDEX report_row_pos ON report_row (report_id, pos);

-- Where a sealed value is found without opening any: k is the first 8 bytes of the
-- keyed index, kind tells fields apart.
CREATE TABLE row_key (
  kind BIGINT NOT NULL,
  k BIGINT NOT NULL,
  report_id BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  PRIMARY KEY (kind, k, report_id, row_id)
)/*sqlite WITHOUT ROWID*/;

-- The history of a report, only ever added to. delta is sealed whole.
CREATE TABLE change_set (
  report_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  id BIGINT NOT NULL,
  idem_key TEXT NOT NULL,
  source TEXT NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  delta BYTEA NOT NULL,
  PRIMARY KEY (report_id, version),
  UNIQUE (report_id, idem_key)
);

-- What was confirmed to whom, and under which key it was asked. inserted is sealed.
CREATE TABLE receipt (
  report_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  idem_key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  version BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  digest TEXT NOT NULL,
  by_name TEXT NOT NULL,
  at BIGINT NOT NULL,
  inserted BYTEA NOT NULL,
  PRIMARY KEY (report_id, id),
  UNIQUE (report_id, idem_key)
);

-- Previewed workbooks. file and raw are sealed; version 0: never carried.
CREATE TABLE import_record (
  report_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  file BYTEA NOT NULL,
  digest TEXT NOT NULL,
  mode TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  raw BYTEA NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (report_id, id)
);
CREATE INDEX import_record_digest ON import_record (report_id, digest);

-- People who sign in. A login may be a phone number, so it is sealed too.
CREATE TABLE app_user (
  id BIGINT PRIMARY KEY,
  login_key BYTEA NOT NULL,
  login BYTEA NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  disabled BOOLEAN NOT NULL,
  created BIGINT NOT NULL,
  last_seen BIGINT NOT NULL
);
CREATE UNIQUE INDEX app_user_login ON app_user (login_key);

CREATE TABLE user_grant (
  id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL,
  role TEXT NOT NULL,
  unit_id BIGINT NOT NULL,
  valid_from BIGINT NOT NULL DEFAULT 0,
  valid_to BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX user_grant_of_user ON user_grant (user_id);

CREATE TABLE session (
  token_hash BYTEA NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL,
  created BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  address TEXT NOT NULL
);
CREATE INDEX session_of_user ON session (user_id);

-- Failed sign-ins under the keyed index of an account or an address.
CREATE TABLE failure (
  k BYTEA NOT NULL,
  id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (k, id)
);
CREATE INDEX failure_at ON failure (at);

-- One row, which is also what two first set-ups at once wait for.
CREATE TABLE setup_token (
  id BIGINT PRIMARY KEY,
  token_hash BYTEA NOT NULL,
  expires BIGINT NOT NULL,
  uses BIGINT NOT NULL
);
INSERT INTO setup_token (id, token_hash, expires, uses) VALUES (1, '', 0, 0);

CREATE TABLE notice (
  id BIGINT PRIMARY KEY,
  title TEXT NOT NULL,
  issuer TEXT NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL
);

CREATE TABLE attachment (
  notice_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  size BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (notice_id, id)
);

-- What people did. login is sealed. owner is the owner of the report concerned, 0
-- for what concerns none.
CREATE TABLE audit (
  id BIGINT PRIMARY KEY,
  owner BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor BIGINT NOT NULL,
  login BYTEA NOT NULL,
  address TEXT NOT NULL,
  what TEXT NOT NULL,
  object TEXT NOT NULL,
  detail TEXT NOT NULL
);

-- Work to be done later, taken by lease.
CREATE TABLE job (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  run_at BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  payload BYTEA NOT NULL
);
CREATE INDEX job_due ON job (state, run_at);
