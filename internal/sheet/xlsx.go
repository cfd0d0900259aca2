package sheet

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"
)

// xlsx is an opened .xlsx or .xlsm package, transitional or strict. Names are
// compared without their prefix, parts are found by following relationships, as
// ECMA-376 part 2 wants it and as no fixed path can replace.
type xlsx struct {
	c      *container
	limits *Limits
	mem    *budget
	list   []SheetInfo
	part   []string // part of each sheet in list
	fmts   []NumFmt // by style index
	from04 bool

	slow bool // leave all to the scanner, for the test of xlsx_quick.go

	stringsPart string
	strings     *strtab // nil until a sheet is read
}

func openXLSX(ctx context.Context, c *container, limits *Limits, mem *budget) (*xlsx, error) {
	b := &xlsx{c: c, limits: limits, mem: mem}
	main := "xl/workbook.xml"
	top, err := c.rels(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, r := range top {
		if r.kind == "officeDocument" {
			main = r.target
			break
		}
	}
	rels, err := c.rels(ctx, main)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]rel, len(rels))
	styles := ""
	for _, r := range rels {
		byID[r.id] = r
		switch r.kind {
		case "styles":
			styles = r.target
		case "sharedStrings":
			b.stringsPart = r.target
		}
	}
	if err := b.readWorkbook(ctx, main, byID); err != nil {
		return nil, err
	}
	if styles != "" && c.has(styles) {
		if b.fmts, err = readStyles(ctx, c, styles); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readWorkbook lists the worksheets; chart and dialogue sheets hold no cells.
func (b *xlsx) readWorkbook(ctx context.Context, name string, byID map[string]rel) error {
	p, err := b.c.open(ctx, name)
	if err != nil {
		return err
	}
	defer p.close()
	inSheets, isWorkbook := false, false
	for {
		tok, err := p.next()
		if err != nil {
			return err
		}
		switch {
		case tok == tokEOF:
			if !isWorkbook {
				return errUnreadable("这不是 Excel 工作簿（可能是 Word 或演示文稿）；请选择采集表的 .xlsx 文件后再上传。",
					errors.New("sheet: main part is no workbook"))
			}
			return nil
		case tok == tokEnd && string(p.name) == "sheets":
			inSheets = false
		case tok != tokStart:
		case string(p.name) == "workbook":
			isWorkbook = true
		case string(p.name) == "workbookPr":
			v, _ := p.attr("date1904")
			b.from04 = v == "1" || v == "true"
		case string(p.name) == "sheets":
			inSheets = !p.closed
		case inSheets && string(p.name) == "sheet":
			if err := b.addSheet(p, byID); err != nil {
				return err
			}
		}
	}
}

func (b *xlsx) addSheet(p *part, byID map[string]rel) error {
	if len(b.list) == b.limits.Sheets {
		return errTooBig("工作簿里的工作表太多；请只保留采集表，另存为 .xlsx 后再上传。", errors.New("sheet: sheets over the limit"))
	}
	id, _ := p.attr("id")
	r, ok := byID[id]
	if !ok || r.kind != "worksheet" {
		return nil
	}
	title, _ := p.attr("name")
	state, _ := p.attr("state")
	b.list = append(b.list, SheetInfo{Name: clean(title), Hidden: state == "hidden" || state == "veryHidden"})
	b.part = append(b.part, r.target)
	return nil
}

// clean makes a stranger's name fit to be shown.
func clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func (b *xlsx) sheets() []SheetInfo { return b.list }
func (b *xlsx) date1904() bool      { return b.from04 }

// loadStrings reads the shared strings, once.
func (b *xlsx) loadStrings(ctx context.Context) error {
	if b.strings != nil {
		return nil
	}
	t := &strtab{}
	if b.stringsPart != "" && b.c.has(b.stringsPart) {
		if err := t.read(ctx, b); err != nil {
			return err
		}
	}
	b.strings = t
	return nil
}
