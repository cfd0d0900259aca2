INSERT INTO mail_message (id, k, sender, received, judged, state, verdict, fault, cleared, attempts, next, node, unit_id, size, copies, row_count, faults, spf, dkim, dmarc, head) VALUES
 (1210, index('mail message', 'x'), index('mail address', 'a@example.cn'), 1663891200000, 1663891201000, 'answered', 'saved', '', FALSE, 1, 0, '', 3, 10, 0, 2, 0, '', '', '', seal('mail_message.head', '1210', '{}'));
INSERT INTO mail_text (message_id, data) VALUES (1210, seal('mail_text.data', '1210', 'raw'));
INSERT INTO mail_sender (id, k, address, unit_id, how, by_id, at) VALUES (1211, index('mail address', 'a@example.cn'), seal('mail_sender.address', '1211', 'a@example.cn'), 3, 'officer', 201, 1663891200000);
INSERT INTO mail_reply (id, message_id, state, attempts, next, node, sent, body, file) VALUES (1212, 1210, 'sent', 1, 0, '', 1663891201000, seal('mail_reply.body', '1212', '{}'), bytes(''));
INSERT INTO mail_box (name, validity, last, since) VALUES ('digest', 1, 2, 1663891200000);
