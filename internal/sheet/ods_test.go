package sheet

import (
	"fmt"
	"strings"
	"testing"
)

const odsNS = ` xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"` +
	` xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"` +
	` xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"`

// odsXML wraps tables into the content of a spreadsheet.
func odsXML(root, tables string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><office:` + root + odsNS + `><office:automatic-styles>` +
		`<style:style style:name="ta1" style:family="table"><style:table-properties table:display="true"/></style:style>` +
		`<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>` +
		`</office:automatic-styles><office:body><office:spreadsheet>` + tables + `</office:spreadsheet></office:body></office:` + root + `>`
}

// odsOf makes a package; flat makes one document.
func odsOf(t testing.TB, tables string) []byte {
	return zipOf(t, rawPart{"mimetype", "application/vnd.oasis.opendocument.spreadsheet"}, rawPart{"content.xml", odsXML("document-content", tables)},
		rawPart{"META-INF/manifest.xml", `<manifest:manifest xmlns:manifest="m"><manifest:file-entry manifest:full-path="/"/></manifest:manifest>`})
}

func fodsOf(tables string) []byte { return []byte(odsXML("document", tables)) }

// odsTable makes a table of text cells.
func odsTable(rows [][]string) string {
	var b strings.Builder
	b.WriteString(`<table:table table:name="采集表">`)
	for _, r := range rows {
		b.WriteString(`<table:table-row>`)
		for _, c := range r {
			fmt.Fprintf(&b, `<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>`, escaped(c))
		}
		b.WriteString(`</table:table-row>`)
	}
	return b.String() + `</table:table>`
}

// TestODS reads cells as OpenDocument writes them, from a package and from a flat
// document.
func TestODS(t *testing.T) {
	row := func(cells string) string {
		return `<table:table table:name="a"><table:table-row>` + cells + `</table:table-row></table:table>`
	}
	str := func(inner string) string {
		return row(`<table:table-cell office:value-type="string">` + inner + `</table:table-cell>`)
	}
	tests := []struct {
		name, tables string
		want         []string
	}{
		{"text", str(`<text:p>甲</text:p>`), []string{"A1 text 甲"}},
		{"two paragraphs", str(`<text:p>甲</text:p><text:p/><text:p>乙</text:p>`), []string{"A1 text 甲⏎⏎乙"}},
		{"spaces written as elements", str(`<text:p>甲<text:s text:c="3"/>乙<text:s/>丙<text:tab/>丁<text:line-break/>戊</text:p>`), []string{"A1 text 甲   乙 丙\t丁⏎戊"}},
		{"literal white space collapses", str("<text:p>\n  甲 \n\t 乙</text:p>"), []string{"A1 text 甲 乙"}},
		{"spans, links and entities", str(`<text:p><text:span>甲<text:span>&amp;</text:span></text:span><text:a>乙</text:a>&#x4E19;</text:p>`), []string{"A1 text 甲&乙丙"}},
		{"annotation and notes left out", str(`<office:annotation><text:p>批注</text:p></office:annotation><text:p>甲<text:note><text:p>注</text:p></text:note></text:p>`), []string{"A1 text 甲"}},
		{"phonetic guide left out", str(`<text:p><text:ruby><text:ruby-base>郑</text:ruby-base><text:ruby-text>zheng</text:ruby-text></text:ruby></text:p>`), []string{"A1 text 郑"}},
		{"string value in an attribute", row(`<table:table-cell table:formula="of:=A2" office:value-type="string" office:string-value="a  b"><text:p>a b</text:p></table:table-cell>`), []string{"A1 text formula a  b"}},
		{
			"numbers", row(`<table:table-cell office:value-type="float" office:value="13812345678"><text:p>1.4E10</text:p></table:table-cell>` +
				`<table:table-cell office:value-type="percentage" office:value="0.5"><text:p>50%</text:p></table:table-cell>` +
				`<table:table-cell office:value-type="currency" office:value="-2.5" office:currency="CNY"><text:p>¥2.50</text:p></table:table-cell>`),
			[]string{"A1 number 13812345678", "B1 number 0.5", "C1 number -2.5"},
		},
		{"zeros that the format shows", row(`<table:table-cell office:value-type="float" office:value="1001"><text:p>001001</text:p></table:table-cell>`), []string{"A1 number zeros6 1001"}},
		{"formula", row(`<table:table-cell table:formula="of:=1+1" office:value-type="float" office:value="2"><text:p>2</text:p></table:table-cell>`), []string{"A1 number formula 2"}},
		{"dates", row(`<table:table-cell office:value-type="date" office:date-value="1980-01-01"><text:p>1980年</text:p></table:table-cell>` +
			`<table:table-cell office:value-type="time" office:time-value="PT10H30M00S"><text:p>10:30</text:p></table:table-cell>`), []string{"A1 date 1980-01-01", "B1 date 10:30"}},
		{"truth values", row(`<table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>TRUE</text:p></table:table-cell>` +
			`<table:table-cell office:value-type="boolean" office:boolean-value="false"><text:p>FALSE</text:p></table:table-cell>`), []string{"A1 bool 1", "B1 bool 0"}},
		{"errors", row(`<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>` +
			`<table:table-cell office:value-type="float" office:value="0"><text:p>#NAME?</text:p></table:table-cell>`), []string{"A1 error formula #DIV/0!", "B1 error #NAME?"}},
		{
			"repeated columns and covered cells", row(`<table:table-cell table:number-columns-repeated="2"/><table:table-cell table:number-columns-repeated="2" office:value-type="string"><text:p>甲</text:p></table:table-cell>` +
				`<table:table-cell table:number-columns-spanned="2" table:number-rows-spanned="3" office:value-type="string"><text:p>乙</text:p></table:table-cell><table:covered-table-cell/>` +
				`<table:table-cell office:value-type="string"><text:p>丙</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16377"/>`),
			[]string{"C1 text 甲", "D1 text 甲", "E1 text 乙", "G1 text 丙", "merged E1:F3"},
		},
		{
			"repeated rows", `<table:table table:name="a"><table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>` +
				`<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="float" office:value="1"/></table:table-row>` +
				`<table:table-row table:number-rows-repeated="1048571"><table:table-cell table:number-columns-repeated="1024"/></table:table-row></table:table>`,
			[]string{"A4 number 1", "A5 number 1"},
		},
		{
			"hidden rows, header rows and groups", `<table:table table:name="a"><table:table-header-rows><table:table-row><table:table-cell office:value-type="float" office:value="1"/></table:table-row></table:table-header-rows>` +
				`<table:table-row-group><table:table-row table:visibility="collapse"><table:table-cell office:value-type="float" office:value="2"/></table:table-row>` +
				`<table:table-row table:visibility="filter"><table:table-cell office:value-type="float" office:value="3"/></table:table-row></table:table-row-group></table:table>`,
			[]string{"A1 number 1", "A2 number hidden 2", "A3 number hidden 3"},
		},
		{
			"hidden sheet, drawings, changes", `<table:tracked-changes><table:table><table:table-row><table:table-cell><text:p>旧</text:p></table:table-cell></table:table-row></table:table></table:tracked-changes>` +
				`<table:table table:name="a" table:style-name="ta1"><table:shapes><table:table/></table:shapes></table:table>` +
				`<table:table table:name="b" table:style-name="ta2"><table:table-row><table:table-cell office:value-type="float" office:value="1"/></table:table-row></table:table>`,
			[]string{"[b hidden]", "A1 number 1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := lines(append([]string{"[a]"}, tt.want...)...)
			mustView(t, want, odsOf(t, tt.tables))
			mustView(t, want, fodsOf(tt.tables))
		})
	}
}

// TestODSRefused fails what is cut, locked, another document, or made to hurt.
func TestODSRefused(t *testing.T) {
	long := strings.Repeat("长", 30000)
	bomb := func(rows, cols int, text string) string {
		return fmt.Sprintf(`<table:table table:name="a"><table:table-row table:number-rows-repeated="%d"><table:table-cell table:number-columns-repeated="%d" office:value-type="string"><text:p>%s</text:p></table:table-cell></table:table-row></table:table>`, rows, cols, text)
	}
	whole := string(fodsOf(odsTable(formTable(3))))
	tests := []struct {
		name, code string
		file       []byte
	}{
		{"text document", "unreadable", zipOf(t, rawPart{"mimetype", "application/vnd.oasis.opendocument.text"}, rawPart{"content.xml", `<office:document-content><office:body><office:text/></office:body></office:document-content>`})},
		{"encrypted", "encrypted", zipOf(t, rawPart{"mimetype", "x"}, rawPart{"META-INF/manifest.xml", `<m:manifest><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>`}, rawPart{"content.xml", "\x01\x02"})},
		{"cut", "unreadable", []byte(whole[:len(whole)-1])},
		{"cut in a row", "unreadable", []byte(whole[:len(whole)/2])},
		{"row beyond the last", "unreadable", fodsOf(`<table:table table:name="a"><table:table-row table:number-rows-repeated="1048576"><table:table-cell/></table:table-row><table:table-row><table:table-cell office:value-type="float" office:value="1"/></table:table-row></table:table>`)},
		{"bomb of rows with long texts", "too_large", fodsOf(bomb(1<<20, 64, long))},
		{"bombs of rows on several sheets", "too_large", fodsOf(strings.Repeat(bomb(600_000, 1, "合计"), 2))},
		{"too many sheets", "too_large", fodsOf(strings.Repeat(`<table:table table:name="a"/>`, 65))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { mustRefuse(t, tt.code, tt.file) })
	}
}

// TestODSLong cuts a text that is too long and reads the cells behind it.
func TestODSLong(t *testing.T) {
	rows := formTable(2)
	rows[1][2] = strings.Repeat("长", 40000)
	c := newChecker(t)
	imp, err := readBytes(t, c, odsOf(t, odsTable(rows)), "x.ods")
	if err != nil {
		t.Fatal(err)
	}
	if n := len([]rune(imp.Rows[0].Raw[1])); n != 32767 || imp.Rows[0].Row.Values[5] != "张三" || len(imp.Remarks) != 1 {
		t.Errorf("%d characters, %q, remarks %q", n, imp.Rows[0].Row.Values[5], imp.Remarks)
	}
}
