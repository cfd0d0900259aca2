// Package ship keeps a folder from which an SQLite database can be put back as it was at
// any second of some days: a base copy of its pages now and then, and between them every
// page that a commit wrote, with the time of the commit.
//
// A folder holds lines. A line is an unbroken record, from one start of the server, or one
// gap, to the next:
//
//	LINE/base-FROM-TO-TIME   all pages; with the frames up to TO the database of TIME
//	LINE/log-FROM-TO-TIME    frames FROM+1 … TO, whole commits, the last of them of TIME
//	LINE/state               how far the record is known to reach, and whether it was ended
//
// Frames are numbered from 1 in their line, times are microseconds since 1970. Every file
// is zstd within a sealed stream ([seal.StreamWriter]) that is bound to the line and to
// what it is; it gets its name when all of it is on the disk. Small logs are joined to
// larger ones by and by.
//
// The digest of a database is the exclusive or of a sum of every page and its number, so
// that each commit has one at the cost of its own pages. It stands beside each commit, and
// what is put back is held against it. Digests find damage and mistakes; against forgers
// stands the seal.
//
// Rules: nothing here waits for the database or lets it wait: [Shipper] reads the log of
// changes beside it ([db.Log]). What is missing is told and never passed over.
//
// Dangers: the digest takes 8 bytes of memory a page, and while a base copy is made the
// log of changes cannot begin anew. Who may write into the folder can remove its newest
// files together with the state, which nobody can tell from a server that ended then.
package ship
