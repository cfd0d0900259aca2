INSERT INTO legacy_list (owner_id, version, ready, at, by_id, file, digest, row_count, fresh, gone, strange) VALUES (1, 1, TRUE, 1663891200000, 201, seal('legacy_list.file', '1/1', '旧名单.xlsx'), 'd', 1, 1, 0, 0);
INSERT INTO legacy_user (id, since, owner_id, gone, unit_id, line, user_key, content, body) VALUES (1220, 1, 1, 0, 3, 1, index('legacy.user', 'u'), index('legacy.content', 'c'), seal('legacy_user.body', '1220/1', '[]'));
INSERT INTO legacy_header (owner_id, header, field) VALUES (1, '用户名', 'user');
INSERT INTO comparison (id, owner_id, campaign_id, list, at, turn) VALUES (1221, 1, 100, 1, 1663891200000, 1);
INSERT INTO compare_item (comparison_id, side, item_id, unit_id, report_id, list, partner_id, rung, why, agree, alike, differ, others) VALUES (1221, 0, 1220, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO compare_decision (id, comparison_id, old_id, new_id, unit_id, kind, reason, by_id, at, ended, ended_by) VALUES (1222, 1221, 1220, 0, 3, 'ignore', seal('compare_decision.reason', '1222', '已退休'), 201, 1663891200000, 0, 0);
