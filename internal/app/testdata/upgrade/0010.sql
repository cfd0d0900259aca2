INSERT INTO role_grant (id, user_id, role, unit_id, valid_from, valid_to, by_id) VALUES (302, 200, 'department', 1, 0, 0, 201);
