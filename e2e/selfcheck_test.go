package e2e

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// SEC-54: each start is on the trail with the digest of program and settings; a program
// that changed by one byte under the same version raises an alarm, on the trail and in
// the log, and other settings are told too.
func TestSEC54SelfCheck(t *testing.T) {
	s := startIn(t, t.TempDir(), "", "--demo") // its first start
	starts := 0
	started := func() (lines []trailLine) { // a start is recorded beside the first answers
		t.Helper()
		starts++
		for end := time.Now().Add(20 * time.Second); len(lines) < starts && time.Now().Before(end); {
			lines = s.trail(t, "what=start")
		}
		return lines
	}
	lines := started()
	if len(lines) != 1 || !strings.Contains(lines[0].Detail, "program=") || !strings.Contains(lines[0].Detail, "settings=") {
		t.Fatalf("starts on the trail: %v", lines)
	}
	out, err := product(t.Context(), "version").Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) != 4 || !strings.Contains(lines[0].Detail, "program="+words[3]) {
		t.Errorf("version tells %s (%v), the trail %s", out, err, lines[0].Detail)
	}
	again := func(args ...string) (changed []trailLine) {
		t.Helper()
		s.stop()
		s.args = append(s.args, args...)
		s.start(t)
		started()
		return s.trail(t, "what=start.changed")
	}
	if got := again(); len(got) != 0 {
		t.Errorf("nothing changed, and the trail says %v", got)
	}
	if got := again("--limits", "import=99"); len(got) != 1 || got[0].Object != "settings" {
		t.Errorf("other settings: %v", got)
	}
	s.exe = flipped(t)
	got := again()
	if len(got) != 2 || got[0].Object != "program" || got[0].Result != "failed" {
		t.Errorf("another program: %v", got)
	}
	if !strings.Contains(s.log.String(), "ALARM") {
		t.Error("no alarm in the log")
	}
}

// flipped copies the product and flips one bit of its last byte,
// which belongs to no code.
func flipped(t *testing.T) string {
	t.Helper()
	in, err := os.Open(program())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	path := filepath.Join(t.TempDir(), "tianbao")
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
	// It must still be a program, or the test shows nothing.
	cmd := exec.CommandContext(context.Background(), path, "version")
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("tianbao")) {
		t.Fatalf("the flipped program does not run: %v %s", err, out)
	}
	return path
}
