INSERT INTO credential (id, user_id, kind, k, body, counter, created, used) VALUES (1120, 201, 'oidc', index('credential', 'oidc\0x'), seal('credential.body', '1120/201', '{"kind":"oidc","key":"x","name":"","data":null}'), 0, 1663891200000, 0);
INSERT INTO ceremony (id, k, body, expires) VALUES (1121, bytes('k'), seal('ceremony.body', '1121', '{}'), 1663891200000);
