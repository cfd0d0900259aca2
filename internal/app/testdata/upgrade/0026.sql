INSERT INTO purpose (version, at, by_id, body) VALUES (1, 1663891200000, 201, '{}');
INSERT INTO purpose_yes (user_id, version, at) VALUES (200, 1, 1663891200000);
