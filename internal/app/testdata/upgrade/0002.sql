INSERT INTO setting (name, value) VALUES ('keys', digest('fingerprint'));
