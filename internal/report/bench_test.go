package report_test

import (
	"fmt"
	"testing"

	"tianbao"
	"tianbao/internal/report"
)

// What importing costs a row, checked, sealed, indexed and with its history; the
// workbook is read already.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		if n > 10_000 && testing.Short() {
			continue
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rows := make([]tianbao.Values, n)
			for i := range rows {
				rows[i] = values(i)
			}
			for b.Loop() {
				b.StopTimer()
				o := newOffice(b, "")
				imp := o.file(1, rows...)
				b.StartTimer()
				set := o.set(0)
				set.Source = tianbao.SourceImport
				if _, _, err := o.Apply(b.Context(), o.who, set, imp, report.ModeAppend, "f", nil, true, quiet); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/row")
		})
	}
}
