INSERT INTO staging (id, report_id, set_id, seen, state) VALUES (910, 500, 911, 1663891200000, 0);
INSERT INTO staged_row (staging_id, kind, row_id, unit_id, pos, faults, vals, look_keys) VALUES
 (910, 0, 603, 3, 1, 0, cells('500/603', '210102199003079913', '16012345678'), looks('210102199003079913', '16012345678'));
INSERT INTO piece (report_id, of_id, n, data) VALUES (500, 720, 0, seal('piece.data', '500/720/0', '[]'));
