package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used so far.
type Usage struct {
	CPU      time.Duration
	RSS      int64 // bytes in memory now
	Peak     int64 // the most there were
	Written  int64 // bytes handed to the disk
	Readable bool  // false where the system does not tell
}

// UsageOf reads what a process of this machine has used; only Linux tells. pid 0 is nobody.
func UsageOf(pid int) Usage {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every architecture of Linux
	var u Usage
	if pid == 0 {
		return u
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return u
	}
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return u
		}
		u.CPU += time.Duration(n) * tick
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u
	}
	u.RSS, u.Peak = lineNumber(status, "VmRSS:")<<10, lineNumber(status, "VmHWM:")<<10
	if io, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid)); err == nil {
		u.Written = lineNumber(io, "write_bytes:")
	}
	u.Readable = true
	return u
}

// lineNumber finds the number behind a name at the beginning of a line.
func lineNumber(text []byte, name string) int64 {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64) // else 0
			return n
		}
	}
	return 0
}

// Await waits until a server answers.
func Await(ctx context.Context, addr, path string, most time.Duration) error {
	ctx, stop := context.WithTimeout(ctx, most)
	defer stop()
	c := NewConn(addr)
	defer c.Close()
	for {
		a, err := c.Do(ctx, "GET", path, nil)
		if err == nil && a.Status == 200 {
			return nil
		}
		if !sleepUntil(ctx, time.Now().Add(5*time.Millisecond)) {
			return fmt.Errorf("load: %s does not answer: %w", addr, errors.Join(err, ctx.Err()))
		}
	}
}
