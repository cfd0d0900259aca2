package backup

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tianbao/internal/db"
)

// Limits of what a reader takes, whoever wrote it.
const (
	maxValue   = 256 << 20 // a text or bytes: the largest raw import is far below
	maxHead    = 1 << 20
	maxColumns = 1000
)

// The kinds of records.
const (
	recHead  = 'H'
	recTable = 'T'
	recRow   = 'R'
	recEnd   = 'E'
	recAll   = 'Z'
)

// appendRow appends the values of a row: those that a scan wrote to places, or those that
// readRow returned.
func appendRow(b []byte, vals []any) []byte {
	for _, v := range vals {
		switch v := v.(type) {
		case *int64:
			b = binary.AppendVarint(b, *v)
		case int64:
			b = binary.AppendVarint(b, v)
		case *bool:
			b = appendBool(b, *v)
		case bool:
			b = appendBool(b, v)
		case *string:
			b = append(binary.AppendUvarint(b, uint64(len(*v))), *v...)
		case string:
			b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		case *[]byte:
			b = append(binary.AppendUvarint(b, uint64(len(*v))), *v...)
		case []byte:
			b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		}
	}
	return b
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return binary.AppendVarint(b, 1)
	}
	return binary.AppendVarint(b, 0)
}

// places makes variables for the values of a row.
func places(cols []db.Column) []any {
	out := make([]any, len(cols))
	for i, c := range cols {
		switch c.Type {
		case db.Int:
			out[i] = new(int64)
		case db.Bool:
			out[i] = new(bool)
		case db.Text:
			out[i] = new(string)
		case db.Bytes:
			out[i] = new([]byte)
		}
	}
	return out
}

// readRow reads the values of a row as arguments of an insertion.
func readRow(r *bufio.Reader, cols []db.Column) ([]any, error) {
	out := make([]any, len(cols))
	for i, c := range cols {
		switch c.Type {
		case db.Int, db.Bool:
			n, err := binary.ReadVarint(r)
			if err != nil {
				return nil, broken(err)
			}
			if out[i] = n; c.Type == db.Bool {
				out[i] = n != 0
			}
		case db.Text, db.Bytes:
			b, err := readSized(r, maxValue)
			if err != nil {
				return nil, err
			}
			if out[i] = b; c.Type == db.Text {
				out[i] = string(b)
			}
		default:
			return nil, fmt.Errorf("a column of type %q: %w", c.Type, ErrFormat)
		}
	}
	return out, nil
}

// readSized reads bytes with their length in front. It grows as they come, so a lying
// length costs nothing.
func readSized(r *bufio.Reader, limit uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, broken(err)
	}
	if n > limit {
		return nil, fmt.Errorf("a value of %d bytes: %w", n, ErrFormat)
	}
	if n <= 1<<16 {
		b := make([]byte, n)
		_, err := io.ReadFull(r, b)
		return b, broken(err)
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && uint64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, broken(err)
}

// broken says of an end in the wrong place that the file is not whole; what the pieces
// said of themselves stays as it is.
func broken(err error) error {
	if err == nil || errors.Is(err, ErrFormat) || errors.Is(err, ErrKey) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

// appendJSON appends a record of JSON.
func appendJSON(b []byte, kind byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b = append(b, kind)
	return append(binary.AppendUvarint(b, uint64(len(text))), text...), nil
}

func readJSON(r *bufio.Reader, v any) error {
	text, err := readSized(r, maxHead)
	if err != nil {
		return err
	}
	return broken(json.Unmarshal(text, v))
}
