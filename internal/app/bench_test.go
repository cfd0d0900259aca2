package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tianbao/internal/audit"
	"tianbao/internal/clock"
	"tianbao/internal/load"
	"tianbao/internal/seal"
	"tianbao/internal/web"
)

// beneath is a small province on disk with the site above it, in this process.
func beneath(t testing.TB, p *load.Province) (*installation, load.Server) {
	t.Helper()
	dir, err := os.MkdirTemp(".", "bench-*.tmp") // on the disk: the temporary folder may be memory
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	at, log := place{data: dir, alg: seal.SM4.String()}, slog.New(slog.DiscardHandler)
	in, err := at.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.close(log) })
	if err := in.ensurePurpose(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	p.Password = "Load-2022-tianbao"
	if err := p.Make(t.Context(), load.World{Store: in.store, Auth: in.auth, Reports: in.reports, Form: in.forms.Latest("asset-role"), Now: clock.System}); err != nil {
		t.Fatal(err)
	}
	o := serveOptions{reveals: 30}
	o.header, o.read, o.write = time.Second, time.Minute, time.Minute
	o.limits = "signin=1000000,search=1000000,import=1000000"
	cfg, err := in.config(slog.New(slog.NewTextHandler(io.Discard, nil)), &o)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(srv.Handler())
	t.Cleanup(func() {
		srv.Close()
		ts.Close()
	})
	return in, load.Server{Addr: strings.TrimPrefix(ts.URL, "http://")}
}

// gathered is beneath with its people signed in.
func gathered(tb testing.TB, p *load.Province) (*installation, *load.Crowd) {
	tb.Helper()
	in, s := beneath(tb, p)
	crowd, err := p.Gather(tb.Context(), s, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(crowd.Close)
	return in, crowd
}

// BenchmarkSubmitHTTP is a submit of ten new rows through the whole site, with the clerks'
// own work in the same process.
func BenchmarkSubmitHTTP(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			_, crowd := gathered(b, &load.Province{Seed: 1, Units: 2000, Accounts: 20, Bureaus: 1, Rows: 10_000, PerUnit: 25, Old: 2000})
			subs, err := crowd.Submitters(b.Context(), clients, 1000, 10)
			if err != nil {
				b.Fatal(err)
			}
			defer subs.Close()
			var next, left atomic.Int64
			left.Store(int64(b.N))
			before := load.UsageOf(os.Getpid()).CPU
			b.ResetTimer()
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for i := int(next.Add(1)) - 1; left.Add(-1) >= 0; {
						if err := subs.Submit(context.Background(), i); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64((load.UsageOf(os.Getpid()).CPU-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkViewHTTP is a unit's 25 rows read through the whole site, with the clerk's own
// work in the same process: again, as most of them are. What a session reads first is also
// recorded, with an fsync.
func BenchmarkViewHTTP(b *testing.B) {
	const sheets = 200
	p := &load.Province{Seed: 1, Units: 2 * sheets, Accounts: 4, Bureaus: 1, Rows: 10, PerUnit: 10, Old: 2000}
	_, crowd := gathered(b, p)
	subs, err := crowd.Readers(b.Context(), 1, sheets, 25)
	if err != nil {
		b.Fatal(err)
	}
	defer subs.Close()
	for range sheets {
		if err := subs.View(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	}
	before := load.UsageOf(os.Getpid()).CPU
	for b.Loop() {
		if err := subs.View(context.Background(), 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((load.UsageOf(os.Getpid()).CPU-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// What a session reads is on the trail before it has it, once for a while and a version.
func TestReadsOnTheTrail(t *testing.T) {
	p := &load.Province{Seed: 1, Units: 4, Accounts: 1, Bureaus: 1, Rows: 1, PerUnit: 1, Old: 1}
	in, crowd := gathered(t, p)
	subs, err := crowd.Readers(t.Context(), 1, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer subs.Close()
	for _, step := range []struct {
		name string
		do   func(context.Context, int) error
		want int
	}{
		{"first", subs.View, 1}, {"again", subs.View, 1}, {"once more", subs.View, 1}, {"somebody saves", subs.Submit, 1}, {"the new version", subs.View, 2},
	} {
		if err := step.do(t.Context(), 0); err != nil {
			t.Fatal(step.name, err)
		}
		lines, err := in.store.Trail(t.Context(), audit.Query{What: "report.read", Limit: 10})
		if err != nil || len(lines) != step.want {
			t.Fatalf("%s: %d readings on the trail, want %d (%v)", step.name, len(lines), step.want, err)
		}
	}
}

// A short evening: everybody who comes gets through, and every kind of request is among
// what they ask.
func TestEvening(t *testing.T) {
	p := &load.Province{Seed: 1, Units: 150, Accounts: 2, Bureaus: 1, Rows: 20, PerUnit: 10, Old: 20}
	in, crowd := gathered(t, p)
	acts := crowd.Evening(t.Context(), load.Night{
		Visits: 30, Length: 300 * time.Millisecond, Shape: load.Evening, Think: 5 * time.Millisecond, Imports: .2,
		Look: 200 * time.Millisecond, Book: load.BookOf(in.forms.Latest("asset-role")),
	})
	if err := acts.FirstFailure.Load(); err != nil {
		t.Fatal(*err)
	}
	for _, l := range acts.Lines(time.Second) {
		if l.Count == 0 {
			t.Errorf("nobody asked for %s", l.Name)
		}
	}
	if saved := acts.Submit.Hist.Count() + acts.Import.Hist.Count(); saved != 30 || acts.Report.Hist.Count() != 30 {
		t.Errorf("%d submits, %d reported", saved, acts.Report.Hist.Count())
	}
}
