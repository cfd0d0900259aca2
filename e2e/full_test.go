package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SEC-28: on a disk that is really full nothing is written without its line on the
// trail: the save is refused with a sentence that says so, nothing of it is there, and
// the same save works when there is space again.
func TestSEC28DiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"); err != nil {
		t.Skipf("a small disk cannot be mounted here (%v); the store's test of a full disk stands for it", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := startIn(t, filepath.Join(dir, "data"), "", "--demo")
	c := s.client(t, "unit")
	rep := c.ownReport()
	c.save(rep.ID, rep.Version, inserts(0, 3))
	before := c.sheet(rep.ID)

	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size >= 512; size /= 2 { // to the last byte
		for {
			if _, err := f.Write(bytes.Repeat([]byte{1}, size)); err != nil {
				break
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"key": newKey(), "base": before.Report.Version, "changes": inserts(10, 310)}
	var refused errorJSON
	for range 3 {
		refused = errorJSON{}
		if got := c.call("POST", "/reports/"+rep.ID+"/changes", body, &refused); got != http.StatusServiceUnavailable || refused.Error.Code != "disk_full" {
			t.Fatalf("a save on a full disk: %d %+v", got, refused.Error)
		}
	}
	if !strings.Contains(refused.Error.Message, "磁盘满了") {
		t.Errorf("it says %q", refused.Error.Message)
	}
	if res, _ := c.do("GET", "/healthz", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("the server answers %d", res.StatusCode)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if got := c.sheet(rep.ID); got.Report.Version != before.Report.Version || len(got.Rows) != len(before.Rows) {
		t.Errorf("version %d with %d rows, before %d with %d", got.Report.Version, len(got.Rows), before.Report.Version, len(before.Rows))
	}
	c.must("POST", "/reports/"+rep.ID+"/changes", body, nil)
	if got := c.sheet(rep.ID); len(got.Rows) != len(before.Rows)+300 {
		t.Errorf("%d rows after the save, want %d", len(got.Rows), len(before.Rows)+300)
	}
	s.stop()
	time.Sleep(10 * time.Millisecond)
	if out := s.command(t, 0, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
		t.Errorf("the trail: %s", out)
	}
}
