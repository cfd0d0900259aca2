package sheet

import (
	"errors"
	"io"
	"strconv"

	"golang.org/x/net/html"
)

// htmlReader reads the tables of a page, which systems of all ages save under the
// name of a workbook. Tables that follow each other stand below each other on one
// sheet, as Excel shows them; a table within another's cell is a sheet of its own,
// because a page's layout may wrap the one that counts.
type htmlReader struct {
	z     *html.Tokenizer
	kept  *keptBook
	name  string
	open  []*htmlTable // innermost last
	below int          // rows on the first sheet so far
	any   bool
	fmts  map[string]NumFmt // by CSS class

	mute  string // within this element text is none
	page  bool   // <html> is open
	ended bool
}

// htmlTable is a table that is open.
type htmlTable struct {
	sheet  int
	row    int   // number of the current row on its sheet
	col    int   // next column
	filled []int // by column: the last row that a cell from above reaches
	inRow  bool
	inCell bool
	hidden bool
	cells  []htmlCell // of the row
	text   []byte     // of the row
	cell   htmlCell   // being read
	space  byte       // white space that is due before the next character
}

const (
	maxToken   = 4 << 20
	maxClasses = 4096
	maxColSpan = 1000
	maxRowSpan = 65534 // HTML §4.9.11
)

func readHTML(r io.Reader, name string, limits *Limits, mem *budget) (book, error) {
	h := &htmlReader{z: html.NewTokenizer(r), kept: newKept(limits, mem), name: name, fmts: make(map[string]NumFmt)}
	h.z.SetMaxBuf(maxToken)
	for {
		switch h.z.Next() {
		case html.ErrorToken:
			if err := h.z.Err(); !errors.Is(err, io.EOF) {
				return nil, err
			}
			return h.finish()
		case html.TextToken:
			h.words()
		case html.StartTagToken, html.SelfClosingTagToken:
			if err := h.start(); err != nil {
				return nil, err
			}
		case html.EndTagToken:
			if err := h.end(); err != nil {
				return nil, err
			}
		}
	}
}

// finish refuses a page that ends before its tables do.
func (h *htmlReader) finish() (book, error) {
	switch {
	case len(h.open) > 0, h.page && !h.ended:
		return nil, errors.New("html: unexpected end")
	case !h.any:
		return nil, errUnreadable("这是一个网页，里面没有表格（可能是登录页或出错页）；请重新下载，或另存为 .xlsx 后再上传。",
			errors.New("sheet: page without a table"))
	}
	return h.kept, nil
}

func (h *htmlReader) top() *htmlTable {
	if len(h.open) == 0 {
		return nil
	}
	return h.open[len(h.open)-1]
}

func (h *htmlReader) start() error {
	name, more := h.z.TagName()
	t := h.top()
	switch tag := string(name); tag {
	case "html":
		h.page = true
	case "style", "script", "title", "noscript", "template", "select", "textarea", "xml":
		if h.mute == "" {
			h.mute = tag
		}
	case "table":
		return h.startTable()
	case "tr":
		if t != nil {
			if err := h.endRow(t); err != nil {
				return err
			}
			t.inRow = true
			t.row++
			t.hidden = more && h.hides()
		}
	case "td", "th":
		if t == nil {
			break
		}
		if err := h.endCell(t); err != nil {
			return err
		}
		if !t.inRow {
			t.inRow = true
			t.row++
		}
		return h.startCell(t, more)
	case "br":
		if t != nil && t.inCell {
			t.space = 0
			t.put('\n', h.kept.limits)
		}
	case "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre":
		t.breakLine()
	}
	return nil
}

func (h *htmlReader) end() error {
	name, _ := h.z.TagName()
	t := h.top()
	tag := string(name)
	if tag == h.mute {
		h.mute = ""
	}
	switch tag {
	case "html":
		h.ended = true
	case "table":
		if t != nil {
			return h.endTable(t)
		}
	case "tr", "thead", "tbody", "tfoot":
		if t != nil {
			return h.endRow(t)
		}
	case "td", "th":
		if t != nil {
			return h.endCell(t)
		}
	case "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre":
		t.breakLine()
	}
	return nil
}

func (h *htmlReader) startTable() error {
	h.any = true
	t := &htmlTable{}
	switch n := len(h.kept.tabs); {
	case n == 0:
		if err := h.kept.addSheet(h.name, false); err != nil {
			return err
		}
	case len(h.open) > 0:
		if err := h.kept.addSheet("表"+strconv.Itoa(n+1), false); err != nil {
			return err
		}
		t.sheet = n
	}
	if t.sheet == 0 {
		t.row = h.below
	}
	h.open = append(h.open, t)
	return nil
}

func (h *htmlReader) endTable(t *htmlTable) error {
	if err := h.endRow(t); err != nil {
		return err
	}
	if t.sheet == 0 {
		h.below = t.row
	}
	h.open = h.open[:len(h.open)-1]
	return nil
}

func (h *htmlReader) endRow(t *htmlTable) error {
	if err := h.endCell(t); err != nil || !t.inRow {
		return err
	}
	t.inRow, t.col = false, 0
	h.kept.cur = t.sheet
	h.kept.startRow()
	for i := range t.cells {
		c := &t.cells[i]
		cell, raw := c.typed(t.text[c.from:c.to])
		if err := h.kept.cell(cell, raw); err != nil {
			return err
		}
	}
	t.cells, t.text = t.cells[:0], t.text[:0]
	return h.kept.endRow(t.row, 1, t.hidden)
}

// words takes text of the page.
func (h *htmlReader) words() {
	if h.mute == "style" {
		h.css(string(h.z.Text()))
		return
	}
	t := h.top()
	if t == nil || !t.inCell || h.mute != "" {
		return
	}
	for _, c := range h.z.Text() {
		if isSpace(c) || c == '\f' {
			if t.space == 0 {
				t.space = ' '
			}
			continue
		}
		t.put(c, h.kept.limits)
	}
}

// put adds a character to the cell, after the white space that is due.
func (t *htmlTable) put(c byte, limits *Limits) {
	if len(t.text)-t.cell.from > limits.CellChars*4 {
		return
	}
	if n := len(t.text); t.space != 0 && n > t.cell.from && t.text[n-1] != '\n' {
		t.text = append(t.text, t.space)
	}
	t.space = 0
	t.text = append(t.text, c)
}

// breakLine begins a new line before the next character of the cell.
func (t *htmlTable) breakLine() {
	if t != nil && t.inCell {
		t.space = '\n'
	}
}
