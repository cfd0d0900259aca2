INSERT INTO unit_part (report_id, unit_id, campaign_id, row_count, faulty, newest, sent) VALUES (500, 3, 100, 2, 0, 1, 0);
INSERT INTO unit_status (campaign_id, unit_id, turn, state, row_count, faulty, review, passes, declared, since) VALUES (100, 3, 1, 'saved', 2, 0, '', 0, '', 1663891300000);
INSERT INTO unit_status_log (campaign_id, unit_id, at, id, state, row_count, faulty, by_id) VALUES (100, 3, 1663891300000, 1150, 'saved', 2, 0, 200);
INSERT INTO unit_declaration (id, campaign_id, unit_id, kind, reason, attachment_id, by_id, at, ended, ended_by) VALUES
 (1151, 100, 3, 'nil', seal('unit_declaration.reason', '1151', '无人'), 0, 200, 1663891200000, 1663891250000, 200);
INSERT INTO unit_verdict (id, campaign_id, unit_id, verdict, level, last, remark, by_id, at) VALUES
 (1152, 100, 3, 'withdraw', 2, FALSE, seal('unit_verdict.remark', '1152', '看错了'), 201, 1663891250000);
