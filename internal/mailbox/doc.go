// Package mailbox fetches mails, from an IMAP mailbox or from a folder, and hands each to
// who keeps it.
//
// Rules: the one host that is called is the one the operator names, over TLS from the first
// byte or by STARTTLS, in the clear only on the loopback. The mailbox is opened read-only:
// nothing in it is marked, moved or deleted. How far it was read is kept with the mails, in
// one transaction, so that a kill loses and doubles none. Mails from before the first look
// are left alone. After login the client says who it is (RFC 2971), without which some
// providers refuse to open a mailbox. New mail is waited for by IDLE (RFC 2177), and looked
// for from time to time where there is none.
//
// Danger: what servers say may repeat addresses and passwords, so errors bear their codes
// and never their words.
package mailbox
