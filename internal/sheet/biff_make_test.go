package sheet

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// cfbOf puts streams into a compound file ([MS-CFB]), of version 4 with its longer
// sectors if they are long. Streams are padded to the size from which they need no
// mini stream; records of zeros do no harm.
func cfbOf(t testing.TB, streams map[string][]byte) []byte {
	t.Helper()
	sector, shift, version := 512, 9, 3
	for _, b := range streams {
		if len(b) > 4<<20 {
			sector, shift, version = 4096, 12, 4
		}
	}
	le := binary.LittleEndian
	var body []byte
	var fat []uint32
	put := func(b []byte) (start uint32) {
		start = uint32(len(fat))
		for n := 0; n < len(b); n += sector {
			body = append(body, b[n:min(n+sector, len(b))]...)
			body = append(body, make([]byte, (sector-len(body)%sector)%sector)...)
			fat = append(fat, uint32(len(fat)+1))
		}
		fat[len(fat)-1] = 0xFFFFFFFE
		return start
	}
	entry := func(name string, kind byte, child, right, start uint32, size int) []byte {
		e := make([]byte, 128)
		copy(e, utf16LE(name))
		le.PutUint16(e[64:], uint16(2*len(name)+2))
		e[66], e[67] = kind, 1
		le.PutUint32(e[68:], 0xFFFFFFFF)
		le.PutUint32(e[72:], right)
		le.PutUint32(e[76:], child)
		le.PutUint32(e[116:], start)
		le.PutUint32(e[120:], uint32(size))
		return e
	}
	dir := entry("Root Entry", 5, 1, 0xFFFFFFFF, 0xFFFFFFFE, 0)
	n := 0
	names := slices.Sorted(maps.Keys(streams))
	slices.Reverse(names)
	for _, name := range names {
		n++
		b := streams[name]
		b = append(append([]byte(nil), b...), make([]byte, max(0, 4096-len(b)))...)
		right := uint32(n + 1)
		if n == len(streams) {
			right = 0xFFFFFFFF
		}
		dir = append(dir, entry(name, 2, 0xFFFFFFFF, right, put(b), len(b))...)
	}
	dirStart := put(append(dir, make([]byte, (sector-len(dir)%sector)%sector)...))
	perFAT := sector / 4
	fats := (len(fat)+perFAT-1)/perFAT + 1 // room for the FAT's own sectors
	fatStart := uint32(len(fat))
	for range fats {
		fat = append(fat, 0xFFFFFFFD)
	}
	for len(fat) < fats*perFAT {
		fat = append(fat, 0xFFFFFFFF)
	}
	head := make([]byte, sector)
	copy(head, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	le.PutUint16(head[24:], 0x3E)
	le.PutUint16(head[26:], uint16(version))
	le.PutUint16(head[28:], 0xFFFE)
	le.PutUint16(head[30:], uint16(shift))
	le.PutUint16(head[32:], 6)
	le.PutUint32(head[44:], uint32(fats))
	le.PutUint32(head[48:], dirStart)
	le.PutUint32(head[56:], 4096)
	le.PutUint32(head[60:], 0xFFFFFFFE)
	le.PutUint32(head[68:], 0xFFFFFFFE)
	for i := range 109 {
		v := uint32(0xFFFFFFFF)
		if i < fats {
			v = fatStart + uint32(i)
		}
		le.PutUint32(head[76+4*i:], v)
	}
	out := append(head, body...)
	for _, v := range fat[:fats*perFAT] {
		out = le.AppendUint32(out, v)
	}
	return out
}

// biffMaker writes records.
type biffMaker struct {
	b   []byte
	max int // longest record body of the SST
}

func u16(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
func u32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
func f64(v float64) []byte {
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))
}

// rec writes a record of the pieces given.
func (m *biffMaker) rec(id int, pieces ...[]byte) {
	var body []byte
	for _, p := range pieces {
		body = append(body, p...)
	}
	m.b = append(append(append(m.b, u16(id)...), u16(len(body))...), body...)
}

func (m *biffMaker) bof(version, kind int) {
	m.rec(recBOF, u16(version), u16(kind), make([]byte, 12))
}
func (m *biffMaker) eof() { m.rec(recEOF) }

// cell writes a cell record.
func (m *biffMaker) cell(id, row, col, xf int, pieces ...[]byte) {
	m.rec(id, append([][]byte{u16(row), u16(col), u16(xf)}, pieces...)...)
}

// wide tells whether a text needs UTF-16.
func wideText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0xFF }) >= 0
}

func unitsOf(s string) []uint16 { return utf16.Encode([]rune(s)) }

// str8 is a BIFF8 string without its length.
func str8(s string) []byte {
	u := unitsOf(s)
	if !wideText(s) {
		out := []byte{0}
		for _, c := range u {
			out = append(out, byte(c))
		}
		return out
	}
	out := []byte{1}
	for _, c := range u {
		out = append(out, byte(c), byte(c>>8))
	}
	return out
}

func long8(s string) []byte { return append(u16(len(unitsOf(s))), str8(s)...) }

// sstString is one shared string with formatting runs and a phonetic guide.
type sstString struct {
	text      string
	runs, ext int
}

// sst writes the shared strings in records of at most max bytes; each CONTINUE that
// cuts characters begins with a flag byte, and switches to bytes where it may.
func (m *biffMaker) sst(unique int, list []sstString) {
	limit := m.max
	if limit == 0 {
		limit = 8224
	}
	id, body := recSST, append(u32(len(list)), u32(unique)...)
	flush := func() {
		m.rec(id, body)
		id, body = recContinue, nil
	}
	put := func(b []byte) {
		for _, c := range b {
			if len(body) >= limit {
				flush()
			}
			body = append(body, c)
		}
	}
	for _, s := range list {
		head := u16(len(unitsOf(s.text)))
		flags := byte(0)
		if wideText(s.text) {
			flags |= 1
		}
		var more []byte
		if s.runs > 0 {
			flags |= 8
			more = append(more, u16(s.runs)...)
		}
		if s.ext > 0 {
			flags |= 4
			more = append(more, u32(s.ext)...)
		}
		if len(body)+len(head)+1+len(more) > limit {
			flush() // the head is never cut
		}
		put(append(append(head, flags), more...))
		wide := flags&1 != 0
		units := unitsOf(s.text)
		for i, u := range units {
			size := 1
			if wide {
				size = 2
			}
			if len(body)+size > limit {
				flush()
				// The rest may fit into bytes.
				wide = wideText(string(utf16.Decode(units[i:])))
				body = append(body, 0)
				if wide {
					body[0] = 1
				}
			}
			body = append(body, byte(u))
			if wide {
				body = append(body, byte(u>>8))
			}
		}
		put(make([]byte, 4*s.runs+s.ext))
	}
	flush()
}

// sheet8 is one sheet of a BIFF8 workbook made by hand.
type sheet8 struct {
	name        string
	state, kind byte
	write       func(m *biffMaker)
}

// biff8 makes a workbook stream: globals written by write, then the sheets.
func biff8(write func(m *biffMaker), sheets ...sheet8) []byte {
	m := &biffMaker{}
	m.bof(0x0600, subGlobals)
	m.rec(recCodePage, u16(1200))
	var fix []int
	for _, s := range sheets {
		fix = append(fix, len(m.b)+4)
		m.rec(recBoundSheet, u32(0), []byte{s.state, s.kind, byte(len(unitsOf(s.name)))}, str8(s.name))
	}
	if write != nil {
		write(m)
	}
	m.eof()
	for i, s := range sheets {
		copy(m.b[fix[i]:], u32(len(m.b)))
		m.bof(0x0600, subSheet)
		s.write(m)
		m.eof()
	}
	return m.b
}

// xlsOf makes an .xls file of one sheet.
func xlsOf(t testing.TB, globals, sheet func(m *biffMaker)) []byte {
	return cfbOf(t, map[string][]byte{"Workbook": biff8(globals, sheet8{name: "a", write: sheet})})
}

// xlsTable makes an .xls file of shared strings, each of them once.
func xlsTable(t testing.TB, rows [][]string) []byte {
	var list []sstString
	index := make(map[string]int)
	for _, r := range rows {
		for _, c := range r {
			if _, ok := index[c]; !ok {
				index[c] = len(list)
				list = append(list, sstString{text: c})
			}
		}
	}
	return xlsOf(t, func(m *biffMaker) { m.sst(len(list), list) }, func(m *biffMaker) {
		for i, r := range rows {
			for k, c := range r {
				m.cell(recLabelSST, i, k, 0, u32(index[c]))
			}
		}
	})
}
