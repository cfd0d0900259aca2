package sheet

import "context"

// Kind is the type of a cell as the file gives it.
type Kind uint8

// The kinds of cells.
const (
	Text   Kind = iota // text, also a formula's text
	Number             // a number; NumFmt tells how it is shown
	Bool               // "1" or "0"
	Error              // an error value such as #DIV/0!
	Date               // a date in ISO 8601 text (strict OOXML); a serial number with a date format is a Number
)

// NumFmt is what a number format means to a reader of codes: whether it shows a
// date, and how many digits it pads to (000000).
type NumFmt struct {
	Date  bool
	Zeros uint8
}

// Cell is one cell that is not blank.
type Cell struct {
	Col     int  // from 0
	Kind    Kind // how the file typed it
	Formula bool // Raw is a formula's cached value
	NumFmt  NumFmt
	// Raw is the text, or the number as the file writes it. It is valid only
	// until the callback returns.
	Raw []byte
	// Lasting: Raw is never written again, so that a string may share its memory. It
	// is true of shared strings.
	Lasting bool
}

// RowData is one row with at least one cell, its cells in column order. Rows come
// in the order of the file, which need not be that of their numbers.
type RowData struct {
	Num    int  // from 1
	Hidden bool // hidden or filtered away
	Cells  []Cell
}

// Merge is a merged range, all bounds inclusive; rows count from 1, columns from 0.
type Merge struct {
	Row1, Row2 int32
	Col1, Col2 int16
}

// SheetInfo names one sheet of a workbook.
type SheetInfo struct {
	Name   string
	Hidden bool // hidden or veryHidden
}

// book is an opened workbook of any format. A new format needs this interface and
// a line in open.
type book interface {
	// sheets lists the sheets in tab order.
	sheets() []SheetInfo
	// rows streams sheet i and returns its merged ranges, which stand behind the
	// rows. An error of fn ends it and is returned as it is; errStop ends it early
	// without an error and without merges.
	rows(ctx context.Context, i int, fn func(*RowData) error) ([]Merge, error)
	// date1904 reports whether serial dates count from 1904.
	date1904() bool
}
