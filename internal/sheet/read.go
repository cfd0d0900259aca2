package sheet

import (
	"context"
	"errors"
	"io"

	"tianbao"
	"tianbao/internal/check"
)

// ReadOptions says what the sender helps with. The zero value reads what needs no
// help.
type ReadOptions struct {
	Password string // of an encrypted workbook
	Sheet    string // title of the sheet to read, where several could be meant
	// Headers says which field a header means, by [HeaderName] and the field's key, before
	// the names that the form knows; with an empty key its column is left out.
	Headers map[string]string
	// Digest checks the signature of a workbook that was exported; without it every
	// workbook is a foreign one.
	Digest func(label string, parts ...[]byte) string
}

// Read finds the form in a workbook and returns its rows in normal form. What kind
// of file it is is told by its content; name serves as the title of a sheet that
// has none. The error is a *tianbao.Error made by tianbao.WorkbookError, or wraps
// the end of ctx. With an error nothing is returned.
func Read(ctx context.Context, r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions) (*tianbao.Import, error) {
	return read(ctx, r, size, name, c, opt, DefaultLimits(), nil)
}

// RowFunc takes one row of a workbook that is scanned. imp tells the sheet and its
// columns; its Rows are empty. The row and its slices are used again for the next
// one, the strings in them stay.
type RowFunc = func(imp *tianbao.Import, row *tianbao.ImportedRow) error

// Scan is [Read] for workbooks of any length: it hands the rows to fn one by one and
// keeps none. fn sees rows before the end of the file is known to be sound, so what
// it does must be undone when Scan fails; an error of fn ends it and is returned.
//
// Two things need all rows at hand and are refused here, with a sentence and an error
// that wraps [ErrNeedsAll]: rows that are not in order, and text hidden under merged
// cells of a unit. Every workbook is a foreign one: only a [Scanner] looks at the
// origin of an exported workbook.
func Scan(ctx context.Context, r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions, fn RowFunc) (*tianbao.Import, error) {
	rd, err := openReader(ctx, r, size, name, c, opt, scanLimits())
	if err != nil {
		return nil, err
	}
	rd.fn = fn
	return rd.read(ctx)
}

// ErrNeedsAll is what a scan of a workbook ends with that only [Read] can read.
var ErrNeedsAll = errors.New("sheet: all rows are needed at once")

func read(ctx context.Context, r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions, limits Limits, fn RowFunc) (*tianbao.Import, error) {
	rd, err := openReader(ctx, r, size, name, c, opt, limits)
	if err != nil {
		return nil, err
	}
	rd.fn = fn
	return rd.read(ctx)
}

func openReader(ctx context.Context, r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions, limits Limits) (*reader, error) {
	mem := &budget{left: limits.Memory}
	b, err := open(ctx, r, size, name, &limits, mem, opt.Password)
	if err != nil {
		return nil, err
	}
	return &reader{book: b, check: c, opt: opt, names: namesOf(c.Form()).with(opt.Headers), limits: &limits, mem: mem}, nil
}

// read finds and reads the form.
func (rd *reader) read(ctx context.Context) (*tianbao.Import, error) {
	imp, err := rd.run(ctx)
	var own *rowFuncError
	if errors.As(err, &own) {
		return nil, own.err
	}
	if err != nil {
		return nil, blame("reading the workbook", err)
	}
	return imp, nil
}

// rowFuncError carries an error of RowFunc past blame.
type rowFuncError struct{ err error }

func (e *rowFuncError) Error() string { return e.err.Error() }
