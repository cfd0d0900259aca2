package sheet

import (
	"context"
	"errors"
)

// errNotTable is for an OpenDocument file of another kind.
func errNotTable() error {
	return errUnreadable("这不是表格（可能是文字文档或演示文稿）；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: document without a spreadsheet"))
}

// odsReader reads the content of an OpenDocument spreadsheet (OASIS ODF 1.3
// part 3 §9): content.xml of a package, or a whole flat document.
type odsReader struct {
	*part
	kept   *keptBook
	hidden map[string]bool // table styles that do not display
	found  bool            // an office:spreadsheet was there

	text  []byte // of a cell
	value []byte // of a cell's attributes
	tmp   []byte
	blank bool // the paragraph so far ends in white space
	paras int
	room  int // bytes a cell may still take
}

// openODS reads an OpenDocument package.
func openODS(ctx context.Context, c *container, limits *Limits, mem *budget) (book, error) {
	if err := odsLocked(ctx, c); err != nil {
		return nil, err
	}
	p, err := c.open(ctx, "content.xml")
	if err != nil {
		return nil, err
	}
	defer p.close()
	return readODS(p, limits, mem)
}

// odsLocked looks into the manifest, which tells of encryption (ODF 1.3 part 2
// §4.4).
func odsLocked(ctx context.Context, c *container) error {
	const manifest = "meta-inf/manifest.xml"
	if !c.has(manifest) {
		return nil
	}
	p, err := c.open(ctx, manifest)
	if err != nil {
		return err
	}
	defer p.close()
	for {
		tok, err := p.next()
		switch {
		case errors.Is(err, errXMLDoctype):
			return nil // old writers; the manifest is not needed to read the content
		case err != nil:
			return err
		case tok == tokEOF:
			return nil
		case tok == tokStart && string(p.name) == "encryption-data":
			return errEncrypted()
		}
	}
}

// readODS reads to the end of the part, which verifies it.
func readODS(p *part, limits *Limits, mem *budget) (book, error) {
	o := &odsReader{part: p, kept: newKept(limits, mem), hidden: make(map[string]bool)}
	style := ""
	err := o.each(func() (err error) {
		switch string(o.name) {
		case "style":
			style = ""
			if family, _ := o.attr("family"); family == "table" {
				style, _ = o.attr("name")
			}
		case "table-properties":
			if v, _ := o.attr("display"); v == "false" && style != "" && len(o.hidden) < maxStyles {
				o.hidden[style] = true
			}
		case "spreadsheet":
			o.found = true
		case "table":
			if o.found {
				err = o.table()
			}
		case "tracked-changes", "dde-links", "scripts", "forms", "shapes":
			err = o.skip()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !o.found {
		return nil, errNotTable()
	}
	return o.kept, nil
}

// table reads one sheet. Groups and header rows are only wrappers around rows.
func (o *odsReader) table() error {
	name, _ := o.attr("name")
	style, _ := o.attr("style-name")
	if err := o.kept.addSheet(name, o.hidden[style]); err != nil || o.closed {
		return err
	}
	row := 1
	return o.each(func() (err error) {
		switch string(o.name) {
		case "table-row":
			row, err = o.tableRow(row)
		case "table-row-group", "table-header-rows", "table-rows":
		default:
			err = o.skip()
		}
		return err
	})
}

// repeated reads a repeat count, 1 when there is none that makes sense.
func repeated(v []byte, limit int) int {
	n, ok := number(v, 1<<30)
	if !ok || n < 1 {
		return 1
	}
	return min(n, limit)
}

// tableRow reads a row and returns the number of the next.
func (o *odsReader) tableRow(num int) (int, error) {
	repeat, hidden := 1, false
	for a := o.attrs; ; {
		name, v, rest, ok := nextAttr(a)
		if !ok {
			break
		}
		a = rest
		switch string(name) {
		case "number-rows-repeated":
			repeat = repeated(v, maxRow)
		case "visibility":
			hidden = string(v) == "collapse" || string(v) == "filter"
		}
	}
	next := min(num+repeat, maxRow+1)
	if o.closed {
		return next, nil
	}
	o.kept.startRow()
	col := 0
	err := o.each(func() (err error) {
		switch string(o.name) {
		case "table-cell", "covered-table-cell":
			col, err = o.tableCell(num, col)
		default:
			err = o.skip()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return next, o.kept.endRow(num, repeat, hidden)
}

// odsCell is what the attributes of a cell say.
type odsCell struct {
	kind       string // value type
	hasValue   bool   // the reader's value holds one
	repeat     int
	cols, rows int // spanned
	isError    bool
	formula    bool
}

func (o *odsReader) cellAttrs() odsCell {
	c := odsCell{repeat: 1, cols: 1, rows: 1}
	o.value = o.value[:0]
	for a := o.attrs; ; {
		name, v, rest, ok := nextAttr(a)
		if !ok {
			return c
		}
		a = rest
		switch string(name) {
		case "number-columns-repeated":
			c.repeat = repeated(v, maxCol)
		case "number-columns-spanned":
			c.cols = repeated(v, maxCol)
		case "number-rows-spanned":
			c.rows = repeated(v, maxRow)
		case "formula":
			c.formula = true
		case "value-type":
			// Beside office:value-type, LibreOffice writes its own, which alone
			// knows errors.
			if c.isError = c.isError || string(v) == "error"; c.kind == "" {
				c.kind = string(v)
			}
		case "value", "date-value", "time-value", "boolean-value", "string-value":
			c.hasValue = true
			o.value = appendText(o.value[:0], v[:min(len(v), o.kept.limits.CellChars*4+4)], false)
		}
	}
}

// tableCell reads a cell, with its copies to the right, and returns the next
// column. Covered cells are read like others: what stands in them is in the file.
func (o *odsReader) tableCell(row, col int) (int, error) {
	a := o.cellAttrs()
	if a.cols > 1 || a.rows > 1 {
		if err := o.kept.merge(row, row+a.rows-1, col, col+a.cols-1); err != nil {
			return 0, err
		}
	}
	next := min(col+a.repeat, maxCol)
	if col >= o.kept.limits.Columns {
		return next, o.skip()
	}
	o.text, o.paras = o.text[:0], 0
	o.room = o.kept.limits.CellChars*4 + 4
	if !o.closed {
		if err := o.content(); err != nil {
			return 0, err
		}
	}
	cell, raw := a.cell(o.text, o.value)
	for n := range a.repeat {
		cell.Col = col + n
		if len(raw) == 0 || cell.Col >= o.kept.limits.Columns {
			break
		}
		if err := o.kept.cell(cell, raw); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// cell types a cell by its attributes and the text shown.
func (a *odsCell) cell(text, value []byte) (Cell, []byte) {
	c := Cell{Formula: a.formula}
	switch a.kind {
	case "float", "percentage", "currency":
		// Old writers gave an error the number 0 and showed its name.
		if a.isError || len(text) > 0 && text[0] == '#' || len(text) > 4 && string(text[:4]) == "Err:" {
			c.Kind = Error
			return c, text
		}
		if !a.hasValue || len(value) == 0 {
			return c, text
		}
		c.Kind = Number
		c.NumFmt.Zeros = shownZeros(value, text)
		return c, value
	case "date":
		if a.hasValue {
			c.Kind = Date
			return c, value
		}
		return c, text
	case "time":
		c.Kind = Date
		if len(text) == 0 {
			return c, value
		}
		return c, text
	case "boolean":
		if a.hasValue {
			c.Kind = Bool
			if string(value) == "true" {
				return c, []byte("1")
			}
			return c, []byte("0")
		}
		return c, text
	}
	if a.isError {
		c.Kind = Error
		return c, text
	}
	if a.kind == "string" && a.hasValue {
		return c, value
	}
	return c, text
}
