INSERT INTO session (token_hash, user_id, created, seen, address, id, stepped) VALUES (bytes('token-2'), 200, 1663891200000, 1663891200000, '127.0.0.1', 1100, 0);
INSERT INTO password_past (user_id, id, hash) VALUES (200, 1101, 'hash');
INSERT INTO factor (id, user_id, secret, created, confirmed, used) VALUES (1102, 201, seal('factor.secret', '1102', 'secret'), 1663891200000, 1663891200000, 0);
INSERT INTO recovery_code (user_id, k) VALUES (201, index('recovery_code', 'x'));
INSERT INTO activation (id, k, unit_id, user_id, by_id, created, expires, used) VALUES (1103, index('activation', 'x'), 3, 0, 201, 1663891200000, 1666483200000, 0);
