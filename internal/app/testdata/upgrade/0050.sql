INSERT INTO person_answer (campaign_id, from_report, from_row, unit_id, answer, report_id, row_id, by_id, at) VALUES (100, 500, 601, 3, 'left', 0, 0, 200, 1663891200000);
