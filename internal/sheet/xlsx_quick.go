package sheet

import "bytes"

// The shapes in which all common programs write a cell:
//
//	<c r="B2" s="1" t="s"><v>7</v></c>
//	<c r="B2" s="1" t="inlineStr"><is><t>text</t></is></c>
//	<c r="B2" s="1"/>
//
// They are cut here in one go, at a quarter of the cost of six tags. Whatever
// deviates by one byte — a prefix, a formula, rich text, single quotes, a cell that
// the buffer does not hold whole — is left untouched to the scanner, which knows all
// of XML. So nothing is read here that the scanner would read otherwise, and
// FuzzQuick holds the two against each other.
const (
	valueOpen   = "<v>"
	valueClose  = "</v></c>"
	inlineOpen  = "<is><t>"
	inlineKeep  = `<is><t xml:space="preserve">`
	inlineClose = "</t></is></c>"
)

// quickCells takes cells as long as they have one of those shapes.
func (s *sheetParser) quickCells() error {
	for {
		n, err := s.quickCell(s.scanner.buf[s.pos:s.end])
		if n == 0 || err != nil {
			return err
		}
		s.pos += n
	}
}

// quickCell takes the cell at the start of b and returns its length, 0 when it is
// left to the scanner.
func (s *sheetParser) quickCell(b []byte) (int, error) {
	if len(b) < 16 || b[0] != '<' || b[1] != 'c' || len(s.digits) == 0 || len(s.row.Cells) >= maxCol || len(s.texts) > maxRowText {
		return 0, nil
	}
	c := Cell{Col: s.nextCol}
	kind := typeNumber
	i := 2
	for b[i] == ' ' {
		// ` x="`, a value and what follows it.
		if len(b)-i < 8 || b[i+2] != '=' || b[i+3] != '"' {
			return 0, nil
		}
		name := b[i+1]
		i += 4
		switch name {
		case 'r':
			col := 0
			for i < len(b) && b[i] >= 'A' && b[i] <= 'Z' && col < maxCol {
				col = col*26 + int(b[i]-'A') + 1
				i++
			}
			// The row's number again, or the scanner finds out what is meant.
			n := len(s.digits)
			if col == 0 || col > maxCol || len(b)-i <= n+1 || string(b[i:i+n]) != string(s.digits) {
				return 0, nil
			}
			c.Col = col - 1
			i += n
		case 's':
			style, from := 0, i
			for i < len(b) && b[i]-'0' <= 9 && style < maxStyles {
				style = style*10 + int(b[i]-'0')
				i++
			}
			if i == from || style >= maxStyles {
				return 0, nil
			}
			if style < len(s.b.fmts) {
				c.NumFmt = s.b.fmts[style]
			}
		case 't':
			switch {
			case b[i] == 's' && b[i+1] == '"':
				kind = typeShared
				i++
			case b[i] == 'n' && b[i+1] == '"':
				kind = typeNumber
				i++
			case b[i] == 's' && string(b[i:i+3]) == "str":
				kind = typeStr
				i += 3
			case b[i] == 'i' && len(b)-i > 9 && string(b[i:i+9]) == "inlineStr":
				kind = typeInline
				i += 9
			default:
				return 0, nil
			}
		default:
			return 0, nil
		}
		if len(b)-i < 3 || b[i] != '"' {
			return 0, nil
		}
		i++
	}
	if b[i] == '/' && b[i+1] == '>' {
		s.place(c.Col)
		return i + 2, nil
	}
	if b[i] != '>' {
		return 0, nil
	}
	i++
	stop := valueClose
	switch {
	case kind != typeInline && len(b)-i > len(valueOpen) && string(b[i:i+len(valueOpen)]) == valueOpen:
		i += len(valueOpen)
	case kind == typeInline && len(b)-i > len(inlineOpen) && string(b[i:i+len(inlineOpen)]) == inlineOpen:
		i += len(inlineOpen)
		stop = inlineClose
	case kind == typeInline && len(b)-i > len(inlineKeep) && string(b[i:i+len(inlineKeep)]) == inlineKeep:
		i += len(inlineKeep)
		stop = inlineClose
	default:
		return 0, nil
	}
	n := bytes.IndexByte(b[i:], '<')
	if n < 0 || n > s.b.limits.CellChars || len(b)-i-n < len(stop) || string(b[i+n:i+n+len(stop)]) != stop {
		return 0, nil
	}
	raw := b[i : i+n]
	if ok, err := s.quickValue(&c, kind, raw); !ok || err != nil {
		return 0, err
	}
	s.place(c.Col)
	return i + n + len(stop), nil
}

// quickValue adds the cell with the text given unless it is blank.
func (s *sheetParser) quickValue(c *Cell, kind cellType, raw []byte) (ok bool, err error) {
	if c.Col >= s.b.limits.Columns || len(raw) == 0 {
		return true, nil
	}
	switch kind {
	case typeShared:
		n := 0
		for _, d := range raw {
			if d -= '0'; d > 9 || n >= s.b.limits.Strings {
				return false, nil
			}
			n = n*10 + int(d)
		}
		text, ok := s.b.strings.get(n)
		if !ok {
			return false, nil
		}
		if len(text) == 0 {
			return true, nil
		}
		c.Raw, c.Lasting = text, true
	case typeNumber:
		for _, d := range raw {
			if d <= ' ' || d == '&' || d >= 0x80 {
				return false, nil
			}
		}
		c.Kind = Number
		c.Raw = s.keep(raw)
	default:
		from := len(s.texts)
		if !plain(raw) {
			s.texts = appendText(s.texts, raw, false)
			text := unescapeX(s.texts[from:])
			s.texts = s.texts[:from+len(text)]
			if len(text) == 0 {
				return true, nil
			}
			c.Raw = text[:len(text):len(text)]
		} else {
			c.Raw = s.keep(raw)
		}
	}
	s.row.Cells = append(s.row.Cells, *c)
	return true, nil
}

// keep copies a text into the buffer of the row. When that buffer grows, cells
// before keep theirs in the old one.
func (s *sheetParser) keep(raw []byte) []byte {
	from := len(s.texts)
	s.texts = append(s.texts, raw...)
	return s.texts[from:len(s.texts):len(s.texts)]
}

// plain reports whether raw text stands for itself: no entity, no line end to be
// brought into form, no escape.
func plain(raw []byte) bool {
	return bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 && bytes.IndexByte(raw, '_') < 0
}

// place notes that a cell stood in a column.
func (s *sheetParser) place(col int) {
	if s.nextCol > col {
		s.sorted = false
	}
	s.nextCol = col + 1
}
