package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// crowd makes up the rows of many offices with the disorder of real ones: files of
// rows that are all alike inflate faster than any real file does. Four people to a
// unit, sequence digits 900 to 995 and numbers of the segment 160.
type crowd struct {
	rnd  *rand.Rand
	unit []string
	left int
}

func newCrowd() *crowd { return &crowd{rnd: rand.New(rand.NewPCG(3, 9))} }

func (c *crowd) pick(from string) string {
	r := []rune(from)
	return string(r[c.rnd.IntN(len(r))])
}

const (
	surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
	given    = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国志文斌玉兰红梅海波宇欣怡子涵浩然梓轩雨泽若曦思远嘉豪"
	places   = "东西南北中大新长安太和平永兴海山河湖城乡镇村金银石松柳青白红黄龙凤鹤云天水土木田桥港湾"
	offices  = "财政局 教育局 卫生健康局 农业农村局 水利局 交通运输局 自然资源局 市场监督管理局 档案馆 图书馆 实验小学 第二中学 人民医院 街道办事处 社会保险中心"
)

func (c *crowd) next() []string {
	if c.left == 0 {
		c.left = 1 + c.rnd.IntN(7)
		list := strings.Fields(offices)
		n := c.rnd.IntN(1_000_000)
		c.unit = []string{
			fmt.Sprintf("%03d%03d", n%1000, c.rnd.IntN(1000)),
			c.pick(places) + c.pick(places) + c.pick("市县区") + c.pick(places) + c.pick(places) + list[c.rnd.IntN(len(list))],
			orgCode(c.rnd.IntN(99_999_999)), []string{"主管部门", "行政单位", "事业单位"}[c.rnd.IntN(3)],
		}
	}
	c.left--
	name := c.pick(surnames) + c.pick(given)
	if c.rnd.IntN(4) > 0 {
		name += c.pick(given)
	}
	i := c.rnd.IntN(96 * 40 * 12 * 28)
	return append(append([]string(nil), c.unit...), fmt.Sprintf("zc%08d", c.rnd.IntN(100_000_000)), name, residentID(i), fmt.Sprintf("160%08d", c.rnd.IntN(100_000_000)))
}

// bookOf makes a workbook of n such rows, as Excel writes them with shared strings, or
// with inline strings as libraries do.
func bookOf(t testing.TB, n int, shared bool) []byte {
	t.Helper()
	var out bytes.Buffer
	bookTo(t, &out, n, shared)
	return out.Bytes()
}

func bookTo(t testing.TB, out io.Writer, n int, shared bool) {
	t.Helper()
	z := zip.NewWriter(out)
	// excelize asks for the full names that our own reader does not need.
	const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	for _, p := range []rawPart{
		{"[Content_Types].xml", xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + contentType + `sheet.main+xml"/></Types>`},
		{"_rels/.rels", xmlHead + relationships([3]string{"rId1", office + "officeDocument", "xl/workbook.xml"})},
		{"xl/workbook.xml", xmlHead + `<workbook xmlns="` + nsMain + `" xmlns:r="` + nsRel + `"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", xmlHead + relationships([3]string{"rId1", office + "worksheet", "worksheets/sheet1.xml"}, [3]string{"rId2", office + "sharedStrings", "sharedStrings.xml"})},
		{"xl/styles.xml", xmlHead + styles(nil, false)},
	} {
		w, err := z.Create(p.name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, p.body)
	}
	index := make(map[string]int)
	var list []string
	part, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(part, 1<<20)
	_, _ = fmt.Fprintf(w, `%s<worksheet xmlns="%s"><sheetData>`, xmlHead, nsMain)
	cell := func(col, row int, s string) {
		if !shared {
			_, _ = fmt.Fprintf(w, `<c r="%s" s="1" t="inlineStr"><is><t>%s</t></is></c>`, Address(col, row), s)
			return
		}
		i, ok := index[s]
		if !ok {
			i = len(list)
			index[s], list = i, append(list, s)
		}
		_, _ = fmt.Fprintf(w, `<c r="%s" s="1" t="s"><v>%d</v></c>`, Address(col, row), i)
	}
	_, _ = w.WriteString(`<row r="1">`)
	for i, s := range titles {
		cell(i, 1, s)
	}
	_, _ = w.WriteString(`</row>`)
	c := newCrowd()
	for i := range n {
		_, _ = fmt.Fprintf(w, `<row r="%d" spans="1:9"><c r="A%d"><v>%d</v></c>`, i+2, i+2, i+1)
		for k, v := range c.next() {
			cell(k+1, i+2, v)
		}
		_, _ = w.WriteString(`</row>`)
	}
	_, _ = w.WriteString(`</sheetData></worksheet>`)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	part, err = z.Create("xl/sharedStrings.xml")
	if err != nil {
		t.Fatal(err)
	}
	w = bufio.NewWriterSize(part, 1<<20)
	_, _ = fmt.Fprintf(w, `%s<sst xmlns="%s">`, xmlHead, nsMain)
	for _, s := range list {
		_, _ = fmt.Fprintf(w, `<si><t>%s</t></si>`, s)
	}
	_, _ = w.WriteString(`</sst>`)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
