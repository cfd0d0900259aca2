package sheet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tianbao"
)

// scanFile names the workbook that a child process scans.
const scanFile = "TIANBAO_SCAN_FILE"

// TestScanChild is the child of BenchmarkScanBig: it scans one file, checks each row,
// and prints its rows, processor time and peak memory.
func TestScanChild(t *testing.T) {
	name := os.Getenv(scanFile)
	if name == "" {
		t.Skip("runs as a child of BenchmarkScanBig")
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	c := newChecker(t)
	rows, found := 0, 0
	var problems []tianbao.Problem
	from := cpuTime()
	_, err = Scan(context.Background(), f, info.Size(), "x", c, ReadOptions{}, func(_ *tianbao.Import, r *tianbao.ImportedRow) error {
		problems = c.Row(problems[:0], rows, &r.Row)
		found += len(problems)
		rows++
		return nil
	})
	if err != nil || found > 0 {
		t.Fatal(err, found)
	}
	fmt.Printf("scanned %d %d %d\n", rows, cpuTime()-from, peakMemory(t))
}

// peakMemory is the most that the process has held, in KiB.
func peakMemory(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc")
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var n int
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// BenchmarkScanBig scans a million rows in a process of its own and reports its peak
// memory, beside the processor time of inflating the same parts.
func BenchmarkScanBig(b *testing.B) {
	const n = 1_000_000
	for _, kind := range []string{"inline", "shared"} {
		b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
			name := filepath.Join(b.TempDir(), "big.xlsx")
			f, err := os.Create(name)
			if err != nil {
				b.Fatal(err)
			}
			bookTo(b, f, n, kind == "shared")
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
			file, err := os.ReadFile(name)
			if err != nil {
				b.Fatal(err)
			}
			var limit, used, peak int64
			for b.Loop() {
				from := cpuTime()
				inflate(b, file)
				limit = least(limit, int64(cpuTime()-from))
				cmd := exec.Command(os.Args[0], "-test.run", "^TestScanChild$")
				cmd.Env = append(os.Environ(), scanFile+"="+name)
				out, err := cmd.Output()
				if err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				var rows, cpu, kib int64
				if _, err := fmt.Sscanf(string(out), "scanned %d %d %d", &rows, &cpu, &kib); err != nil || rows != n {
					b.Fatalf("%v: %s", err, out)
				}
				used, peak = least(used, cpu), max(peak, kib)
			}
			b.ReportMetric(float64(limit)/n, "inflate-cpu-ns/row")
			b.ReportMetric(float64(used)/n, "cpu-ns/row")
			b.ReportMetric(float64(used)/float64(limit), "times-inflate")
			b.ReportMetric(float64(peak)/1024, "peak-MiB")
		})
	}
}

func least(old, v int64) int64 {
	if old == 0 {
		return v
	}
	return min(old, v)
}
