INSERT INTO phone_code (id, phone_key, person_key, campaign_id, unit_id, sending, state, made, by_id, next, node, attempts, expires, tries, day, sends, wrong, body) VALUES
 (1245, index('phone.phone', '16012345678'), index('phone.person', '210102199003079913'), 100, 3, 1246, 'used', 1663891200000, 200, 0, '', 1, 1663891500000, 0, 20220923, 1, 0, bytes(''));
INSERT INTO phone_proof (id, person_key, phone_key, campaign_id, unit_id, at, by_id, sent_by) VALUES (1247, index('phone.person', '210102199003079913'), index('phone.phone', '16012345678'), 100, 3, 1663891400000, 200, 201);
