package tianbao

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Draft is what a person has filled in and not submitted yet: one a report and
// person. Only its author ever sees it.
type Draft struct {
	Report ID
	User   ID
	// Name is the page's name for it; a save that contains the draft names it.
	Name string
	At   time.Time
	// Body is the draft as JSON, with ids and phones in clear: it is sealed at rest.
	Body []byte
}

// String tells the size only.
func (d Draft) String() string { return fmt.Sprintf("[draft of %d bytes]", len(d.Body)) }

// Format prints String whatever the verb, so that no log shows the content.
func (d Draft) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue logs String.
func (d Draft) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Version tells how far a report has come.
type Version struct {
	Number int64
	By     string // display name of who saved it
}
