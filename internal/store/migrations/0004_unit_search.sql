-- +goose Up
-- What a unit is looked for by: its codes, its name and the name's pinyin initials, in
-- lower case, each between line feeds. The program writes it with the unit, and fills
-- it in at start where it is '' (units from before this step).
ALTER TABLE unit ADD COLUMN search TEXT NOT NULL DEFAULT '';
-- A search reads no more of the units than this, in the order of the tree.
CREATE INDEX unit_search ON unit (path, valid_to, search, name);
