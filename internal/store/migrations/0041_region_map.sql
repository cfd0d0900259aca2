-- +goose Up
-- The map that a province brought for its regions: its approval number (审图号) and the
-- outlines as figures draw them. The program ships none.
CREATE TABLE region_map (
  region_id BIGINT PRIMARY KEY,
  approval TEXT NOT NULL,
  shapes TEXT NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL
);
