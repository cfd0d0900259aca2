// Package db is the ground under every stored thing: one small face for SQLite and
// PostgreSQL, so that one SQL text serves both.
//
// Reads go to [DB.Each], [DB.One] and [Collect], or to [DB.Read] when several must
// see one moment. Writes go through [DB.Tx] and are durable when it returns nil.
//
// SQLite has one write connection, used by one goroutine, the committer: it takes
// all changes that wait, runs each in its own savepoint, commits them, and has them
// answered after one fsync (group commit), during which the next group runs. PostgreSQL runs a transaction on
// a connection of its own and repeats it after a serialization failure.
//
// Rules: SQL is written with $1, $2 … and in the portable subset (ids and times
// are BIGINT made by the program; no now(), ILIKE, ANY, FOR UPDATE, sequences,
// triggers; no NULL unless it is read with COALESCE). Where the engines part,
// migrations carry fragments, see [Options]. Text arguments are cleaned of NUL and
// invalid UTF-8, which PostgreSQL refuses and SQLite would store.
//
// Dangers: the function given to Tx holds up every other writer of an SQLite
// database, so it seals, encodes and thinks before, not inside. It may run more
// than once, so it must not add to variables outside; and it must not call
// t.Fatal (runtime.Goexit), which would take the committer with it.
package db
