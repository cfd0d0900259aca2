package sheet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/klauspost/compress/flate"

	"tianbao"
)

var sizes = []int{1_000, 10_000, 100_000}

// reportRate adds rows per second.
func reportRate(b *testing.B, rows int) {
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// cpuTime is what the process has used so far. On a busy machine it is the figure to
// trust; of several counts of a benchmark the least.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed runs f and reports its processor time by row.
func timed(b *testing.B, rows int, f func()) {
	b.Helper()
	b.ReportAllocs()
	from := cpuTime()
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(cpuTime()-from)/float64(b.N)/float64(rows), "cpu-ns/row")
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRead holds against each other, on one file: inflating its parts while
// counting '<' (inflate), the limit that no reader can pass; our bare cells (cells);
// a scan with the rules of each row (checked); all rows kept and checked against each
// other (import); excelize Rows.
func BenchmarkRead(b *testing.B) {
	c := newChecker(b)
	ctx := context.Background()
	for _, n := range sizes {
		for _, kind := range []string{"inline", "shared"} {
			file := bookOf(b, n, kind == "shared")
			size := int64(len(file))
			run := func(what string, f func(b *testing.B)) {
				b.Run(fmt.Sprintf("%s/%d/%s", kind, n, what), func(b *testing.B) { timed(b, n, func() { f(b) }) })
			}
			run("inflate", func(b *testing.B) { inflate(b, file) })
			run("cells", func(b *testing.B) {
				cells := 0
				limits := DefaultLimits()
				bk, err := open(ctx, bytes.NewReader(file), size, "x", &limits, &budget{left: limits.Memory}, "")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := bk.rows(ctx, 0, func(r *RowData) error { cells += len(r.Cells); return nil }); err != nil || cells < 9*n {
					b.Fatal(cells, err)
				}
			})
			run("checked", func(b *testing.B) {
				rows, found := 0, 0
				var problems []tianbao.Problem
				_, err := Scan(ctx, bytes.NewReader(file), size, "x", c, ReadOptions{}, func(_ *tianbao.Import, r *tianbao.ImportedRow) error {
					problems = c.Row(problems[:0], rows, &r.Row)
					rows++
					found += len(problems)
					return nil
				})
				if err != nil || rows != n || found > 0 {
					b.Fatal(err, rows, found, problems)
				}
			})
			run("import", func(b *testing.B) {
				imp, err := Read(ctx, bytes.NewReader(file), size, "x", c, ReadOptions{})
				if err != nil || len(imp.Rows) != n {
					b.Fatal(err)
				}
				runtime.KeepAlive(c.Imported(imp))
			})
			run("excelize", func(b *testing.B) {
				if got := excelizeRows(b, file); got < n {
					b.Fatal(got)
				}
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
