package tianbao

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"
)

// Values holds the cells of a row in the order of the form's fields, in normal
// form. It contains ids and phone numbers in clear, so it never prints them:
// every fmt verb, slog and JSON give a count of cells. Code that must send the
// text converts it to []string at the place that has the right to.
type Values []string

// String returns a count of cells, never their text.
func (v Values) String() string { return "[" + strconv.Itoa(len(v)) + " cells]" }

// Format prints the count of cells whatever the verb.
func (v Values) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.String()) }

// LogValue logs the count of cells.
func (v Values) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalJSON writes the count of cells; see the type's comment.
func (v Values) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, v.String()), nil }

// Mark tells how a cell was typed in the workbook it came from, where that
// matters after the text has been read. It stays with the stored cell until the
// cell is edited: an id that was a number has lost its tail for good, also when
// what is left happens to pass the check digit.
type Mark byte

// The marks of a cell.
const (
	MarkNone   Mark = iota
	MarkNumber      // the cell held a number
	MarkDate        // the cell held a date
	MarkError       // the cell held an error value such as #DIV/0!
)

// Reason is the explanation of a fault of severity justify (核实性).
type Reason struct {
	Code string    `json:"code"`
	Text string    `json:"text"`
	By   string    `json:"by"` // the author's login name
	At   time.Time `json:"at"`
}

// Row is one row of a report.
type Row struct {
	ID      ID
	Version int64  // the report version that last changed the row
	Unit    ID     // the unit the row belongs to; 0 when the register has none like it
	Seq     int    // 1, 2, 3 … display order; never an identity
	Values  Values // by position of the form's fields
	Marks   []Mark // nil, or by position of the form's fields
	Reasons []Reason
	// Erased: what the row held of a person was erased; [ErasedMark] stands in its place.
	Erased bool
}

// ErasedMark is what stands for a cell that was erased when its time was over.
const ErasedMark = "已按期清除"

// Mark returns the mark of the i-th cell.
func (r *Row) Mark(i int) Mark {
	if i < len(r.Marks) {
		return r.Marks[i]
	}
	return MarkNone
}

// Severity says what a problem stops.
type Severity string

// The severities of form.md §5.
const (
	SeverityError   Severity = "error"   // 强制性: blocks 上报
	SeverityJustify Severity = "justify" // 核实性: passes with a reason
	SeverityHint    Severity = "hint"    // 提示性: stops nothing
)

// MinReason is the least length of a justify reason, in characters.
const MinReason = 6

// Problem is one fault of one cell, or of a row as a whole.
type Problem struct {
	Row      int    // index into the checked rows, from 0
	RowID    ID     // the row's id, when it has one
	Field    string // field key; empty: the row as a whole
	Code     string // e.g. "person_id.checksum"
	Severity Severity
	// Message is one Chinese sentence that says what is wrong with this value
	// and how to put it right. It quotes no full id or phone number.
	Message string
	// Reason is the accepted explanation of a justify problem, if it has one.
	Reason string
}

// Blocks reports whether the problem stops 上报: an error, or a justify without
// its reason.
func (p *Problem) Blocks() bool {
	return p.Severity == SeverityError || p.Severity == SeverityJustify && p.Reason == ""
}
