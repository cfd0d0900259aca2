INSERT INTO region_map (region_id, approval, shapes, at, by_id) VALUES (9, 'GS(2022)1', '{}', 1663891200000, 201);
