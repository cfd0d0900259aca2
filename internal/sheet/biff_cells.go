package sheet

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
)

// biffFact is what a first walk over a sheet finds: that it is whole, what is
// merged and hidden, and the cells' order if it is not that of the rows.
type biffFact struct {
	merges []Merge
	hidden [biffRows / 8]byte
	start  int       // offset of the first cell
	cells  []biffPos // in order of rows; nil: the file's order is right
}

// biffPos is where a cell record stands.
type biffPos struct {
	row uint16
	at  int32
}

const biffRows = 1 << 16

// isCell reports whether a record holds one or more cells.
func isCell(id uint16) bool {
	switch id {
	case recLabelSST, recNumber, recRK, recMulRK, recLabel, recRString, recBoolErr, recFormula, recFormula3, recFormula4:
		return true
	}
	return false
}

// walk goes over the records of a sheet, nested charts left out.
func (b *biffBook) walk(ctx context.Context, at int, fn func(id uint16, body []byte, at int) error) error {
	depth := 0
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		id, body, next, err := b.record(at)
		if err != nil {
			return err
		}
		switch {
		case isBOF(id):
			depth++
		case depth == 0:
			return errBIFFForm // the sheet's offset leads nowhere
		case id == recEOF:
			if depth--; depth == 0 {
				return nil
			}
		case depth == 1:
			if err := fn(id, body, at); err != nil {
				return err
			}
		}
		at = next
	}
}

// look walks over sheet i once.
func (b *biffBook) look(ctx context.Context, i int) (*biffFact, error) {
	if b.facts[i] != nil {
		return b.facts[i], nil
	}
	f := &biffFact{}
	last, sorted := -1, true
	err := b.walk(ctx, b.at[i], func(id uint16, body []byte, at int) error {
		switch {
		case id == recRow:
			if len(body) >= 16 && body[12]&0x20 != 0 {
				row := binary.LittleEndian.Uint16(body)
				f.hidden[row/8] |= 1 << (row % 8)
			}
		case id == recMergeCells:
			return b.addMerges(f, body)
		case isCell(id):
			if len(body) < 6 {
				return errBIFFForm
			}
			if f.start == 0 {
				f.start = at
			}
			row := int(binary.LittleEndian.Uint16(body))
			sorted = sorted && row >= last
			last = row
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !sorted {
		if err := b.order(ctx, i, f); err != nil {
			return nil, err
		}
	}
	b.facts[i] = f
	return f, nil
}

// order lists the cells by row. A program may write column by column, and cells of
// one row must come together.
func (b *biffBook) order(ctx context.Context, i int, f *biffFact) error {
	err := b.walk(ctx, b.at[i], func(id uint16, body []byte, at int) error {
		if !isCell(id) {
			return nil
		}
		if err := b.mem.take(8); err != nil {
			return err
		}
		f.cells = append(f.cells, biffPos{binary.LittleEndian.Uint16(body), int32(at)})
		return nil
	})
	slices.SortStableFunc(f.cells, func(x, y biffPos) int { return cmp.Compare(x.row, y.row) })
	return err
}

func (b *biffBook) addMerges(f *biffFact, body []byte) error {
	if len(body) < 2 {
		return errBIFFForm
	}
	n := int(binary.LittleEndian.Uint16(body))
	for body = body[2:]; n > 0 && len(body) >= 8; n, body = n-1, body[8:] {
		r1, r2 := binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:])
		c1, c2 := binary.LittleEndian.Uint16(body[4:]), binary.LittleEndian.Uint16(body[6:])
		if r2 < r1 || c2 < c1 || int(c1) >= b.limits.Columns || c2 >= maxCol {
			continue
		}
		if err := b.mem.take(16); err != nil {
			return err
		}
		f.merges = append(f.merges, Merge{int32(r1) + 1, int32(r2) + 1, int16(c1), int16(c2)})
	}
	if n > 0 {
		return errBIFFForm
	}
	return nil
}
