package tianbao

import "time"

// Retention is for how long a campaign's personal cells are kept.
type Retention struct {
	Campaign ID
	Title    string
	Closes   time.Time // in the zone of Shanghai; zero: it has no end
	Erased   time.Time // zero: they were not
	Months   int       // after the end; 0: as the operator's setting says
}

// KeptUntil returns when the months after the end are over.
func (r *Retention) KeptUntil(months int) time.Time {
	return r.Closes.AddDate(0, months, 0)
}

// PersonErased counts what is erased of a person.
type PersonErased struct {
	Rows   int64 // that hold the person now
	Saves  int64 // whose contents named the person
	Others int64 // drafts, imports, receipts, contacts, requests, lines of the trail
	Kept   int64 // rows in collections whose time is not over: they stay
}

// Erased counts what is erased of a collection.
type Erased struct{ Reports, Rows, Saves int64 }
