UPDATE campaign SET keep_months = 24 WHERE id = 100;
INSERT INTO erasure (id, at, by_id, state, person) VALUES (1130, 1663891200000, 201, 1, bytes(''));
