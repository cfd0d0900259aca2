package report_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/report"
	"tianbao/internal/sheet"
	"tianbao/internal/storetest"
)

// scanned is a workbook as the server gives it to a long import.
type scanned struct{ *sheet.Scanner }

func (b scanned) Scan(ctx context.Context, fn func(*tianbao.Import, *tianbao.ImportedRow) error) (*tianbao.Import, error) {
	imp, err := b.Scanner.Scan(ctx, fn)
	if errors.Is(err, sheet.ErrNeedsAll) {
		err = report.ErrNeedsAll
	}
	return imp, err
}

func scanOf(data []byte, rules *check.Checker, opt sheet.ReadOptions) scanned {
	return scanned{sheet.NewScanner(bytes.NewReader(data), int64(len(data)), "x.xlsx", rules, opt)}
}

// BenchmarkApplyBook imports a workbook of a hundred thousand rows into an empty report.
func BenchmarkApplyBook(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		b.StopTimer()
		o := newOffice(b, "")
		var book bytes.Buffer
		must(b, sheet.Write(&book, o.form, func(yield func(tianbao.Row, error) bool) {
			for i := range n {
				if !yield(tianbao.Row{Seq: i + 1, Values: storetest.Values(i)}, nil) {
					return
				}
			}
		}, sheet.WriteOptions{Level: 1}))
		set := o.set(0)
		set.Source = tianbao.SourceImport
		b.StartTimer()
		plan, _, err := o.ApplyBook(o.ctx(), o.who, set, scanOf(book.Bytes(), o.rules, sheet.ReadOptions{}), report.ModeAppend, "x.xlsx", book.Bytes(), true, quiet)
		must(b, err)
		if plan.Added != n {
			b.Fatalf("%d added", plan.Added)
		}
	}
}
