package storetest_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

const (
	crashFile    = "TIANBAO_TEST_CRASH_FILE"
	crashEnd     = "TIANBAO_TEST_CRASH_END"   // after how many commits it ends by itself, as if killed; with GO_ON not before a failure
	crashGoOn    = "TIANBAO_TEST_CRASH_GO_ON" // it goes on after so many failures, and says so
	crashWriters = 4
	crashRows    = 3 // of each change set
	crashCommits = 200
)

// TestCrashWriter is the process that is killed: writers that commit without end,
// each to its own report, and print what was acknowledged.
func TestCrashWriter(t *testing.T) {
	path := os.Getenv(crashFile)
	if path == "" {
		t.Skip("runs as the child of TestKilledWriter")
	}
	s := storetest.Open(t, path)
	end, _ := strconv.Atoi(os.Getenv(crashEnd))
	bear, _ := strconv.Atoi(os.Getenv(crashGoOn))
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		made   int
		failed int
	)
	failure := func(err error) (enough bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed++; failed <= bear {
			fmt.Println("failed", err)
			return false
		}
		if bear > 0 {
			os.Exit(0)
		}
		t.Error(err)
		return true
	}
	go func() { // rounds of keys are cut off too
		for {
			_ = s.BringKeys(t.Context())
			time.Sleep(time.Millisecond)
		}
	}()
	for n := range crashWriters {
		wg.Go(func() {
			unit := tianbao.ID(n + 1)
			for {
				rep, err := s.OpenReport(t.Context(), tianbao.Scope{Paths: []string{"/"}}, 100, unit)
				if err != nil {
					if failure(err) {
						return
					}
					continue
				}
				c := crashCommit(rep)
				if err := s.Commit(t.Context(), c); err != nil {
					if failure(err) {
						return
					}
					continue
				}
				mu.Lock()
				fmt.Printf("ack %d %s\n", unit, c.Set.Key)
				made++
				// A writer that is to meet failures does not end before it has met one: strace
				// counts the calls of each thread, and the commits go to whichever is free.
				if made >= end && end > 0 && (bear == 0 || failed > 0 || made >= 30*end) {
					os.Exit(0)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// crashCommit adds some rows, under a key made of the version.
func crashCommit(rep tianbao.Report) *report.Commit {
	key := fmt.Sprintf("k%d", rep.Version+1)
	c := &report.Commit{
		Report:        rep,
		Set:           &tianbao.ChangeSet{Report: rep.ID, Key: key, Base: rep.Version, Source: tianbao.SourceAPI, At: time.UnixMilli(1663891200000)},
		RequestDigest: key,
	}
	first := tianbao.ID(int64(rep.Owner)<<40 | (rep.Version+1)<<8)
	for i := range crashRows {
		row := tianbao.Row{ID: first + tianbao.ID(i), Values: storetest.Values(int(rep.Version))}
		c.Puts = append(c.Puts, report.Put{Row: row, New: true, After: tianbao.AtEnd})
		c.Recorded = append(c.Recorded, tianbao.Recorded{Op: tianbao.OpInsert, Row: row.ID})
		c.Report.Rows++
	}
	c.Receipt = tianbao.Receipt{ID: first, Report: rep.ID, Kind: "save", Version: rep.Version + 1, Rows: c.Report.Rows}
	return c
}

// TestKilledWriter kills a writing process with SIGKILL, again and again on the same
// file, until 200 commits were acknowledged: each of them is there, whole, once.
// (A killed process loses nothing that it handed to the kernel; what a power loss
// takes is tried by TestPowerLoss.)
func TestKilledWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "tianbao.db")
	prepareWriters(t, path)
	acked := make(map[string]bool)
	kills := 0
	for ; len(acked) < crashCommits || kills < 5; kills++ {
		killWriter(t, path, 20+rand.IntN(60), acked)
		checkAcked(t, path, acked)
		if t.Failed() {
			t.Fatalf("after %d kills and %d commits", kills+1, len(acked))
		}
	}
	t.Logf("%d commits survived %d kills", len(acked), kills)
}

// killWriter runs the writer, kills it after some acknowledgements, and adds all it
// made to acked.
func killWriter(t *testing.T, path string, after int, acked map[string]bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashWriter$", "-test.v")
	cmd.Env = append(os.Environ(), crashFile+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line, ok := strings.CutPrefix(lines.Text(), "ack ")
		if !ok {
			continue
		}
		acked[line] = true
		if n++; n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	err = cmd.Wait()
	if n < after {
		t.Fatalf("the writer ended by itself after %d commits: %v", n, err)
	}
}

func checkAcked(t *testing.T, path string, acked map[string]bool) {
	t.Helper()
	s := storetest.Open(t, path)
	ctx := t.Context()
	defer func() {
		if err := s.DB().Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	var verdict string
	if err := s.DB().One(ctx, []any{&verdict}, `PRAGMA integrity_check`); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s %v", verdict, err)
	}
	checkWhole(t, s, acked)
}

// checkWhole holds what the writers of [TestCrashWriter] left: what was acknowledged is
// there, and every change set is there whole and once.
func checkWhole(t *testing.T, s *store.Store, acked map[string]bool) {
	t.Helper()
	ctx := t.Context()
	everything := tianbao.Scope{Paths: []string{"/"}}
	reports := make(map[tianbao.ID]tianbao.Report)
	for n := range crashWriters {
		unit := tianbao.ID(n + 1)
		rep, err := s.OpenReport(ctx, everything, 100, unit)
		if err != nil {
			t.Fatal(err)
		}
		reports[unit] = rep
		_, rows, err := s.Snapshot(ctx, everything, rep.ID)
		if err != nil {
			t.Fatal(err)
		}
		sets, err := s.Since(ctx, rep.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		// Whole and once: as many change sets as versions, as many rows as they put.
		if int64(len(sets)) != rep.Version || len(rows) != crashRows*len(sets) || rep.Rows != len(rows) {
			t.Errorf("report of unit %d: version %d, %d change sets, %d rows, %d counted", unit, rep.Version, len(sets), len(rows), rep.Rows)
		}
	}
	for line := range acked {
		var (
			unit tianbao.ID
			key  string
		)
		if _, err := fmt.Sscanf(line, "%d %s", &unit, &key); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		o, ok, err := s.Outcome(ctx, reports[unit].ID, key)
		if err != nil || !ok || o.Receipt.Rows != crashRows*int(o.Receipt.Version) {
			t.Errorf("acknowledged %s of unit %d is lost: %v", key, unit, err)
		}
	}
	var sets, keys int64
	err := s.DB().One(ctx, []any{&sets, &keys}, `SELECT COUNT(*), COUNT(DISTINCT CAST(report_id AS TEXT) || idem_key) FROM change_set`)
	if err != nil || sets != keys {
		t.Errorf("%d change sets under %d keys: %v", sets, keys, err)
	}
	// Each row is found by its id and its phone, and nothing else is.
	if err := s.BringKeys(ctx); err != nil {
		t.Fatal(err)
	}
	var rows, found, log int64
	err = s.DB().One(ctx, []any{&rows, &found, &log}, `SELECT (SELECT COUNT(*) FROM report_row),
 (SELECT COUNT(*) FROM row_key k JOIN report_row w ON w.report_id = k.report_id AND w.row_id = k.row_id), (SELECT COUNT(*) FROM row_key_log)`)
	if err != nil || found != 2*rows || log != 0 {
		t.Errorf("%d rows under %d keys, %d lines of the log are left: %v", rows, found, log, err)
	}
}
