package e2e

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"tianbao/internal/ident"
)

// scanner looks for ids and phones in bytes of any kind: those of a round wherever they
// stand, and anybody's that stand for themselves: eighteen characters that are a resident
// id with a right check character (GB 11643-1999), eleven digits that are a mobile's.
// Those within words are not theirs: row ids and digests are numbers too, and a part of
// one stands for itself where an engine cut its record.
type scanner struct {
	loaded map[string]bool
	now    time.Time
	quiet  bool // count only
	only   bool // the loaded ones only, where others write numbers of their own

	files, hits int
	total       int64
}

// newScanner makes one that knows the first n people.
func newScanner(n int) *scanner {
	p := &scanner{loaded: make(map[string]bool, 2*n), now: time.Now()}
	for i := range n {
		one := person(i)
		p.loaded[one["person_id"]], p.loaded[one["phone"]] = true, true
	}
	return p
}

// bytes scans text of one byte a character and UTF-16 (as browsers write it).
func (p *scanner) bytes(t *testing.T, where string, b []byte) {
	t.Helper()
	p.files++
	p.total += int64(len(b))
	before := p.hits
	cut := cuts(b)
	p.runs(b, 1, cut)
	p.runs(b, 2, cut)
	if p.hits > before && !p.quiet {
		t.Errorf("%s holds %d ids or phones in clear", where, p.hits-before)
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' || c == 'X' || c == 'x' }

// cuts tells of each offset of a file whether its engine may have cut a record there: at the
// end of a page, and behind what stands before a page's share of a longer record.
func cuts(b []byte) func(i int) bool {
	page, head, skip := 0, 0, []int(nil)
	switch {
	case len(b) < 100:
	case bytes.HasPrefix(b, []byte("SQLite format 3\x00")):
		page, skip = int(binary.BigEndian.Uint16(b[16:])), []int{0, 4} // the next page's number
	case binary.BigEndian.Uint32(b)&^1 == 0x377f0682: // SQLite's log
		page, head = 24+int(binary.BigEndian.Uint32(b[8:])), 32
		skip = []int{0, 24 + 4}
	case b[1] == 0xd1: // a segment of PostgreSQL's log
		page, skip = 8192, []int{0, 24, 40}
	}
	return func(i int) bool {
		return page > 0 && slices.Contains(skip, (i-head+page)%page)
	}
}

// runs takes the runs of digits that are so many bytes apart, zeros between.
func (p *scanner) runs(b []byte, step int, cut func(int) bool) {
	at := func(i int) bool {
		return i+step <= len(b) && digit(b[i]) && (step == 1 || b[i+1] == 0)
	}
	var run []byte
	for i := 0; i < len(b); i++ {
		if !at(i) || step == 2 && i > 1 && at(i-2) {
			continue
		}
		run = run[:0]
		j := i
		for ; at(j); j += step {
			run = append(run, b[j])
		}
		if len(run) >= 11 {
			// Digests in hexadecimal are full of runs that look like somebody's.
			alone := (i < step || !word(b[i-step])) && (j >= len(b) || !word(b[j])) && !cut(i) && !cut(j)
			p.run(run, alone)
		}
		if step == 1 {
			i = j
		}
	}
}

func word(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (p *scanner) run(run []byte, alone bool) {
	for i := range run {
		if run[i] == 'x' {
			run[i] = 'X'
		}
	}
	found := 0
	for i := range run {
		for _, n := range []int{11, 18} {
			if i+n <= len(run) && p.loaded[string(run[i:i+n])] {
				found++
			}
		}
	}
	if found == 0 && alone && !p.only && (len(run) == 18 && ident.ResidentID(string(run), p.now) == ident.OK ||
		len(run) == 11 && run[0] == '1' && run[1] >= '3' && run[1] <= '9' && run[10] != 'X') {
		found++
	}
	p.hits += found
}

// scan looks for every needle at once: ids and phones are runs of digits, so each
// run of the text is looked up instead of searching two thousand times.
func scan(t *testing.T, where string, b []byte, needles [][]byte) {
	t.Helper()
	p := &scanner{loaded: make(map[string]bool, len(needles)), only: true}
	for _, n := range needles {
		p.loaded[string(n)] = true
	}
	p.bytes(t, where, b)
}
