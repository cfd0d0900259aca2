INSERT INTO reveal (user_id, id, at) VALUES (200, 1110, 1663891200000);
