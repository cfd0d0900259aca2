package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// tool runs a command of the product on the server's installation.
func (s *server) tool(t testing.TB, stdin string, args ...string) (string, error) {
	t.Helper()
	args = append(args, "--data", s.data)
	for i, a := range s.args {
		if a == "--db" {
			args = append(args, a, s.args[i+1])
		}
	}
	cmd := product(context.Background(), args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *server) mustTool(t testing.TB, args ...string) string {
	t.Helper()
	out, err := s.tool(t, "", args...)
	if err != nil {
		t.Fatalf("tianbao %v: %v\n%s", args, err, out)
	}
	return out
}

// SEC-22: the key is rotated while people save and read: no request fails. The server
// is killed in the middle, and the next one finishes. Then the old key is retired.
func TestKeyRotationUnderLoad(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		city := s.client(t, "city")
		var list struct{ Reports []reportJSON }
		city.must("GET", "/reports?campaign="+campaign+"&q=黑山县", nil, &list)
		const people = 3
		reports := make([]string, people)
		for i := range reports {
			reports[i] = city.open(list.Reports[i].Owner).ID
		}
		city.save(reports[0], 0, inserts(0, 4000)) // work for the background

		saved := make([]int, people)
		load := func(ctx context.Context) *sync.WaitGroup {
			var wg sync.WaitGroup
			for p := range people {
				wg.Go(func() {
					c := &client{t: t, base: s.url, cookie: city.cookie, csrf: city.csrf}
					for ctx.Err() == nil {
						n := saved[p]
						body, err := json.Marshal(map[string]any{"key": fmt.Sprintf("p%d-%d", p, n), "base": 0, "changes": []change{
							{"op": "insert", "temp": "t", "after": "end", "cells": person(5000 + 1000*p + n)},
						}})
						if err != nil {
							t.Error(err)
							return
						}
						res, b, err := c.try("POST", "/reports/"+reports[p]+"/changes", "application/json", bytes.NewReader(body))
						if err != nil || res.StatusCode != http.StatusOK {
							t.Errorf("save %d failed: %v %.200s", n, err, b)
							return
						}
						saved[p]++
						if res, b, err := c.try("GET", "/reports/"+reports[p]+"/rows?limit=50", "", nil); err != nil || res.StatusCode >= 500 {
							t.Errorf("reading failed: %v %.200s", err, b)
							return
						}
					}
				})
			}
			return &wg
		}
		ctx, stop := context.WithCancel(t.Context())
		running := load(ctx)
		time.Sleep(300 * time.Millisecond)
		if out := s.mustTool(t, "keys", "rotate"); !strings.Contains(out, "第 2 号密钥") {
			t.Errorf("rotate: %s", out)
		}
		waitFor(t, 20*time.Second, func() bool { return strings.Contains(s.log.String(), "another key seals") })
		time.Sleep(30 * time.Millisecond) // the background is at work
		stop()
		running.Wait()
		s.kill()
		out := s.mustTool(t, "keys", "status")
		if sealedBy(out, 2) == 0 {
			t.Errorf("nothing is sealed with the new key:\n%s", out)
		}
		t.Logf("when killed:\n%s", out)
		s.start(t)
		city.base = s.url
		ctx, stop = context.WithCancel(t.Context())
		running = load(ctx)
		waitFor(t, 60*time.Second, func() bool { return sealedBy(s.mustTool(t, "keys", "status"), 1) == 0 })
		stop()
		running.Wait()
		for p := range people {
			want := saved[p]
			if p == 0 {
				want += 4000
			}
			var head struct{ Report reportJSON }
			city.must("GET", "/reports/"+reports[p], nil, &head)
			if head.Report.Rows != want {
				t.Errorf("report %d has %d rows, want %d", p, head.Report.Rows, want)
			}
		}

		kept := filepath.Join(t.TempDir(), "kept.json")
		if out, err := s.tool(t, "", "keys", "retire", "--key", "1", "-o", kept); err == nil || !strings.Contains(out, "不到") {
			t.Errorf("retired at once: %s", out)
		}
		ring := filepath.Join(s.data, "keys", "ring.json")
		b, err := os.ReadFile(ring)
		if err != nil {
			t.Fatal(err)
		}
		older := regexp.MustCompile(`"made": \d+`).ReplaceAll(b, fmt.Appendf(nil, `"made": %d`, time.Now().Add(-time.Hour).UnixMilli()))
		if err := os.WriteFile(ring, older, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := s.tool(t, "", "keys", "retire", "--key", "2", "-o", kept); err == nil || !strings.Contains(out, "不能停用") {
			t.Errorf("the key in use was retired: %s", out)
		}
		s.mustTool(t, "keys", "retire", "--key", "1", "-o", kept)
		s.stop()
		s.start(t)
		city.base = s.url
		if got := city.sheet(reports[1]); len(got.Rows) != saved[1] {
			t.Errorf("after the retirement %d rows, want %d", len(got.Rows), saved[1])
		}
		if out := s.mustTool(t, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
			t.Errorf("the trail: %s", out)
		}
		s.stop()
		// The key file of before the rotation would lose what was saved since.
		if err := os.Rename(kept, ring); err != nil {
			t.Fatal(err)
		}
		b, err = os.ReadFile(ring)
		if err != nil {
			t.Fatal(err)
		}
		var f map[string]any
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		f["keys"] = f["keys"].([]any)[:1]
		if b, err = json.Marshal(f); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ring, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := s.tool(t, "", "keys", "status"); err == nil || !strings.Contains(out, "轮换以前的") {
			t.Errorf("opened with the old key file: %s", out)
		}
	})
}

// sealedBy reads how many values a key seals from `keys status`.
func sealedBy(status string, key int) int {
	for line := range strings.SplitSeq(status, "\n") {
		f := strings.Split(line, "\t")
		if len(f) == 4 && f[0] == fmt.Sprint(key) {
			var n int
			if _, err := fmt.Sscan(f[3], &n); err == nil {
				return n
			}
		}
	}
	return -1
}

// waitFor waits until something is so.
func waitFor(t testing.TB, limit time.Duration, so func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come about")
		}
	}
}
