package sheet

import (
	"fmt"
	"strings"
	"time"
)

const contentType = "application/vnd.openxmlformats-officedocument.spreadsheetml."

// head writes every part that stands before the sheet.
func (p *pack) head() error {
	notes, vml := "", ""
	if p.l.explain {
		notes = `<Override PartName="/xl/comments1.xml" ContentType="` + contentType + `comments+xml"/>`
		vml = `<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>`
	}
	core := `<dc:title>` + escaped(p.l.form.Title) + `</dc:title><dc:creator>` + escaped(application) + `</dc:creator>`
	if !p.opt.Created.IsZero() {
		core += `<dcterms:created xsi:type="dcterms:W3CDTF">` + p.opt.Created.UTC().Format(time.RFC3339) + `</dcterms:created>`
	}
	for _, part := range []struct{ name, body string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/>` + vml +
			`<Override PartName="/xl/workbook.xml" ContentType="` + contentType + `sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + contentType + `worksheet+xml"/>` +
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
		{"xl/_rels/workbook.xml.rels", relationships(
			[3]string{"rId1", nsRel + "/worksheet", "worksheets/sheet1.xml"},
			[3]string{"rId2", nsRel + "/styles", "styles.xml"})},
		{"xl/styles.xml", styles()},
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

// workbook names the sheet and the rows that are repeated on each printed page.
func (p *pack) workbook() string {
	name := sheetName(p.opt.Sheet)
	quoted := "'" + strings.ReplaceAll(name, "'", "''") + "'"
	return `<workbook xmlns="` + nsMain + `" xmlns:r="` + nsRel + `"><bookViews><workbookView/></bookViews><sheets><sheet name="` +
		escaped(name) + `" sheetId="1" r:id="rId1"/></sheets><definedNames><definedName name="_xlnm.Print_Titles" localSheetId="0">` +
		escaped(fmt.Sprintf("%s!$%d:$%d", quoted, p.l.header, p.l.header)) + `</definedName></definedNames></workbook>`
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
func styles() string {
	var b strings.Builder
	b.WriteString(`<styleSheet xmlns="` + nsMain + `"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/>` +
		`<numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts><fonts count="5">`)
	for _, f := range []string{
		`<sz val="11"/><color rgb="FF1F2328"/>`,
		`<b/><sz val="16"/><color rgb="FF1F2328"/>`,
		`<sz val="10"/><color rgb="FF57606A"/>`,
		`<b/><sz val="11"/><color rgb="FF1F2328"/>`,
		`<b/><sz val="11"/><color rgb="FFB42318"/>`,
	} {
		b.WriteString(`<font>` + f + `<name val="宋体"/><charset val="134"/></font>`)
	}
	b.WriteString(`</fonts><fills count="6"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>`)
	for _, rgb := range []string{"FFE8EEF5", "FFFFC7CE", "FFFFEB9C", "FFDDEBF7"} {
		b.WriteString(`<fill><patternFill patternType="solid"><fgColor rgb="` + rgb + `"/><bgColor indexed="64"/></patternFill></fill>`)
	}
	b.WriteString(`</fills><borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border>`)
	for _, side := range []string{"left", "right", "top", "bottom"} {
		b.WriteString(`<` + side + ` style="thin"><color rgb="FF9AA4B2"/></` + side + `>`)
	}
	b.WriteString(`<diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>`)
	fmt.Fprintf(&b, `<cellXfs count="%d">`, styleData+int(shapes)*severities)
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
	for _, s := range []struct {
		numFmt int
		align  string
	}{
		{text, `vertical="center"`},
		{0, `horizontal="center" vertical="center"`},
		{1, `horizontal="left" vertical="center"`},
		{164, `horizontal="left" vertical="center"`},
		{165, `horizontal="left" vertical="center"`},
	} {
		for sev := range severities {
			fill := 0
			if sev > 0 {
				fill = 2 + sev
			}
			xf(s.numFmt, 0, fill, 1, s.align)
		}
	}
	b.WriteString(`</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`)
	return b.String()
}
