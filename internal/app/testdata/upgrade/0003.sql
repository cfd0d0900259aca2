INSERT INTO draft (report_id, user_id, id, at, body) VALUES (500, 200, 'draft-1', 1663891400000, seal('draft.body', '500/200', '{}'));
