package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tianbao/internal/jsontext"
)

// Sheets are what is asked for most, and nearly all of one are the texts of its rows, which
// cost four times as much when they are found out by reflection. So these are written here,
// byte for byte as the JSON package would.

// appender is an answer that writes itself as JSON.
type appender interface {
	appendJSON(b []byte) ([]byte, error)
}

// appendJSON implements appender.
func (s wireSheet) appendJSON(b []byte) ([]byte, error) {
	rows := s.Rows
	s.Rows = nil
	head, err := encoded(s)
	if err != nil {
		return nil, err
	}
	// No text holds this: a quote within one is escaped.
	before, after, ok := bytes.Cut(head, []byte(`"rows":null`))
	if !ok {
		return nil, errors.New("web: a sheet has no place for its rows")
	}
	b = append(append(slices.Grow(b, len(head)+sizeOf(rows)), before...), `"rows":`...)
	return append(appendRows(b, rows), after...), nil
}

// appendJSON implements appender.
func (w wireWindow) appendJSON(b []byte) ([]byte, error) {
	b = strconv.AppendInt(append(slices.Grow(b, sizeOf(w.Rows)), `{"version":`...), w.Version, 10)
	return append(appendRows(append(b, `,"rows":`...), w.Rows), "}\n"...), nil
}

// encoded is an answer as the JSON package writes it, with a line's end.
func encoded(out any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // never served as HTML
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("web: encode an answer: %w", err)
	}
	return buf.Bytes(), nil
}

// sizeOf is about how many bytes rows take.
func sizeOf(rows []wireRow) int {
	n := 64
	for i := range rows {
		n += 72
		for _, v := range rows[i].Values {
			n += len(v) + 3
		}
	}
	return n
}

func appendRows(b []byte, rows []wireRow) []byte {
	if rows == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRow(b, &rows[i])
	}
	return append(b, ']')
}

func appendRow(b []byte, r *wireRow) []byte {
	b = jsontext.Append(append(b, `{"id":`...), r.ID)
	if r.Version != 0 {
		b = strconv.AppendInt(append(b, `,"version":`...), r.Version, 10)
	}
	b = append(b, `,"values":`...)
	if r.Values == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '[')
		for i, v := range r.Values {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsontext.Append(b, v)
		}
		b = append(b, ']')
	}
	if len(r.Reasons) > 0 {
		b = append(b, `,"reasons":[`...)
		for i := range r.Reasons {
			rs := &r.Reasons[i]
			if i > 0 {
				b = append(b, ',')
			}
			b = jsontext.Append(append(b, `{"code":`...), rs.Code)
			b = jsontext.Append(append(b, `,"text":`...), rs.Text)
			b = jsontext.Append(append(b, `,"by":`...), rs.By)
			b = append(jsontext.Append(append(b, `,"at":`...), rs.At), '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}
