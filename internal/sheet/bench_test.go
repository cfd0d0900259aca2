package sheet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/klauspost/compress/flate"

	"tianbao"
)

var sizes = []int{1_000, 10_000, 100_000}

// reportRate adds rows per second.
func reportRate(b *testing.B, rows int) {
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// sharedBook makes a workbook of n rows with shared strings, as Excel writes them.
func sharedBook(b *testing.B, n int) []byte {
	b.Helper()
	var sheet, sst strings.Builder
	count := 0
	add := func(s string) int {
		fmt.Fprintf(&sst, "<si><t>%s</t></si>", escaped(s))
		count++
		return count - 1
	}
	sheet.WriteString(`<worksheet><sheetData>` + headerXML)
	for i := range n {
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%d"><v>%d</v></c>`, i+2, i+2, i+1)
		for k, v := range person(i) {
			fmt.Fprintf(&sheet, `<c r="%s" s="1" t="s"><v>%d</v></c>`, Address(k+1, i+2), add(v))
		}
		sheet.WriteString(`</row>`)
	}
	sheet.WriteString(`</sheetData></worksheet>`)
	// excelize asks for the full names that our own reader does not need.
	const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	return zipOf(b,
		rawPart{"[Content_Types].xml", xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + contentType + `sheet.main+xml"/></Types>`},
		rawPart{"_rels/.rels", xmlHead + relationships([3]string{"rId1", office + "officeDocument", "xl/workbook.xml"})},
		rawPart{"xl/workbook.xml", xmlHead + `<workbook xmlns="` + nsMain + `" xmlns:r="` + nsRel + `"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		rawPart{"xl/_rels/workbook.xml.rels", xmlHead + relationships([3]string{"rId1", office + "worksheet", "worksheets/sheet1.xml"}, [3]string{"rId2", office + "sharedStrings", "sharedStrings.xml"})},
		rawPart{"xl/styles.xml", xmlHead + styles()},
		rawPart{"xl/worksheets/sheet1.xml", strings.Replace(sheet.String(), "<worksheet>", xmlHead+`<worksheet xmlns="`+nsMain+`">`, 1)},
		rawPart{"xl/sharedStrings.xml", xmlHead + `<sst xmlns="` + nsMain + `">` + sst.String() + `</sst>`})
}

// BenchmarkRead reads to normal form (sheet), to bare cells (cells), with
// excelize Rows beside it, and inflates the parts while counting '<' (inflate): the
// limit that no reader can pass.
func BenchmarkRead(b *testing.B) {
	c := newChecker(b)
	for _, n := range sizes {
		rows := people(n)
		for kind, file := range map[string][]byte{"inline": written(b, c.Form(), rows), "shared": sharedBook(b, n)} {
			name := fmt.Sprintf("%s/%d/", kind, n)
			b.Run(name+"sheet", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					imp, err := Read(context.Background(), bytes.NewReader(file), int64(len(file)), "x", c, ReadOptions{})
					if err != nil || len(imp.Rows) != n {
						b.Fatal(err)
					}
				}
				reportRate(b, n)
			})
			b.Run(name+"cells", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					cells := 0
					limits := DefaultLimits()
					bk, err := open(context.Background(), bytes.NewReader(file), int64(len(file)), "x", &limits, &budget{left: limits.Memory}, "")
					if err != nil {
						b.Fatal(err)
					}
					if _, err := bk.rows(context.Background(), 0, func(r *RowData) error { cells += len(r.Cells); return nil }); err != nil || cells < 9*n {
						b.Fatal(cells, err)
					}
				}
				reportRate(b, n)
			})
			b.Run(name+"inflate", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					inflate(b, file)
				}
				reportRate(b, n)
			})
			b.Run(name+"excelize", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if got := excelizeRows(b, file); got < n {
						b.Fatal(got)
					}
				}
				reportRate(b, n)
			})
		}
	}
}

func inflate(b *testing.B, file []byte) {
	b.Helper()
	limits := DefaultLimits()
	c, err := openContainer(bytes.NewReader(file), int64(len(file)), &limits)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, scanBuffer)
	tags := 0
	for _, name := range []string{"xl/worksheets/sheet1.xml", "xl/sharedstrings.xml"} {
		if !c.has(name) {
			continue
		}
		r, err := c.parts[name].Open()
		if err != nil {
			b.Fatal(err)
		}
		for {
			n, err := r.Read(buf)
			tags += bytes.Count(buf[:n], []byte{'<'})
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	runtime.KeepAlive(tags)
}

func excelizeRows(b *testing.B, file []byte) int {
	b.Helper()
	x, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	rows, err := x.Rows(x.GetSheetName(0))
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for rows.Next() {
		if _, err := rows.Columns(excelize.Options{RawCellValue: true}); err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}

// BenchmarkWrite writes the full layout, with excelize StreamWriter writing the bare
// rows beside it.
func BenchmarkWrite(b *testing.B) {
	f := newChecker(b).Form()
	for _, n := range sizes {
		rows := people(n)
		for _, level := range []int{flate.BestSpeed, defaultLevel} {
			b.Run(fmt.Sprintf("%d/sheet-level%d", n, level), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := Write(io.Discard, f, rowsSeq(rows), WriteOptions{Level: level}); err != nil {
						b.Fatal(err)
					}
				}
				reportRate(b, n)
			})
		}
		b.Run(fmt.Sprintf("%d/excelize", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				excelizeWrite(b, rows)
			}
			reportRate(b, n)
		})
	}
}

func excelizeWrite(b *testing.B, rows []tianbao.Row) {
	b.Helper()
	x := excelize.NewFile()
	defer func() { _ = x.Close() }()
	w, err := x.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	line := make([]any, len(titles))
	for i, r := range rows {
		line[0] = i + 1
		for k, v := range r.Values {
			line[k+1] = v
		}
		if err := w.SetRow(Address(0, i+1), line); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := x.Write(io.Discard); err != nil {
		b.Fatal(err)
	}
}
