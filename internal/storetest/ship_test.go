package storetest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	"tianbao/internal/backup"
	"tianbao/internal/db"
	"tianbao/internal/ship"
	"tianbao/internal/storetest"
)

const (
	shipFile = "TIANBAO_TEST_SHIP_FILE"
	shipDir  = "TIANBAO_TEST_SHIP_DIR"
	shipEnd  = "TIANBAO_TEST_SHIP_END" // after how many moments it ends in order
)

// TestShipWriter is the process that is killed: writers that commit without end while what
// they commit is shipped, and now and then a moment with the digest of all tables, which
// it prints. Only at that instant nobody writes.
func TestShipWriter(t *testing.T) {
	path := os.Getenv(shipFile)
	if path == "" {
		t.Skip("runs as the child of TestRestoreToMoments")
	}
	s := storetest.Open(t, path)
	shipper, err := ship.New(ship.Options{
		DB: s.DB(), Dir: os.Getenv(shipDir), Seal: storetest.Ring(t), Keep: time.Hour, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})),
		// The log begins anew all the time.
		Follow: db.FollowOptions{Turn: 256 << 10},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg, shipping sync.WaitGroup
	shipping.Go(func() { shipper.Run(ctx) })
	var gate sync.RWMutex
	ended := make(chan struct{})
	pause := 4 * time.Millisecond
	if os.Getenv("TIANBAO_TEST_LONG") == "1" {
		pause = 0
	}
	for n := range crashWriters {
		wg.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				gate.RLock()
				rep, err := s.OpenReport(t.Context(), tianbao.Scope{Paths: []string{"/"}}, 100, tianbao.ID(n+1))
				if err == nil {
					err = s.Commit(t.Context(), crashCommit(rep))
				}
				gate.RUnlock()
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(pause) // who is not in a hurry leaves the processor to others
			}
		})
	}
	end, err := strconv.Atoi(os.Getenv(shipEnd))
	if err != nil {
		end = -1
	}
	for i := 0; i != end; i++ {
		time.Sleep(time.Duration(20+rand.IntN(100)) * time.Millisecond)
		gate.Lock()
		at := time.Now()
		sum, err := backup.Sum(t.Context(), s.DB())
		gate.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("moment", at.UnixMicro(), sum.Digest, shipper.Status().Base.UnixMicro())
	}
	close(ended)
	wg.Wait()
	cancel()
	shipping.Wait()
}

// shipped is a moment with its digest.
type shipped struct {
	at     time.Time
	digest string
}

// shipSome runs the writer and returns its moments that a base came before. It is killed
// after some, or ends in order.
func shipSome(t *testing.T, path, dir string, moments int, kill bool, meanwhile func()) (list []shipped) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestShipWriter$", "-test.v")
	cmd.Env = append(os.Environ(), shipFile+"="+path, shipDir+"="+dir)
	if !kill {
		cmd.Env = append(cmd.Env, shipEnd+"="+strconv.Itoa(moments))
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var tail []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var us, base int64
		var digest string
		if _, err := fmt.Sscanf(lines.Text(), "moment %d %s %d", &us, &digest, &base); err != nil {
			tail = append(tail, lines.Text())
			continue
		}
		if base > 0 && base <= us {
			list = append(list, shipped{time.UnixMicro(us), digest})
			if len(list) == 2 && meanwhile != nil {
				meanwhile()
			}
		}
		if kill && len(list) == moments {
			_ = cmd.Process.Kill() // it may have ended; Wait tells
		}
	}
	if err := cmd.Wait(); err != nil && !kill {
		t.Fatalf("%v: %s", err, strings.Join(tail, "\n"))
	}
	return list
}

// TestRestoreToMoments puts back moments of a store that four writers write to, whose
// process is killed, whose folder is away for a while, and whose log begins anew all the
// time: the digest of all tables is the one that was taken then. What was not shipped
// before a kill is refused, never something else. The goal of issue 8 is 20 moments:
// TIANBAO_TEST_LONG=1.
func TestRestoreToMoments(t *testing.T) {
	rounds, each, most := 1, 9, 4
	if os.Getenv("TIANBAO_TEST_LONG") == "1" {
		rounds, each, most = 4, 12, 20
	}
	path, dir := filepath.Join(t.TempDir(), "data", "tianbao.db"), filepath.Join(t.TempDir(), "ship")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	prepareWriters(t, path)
	away := func() {
		for _, step := range [][2]string{{dir, dir + ".away"}, {dir + ".away", dir}} {
			if err := os.Rename(step[0], step[1]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	var list []shipped
	for range rounds {
		list = append(list, shipSome(t, path, dir, each, true, nil)...)
		list = append(list, shipSome(t, path, dir, 2*each, false, away)...)
	}
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	back, refused := 0, 0
	for _, m := range list {
		if back == most {
			break
		}
		a, err := ship.Open(dir, storetest.Ring(t))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "tianbao.db")
		start := time.Now()
		r, err := a.Restore(t.Context(), m.at, to)
		var outside *ship.OutsideError
		if errors.As(err, &outside) {
			refused++ // the last second before a kill
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		s := storetest.Open(t, to)
		sum, err := backup.Sum(t.Context(), s.DB())
		if err != nil || sum.Digest != m.digest {
			t.Errorf("%v is %v of frame %d, %v", m.at, r.At, r.Frame, err)
		}
		checkWhole(t, s, nil)
		t.Logf("%s: frame %d of %s, %d pages in %s", m.at.Format("15:04:05.000000"), r.Frame, r.Line, r.Pages, took.Round(time.Millisecond))
		back++
	}
	if back < most || refused > len(list)/2 {
		t.Errorf("%d moments of %d came back, %d were refused", back, len(list), refused)
	}
}
