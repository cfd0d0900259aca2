// Package intake takes workbooks from a folder, for service teams and shared
// drives: each file goes through the same door as page and API, and leaves its
// receipt, or a copy with its faults marked, beside it. [Letters] is the door for
// what comes by mail (internal/post), where the unit is the sender's.
//
// Rules of the folder: a file belongs to the report that its origin names, else to the unit after
// whose code its folder is named, else to the one unit that all its rows name, else
// it waits with a note. Rows are saved, never reported upward. A file is taken when
// it has stopped growing, once: its content is its idempotency key, so a restart at
// any point neither loses nor doubles it. The original is never changed or moved.
//
// Danger: the folder is outside the database, so what is written there can be read
// by whoever may read the folder. Receipts name no people; the marked copy holds
// what the sender's own file held.
package intake
