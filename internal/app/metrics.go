package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/metrics"
	"tianbao/internal/store"
	"tianbao/internal/web"
)

// figuresFor is how long the database's figures hold: however often it is asked, it is
// counted no oftener.
const figuresFor = 15 * time.Second

// gauges are what /metrics gathers of an installation.
type gauges struct {
	in      *installation
	ready   *readiness
	load    func() web.Load
	backups string // the folder of the daily ones, "" for none
	ship    *shipping
	data    string
	now     clock.Clock

	mu      sync.Mutex
	at      time.Time
	figures *store.Figures
	err     error
}

// gather tells all figures of now.
func (g *gauges) gather(s *metrics.Sink) {
	s.Gauge("tianbao_build_info", "1, with the version of the program.", 1, "version", Version)
	g.engine(s)
	g.saturation(s)
	g.readiness(s)
	for _, e := range g.in.store.Events() {
		s.Counter("tianbao_events_total", "Records that this process put on the audit trail, by kind and result.", float64(e.N), "what", e.What, "result", string(e.Result))
	}
	g.safety(s)
	g.clock(s)
	g.business(s)
}

// clock tells what happened to the machine's clock since the start.
func (g *gauges) clock(s *metrics.Sink) {
	j, doubted := g.in.clockWatch.Jumps(), 0.0
	if g.in.clockWatch.Doubted() {
		doubted = 1
	}
	s.Counter("tianbao_clock_jumps_total", "How often the clock was set by more than a second, or the machine stood still.", float64(j.N))
	s.Gauge("tianbao_clock_jumped_seconds", "How far it was set altogether; negative: back.", j.Net.Seconds())
	s.Gauge("tianbao_clock_doubted", "1 while nothing is erased, disabled or deleted because its time is over, for the clock was set far forward.", doubted)
}

func (g *gauges) engine(s *metrics.Sink) {
	d := g.in.db.Stats()
	s.Gauge("tianbao_db_info", "1, with the engine.", 1, "engine", g.in.db.Kind().String())
	s.Gauge("tianbao_db_changes_waiting", "Changes that wait to be committed; on PostgreSQL also those that run.", float64(d.Waiting))
	s.Gauge("tianbao_db_changes_most", "How many may wait before others are refused.", float64(d.Queue))
	s.Counter("tianbao_db_refused_total", "Changes refused because too many waited.", float64(d.Refused))
	s.Counter("tianbao_db_retried_total", "Transactions that PostgreSQL asked for again.", float64(d.Retried))
	s.Counter("tianbao_db_commit_failed_total", "Commits that failed.", float64(d.Failed))
	away := 0.0
	if d.Away {
		away = 1
	}
	s.Gauge("tianbao_db_away", "1 while the PostgreSQL server is not heard of.", away)
	s.Counter("tianbao_db_cuts_total", "How often it was not heard of any more, so that all its connections were closed.", float64(d.Cuts))
	s.Counter("tianbao_db_unsure_total", "Commits whose answer was lost with the connection, told as neither success nor failure.", float64(d.Unsure))
	s.Histogram("tianbao_db_group_size", "Changes committed together.", d.Groups.Bounds, d.Groups.Counts, d.Groups.Sum)
	s.Histogram("tianbao_db_commit_seconds", "Time to make a commit durable: on SQLite the fsync of a group, on PostgreSQL the whole transaction.", d.Commit.Bounds, d.Commit.Counts, d.Commit.Sum)
	s.Gauge("tianbao_db_connections_busy", "Connections in use; on SQLite those that read.", float64(d.Busy))
	s.Gauge("tianbao_db_connections_open", "Connections that there are.", float64(d.Open))
	s.Gauge("tianbao_db_connections_most", "Connections that there may be.", float64(d.Most))
	s.Counter("tianbao_db_connection_waits_total", "How often somebody had to wait for a connection, on PostgreSQL.", float64(d.Waits))
	s.Gauge("tianbao_db_wal_bytes", "Size of SQLite's write-ahead log.", float64(d.WAL))
}

func (g *gauges) saturation(s *metrics.Sink) {
	l := g.load()
	for _, x := range []struct {
		kind      string
		used, all int
	}{
		{"streams", l.Streams, l.StreamsMost},
		{"reading", l.Reading, l.ReadingMost},
		{"leaving", l.Leaving, l.LeavingMost},
		{"imports", l.Imports, l.ImportsMost},
		{"requests", l.Requests, l.RequestsMost},
	} {
		s.Gauge("tianbao_slots_busy", "What is bounded and in use: open event streams, workbooks being read, city views going out, background imports, requests.", float64(x.used), "kind", x.kind)
		s.Gauge("tianbao_slots_most", "How many of it there may be.", float64(x.all), "kind", x.kind)
	}
}

func (g *gauges) readiness(s *metrics.Sink) {
	for _, c := range g.ready.checks(context.Background()) {
		ok := 1.0
		if c.Trouble != "" {
			ok = 0
		}
		s.Gauge("tianbao_ready", "1 where the check of /readyz passes.", ok, "check", c.Name)
	}
}

// safety is what protects from loss: room on the disks, backups.
func (g *gauges) safety(s *metrics.Sink) {
	disks := map[string]string{"data": g.data}
	if g.backups != "" {
		disks["backup"] = g.backups
		newest, size := newestBackup(g.backups)
		s.Gauge("tianbao_backup_last_timestamp_seconds", "When the newest daily backup was finished, 0: there is none.", seconds(newest))
		s.Gauge("tianbao_backup_last_bytes", "Its size.", float64(size))
		s.Counter("tianbao_backup_failed_total", "Daily backups that this process could not make.", float64(g.in.backupsFailed.Load()))
	}
	g.ship.gather(s)
	if g.ship.dir != "" {
		disks["ship"] = g.ship.dir
	}
	for of, path := range disks {
		if free, all, known := freeOn(path); known {
			s.Gauge("tianbao_disk_free_bytes", "Room left on the disk.", float64(free), "of", of)
			s.Gauge("tianbao_disk_bytes", "Size of the disk.", float64(all), "of", of)
		}
	}
}

// business is what the office does. Collections are few, and the oldest open ones are
// left out where they are not.
func (g *gauges) business(s *metrics.Sink) {
	f, err := g.counted()
	failed := 0.0
	if err != nil {
		failed = 1
	}
	s.Gauge("tianbao_figures_failed", "1 where the figures below could not be counted in the database.", failed)
	if f == nil {
		return
	}
	now := g.now()
	for _, q := range f.Queues {
		age := 0.0
		if !q.Oldest.IsZero() {
			age = max(0, now.Sub(q.Oldest).Seconds())
		}
		s.Gauge("tianbao_queue_depth", "What waits to be done by the program: reminders by channel, answers to mails, mails to be judged, plans of accounts, imports put aside.", float64(q.Depth), "queue", q.Name)
		s.Gauge("tianbao_queue_oldest_seconds", "For how long the oldest of it has waited.", age, "queue", q.Name)
	}
	for _, c := range f.Standings {
		labels := []string{"collection", c.Campaign.String(), "standing", cmp.Or(string(c.Standing), "none")}
		s.Gauge("tianbao_units", "Units of an open collection that have begun, by where they stand.", float64(c.Units), labels...)
		s.Gauge("tianbao_rows", "Their rows.", float64(c.Rows), labels...)
		s.Gauge("tianbao_rows_faulty", "Their rows with errors.", float64(c.Faulty), labels...)
	}
	s.Gauge("tianbao_officer_waiting", "What waits for an officer.", float64(f.Questions), "what", "question")
	s.Gauge("tianbao_officer_waiting", "What waits for an officer.", float64(f.Mails), "what", "mail")
}

// counted counts in the database, not too often. An answer that is old is better than none.
func (g *gauges) counted() (*store.Figures, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.now(); g.at.IsZero() || now.Sub(g.at) >= figuresFor || now.Before(g.at) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		f, err := g.in.store.Figures(ctx)
		if g.at, g.err = now, err; err == nil {
			g.figures = f
		}
	}
	return g.figures, g.err
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}

// newestBackup is when the newest daily backup of a folder was finished, and its size.
func newestBackup(dir string) (at time.Time, size int64) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return at, 0
	}
	for _, f := range all {
		if _, err := time.ParseInLocation(nightlyName, f.Name(), clock.Shanghai); err != nil || !f.Type().IsRegular() {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, f.Name())); err == nil && info.ModTime().After(at) {
			at, size = info.ModTime(), info.Size()
		}
	}
	return at, size
}

// telling serves figures at an address of its own.
type telling struct {
	addr string
	ln   net.Listener
	reg  *metrics.Registry
}

// listen takes the address, before anything is made, like the server's own.
func (m *telling) listen(ctx context.Context, log *slog.Logger) error {
	if m.addr == "" {
		return nil
	}
	var lc net.ListenConfig
	var err error
	if m.ln, err = lc.Listen(ctx, "tcp", m.addr); err != nil {
		return fmt.Errorf("不能监听 %s，请检查端口是否已被占用，或用 --metrics 换一个地址：%w", m.addr, err)
	}
	if a, ok := m.ln.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		log.Warn("figures are told to whoever reaches this address; let only the monitoring reach it", "addr", m.ln.Addr().String())
	}
	m.reg = metrics.New()
	return nil
}

// serve answers until the function it returns is called. Besides the figures it has the
// two questions about health, for who must not reach the site itself.
func (m *telling) serve(site http.Handler, log *slog.Logger) (end func()) {
	if m.ln == nil {
		return func() {}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.reg.Handler())
	mux.Handle("GET /healthz", site)
	mux.Handle("GET /readyz", site)
	hs := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	wait := start(func() {
		if err := hs.Serve(m.ln); err != nil && err != http.ErrServerClosed {
			log.Error("figures are not told any more", "err", err)
		}
	})
	return func() {
		_ = hs.Close() // the process ends
		wait()
	}
}
