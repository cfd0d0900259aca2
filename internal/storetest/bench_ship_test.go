package storetest_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tianbao/internal/ship"
	"tianbao/internal/storetest"
)

// cpu is the processor time of this process.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// slice submits n times with some clients and returns what it took of the processor and
// of the clock.
func (w *benchWorld) slice(b *testing.B, clients, n int) (used, took time.Duration) {
	b.Helper()
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	from, start := cpu(b), time.Now()
	for range clients {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				rep, err := w.submit(b, <-w.free)
				w.free <- rep
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return cpu(b) - from, time.Since(start)
}

// BenchmarkShip is what it costs a submit of 20 rows that what is committed is shipped:
// processor time and submits a second in alternating slices with and without, on one
// store. The base copies are outside of the slices. The folder lies on the same disk.
func BenchmarkShip(b *testing.B) {
	const slice = 400
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			w := load(b, onDisk(b), 20_000)
			var used, took [2]time.Duration
			var bytes, files, bases uint64
			n := 0
			for b.Loop() {
				n += slice
				u, d := w.slice(b, clients, slice)
				used[0], took[0] = used[0]+u, took[0]+d

				s, err := ship.New(ship.Options{
					DB: w.s.DB(), Dir: b.TempDir(), Seal: storetest.Ring(b), Keep: time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					b.Fatal(err)
				}
				ctx, cancel := context.WithCancel(b.Context())
				var run sync.WaitGroup
				run.Go(func() { s.Run(ctx) })
				for s.Status().Base.IsZero() {
					time.Sleep(time.Millisecond)
				}
				before := s.Status()
				bases += before.Bytes
				from := cpu(b)
				_, d = w.slice(b, clients, slice)
				cancel() // the last of it is shipped, and counts
				run.Wait()
				used[1], took[1] = used[1]+cpu(b)-from, took[1]+d
				after := s.Status()
				bytes, files = bytes+after.Bytes-before.Bytes, files+after.Files-before.Files
			}
			per := func(i int) float64 { return float64(used[i].Microseconds()) / float64(n) }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(per(0), "cpu-µs/submit-without")
			b.ReportMetric(per(1), "cpu-µs/submit-with")
			b.ReportMetric(per(1)/per(0), "cpu-ratio")
			b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "rate-ratio")
			b.ReportMetric(float64(bytes)/float64(n), "B/submit")
			b.ReportMetric(float64(files), "files")
			var pages, size int64
			if err := w.s.DB().One(b.Context(), []any{&pages}, "PRAGMA page_count"); err != nil {
				b.Fatal(err)
			}
			if err := w.s.DB().One(b.Context(), []any{&size}, "PRAGMA page_size"); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(bases)/float64(b.N)/float64(pages*size), "base-ratio")
		})
	}
}
