INSERT INTO form_draft (id, name, base, definition, version, updated_at, updated_by) VALUES (1190, 'other', 0, bytes('{}'), 1, 1663891200000, 201);
