INSERT INTO remind_policy (campaign_id, version, active, days, every_hours, from_minute, to_minute, weekends, days_off, days_on, channels, body, at, by_id) VALUES
 (100, 1, FALSE, 3, 24, 540, 1020, FALSE, '', '', 'page', '请填报', 1663891200000, 201);
INSERT INTO remind_turn (campaign_id, unit_id, last) VALUES (100, 3, 1663891200000);
INSERT INTO remind_outbox (id, campaign_id, unit_id, due, channel, hand, made, by_id, state, reason, attempts, next, node, sent, body, read_at, read_by) VALUES
 (1180, 100, 3, 1663891200000, 'mail', FALSE, 1663891200000, 0, 'sent', '', 1, 0, '', 1663891201000, seal('remind_outbox.body', '1180', '{}'), 0, 0);
INSERT INTO unit_mail (unit_id, address, at, by_id) VALUES (3, seal('unit_mail.address', '3', 'a@example.cn'), 1663891200000, 200);
