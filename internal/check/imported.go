package check

import (
	"strings"

	"tianbao"
	"tianbao/internal/ident"
)

// Imported returns the problems of the rows of a workbook: those of [Checker.Rows]
// and the hints that only a file can give, a row number that stands twice
// (seq.duplicate, on the later row, field [tianbao.Form.SeqKey]) and a hidden row
// (row.hidden). The row number decides nothing (form.md §3), so both stop nothing.
func (c *Checker) Imported(imp *tianbao.Import) []tianbao.Problem {
	rows := make([]tianbao.Row, len(imp.Rows))
	for i := range imp.Rows {
		rows[i] = imp.Rows[i].Row
	}
	found := c.Rows(rows)
	ps := make([]tianbao.Problem, 0, len(found))
	seqs := &seqNumbers{rows: imp.Rows}
	for i := range imp.Rows {
		r := &imp.Rows[i]
		start := len(ps)
		for len(found) > 0 && found[0].Row == i {
			ps, found = append(ps, found[0]), found[1:]
		}
		own := len(ps)
		if j := seqs.taken(i); j >= 0 {
			ps = append(ps, c.seqTaken(i, r, rowNumber(&rows[j], j)))
		}
		if r.Hidden {
			ps = append(ps, rowHidden(i, r))
		}
		if len(ps) > own {
			c.sortRow(ps[start:])
		}
	}
	return ps
}

// seqNumbers finds row numbers that stand twice. As long as the rows are numbered
// upwards, as they nearly always are, nothing is kept.
type seqNumbers struct {
	rows  []tianbao.ImportedRow
	last  int            // of the rows so far, the highest number
	first map[string]int // by number, nil while they go up
}

// taken returns the earlier row with the number of row i, or -1. It is asked for
// every row in turn.
func (s *seqNumbers) taken(i int) int {
	r := &s.rows[i]
	if s.first == nil {
		if r.Seq == "" {
			return -1
		}
		if n := r.Row.Seq; n > s.last {
			s.last = n
			return -1
		}
		s.first = make(map[string]int)
		for k := range i {
			if n := seqNumber(s.rows[k].Seq); n != "" {
				s.first[n] = k
			}
		}
	}
	n := seqNumber(r.Seq)
	if n == "" {
		return -1
	}
	if j, taken := s.first[n]; taken {
		return j
	}
	s.first[n] = i
	return -1
}

// seqNumber returns the text by which row numbers are compared: 01 is 1.
func seqNumber(s string) string {
	s = ident.NormalizeCode(s)
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return s
}
