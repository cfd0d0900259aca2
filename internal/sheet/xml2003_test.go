package sheet

import (
	"fmt"
	"strings"
	"testing"
)

// xml2003Of makes a workbook of one document.
func xml2003Of(sheets string) string {
	return `<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"` +
		` xmlns:x="urn:schemas-microsoft-com:office:excel" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles>` +
		`<Style ss:ID="s1"><NumberFormat ss:Format="000000"/></Style><Style ss:ID="s2"><NumberFormat ss:Format="Short Date"/></Style><Style ss:ID="s3"><NumberFormat ss:Format="Fixed"/></Style>` +
		`</Styles>` + sheets + `</Workbook>`
}

func xml2003Sheet(rows [][]string) string {
	var b strings.Builder
	b.WriteString(`<Worksheet ss:Name="采集表"><Table>`)
	for _, r := range rows {
		b.WriteString(`<Row>`)
		for _, c := range r {
			fmt.Fprintf(&b, `<Cell><Data ss:Type="String">%s</Data></Cell>`, escaped(c))
		}
		b.WriteString(`</Row>`)
	}
	return b.String() + `</Table></Worksheet>`
}

// TestXML2003 reads cells as Excel 2003 wrote them.
func TestXML2003(t *testing.T) {
	sheet := func(rows string) string {
		return xml2003Of(`<Worksheet ss:Name="a"><Table>` + rows + `</Table></Worksheet>`)
	}
	tests := []struct {
		name, file string
		want       []string
	}{
		{
			"types", sheet(`<Row><Cell><Data ss:Type="String">甲&#10;乙</Data></Cell><Cell><Data ss:Type="Number">1.5</Data></Cell><Cell><Data ss:Type="Boolean">1</Data></Cell>` +
				`<Cell><Data ss:Type="DateTime">1980-01-01T00:00:00.000</Data></Cell><Cell ss:Formula="=1/0"><Data ss:Type="Error">#DIV/0!</Data></Cell></Row>`),
			[]string{"A1 text 甲⏎乙", "B1 number 1.5", "C1 bool 1", "D1 date 1980-01-01T00:00:00.000", "E1 error formula #DIV/0!"},
		},
		{
			"index", sheet(`<Row ss:Index="3"><Cell ss:Index="2"><Data ss:Type="Number">1</Data></Cell><Cell><Data ss:Type="Number">2</Data></Cell></Row><Row><Cell><Data ss:Type="Number">3</Data></Cell></Row>`),
			[]string{"B3 number 1", "C3 number 2", "A4 number 3"},
		},
		{"span of a row", sheet(`<Row ss:Span="2"/><Row><Cell><Data ss:Type="Number">3</Data></Cell></Row>`), []string{"A4 number 3"}},
		{
			"merged", sheet(`<Row><Cell ss:MergeAcross="2" ss:MergeDown="1"><Data ss:Type="String">甲</Data></Cell><Cell><Data ss:Type="String">乙</Data></Cell></Row>`),
			[]string{"A1 text 甲", "D1 text 乙", "merged A1:C2"},
		},
		{"comment, phonetic guide, name", sheet(`<Row><Cell><Data ss:Type="String">甲</Data><Comment ss:Author="x"><ss:Data><B>x</B>批注</ss:Data></Comment><PhoneticText>jia</PhoneticText><NamedCell/></Cell></Row>`), []string{"A1 text 甲"}},
		{"formatted text", sheet(`<Row><Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>甲</B><Font>乙</Font> 丙</ss:Data></Cell></Row>`), []string{"A1 text 甲乙 丙"}},
		{
			"styles of cell, row and column", sheet(`<Column ss:Index="2" ss:StyleID="s1" ss:Span="1"/><Column ss:StyleID="s2"/>` +
				`<Row><Cell ss:StyleID="s1"><Data ss:Type="Number">1</Data></Cell><Cell><Data ss:Type="Number">2</Data></Cell><Cell><Data ss:Type="Number">3</Data></Cell><Cell><Data ss:Type="Number">4</Data></Cell></Row>` +
				`<Row ss:StyleID="s3"><Cell><Data ss:Type="Number">5</Data></Cell></Row>`),
			[]string{"A1 number zeros6 1", "B1 number zeros6 2", "C1 number zeros6 3", "D1 number asdate 4", "A2 number 5"},
		},
		{"hidden row", sheet(`<Row ss:Hidden="1"><Cell><Data ss:Type="Number">1</Data></Cell></Row>`), []string{"A1 number hidden 1"}},
		{"hidden sheets", xml2003Of(`<Worksheet ss:Name="a"><Table/></Worksheet><Worksheet ss:Name="b"><Table/><x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet>` +
			`<Worksheet ss:Name="c"><x:WorksheetOptions><x:Visible>SheetVeryHidden</x:Visible></x:WorksheetOptions></Worksheet>`), []string{"[b hidden]", "[c hidden]"}},
		{"prefixed", `<ss:Workbook xmlns:ss="x"><ss:Worksheet ss:Name="a"><ss:Table><ss:Row><ss:Cell><ss:Data ss:Type="Number">1</ss:Data></ss:Cell></ss:Row></ss:Table></ss:Worksheet></ss:Workbook>`, []string{"A1 number 1"}},
		{"GBK declared", strings.Replace(toGBK(t, sheet(`<Row><Cell><Data ss:Type="String">丽水</Data></Cell></Row>`)), `version="1.0"`, `version="1.0" encoding="GB2312"`, 1), []string{"A1 text 丽水"}},
		{"GBK that says UTF-8", strings.Replace(toGBK(t, sheet(`<Row><Cell><Data ss:Type="String">丽水</Data></Cell></Row>`)), `version="1.0"`, `version="1.0" encoding="UTF-8"`, 1), []string{"A1 text 丽水"}},
		{"UTF-16", toUTF16(sheet(`<Row><Cell><Data ss:Type="String">丽水</Data></Cell></Row>`)), []string{"A1 text 丽水"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustView(t, lines(append([]string{"[a]"}, tt.want...)...), []byte(tt.file))
		})
	}
}

// TestXML2003Refused fails what is cut or out of order.
func TestXML2003Refused(t *testing.T) {
	whole := xml2003Of(xml2003Sheet(formTable(3)))
	sheet := func(rows string) string {
		return xml2003Of(`<Worksheet ss:Name="a"><Table>` + rows + `</Table></Worksheet>`)
	}
	cell := `<Cell><Data ss:Type="Number">1</Data></Cell>`
	tests := []struct{ name, code, file string }{
		{"cut", "unreadable", whole[:len(whole)-1]},
		{"cut in the table", "unreadable", whole[:len(whole)/2]},
		{"DOCTYPE", "unreadable", strings.Replace(whole, "<Workbook", `<!DOCTYPE a [<!ENTITY e "x">]><Workbook`, 1)},
		{"row index leads back", "unreadable", sheet(`<Row ss:Index="5">` + cell + `</Row><Row ss:Index="3">` + cell + `</Row>`)},
		{"cell index leads back", "unreadable", sheet(`<Row><Cell ss:Index="5"/><Cell ss:Index="3"/></Row>`)},
		{"row beyond the last", "unreadable", sheet(`<Row ss:Index="1048577">` + cell + `</Row>`)},
		{"two values", "unreadable", sheet(`<Row><Cell><Data ss:Type="Number">1</Data><Data ss:Type="Number">1</Data></Cell></Row>`)},
		{"no sheet", "unreadable", xml2003Of("")},
		{"too many sheets", "too_large", xml2003Of(strings.Repeat(`<Worksheet ss:Name="a"/>`, 65))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { mustRefuse(t, tt.code, []byte(tt.file)) })
	}
}
