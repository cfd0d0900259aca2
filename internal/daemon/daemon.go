// Package daemon speaks with the service manager that started the program, as systemd
// does: it takes a listening socket over, and tells that the program is ready, alive, or
// stopping.
//
// Rules: everything comes from the environment of the process; without it nothing is done
// and nothing fails. Danger: a message goes to the socket that the environment names, a
// local one of datagrams, and to no other place.
package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// firstFD is the first file descriptor that is handed over.
const firstFD = 3

// Listener returns the socket that the service manager listens on for the program, nil
// where it does not. A second one is refused: the program has one address.
func Listener(getenv func(string) string, pid int) (net.Listener, error) {
	if n, err := strconv.Atoi(getenv("LISTEN_PID")); err != nil || n != pid {
		return nil, nil
	}
	switch n, err := strconv.Atoi(getenv("LISTEN_FDS")); {
	case err != nil || n == 0:
		return nil, nil
	case n > 1:
		return nil, fmt.Errorf("daemon: %d sockets were handed over, one is wanted", n)
	}
	f := os.NewFile(firstFD, "socket")
	ln, err := net.FileListener(f) // it has a copy
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("daemon: take the socket over: %w", err)
	}
	return ln, nil
}

// Manager is where the service manager is told how the program fares; the zero value is
// none.
type Manager struct{ socket string }

// Find returns the service manager that the environment names.
func Find(getenv func(string) string) Manager { return Manager{getenv("NOTIFY_SOCKET")} }

// Ready tells that the program serves.
func (m Manager) Ready() error { return m.tell("READY=1") }

// Stopping tells that the program ends, and may take a while.
func (m Manager) Stopping() error { return m.tell("STOPPING=1") }

// Alive tells that the program has not hung.
func (m Manager) Alive() error { return m.tell("WATCHDOG=1") }

func (m Manager) tell(state string) error {
	if m.socket == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("daemon: reach the service manager: %w", err)
	}
	_, err = c.Write([]byte(state))
	if err = errors.Join(err, c.Close()); err != nil {
		return fmt.Errorf("daemon: tell the service manager: %w", err)
	}
	return nil
}

// Watchdog returns how often Alive must be told, 0 for never: half of what the service
// manager waits for.
func Watchdog(getenv func(string) string, pid int) time.Duration {
	if p := getenv("WATCHDOG_PID"); p != "" && p != strconv.Itoa(pid) {
		return 0
	}
	us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || us <= 0 {
		return 0
	}
	return time.Duration(us) * time.Microsecond / 2
}
