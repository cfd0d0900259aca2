package sheet

import "errors"

// xml2003 reads SpreadsheetML of Office 2003: one XML document with styles and
// sheets, saved as .xml or, by systems that imitate it, as .xls.
type xml2003 struct {
	*part
	kept *keptBook
	fmts map[string]NumFmt // by style id

	rowStyle string
	colStyle []string // by column
	text     []byte
	room     int
}

func readXML2003(p *part, limits *Limits, mem *budget) (book, error) {
	x := &xml2003{part: p, kept: newKept(limits, mem), fmts: make(map[string]NumFmt)}
	style := ""
	err := x.each(func() (err error) {
		switch string(x.name) {
		case "Style":
			style, _ = x.attr("ID")
		case "NumberFormat":
			if f, ok := x.attr("Format"); ok && style != "" && len(x.fmts) < maxStyles {
				x.fmts[style] = namedFmt(f)
			}
		case "Date1904":
			x.kept.from04 = true
		case "Worksheet":
			err = x.worksheet()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(x.kept.list) == 0 {
		return nil, errUnreadable("这个 XML 文件里没有工作表；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: XML 2003 without a sheet"))
	}
	return x.kept, nil
}

// worksheet reads one sheet; whether it is hidden stands behind its cells.
func (x *xml2003) worksheet() error {
	name, _ := x.attr("Name")
	if err := x.kept.addSheet(name, false); err != nil || x.closed {
		return err
	}
	visible := false // inside <Visible>
	for depth := x.depth(); x.depth() >= depth; {
		tok, err := x.next()
		if err != nil {
			return err
		}
		switch {
		case tok == tokText && visible:
			if s := string(x.part.text); s == "SheetHidden" || s == "SheetVeryHidden" {
				x.kept.list[x.kept.cur].Hidden = true
			}
		case tok == tokEnd:
			visible = false
		case tok != tokStart:
		case string(x.name) == "Table":
			err = x.table()
		case string(x.name) == "Visible":
			visible = !x.closed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *xml2003) table() error {
	x.colStyle = x.colStyle[:0]
	if x.closed {
		return nil
	}
	row := 1
	return x.each(func() (err error) {
		switch string(x.name) {
		case "Column":
			x.column()
			err = x.skip()
		case "Row":
			row, err = x.tableRow(row)
		default:
			err = x.skip()
		}
		return err
	})
}

// column keeps the style of a column for its cells that have none.
func (x *xml2003) column() {
	id, _ := x.attr("StyleID")
	n := 1 + min(max(x.number("Span"), 0), maxCol)
	if at := x.number("Index") - 1; at > len(x.colStyle) {
		for len(x.colStyle) < min(at, x.kept.limits.Columns) {
			x.colStyle = append(x.colStyle, "")
		}
	}
	for ; n > 0 && len(x.colStyle) < x.kept.limits.Columns; n-- {
		x.colStyle = append(x.colStyle, id)
	}
}

// place reads ss:Index, which may only lead on.
func (x *xml2003) place(next, limit int) (int, error) {
	v, ok := x.attr("Index")
	if !ok {
		return next, nil
	}
	n, ok := number([]byte(v), limit)
	if !ok || n < next {
		return 0, errRef
	}
	return n, nil
}

func (x *xml2003) tableRow(next int) (int, error) {
	num, err := x.place(next, maxRow)
	if err != nil {
		return 0, err
	}
	hidden := x.number("Hidden") == 1
	x.rowStyle, _ = x.attr("StyleID")
	next = min(num+1+max(x.number("Span"), 0), maxRow+1)
	if x.closed {
		return next, nil
	}
	x.kept.startRow()
	col := 1
	err = x.each(func() (err error) {
		if string(x.name) == "Cell" {
			col, err = x.tableCell(num, col)
		} else {
			err = x.skip()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return next, x.kept.endRow(num, 1, hidden)
}

// tableCell reads a cell; columns count from 1 here.
func (x *xml2003) tableCell(row, next int) (int, error) {
	col, err := x.place(next, maxCol)
	if err != nil {
		return 0, err
	}
	across, down := min(max(x.number("MergeAcross"), 0), maxCol), min(max(x.number("MergeDown"), 0), maxRow)
	if across > 0 || down > 0 {
		if err := x.kept.merge(row, row+down, col-1, col-1+across); err != nil {
			return 0, err
		}
	}
	c := Cell{Col: col - 1}
	_, c.Formula = x.attr("Formula")
	style, ok := x.attr("StyleID")
	if !ok {
		if style = x.rowStyle; style == "" && col <= len(x.colStyle) {
			style = x.colStyle[col-1]
		}
	}
	next = col + 1 + across
	if x.closed {
		return next, nil
	}
	err = x.each(func() (err error) {
		// Comment and PhoneticText hold text that is not the cell's.
		if string(x.name) == "Data" {
			err = x.data(&c, style)
		} else {
			err = x.skip()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return next, nil
}

// data reads the value; the runs of formatted text are elements of HTML within.
func (x *xml2003) data(c *Cell, style string) error {
	kind, _ := x.attr("Type")
	x.text, x.room = x.text[:0], x.kept.limits.CellChars*4+4
	if !x.closed {
		for depth := x.depth(); x.depth() >= depth; {
			tok, err := x.next()
			if err != nil {
				return err
			}
			if tok == tokText {
				raw := x.part.text
				raw = raw[:min(len(raw), max(0, x.room-len(x.text))*8)]
				x.text = appendText(x.text, raw, x.cdata)
			}
		}
	}
	raw := x.text
	switch kind {
	case "Number":
		c.Kind, c.NumFmt = Number, x.fmts[style]
	case "DateTime":
		c.Kind = Date
	case "Boolean":
		c.Kind = Bool
	case "Error":
		c.Kind = Error
	}
	return x.kept.cell(*c, raw)
}
