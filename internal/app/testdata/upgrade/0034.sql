INSERT INTO unit_remark (id, verdict_id, campaign_id, unit_id, report_id, row_id, field, level, remark, at) VALUES
 (1160, 1152, 100, 3, 500, 601, 'phone', 2, seal('unit_remark.remark', '1160', '{}'), 1663891250000);
INSERT INTO unit_seen (verdict_id, report_id, version) VALUES (1152, 500, 1);
INSERT INTO unit_proof (id, campaign_id, type, size, name, data) VALUES (1161, 100, 'text/plain', 2, seal('unit_proof.name', '1161', '证明.txt'), seal('unit_proof.data', '1161', 'ok'));
