package sheet

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"tianbao"
)

// WriteCSV streams rows as CSV under the form's titles, for programs that take nothing
// else: UTF-8 with its mark, so that Excel knows it, and CRLF (RFC 4180). A text that a
// spreadsheet would take for a formula gets the apostrophe that spreadsheets put before
// text, and that reading drops again.
func WriteCSV(w io.Writer, f *tianbao.Form, rows iter.Seq2[tianbao.Row, error]) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	_, _ = buf.WriteString("\ufeff") // an error stays with the buffer
	c := csv.NewWriter(buf)
	c.UseCRLF = true
	line := make([]string, 1+len(f.Fields))
	line[0] = f.SeqTitle
	for i := range f.Fields {
		line[1+i] = f.Fields[i].Title
	}
	err := c.Write(line)
	n := 0
	for row, rerr := range rows {
		if rerr != nil {
			return fmt.Errorf("sheet: rows to export: %w", rerr)
		}
		if n++; row.Seq <= 0 {
			row.Seq = n
		}
		clear(line)
		line[0] = strconv.Itoa(row.Seq)
		for i := range f.Fields {
			if i < len(row.Values) {
				line[1+i] = harmless(row.Values[i])
			}
		}
		if err = c.Write(line); err != nil {
			break
		}
	}
	c.Flush()
	if err == nil {
		err = c.Error()
	}
	if err == nil {
		err = buf.Flush()
	}
	if err != nil {
		return fmt.Errorf("sheet: writing CSV: %w", err)
	}
	return nil
}

// harmless keeps a text from being run as a formula where it is opened.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
