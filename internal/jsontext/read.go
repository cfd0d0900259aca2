package jsontext

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Reader reads JSON whose form is known. Whatever it does not expect, though it may be good
// JSON, makes it fail, and whoever uses it then asks encoding/json.
type Reader struct {
	b      []byte
	failed bool
}

// NewReader reads a document; the texts that it returns are copies.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// End fails where something follows, and reports whether all was expected.
func (r *Reader) End() bool {
	r.space()
	r.failed = r.failed || len(r.b) > 0
	return !r.failed
}

func (r *Reader) space() {
	for len(r.b) > 0 && (r.b[0] == ' ' || r.b[0] == '\n' || r.b[0] == '\t' || r.b[0] == '\r') {
		r.b = r.b[1:]
	}
}

// next takes a byte if it comes next.
func (r *Reader) next(c byte) bool {
	r.space()
	if r.failed || len(r.b) == 0 || r.b[0] != c {
		return false
	}
	r.b = r.b[1:]
	return true
}

func (r *Reader) want(c byte) { r.failed = !r.next(c) || r.failed }

// Object calls field for each field of an object, which reads its value. A name that comes
// twice is not expected: encoding/json has its own ways with it.
func (r *Reader) Object(field func(name string)) {
	r.want('{')
	if r.next('}') {
		return
	}
	var seen [16]string
	for n := 0; !r.failed; n++ {
		name := r.Text()
		for i := range min(n, len(seen)) {
			r.failed = r.failed || seen[i] == name
		}
		if r.failed = r.failed || n == len(seen); r.failed {
			return
		}
		seen[n] = name
		if r.want(':'); r.failed {
			return
		}
		if field(name); r.failed {
			return
		}
		if !r.next(',') {
			r.want('}')
			return
		}
	}
}

// Array calls item for each item of an array, which reads it.
func (r *Reader) Array(item func()) {
	r.want('[')
	if r.next(']') {
		return
	}
	for !r.failed {
		if item(); r.failed {
			return
		}
		if !r.next(',') {
			r.want(']')
			return
		}
	}
}

// Text reads a string without escapes.
func (r *Reader) Text() string {
	r.want('"')
	if r.failed {
		return ""
	}
	n := bytes.IndexByte(r.b, '"')
	if n < 0 {
		r.failed = true
		return ""
	}
	raw := r.b[:n]
	for _, c := range raw {
		r.failed = r.failed || c < 0x20 || c == '\\'
	}
	if r.failed = r.failed || !utf8.Valid(raw); r.failed {
		return ""
	}
	r.b = r.b[n+1:]
	return string(raw)
}

// Int reads a whole number of at most eighteen digits.
func (r *Reader) Int() int64 {
	r.space()
	n := 0
	for n < len(r.b) && (r.b[n] >= '0' && r.b[n] <= '9' || n == 0 && r.b[n] == '-') {
		n++
	}
	text := string(r.b[:n])
	v, err := strconv.ParseInt(text, 10, 64)
	if n > 18 || err != nil || strconv.FormatInt(v, 10) != text || n < len(r.b) && bytes.IndexByte([]byte(".eE"), r.b[n]) >= 0 {
		r.failed = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Unexpected fails: the value that comes is one that the caller does not know.
func (r *Reader) Unexpected() { r.failed = true }
