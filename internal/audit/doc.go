// Package audit keeps the trail of what people did honest: it says what a record's
// hash covers, links records into chains, signs checkpoints of them, and finds out
// whether anything was bent since.
//
// A record is linked to the one before it in its lane by SM3 over both (the chain),
// and bound to the installation by a keyed digest of that hash (the mac). Whoever can
// write to the database but has no key can therefore change, add, take out, exchange
// or cut off nothing unnoticed. Checkpoints hold the heads of all lanes at a time,
// signed with SM2; kept elsewhere, they also show that the whole database was put
// back to an earlier state, and they can be verified without any secret.
//
// There are several lanes because the records of one lane are written one after the
// other; a lane is chosen by the unit concerned, so the records of a unit keep their
// order.
//
// What a record says of a person (a typed login name, a stated reason) is sealed, and
// the hash covers only a keyed digest of it: it can be erased, and the chain still
// stands.
package audit
