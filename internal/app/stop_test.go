package app

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// Whoever stops a server at any moment of its start, of the first one on an empty folder
// also, is not told of a failure, and the next start finds nothing half done.
func TestStopDuringTheStart(t *testing.T) {
	data := t.TempDir()
	start := func(end time.Duration) (log string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer time.AfterFunc(end, cancel).Stop()
		var stderr bytes.Buffer
		args := []string{"serve", "--addr", "127.0.0.1:0", "--data", data}
		if code := Run(ctx, args, func(string) string { return "" }, strings.NewReader(""), io.Discard, &stderr); code != exitOK {
			t.Fatalf("stopped after %v it ended with %d\n%s", end, code, &stderr)
		}
		return stderr.String()
	}
	early := 0
	for end := time.Duration(0); end < 120*time.Millisecond; end += 3 * time.Millisecond {
		if strings.Contains(start(end), "stopped during the start") {
			early++
		}
	}
	if early == 0 {
		t.Error("no stop came during a start")
	}
	if s := serveIn(t, data); s.stop() != exitOK {
		t.Error("the start after them did not go well")
	}
}
