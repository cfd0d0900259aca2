// Package store keeps everything on SQLite or PostgreSQL: every SQL text and every
// migration is here. It implements the stores that the packages below declare
// (report.Store, auth.Store) and the catalogue of the pages.
//
// Rules: an SQL text is a constant sqlXxx beside its function, in the portable
// subset of package db; a test prepares each on both engines. Reads that depend on
// who asks take a tianbao.Scope into the query: SCOPE(u.path) in a text stands for
// "within the viewer's subtrees", and what lies outside is tianbao.NotFound. LIST
// stands for a list of placeholders.
//
// Sealed fields of a form, history, imported cells and logins are stored only as
// package seal makes them, bound to their table, column and row. They are sealed
// and encoded before the transaction begins, because on SQLite a transaction holds
// up all other writers.
//
// Danger: a value that is put into a column in clear is on the disk, in the WAL
// and in every backup for good.
package store
