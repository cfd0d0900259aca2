package sheet

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

const contentType = "application/vnd.openxmlformats-officedocument.spreadsheetml."

// book sheets, by the number of their part.
type bookSheet struct {
	name, state string
	part        int
}

// sheets lists the sheets in tab order. The form's is always the first.
func (p *pack) sheets() []bookSheet {
	list := []bookSheet{{sheetName(p.opt.Sheet), "", 1}}
	if p.result {
		list = append(list, bookSheet{resultSheet, "", 2})
	}
	if p.l.marked {
		list = append(list, bookSheet{originSheet, "veryHidden", 3})
	}
	return list
}

// head writes every part that stands before the sheet.
func (p *pack) head() error {
	notes, vml, parts := "", "", ""
	if p.result {
		notes = `<Override PartName="/xl/comments1.xml" ContentType="` + contentType + `comments+xml"/>`
		vml = `<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>`
	}
	var rels [][3]string
	for i, sh := range p.sheets() {
		name := fmt.Sprintf("worksheets/sheet%d.xml", sh.part)
		parts += `<Override PartName="/xl/` + name + `" ContentType="` + contentType + `worksheet+xml"/>`
		rels = append(rels, [3]string{fmt.Sprintf("rId%d", i+1), nsRel + "/worksheet", name})
	}
	rels = append(rels, [3]string{fmt.Sprintf("rId%d", len(rels)+1), nsRel + "/styles", "styles.xml"})
	core := `<dc:title>` + escaped(p.l.form.Title) + `</dc:title><dc:creator>` + escaped(application) + `</dc:creator>`
	if !p.opt.Created.IsZero() {
		core += `<dcterms:created xsi:type="dcterms:W3CDTF">` + p.opt.Created.UTC().Format(time.RFC3339) + `</dcterms:created>`
	}
	for _, part := range []struct{ name, body string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/>` + vml +
			`<Override PartName="/xl/workbook.xml" ContentType="` + contentType + `sheet.main+xml"/>` +
			parts +
			`<Override PartName="/xl/styles.xml" ContentType="` + contentType + `styles+xml"/>` + notes +
			`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>` +
			`<Override PartName="/docProps/app.xml" ContentType="application/vnd.openxmlformats-officedocument.extended-properties+xml"/></Types>`},
		{"_rels/.rels", relationships(
			[3]string{"rId1", nsRel + "/officeDocument", "xl/workbook.xml"},
			[3]string{"rId2", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties", "docProps/core.xml"},
			[3]string{"rId3", nsRel + "/extended-properties", "docProps/app.xml"})},
		{"docProps/core.xml", `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
			`xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" ` +
			`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` + core + `</cp:coreProperties>`},
		{"docProps/app.xml", `<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">` +
			`<Application>` + escaped(application) + `</Application></Properties>`},
		{"xl/workbook.xml", p.workbook()},
		{"xl/_rels/workbook.xml.rels", relationships(rels...)},
		{"xl/styles.xml", styles(p.opt.Trace, p.l.self != nil)},
	} {
		if err := p.put(part.name, []byte(xmlHead+part.body)); err != nil {
			return err
		}
	}
	return nil
}

// application names the program in the document's properties.
const application = "填报"

func escaped(s string) string { return string(appendEscaped(nil, s)) }

func relationships(list ...[3]string) string {
	var b strings.Builder
	b.WriteString(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for _, r := range list {
		fmt.Fprintf(&b, `<Relationship Id="%s" Type="%s" Target="%s"/>`, r[0], r[1], r[2])
	}
	b.WriteString(`</Relationships>`)
	return b.String()
}

// workbook names the sheets and the rows that are repeated on each printed page.
func (p *pack) workbook() string {
	var b strings.Builder
	b.WriteString(`<workbook xmlns="` + nsMain + `" xmlns:r="` + nsRel + `"><bookViews><workbookView/></bookViews><sheets>`)
	for i, sh := range p.sheets() {
		b.WriteString(`<sheet name="` + escaped(sh.name) + `" sheetId="` + strconv.Itoa(sh.part) + `"`)
		if sh.state != "" {
			b.WriteString(` state="` + sh.state + `"`)
		}
		b.WriteString(` r:id="rId` + strconv.Itoa(i+1) + `"/>`)
	}
	b.WriteString(`</sheets><definedNames><definedName name="_xlnm.Print_Titles" localSheetId="0">` +
		escaped(fmt.Sprintf("%s!$%d:$%d", quoteSheet(sheetName(p.opt.Sheet)), p.l.header, p.l.header)) + `</definedName>`)
	if p.l.self != nil {
		for _, n := range p.l.self.names {
			b.WriteString(`<definedName name="` + n.name + `" hidden="1">` + formulaEscaper.Replace(n.formula) + `</definedName>`)
		}
	}
	b.WriteString(`</definedNames>`)
	if p.l.self != nil {
		// The formulas come without their values.
		b.WriteString(`<calcPr fullCalcOnLoad="1"/>`)
	}
	b.WriteString(`</workbook>`)
	return b.String()
}

func quoteSheet(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }

// originSheet writes the very hidden sheet.
func (p *pack) originSheet(lines iter.Seq2[string, string]) error {
	w, err := p.part("xl/worksheets/sheet3.xml")
	if err != nil {
		return err
	}
	s := newSheetWriter(w, p.l)
	s.str(xmlHead + `<worksheet xmlns="` + nsMain + `"><cols><col min="1" max="2" width="20" style="` + strconv.Itoa(styleColumn) + `" customWidth="1"/></cols><sheetData>`)
	for name, text := range lines {
		s.startRow()
		s.text(name, styleColumn)
		s.text(text, styleColumn)
		if err := s.endRow(); err != nil {
			return err
		}
	}
	s.str(`</sheetData></worksheet>`)
	s.flush()
	return s.err
}

// sheetName makes a title fit for a sheet: 31 characters, none of \/?*[]: and no
// apostrophe at either end.
func sheetName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`\/?*[]:`, r) || r < ' ' {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 31 {
		s = string(r[:31])
	}
	if s = strings.Trim(s, "' "); s == "" {
		return sheetTitle
	}
	return s
}

// The fixed styles, by index in cellXfs.
const (
	styleDefault = iota
	styleTitle
	styleNote
	styleLetter
	styleHeader
	styleRequired
	styleColumn
	styleExplain
	styleData // the first of shapes × severities
)

// The styles behind the data's. Open cells may be edited in a protected sheet.
const (
	styleOpen = styleData + int(shapes)*severities + iota
	styleOpenColumn
	styleOpenExplain
	styleLink
	styleOpenData // the first of shapes
	styleEnd      = styleOpenData + int(shapes)
)

// shape is how a data cell shows its value.
type shape int

const (
	shapeText shape = iota
	shapeSeq
	shapeNumber
	shapeDate
	shapeTime
	shapes
)

const severities = 4

func dataStyle(s shape, sev severity) int { return styleData + int(s)*severities + int(sev) }

// styles writes the style sheet. Fills 3 to 5 are those of sevError to sevHint.
func styles(trace *Trace, open bool) string {
	var b strings.Builder
	b.WriteString(`<styleSheet xmlns="` + nsMain + `"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/>` +
		`<numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>`)
	fonts, cells := 6, styleEnd
	if trace != nil {
		fonts, cells = fonts+traceSlots, cells+2*traceSlots
	}
	fmt.Fprintf(&b, `<fonts count="%d">`, fonts)
	for _, f := range []string{
		`<sz val="11"/><color rgb="FF1F2328"/>`,
		`<b/><sz val="16"/><color rgb="FF1F2328"/>`,
		`<sz val="10"/><color rgb="FF57606A"/>`,
		`<b/><sz val="11"/><color rgb="FF1F2328"/>`,
		`<b/><sz val="11"/><color rgb="FFB42318"/>`,
		`<u/><sz val="11"/><color rgb="FF0B5CAD"/>`,
	} {
		b.WriteString(`<font>` + f + `<name val="宋体"/><charset val="134"/></font>`)
	}
	if trace != nil {
		b.WriteString(traceFonts(trace))
	}
	b.WriteString(`</fonts><fills count="6"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>`)
	fills := []string{"FFE8EEF5", "FFFFC7CE", "FFFFEB9C", "FFDDEBF7"}
	for _, rgb := range fills {
		b.WriteString(`<fill><patternFill patternType="solid"><fgColor rgb="` + rgb + `"/><bgColor indexed="64"/></patternFill></fill>`)
	}
	b.WriteString(`</fills><borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border>`)
	for _, side := range []string{"left", "right", "top", "bottom"} {
		b.WriteString(`<` + side + ` style="thin"><color rgb="FF9AA4B2"/></` + side + `>`)
	}
	b.WriteString(`<diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>`)
	fmt.Fprintf(&b, `<cellXfs count="%d">`, cells)
	xf := func(numFmt, font, fill, border int, align string) {
		fmt.Fprintf(&b, `<xf numFmtId="%d" fontId="%d" fillId="%d" borderId="%d" xfId="0" applyNumberFormat="1" applyFont="1" `+
			`applyFill="1" applyBorder="1" applyAlignment="1"><alignment %s/></xf>`, numFmt, font, fill, border, align)
	}
	const text = 49 // @
	xf(0, 0, 0, 0, `vertical="center"`)
	xf(0, 1, 0, 0, `horizontal="center" vertical="center"`)
	xf(0, 2, 0, 0, `vertical="center" wrapText="1"`)
	xf(0, 3, 2, 1, `horizontal="center" vertical="center"`)
	xf(0, 3, 2, 1, `horizontal="center" vertical="center" wrapText="1"`)
	xf(0, 4, 2, 1, `horizontal="center" vertical="center" wrapText="1"`)
	xf(text, 0, 0, 0, `vertical="center"`)
	xf(text, 0, 0, 1, `vertical="center" wrapText="1"`)
	data := []struct {
		numFmt int
		align  string
	}{
		{text, `vertical="center"`},
		{0, `horizontal="center" vertical="center"`},
		{1, `horizontal="left" vertical="center"`},
		{164, `horizontal="left" vertical="center"`},
		{165, `horizontal="left" vertical="center"`},
	}
	for _, s := range data {
		for sev := range severities {
			fill := 0
			if sev > 0 {
				fill = 2 + sev
			}
			xf(s.numFmt, 0, fill, 1, s.align)
		}
	}
	unlocked := func(numFmt, font, border int, align string) {
		fmt.Fprintf(&b, `<xf numFmtId="%d" fontId="%d" fillId="0" borderId="%d" xfId="0" applyNumberFormat="1" applyFont="1" `+
			`applyBorder="1" applyAlignment="1" applyProtection="1"><alignment %s/><protection locked="0"/></xf>`, numFmt, font, border, align)
	}
	unlocked(0, 0, 0, `vertical="center"`)
	unlocked(text, 0, 0, `vertical="center"`)
	unlocked(0, 0, 1, `vertical="center"`)
	xf(0, 5, 0, 1, `vertical="center"`)
	for _, s := range data {
		unlocked(s.numFmt, 0, 1, s.align)
	}
	for slot := 0; trace != nil && slot < traceSlots; slot++ {
		for _, s := range data[:shapeSeq+1] {
			if open {
				unlocked(s.numFmt, 6+slot, 1, s.align)
			} else {
				xf(s.numFmt, 6+slot, 0, 1, s.align)
			}
		}
	}
	b.WriteString(`</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles><dxfs count="3">`)
	for _, rgb := range fills[1:] {
		b.WriteString(`<dxf><fill><patternFill patternType="solid"><fgColor rgb="` + rgb + `"/><bgColor rgb="` + rgb + `"/></patternFill></fill></dxf>`)
	}
	b.WriteString(`</dxfs></styleSheet>`)
	return b.String()
}
