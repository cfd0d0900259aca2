package ident

import "strings"

// Fault is what is wrong with, or remarkable about, a value: a set, as a number
// may be too short and hold a letter too, and a form may ask for one of the two
// only. It says no more than the class; the words for people are made where the
// field is known.
type Fault uint32

// OK is the set without a fault.
const OK Fault = 0

// The faults.
const (
	Length     Fault = 1 << iota // too short or too long
	Charset                      // a character that does not belong there
	Replaced                     // U+FFFD: the character was lost by a conversion before it came here
	PrivateUse                   // a private-use character, drawn by one machine's font only
	Dot                          // a name's separator stands first, last or twice
	Checksum                     // the check digit does not fit
	Birthdate                    // no such day
	Future                       // a birth after today
	Ancient                      // a birth before 1900
	Province                     // no such province, or one that issues no such number
	Nation                       // no such nationality code
	Masked                       // a masked export, typed in again
	Old15                        // a 15-digit resident id of 1989
	Excel                        // a number's form: exponent, ".0", or a zeroed tail
	Permit                       // right, and a residence permit or a permanent-resident card
	Kind                         // the first two characters name no kind of body
	OldForm                      // right, and a nine-character code of GB 11714
	NotPublic                    // right, and not of a public body
	Segment                      // a mobile number outside 13-19
	NoArea                       // a landline without its area code
	AreaCode                     // an area code that does not exist
	Number                       // a landline number that its area cannot have
	Landline                     // right, and a landline
)

// names gives the names of the faults, in the order of their bits.
const names = "length,charset,replaced,private use,dot,checksum,birthdate,future,ancient,province,nation,masked,old15,excel,permit,kind,old form,not public,segment,no area,area code,number,landline"

// String returns the names of the faults in the set, for tests and logs.
func (f Fault) String() string {
	if f == OK {
		return "ok"
	}
	var in []string
	for i, name := range strings.Split(names, ",") {
		if f>>i&1 == 1 {
			in = append(in, name)
		}
	}
	return strings.Join(in, "+")
}

// Has reports whether any of the given faults is in the set.
func (f Fault) Has(any Fault) bool { return f&any != 0 }
