package e2e

import (
	"bufio"
	"context"
	"os"
	"strings"
	"testing"
)

// Another key in one command: killed in the middle it goes on with the same key. With
// TIANBAO_TEST_LONG also beside a server that saves: nothing is lost, and in the end the old
// keys seal nothing.
func TestRekey(t *testing.T) {
	data := t.TempDir()
	seed(t, data, "")
	run := func(args ...string) string {
		t.Helper()
		out, err := product(context.Background(), append(args, "--data", data)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	cmd := product(context.Background(), "rekey", "--data", data)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for sc := bufio.NewScanner(out); sc.Scan(); {
		if strings.HasPrefix(sc.Text(), "已启用第 2 号密钥") {
			break
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // killed
	if status := run("keys", "status"); strings.Contains(status, "（可以停用）") {
		t.Log("it was faster than the kill")
	} else if got := run("rekey"); !strings.HasPrefix(got, "接着上次：还有 ") || !strings.Contains(got, "都由第 2 号密钥加密") {
		t.Errorf("the second run says %s", got)
	}

	if os.Getenv("TIANBAO_TEST_LONG") == "" {
		return
	}
	s := startIn(t, data, "", "--demo")
	c := s.client(t, "unit")
	rep := c.ownReport()
	done := make(chan string, 1)
	go func() {
		out, err := product(context.Background(), "rekey", "--data", data).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		done <- string(out)
	}()
	before := len(c.sheet(rep.ID).Rows)
	saves := 0
	for ended := false; !ended; saves++ {
		select {
		case got := <-done:
			if !strings.Contains(got, "已启用第 3 号密钥") || !strings.Contains(got, "完成：") {
				t.Errorf("beside a server it says %s", got)
			}
			ended = true
		default:
		}
		c.save(rep.ID, rep.Version, inserts(500+saves, 501+saves))
	}
	if got := len(c.sheet(rep.ID).Rows); got != before+saves {
		t.Errorf("%d rows, want %d", got, before+saves)
	}
	s.stop()
	run("rekey") // what was sealed with the old key just before the server took the new one
	status := run("keys", "status")
	if strings.Contains(status, "不在密钥文件里") || !strings.Contains(run("doctor", "--quick"), "坏 0。") {
		t.Errorf("in the end:\n%s", status)
	}
	for line := range strings.Lines(status) {
		if (strings.HasPrefix(line, "1\t") || strings.HasPrefix(line, "2\t")) && !strings.Contains(line, "0 项（可以停用）") {
			t.Errorf("an old key still seals something: %s", line)
		}
	}
}
