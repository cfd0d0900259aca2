package sheet

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
)

// biffRow puts the cells of a row together.
type biffRow struct {
	b      *biffBook
	fn     func(*RowData) error
	f      *biffFact
	row    RowData
	buf    []byte // texts of the row that are not shared
	spans  []span // of each cell; from < 0: Raw is set
	sorted bool
	total  int64 // bytes of text handed on
}

func (b *biffBook) rows(ctx context.Context, i int, fn func(*RowData) error) ([]Merge, error) {
	f, err := b.look(ctx, i)
	if err != nil {
		return nil, err
	}
	s := &biffRow{b: b, fn: fn, f: f}
	if f.cells == nil && f.start > 0 {
		err = b.walk(ctx, b.at[i], func(id uint16, body []byte, at int) error {
			if !isCell(id) {
				return nil
			}
			return s.take(id, body, at)
		})
	} else {
		for n, c := range f.cells {
			if n%4096 == 0 {
				err = ctx.Err()
			}
			if err != nil {
				break
			}
			id, body, _, rerr := b.record(int(c.at))
			if err = rerr; err == nil {
				err = s.take(id, body, int(c.at))
			}
		}
	}
	if err == nil {
		err = s.flush()
	}
	if errors.Is(err, errStop) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return f.merges, nil
}

// flush hands on the row.
func (s *biffRow) flush() error {
	if len(s.row.Cells) == 0 {
		return nil
	}
	for i, sp := range s.spans {
		if sp.from >= 0 {
			s.row.Cells[i].Raw = s.buf[sp.from:sp.to:sp.to]
		}
		s.total += int64(len(s.row.Cells[i].Raw))
	}
	// A few bytes refer to a long shared string, so what is handed on is bounded as
	// inflated text is.
	if s.total > s.b.limits.Inflated/4 {
		return errTooBig("文件内容太多，请把它分成几个文件后分别上传。", errors.New("sheet: text of the cells over the limit"))
	}
	if !s.sorted {
		s.row.Cells = inColumns(s.row.Cells)
	}
	err := s.fn(&s.row)
	s.row.Cells = s.row.Cells[:0]
	return err
}

// take reads one cell record.
func (s *biffRow) take(id uint16, body []byte, at int) error {
	num := int(binary.LittleEndian.Uint16(body)) + 1
	if num != s.row.Num {
		if err := s.flush(); err != nil {
			return err
		}
		s.row.Num, s.row.Hidden = num, s.f.hidden[(num-1)/8]&(1<<((num-1)%8)) != 0
		s.row.Cells, s.spans, s.buf, s.sorted = s.row.Cells[:0], s.spans[:0], s.buf[:0], true
	}
	c := Cell{Col: int(binary.LittleEndian.Uint16(body[2:]))}
	if c.Col >= maxCol {
		return errRef
	}
	if id == recMulRK {
		return s.mulRK(c.Col, body[4:])
	}
	c.NumFmt = s.b.format(body[4:])
	body = body[6:]
	from := len(s.buf)
	var err error
	switch id {
	case recLabelSST:
		if len(body) < 4 {
			return errBIFFForm
		}
		raw, ok := s.b.sst.get(int(binary.LittleEndian.Uint32(body)))
		if !ok {
			raw, c.Kind = []byte(badString), Error
		}
		c.Raw = raw
		return s.add(c, span{-1, 0})
	case recRK:
		if len(body) < 4 {
			return errBIFFForm
		}
		c.Kind = Number
		s.number(&c, rk(binary.LittleEndian.Uint32(body)))
	case recNumber:
		if len(body) < 8 {
			return errBIFFForm
		}
		c.Kind = Number
		s.number(&c, math.Float64frombits(binary.LittleEndian.Uint64(body)))
	case recLabel, recRString:
		if len(body) < 2 {
			return errBIFFForm
		}
		s.buf, err = s.b.chars(s.buf, body[2:], int(binary.LittleEndian.Uint16(body)))
	case recBoolErr:
		if len(body) < 2 {
			return errBIFFForm
		}
		s.boolErr(&c, body[0], body[1] != 0)
	default:
		err = s.formula(&c, body, at)
	}
	if err != nil {
		return err
	}
	return s.add(c, span{from, len(s.buf)})
}

// add adds the cell to the row unless it is blank.
func (s *biffRow) add(c Cell, sp span) error {
	if c.Col >= s.b.limits.Columns || sp.from == sp.to || sp.from < 0 && len(c.Raw) == 0 {
		return nil
	}
	if len(s.row.Cells) == maxCol || len(s.buf) > maxRowText {
		return errRowSize
	}
	if n := len(s.row.Cells); n > 0 && s.row.Cells[n-1].Col >= c.Col {
		s.sorted = false
	}
	s.row.Cells = append(s.row.Cells, c)
	s.spans = append(s.spans, sp)
	return nil
}

// mulRK reads several numbers side by side.
func (s *biffRow) mulRK(col int, body []byte) error {
	for ; len(body) >= 6+2; col, body = col+1, body[6:] {
		from := len(s.buf)
		c := Cell{Col: col, Kind: Number, NumFmt: s.b.format(body)}
		s.number(&c, rk(binary.LittleEndian.Uint32(body[2:])))
		if err := s.add(c, span{from, len(s.buf)}); err != nil {
			return err
		}
	}
	if len(body) != 2 || col > maxCol {
		return errBIFFForm
	}
	return nil
}

// formula reads the value that was calculated last ([MS-XLS] §2.5.133). A text
// follows in a record of its own.
func (s *biffRow) formula(c *Cell, body []byte, at int) error {
	if len(body) < 8 {
		return errBIFFForm
	}
	c.Formula = true
	if body[6] != 0xFF || body[7] != 0xFF {
		c.Kind = Number
		s.number(c, math.Float64frombits(binary.LittleEndian.Uint64(body)))
		return nil
	}
	switch body[0] {
	case 0:
		return s.result(at)
	case 1, 2:
		s.boolErr(c, body[2], body[0] == 2)
	}
	return nil // 3: an empty text
}

// result reads the STRING record behind the formula at an offset; without one the
// formula has no text.
func (s *biffRow) result(at int) error {
	_, _, next, err := s.b.record(at)
	for range 4 {
		if err != nil || next >= len(s.b.data) {
			return err
		}
		var id uint16
		var body []byte
		id, body, next, err = s.b.record(next)
		switch id {
		case recShared, recArray, recTable, recContinue:
			continue
		case recString:
		default:
			return err
		}
		p := &pieces{s.b, body, next}
		n, err := p.uint(2)
		if err != nil || n == 0 {
			return err
		}
		if !s.b.eight {
			s.buf, err = s.b.chars(s.buf, p.body, n)
			return err
		}
		flags, err := p.uint(1)
		if err != nil {
			return err
		}
		buf, err := p.text(s.buf, n, flags&1 != 0)
		if err == nil {
			s.buf = buf
		}
		return err
	}
	return nil
}

func (s *biffRow) boolErr(c *Cell, v byte, isErr bool) {
	if !isErr {
		c.Kind = Bool
		s.buf = append(s.buf, '0'+v&1)
		return
	}
	c.Kind = Error
	s.buf = append(s.buf, errorName(v)...)
}

// number writes a number as text: the shortest that gives the same number, without
// an exponent where it is whole.
func (s *biffRow) number(c *Cell, v float64) {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		s.buf = strconv.AppendInt(s.buf, int64(v), 10)
	case math.IsNaN(v), math.IsInf(v, 0):
		c.Kind = Error
		s.buf = append(s.buf, "#NUM!"...)
	default:
		s.buf = strconv.AppendFloat(s.buf, v, 'g', -1, 64)
	}
}

// rk unpacks a number of four bytes ([MS-XLS] §2.5.217).
func rk(v uint32) float64 {
	var f float64
	if v&2 != 0 {
		f = float64(int32(v) >> 2)
	} else {
		f = math.Float64frombits(uint64(v&^3) << 32)
	}
	if v&1 != 0 {
		f /= 100
	}
	return f
}

// format returns the number format of the cell format that b begins with.
func (b *biffBook) format(xf []byte) NumFmt {
	if i := int(binary.LittleEndian.Uint16(xf)); i < len(b.fmts) {
		return b.fmts[i]
	}
	return NumFmt{}
}

// errorName gives the error value of a code ([MS-XLS] §2.5.10).
func errorName(v byte) string {
	switch v {
	case 0x00:
		return "#NULL!"
	case 0x07:
		return "#DIV/0!"
	case 0x0F:
		return "#VALUE!"
	case 0x17:
		return "#REF!"
	case 0x1D:
		return "#NAME?"
	case 0x24:
		return "#NUM!"
	}
	return "#N/A"
}
