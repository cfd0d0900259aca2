// Package ident knows the identifiers of the trade: resident ids and permits,
// social credit codes and organisation codes, phone numbers, personal names,
// budget unit codes, and the regions of Liaoning. It normalises, checks, converts
// and masks them; it stores nothing and imports nothing of ours.
//
// Rules. Normalise first, check the normal form: every checker takes what its
// normaliser returns. A checker answers with a [Fault], never with an error,
// because a wrong id is an everyday answer, and on a clean value nothing here
// allocates. Whatever bytes come in, nothing panics and the cost is linear.
//
// Dangers. Names are never brought to NFC or NFKC: NFC turns U+F92C into U+90CE
// and so renames a person. Ids are never repaired: the tail that a spreadsheet
// zeroed is gone, also when what is left passes its check digit. And values are
// personal: no fault carries the value, so that none can reach a log through it.
package ident
