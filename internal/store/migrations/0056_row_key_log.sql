-- +goose Up
-- Search keys of SQLite that row_key does not have yet, a line for each commit: their places
-- in row_key lie all over it, so they are brought there many at a time, in its order. data
-- holds them one after the other, in the form of keylog.go; n is the order of the commits.
CREATE TABLE row_key_log (
  n BIGINT PRIMARY KEY,
  data BYTEA NOT NULL
);
