package store

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/seal"
)

// Nine tenths of the time of reading a sheet went into the JSON package, which knows no row
// and makes maps of it. Rows stand in one spelling, the one that encodeRow and erasing write,
// so that is read here, in one go and into the row itself. What is spelled otherwise, and
// whatever does not open, is left to parseRow, which also says what is wrong.

// rowReader reads the text of a stored row from the left. Once something is not as
// encodeRow writes it, bad stays set.
type rowReader struct {
	rest []byte
	bad  bool
}

// skip takes a text that must stand next.
func (r *rowReader) skip(text string) {
	if len(r.rest) < len(text) || string(r.rest[:len(text)]) != text {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[len(text):]
}

// next takes a byte if it stands next.
func (r *rowReader) next(c byte) bool {
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// text takes a JSON string without escapes.
func (r *rowReader) text() []byte {
	r.skip(`"`)
	n := bytes.IndexByte(r.rest, '"')
	if n < 0 {
		r.bad = true
		return nil
	}
	t := r.rest[:n]
	for _, c := range t {
		if c == '\\' || c < 0x20 {
			r.bad = true
			return nil
		}
	}
	r.rest = r.rest[n+1:]
	return t
}

// small takes a number of at most three digits.
func (r *rowReader) small() (n int) {
	digits := 0
	for ; digits < len(r.rest) && r.rest[digits]-'0' < 10; digits++ {
		n = n*10 + int(r.rest[digits]-'0')
		if digits > 2 {
			break
		}
	}
	if digits == 0 || digits > 2 && n > 999 || digits > 1 && r.rest[0] == '0' {
		r.bad = true
		return 0
	}
	r.rest = r.rest[digits:]
	return n
}

// cells takes an object and calls each with its keys; each takes the value.
func (r *rowReader) cells(each func(key []byte)) {
	r.skip("{")
	if r.next('}') {
		return
	}
	for !r.bad {
		key := r.text()
		r.skip(":")
		if each(key); r.next('}') {
			return
		}
		r.skip(",")
	}
}

// fieldAt finds the field of a key. Cells stand in the order of the form, so it is mostly
// the one asked about, or one of the next.
func fieldAt(f *tianbao.Form, key []byte, from int) int {
	for n := range len(f.Fields) {
		if i := (from + n) % len(f.Fields); f.Fields[i].Key == string(key) {
			return i
		}
	}
	return -1
}

// readRow is parseRow for a row in the spelling that is written, without reasons. ok is
// false where it is another, and nothing has been done to the row.
func (s *Store) readRow(f *tianbao.Form, report tianbao.ID, row *tianbao.Row, vals []byte) (ok bool) {
	if len(f.Fields) == 0 {
		return false
	}
	var (
		in     = rowReader{rest: vals}
		values = make(tianbao.Values, len(f.Fields))
		marks  []tianbao.Mark
		at     int
	)
	in.skip(`{"v":`)
	in.cells(func(key []byte) {
		v := in.text()
		if !utf8.Valid(v) {
			in.bad = true
			return
		}
		if i := fieldAt(f, key, at); i >= 0 {
			values[i], at = string(v), i+1
		}
	})
	if in.bad {
		return false
	}
	if bytes.HasPrefix(in.rest, []byte(`,"s":`)) {
		in.skip(`,"s":`)
		if at = 0; !s.readSealed(&in, f, rowPlace(report, row.ID), values) {
			return false
		}
	}
	if bytes.HasPrefix(in.rest, []byte(`,"m":`)) {
		in.skip(`,"m":`)
		at = 0
		in.cells(func(key []byte) {
			m := in.small()
			if i := fieldAt(f, key, at); i >= 0 {
				if marks == nil {
					marks = make([]tianbao.Mark, len(f.Fields))
				}
				marks[i], at = tianbao.Mark(m), i+1
			}
		})
	}
	if in.skip("}"); in.bad || len(in.rest) > 0 {
		return false
	}
	row.Values, row.Marks, row.Erased = values, marks, false
	return true
}

// readSealed opens the sealed cells of a row.
func (s *Store) readSealed(in *rowReader, f *tianbao.Form, row string, values tianbao.Values) bool {
	var (
		sealed, plain [128]byte
		place         = make([]byte, 0, 96)
		at            int
	)
	in.cells(func(key []byte) {
		text := in.text()
		i := fieldAt(f, key, at)
		if in.bad || i < 0 {
			return
		}
		to := sealed[:]
		if n := base64.StdEncoding.DecodedLen(len(text)); n > len(to) {
			to = make([]byte, n)
		}
		n, err := base64.StdEncoding.Decode(to, text)
		if err != nil {
			in.bad = true
			return
		}
		place = seal.AppendPlace(place[:0], rowTable, f.Fields[i].Key, row)
		open, err := s.ring.Open(plain[:0], to[:n], place)
		if err != nil {
			in.bad = true
			return
		}
		values[i], at = string(open), i+1
		clear(open)
	})
	return !in.bad
}
