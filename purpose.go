package tianbao

import "time"

// Purpose is a version of the purpose notice (告知书): who collects what of people, what
// for and for how long, and what rights they have (PIPL art. 7, 17). Whoever fills in
// says yes to the newest version before the first entry.
type Purpose struct {
	Version int // 1, 2, 3 …; 0: there is none
	At      time.Time
	By      string // who published it, empty: the program
	Text    string // Markdown
	Yes     int    // how many accounts said yes to it, in lists
}
