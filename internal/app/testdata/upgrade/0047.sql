INSERT INTO platform_account (id, person_key, login_key, body, disabled, external, made, changed) VALUES (1240, index('platform_account.person', 'x'), index('platform_account.login', 'x'), seal('platform_account.body', '1240', '{}'), FALSE, '', 1663891200000, 1663891200000);
INSERT INTO platform_unit (account_id, pos, unit_id) VALUES (1240, 0, 3);
INSERT INTO platform_plan (id, campaign_id, root_id, open_root, state, proof, kept, made, by_id, approved, approved_by, ended, node, until, trouble) VALUES (1241, 100, 1, -1241, 'done', FALSE, 0, 1663891200000, 201, 1663891200000, 202, 1663891300000, '', 0, '');
INSERT INTO platform_step (plan_id, n, kind, account_id, unit_id, needs, state, reason, at, body) VALUES (1241, 0, 'create', 1240, 3, -1, 'applied', '', 1663891300000, seal('platform_step.body', '1241/0', '{}'));
INSERT INTO platform_held (plan_id, n, why, account_id, unit_id, body) VALUES (1241, 0, 'two', 0, 3, seal('platform_held.body', '1241/0', '{}'));
