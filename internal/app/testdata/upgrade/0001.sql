-- What a program of that schema had written. The test says how seal(), index(), cells(),
-- looks(), look(), kind() and digest() are read.
INSERT INTO region (id, parent, code, name, in_scope) VALUES (9, 0, '210000', '辽宁省', TRUE), (10, 9, '210100', '沈阳市', TRUE);
INSERT INTO unit (id, parent, region_id, path, name, budget_code, org_code, type, kind, valid_from, valid_to) VALUES
 (1, 0, 9, '/1/', '市财政局', '001', '11210100000000001A', '', 'bureau', 0, 0),
 (3, 1, 10, '/1/3/', '第一中学', '101001', '12210100000000003C', '事业单位', 'unit', 0, 0);
INSERT INTO unit_alias (field, value, unit_id) VALUES ('unit_name', '一中', 3);
INSERT INTO unit_history (unit_id, id, at, by_id, what, before) VALUES (3, 50, 1663891200000, 200, 'rename', bytes('{}'));
INSERT INTO campaign (id, title, form, form_version, opens, closes, released) VALUES (100, '采集', 'asset-role', 1, 1663891200000, 0, TRUE);
INSERT INTO report (id, campaign_id, owner_id, form, form_version, version, state, row_count, updated_at, updated_by) VALUES
 (500, 100, 3, 'asset-role', 1, 1, 'draft', 2, 1663891300000, 200);
INSERT INTO report_row (report_id, row_id, unit_id, pos, version, faults, vals, look_keys) VALUES
 (500, 601, 3, 1000, 1, 0, cells('500/601', '210102199003079913', '16012345678'), looks('210102199003079913', '16012345678')),
 (500, 602, 3, 2000, 1, 0, cells('500/602', '210102198805059928', '16012345679'), looks('210102198805059928', '16012345679'));
INSERT INTO row_key (kind, k, report_id, row_id) VALUES
 (kind('person_id'), look('person_id', '210102199003079913'), 500, 601), (kind('phone'), look('phone', '16012345678'), 500, 601),
 (kind('person_id'), look('person_id', '210102198805059928'), 500, 602), (kind('phone'), look('phone', '16012345679'), 500, 602);
INSERT INTO change_set (report_id, version, id, idem_key, source, by_id, at, delta) VALUES
 (500, 1, 700, 'key-1', 'page', 200, 1663891300000, seal('change_set.delta', '500/1', '{"changes":[]}'));
INSERT INTO receipt (report_id, id, idem_key, request_digest, kind, number, version, row_count, digest, by_name, at, inserted) VALUES
 (500, 710, 'key-1', 'asked', 'save', 'TB-1', 1, 2, 'd', '填报员', 1663891300000, seal('receipt.inserted', '500/710', '{"t1":601}'));
INSERT INTO import_record (report_id, id, file, digest, mode, row_count, by_id, at, raw, version) VALUES
 (500, 720, seal('import_record.file', '500/720', '采集表.xlsx'), 'x', 'merge', 2, 200, 1663891250000, seal('import_record.raw', '500/720', '[]'), 1);
INSERT INTO app_user (id, login_key, login, name, hash, disabled, created, last_seen) VALUES
 (200, index('app_user.login', 'clerk'), seal('app_user.login', '200', 'clerk'), '填报员', 'hash', FALSE, 1663891200000, 1663891200000),
 (201, index('app_user.login', 'chief'), seal('app_user.login', '201', 'chief'), '主管', 'hash', FALSE, 1663891200000, 1663891200000);
INSERT INTO user_grant (id, user_id, role, unit_id, valid_from, valid_to) VALUES (300, 200, 'filler', 3, 0, 0), (301, 201, 'admin', 0, 0, 0);
INSERT INTO session (token_hash, user_id, created, seen, address) VALUES (bytes('token'), 200, 1663891200000, 1663891200000, '127.0.0.1');
INSERT INTO failure (k, id, at) VALUES (index('failure', 'x'), 1, 1663891200000);
INSERT INTO notice (id, title, issuer, body, at) VALUES (800, '通知', '省财政厅', '正文', 1663891200000);
INSERT INTO attachment (notice_id, id, pos, name, type, size, data) VALUES (800, 801, 1, '附件.txt', 'text/plain', 2, bytes('ok'));
INSERT INTO job (id, kind, state, run_at, lease_until, attempt, last_error, payload) VALUES (900, 'none', 'done', 0, 0, 0, '', bytes(''));
INSERT INTO audit (id, owner, at, actor, login, address, what, object, detail) VALUES (950, 3, 1663891200000, 200, bytes(''), '127.0.0.1', 'save', '500', '');
