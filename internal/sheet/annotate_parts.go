package sheet

import "fmt"

// parts writes the comments and their drawings, in the two forms that every
// spreadsheet program reads: a comments part and a VML drawing.
func (a *Annotated) parts() error {
	p := a.p
	if err := p.put("xl/worksheets/_rels/sheet1.xml.rels", []byte(xmlHead+relationships(
		[3]string{"rId1", nsRel + "/vmlDrawing", "../drawings/vmlDrawing1.vml"},
		[3]string{"rId2", nsRel + "/comments", "../comments1.xml"}))); err != nil {
		return err
	}
	b := []byte(xmlHead + `<comments xmlns="` + nsMain + `"><authors><author>` + escaped(application) + `</author></authors><commentList>`)
	for _, c := range a.comments {
		b = append(b, `<comment ref="`...)
		b = appendRef(b, c.col, c.row)
		b = append(b, `" authorId="0"><text><t xml:space="preserve">`...)
		b = appendEscaped(b, c.text)
		b = append(b, `</t></text></comment>`...)
	}
	if err := p.put("xl/comments1.xml", append(b, `</commentList></comments>`...)); err != nil {
		return err
	}
	return p.put("xl/drawings/vmlDrawing1.vml", a.vml())
}

func (a *Annotated) vml() []byte {
	b := []byte(`<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" ` +
		`xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>` +
		`<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">` +
		`<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>`)
	for i, c := range a.comments {
		b = fmt.Appendf(b, `<v:shape id="_x0000_s%d" type="#_x0000_t202" style="position:absolute;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">`+
			`<v:fill color2="#ffffe1"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"/>`+
			`<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>%d, 15, %d, 4, %d, 15, %d, 4</x:Anchor>`+
			`<x:AutoFill>False</x:AutoFill><x:Row>%d</x:Row><x:Column>%d</x:Column></x:ClientData></v:shape>`,
			1025+i, c.col+1, max(c.row-2, 0), c.col+4, c.row+3, c.row-1, c.col)
	}
	return append(b, `</xml>`...)
}
