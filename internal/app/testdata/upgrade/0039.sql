INSERT INTO notice_scope (notice_id, unit_id) VALUES (800, 1);
INSERT INTO notice_version (notice_id, version, title, issuer, body, at) VALUES (800, 1, '通知', '省财政厅', '正文', 1663891200000);
INSERT INTO notice_read (notice_id, user_id, unit_id, version, first_at, at) VALUES (800, 200, 3, 1, 1663891200000, 1663891200000);
INSERT INTO question (id, notice_id, campaign_id, unit_id, by_id, at, state, turn, asked, shown, answer, answered_at, answered_by, bureau_id, seen) VALUES
 (1200, 800, 100, 3, 200, 1663891200000, 'open', 1, seal('question.asked', '1200', '问'), bytes(''), bytes(''), 0, 0, 0, 0);
