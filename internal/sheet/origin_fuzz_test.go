package sheet

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	"tianbao"
)

// FuzzOrigin gives the reader marks and lines that strangers made up: nothing of them
// is believed, and what is read of a true one is what was written.
func FuzzOrigin(f *testing.F) {
	st := testStamp()
	held := &heldIDs{}
	s := newStamper(st)
	row := tianbao.Row{ID: 7, Version: 3, Values: person(0)}
	mark := s.mark(&row, 8)
	held.add(7)
	var lines []string
	for name, text := range originLines(&tianbao.Form{Name: "asset-role", Version: 1}, st, held) {
		lines = append(lines, name, text)
	}
	f.Add(mark, strings.Join(lines, "\n"))
	f.Add("1.2.3.4", "a\nb")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, text, sheet string) {
		if m, ok := parseMark(text); ok {
			if m.id <= 0 || m.version < 0 || len(text) > maxMark {
				t.Errorf("mark %q read as %+v", text, m)
			}
			if s.sign(m.id, m.version, []byte(m.cells)) == m.sign && text != mark {
				t.Errorf("a mark that nobody made is believed: %q", text)
			}
		}
		got := strings.Split(sheet, "\n")
		if o := parseOrigin(got, st.Digest); o != nil && sheet != strings.Join(lines, "\n") {
			t.Errorf("an origin that nobody signed is believed: %q", sheet)
		}
		// However marks and cells were moved apart, no mark is given to two rows.
		n := len(got)
		marks, now, at := someMarks(got), make([]uint64, n), make([]int, n)
		for i := range got {
			now[i] = marks[(i*7+len(text))%n].cells
			at[i] = (i + len(text)) % n
		}
		repair(marks, now, at)
		used := make(map[int]bool)
		for i, k := range at {
			if k < -1 || k >= n || k >= 0 && used[k] {
				t.Fatalf("row %d has mark %d of %d", i, k, n)
			}
			used[k] = true
		}
	})
}

// someMarks makes a mark of each text; equal texts have equal cells.
func someMarks(texts []string) []mark {
	out := make([]mark, len(texts))
	for i, g := range texts {
		sum := sha256.Sum256([]byte(g))
		out[i] = mark{id: tianbao.ID(len(g) % 3), cells: binary.BigEndian.Uint64(sum[:])}
	}
	return out
}
