package sheet

import (
	"bytes"
	"strconv"
	"strings"
)

// htmlCell is a cell of a page with what its attributes tell beyond the text.
type htmlCell struct {
	Cell
	from, to int    // of its text in the row's
	value    string // the value behind the text
	hasValue bool
	bare     bool // a number, whose value is the text
}

// startCell finds the cell's place and reads its attributes: x:num and
// mso-number-format of Excel, sdval and sdnum of LibreOffice, data-t and data-v of
// SheetJS. Without any of them a cell is the text it shows, which is also right.
func (h *htmlReader) startCell(t *htmlTable, more bool) error {
	c := htmlCell{from: len(t.text)}
	cols, rows := 1, 1
	kind, class, hasFmt := "", "", false
	for more {
		var key, val []byte
		key, val, more = h.z.TagAttr()
		v := string(val)
		switch string(key) {
		case "colspan":
			cols = span1(v, maxColSpan)
		case "rowspan":
			rows = span1(v, maxRowSpan)
		case "x:num":
			c.Kind, c.bare = Number, v == ""
			c.value, c.hasValue = v, v != ""
		case "x:err":
			c.Kind = Error
		case "x:fmla", "data-f":
			c.Formula = true
		case "sdval":
			c.Kind, c.value, c.hasValue = Number, v, true
		case "sdnum":
			// language;language of the format;format
			if p := strings.SplitN(v, ";", 3); len(p) == 3 {
				c.NumFmt, hasFmt = namedFmt(p[2]), true
			}
		case "data-t":
			kind = v
		case "data-v":
			c.value, c.hasValue = v, true
		case "class":
			class = v
		case "style":
			if f, ok := msoFormat(v); ok {
				c.NumFmt, hasFmt = f, true
			}
		}
	}
	switch kind {
	case "n":
		c.Kind = Number
	case "b":
		c.Kind = Bool
	case "e":
		c.Kind, c.hasValue = Error, false
	case "s":
		c.hasValue = false // written there without escapes, so a quote ends it
	}
	for name := range strings.FieldsSeq(class) {
		if f, ok := h.fmts[name]; ok && !hasFmt {
			c.NumFmt = f
		}
	}
	for t.col < len(t.filled) && t.filled[t.col] >= t.row {
		t.col++
	}
	c.Col = t.col
	if t.row > maxRow || len(t.cells) == maxCol || len(t.text) > maxRowText {
		return errRowSize
	}
	for col := t.col; rows > 1 && col < min(t.col+cols, h.kept.limits.Columns); col++ {
		for len(t.filled) <= col {
			t.filled = append(t.filled, 0)
		}
		t.filled[col] = t.row + rows - 1
	}
	if t.col = min(t.col+cols, maxCol); c.Col < h.kept.limits.Columns {
		h.kept.cur = t.sheet
		if err := h.kept.merge(t.row, min(t.row+rows-1, maxRow), c.Col, t.col-1); err != nil {
			return err
		}
	}
	t.cell, t.inCell, t.space = c, true, 0
	return nil
}

func span1(v string, most int) int {
	n, err := strconv.Atoi(strings.TrimSpace(v))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, most)
}

func (h *htmlReader) endCell(t *htmlTable) error {
	if !t.inCell {
		return nil
	}
	t.inCell = false
	t.cell.to = len(t.text)
	if t.cell.Col < h.kept.limits.Columns && (t.cell.to > t.cell.from || t.cell.hasValue) {
		// Values come from attributes and are held until the row ends.
		if len(t.text)+len(t.cell.value) > maxRowText {
			return errRowSize
		}
		t.cells = append(t.cells, t.cell)
	}
	return nil
}

// typed decides between the text and the value behind it.
func (c *htmlCell) typed(text []byte) (Cell, []byte) {
	cell := c.Cell
	value := text
	if c.hasValue {
		value = []byte(c.value)
	}
	switch cell.Kind {
	case Number:
		d, ok := parseDecimal(string(value))
		if !ok || len(d.digits) > maxRowText {
			cell.Kind, cell.NumFmt = Text, NumFmt{}
			return cell, text
		}
		if z := shownZeros(value, text); z > 0 {
			cell.NumFmt.Zeros = z
		}
		return cell, value
	case Bool:
		if string(value) == "true" || string(value) == "1" || bytes.EqualFold(text, []byte("true")) {
			return cell, []byte("1")
		}
		return cell, []byte("0")
	case Error:
		return cell, text
	}
	cell.NumFmt = NumFmt{}
	return cell, value
}

// hides reports whether the tag's style hides it.
func (h *htmlReader) hides() bool {
	for more := true; more; {
		var key, val []byte
		key, val, more = h.z.TagAttr()
		if string(key) == "style" && strings.Contains(strings.ReplaceAll(strings.ToLower(string(val)), " ", ""), "display:none") {
			return true
		}
	}
	return false
}

// msoFormat finds the number format in declarations of CSS.
func msoFormat(css string) (NumFmt, bool) {
	const property = "mso-number-format:"
	i := strings.Index(css, property)
	if i < 0 {
		return NumFmt{}, false
	}
	var b strings.Builder
	quoted := false
	for s := strings.TrimLeft(css[i+len(property):], " \t\r\n"); len(s) > 0; s = s[1:] {
		c := s[0]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case c == '\\' && len(s) > 1:
			n := 0
			for n < 4 && n+1 < len(s) && hexDigit(s[n+1]) >= 0 {
				n++
			}
			if n == 4 { // \0022 is a quote
				v, _ := strconv.ParseUint(s[1:5], 16, 32)
				b.WriteRune(rune(v))
				s = s[4:]
				continue
			}
			b.WriteByte(s[1])
			s = s[1:]
			continue
		case !quoted && (c == ';' || c == '}'):
			return namedFmt(b.String()), true
		}
		if b.WriteByte(c); b.Len() > 256 {
			break
		}
	}
	return namedFmt(b.String()), true
}

// css keeps the number formats of a style sheet's classes.
func (h *htmlReader) css(s string) {
	for len(h.fmts) < maxClasses {
		selector, rest, ok := strings.Cut(s, "{")
		if !ok {
			return
		}
		body, rest, _ := strings.Cut(rest, "}")
		if f, ok := msoFormat(body); ok {
			for one := range strings.SplitSeq(selector, ",") {
				if i := strings.LastIndexByte(one, '.'); i >= 0 {
					h.fmts[strings.TrimSpace(one[i+1:])] = f
				}
			}
		}
		s = rest
	}
}

// namedFmt reads a number format that may be one of the names under which pages
// and XML 2003 know the usual formats.
func namedFmt(code string) NumFmt {
	switch strings.ToLower(strings.TrimSpace(code)) {
	case "general", "general number", "fixed", "standard", "percent", "scientific", "currency", "euro currency",
		"yes/no", "true/false", "on/off", "@":
		return NumFmt{}
	case "general date", "short date", "medium date", "long date", "short time", "medium time", "long time":
		return NumFmt{Date: true}
	}
	return parseNumFmt(code)
}
