package sheet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// csvParser cuts separated values as RFC 4180 and Excel do. encoding/csv is not
// used: with LazyQuotes it takes a quote that is never closed as a text up to the
// end of the file, which loses every row behind it in silence, and without it it
// refuses what Excel writes. Here an unclosed quote, and a quoted text longer than
// a cell can be, fail the file.
type csvParser struct {
	r      *bufio.Reader
	comma  byte
	limits *Limits
	fn     func(*RowData) error

	num   int // rows so far
	row   RowData
	buf   []byte
	spans []span
	col   int
	from  int
}

func (p *csvParser) run() error {
	for {
		more, err := p.record()
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

// record reads one row and hands it on; it reports whether there was one.
func (p *csvParser) record() (bool, error) {
	p.row.Cells, p.spans, p.buf, p.col = p.row.Cells[:0], p.spans[:0], p.buf[:0], 0
	if _, err := p.r.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, err
	}
	if p.num++; p.num > p.limits.Rows {
		return false, errTooBig("行数太多，请把文件分成几个后分别上传。", errors.New("sheet: rows over the limit"))
	}
	for {
		end, err := p.field()
		if err != nil {
			return false, err
		}
		p.add()
		if end {
			break
		}
		p.col++
	}
	if len(p.row.Cells) == 0 {
		return true, nil
	}
	for i, sp := range p.spans {
		p.row.Cells[i].Raw = p.buf[sp.from:sp.to:sp.to]
	}
	p.row.Num = p.num
	return true, p.fn(&p.row)
}

// field reads one cell and its separator; end is true behind the last of a row.
func (p *csvParser) field() (end bool, err error) {
	p.from = len(p.buf)
	c, err := p.r.ReadByte()
	if err == nil && c == '"' {
		if err := p.quoted(); err != nil {
			return false, err
		}
		c, err = p.r.ReadByte()
	}
	for ; err == nil; c, err = p.r.ReadByte() {
		switch c {
		case p.comma:
			return false, nil
		case '\n':
			return true, nil
		case '\r':
			if next, err := p.r.Peek(1); err == nil && next[0] == '\n' {
				_, _ = p.r.Discard(1)
			}
			return true, nil
		}
		p.put(c)
	}
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}

// quoted reads up to the closing quote. What follows it up to the separator
// belongs to the text, as in Excel.
func (p *csvParser) quoted() error {
	start := p.num
	for n := 0; ; n++ {
		c, err := p.r.ReadByte()
		if errors.Is(err, io.EOF) || err == nil && n > p.limits.CellChars*4 {
			return errUnreadable(fmt.Sprintf("第 %d 行的英文双引号没有成对，后面的内容无法分清；请改正这一行，或另存为 .xlsx 后再上传。", start),
				errors.New("sheet: quote not closed"))
		}
		if err != nil {
			return err
		}
		if c != '"' {
			p.put(c)
			continue
		}
		next, err := p.r.Peek(1)
		if err != nil || next[0] != '"' {
			return nil
		}
		_, _ = p.r.Discard(1)
		p.put('"')
	}
}

// put keeps a byte of a cell that is looked at and not yet too long.
func (p *csvParser) put(c byte) {
	if p.col < p.limits.Columns && len(p.buf)-p.from <= p.limits.CellChars*4 {
		p.buf = append(p.buf, c)
	}
}

// add keeps the cell just read unless it is blank. ="001" is how Excel users keep
// the zeros of a code in a text file; it stands for the text between the quotes.
func (p *csvParser) add() {
	sp := span{p.from, len(p.buf)}
	formula := false
	if b := p.buf[sp.from:sp.to]; len(b) >= 3 && b[0] == '=' && b[1] == '"' && b[len(b)-1] == '"' {
		inner := b[2 : len(b)-1]
		formula = true
		for _, c := range inner {
			formula = formula && c != '"'
		}
		if formula {
			sp = span{sp.from + 2, sp.to - 1}
		}
	}
	if sp.from == sp.to || p.col >= p.limits.Columns {
		return
	}
	p.row.Cells = append(p.row.Cells, Cell{Col: p.col, Kind: Text, Formula: formula})
	p.spans = append(p.spans, sp)
}
