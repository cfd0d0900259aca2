-- +goose Up
-- Accounts of the new budget platform (新平台账号), as they were applied. person_key and
-- login_key are keyed indexes; body is sealed: id, name, login, old user name. external is
-- the other side's id, empty where accounts go there by file.
CREATE TABLE platform_account (
  id BIGINT PRIMARY KEY,
  person_key BYTEA NOT NULL,
  login_key BYTEA NOT NULL,
  body BYTEA NOT NULL,
  disabled BOOLEAN NOT NULL,
  external TEXT NOT NULL,
  made BIGINT NOT NULL,
  changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX platform_account_person ON platform_account (person_key);
CREATE UNIQUE INDEX platform_account_login ON platform_account (login_key);

-- The units of an account; pos 0 is the home.
CREATE TABLE platform_unit (
  account_id BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, pos)
)/*sqlite WITHOUT ROWID*/;
CREATE INDEX platform_unit_of ON platform_unit (unit_id);

-- A plan for the subtree of a unit. open_root is root_id while the plan is open (planned or
-- approved) and less than 0 afterwards, so that a subtree has one open plan. proof: only
-- phones that were verified count. node carries the plan out until the time of until.
CREATE TABLE platform_plan (
  id BIGINT PRIMARY KEY,
  campaign_id BIGINT NOT NULL,
  root_id BIGINT NOT NULL,
  open_root BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'approved', 'done', 'dropped')),
  proof BOOLEAN NOT NULL,
  kept BIGINT NOT NULL,
  made BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  approved BIGINT NOT NULL,
  approved_by BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  node TEXT NOT NULL,
  until BIGINT NOT NULL,
  trouble TEXT NOT NULL
);
CREATE UNIQUE INDEX platform_plan_open ON platform_plan (open_root);
CREATE INDEX platform_plan_state ON platform_plan (state, until);

-- Its steps in order. account_id is set when the plan is made, also for accounts to come, so
-- that a step that is taken again names the same account. needs: the step before, -1 none.
-- body is sealed: the account before and after, the rows. reason: why it failed.
CREATE TABLE platform_step (
  plan_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  kind TEXT NOT NULL,
  account_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  needs BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'sending', 'applied', 'failed', 'skipped')),
  reason TEXT NOT NULL,
  at BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (plan_id, n)
);

-- Who is held, and why. body is sealed.
CREATE TABLE platform_held (
  plan_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  why TEXT NOT NULL,
  account_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (plan_id, n)
);
