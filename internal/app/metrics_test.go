package app

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"tianbao/internal/db"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
	"tianbao/internal/web"
)

// serving is a server that a test has started in its own process.
type serving struct {
	site, metrics string
	stop          func() int // ends it in order and returns its exit code
}

// serveIn runs serve with figures on a data folder.
func serveIn(t *testing.T, data string, more ...string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan int, 1)
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data", data}, more...)
	go func() {
		code := Run(ctx, args, func(string) string { return "" }, strings.NewReader(""), w, io.Discard)
		_ = w.Close()
		done <- code
	}()
	s := &serving{stop: func() int {
		cancel()
		code := <-done
		done <- code
		return code
	}}
	t.Cleanup(func() { s.stop() })
	sc := bufio.NewScanner(r)
	for s.metrics == "" && sc.Scan() {
		if _, url, ok := strings.Cut(sc.Text(), "填报服务已启动："); ok {
			s.site = url
		}
		_, s.metrics, _ = strings.Cut(sc.Text(), "运行指标：")
	}
	if s.metrics == "" {
		t.Fatal("the server did not start")
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return s
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// full is a data folder in which every table has something, made once.
var full struct {
	once sync.Once
	dir  fs.FS
}

// filled copies a data folder in which every table has something.
func filled(t *testing.T) string {
	t.Helper()
	full.once.Do(func() {
		files := fstest.MapFS{}
		data := fill(t)
		for _, name := range []string{"db/tianbao.db", "keys/ring.json"} {
			b, err := os.ReadFile(filepath.Join(data, filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: b, Mode: 0o600}
		}
		full.dir = files
	})
	if full.dir == nil {
		t.Fatal("the data folder could not be made")
	}
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, full.dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"db/tianbao.db", "keys/ring.json"} {
		if err := os.Chmod(filepath.Join(data, filepath.FromSlash(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func fill(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	log := slog.New(slog.DiscardHandler)
	p := place{data: data, alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	storetest.FillAll(t, in.store)
	// Its cut off erasure is sealed by other keys than this installation's.
	if err := in.db.Tx(t.Context(), func(tx db.Tx) error { _, err := tx.Exec(t.Context(), `DELETE FROM erasure`); return err }); err != nil {
		t.Fatal(err)
	}
	in.close(log)
	return data
}

// The figures are there with their names, labels come from bounded sets, nothing about a
// person or a unit is among them, and they are not on the site itself. Dashboard and
// alerts know no other names.
func TestMetrics(t *testing.T) {
	backups := t.TempDir()
	s := serveIn(t, filled(t), "--backup-dir", backups, "--ship", t.TempDir())
	for _, path := range []string{"/healthz", "/signin", "/nothing", "/reports/12", "/units/1?q=x"} {
		get(t, s.site+path)
	}
	const started = `tianbao_events_total{result="done",what="start"} 1`
	status, text := get(t, s.metrics)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(text, started) && time.Now().Before(end); { // beside the first answers
		status, text = get(t, s.metrics)
	}
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	for _, want := range []string{
		`tianbao_http_requests_total{code="200",route="GET /healthz"} `,
		`tianbao_http_requests_total{code="404",route="/"} 1`,
		`tianbao_http_request_seconds_bucket{route="GET /signin",le="0.1"} `,
		`tianbao_http_in_flight 0`,
		`tianbao_db_commit_seconds_count `, `tianbao_db_group_size_bucket{le="1"} `, `tianbao_db_info{engine="sqlite"} 1`,
		started,
		`tianbao_ready{check="database"} 1`, `tianbao_ready{check="running"} 1`,
		`tianbao_slots_most{kind="reading"} 2`, `tianbao_figures_failed 0`,
		`tianbao_queue_depth{queue="inbox"} `, `tianbao_units{collection="100",standing="`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	if status, _ := get(t, s.site+"/metrics"); status != http.StatusNotFound {
		t.Errorf("the site itself answers /metrics with %d", status)
	}
	if status, _ := get(t, strings.TrimSuffix(s.metrics, "/metrics")+"/signin"); status != http.StatusNotFound {
		t.Errorf("the address of the figures serves the site: %d", status)
	}
	for _, personal := range []string{"第一中学", "市财政局", "填报员", "clerk"} {
		if strings.Contains(text, personal) {
			t.Errorf("the figures name %s", personal)
		}
	}
	if phone := regexp.MustCompile(`\b160\d{8}\b`).FindString(text); phone != "" { // some digits of it may be in any figure
		t.Errorf("the figures name %s", phone)
	}
	label := regexp.MustCompile(`route="([^"]*)"`)
	for _, m := range label.FindAllStringSubmatch(text, -1) {
		if m[1] != "/" && m[1] != "none" && !isRoute(m[1]) {
			t.Errorf("the label route=%q is no pattern", m[1])
		}
	}
	holdDashboards(t, text)
	holdReady(t, s)
	holdHealth(t, s)
	if code := s.stop(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

func holdReady(t *testing.T, s *serving) {
	t.Helper()
	var out struct {
		Ready  bool
		Checks map[string]string
	}
	for _, url := range []string{s.site, strings.TrimSuffix(s.metrics, "/metrics")} {
		status, text := get(t, url+"/readyz")
		if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK || !out.Ready || len(out.Checks) != 5 {
			t.Errorf("%d %s %v", status, text, err)
		}
	}
}

// Each check fails for its own reason and passes again.
func TestReadiness(t *testing.T) {
	dir := t.TempDir()
	p := place{data: filepath.Join(dir, "data"), alg: "sm4-gcm"}
	log := slog.New(slog.DiscardHandler)
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReadiness(t.Context(), in, &p)
	if err != nil {
		t.Fatal(err)
	}
	now, free := time.Date(2022, 9, 23, 9, 0, 0, 0, time.UTC), uint64(1<<30)
	r.now = func() time.Time { return now }
	r.free = func(string) (uint64, uint64, bool) { return free, 1 << 40, true }
	look := func(what, want string) {
		t.Helper()
		now = now.Add(readyFor)
		var bad []string
		for _, c := range r.checks(t.Context()) {
			if c.Trouble != "" {
				bad = append(bad, c.Name+" "+c.Trouble)
			}
		}
		if got := strings.Join(bad, ", "); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	look("all well", "")
	free = leastFree - 1
	look("little room", "disk full")
	free = leastFree
	look("room again", "")
	if err := os.Rename(p.keyFile, p.keyFile+"x"); err != nil {
		t.Fatal(err)
	}
	look("no key file", "keys missing")
	if err := os.Rename(p.keyFile+"x", p.keyFile); err != nil {
		t.Fatal(err)
	}
	newer := func(sql string) {
		t.Helper()
		if err := in.db.Tx(t.Context(), func(tx db.Tx) error { _, err := tx.Exec(t.Context(), sql); return err }); err != nil {
			t.Fatal(err)
		}
	}
	newer(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, TRUE)`)
	look("a newer program came", "")
	now = now.Add(aheadGrace)
	look("and is there for a while", "schema ahead")
	newer(`DELETE FROM goose_db_version WHERE version_id = 9000`)
	look("it is gone", "")
	r.stopping.Store(true)
	if c := r.checks(t.Context())[0]; c != (web.Check{Name: "running", Trouble: "stopping"}) {
		t.Errorf("stopping: %v", c) // at once, whatever was answered a moment ago
	}
	r.stopping.Store(false)
	in.close(log)
	look("no database", "database unavailable, schema unavailable")
}

// A probe changes nothing, and lets a change stand only where the last commit failed.
func TestProbeLeavesNothing(t *testing.T) {
	storetest.Engines(t, func(t *testing.T, s *store.Store) {
		before := s.DB().Stats().Commit
		for range 3 {
			if err := s.Writable(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if after := s.DB().Stats().Commit; after.Sum != before.Sum {
			t.Error("probes are committed")
		}
	})
}
