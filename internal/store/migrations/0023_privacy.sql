-- +goose Up
-- Full values of a row that somebody looked at, as long as they count for the limit.
CREATE TABLE reveal (
  user_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- When the personal cells of a campaign were erased (0: they were not).
ALTER TABLE campaign ADD COLUMN erased BIGINT NOT NULL DEFAULT 0;
