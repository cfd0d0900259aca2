package store

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/seal"
)

// A row's cells are stored as compact JSON, empty cells left out:
//
//	{"r":"<sealed>","v":{"person_name":"…"},"s":{"person_id":"<sealed>"},"m":{"person_id":1}}
//
// v: cells in clear, s: sealed cells, m: marks, r: the reasons, sealed together. These come
// first, so that rows that have some are told by their first bytes ([explainedHead]).

const rowTable = "report_row"

// explainedHead begins a row with reasons.
const explainedHead = `{"r":`

// reasonsColumn names the place of the reasons; no field key begins with @.
const reasonsColumn = "@reasons"

// rowPlace names a row for the associated data of its sealed cells.
func rowPlace(report, row tianbao.ID) string { return report.String() + "/" + row.String() }

// lookKey is one entry of row_key.
type lookKey struct {
	kind int64
	k    int64
}

// keyKind numbers a field for row_key, the same for a field key in every form.
func keyKind(field string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(field))
	return int64(h.Sum32() & 0x7fff)
}

const lookSize = 2 + seal.IndexSize

// appendLook appends a cell's keyed index to a row's look_keys.
func (s *Store) appendLook(b []byte, field, value string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(keyKind(field)))
	return append(b, s.ring.Index(field, value)...)
}

// lookKeys reads look_keys.
func lookKeys(b []byte) []lookKey {
	out := make([]lookKey, 0, len(b)/lookSize)
	for ; len(b) >= lookSize; b = b[lookSize:] {
		out = append(out, lookKey{kind: int64(binary.BigEndian.Uint16(b)), k: int64(binary.BigEndian.Uint64(b[2:]))})
	}
	return out
}

// encodeRow returns a row's vals and look_keys.
func (s *Store) encodeRow(f *tianbao.Form, report tianbao.ID, r *tianbao.Row) (vals, look []byte, err error) {
	if len(r.Values) != len(f.Fields) {
		return nil, nil, fmt.Errorf("store: a row of %d cells for a form of %d", len(r.Values), len(f.Fields))
	}
	place := rowPlace(report, r.ID)
	b := make([]byte, 0, 512)
	b = append(b, '{')
	if len(r.Reasons) > 0 {
		reasons, err := json.Marshal(r.Reasons)
		if err != nil {
			return nil, nil, fmt.Errorf("store: encode reasons: %w", err)
		}
		b = append(b, explainedHead[1:]...)
		b = appendSealed(b, s.ring.Seal(nil, reasons, seal.Place(rowTable, reasonsColumn, place)))
		b = append(b, ',')
	}
	b = append(b, `"v":{`...)
	first := true
	for i := range f.Fields {
		if fd := &f.Fields[i]; !fd.Sealed && r.Values[i] != "" {
			b = appendKey(b, fd.Key, &first)
			b = appendJSON(b, r.Values[i])
		}
	}
	b = append(b, '}')
	first = true
	for i := range f.Fields {
		fd := &f.Fields[i]
		if !fd.Sealed || r.Values[i] == "" {
			continue
		}
		if first {
			b = append(b, `,"s":{`...)
		}
		b = appendKey(b, fd.Key, &first)
		b = appendSealed(b, s.ring.Seal(nil, []byte(r.Values[i]), seal.Place(rowTable, fd.Key, place)))
		look = s.appendLook(look, fd.Key, r.Values[i])
	}
	if !first {
		b = append(b, '}')
	}
	first = true
	for i := range f.Fields {
		m := r.Mark(i)
		if m == tianbao.MarkNone {
			continue
		}
		if first {
			b = append(b, `,"m":{`...)
		}
		b = appendKey(b, f.Fields[i].Key, &first)
		b = strconv.AppendInt(b, int64(m), 10)
	}
	if !first {
		b = append(b, '}')
	}
	return append(b, '}'), look, nil
}

// rowJSON is what decodeRow reads.
type rowJSON struct {
	V map[string]string `json:"v"`
	S map[string][]byte `json:"s"`
	M map[string]int    `json:"m"`
	R []byte            `json:"r"`
	P string            `json:"p"` // of an erased row, see erasedRow
	E []string          `json:"e"`
}

// decodeRow fills in a row's values, marks and reasons. Fields that the form does
// not have are left out.
func (s *Store) decodeRow(f *tianbao.Form, report tianbao.ID, r *tianbao.Row, vals []byte) error {
	if s.readRow(f, report, r, vals) {
		return nil
	}
	return s.parseRow(f, report, r, vals)
}

// parseRow is decodeRow for whatever is JSON.
func (s *Store) parseRow(f *tianbao.Form, report tianbao.ID, r *tianbao.Row, vals []byte) error {
	var j rowJSON
	if json.Unmarshal(vals, &j) != nil {
		// The error of the JSON package might quote the row.
		return errors.New("store: a stored row is not readable")
	}
	place := rowPlace(report, r.ID)
	r.Values = make(tianbao.Values, len(f.Fields))
	r.Erased = j.P != ""
	for i := range f.Fields {
		fd := &f.Fields[i]
		r.Values[i] = j.V[fd.Key]
		if slices.Contains(j.E, fd.Key) {
			r.Values[i] = tianbao.ErasedMark
		}
		if sealed := j.S[fd.Key]; len(sealed) > 0 {
			plain, err := s.ring.Open(nil, sealed, seal.Place(rowTable, fd.Key, place))
			if err != nil {
				return fmt.Errorf("store: open %s of row %s: %w", fd.Key, place, err)
			}
			r.Values[i] = string(plain)
		}
		if m := j.M[fd.Key]; m != 0 {
			if r.Marks == nil {
				r.Marks = make([]tianbao.Mark, len(f.Fields))
			}
			r.Marks[i] = tianbao.Mark(m)
		}
	}
	if len(j.R) > 0 {
		plain, err := s.ring.Open(nil, j.R, seal.Place(rowTable, reasonsColumn, place))
		if err != nil {
			return fmt.Errorf("store: open the reasons of row %s: %w", place, err)
		}
		if json.Unmarshal(plain, &r.Reasons) != nil {
			return errors.New("store: stored reasons are not readable")
		}
	}
	return nil
}

func appendKey(b []byte, key string, first *bool) []byte {
	if !*first {
		b = append(b, ',')
	}
	*first = false
	return append(appendJSON(b, key), ':')
}

func appendSealed(b, sealed []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, sealed)
	return append(b, '"')
}

// appendJSON appends a text as a JSON string (RFC 8259 §7).
func appendJSON(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // what is no UTF-8 becomes U+FFFD
			i += n
			continue
		}
		i++
	}
	return append(b, '"')
}
