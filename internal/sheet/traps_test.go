package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// TestTraps reads workbooks written by hand, each with one trap that makes a common
// reader lose, move or invent a cell. want holds the rows with their number first.
func TestTraps(t *testing.T) {
	p := person(7)
	full := append([]string{"1"}, p...)
	with := func(col int, v string) [][]string {
		r := append([]string(nil), full...)
		r[col] = v
		return [][]string{r}
	}
	// cellAt gives the row with the XML of one cell replaced.
	cellAt := func(col int, xml string) string {
		c := append([]string(nil), full...)
		c[col] = ""
		return worksheet(strings.Replace(rowXML(2, c...), "</row>", xml+"</row>", 1))
	}
	const shared = `<sst><si><t>甲单位</t></si><si><r><t>乙</t></r><r><rPr><b/></rPr><t>单位</t></r><rPh sb="0" eb="1"><t>yi</t></rPh><phoneticPr/></si>` +
		`<si/><si><t xml:space="preserve">丙_x5355_位</t></si></sst>`
	const styles = `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="000000"/><numFmt numFmtId="165" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/></numFmts>` +
		`<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/><xf numFmtId="165"/><xf numFmtId="11"/></cellXfs></styleSheet>`
	tests := []struct {
		name string
		book rawBook
		want [][]string
		mark tianbao.Mark // of the first marked cell, 0: none is marked
	}{
		{"bare ampersand", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "试验单位7", "甲 & 乙", 1)}, with(2, "甲 & 乙"), 0},
		{"unknown entity is not expanded", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "试验单位7", "甲&x;乙", 1)}, with(2, "甲&x;乙"), 0},
		{"numeric and predefined entities", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "试验单位7", "&#30002;&#x4E59;&lt;&#x20000;", 1)}, with(2, "甲乙<𠀀"), 0},
		{"bytes of another encoding", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "试验单位7", "甲\xb5\xa5乙", 1)}, with(2, "甲\uFFFD乙"), 0},
		{"CDATA", rawBook{sheet: cellAt(2, `<c r="C2" t="inlineStr"><is><t>甲<![CDATA[<&>]]>乙</t></is></c>`)}, with(2, "甲<&>乙"), 0},
		{"comment inside text", rawBook{sheet: cellAt(2, `<c r="C2" t="inlineStr"><is><t>甲<!-- > -->乙</t></is></c>`)}, with(2, "甲乙"), 0},
		{"angle bracket in an attribute", rawBook{sheet: cellAt(2, `<c r="C2" x="a>b" y='"' t="inlineStr"><is><t>甲</t></is></c>`)}, with(2, "甲"), 0},
		{"shared string", rawBook{strings: shared, sheet: cellAt(2, `<c r="C2" t="s"><v>0</v></c>`)}, with(2, "甲单位"), 0},
		{"rich text without phonetic run", rawBook{strings: shared, sheet: cellAt(2, `<c r="C2" t="s"><v>1</v></c>`)}, with(2, "乙单位"), 0},
		{"empty shared string", rawBook{strings: shared, sheet: cellAt(2, `<c r="C2" t="s"><v>2</v></c>`)}, with(2, ""), 0},
		{"escaped character", rawBook{strings: shared, sheet: cellAt(2, `<c r="C2" t="s"><v>3</v></c>`)}, with(2, "丙单位"), 0},
		{"escaped escape", rawBook{sheet: cellAt(2, `<c r="C2" t="inlineStr"><is><t>a_x005F_x0041_b</t></is></c>`)}, with(2, "a_x0041_b"), 0},
		{"escaped surrogate pair", rawBook{sheet: cellAt(2, `<c r="C2" t="inlineStr"><is><t>_xD840__xDC00_单位</t></is></c>`)}, with(2, "𠀀单位"), 0},
		{"shared index out of range", rawBook{strings: shared, sheet: cellAt(2, `<c r="C2" t="s"><v>9</v></c>`)}, with(2, "#REF!"), tianbao.MarkError},
		{"shared index negative", rawBook{strings: shared, sheet: cellAt(2, `<c r="C2" t="s"><v>-1</v></c>`)}, with(2, "#REF!"), tianbao.MarkError},
		{"inline wins over value", rawBook{sheet: cellAt(2, `<c r="C2" t="inlineStr"><v>5</v><is><r><t>甲</t></r><r><t>乙</t></r></is></c>`)}, with(2, "甲乙"), 0},
		{"formula text", rawBook{sheet: cellAt(2, `<c r="C2" t="str"><f>A1&amp;"&lt;v&gt;"</f><v>甲乙</v></c>`)}, with(2, "甲乙"), 0},
		{"formula number", rawBook{sheet: cellAt(1, `<c r="B2"><f>1+1</f><v>1001</v></c>`)}, with(1, "1001"), 0},
		{"formula without a cached value", rawBook{sheet: cellAt(1, `<c r="B2"><f>1+1</f></c>`)}, with(1, ""), 0},
		{"formula error", rawBook{sheet: cellAt(2, `<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>`)}, with(2, "#DIV/0!"), tianbao.MarkError},
		{"boolean", rawBook{sheet: cellAt(2, `<c r="C2" t="b"><v>1</v></c>`)}, with(2, "TRUE"), 0},
		{"phone with exponent", rawBook{sheet: cellAt(8, `<c r="I2"><v>1.6000000007E10</v></c>`)}, with(8, "16000000007"), 0},
		{"float artefact", rawBook{sheet: cellAt(8, `<c r="I2"><v>16000000007.0</v></c>`)}, with(8, "16000000007"), 0},
		{"binary artefact", rawBook{sheet: cellAt(1, `<c r="B2"><v>1000.9999999999999</v></c>`)}, with(1, "1001"), 0},
		{"code typed with zeros format", rawBook{styles: styles, sheet: cellAt(1, `<c r="B2" s="1"><v>1001</v></c>`)}, with(1, "001001"), 0},
		{"id as number", rawBook{sheet: cellAt(7, `<c r="H2"><v>210102199001019001</v></c>`)}, with(7, "210102199001019001"), tianbao.MarkNumber},
		{"id as number with exponent", rawBook{styles: styles, sheet: cellAt(7, `<c r="H2" s="4"><v>2.10102199001019E+17</v></c>`)}, with(7, "210102199001019000"), tianbao.MarkNumber},
		{"date by builtin format", rawBook{styles: styles, sheet: cellAt(7, `<c r="H2" s="2"><v>45000</v></c>`)}, with(7, "2023-03-15"), tianbao.MarkDate},
		{"date by own format", rawBook{styles: styles, sheet: cellAt(7, `<c r="H2" s="3"><v>45000.5</v></c>`)}, with(7, "2023-03-1512:00:00"), tianbao.MarkDate},
		{"date of strict OOXML", rawBook{sheet: cellAt(7, `<c r="H2" t="d"><v>2023-03-15T00:00:00</v></c>`)}, with(7, "2023-03-15"), tianbao.MarkDate},
		{"cells without references", rawBook{sheet: unreferenced.ReplaceAllString(worksheet(rowXML(2, full...)), "<c ")}, [][]string{full}, 0},
		{"cells out of order", rawBook{sheet: worksheet(reversed(rowXML(2, full...)))}, [][]string{full}, 0},
		{"header cells out of order", rawBook{sheet: `<worksheet><sheetData>` + reversed(headerXML) + rowXML(2, full...) + `</sheetData></worksheet>`}, [][]string{full}, 0},
		{"one cell twice, the later counts", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "</row></sheetData>", `<c r="C2" t="str"><v>后来</v></c></row></sheetData>`, 1)}, with(2, "后来"), 0},
		{
			"rows out of order",
			rawBook{sheet: `<worksheet><sheetData>` + rowXML(3, append([]string{"2"}, p...)...) + rowXML(2, full...) + headerXML + `</sheetData></worksheet>`},
			[][]string{full, append([]string{"2"}, p...)},
			0,
		},
		{"one row twice", rawBook{sheet: worksheet(rowXML(2, "1", "", "甲单位", "", "", "", "张三") + rowXML(2, append([]string{""}, p...)...))}, [][]string{full}, 0},
		{"rows without numbers", rawBook{sheet: strings.ReplaceAll(worksheet(rowXML(2, full...)), `<row r="1">`, "<row>")}, [][]string{full}, 0},
		{"prefixed names", rawBook{sheet: prefixed(worksheet(rowXML(2, full...)))}, [][]string{full}, 0},
		{"dimension that lies", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "<sheetData>", `<dimension ref="A1"/><sheetData>`, 1)}, [][]string{full}, 0},
		{"alternate content: choice only", rawBook{sheet: cellAt(2, `<mc:AlternateContent><mc:Choice Requires="x"><c r="C2" t="str"><v>选择</v></c></mc:Choice>`+
			`<mc:Choice Requires="y"><c r="C2" t="str"><v>第二</v></c></mc:Choice><mc:Fallback><c r="C2" t="str"><v>后备</v></c></mc:Fallback></mc:AlternateContent>`)}, with(2, "选择"), 0},
		{"cell in column XFD", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "</row></sheetData>", `<c r="XFD2" t="str"><v>远</v></c></row></sheetData>`, 1)}, [][]string{full}, 0},
		{"strings part under another name", rawBook{
			sheet: cellAt(2, `<c r="C2" t="s"><v>0</v></c>`), extra: []rawPart{{`xl\Other\Text.XML`, shared}},
			rels: `<Relationships ` + relNS + `><Relationship Id="rId1" Type="http://x/worksheet" Target="/XL/Worksheets/Sheet1.xml"/><Relationship Id="rId2" Type="http://x/sharedStrings" Target="../xl/./Other/text.xml"/></Relationships>`,
		}, with(2, "甲单位"), 0},
		{"UTF-16 part", rawBook{sheet: toUTF16(strings.Replace(worksheet(rowXML(2, full...)), "UTF-8", "UTF-16", 1))}, [][]string{full}, 0},
		{"GBK part", rawBook{sheet: toGBK(t, strings.Replace(worksheet(rowXML(2, full...)), "UTF-8", "GBK", 1))}, [][]string{full}, 0},
		{"byte order mark", rawBook{sheet: "\uFEFF" + worksheet(rowXML(2, full...))}, [][]string{full}, 0},
		{"very long comment", rawBook{sheet: strings.Replace(worksheet(rowXML(2, full...)), "<sheetData>", "<!--"+strings.Repeat("- ", 100_000)+"--><sheetData>", 1)}, [][]string{full}, 0},
	}
	c := newChecker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			imp, err := readBytes(t, c, tt.book.bytes(t), "x.xlsx")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, rowsOf(imp)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			mark := tianbao.MarkNone
			for _, m := range imp.Rows[0].Row.Marks {
				mark = max(mark, m)
			}
			if mark != tt.mark {
				t.Errorf("mark %d, want %d", mark, tt.mark)
			}
		})
	}
}

// unreferenced drops the references of cells.
var unreferenced = regexp.MustCompile(`<c r="[A-Z0-9]+" `)

// reversed turns the cells of a row around.
func reversed(row string) string {
	open, rest, _ := strings.Cut(row, ">")
	cells := strings.SplitAfter(strings.TrimSuffix(rest, "</row>"), "</c>")
	var b strings.Builder
	for i := len(cells) - 1; i >= 0; i-- {
		b.WriteString(cells[i])
	}
	return open + ">" + b.String() + "</row>"
}

func prefixed(s string) string {
	return strings.NewReplacer("</", "</x:", "<?", "<?", "<", "<x:").Replace(s)
}

func toUTF16(s string) string {
	b := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// TestRefused holds every file that must fail as a whole against its code. A short
// success would be the worst answer.
func TestRefused(t *testing.T) {
	row := append([]string{"1"}, person(1)...)
	good := worksheet(rowXML(2, row...))
	whole := rawBook{sheet: good}.bytes(t)
	deep := strings.Repeat("<a>", 300)
	tests := []struct {
		name string
		file []byte
		code string
	}{
		{"XML cut", rawBook{sheet: good[:len(good)-40]}.bytes(t), "unreadable"},
		{"XML cut between two tags", rawBook{sheet: strings.TrimSuffix(good, "</sheetData></worksheet>")}.bytes(t), "unreadable"},
		{"XML cut inside a tag", rawBook{sheet: good[:strings.LastIndex(good, "<c r")+5]}.bytes(t), "unreadable"},
		{"end tag of another element", rawBook{sheet: strings.Replace(good, "</is></c></row></sheetData>", "</c></is></row></sheetData>", 1)}.bytes(t), "unreadable"},
		{"empty sheet part", rawBook{sheet: ""}.bytes(t), "unreadable"},
		{"DOCTYPE", rawBook{sheet: `<!DOCTYPE x [<!ENTITY a "b">]>` + good}.bytes(t), "unreadable"},
		{"deep nesting", rawBook{sheet: "<worksheet>" + deep + strings.ReplaceAll(deep, "<", "</") + "</worksheet>"}.bytes(t), "unreadable"},
		{"row beyond the last", rawBook{sheet: worksheet(`<row r="4294967296"><c r="A1"><v>1</v></c></row>`)}.bytes(t), "unreadable"},
		{"column beyond the last", rawBook{sheet: worksheet(`<row r="2"><c r="ZZZZZZZ2"><v>1</v></c></row>`)}.bytes(t), "unreadable"},
		{"cell inside a cell", rawBook{sheet: worksheet(`<row r="2"><c r="A2"><c r="B2"><v>1</v></c></c></row>`)}.bytes(t), "unreadable"},
		{"sheet part missing", zipOf(t, rawBook{}.parts()[:4]...), "unreadable"},
		{"two parts of one name", rawBook{sheet: good, extra: []rawPart{{"XL/worksheets/Sheet1.xml", good}}}.bytes(t), "unreadable"},
		{"wrong checksum", corruptCRC(t, whole), "unreadable"},
		{"file cut", whole[:len(whole)-30], "unreadable"},
		{"no header", rawBook{sheet: `<worksheet><sheetData>` + rowXML(1, "会议通知") + `</sheetData></worksheet>`}.bytes(t), "no_header"},
		{"word document", zipOf(t, rawPart{"[Content_Types].xml", "<Types/>"}, rawPart{"word/document.xml", "<d/>"}), "unreadable"},
		{"archive", zipOf(t, rawPart{"a.txt", "x"}), "unreadable"},
		{"binary workbook", zipOf(t, rawPart{"[Content_Types].xml", "<Types/>"}, rawPart{"xl/workbook.bin", "x"}), "unsupported"},
		{"OpenDocument", zipOf(t, rawPart{"mimetype", "x"}, rawPart{"content.xml", "<d/>"}), "unreadable"},
		{"encrypted package in a broken compound file", append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), append(make([]byte, 3000), utf16LE("EncryptedPackage")...)...), "unreadable"},
		{"encrypted", encrypted(t, written(t, newChecker(t).Form(), people(200)), "x"), "encrypted"},
		{"old workbook", append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), append(make([]byte, 3000), utf16LE("Workbook")...)...), "unreadable"},
		{"compound file without a workbook", append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), make([]byte, 600)...), "unreadable"},
		{"BIFF4", []byte{9, 4, 6, 0, 0, 0, 16, 0, 1, 2, 3}, "unsupported"},
		{"XML 2003", []byte(`<?xml version="1.0"?><Workbook/>`), "unreadable"},
		{"XML 2003 in UTF-16", []byte(toUTF16(`<?xml version="1.0"?><Workbook/>`)), "unreadable"},
		{"web archive", []byte("MIME-Version: 1.0\r\n"), "unsupported"},
		{"web archive of another program", []byte("From: <Saved by somebody>\r\nMIME-Version: 1.0\r\n"), "unsupported"},
		{"SYLK", []byte("ID;PWXL;N;E\r\nC;Y1;X1;K1\r\nE\r\n"), "unsupported"},
		{"DIF", []byte("TABLE\r\n0,1\r\n\"EXCEL\"\r\n"), "unsupported"},
		{"UOF", []byte(`<?xml version="1.0" encoding="UTF-8"?><uof:UOF xmlns:uof="http://schemas.uof.org/cn/2003/uof"><uof:元数据/></uof:UOF>`), "unsupported"},
		{"other XML", []byte(`<?xml version="1.0"?><persons><person/></persons>`), "unreadable"},
		{"PDF", []byte("%PDF-1.4 ..."), "unreadable"},
		{"random bytes", []byte("\x00\x01\x02\x03\x04\x05\x06\x07"), "unreadable"},
		{"zeros", make([]byte, 100), "unreadable"},
		{"empty", nil, "unreadable"},
		{"too many sheets", rawBook{sheet: good, workbook: `<workbook xmlns:r="r"><sheets>` + strings.Repeat(`<sheet name="a" r:id="rId1"/>`, 65) + `</sheets></workbook>`}.bytes(t), "too_large"},
		{"over the upload limit", make([]byte, 20<<20+1), "too_large"},
	}
	c := newChecker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			imp, err := readBytes(t, c, tt.file, "x.xlsx")
			if err == nil {
				t.Fatalf("accepted with %d rows", len(imp.Rows))
			}
			if code := codeOf(t, err); code != tt.code {
				t.Errorf("code %q (%v), want %q", code, err, tt.code)
			}
		})
	}
}

// corruptCRC changes the checksum of the sheet part in the directory.
func corruptCRC(t *testing.T, file []byte) []byte {
	t.Helper()
	out := bytes.Clone(file)
	i := bytes.LastIndex(out, []byte("xl/worksheets/sheet1.xml"))
	if i < 46 || !bytes.Equal(out[i-46:i-42], []byte("PK\x01\x02")) {
		t.Fatal("no directory entry")
	}
	out[i-46+16] ^= 1
	return out
}

// TestTruncated cuts and damages a workbook at many places: a failure each time,
// or all rows.
func TestTruncated(t *testing.T) {
	c := newChecker(t)
	rows := people(50)
	whole := written(t, c.Form(), rows)
	for n := 0; n < len(whole); n += 37 {
		if imp, err := readBytes(t, c, whole[:n], "x.xlsx"); err == nil {
			t.Fatalf("cut at %d of %d: %d rows", n, len(whole), len(imp.Rows))
		}
	}
	for n := 0; n < len(whole); n += 11 {
		b := bytes.Clone(whole)
		b[n] ^= 0x10
		imp, err := readBytes(t, c, b, "x.xlsx")
		if err == nil && len(imp.Rows) != len(rows) {
			t.Fatalf("byte %d changed: %d rows of %d without an error", n, len(imp.Rows), len(rows))
		}
	}
}

// TestBombs reads small files that inflate to much. Each must end in one sentence.
func TestBombs(t *testing.T) {
	const mega = 1 << 20
	c := newChecker(t)
	blank := strings.Repeat(" ", mega)
	cells := strings.Repeat(`<c r="A2"><v>1</v></c>`, 20_000)
	tests := []struct {
		name  string
		parts func(w *zip.Writer)
		code  string
	}{
		{"blanks that inflate a thousandfold", func(w *zip.Writer) {
			p, _ := w.Create("xl/worksheets/sheet1.xml")
			for range 64 {
				_, _ = p.Write([]byte(blank))
			}
		}, "too_large"},
		{"one row of endless cells", func(w *zip.Writer) {
			p, _ := w.Create("xl/worksheets/sheet1.xml")
			_, _ = p.Write([]byte(`<worksheet><sheetData><row r="2">` + cells + cells))
		}, "unreadable"},
		{"a long tag", func(w *zip.Writer) {
			p, _ := w.Create("xl/worksheets/sheet1.xml")
			_, _ = p.Write([]byte(`<worksheet a="`))
			for range 3 {
				_, _ = p.Write([]byte(strings.Repeat("ab1 ", mega/4)))
			}
		}, "unreadable"},
		{"many entries", func(w *zip.Writer) {
			for i := range 5000 { // stored: a compressor for each took seconds
				_, _ = w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint("xl/", i)})
			}
		}, "too_large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			for _, p := range (rawBook{}).parts()[:4] {
				f, _ := w.Create(p.name)
				_, _ = f.Write([]byte(p.body))
			}
			tt.parts(w)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := readBytes(t, c, b.Bytes(), "x.xlsx")
			if code := codeOf(t, err); code != tt.code {
				t.Errorf("code %q (%v), want %q", code, err, tt.code)
			}
		})
	}
}

// packedBomb is a workbook whose sheet has a chunk many times in its middle. The chunk is
// compressed once: a flushed stretch of a deflate stream that looks at nothing before
// itself may stand as often as one likes. Compressing it all took longer than reading it.
func packedBomb(t *testing.T, open, chunk string, times int, end string) []byte {
	t.Helper()
	var packed, b bytes.Buffer
	crc, size := crc32.NewIEEE(), 0
	add := func(text string, times int, finish func(*flate.Writer) error) {
		var one bytes.Buffer
		f, err := flate.NewWriter(&one, flate.DefaultCompression)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err == nil {
			err = finish(f)
		}
		if err != nil {
			t.Fatal(err)
		}
		for plain := []byte(text); times > 0; times-- {
			packed.Write(one.Bytes())
			crc.Write(plain)
			size += len(plain)
		}
	}
	add(open, 1, (*flate.Writer).Flush)
	add(chunk, times, (*flate.Writer).Flush)
	add(end, 1, (*flate.Writer).Close)
	w := zip.NewWriter(&b)
	for _, p := range (rawBook{}).parts()[:4] {
		f, err := w.Create(p.name)
		if err == nil {
			_, err = io.WriteString(f, p.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := w.CreateRaw(&zip.FileHeader{
		Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CRC32: crc.Sum32(),
		CompressedSize64: uint64(packed.Len()), UncompressedSize64: uint64(size),
	})
	if err == nil {
		_, err = f.Write(packed.Bytes())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTagBomb counts tags: they cost time whatever they say.
func TestTagBomb(t *testing.T) {
	for _, piece := range []string{"<a/>", "<!---->", "<c/>"} {
		const once = maxTags / 64
		b := packedBomb(t, "<worksheet><sheetData>", strings.Repeat(piece, once), 64+4, "</sheetData></worksheet>")
		limits := DefaultLimits()
		limits.Ratio = 1 << 20
		_, err := read(context.Background(), bytes.NewReader(b), int64(len(b)), "x", newChecker(t), ReadOptions{}, limits, nil)
		if code := codeOf(t, err); code != "too_large" {
			t.Errorf("%s: code %q, want too_large", piece, code)
		}
	}
}

// TestSharedStringBomb counts strings and bytes, not what the part declares.
func TestSharedStringBomb(t *testing.T) {
	c := newChecker(t)
	b := rawBook{sheet: worksheet(""), strings: `<sst count="1">` + strings.Repeat("<si><t>字</t></si>", 5000) + `</sst>`}.bytes(t)
	limits := DefaultLimits()
	limits.Strings = 4999
	_, err := read(context.Background(), bytes.NewReader(b), int64(len(b)), "x", c, ReadOptions{}, limits, nil)
	if code := codeOf(t, err); code != "too_large" {
		t.Errorf("code %q, want too_large", code)
	}
	limits = DefaultLimits()
	limits.Memory = 5000 * 10
	_, err = read(context.Background(), bytes.NewReader(b), int64(len(b)), "x", c, ReadOptions{}, limits, nil)
	if code := codeOf(t, err); code != "too_large" {
		t.Errorf("code %q, want too_large", code)
	}
}

// TestCancel stops a long reading when its context ends.
func TestCancel(t *testing.T) {
	c := newChecker(t)
	b := written(t, c.Form(), people(2000))
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	if _, err := Read(ctx, bytes.NewReader(b), int64(len(b)), "x.xlsx", c, ReadOptions{}); tianbao.KindOf(err) != tianbao.ErrInternal || ctx.Err() == nil {
		t.Fatalf("got %v", err)
	}
}
