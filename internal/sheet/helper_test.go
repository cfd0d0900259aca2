package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"iter"
	"strings"
	"testing"

	"tianbao"
)

// part of a package written by hand.
type rawPart struct{ name, body string }

func zipOf(t testing.TB, parts ...rawPart) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, p := range parts {
		f, err := w.Create(p.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(p.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const relNS = `xmlns="http://schemas.openxmlformats.org/package/2006/relationships"`

// rawBook is a workbook by hand: one sheet, whose parts a test replaces.
type rawBook struct {
	sheet, strings, styles, workbook, rels string
	extra                                  []rawPart
}

func (r rawBook) parts() []rawPart {
	or := func(s, def string) string {
		if s == "" {
			return def
		}
		return s
	}
	out := []rawPart{
		{"[Content_Types].xml", `<Types/>`},
		{"_rels/.rels", `<Relationships ` + relNS + `><Relationship Id="a" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", or(r.workbook, `<workbook xmlns:r="r"><sheets><sheet name="表一" sheetId="1" r:id="rId1"/></sheets></workbook>`)},
		{"xl/_rels/workbook.xml.rels", or(r.rels, `<Relationships `+relNS+`><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>`+
			`<Relationship Id="rId2" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://x/styles" Target="styles.xml"/></Relationships>`)},
		{"xl/worksheets/sheet1.xml", r.sheet},
	}
	if r.strings != "" {
		out = append(out, rawPart{"xl/sharedStrings.xml", r.strings})
	}
	if r.styles != "" {
		out = append(out, rawPart{"xl/styles.xml", r.styles})
	}
	return append(out, r.extra...)
}

func (r rawBook) bytes(t testing.TB) []byte { return zipOf(t, r.parts()...) }

// worksheet puts rows of XML into a sheet part, below a header in row 1 with the
// row number in A and the fields from B on.
func worksheet(rows string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><worksheet><sheetData>` + headerXML + rows + `</sheetData></worksheet>`
}

// titles are the headers of the form, in the order of the sheet.
var titles = []string{"序号", "单位预算编码", "单位名称", "组织机构代码", "单位类型", "对应行政事业单位资产管理信息系统用户名", "资产管理人姓名", "资产管理人身份证号码", "联系方式"}

var headerXML = rowXML(1, titles...)

// rowXML writes a row of inline strings.
func rowXML(num int, cells ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<row r="%d">`, num)
	for i, c := range cells {
		if c != "" {
			fmt.Fprintf(&b, `<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, Address(i, num), escaped(c))
		}
	}
	b.WriteString(`</row>`)
	return b.String()
}

// person returns the cells of a made-up row without faults: sequence digits 900 to
// 995 and numbers of the segment 160 belong to nobody.
func person(i int) []string {
	return []string{
		fmt.Sprintf("%03d%03d", 100+i%800, i%1000), fmt.Sprintf("试验单位%d", i), orgCode(i), []string{"主管部门", "行政单位", "事业单位"}[i%3],
		fmt.Sprintf("user%05d", i), []string{"张三", "李四", "欧阳一", "王五六"}[i%4], residentID(i), fmt.Sprintf("160%08d", i),
	}
}

func residentID(i int) string {
	s := fmt.Sprintf("210102%04d%02d%02d%03d", 1960+i/96%40, 1+i/3840%12, 1+i/46080%28, 900+i%96)
	sum := 0
	for k, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(s[k]-'0') * w
	}
	return s + string("10X98765432"[sum%11])
}

func orgCode(i int) string {
	const set = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	body := fmt.Sprintf("%08d", i)
	sum := 0
	for k, w := range []int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(body[k]-'0') * w
	}
	s := "11210102" + body + string("0123456789X0"[(11-sum%11)%11])
	sum, w := 0, 1
	for k := range 17 {
		sum += strings.IndexByte(set, s[k]) * w
		w = w * 3 % 31
	}
	return s + string(set[(31-sum%31)%31])
}

// rowsSeq makes the iterator that Write takes.
func rowsSeq(rows []tianbao.Row) iter.Seq2[tianbao.Row, error] {
	return func(yield func(tianbao.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// people returns n rows without faults.
func people(n int) []tianbao.Row {
	out := make([]tianbao.Row, n)
	for i := range out {
		out[i] = tianbao.Row{Seq: i + 1, Values: person(i)}
	}
	return out
}

func written(t testing.TB, f *tianbao.Form, rows []tianbao.Row) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, rowsSeq(rows), WriteOptions{Rows: len(rows)}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
