package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPackages reads one table out of packages that are built in every way that
// writers build them.
func TestPackages(t *testing.T) {
	row := append([]string{"1"}, person(7)...)
	data := worksheet(rowXML(2, row...))
	book := rawBook{sheet: data}
	strict := func(kind string) string {
		return "http://purl.oclc.org/ooxml/officeDocument/relationships/" + kind
	}
	stored := func(method uint16, descriptor bool, parts []rawPart) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, p := range parts {
			h := &zip.FileHeader{Name: p.name, Method: method}
			if descriptor {
				f, err := w.CreateHeader(h)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = f.Write([]byte(p.body))
				continue
			}
			h.CRC32 = crc32.ChecksumIEEE([]byte(p.body))
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(p.body)), uint64(len(p.body))
			f, err := w.CreateRaw(h)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = f.Write([]byte(p.body))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	tests := []struct {
		name string
		file []byte
	}{
		{"deflated, data descriptors", stored(zip.Deflate, true, book.parts())},
		{"stored, data descriptors", stored(zip.Store, true, book.parts())},
		{"stored, sizes in front", stored(zip.Store, false, book.parts())},
		{"zip64", zip64(t, book.bytes(t))},
		{"bytes before the package", append([]byte("#!/bin/sh\nexit 0\n"), book.bytes(t)...)},
		{"a comment behind the package", commented(t, book.bytes(t), strings.Repeat("x", 3000))},
		{"parts in another folder, absolute targets", zipOf(t,
			rawPart{"[Content_Types].xml", "<Types/>"},
			rawPart{"_rels/.rels", `<Relationships ` + relNS + `><Relationship Id="a" Type="http://x/officeDocument" Target="/Data/Book.xml"/></Relationships>`},
			rawPart{"Data/Book.xml", `<workbook xmlns:r="r"><sheets><sheet name="表一" r:id="s"/></sheets></workbook>`},
			rawPart{"Data/_rels/Book.xml.rels", `<Relationships ` + relNS + `><Relationship Id="s" Type="http://x/worksheet" Target="/other/Sheet.xml"/></Relationships>`},
			rawPart{"other/sheet.xml", data})},
		{"backslashes", zipOf(t,
			rawPart{"[Content_Types].xml", "<Types/>"},
			rawPart{`_rels\.rels`, `<Relationships ` + relNS + `><Relationship Id="a" Type="http://x/officeDocument" Target="xl\workbook.xml"/></Relationships>`},
			rawPart{`xl\workbook.xml`, `<workbook xmlns:r="r"><sheets><sheet name="表一" r:id="s"/></sheets></workbook>`},
			rawPart{`xl\_rels\workbook.xml.rels`, `<Relationships ` + relNS + `><Relationship Id="s" Type="http://x/worksheet" Target="worksheets\sheet1.xml"/></Relationships>`},
			rawPart{`xl\worksheets\sheet1.xml`, data})},
		{"strict OOXML, every name prefixed", zipOf(t,
			rawPart{"[Content_Types].xml", "<Types/>"},
			rawPart{"_rels/.rels", `<p:Relationships xmlns:p="x"><p:Relationship Id="a" Type="` + strict("officeDocument") + `" Target="xl/workbook.xml"/></p:Relationships>`},
			rawPart{"xl/workbook.xml", `<m:workbook xmlns:m="http://purl.oclc.org/ooxml/spreadsheetml/main" xmlns:q="r" conformance="strict"><m:sheets><m:sheet name="表一" q:id="s"/></m:sheets></m:workbook>`},
			rawPart{"xl/_rels/workbook.xml.rels", `<Relationships ` + relNS + `><Relationship Id="s" Type="` + strict("worksheet") + `" Target="worksheets/sheet1.xml"/></Relationships>`},
			rawPart{"xl/worksheets/sheet1.xml", prefixed(data)})},
		{"hidden columns", rawBook{sheet: strings.Replace(data, "<sheetData>", `<cols><col min="2" max="9" width="0" hidden="1"/></cols><sheetData>`, 1)}.bytes(t)},
		{"formatted rows without end", rawBook{sheet: worksheet(rowXML(2, row...) + blankRows(3, 5000))}.bytes(t)},
		{"rows far to the right", rawBook{sheet: worksheet(rowXML(2, row...) + farRows(3, 5000))}.bytes(t)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			imp, err := readBytes(t, newChecker(t), tt.file, "x.xlsx")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([][]string{row}, rowsOf(imp)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
}

// TestDeclaredSizes refuses what lies about its sizes, and what tells the truth about
// too much, before it is inflated.
func TestDeclaredSizes(t *testing.T) {
	body := worksheet(rowXML(2, append([]string{"1"}, person(7)...)...))
	forged := func(size uint64) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, p := range (rawBook{sheet: body}).parts() {
			h := &zip.FileHeader{Name: p.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(p.body)), CompressedSize64: uint64(len(p.body)), UncompressedSize64: uint64(len(p.body))}
			if strings.HasSuffix(p.name, "sheet1.xml") {
				h.UncompressedSize64 = size
			}
			f, err := w.CreateRaw(h)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = f.Write([]byte(p.body))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for size, code := range map[uint64]string{
		uint64(len(body)):     "",
		uint64(len(body)) - 1: "unreadable",
		uint64(len(body)) + 1: "unreadable",
		1 << 40:               "too_large",
		1 << 63:               "too_large",
	} {
		_, err := readBytes(t, newChecker(t), forged(size), "x.xlsx")
		if code == "" && err != nil || code != "" && (err == nil || codeOf(t, err) != code) {
			t.Errorf("declared %d of %d: %v, want %q", size, len(body), err, code)
		}
	}
}

func blankRows(from, n int) string {
	var b strings.Builder
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, `<row r="%d" s="1" customFormat="1">`, i)
		for col := range 9 {
			fmt.Fprintf(&b, `<c r="%s" s="1"/>`, Address(col, i))
		}
		b.WriteString("</row>")
	}
	return b.String()
}

func farRows(from, n int) string {
	var b strings.Builder
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, `<row r="%d"><c r="XFD%d" t="str"><v>x</v></c></row>`, i, i)
	}
	return b.String()
}

// endOf gives the place of the end of the directory, and the directory's.
func endOf(t testing.TB, file []byte) (end int, dir, size uint32, n uint16) {
	t.Helper()
	end = bytes.LastIndex(file, []byte("PK\x05\x06"))
	if end < 0 {
		t.Fatal("no directory")
	}
	le := binary.LittleEndian
	return end, le.Uint32(file[end+16:]), le.Uint32(file[end+12:]), le.Uint16(file[end+10:])
}

// zip64 rewrites the end of the directory as the format for large archives has it.
func zip64(t testing.TB, file []byte) []byte {
	t.Helper()
	end, dir, size, n := endOf(t, file)
	le := binary.LittleEndian
	out := bytes.Clone(file[:end])
	out = append(out, "PK\x06\x06"...)
	out = le.AppendUint64(out, 44)
	out = le.AppendUint16(out, 45)
	out = le.AppendUint16(out, 45)
	out = le.AppendUint64(out, 0) // disks
	out = le.AppendUint64(out, uint64(n))
	out = le.AppendUint64(out, uint64(n))
	out = le.AppendUint64(out, uint64(size))
	out = le.AppendUint64(out, uint64(dir))
	out = append(out, "PK\x06\x07"...)
	out = le.AppendUint32(out, 0)
	out = le.AppendUint64(out, uint64(end))
	out = le.AppendUint32(out, 1)
	out = append(out, "PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00"...)
	return out
}

func commented(t testing.TB, file []byte, text string) []byte {
	t.Helper()
	end, _, _, _ := endOf(t, file)
	out := bytes.Clone(file)
	binary.LittleEndian.PutUint16(out[end+20:], uint16(len(text)))
	return append(out, text...)
}
