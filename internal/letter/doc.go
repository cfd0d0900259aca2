// Package letter reads a mail that a stranger wrote: who sent it, what it is about, the
// files it carries, and whether a machine sent it.
//
// Rules: files are told by their content and never by name or type. They are found in
// nested messages and in zip archives too. Clients break the standards in known ways, and
// what they write is read: names of files in raw GBK, RFC 2047 words inside parameters, a
// character cut in two by two words, an endless last part. Authentication-Results count
// from the one host that is trusted (RFC 8601 §5), and only the topmost of it.
//
// Danger: every byte is the sender's. Bytes, depth, parts, files and what archives unfold
// to are bounded by [Limits]; a mail beyond them is refused whole, by a [Fault]. What is
// returned shares memory with the mail. Names, texts and addresses are personal.
package letter
