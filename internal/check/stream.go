package check

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"tianbao"
)

// Keys takes note of rows that are too many to keep, in a first of two passes: of
// each row and rule between rows it keeps eight bytes. The second pass, [Keys.Stream],
// then knows which few rows need to be remembered at all.
type Keys struct {
	c      *Checker
	seed   maphash.Seed
	hashes [][]uint64 // by rule
	bad    []bool
	buf    []byte
	ps     []tianbao.Problem
	day    time.Time
}

// Keys starts a first pass.
func (c *Checker) Keys() *Keys {
	return &Keys{c: c, seed: maphash.MakeSeed(), hashes: make([][]uint64, len(c.cross)), bad: make([]bool, len(c.fields)), day: c.day()}
}

// Add takes note of a row.
func (k *Keys) Add(row *tianbao.Row) {
	clear(k.bad)
	k.ps = k.c.row(k.ps[:0], k.bad, 0, row, k.day)
	for i := range k.c.cross {
		var ok bool
		if k.buf, ok = k.c.cross[i].text(k.buf[:0], row, k.bad); ok {
			k.hashes[i] = append(k.hashes[i], maphash.Bytes(k.seed, k.buf))
		}
	}
}

// Stream ends the first pass and starts the second.
func (k *Keys) Stream() *Stream {
	s := &Stream{keys: k, rules: make([]streamRule, len(k.c.cross))}
	for i, h := range k.hashes {
		r := streamRule{crossRule: &k.c.cross[i], again: make(map[uint64]bool), seen: make(map[string]kept)}
		slices.Sort(h)
		for j := 1; j < len(h); j++ {
			if h[j] == h[j-1] {
				r.again[h[j]] = true
			}
		}
		s.rules[i] = r
	}
	k.hashes = nil
	return s
}

// Stream checks rows that come one at a time and are not kept. Given the rows of the
// first pass in any order it finds just what [Checker.Rows] finds: two rows whose
// hashes meet by accident are told apart by their keys.
type Stream struct {
	keys  *Keys
	rules []streamRule
}

type streamRule struct {
	*crossRule
	again map[uint64]bool // hashes of keys that come more than once
	seen  map[string]kept
}

// kept is what [seen] is of rows that are not there any more.
type kept struct{ first, other keptRow }

type keptRow struct {
	number string // empty: no such row
	values []string
}

// Row appends the problems of the next row, as problems of row i, in the order of
// [Checker.Rows].
func (s *Stream) Row(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem {
	c, k := s.keys.c, s.keys
	start := len(dst)
	clear(k.bad)
	dst = c.row(dst, k.bad, i, row, k.day)
	own := len(dst)
	if c.units != nil {
		dst = c.unit(dst, start, k.bad, i, row)
	}
	for n := range s.rules {
		r := &s.rules[n]
		number := s.earlier(r, row, i)
		if number == "" || said(dst[start:], r.crossRule) {
			continue
		}
		p := tianbao.Problem{
			Row: i, RowID: row.ID, Field: r.At, Code: r.Code, Severity: r.Severity,
			Message: strings.ReplaceAll(r.Message, "{row}", number),
		}
		p.Reason = reason(row, &p)
		dst = append(dst, p)
	}
	if len(dst) > own {
		c.sortRow(dst[start:])
	}
	return dst
}

// earlier returns the number of the earliest row that breaks the rule together with
// this one, and takes note of it; see [state.earlier].
func (s *Stream) earlier(r *streamRule, row *tianbao.Row, i int) string {
	k := s.keys
	var ok bool
	if k.buf, ok = r.text(k.buf[:0], row, k.bad); !ok || !r.again[maphash.Bytes(k.seed, k.buf)] {
		return ""
	}
	values := make([]string, len(r.differ))
	for n, f := range r.differ {
		v := value(row, f)
		if v == "" || k.bad[f] {
			return ""
		}
		values[n] = strings.Clone(v)
	}
	e, met := r.seen[string(k.buf)]
	this := keptRow{rowNumber(row, i), values}
	if !met {
		r.seen[string(k.buf)] = kept{first: this}
		return ""
	}
	if len(values) == 0 || !slices.Equal(e.first.values, values) {
		if e.other.number == "" {
			e.other = this
			r.seen[string(k.buf)] = e
		}
		return e.first.number
	}
	return e.other.number
}

// text appends the values that rows have in common when the rule looks at them. It
// reports false when the rule does not look at the row.
func (r *crossRule) text(buf []byte, row *tianbao.Row, bad []bool) ([]byte, bool) {
	alts, ok := r.keyOf(row, bad)
	if !ok {
		return buf, false
	}
	buf = binary.AppendUvarint(buf, uint64(alts))
	for i, list := range r.elements {
		v := value(row, list[alts>>(altBits*i)&(1<<altBits-1)])
		// The length keeps two different rows from making one text.
		buf = binary.AppendUvarint(buf, uint64(len(v)))
		buf = append(buf, v...)
	}
	return buf, true
}
