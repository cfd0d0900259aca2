package sheet

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// An export can be marked so that a part of it still tells which export it was. The
// mark is in the colour of the letters: near black in all cells, and in each with
// other lowest bits of red, green and blue, eight in all,
//
//	slot (3) · the bits of the code that belong to it (5)
//
// where the slot is that of column plus row. So every row of eight cells holds the whole
// code, wherever it is moved, sorted or copied to with its formats; LibreOffice, Excel and
// WPS keep a colour as it is. No value changes. Whoever copies values without formats, or
// gives the cells another colour, is rid of it: this finds who was careless, not who is
// careful.

// Trace is the code of a marked export, 40 bits. The last byte is for a check by whoever
// makes codes.
type Trace [5]byte

const (
	traceSlots = 8
	traceBase  = 0x182028 // letters in near black, RRGGBB, with room for the mark
)

// slot returns the five bits of the code that belong to a slot.
func (t *Trace) slot(n int) int {
	var v uint64
	for _, b := range t {
		v = v<<8 | uint64(b)
	}
	return int(v >> (5 * (traceSlots - 1 - n)) & 31)
}

// traceColour is the colour that holds five bits of a slot.
func traceColour(slot, bits int) int {
	v := slot<<5 | bits
	return traceBase | v>>6<<16 | v>>3&7<<8 | v&7
}

// traced reads a colour; ok is false for every other.
func traced(rgb int) (slot, bits int, ok bool) {
	if rgb&^0x030707 != traceBase {
		return 0, 0, false
	}
	v := rgb>>16&3<<6 | rgb>>8&7<<3 | rgb&7
	return v >> 5, v & 31, true
}

// traceStyle is the style of a marked cell of data, or the given one where such cells
// are not marked.
func (s *sheetWriter) traceStyle(style int, sh shape, sev severity) int {
	if s.trace == nil || sev != sevNone || sh != shapeText && sh != shapeSeq {
		return style
	}
	return styleEnd + (s.col+s.row)%traceSlots*2 + int(sh)
}

// Found is a code found in a workbook, and in how many rows it stands whole.
type Found struct {
	Code Trace
	Rows int // 0: put together from cells of several rows
}

// FindTrace looks for the marks of exports in an .xlsx workbook, the most frequent first.
func FindTrace(ctx context.Context, r io.ReaderAt, size int64) ([]Found, error) {
	limits := DefaultLimits()
	c, err := openContainer(r, size, &limits)
	if err != nil {
		return nil, err
	}
	f := traceFinder{whole: make(map[Trace]int)}
	if err := f.styles(ctx, c); err != nil {
		return nil, blame("reading styles", err)
	}
	for name := range c.parts {
		if strings.HasPrefix(name, "xl/worksheets/") && strings.HasSuffix(name, ".xml") {
			if err := f.sheet(ctx, c, name); err != nil {
				return nil, blame("reading a sheet", err)
			}
		}
	}
	return f.found(), nil
}

// traceFinder counts what the cells say.
type traceFinder struct {
	colours []int // by cell style, -1: none
	whole   map[Trace]int
	votes   [traceSlots][32]int
}

// eachTag calls fn for every start tag of a part, with the names of the open elements
// above it.
func eachTag(ctx context.Context, c *container, name string, fn func(p *part, path []string) error) error {
	p, err := c.open(ctx, name)
	if err != nil {
		return err
	}
	defer p.close()
	var path []string
	for {
		tok, err := p.next()
		switch {
		case err != nil:
			return err
		case tok == tokEOF:
			return nil
		case tok == tokEnd && len(path) > 0:
			path = path[:len(path)-1]
		case tok == tokStart:
			if err := fn(p, path); err != nil {
				return err
			}
			if !p.closed {
				path = append(path, string(p.name))
			}
		}
	}
}

// styles reads the colour of each cell style.
func (f *traceFinder) styles(ctx context.Context, c *container) error {
	var fonts []int
	return eachTag(ctx, c, "xl/styles.xml", func(p *part, path []string) error {
		if len(path) < 2 {
			return nil
		}
		switch name := string(p.name); {
		case name == "font" && path[len(path)-1] == "fonts":
			fonts = append(fonts, -1)
		case name == "color" && path[len(path)-1] == "font" && len(fonts) > 0:
			rgb, _ := p.attr("rgb")
			if n, err := strconv.ParseUint(rgb, 16, 32); err == nil && len(rgb) >= 6 {
				fonts[len(fonts)-1] = int(n & 0xffffff)
			}
		case name == "xf" && path[len(path)-1] == "cellXfs":
			id, _ := p.attr("fontId")
			colour := -1
			if n, err := strconv.Atoi(id); err == nil && n >= 0 && n < len(fonts) {
				colour = fonts[n]
			}
			f.colours = append(f.colours, colour)
		}
		return nil
	})
}

func (f *traceFinder) sheet(ctx context.Context, c *container, name string) error {
	var row [traceSlots]int // the bits, and one more; 0: not seen
	count := func() {
		var v uint64
		for _, b := range row {
			v = v<<5 | uint64(max(b-1, 0))
		}
		if !slices.Contains(row[:], 0) {
			f.whole[traceOf(v)]++
		}
		row = [traceSlots]int{}
	}
	err := eachTag(ctx, c, name, func(p *part, _ []string) error {
		switch string(p.name) {
		case "row":
			count()
		case "c":
			style, _ := p.attr("s")
			n, err := strconv.Atoi(style)
			if err != nil || n < 0 || n >= len(f.colours) {
				return nil
			}
			if slot, bits, ok := traced(f.colours[n]); ok {
				row[slot] = bits + 1
				f.votes[slot][bits]++
			}
		}
		return nil
	})
	count()
	return err
}

func traceOf(v uint64) (t Trace) {
	for i := range t {
		t[i] = byte(v >> (8 * (len(t) - 1 - i)))
	}
	return t
}

// found lists the codes that stand whole in rows; where none does, the one that most
// cells speak for.
func (f *traceFinder) found() []Found {
	var out []Found
	for code, n := range f.whole {
		out = append(out, Found{code, n})
	}
	slices.SortFunc(out, func(a, b Found) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), bytes.Compare(a.Code[:], b.Code[:])) })
	if len(out) > 0 {
		return out
	}
	var v uint64
	for _, votes := range f.votes {
		best := 0
		for bits, n := range votes {
			if n > votes[best] {
				best = bits
			}
		}
		if votes[best] == 0 {
			return nil
		}
		v = v<<5 | uint64(best)
	}
	return []Found{{traceOf(v), 0}}
}

// traceFonts are what the style sheet has more in a marked export.
func traceFonts(t *Trace) string {
	var b strings.Builder
	for slot := range traceSlots {
		fmt.Fprintf(&b, `<font><sz val="11"/><color rgb="FF%06X"/><name val="宋体"/><charset val="134"/></font>`, traceColour(slot, t.slot(slot)))
	}
	return b.String()
}
