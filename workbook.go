package tianbao

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
}

// ImportedRow is a row as the workbook had it, in normal form.
type ImportedRow struct {
	Row      Row      // ID and Version as the file carries them, else 0
	Seq      string   // the text of the 序号 cell
	SheetRow int      // 1-based row of the sheet
	Raw      []string // the cells before normalisation, by position of the form's fields
	Hidden   bool     // the row was hidden in the workbook
}

// WorkbookError is a failure to read a workbook, with the code of form.md §6:
// "unreadable", "no_header", "encrypted", "unsupported" or "too_large".
func WorkbookError(code, message string, cause error) *Error {
	kind := ErrInvalid
	if code == "too_large" {
		kind = ErrTooLarge
	}
	return &Error{Kind: kind, Code: code, Message: message, Err: cause}
}
