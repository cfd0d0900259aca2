package daemon

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

func environment(vars map[string]string) func(string) string {
	return func(k string) string { return vars[k] }
}

func TestManagerIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := Find(environment(map[string]string{"NOTIFY_SOCKET": path}))
	for _, step := range []struct {
		tell func() error
		want string
	}{{m.Ready, "READY=1"}, {m.Alive, "WATCHDOG=1"}, {m.Stopping, "STOPPING=1"}} {
		if err := step.tell(); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 64)
		n, err := c.Read(b)
		if err != nil || string(b[:n]) != step.want {
			t.Errorf("%q, %v, want %s", b[:n], err, step.want)
		}
	}
	if err := (Manager{}).Ready(); err != nil {
		t.Errorf("without a manager: %v", err)
	}
	if err := (Manager{socket: path + "x"}).Ready(); err == nil {
		t.Error("a manager that is not there was told")
	}
}

func TestWatchdog(t *testing.T) {
	for name, c := range map[string]struct {
		vars map[string]string
		want time.Duration
	}{
		"none":         {nil, 0},
		"half":         {map[string]string{"WATCHDOG_USEC": "30000000"}, 15 * time.Second},
		"ours":         {map[string]string{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "42"}, time.Second},
		"another's":    {map[string]string{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "43"}, 0},
		"no number":    {map[string]string{"WATCHDOG_USEC": "soon"}, 0},
		"less than no": {map[string]string{"WATCHDOG_USEC": "-1"}, 0},
	} {
		if got := Watchdog(environment(c.vars), 42); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestNoListener(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"none":      {},
		"another's": {"LISTEN_PID": "43", "LISTEN_FDS": "1"},
		"no socket": {"LISTEN_PID": "42", "LISTEN_FDS": "0"},
	} {
		if ln, err := Listener(environment(vars), 42); ln != nil || err != nil {
			t.Errorf("%s: %v, %v", name, ln, err)
		}
	}
	if _, err := Listener(environment(map[string]string{"LISTEN_PID": "42", "LISTEN_FDS": "2"}), 42); err == nil {
		t.Error("two sockets were taken")
	}
}
