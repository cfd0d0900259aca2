package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// serveEnv makes the test binary be the product: the server then is a process of
// its own, as it is at its users, and can be killed.
const serveEnv = "TIANBAO_E2E_BE_THE_PRODUCT"

// shipped is the product as make build builds it, made once, where the race detector is
// on. Under the detector a server is three to ten times slower and larger: the tests would
// wait for it most of their time, and judge times and memory that nobody meets. Races are
// looked for where much happens at once: in [startWatched]'s servers, and in the tests of
// the packages, which call the same handlers and the same store.
var shipped struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// program is what the tests start as the product.
func program() string {
	shipped.once.Do(func() {
		if !raceDetector {
			shipped.path, shipped.err = os.Executable()
			return
		}
		if shipped.dir, shipped.err = os.MkdirTemp("", "tianbao-e2e-"); shipped.err != nil {
			return
		}
		shipped.path = filepath.Join(shipped.dir, "tianbao")
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", shipped.path, "../cmd/tianbao")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			shipped.err = fmt.Errorf("build the product: %w\n%s", err, out)
		}
	})
	if shipped.err != nil {
		panic(shipped.err)
	}
	return shipped.path
}

// startWatched is [startDemo] with a server that the race detector watches when the tests
// run under it: for tests in which many ask at once, or work goes on in the background.
func startWatched(t testing.TB, db string) *server {
	t.Helper()
	data := t.TempDir()
	seed(t, data, db)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startAs(t, exe, data, db, "--demo")
}

// judge fails the test when the race detector had something to say of the server.
func (s *server) judge(t testing.TB) {
	t.Helper()
	if _, race, ok := bytes.Cut(s.log.Bytes(), []byte("WARNING: DATA RACE")); ok {
		end := strings.Index(string(race), "==================")
		if end < 0 {
			end = len(race)
		}
		t.Errorf("a data race in the server:%s", race[:end])
	}
}
