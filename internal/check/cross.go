package check

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"tianbao"
)

// crossRule is a rule between rows with its fields as positions.
type crossRule struct {
	*tianbao.CrossRule
	elements [][]int // of what is the same, each with its alternatives
	differ   []int
}

func compile(f *tianbao.Form, r *tianbao.CrossRule) (crossRule, error) {
	x := crossRule{CrossRule: r}
	index := func(key string) (int, error) {
		if k := f.Index(key); k >= 0 {
			return k, nil
		}
		return -1, fmt.Errorf("check: rule %s: %q is not a field", r.Code, key)
	}
	if len(r.Same) == 0 {
		return x, fmt.Errorf("check: rule %s: no field is the same", r.Code)
	}
	if len(r.Same) > 32/altBits {
		return x, fmt.Errorf("check: rule %s: too many fields are the same", r.Code)
	}
	for _, element := range r.Same {
		var alts []int
		for _, key := range strings.Split(element, "|") {
			k, err := index(key)
			if err != nil {
				return x, err
			}
			alts = append(alts, k)
		}
		if len(alts) > 1<<altBits {
			return x, fmt.Errorf("check: rule %s: %q has too many alternatives", r.Code, element)
		}
		x.elements = append(x.elements, alts)
	}
	for _, key := range r.Differ {
		k, err := index(key)
		if err != nil {
			return x, err
		}
		x.differ = append(x.differ, k)
	}
	if r.At != "" {
		if _, err := index(r.At); err != nil {
			return x, err
		}
	}
	return x, nil
}

// seen is what is kept of the rows that share the key of a rule: the first, and
// the first that differs from it. A later row that agrees with the first breaks
// the rule with the second, so two are enough whatever the number of rows. Rows
// count from 1 here, 0 is none.
type seen struct {
	tag          uint32 // of the key's hash
	first, other int32
	alts         uint32 // which alternatives make the first's key, see keyOf
}

// state is the progress of one rule through the rows. Rows are found by a hash of
// their key, and compared: a map of the keys themselves would hold every id once
// more, and cost the collector more than the rules cost. The table is never more
// than half full and so needs no growing; a row is one place in memory to look at.
type state struct {
	rule *crossRule
	hash maphash.Seed
	seen []seen // a power of two
}

func newState(rule *crossRule, rows int) state {
	size := 8
	for size < 2*rows {
		size *= 2
	}
	return state{rule, maphash.MakeSeed(), make([]seen, size)}
}

// altBits is the room of one element's choice in seen.alts.
const altBits = 4

// earlier returns the earliest row that breaks the rule together with row i, or
// -1, and takes note of row i.
func (s *state) earlier(rows []tianbao.Row, bad []bool, i int) int {
	row := &rows[i]
	alts, ok := s.rule.keyOf(row, bad)
	if !ok {
		return -1
	}
	for _, k := range s.rule.differ {
		if value(row, k) == "" || bad[k] {
			return -1
		}
	}
	h := s.sum(row, alts)
	tag, mask := uint32(h>>32), uint64(len(s.seen)-1)
	for at := h & mask; ; at = (at + 1) & mask {
		e := &s.seen[at]
		if e.first == 0 {
			*e = seen{tag: tag, first: int32(i) + 1, alts: alts}
			return -1
		}
		if e.tag != tag || e.alts != alts || !s.rule.same(&rows[e.first-1], row, alts) {
			continue // another key
		}
		if len(s.rule.differ) == 0 || s.rule.differs(&rows[e.first-1], row) {
			if e.other == 0 {
				e.other = int32(i) + 1
			}
			return int(e.first) - 1
		}
		return int(e.other) - 1
	}
}

// keyOf tells which fields make up the key of a row: for each element the place of
// the first alternative that is filled and right. It reports false when an element
// has none, as the rule does not look at such a row.
func (r *crossRule) keyOf(row *tianbao.Row, bad []bool) (alts uint32, ok bool) {
	for i, list := range r.elements {
		filled := false
		for j, k := range list {
			if value(row, k) != "" && !bad[k] {
				alts |= uint32(j) << (altBits * i)
				filled = true
				break
			}
		}
		if !filled {
			return 0, false
		}
	}
	return alts, true
}

// sum is the hash of a row's key.
func (s *state) sum(row *tianbao.Row, alts uint32) uint64 {
	h := uint64(alts)
	for i, list := range s.rule.elements {
		// An odd factor keeps the places of the elements apart.
		h = h*0x9E3779B97F4A7C15 + maphash.String(s.hash, value(row, list[alts>>(altBits*i)&(1<<altBits-1)]))
	}
	return h
}

// same reports whether two rows have one key.
func (r *crossRule) same(a, b *tianbao.Row, alts uint32) bool {
	for i, list := range r.elements {
		k := list[alts>>(altBits*i)&(1<<altBits-1)]
		if value(a, k) != value(b, k) {
			return false
		}
	}
	return true
}

func (r *crossRule) differs(a, b *tianbao.Row) bool {
	for _, k := range r.differ {
		if value(a, k) != value(b, k) {
			return true
		}
	}
	return false
}

// Rows returns the problems of all rows: those that each has by itself and those
// between rows, which the later row carries. They are in the order of the rows,
// then of the fields; problems of a row as a whole come last.
func (c *Checker) Rows(rows []tianbao.Row) []tianbao.Problem {
	var ps []tianbao.Problem
	day := c.day()
	bad := make([]bool, len(c.fields))
	states := make([]state, len(c.cross))
	for i := range c.cross {
		states[i] = newState(&c.cross[i], len(rows))
	}
	for i := range rows {
		start := len(ps)
		clear(bad)
		ps = c.row(ps, bad, i, &rows[i], day)
		own := len(ps)
		if c.units != nil {
			ps = c.unit(ps, start, bad, i, &rows[i])
		}
		for k := range states {
			j := states[k].earlier(rows, bad, i)
			r := states[k].rule
			if j < 0 || said(ps[start:], r) {
				continue
			}
			p := tianbao.Problem{
				Row: i, RowID: rows[i].ID, Field: r.At, Code: r.Code, Severity: r.Severity,
				Message: strings.ReplaceAll(r.Message, "{row}", rowNumber(&rows[j], j)),
			}
			p.Reason = reason(&rows[i], &p)
			ps = append(ps, p)
		}
		if len(ps) > own {
			c.sortRow(ps[start:])
		}
	}
	return ps
}

// sortRow brings the problems of one row into the order of the sheet.
func (c *Checker) sortRow(ps []tianbao.Problem) {
	slices.SortStableFunc(ps, func(a, b tianbao.Problem) int { return c.place(&a) - c.place(&b) })
}

// place returns where a problem stands in its row: the row number first, then the
// fields, the row as a whole last.
func (c *Checker) place(p *tianbao.Problem) int {
	if p.Field == "" {
		return len(c.fields)
	}
	return c.form.Index(p.Field) // -1 for the row number
}

// rowNumber returns the number under which people know the row.
func rowNumber(row *tianbao.Row, i int) string {
	if row.Seq > 0 {
		return strconv.Itoa(row.Seq)
	}
	return strconv.Itoa(i + 1)
}
