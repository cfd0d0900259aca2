package tianbao

// Beside looks up what stands beside a report: in the old system's list of users, and in
// the reports of other units. A function that is nil knows nothing.
type Beside struct {
	// Old tells what the old list has for a user name and a unit; unit 0: not known.
	Old func(user string, unit ID) (OldMatch, error)
	// Expect says which resident ids are asked for next, so that those that nobody else has,
	// which is nearly all of them, are known at once; it may be left out.
	Expect func(persons []string) error
	// Elsewhere tells which other units of the collection have a row with the resident id.
	Elsewhere func(person string, unit ID) (ElsewhereMatch, error)
}

// OldMatch is what the old list has for a user name.
type OldMatch int

// The answers.
const (
	OldHere    OldMatch = iota // the unit has this user, or nobody knows better
	OldUnknown                 // no unit has
	OldOther                   // other units only
)

// ElsewhereMatch is what other units have of a person.
type ElsewhereMatch struct {
	Found bool
	// Units names those of them that whoever fills in the report may see.
	Units []string
}
