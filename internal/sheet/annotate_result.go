package sheet

import (
	"fmt"
	"strconv"

	"tianbao"
)

// resultSheet is the name of the sheet that counts the faults.
const resultSheet = "检查结果"

// maxListed bounds the list of findings below the counts, and its links: Excel
// refuses more than 65,530 of them on a sheet.
const maxListed = 5000

// results counts the faults of an annotated workbook.
type results struct {
	rows   int
	total  [4]int // by severity
	kinds  []kind // in the order in which they were first seen
	places map[string]int
	list   []finding
}

// kind is one sort of fault.
type kind struct {
	sev     tianbao.Severity
	col     int // 0: the row as a whole
	count   int
	message string // the first one, as an example
	row     int    // of the first one
}

// finding is one problem in its cell.
type finding struct {
	kind     int
	row, col int
	message  string
}

// add counts a problem in a cell: column and row of the sheet.
func (r *results) add(p *tianbao.Problem, col, row int) {
	if r.places == nil {
		r.places = make(map[string]int)
	}
	key := p.Code + "\x00" + p.Field
	k, ok := r.places[key]
	if !ok {
		k = len(r.kinds)
		r.places[key] = k
		r.kinds = append(r.kinds, kind{sev: p.Severity, col: col, message: p.Message, row: row})
	}
	r.kinds[k].count++
	r.total[severityOf(p.Severity)]++
	if len(r.list) < maxListed {
		r.list = append(r.list, finding{k, row, col, p.Message})
	}
}

// columnName names a column of the sheet for the reader of the results.
func (a *Annotated) columnName(col int) string {
	if col == 0 {
		return "整行"
	}
	f := &a.l.form.Fields[col-1]
	return f.Letter + "列 " + f.Title
}

// resultSheet writes the counts and the list.
func (a *Annotated) resultSheet() error {
	w, err := a.p.part("xl/worksheets/sheet2.xml")
	if err != nil {
		return err
	}
	r := &a.results
	s := newSheetWriter(w, a.l)
	s.str(xmlHead + `<worksheet xmlns="` + nsMain + `"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetFormatPr defaultRowHeight="18"/><cols>`)
	for i, width := range []int{10, 10, 44, 60, 10} {
		s.str(fmt.Sprintf(`<col min="%d" max="%d" width="%d" customWidth="1"/>`, i+1, i+1, width))
	}
	s.str(`</cols><sheetData>`)
	line := func(style int, cells ...string) {
		s.startRow()
		for _, c := range cells {
			s.text(c, style)
		}
		_ = s.endRow()
	}
	s.startTall(32)
	s.text(resultSheet, styleTitle)
	_ = s.endRow()
	summary := fmt.Sprintf("共 %d 行；强制性 %d 处，核实性 %d 处，提示性 %d 处。", r.rows, r.total[sevError], r.total[sevJustify], r.total[sevHint])
	if len(r.kinds) == 0 {
		summary = fmt.Sprintf("共 %d 行，没有发现问题。", r.rows)
	}
	line(styleDefault, summary)
	var links []byte
	target := quoteSheet(sheetName(a.p.opt.Sheet))
	link := func(col, row int) {
		ref := Address(col, row)
		links = append(links, `<hyperlink ref="`...)
		links = appendRef(links, s.col, s.row)
		links = append(links, `" location="`...)
		links = appendEscaped(links, target+"!"+ref)
		links = append(links, `" display="`+ref+`"/>`...)
		s.text(ref, styleLink)
	}
	if len(r.kinds) > 0 {
		s.row++
		line(styleHeader, "第一处", "级别", "列", "问题（第一处的说明）", "数量")
		for i := range r.kinds {
			k := &r.kinds[i]
			s.startRow()
			link(k.col, k.row)
			s.text(severityName(k.sev), a.mark(k.sev))
			s.text(a.columnName(k.col), styleExplain)
			s.text(k.message, styleExplain)
			s.number(strconv.Itoa(k.count), "", dataStyle(shapeSeq, sevNone))
			_ = s.endRow()
		}
		s.row++
		line(styleHeader, "单元格", "级别", "列", "说明")
		for _, f := range r.list {
			k := &r.kinds[f.kind]
			s.startRow()
			link(f.col, f.row)
			s.text(severityName(k.sev), a.mark(k.sev))
			s.text(a.columnName(f.col), styleExplain)
			s.text(f.message, styleExplain)
			_ = s.endRow()
		}
		if all := r.total[sevError] + r.total[sevJustify] + r.total[sevHint]; all > len(r.list) {
			line(styleDefault, fmt.Sprintf("这里只列出前 %d 处，其余 %d 处请看“%s”的最后一列“%s”。", len(r.list), all-len(r.list), sheetName(a.p.opt.Sheet), explainTitle))
		}
	}
	s.str(`</sheetData><mergeCells><mergeCell ref="A1:E1"/></mergeCells>`)
	if len(links) > 0 {
		s.str(`<hyperlinks>`)
		s.buf = append(s.buf, links...)
		s.str(`</hyperlinks>`)
	}
	s.str(`<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/><pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/></worksheet>`)
	s.flush()
	return s.err
}

// mark is the style of a cell in a severity's colour.
func (a *Annotated) mark(sev tianbao.Severity) int { return dataStyle(shapeSeq, severityOf(sev)) }
