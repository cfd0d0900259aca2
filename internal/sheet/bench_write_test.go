package sheet

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/xuri/excelize/v2"

	"tianbao"
	"tianbao/internal/seal"
)

// crowdRows makes n rows of many offices, with ids, without keeping them.
func crowdRows(n int) iter.Seq2[tianbao.Row, error] {
	return func(yield func(tianbao.Row, error) bool) {
		c := newCrowd()
		for i := range n {
			if !yield(tianbao.Row{ID: tianbao.ID(1<<62 + i), Version: 3, Seq: i + 1, Values: c.next()}, nil) {
				return
			}
		}
	}
}

// keptRows keeps the rows, so that making them up is not measured.
func keptRows(n int) []tianbao.Row {
	rows := make([]tianbao.Row, 0, n)
	for r := range crowdRows(n) {
		rows = append(rows, r)
	}
	return rows
}

// sealedStamp is a stamp with the keyed digest of the product.
func sealedStamp(t testing.TB) *tianbao.Stamp {
	ring, err := seal.New(seal.SM4, []byte("bench"))
	if err != nil {
		t.Fatal(err)
	}
	st := testStamp()
	st.Digest = ring.Digest
	return st
}

// BenchmarkWriteFull writes the full layout with each writer: the processor time per
// row is the figure to compare, the least of all rounds.
func BenchmarkWriteFull(b *testing.B) {
	const n = 100_000
	f := newChecker(b).Form()
	rows := keptRows(n)
	measure := func(name string, fn func(b *testing.B)) {
		b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
			b.ReportAllocs()
			var used int64
			for b.Loop() {
				from := cpuTime()
				fn(b)
				used = least(used, int64(cpuTime()-from))
			}
			b.ReportMetric(float64(used)/n, "cpu-ns/row")
		})
	}
	write := func(opt WriteOptions) func(*testing.B) {
		return func(b *testing.B) {
			if err := Write(io.Discard, f, rowsSeq(rows), opt); err != nil {
				b.Fatal(err)
			}
		}
	}
	measure("sheet", write(WriteOptions{}))
	measure("sheet-level1", write(WriteOptions{Level: 1}))
	measure("sheet-stamped", write(WriteOptions{Stamp: sealedStamp(b)}))
	measure("sheet-selfcheck", write(WriteOptions{SelfCheck: true}))
	measure("sheet-annotated", func(b *testing.B) {
		a, err := NewAnnotated(io.Discard, f, nil, nil, WriteOptions{})
		if err != nil {
			b.Fatal(err)
		}
		wrong := []tianbao.Problem{{Field: "phone", Code: "phone.format", Severity: tianbao.SeverityError, Message: "号码现有10位，请填写11位手机号，或带区号的座机号。"}}
		for i := range rows {
			ps := wrong
			if i%10 > 0 {
				ps = nil
			}
			if err := a.Row(&tianbao.ImportedRow{Row: rows[i], Seq: "1"}, ps); err != nil {
				b.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
	})
	measure("excelize", func(b *testing.B) { excelizeFull(b, f, rows) })
	b.Run(fmt.Sprintf("%d/libxlsxwriter", n), func(b *testing.B) {
		w := newXlsxWriter(b, rowsSeq(rows))
		var used, peak int64
		for b.Loop() {
			cpu, kib := w.run(b)
			used, peak = least(used, cpu), max(peak, kib)
		}
		b.ReportMetric(float64(used)/n, "cpu-ns/row")
		b.ReportMetric(float64(peak)/1024, "peak-MiB")
	})
}

// excelizeFull writes the same layout with the StreamWriter of excelize.
func excelizeFull(b *testing.B, f *tianbao.Form, rows []tianbao.Row) {
	b.Helper()
	x := excelize.NewFile()
	defer func() { _ = x.Close() }()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	border := []excelize.Border{{Type: "left", Style: 1}, {Type: "right", Style: 1}, {Type: "top", Style: 1}, {Type: "bottom", Style: 1}}
	text, err := x.NewStyle(&excelize.Style{NumFmt: 49, Border: border})
	must(err)
	head, err := x.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Border: border})
	must(err)
	l := layoutOf(f, false)
	list := excelize.NewDataValidation(true)
	list.Sqref = Address(4, l.first) + ":" + Address(4, maxRow)
	must(list.SetDropList(f.Fields[3].Enum))
	must(x.AddDataValidation("Sheet1", list))
	w, err := x.NewStreamWriter("Sheet1")
	must(err)
	must(w.SetColWidth(1, 9, 20))
	must(w.SetPanes(&excelize.Panes{Freeze: true, XSplit: 1, YSplit: l.header, TopLeftCell: Address(1, l.first), ActivePane: "bottomRight"}))
	for i := range 1 + len(l.notes) {
		must(w.MergeCell(Address(0, 1+i), Address(8, 1+i)))
	}
	must(w.SetRow("A1", []any{f.Title}))
	for i, n := range l.notes {
		must(w.SetRow(Address(0, 2+i), []any{n}))
	}
	line := make([]any, len(titles))
	for i, t := range titles {
		line[i] = excelize.Cell{Value: t, StyleID: head}
	}
	must(w.SetRow(Address(0, l.letters), line))
	must(w.SetRow(Address(0, l.header), line))
	for i, r := range rows {
		line[0] = excelize.Cell{Value: i + 1, StyleID: head}
		for k, v := range r.Values {
			line[k+1] = excelize.Cell{Value: v, StyleID: text}
		}
		must(w.SetRow(Address(0, l.first+i), line))
	}
	must(w.Flush())
	must(x.Write(io.Discard))
}

// xlsxWriter runs testdata/xlsxwriter.c on rows in a file.
type xlsxWriter struct{ program, rows, out string }

func newXlsxWriter(b *testing.B, rows iter.Seq2[tianbao.Row, error]) *xlsxWriter {
	b.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		b.Skip("no C compiler")
	}
	dir := b.TempDir()
	w := &xlsxWriter{filepath.Join(dir, "x"), filepath.Join(dir, "rows.tsv"), filepath.Join(dir, "out.xlsx")}
	if msg, err := exec.Command(cc, "-O2", "-o", w.program, filepath.Join("testdata", "xlsxwriter.c"), "-lxlsxwriter").CombinedOutput(); err != nil {
		b.Skipf("libxlsxwriter is not installed (apt-get install libxlsxwriter-dev): %s", msg)
	}
	file, err := os.Create(w.rows)
	if err != nil {
		b.Fatal(err)
	}
	buf := bufio.NewWriter(file)
	for r := range rows {
		_, _ = fmt.Fprintf(buf, "%d\t%s\n", r.Seq, strings.Join(r.Values, "\t"))
	}
	if err := buf.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return w
}

// run returns processor time in ns and peak memory in KiB.
func (w *xlsxWriter) run(b *testing.B) (cpu, kib int64) {
	b.Helper()
	cmd := exec.Command(w.program, w.rows, w.out)
	if msg, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, msg)
	}
	return int64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()), peakOf(cmd.ProcessState)
}

// writeKind tells a child process what to write a million rows of.
const writeKind = "TIANBAO_WRITE_KIND"

const bigRows = 1_000_000

// TestWriteChild is the child of BenchmarkWriteBig.
func TestWriteChild(t *testing.T) {
	kind := os.Getenv(writeKind)
	if kind == "" {
		t.Skip("runs as a child of BenchmarkWriteBig")
	}
	opt := WriteOptions{}
	if kind == "stamped" {
		opt.Stamp = sealedStamp(t)
	}
	if err := Write(io.Discard, newChecker(t).Form(), crowdRows(bigRows), opt); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("peak %d\n", peakMemory(t))
}

// BenchmarkWriteBig writes a million rows in a process of its own and reports its peak
// memory.
func BenchmarkWriteBig(b *testing.B) {
	for _, kind := range []string{"plain", "stamped"} {
		b.Run(fmt.Sprintf("%d/%s", bigRows, kind), func(b *testing.B) {
			var peak int64
			for b.Loop() {
				cmd := exec.Command(os.Args[0], "-test.run", "^TestWriteChild$")
				cmd.Env = append(os.Environ(), writeKind+"="+kind)
				out, err := cmd.Output()
				if err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				var kib int64
				if _, err := fmt.Sscanf(string(out), "peak %d", &kib); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				peak = max(peak, kib)
			}
			b.ReportMetric(float64(peak)/1024, "peak-MiB")
		})
	}
	b.Run(fmt.Sprintf("%d/libxlsxwriter", bigRows), func(b *testing.B) {
		w := newXlsxWriter(b, crowdRows(bigRows))
		var peak int64
		for b.Loop() {
			_, kib := w.run(b)
			peak = max(peak, kib)
		}
		b.ReportMetric(float64(peak)/1024, "peak-MiB")
	})
}

// peakOf is the most that a process held, in KiB.
func peakOf(p *os.ProcessState) int64 {
	if u, ok := p.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss
	}
	return 0
}
