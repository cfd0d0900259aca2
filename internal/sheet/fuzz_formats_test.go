package sheet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tianbao"
)

// addFiles seeds a fuzz target with the given samples and, where it is present, the
// smaller files of the corpus.
func addFiles(f *testing.F, globs ...string) {
	f.Helper()
	for _, g := range globs {
		files, _ := filepath.Glob(g)
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(b) < 50_000 {
				f.Add(b)
			}
		}
	}
}

// mustDump dumps a stranger's bytes: lines, or an error that can be shown.
func mustDump(t *testing.T, b []byte) {
	t.Helper()
	err := Dump(context.Background(), io.Discard, bytes.NewReader(b), int64(len(b)), "x", DumpOptions{})
	var e *tianbao.Error
	if err != nil && (!errors.As(err, &e) || e.Message == "" || e.Code == "") {
		t.Fatalf("error that cannot be shown: %v", err)
	}
}

// FuzzXLS mutates the records of a binary workbook, which is put into a sound
// compound file; what begins as one is a whole file already.
func FuzzXLS(f *testing.F) {
	addFiles(f, "testdata/samples/s09-legacy.xls", filepath.Join(corpusDir, "*", "*.xls"), filepath.Join(corpusDir, "*", "*.et"))
	table := func(m *biffMaker) {
		for i, row := range formTable(2) {
			for k, text := range row {
				m.cell(recLabel, i, k, 0, long8(text))
			}
		}
	}
	f.Add(biff8(func(m *biffMaker) {
		m.max = 40
		m.sst(2, []sstString{{"甲乙丙丁甲乙丙丁甲乙丙丁", 2, 7}, {text: "abc"}})
	}, sheet8{"a", 0, 0, table}))
	f.Add(biff8(nil, sheet8{"a", 0, 0, func(m *biffMaker) {
		table(m)
		m.rec(recRow, u16(1), make([]byte, 10), []byte{0x20, 0, 0, 0})
		m.rec(recMulRK, u16(2), u16(1), u16(0), u32(1<<2|2), u16(1), u32(2<<2|3), u16(2))
		m.cell(recFormula, 2, 3, 0, []byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, make([]byte, 8))
		m.rec(recString, long8("文字"))
		m.rec(recMergeCells, u16(1), u16(1), u16(3), u16(1), u16(1))
		m.cell(recBoolErr, 1, 4, 0, []byte{7, 1})
	}}))
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if !bytes.HasPrefix(b, []byte("\xD0\xCF")) && len(b) > 0 && b[0] == 9 && len(b) < 1<<20 {
			mustDump(t, b)
			b = cfbOf(t, map[string][]byte{"Workbook": b})
		}
		mustBehave(t, c, b)
		mustDump(t, b)
	})
}

// FuzzODS mutates the content of an OpenDocument spreadsheet, in a package and as a
// flat document.
func FuzzODS(f *testing.F) {
	f.Add([]byte(odsXML("document", odsTable(formTable(2)))))
	f.Add([]byte(odsXML("document", strings.Replace(odsTable(formTable(2)), `<table:table-row>`, `<table:table-row table:number-rows-repeated="3" table:visibility="filter"><table:covered-table-cell/>`+
		`<table:table-cell table:number-columns-repeated="2" table:number-rows-spanned="2" office:value-type="float" office:value="1"><text:p>01</text:p></table:table-cell></table:table-row><table:table-row>`, 1))))
	addFiles(f, "testdata/samples/*.ods", filepath.Join(corpusDir, "*", "*.ods"))
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		mustBehave(t, c, b)
		mustDump(t, b)
		if !bytes.HasPrefix(b, []byte("PK")) {
			mustBehave(t, c, zipOf(t, rawPart{"mimetype", "x"}, rawPart{"content.xml", string(b)}))
		}
	})
}

// FuzzHTML mutates pages.
func FuzzHTML(f *testing.F) {
	f.Add([]byte(htmlOf(formTable(2))))
	f.Add([]byte(`<style>.a{mso-number-format:"\0022000"}</style><table><tr><td rowspan=2 colspan=3 class=a x:num="1">1<table><td>2</table><tr style="display:none"><td sdval=1 sdnum="1;2;yyyy">x<br><p>y</table>`))
	addFiles(f, "testdata/samples/*html*", filepath.Join(corpusDir, "*", "*.html"))
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		mustBehave(t, c, b)
		mustDump(t, b)
	})
}

// FuzzXML2003 mutates workbooks of one XML document.
func FuzzXML2003(f *testing.F) {
	f.Add([]byte(xml2003Of(xml2003Sheet(formTable(2)))))
	f.Add([]byte(xml2003Of(`<Worksheet ss:Name="a"><Table><Column ss:Index="2" ss:StyleID="s1"/><Row ss:Index="3" ss:Hidden="1"><Cell ss:Index="2" ss:MergeAcross="1" ss:MergeDown="3"><Data ss:Type="Number">1</Data><Comment><Data>x</Data></Comment></Cell></Row></Table><Visible>SheetHidden</Visible></Worksheet>`)))
	addFiles(f, filepath.Join(corpusDir, "*", "*.xml"))
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		mustBehave(t, c, b)
		mustDump(t, b)
	})
}
