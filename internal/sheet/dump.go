package sheet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// DumpOptions says how [Dump] shows a workbook.
type DumpOptions struct {
	Password string // of an encrypted workbook
	// Exact shows text as it is. Without it text that reads as a number is shown as
	// that number, which is how dumps of several programs can be compared: 001001
	// and 1001 are one line then.
	Exact bool
}

// Dump writes what the reader sees of a workbook, hidden sheets included: one line
// for each cell that is not empty, sheet TAB row TAB column TAB value. Sheets and
// columns count from 0, rows bear the number that the spreadsheet shows. Numbers
// have twelve significant digits; in text a backslash, tab or line end is written
// \\, \t or \n. The error is as that of [Read]; lines already written then are not
// the whole of the file.
func Dump(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, name string, opt DumpOptions) error {
	limits := DefaultLimits()
	limits.Columns, limits.Old = maxCol, true
	mem := &budget{left: limits.Memory}
	b, err := open(ctx, r, size, name, &limits, mem, opt.Password)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	for i := range b.sheets() {
		_, err := b.rows(ctx, i, func(row *RowData) error {
			for j := range row.Cells {
				c := &row.Cells[j]
				if _, err := fmt.Fprintf(out, "%d\t%d\t%d\t%s\n", i, row.Num, c.Col, dumpText(c, opt.Exact)); err != nil {
					return dumpError{err}
				}
			}
			return nil
		})
		if err != nil {
			_ = out.Flush() // the error says that this is not all
			if d, ok := err.(dumpError); ok {
				return fmt.Errorf("sheet: writing the dump: %w", d.error)
			}
			return blame("dumping the workbook", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("sheet: writing the dump: %w", err)
	}
	return nil
}

// dumpError is an error of the writer, which is not the file's fault.
type dumpError struct{ error }

func dumpText(c *Cell, exact bool) string {
	s := clean(string(c.Raw))
	if (c.Kind == Number || !exact) && numeric(s) {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return fmt.Sprintf("%.12g", f)
		}
	}
	return strings.NewReplacer(`\`, `\\`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`, "\t", `\t`).Replace(s)
}

// numeric reports whether a text is a decimal number; a point needs a digit behind.
func numeric(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return false
		}
	}
	return s != "" && !strings.HasSuffix(s, ".")
}
