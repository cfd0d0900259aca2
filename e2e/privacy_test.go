package e2e

import (
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// round is how many people a round of TestNothingPersonalOnDisk has: `make pii` asks for
// a province's hundred thousand.
func round() int {
	if os.Getenv("TIANBAO_TEST_LONG") != "" {
		return 100_000
	}
	return 2_000
}

// SEC-20, SEC-29, SEC-53: a round of people comes in by saves, imports, previews and
// refused 上报, the server is killed with -9 amid saves and amid imports, a browser is
// killed over unsubmitted changes; then no id and no phone, of the round or of anybody,
// stands in clear in any byte of the data folder, the database, its journals, PostgreSQL's
// own folder, temporary files, the log, the browser's profile, and what is exported of the
// store.
func TestNothingPersonalOnDisk(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		n := round()
		tmp, out, profile := t.TempDir(), t.TempDir(), t.TempDir()
		world(t, db) // the world that others copy is made elsewhere
		t.Setenv("TMPDIR", tmp)
		s := startDemo(t, db)
		c := s.client(t, "city")
		p := newScanner(n)
		var log []byte // of the servers that were killed
		again := func() {
			s.kill()
			log = append(log, s.log.Bytes()...)
			s.start(t)
			c.base = s.url
		}
		reports := c.openSome(5)
		share := n / len(reports)
		first := reports[0]

		// Saves, one of them cut off and sent again.
		version := int64(0)
		for from := 0; from < share; from += 5_000 {
			body := map[string]any{"key": newKey(), "base": version, "changes": inserts(from, min(from+5_000, share))}
			if from == 0 {
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, _, _ = c.try("POST", "/reports/"+first.ID+"/changes", "application/json", jsonBody(body)) // nobody waits for it
				}()
				time.Sleep(time.Duration(rand.IntN(share/10+20)) * time.Millisecond)
				s.kill()
				log = append(log, s.log.Bytes()...)
				<-done
				p.dir(t, "data after a kill amid a save", s.data)
				s.start(t)
				c.base = s.url
			}
			var saved savedJSON
			c.must("POST", "/reports/"+first.ID+"/changes", body, &saved)
			version = saved.Receipt.Version
		}
		// Imports, each cut off once.
		for i, rep := range reports[1:4] {
			book := bookOf(t, (i+1)*share, (i+2)*share)
			if _, status := c.startImport(rep.ID, book); status != http.StatusAccepted {
				t.Fatalf("import %d: %d", i, status)
			}
			time.Sleep(time.Duration(rand.IntN(share/10+20)) * time.Millisecond)
			again()
			p.dir(t, "data after a kill amid an import", s.data)
			p.dir(t, "temporary files after a kill amid an import", tmp)
			switch rows := c.sheetHead(rep.ID); rows {
			case share: // it was faster
			case 0:
				j, _ := c.startImport(rep.ID, book)
				if end, _ := c.follow(rep.ID, j.ID); end.State != "done" {
					t.Fatalf("import %d, again: %+v", i, end)
				}
			default:
				t.Fatalf("import %d was cut off and left %d rows", i, rows)
			}
		}
		// A preview that nobody saves, faults that 上报 and check name, requests that fail.
		last := reports[4]
		book := bookOf(t, 4*share, n)
		if res, b := c.upload("/reports/"+last.ID+"/imports", "名册 "+person(4 * share)["person_id"]+".xlsx", book, nil); res.StatusCode != http.StatusOK {
			t.Fatalf("preview: %d %.200s", res.StatusCode, b)
		}
		var faulty []change
		for _, ch := range inserts(4*share, min(4*share+500, n)) {
			ch["cells"].(map[string]string)["phone"] += "0"
			faulty = append(faulty, ch)
		}
		c.save(last.ID, last.Version, faulty)
		c.call("POST", "/reports/"+last.ID+"/submission", map[string]string{"key": newKey()}, nil)
		c.call("POST", "/reports/"+last.ID+"/check", map[string]any{"base": 1}, nil)
		c.call("POST", "/reports/"+last.ID+"/changes", map[string]any{"key": "k", "base": 99, "changes": inserts(0, 1)}, nil)
		c.call("GET", "/reports/"+person(1)["person_id"], nil, nil)
		c.call("POST", "/units/search", map[string]string{"q": person(1)["phone"]}, nil)
		if db == "" {
			s.leaveInBrowser(t, profile, last.ID)
		}
		for file, args := range map[string][]string{"trail.jsonl": {"audit", "export", "-o"}, "archive.jsonl": {"audit", "archive", "-o"}} {
			if b, err := s.tool(t, "", append(args, filepath.Join(out, file))...); err != nil && file == "trail.jsonl" {
				t.Fatalf("%v: %v %s", args, err, b)
			}
		}

		look := func(when string) {
			t.Helper()
			p.dir(t, when+", data", s.data)
			p.dir(t, when+", temporary files", tmp)
			p.dir(t, when+", exports", out)
			p.only = true // Chromium keeps numbers of its own
			p.dir(t, when+", profile", profile)
			p.only = false
			p.bytes(t, when+", log", append(log, s.log.Bytes()...))
			if db != "" {
				p.postgres(t, when, db)
			}
		}
		look("while running")
		s.kill()
		look("after kill -9")
		s.start(t)
		c.base = s.url
		var head sheetJSON
		c.must("GET", "/reports/"+first.ID+"?rows=auto", nil, &head)
		if head.Report.Rows != share || head.Rows[0].Values[6] != person(0)["person_id"] {
			t.Errorf("%d rows of %d come back, or not in clear to their filler", head.Report.Rows, share)
		}
		t.Logf("%d people: %d files of %d MB were looked at, %d ids and phones found", n, p.files, p.total>>20, p.hits)
		if p.files < 4 || p.total < 1_000_000 {
			t.Errorf("only %d files of %d bytes were looked at", p.files, p.total)
		}
		info, err := os.Stat(filepath.Join(s.data, "keys", "ring.json"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("key file: %v %v, want mode 0600", err, info.Mode())
		}
		if m, _ := filepath.Glob(filepath.Join(s.data, "db", "*.json")); len(m) > 0 {
			t.Error("the keys lie beside the database")
		}
	})
}

// openSome opens reports of units below the client that nobody has begun.
func (c *client) openSome(n int) []reportJSON {
	c.t.Helper()
	var list struct{ Reports []reportJSON }
	c.must("GET", "/reports?campaign="+campaign+"&q=黑山县", nil, &list)
	if len(list.Reports) < n {
		c.t.Fatalf("only %d units", len(list.Reports))
	}
	out := make([]reportJSON, n)
	for i := range out {
		out[i] = c.open(list.Reports[i].Owner)
	}
	return out
}

// sheetHead returns how many rows a report has.
func (c *client) sheetHead(report string) int {
	c.t.Helper()
	var head sheetJSON
	c.must("GET", "/reports/"+report+"?rows=none", nil, &head)
	return head.Report.Rows
}

// leaveInBrowser lets a browser die over a sheet with changes that were not submitted.
func (s *server) leaveInBrowser(t *testing.T, dir, report string) {
	t.Helper()
	b := browser.StartProfile(t, dir)
	c := s.openAs(t, b.Browser, "city", report)
	c.put(1, "G", person(1)["person_id"])
	c.put(1, "H", person(1)["phone"])
	c.kept("本机")
	b.Kill(t)
	c.killed = true
}

// postgres scans the server's own folder.
func (p *scanner) postgres(t *testing.T, when, db string) {
	t.Helper()
	conn := connect(t, db)
	var dir string
	if err := conn.QueryRow(t.Context(), "SHOW data_directory").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadDir(dir); err != nil {
		t.Logf("PostgreSQL's folder is not ours to read: %v", err)
	} else {
		p.dir(t, when+", PostgreSQL", dir)
	}
}

// dir scans every file of a folder.
func (p *scanner) dir(t *testing.T, what, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what runs moves its files about
		}
		if b, err := os.ReadFile(path); err == nil {
			p.bytes(t, what+" "+filepath.Base(path), b)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The scanner finds what it is for, in each way in which it can lie there.
func TestScannerFinds(t *testing.T) {
	id, phone, other := person(3)["person_id"], person(3)["phone"], person(500)["person_id"]
	wide := func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") + "\x00" }
	for what, tt := range map[string]struct {
		text string
		want int
	}{
		"an id":                  {"x" + id + "y", 1},
		"a phone":                {phone, 1},
		"in UTF-16":              {"ab" + wide(id) + "\x01" + wide(phone), 2},
		"within a longer run":    {"00" + id + "00", 1},
		"of somebody else":       {"(" + other + ")", 1},
		"a phone of another":     {"+86-13800000000 ", 1},
		"a number of eighteen":   {"913634537968824320", 0},
		"a time in milliseconds": {"1764127451000", 0},
		"a digest":               {"a13800000000b5 13800000000fc04e 00d13800000000", 0},
		"a wrong check digit":    {other[:17] + "?", 0},
		"random bytes":           {string(randomBytes(1 << 20)), 0},
		"cut in SQLite":          {sqlitePage + "\x00\x00\x00\x0913800000000 ", 0},
		"cut in its log":         {sqliteLog + "\x00\x00\x00\x0913800000000 ", 0},
		"cut in PostgreSQL's":    {postgresLog + "13800000000 ", 0},
		"whole in SQLite":        {sqlitePage + "\x00\x00\x00\x09 13800000000 ", 1},
		"whole in its log":       {sqliteLog + "\x00\x00\x00\x09 13800000000 ", 1},
		"whole in PostgreSQL's":  {postgresLog + " 13800000000 ", 1},
	} {
		p := newScanner(10)
		p.quiet = true
		p.bytes(t, what, []byte(tt.text))
		if p.hits != tt.want {
			t.Errorf("%s: %d found, want %d", what, p.hits, tt.want)
		}
	}
}

// The first page of each engine's files, and what stands before the second one.
var (
	sqlitePage  = "SQLite format 3\x00\x10\x00" + strings.Repeat("\x00", 4096-18)
	sqliteLog   = "\x37\x7f\x06\x82\x00\x2d\xe2\x18\x00\x00\x10\x00" + strings.Repeat("\x00", 32-12+24+4096+24)
	postgresLog = "\x10\xd1" + strings.Repeat("\x00", 8192-2+24)
)

func randomBytes(n int) []byte {
	r := rand.NewChaCha8([32]byte{7})
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}
