// Package seal keeps cells secret at rest: it seals and opens single values, makes
// keyed indexes by which a sealed value can be found without being opened, and
// keyed digests for receipts and files.
//
// Two suites stand behind one [Ring]: SM4-GCM with HMAC-SM3 (GB/T 32907-2016,
// GB/T 36624-2018, GB/T 32905-2016), the default, and AES-256-GCM with
// HMAC-SHA-256. A sealed value is
//
//	algorithm (1) · key id (4) · nonce (12, random) · ciphertext · tag (16)
//
// so a value tells by itself how it was made, the newest key seals and every older
// one still opens. The associated data names the place of the value (table, column,
// row, see [Place]); a value copied to another place does not open there.
//
// Rules: sealing, indexing and digests each have their own key. Errors, logs and
// every fmt verb show key ids at most.
//
// Dangers: a random nonce of 96 bits allows 2^32 sealings under one key before a
// repeat becomes likely enough to matter (NIST SP 800-38D §8.3); a province makes
// some 10^8. [Rotate] adds a key, [Live] takes it into use while the program runs. An index tells whoever reads the database which values are equal, and
// whoever holds its key can try all ids; it is as secret as the values. Losing the
// key file loses the values.
package seal
