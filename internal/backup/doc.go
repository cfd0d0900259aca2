// Package backup copies a whole database into one sealed file and back, between moments
// and between engines.
//
// A backup is a copy of the rows, not of the engine's files: what SQLite wrote is read
// back into PostgreSQL and the other way round, and the digest of every table tells
// whether both hold the same. It is taken in one read transaction, so it shows one
// moment, and while it runs everybody goes on saving.
//
// The file is zstd within pieces that the key ring seals (see [seal.StreamWriter]): who has the
// file alone has nothing, who changes, cuts or swaps a piece is found out. It opens with
// the key file of the installation, which must lie elsewhere. An older file opens with an
// older ring, if that was kept.
//
//	file   = magic, 16 random bytes (the backup's id), piece…
//	piece  = length (4 bytes, big endian), sealed bytes; bound to the id, its number, and to being the last
//	inside = zstd( record… )
//	record = 'H' head | 'T' table | 'R' row | 'E' end of table | 'Z' end
//
// Heads and ends are JSON with their length in front. A row is its values in the order of
// the columns: whole numbers and truths as a zigzag varint, texts and bytes with their
// length in front.
//
// Rules: nothing here knows a table by name. Text is not checked and nothing is
// converted, so that a value comes back as it was, byte by byte.
//
// Dangers: while a backup of SQLite is read, the WAL cannot be cut short and grows by
// what is saved meanwhile.
package backup
