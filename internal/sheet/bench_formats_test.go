package sheet

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// BenchmarkFormats reads one table from each of the other formats, to bare cells,
// beside inflating the .xlsx of the same content (inflate), shared strings as Excel
// writes them. The aim for .xls and .ods is at most eight times that.
func BenchmarkFormats(b *testing.B) {
	const n = 60_000 // what an .xls can hold
	table := [][]string{titles}
	c := newCrowd()
	for i := range n {
		table = append(table, append([]string{fmt.Sprint(i + 1)}, c.next()...))
	}
	xlsx := bookOf(b, n, true)
	b.Run("inflate", func(b *testing.B) { timed(b, n, func() { inflate(b, xlsx) }) })
	for _, f := range []struct {
		name string
		file []byte
	}{
		{"xls", xlsTable(b, table)},
		{"ods", odsOf(b, odsTable(table))},
		{"fods", fodsOf(odsTable(table))},
		{"html", []byte(htmlOf(table))},
		{"xml2003", []byte(xml2003Of(xml2003Sheet(table)))},
		{"csv-gb18030", []byte(toGBK(b, csvOf(table)))},
		{"xlsx", xlsx},
	} {
		b.Run(f.name, func(b *testing.B) {
			timed(b, n, func() {
				limits := DefaultLimits()
				limits.Upload = 1 << 30 // XML that is not packed
				limits.Memory = 1 << 30
				bk, err := open(context.Background(), bytes.NewReader(f.file), int64(len(f.file)), "x", &limits, &budget{left: limits.Memory}, "")
				if err != nil {
					b.Fatal(err)
				}
				cells := 0
				if _, err := bk.rows(context.Background(), 0, func(r *RowData) error { cells += len(r.Cells); return nil }); err != nil || cells < 9*n {
					b.Fatal(cells, err)
				}
			})
			b.ReportMetric(float64(len(f.file))/(1<<20), "MB")
		})
	}
}

func csvOf(rows [][]string) string {
	var b bytes.Buffer
	for _, r := range rows {
		for i, c := range r {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprint(&b, c)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
