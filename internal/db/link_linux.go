package db

import (
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall leaves out.
const tcpUserTimeout = 18

// boundUnheard bounds how long what was sent may be unheard: the kernel's own patience is a
// quarter of an hour.
func boundUnheard(network, _ string, c syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var err error
	if cerr := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(unheard.Milliseconds()))
	}); cerr != nil {
		return cerr
	}
	return err
}
