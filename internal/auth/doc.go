// Package auth knows who acts: local accounts, passwords, sessions, lockout and
// the one-time set-up link.
//
// Rules: a password is stored as argon2id with its parameters; a session token is
// 256 random bits of which only the SHA-256 is stored; five wrong passwords in
// fifteen minutes lock an account, known or not, so that nobody learns which
// names exist; there is no default account and no default password.
//
// Danger: passwords and tokens pass through here in clear. They never reach an
// error, a log or the trail.
package auth
