package tianbao

import "time"

// FormDraft is a form definition that is worked on. It becomes a version when it is
// published, and reports never use it before.
type FormDraft struct {
	ID   ID
	Name string // of the form
	// Base is the newest version of the form when the draft was begun, 0: it had none.
	// Only while it still is the newest may the draft be published.
	Base int
	// Definition is the draft as a definition file, maybe with faults.
	Definition []byte
	// Version counts its changes; a change names the one that it was made on.
	Version int64
	At      time.Time // of the last change
	By      string    // who made it
}

// FormVersion is a published version of a form, without its definition.
type FormVersion struct {
	Name    string
	Version int
	At      time.Time
	By      string // who published it, empty: it came with the program
}
