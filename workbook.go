package tianbao

import "time"

// Import is what a workbook gave: the rows of the form found in it, and what was
// noticed on the way. A file is read whole or not at all.
type Import struct {
	Sheet string // name of the sheet on which the form was found
	Rows  []ImportedRow
	// Remarks are Chinese sentences for the sender: an unknown column left out,
	// hidden rows that were read.
	Remarks []string
	// Columns gives each field's 0-based column in the sheet, -1 where absent.
	Columns []int
	// SeqColumn is the 0-based column of the row number, -1 where absent.
	SeqColumn int
	// Unknown are the columns that the form does not have, in the sheet's order;
	// ImportedRow.Unknown holds their texts.
	Unknown []string
	// Origin is what an exported workbook says of itself, nil for a foreign one and
	// for one whose signature does not fit.
	Origin *Origin
	// Carried is what the workbook says of its origin as it stands in the file, name
	// and text by turns, and not verified: an annotated copy carries it on, so that it
	// can still be merged where the keys are.
	Carried []string
}

// Origin is the mark that an exported workbook carries home: which report it came
// from, at which version, and which rows it held. It is signed; a row's own mark
// (ImportedRow.Row.ID) counts only together with it.
type Origin struct {
	Report  ID
	Form    string
	FormV   int
	Version int64 // of the report when it was exported
	At      time.Time
	Held    []ID // the rows the workbook held, in order
	// Home gives, where the rows are not kept in Import.Rows, the id that each proves
	// by its mark, 0 for a row that is new. ImportedRow.Row.ID is the same.
	Home []ID
}

// Stamp asks for an exported workbook to carry its origin, so that it can come
// back and be merged row by row.
type Stamp struct {
	Report  ID
	Version int64
	At      time.Time
	// Digest is a keyed digest (internal/seal) that signs the origin.
	Digest func(label string, parts ...[]byte) string
}

// ExportMark marks an exported workbook with who took it away: Code invisibly in its
// cells, Line in the footer of its printed pages.
type ExportMark struct {
	Code uint32
	Line string
}

// ImportedRow is a row as the workbook had it, in normal form.
type ImportedRow struct {
	Row      Row      // ID and Version as a signed file carries them, else 0
	Seq      string   // the text of the 序号 cell
	SheetRow int      // 1-based row of the sheet
	Raw      []string // the cells before normalisation, by position of the form's fields
	Hidden   bool     // the row was hidden in the workbook
	Unknown  []string // the texts of Import.Unknown's columns, nil when there are none
	// Untouched tells that the row's cells are just what was exported (the digest
	// that the row carries fits them). An export may hold edits that were never
	// saved, so a merge compares with the stored base and not with this.
	Untouched bool
	Carried   string // the row's hidden mark as it stands in the file, see Import.Carried
}

// WorkbookError is a failure to read a workbook, with the code of form.md §6:
// "unreadable", "no_header", "encrypted", "unsupported" or "too_large"; and where the
// sender can help, "bad_password", or "choose_sheet" with the Choices.
func WorkbookError(code, message string, cause error) *Error {
	kind := ErrInvalid
	if code == "too_large" {
		kind = ErrTooLarge
	}
	return &Error{Kind: kind, Code: code, Message: message, Err: cause}
}
