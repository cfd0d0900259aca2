package sheet

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tianbao"
)

// maxComments bounds the comments of an annotated copy. Each is a drawing of its
// own, and some ten thousand make a spreadsheet program crawl; cells beyond are
// coloured and explained in the last column all the same.
const maxComments = 5000

// WriteAnnotated writes the rows of an import in the form's layout, in the
// sender's order and under the sender's numbers: faulty cells coloured with a
// comment, and a last column 错误说明. Where normalisation left nothing of a cell,
// the raw text is shown. Colours, comments and explanations are made from the
// problems alone and nothing is copied from the sender's file, so annotating an
// annotated copy leaves no stale sign. Cells keep their type as in [Write].
func WriteAnnotated(w io.Writer, f *tianbao.Form, imp *tianbao.Import, problems []tianbao.Problem, opt WriteOptions) error {
	l := layoutOf(f, true)
	if len(imp.Rows) > l.maxData() {
		return errTooManyRows(l)
	}
	a := &annotation{l: l, problems: slices.Clone(problems)}
	slices.SortStableFunc(a.problems, func(a, b tianbao.Problem) int { return cmp.Compare(a.Row, b.Row) })
	p := newPackage(w, l, opt)
	if err := p.head(); err != nil {
		return err
	}
	s, err := p.sheet()
	if err != nil {
		return err
	}
	rest := a.problems
	for i := range imp.Rows {
		for len(rest) > 0 && rest[0].Row < i {
			rest = rest[1:]
		}
		n := 0
		for n < len(rest) && rest[n].Row == i {
			n++
		}
		a.row(s, i, &imp.Rows[i], rest[:n])
		rest = rest[n:]
		if err := s.endRow(); err != nil {
			return err
		}
	}
	return errors.Join(s.end(true), a.parts(p), p.close())
}

// annotation gathers the comments while the rows are written.
type annotation struct {
	l        *layout
	problems []tianbao.Problem
	comments []comment
}

type comment struct {
	row, col int // row from 1, column from 0
	text     string
}

// row writes one row with its faults.
func (a *annotation) row(s *sheetWriter, i int, r *tianbao.ImportedRow, problems []tianbao.Problem) {
	s.startRow()
	sev := make([]severity, 1+len(a.l.form.Fields)) // the row number first
	notes := make([][]string, len(sev))
	var explain []string
	for _, p := range problems {
		k := 0
		label := ""
		if f := a.l.form.Index(p.Field); f >= 0 {
			k = 1 + f
			label = a.l.form.Fields[f].Letter + "列 "
		}
		if v := severityOf(p.Severity); v != sevNone && (sev[k] == sevNone || v < sev[k]) {
			sev[k] = v
		}
		notes[k] = append(notes[k], severityName(p.Severity)+"："+p.Message)
		explain = append(explain, label+p.Message)
	}
	for k, n := range notes {
		if len(n) > 0 && len(a.comments) < maxComments {
			a.comments = append(a.comments, comment{s.row, k, strings.Join(n, "\n")})
		}
	}
	if n, ok := number([]byte(r.Seq), 1<<30); ok && r.Seq[0] != '0' {
		s.seq(n, sev[0])
	} else {
		s.text(r.Seq, dataStyle(shapeSeq, sev[0]))
	}
	for f := range a.l.form.Fields {
		text := ""
		if f < len(r.Row.Values) {
			text = r.Row.Values[f]
		}
		if text == "" && f < len(r.Raw) && !blankText([]byte(r.Raw[f])) {
			text = r.Raw[f]
		}
		s.value(text, r.Row.Mark(f), sev[1+f])
	}
	s.text(strings.Join(explain, "\n"), styleExplain)
}

func severityName(s tianbao.Severity) string {
	switch s {
	case tianbao.SeverityError:
		return "强制性"
	case tianbao.SeverityJustify:
		return "核实性"
	}
	return "提示性"
}

// parts writes the comments and their drawings, in the two forms that every
// spreadsheet program reads: a comments part and a VML drawing.
func (a *annotation) parts(p *pack) error {
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

func (a *annotation) vml() []byte {
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
