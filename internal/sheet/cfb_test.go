package sheet

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// dirCFB makes a compound file that is nothing but a directory of n entries, linked
// by link.
func dirCFB(n int, link func(i uint32) (left, right, child uint32)) []byte {
	const sector = 512
	le := binary.LittleEndian
	sectors := (n + 3) / 4
	fats := (sectors+127)/128 + 1
	head := make([]byte, sector)
	copy(head, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	le.PutUint16(head[26:], 3)
	le.PutUint16(head[30:], 9)
	le.PutUint32(head[44:], uint32(fats))
	le.PutUint32(head[48:], uint32(fats))
	le.PutUint32(head[60:], cfbEnd)
	le.PutUint32(head[68:], cfbEnd)
	for i := range 109 {
		le.PutUint32(head[76+4*i:], uint32(i))
	}
	for i := range fats * 128 {
		next := uint32(i + 1)
		if i < fats {
			next = 0xFFFFFFFD
		} else if i == fats+sectors-1 {
			next = cfbEnd
		}
		head = le.AppendUint32(head, next)
	}
	for i := range uint32(sectors * 4) {
		e := make([]byte, 128)
		copy(e, utf16LE("s"))
		e[64], e[66] = 4, 1
		left, right, child := uint32(cfbNil), uint32(cfbNil), uint32(cfbNil)
		if i < uint32(n) {
			left, right, child = link(i)
		}
		le.PutUint32(e[68:], left)
		le.PutUint32(e[72:], right)
		le.PutUint32(e[76:], child)
		head = append(head, e...)
	}
	return head
}

// TestCFBDirectory refuses directories over which the library would work for minutes.
func TestCFBDirectory(t *testing.T) {
	const n = 10_000
	next := func(i uint32) uint32 {
		if i == n-1 {
			return cfbNil
		}
		return i + 1
	}
	tests := []struct {
		name string
		n    int
		link func(i uint32) (left, right, child uint32)
		ok   bool
	}{
		{"siblings", n, func(i uint32) (uint32, uint32, uint32) {
			if i == 0 {
				return cfbNil, cfbNil, 1
			}
			return cfbNil, next(i), cfbNil
		}, true},
		{"folders within folders", n, func(i uint32) (uint32, uint32, uint32) { return cfbNil, cfbNil, next(i) }, false},
		{"folder within itself", n, func(i uint32) (uint32, uint32, uint32) { return cfbNil, cfbNil, 1 }, false},
		{"root within itself", n, func(i uint32) (uint32, uint32, uint32) { return cfbNil, cfbNil, 0 }, false},
		{"sibling of itself", n, func(i uint32) (uint32, uint32, uint32) { return i, cfbNil, cfbNil }, false},
		{"entry that is not there", 4, func(i uint32) (uint32, uint32, uint32) { return 77, cfbNil, cfbNil }, false},
		{"too many", maxCFBEntries + 1, func(i uint32) (uint32, uint32, uint32) { return cfbNil, cfbNil, cfbNil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := dirCFB(tt.n, tt.link)
			if err := safeCFB(bytes.NewReader(b), int64(len(b))); (err == nil) != tt.ok {
				t.Errorf("error %v", err)
			}
			mustRefuse(t, "unreadable", b) // none holds a workbook
		})
	}
}

// TestCFBCut cuts a file everywhere: it is refused unless all of the rows are there,
// because the end of a compound file may be room that nothing uses.
func TestCFBCut(t *testing.T) {
	b := xlsTable(t, formTable(20))
	whole, refused := view(t, b), 0
	for n := 8; n < len(b); n += 97 {
		if _, err := opened(t, b[:n]); err == nil {
			mustView(t, whole, b[:n])
			continue
		}
		mustRefuse(t, "unreadable", b[:n])
		refused++
	}
	if refused < len(b)/97*3/4 {
		t.Errorf("only %d refused", refused)
	}
	mustView(t, whole, append(bytes.Clone(b), make([]byte, 100)...))
}
