package storetest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// The cost of 提交 as the store sees it: a change set of 20 rows, each with another
// person, is sealed, written with history, receipt, keys and audit, and is durable.

const benchRows = 20

// benchWorld has reports of benchRows rows each, which clients take in turn.
type benchWorld struct {
	s    *store.Store
	free chan tianbao.Report
	ids  atomic.Int64
}

func (w *benchWorld) id() tianbao.ID { return tianbao.ID(w.ids.Add(1)) }

// load makes reports until rows rows are stored.
func load(b *testing.B, s *store.Store, rows int) *benchWorld {
	b.Helper()
	n := max(rows/benchRows, 32)
	w := &benchWorld{s: s, free: make(chan tianbao.Report, n)}
	ctx := b.Context()
	if err := s.PutCampaign(ctx, tianbao.Campaign{ID: 1, Form: "asset-role", FormV: 1, Released: true}); err != nil {
		b.Fatal(err)
	}
	units := make([]tianbao.Unit, n)
	for i := range units {
		units[i] = tianbao.Unit{ID: w.id(), Name: fmt.Sprintf("单位%d", i)}
	}
	if err := s.PutUnits(ctx, units...); err != nil {
		b.Fatal(err)
	}
	var (
		wg   sync.WaitGroup
		next atomic.Int64
	)
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				rep, err := s.OpenReport(ctx, tianbao.Scope{Paths: []string{"/"}}, 1, units[i-1].ID)
				if err == nil {
					rep, err = w.submit(b, rep)
				}
				if err != nil {
					b.Error(err)
					return
				}
				w.free <- rep
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return w
}

// submit fills the report at its first version, and replaces all its rows later.
func (w *benchWorld) submit(b *testing.B, rep tianbao.Report) (tianbao.Report, error) {
	c := &report.Commit{
		Report:        rep,
		Set:           &tianbao.ChangeSet{Report: rep.ID, Key: w.id().String(), Base: rep.Version, Source: tianbao.SourcePage, At: time.UnixMilli(1663891200000)},
		RequestDigest: "d",
	}
	base := tianbao.ID(int64(rep.Owner) << 24)
	for i := range benchRows {
		row := tianbao.Row{ID: base + tianbao.ID(i), Unit: rep.Owner, Version: rep.Version + 1, Values: storetest.Values(rand.IntN(50_000_000))}
		c.Puts = append(c.Puts, report.Put{Row: row, New: rep.Version == 0, After: tianbao.AtEnd})
		rec := tianbao.Recorded{Op: tianbao.OpEdit, Row: row.ID}
		for f, v := range row.Values {
			rec.Cells = append(rec.Cells, tianbao.RecordedCell{Field: f, Before: v, After: v})
		}
		c.Recorded = append(c.Recorded, rec)
	}
	c.Report.Rows = benchRows
	c.Receipt = tianbao.Receipt{ID: w.id(), Report: rep.ID, Kind: "save", Version: rep.Version + 1, Rows: benchRows}
	if err := w.s.Commit(b.Context(), c); err != nil {
		return rep, err
	}
	rep = c.Report
	rep.Version++
	return rep, nil
}

// run submits with a number of clients at once.
func (w *benchWorld) run(b *testing.B, clients int) {
	b.ResetTimer()
	w.slice(b, clients, b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
}

type engine struct {
	name string
	open func(testing.TB, ...storetest.Option) *store.Store
}

func engines() []engine {
	return []engine{{"sqlite", onDisk}, {"postgres", storetest.OpenPostgres}}
}

// onDisk opens SQLite below the working directory rather than in the temporary one,
// which may be memory.
func onDisk(t testing.TB, opts ...storetest.Option) *store.Store {
	dir, err := os.MkdirTemp(".", "bench-*.tmp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return storetest.Open(t, filepath.Join(dir, "tianbao.db"), opts...)
}

// BenchmarkSubmit is a submit of 20 rows into 20,000. "alone" is SQLite with one
// transaction a submit, as most programs do it, beside the group commit.
func BenchmarkSubmit(b *testing.B) {
	alone := func(o *db.Options) { o.Group = 1 }
	all := append(engines(), engine{"sqlite-alone", func(t testing.TB, opts ...storetest.Option) *store.Store {
		return onDisk(t, append(opts, storetest.WithDB(alone))...)
	}})
	for _, e := range all {
		b.Run(e.name, func(b *testing.B) {
			w := load(b, e.open(b), 20_000)
			for _, clients := range []int{1, 16} {
				b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { w.run(b, clients) })
			}
		})
	}
}

// BenchmarkGrowth is the same submit into stores of 1,000 to 1,000,000 rows, which
// are loaded outside of the timer. The largest takes minutes; -short leaves it out.
func BenchmarkGrowth(b *testing.B) {
	for _, e := range engines() {
		b.Run(e.name, func(b *testing.B) {
			for _, rows := range []int{1_000, 10_000, 100_000, 1_000_000} {
				if testing.Short() && rows > 100_000 {
					continue
				}
				// The store is opened outside of the inner benchmark, which is called
				// several times with growing N.
				w := load(b, e.open(b), rows)
				b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) { w.run(b, 1) })
			}
		})
	}
}

// BenchmarkInsertMany is one change set that puts rows behind one row; its cost for
// a row must not grow with their number.
func BenchmarkInsertMany(b *testing.B) {
	for _, e := range engines() {
		for _, rows := range []int{1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/rows=%d", e.name, rows), func(b *testing.B) {
				w := load(b, e.open(b), 1_000)
				for b.Loop() {
					rep := <-w.free
					c := &report.Commit{
						Report:        rep,
						Set:           &tianbao.ChangeSet{Report: rep.ID, Key: w.id().String(), Base: rep.Version, Source: tianbao.SourceImport},
						RequestDigest: "d", Receipt: tianbao.Receipt{ID: w.id(), Report: rep.ID, Version: rep.Version + 1},
					}
					after := tianbao.ID(int64(rep.Owner) << 24)
					for i := range rows {
						row := tianbao.Row{ID: w.id() << 30, Values: storetest.Values(i)}
						c.Puts = append(c.Puts, report.Put{Row: row, New: true, After: after})
						after = row.ID
					}
					if err := w.s.Commit(b.Context(), c); err != nil {
						b.Fatal(err)
					}
					rep.Version++
					w.free <- rep
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
			})
		}
	}
}

// BenchmarkSnapshot opens a sheet of 20 rows among 20,000.
func BenchmarkSnapshot(b *testing.B) {
	for _, e := range engines() {
		b.Run(e.name, func(b *testing.B) {
			w := load(b, e.open(b), 20_000)
			rep := <-w.free
			for b.Loop() {
				if _, rows, err := w.s.Snapshot(b.Context(), tianbao.Scope{Paths: []string{"/"}}, rep.ID); err != nil || len(rows) != benchRows {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
}
