package sheet

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// The last cell of a sheet, ECMA-376 part 1 §18.3.1.73; a reference beyond is
// corrupt.
const (
	maxRow = 1 << 20
	maxCol = 1 << 14
	// maxRowText bounds the text of one row, which may name one cell many times.
	maxRowText = 16 << 20
)

// Errors of the sheet part.
var (
	errRef     = errors.New("sheet: cell reference out of range")
	errNested  = errors.New("sheet: row or cell inside another")
	errNoSheet = errors.New("sheet: not a worksheet part")
	errRowSize = errors.New("sheet: too many or too long cells in a row")
)

// span is a piece of the row buffer.
type span struct{ from, to int }

// sheetParser walks one sheet part. Everything it holds is reused from row to row.
type sheetParser struct {
	*part
	b  *xlsx
	fn func(*RowData) error

	row    RowData
	texts  []byte // of the row's cells
	digits []byte // the row's number as it is written, if it is
	last   int    // number of the row before
	merge  []Merge

	inRow, inCell, inData bool
	wide                  bool // a cell beyond Limits.Columns: passed over
	sorted                bool
	nextCol               int
	alts                  []bool // open mc:AlternateContent elements: a Choice was taken

	cell     Cell
	kind     cellType
	capture  bool // text goes into buf
	inIs     bool
	value    span // of <v>
	inline   span // of <is>
	hasValue bool
	hasIs    bool
}

// rows streams sheet i.
func (b *xlsx) rows(ctx context.Context, i int, fn func(*RowData) error) ([]Merge, error) {
	if err := b.loadStrings(ctx); err != nil {
		return nil, err
	}
	p, err := b.c.open(ctx, b.part[i])
	if err != nil {
		return nil, err
	}
	defer p.close()
	s := &sheetParser{part: p, b: b, fn: fn}
	if err := s.run(); err != nil {
		if errors.Is(err, errStop) {
			return nil, nil
		}
		return nil, err
	}
	return s.merge, nil
}

func (s *sheetParser) run() error {
	root := false
	for {
		if s.inRow && !s.inCell && !s.b.slow {
			if err := s.quickCells(); err != nil {
				return err
			}
		}
		tok, err := s.next()
		if err != nil {
			return err
		}
		switch tok {
		case tokEOF:
			if !root {
				return errNoSheet
			}
			return nil
		case tokText:
			if s.capture {
				s.take()
			}
		case tokStart:
			root = root || string(s.name) == "worksheet"
			if err := s.start(); err != nil {
				return err
			}
		case tokEnd:
			if err := s.finish(); err != nil {
				return err
			}
		}
	}
}

// take appends text to the row buffer, up to a little more than a cell may hold.
func (s *sheetParser) take() {
	from := s.value.from
	if s.inIs {
		from = s.inline.from
	}
	if room := s.b.limits.CellChars*4 + 4 - (len(s.texts) - from); room > 0 {
		s.texts = appendText(s.texts, s.text[:min(len(s.text), room)], s.cdata)
	}
}

func (s *sheetParser) start() error {
	switch string(s.name) {
	case "c":
		if s.inRow {
			return s.startCell()
		}
	case "v":
		if s.inCell && !s.wide {
			s.value = span{len(s.texts), len(s.texts)}
			s.capture = !s.closed
			s.hasValue = true
		}
	case "is":
		if s.inCell && !s.wide {
			s.inline = span{len(s.texts), len(s.texts)}
			s.inIs, s.hasIs = !s.closed, true
		}
	case "t":
		s.capture = s.inIs && !s.closed
	case "rPh", "rPr":
		return s.skip()
	case "f":
		if s.inCell {
			s.cell.Formula = true
			return s.skip()
		}
	case "row":
		if s.inData {
			return s.startRow()
		}
	case "sheetData":
		s.inData = !s.closed
	case "mergeCell":
		return s.addMerge()
	case "AlternateContent":
		if !s.closed {
			s.alts = append(s.alts, false)
		}
	case "Choice":
		if n := len(s.alts); n > 0 {
			if s.alts[n-1] {
				return s.skip()
			}
			s.alts[n-1] = true
		}
	case "Fallback":
		if len(s.alts) > 0 {
			return s.skip()
		}
	}
	return nil
}

func (s *sheetParser) finish() error {
	switch string(s.name) {
	case "v":
		if s.inCell && !s.wide {
			s.capture = false
			s.value.to = len(s.texts)
		}
	case "t":
		s.capture = false
	case "is":
		if s.inIs {
			s.inline.to = len(s.texts)
			s.inIs = false
		}
	case "c":
		if s.inCell {
			return s.finishCell()
		}
	case "row":
		if s.inRow {
			return s.finishRow()
		}
	case "sheetData":
		s.inData = false
	case "AlternateContent":
		if n := len(s.alts); n > 0 {
			s.alts = s.alts[:n-1]
		}
	}
	return nil
}

func (s *sheetParser) startRow() error {
	if s.inRow {
		return errNested
	}
	num, hidden := 0, false
	s.row.Cells, s.texts, s.digits = s.row.Cells[:0], s.texts[:0], s.digits[:0]
	for a := s.attrs; ; {
		name, v, rest, ok := nextAttr(a)
		if !ok {
			break
		}
		switch string(name) {
		case "r":
			n, ok := number(v, maxRow)
			if !ok || n == 0 {
				return errRef
			}
			num = n
			s.digits = append(s.digits[:0], v...)
		case "hidden":
			hidden = len(v) > 0 && (v[0] == '1' || v[0] == 't')
		}
		a = rest
	}
	s.row.Num, s.row.Hidden = num, hidden
	s.nextCol, s.sorted = 0, true
	s.inRow = true
	if s.closed {
		return s.finishRow()
	}
	return nil
}

func (s *sheetParser) finishRow() error {
	s.inRow = false
	if s.row.Num == 0 {
		if s.row.Num = s.last + 1; s.row.Num > maxRow {
			return errRef
		}
	}
	s.last = s.row.Num
	if len(s.row.Cells) == 0 {
		return nil
	}
	if !s.sorted {
		s.row.Cells = inColumns(s.row.Cells)
	}
	return s.fn(&s.row)
}

// inColumns sorts the cells of a row that came in another order. Of two cells in
// one place the later wins, as in Excel.
func inColumns(c []Cell) []Cell {
	slices.SortStableFunc(c, func(a, b Cell) int { return a.Col - b.Col })
	out := c[:1]
	for _, x := range c[1:] {
		if x.Col == out[len(out)-1].Col {
			out[len(out)-1] = x
		} else {
			out = append(out, x)
		}
	}
	return out
}

// addMerge keeps a merged range that touches the columns looked at.
func (s *sheetParser) addMerge() error {
	ref, _ := s.attr("ref")
	from, to, ok := bytes.Cut([]byte(ref), []byte{':'})
	if !ok {
		return nil
	}
	c1, r1, ok1 := parseRef(from)
	c2, r2, ok2 := parseRef(to)
	if !ok1 || !ok2 {
		return errRef
	}
	c1, c2, r1, r2 = min(c1, c2), max(c1, c2), min(r1, r2), max(r1, r2)
	if c1 >= s.b.limits.Columns {
		return nil
	}
	if err := s.b.mem.take(16); err != nil {
		return err
	}
	s.merge = append(s.merge, Merge{int32(r1), int32(r2), int16(c1), int16(min(c2, maxCol-1))})
	return nil
}

// number reads an unsigned number up to limit.
func number(b []byte, limit int) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int(c-'0'); n > limit {
			return 0, false
		}
	}
	return n, len(b) > 0
}

// parseRef reads A1 into column (from 0) and row (from 1).
func parseRef(b []byte) (col, row int, ok bool) {
	i := 0
	for ; i < len(b); i++ {
		c := b[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		if col = col*26 + int(c-'A') + 1; col > maxCol {
			return 0, 0, false
		}
	}
	row, ok = number(b[i:], maxRow)
	return col - 1, row, ok && i > 0 && row > 0
}
