-- +goose Up
-- Facts of the installation. "keys" is the fingerprint of the key file that the
-- sealed columns were made with: a database and a key file that do not belong
-- together must be told apart before anything is written.
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
