INSERT INTO certificate (id, campaign_id, unit_id, number, unit_name, at, by_id, expected, done, digest, body) VALUES (1170, 100, 1, 'Z-1', '市财政局', 1663891200000, 201, 1, 0, 'd', bytes('gz'));
