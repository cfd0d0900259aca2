UPDATE unit SET search = '' WHERE id = 3;
INSERT INTO unit_past (unit_id, since, until, parent, region_id, path, name, budget_code, org_code, type, kind) VALUES
 (3, 0, 1654012800000, 1, 10, '/1/3/', '第一初级中学', '101001', '12210100000000003C', '事业单位', 'unit');
UPDATE unit SET since = 1654012800000 WHERE id = 3;
INSERT INTO unit_contact (unit_id, contact) VALUES (3, seal('unit_contact.contact', '3', '{"Person":"张示例","Phone":"16012345670"}'));
INSERT INTO unit_request (id, unit_id, field, wish, state, by_id, at, decided_by, decided_at, remark) VALUES
 (1010, 3, 'name', seal('unit_request.wish', '1010', '{"value":"一中","reason":"改名"}'), 'open', 200, 1663891200000, 0, 0, bytes(''));
