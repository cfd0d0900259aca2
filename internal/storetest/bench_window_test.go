package storetest_test

import (
	"fmt"
	"slices"
	"testing"

	"tianbao"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

const (
	longRows   = 100_000
	windowRows = 500
)

// long makes one report of 100,000 rows.
func long(b *testing.B, s *store.Store) tianbao.Report {
	b.Helper()
	w := load(b, s, benchRows)
	rep := <-w.free
	c := &report.Commit{
		Report:        rep,
		Set:           &tianbao.ChangeSet{Report: rep.ID, Key: w.id().String(), Base: rep.Version, Source: tianbao.SourceImport},
		RequestDigest: "d", Receipt: tianbao.Receipt{ID: w.id(), Report: rep.ID, Version: rep.Version + 1},
	}
	c.Report.Rows = longRows
	for i := range longRows - benchRows {
		c.Puts = append(c.Puts, report.Put{Row: tianbao.Row{ID: tianbao.ID(1<<50 + i), Values: storetest.Values(i)}, New: true, After: tianbao.AtEnd})
	}
	if err := s.Commit(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	return rep
}

// BenchmarkWindow reads 500 rows at the beginning, in the middle and at the end of
// 100,000: in one report by position and behind a row; and across 5,000 reports of 20
// rows by position and from a report on.
func BenchmarkWindow(b *testing.B) {
	scope := tianbao.Scope{Paths: []string{"/"}}
	for _, e := range engines() {
		b.Run(e.name, func(b *testing.B) {
			s := e.open(b)
			rep := long(b, s)
			var ids []tianbao.ID
			if _, err := s.EachRow(b.Context(), scope, rep.ID, func(r *tianbao.Row) error { ids = append(ids, r.ID); return nil }); err != nil {
				b.Fatal(err)
			}
			for _, from := range []int{0, 50_000, longRows - windowRows} {
				b.Run(fmt.Sprintf("from=%d", from), func(b *testing.B) {
					for b.Loop() {
						_, rows, err := s.Window(b.Context(), scope, rep.ID, 0, from, windowRows)
						if err != nil || len(rows) != windowRows {
							b.Fatal(len(rows), err)
						}
					}
				})
			}
			b.Run("behind", func(b *testing.B) {
				for b.Loop() {
					_, rows, err := s.Window(b.Context(), scope, rep.ID, ids[longRows-windowRows-1], 0, windowRows)
					if err != nil || len(rows) != windowRows {
						b.Fatal(len(rows), err)
					}
				}
			})
		})
		b.Run(e.name+"-across", func(b *testing.B) {
			s := e.open(b)
			load(b, s, longRows)
			filed, err := s.Filed(b.Context(), scope, 1)
			if err != nil || len(filed) != longRows/benchRows {
				b.Fatal(len(filed), err)
			}
			read := func(start tianbao.ID, from int) func(*testing.B) {
				return func(b *testing.B) {
					for b.Loop() {
						parts, err := s.Across(b.Context(), scope, 1, start, from, windowRows)
						if err != nil || len(parts) != windowRows/benchRows {
							b.Fatal(len(parts), err)
						}
					}
				}
			}
			for _, from := range []int{0, 50_000, longRows - windowRows} {
				b.Run(fmt.Sprintf("from=%d", from), read(0, from))
			}
			b.Run("report", read(filed[len(filed)-windowRows/benchRows].ID, 0))
			b.Run("filed", func(b *testing.B) {
				for b.Loop() {
					list, err := s.Filed(b.Context(), scope, 1)
					if err != nil || !slices.ContainsFunc(list, func(r tianbao.Report) bool { return r.Rows == benchRows }) {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
