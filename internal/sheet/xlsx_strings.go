package sheet

import (
	"bytes"
	"context"
	"errors"
)

const (
	arenaChunk = 1 << 20
	indexChunk = 1 << 16
)

// strtab holds the shared strings in 1 MiB chunks and one word a string: 433
// allocations for 100,000 rows instead of one each.
type strtab struct {
	chunks [][]byte
	index  [][]uint64 // chunk<<40 | offset<<20 | length
	n      int
}

// get returns string i, nil and false when there is none.
func (t *strtab) get(i int) ([]byte, bool) {
	if i < 0 || i >= t.n {
		return nil, false
	}
	e := t.index[i/indexChunk][i%indexChunk]
	off, length := int(e>>20&(1<<20-1)), int(e&(1<<20-1))
	if length == 0 {
		return nil, true
	}
	return t.chunks[e>>40][off : off+length : off+length], true
}

// add copies a string, which is shorter than a chunk, into the table.
func (t *strtab) add(b []byte) {
	last := len(t.chunks) - 1
	if len(b) > 0 && (last < 0 || cap(t.chunks[last])-len(t.chunks[last]) < len(b)) {
		t.chunks = append(t.chunks, make([]byte, 0, arenaChunk))
		last++
	}
	var e uint64
	if len(b) > 0 {
		e = uint64(last)<<40 | uint64(len(t.chunks[last]))<<20 | uint64(len(b))
		t.chunks[last] = append(t.chunks[last], b...)
	}
	if t.n%indexChunk == 0 {
		t.index = append(t.index, make([]uint64, 0, indexChunk))
	}
	k := len(t.index) - 1
	t.index[k] = append(t.index[k], e)
	t.n++
}

// room counts one more string of n bytes.
func (t *strtab) room(n int, limits *Limits, mem *budget) error {
	if t.n >= limits.Strings {
		return errTooBig("文件里的文字太多，请把它分成几个文件后分别上传。", errors.New("sheet: strings over the limit"))
	}
	return mem.take(n + 8)
}

// The shape of nearly every string. As in xlsx_quick.go, whatever deviates is left
// to the scanner.
const (
	stringOpen  = "<si><t>"
	stringKeep  = `<si><t xml:space="preserve">`
	stringClose = "</t></si>"
)

// quick takes strings as long as they have that shape.
func (t *strtab) quick(p *part, limits *Limits, mem *budget) error {
	for {
		b := p.buf[p.pos:p.end]
		i := len(stringOpen)
		switch {
		case len(b) > len(stringOpen) && string(b[:len(stringOpen)]) == stringOpen:
		case len(b) > len(stringKeep) && string(b[:len(stringKeep)]) == stringKeep:
			i = len(stringKeep)
		default:
			return nil
		}
		n := bytes.IndexByte(b[i:], '<')
		if n < 0 || n > limits.CellChars || len(b)-i-n < len(stringClose) ||
			string(b[i+n:i+n+len(stringClose)]) != stringClose || !plain(b[i:i+n]) {
			return nil
		}
		if err := t.room(n, limits, mem); err != nil {
			return err
		}
		t.add(b[i : i+n])
		p.pos += i + n + len(stringClose)
	}
}

// read fills the table from the shared strings part. Runs of rich text are joined;
// phonetic runs (rPh, the reading of a name) are not part of the text.
func (t *strtab) read(ctx context.Context, b *xlsx) error {
	limits, mem := b.limits, b.mem
	p, err := b.c.open(ctx, b.stringsPart)
	if err != nil {
		return err
	}
	defer p.close()
	maxBytes := limits.CellChars * 4
	var cur []byte
	inItem, inText := false, false
	add := func() error {
		cur = unescapeX(cur)
		if err := t.room(len(cur), limits, mem); err != nil {
			return err
		}
		t.add(cur)
		cur = cur[:0]
		return nil
	}
	for {
		if !inItem && p.depth() == 1 && !b.slow {
			if err := t.quick(p, limits, mem); err != nil {
				return err
			}
		}
		tok, err := p.next()
		if err != nil {
			return err
		}
		switch tok {
		case tokEOF:
			return nil
		case tokStart:
			switch string(p.name) {
			case "si":
				if inItem = !p.closed; !inItem {
					err = add()
				}
			case "t":
				inText = inItem && !p.closed
			case "rPh", "phoneticPr", "rPr":
				err = p.skip()
			}
		case tokEnd:
			switch string(p.name) {
			case "si":
				inItem = false
				err = add()
			case "t":
				inText = false
			}
		case tokText:
			// One character more than fits is kept, so that the cut is noticed.
			if inText && len(cur) <= maxBytes {
				cur = appendText(cur, p.text[:min(len(p.text), maxBytes+4-min(maxBytes, len(cur)))], p.cdata)
			}
		}
		if err != nil {
			return err
		}
	}
}
