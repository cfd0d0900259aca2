package sheet

import "bytes"

// cellType is the t attribute.
type cellType uint8

const (
	typeNumber cellType = iota
	typeShared
	typeStr
	typeInline
	typeBool
	typeError
	typeDate
)

func (s *sheetParser) startCell() error {
	if s.inCell {
		return errNested
	}
	s.cell, s.kind = Cell{Col: s.nextCol}, typeNumber
	for a := s.attrs; ; {
		name, v, rest, ok := nextAttr(a)
		if !ok {
			break
		}
		a = rest
		if len(name) != 1 {
			continue
		}
		switch name[0] {
		case 'r':
			col, row, ok := parseRef(v)
			if !ok {
				return errRef
			}
			s.cell.Col = col
			if s.row.Num == 0 {
				s.row.Num = row // a row without a number, cells with
			}
		case 's':
			if n, ok := number(v, maxStyles); ok && n < len(s.b.fmts) {
				s.cell.NumFmt = s.b.fmts[n]
			}
		case 't':
			s.kind = parseType(v)
		}
	}
	if s.cell.Col >= maxCol {
		return errRef
	}
	s.place(s.cell.Col)
	s.wide = s.cell.Col >= s.b.limits.Columns
	s.hasValue, s.hasIs, s.inIs, s.capture = false, false, false, false
	s.inCell = !s.closed
	return nil
}

func parseType(v []byte) cellType {
	switch string(v) {
	case "s":
		return typeShared
	case "str":
		return typeStr
	case "inlineStr":
		return typeInline
	case "b":
		return typeBool
	case "e":
		return typeError
	case "d":
		return typeDate
	}
	return typeNumber
}

// badString is what a cell shows whose shared string does not exist.
const badString = "#REF!"

// finishCell adds the cell to the row unless it is blank.
func (s *sheetParser) finishCell() error {
	s.inCell, s.capture = false, false
	sp := s.value
	if s.hasIs {
		// <is> wins over <v>, as in Excel.
		sp = s.inline
		s.kind = typeInline
	}
	if s.wide || !s.hasValue && !s.hasIs {
		return nil
	}
	raw := s.texts[sp.from:sp.to]
	c := &s.cell
	switch s.kind {
	case typeShared:
		n, ok := number(bytes.TrimSpace(raw), 1<<30)
		if ok {
			raw, ok = s.b.strings.get(n)
		}
		if c.Lasting = true; !ok {
			raw, c.Kind = []byte(badString), Error
		}
		s.texts = s.texts[:sp.from]
	case typeStr, typeInline:
		raw = unescapeX(raw)
	default:
		raw = bytes.TrimSpace(raw)
		c.Kind = [...]Kind{typeNumber: Number, typeBool: Bool, typeError: Error, typeDate: Date}[s.kind]
	}
	if len(raw) == 0 {
		return nil
	}
	if len(s.row.Cells) >= maxCol || len(s.texts) > maxRowText {
		return errRowSize
	}
	c.Raw = raw[:len(raw):len(raw)]
	s.row.Cells = append(s.row.Cells, *c)
	return nil
}
