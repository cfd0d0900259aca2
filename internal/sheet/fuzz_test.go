package sheet

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tianbao"
	"tianbao/internal/check"
)

// fuzzLimits keep one input cheap.
func fuzzLimits() Limits {
	l := DefaultLimits()
	l.Inflated, l.RatioFrom, l.Memory, l.Strings = 8<<20, 1<<20, 8<<20, 1<<16
	return l
}

// mustBehave reads a stranger's bytes: rows within bounds, or an error that can be
// shown. A panic or a hang is found by the fuzzer itself.
func mustBehave(t *testing.T, c *check.Checker, b []byte) {
	t.Helper()
	imp, err := read(context.Background(), bytes.NewReader(b), int64(len(b)), "x", c, ReadOptions{}, fuzzLimits(), nil)
	if err != nil {
		var e *tianbao.Error
		if imp != nil || !errors.As(err, &e) || e.Message == "" || e.Code == "" {
			t.Fatalf("error that cannot be shown: %v", err)
		}
		return
	}
	n := len(c.Form().Fields)
	last := 0
	for _, r := range imp.Rows {
		if len(r.Row.Values) != n || len(r.Raw) != n || r.SheetRow <= last || r.SheetRow > maxRow {
			t.Fatalf("row %d after %d with %d values", r.SheetRow, last, len(r.Row.Values))
		}
		last = r.SheetRow
	}
	c.Imported(imp)
	// What was read can be written, and is read as the same again.
	var out bytes.Buffer
	if err := WriteAnnotated(&out, c.Form(), imp, c.Imported(imp), WriteOptions{Level: 1}); err != nil {
		t.Fatal(err)
	}
}

// FuzzXLSX mutates whole files.
func FuzzXLSX(f *testing.F) {
	files, _ := filepath.Glob("testdata/samples/*.xls*")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, b []byte) { mustBehave(t, c, b) })
}

// FuzzSheetXML puts the bytes into the sheet, strings and styles parts of a sound
// package, where the checksum does not stand in the way.
func FuzzSheetXML(f *testing.F) {
	row := append([]string{"1"}, person(1)...)
	f.Add([]byte(worksheet(rowXML(2, row...))), []byte(`<sst><si><t>a</t><rPh><t>b</t></rPh></si></sst>`), []byte(`<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`))
	f.Add([]byte(`<worksheet><sheetData>`+headerXML+`<row r="2"><c r="C2" t="s"><v>0</v></c><c t="d" s="0"><v>1</v></c></row></sheetData><mergeCells><mergeCell ref="B2:B9"/></mergeCells></worksheet>`),
		[]byte(`<sst><si/></sst>`), []byte(`<styleSheet><numFmts><numFmt numFmtId="164" formatCode="000"/></numFmts><cellXfs><xf numFmtId="164"/></cellXfs></styleSheet>`))
	f.Add([]byte("\xff\xfe<\x00a\x00>\x00"), []byte(`<!DOCTYPE a>`), []byte(`<?xml version="1.0" encoding="gbk"?>`))
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, sheet, strings, styles []byte) {
		mustBehave(t, c, rawBook{sheet: string(sheet), strings: string(strings) + " ", styles: string(styles) + " "}.bytes(t))
	})
}

// FuzzCSV mutates tables of separated values.
func FuzzCSV(f *testing.F) {
	files, _ := filepath.Glob("testdata/samples/*.csv")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("sep=;\n" + `"a;""b";c` + "\r\n;;"))
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, b []byte) { mustBehave(t, c, b) })
}
