package check

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tianbao"
)

// crossRule is a rule between rows with its fields as positions.
type crossRule struct {
	*tianbao.CrossRule
	same   [][]int // for each element, its alternatives
	differ []int
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
	for _, element := range r.Same {
		var alts []int
		for _, key := range strings.Split(element, "|") {
			k, err := index(key)
			if err != nil {
				return x, err
			}
			alts = append(alts, k)
		}
		x.same = append(x.same, alts)
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
// the rule with the second, so two are enough whatever the number of rows.
type seen struct{ first, other int }

// state is the progress of one rule through the rows.
type state struct {
	rule *crossRule
	seen map[string]seen
}

// earlier returns the earliest row that breaks the rule together with row i, or
// -1, and takes note of row i. buf is scratch space.
func (s *state) earlier(rows []tianbao.Row, bad []bool, i int, buf []byte) (int, []byte) {
	row := &rows[i]
	buf, ok := s.rule.key(buf[:0], row, bad)
	if !ok {
		return -1, buf
	}
	for _, k := range s.rule.differ {
		if value(row, k) == "" || bad[k] {
			return -1, buf
		}
	}
	e, met := s.seen[string(buf)]
	if !met {
		s.seen[string(buf)] = seen{first: i, other: -1}
		return -1, buf
	}
	if len(s.rule.differ) == 0 || s.rule.differs(&rows[e.first], row) {
		if e.other < 0 {
			e.other = i
			s.seen[string(buf)] = e
		}
		return e.first, buf
	}
	return e.other, buf
}

// key appends the values that rows have in common when the rule looks at them. It
// reports false when a needed cell is empty or faulty.
func (r *crossRule) key(buf []byte, row *tianbao.Row, bad []bool) ([]byte, bool) {
	for _, alts := range r.same {
		filled := false
		for _, k := range alts {
			if v := value(row, k); v != "" && !bad[k] {
				// The position and the length keep two different rows from making
				// one key.
				buf = binary.AppendUvarint(buf, uint64(k))
				buf = binary.AppendUvarint(buf, uint64(len(v)))
				buf = append(buf, v...)
				filled = true
				break
			}
		}
		if !filled {
			return buf, false
		}
	}
	return buf, true
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
	var buf []byte
	day := c.day()
	bad := make([]bool, len(c.fields))
	states := make([]state, len(c.cross))
	for i := range c.cross {
		states[i] = state{&c.cross[i], make(map[string]seen, len(rows))}
	}
	for i := range rows {
		start := len(ps)
		clear(bad)
		ps = c.row(ps, bad, i, &rows[i], day)
		own := len(ps)
		for k := range states {
			var j int
			j, buf = states[k].earlier(rows, bad, i, buf)
			if j < 0 {
				continue
			}
			r := states[k].rule
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
