package db

import (
	"net"
	"syscall"
	"testing"
)

// The kernel gives up a connection of which it hears nothing, while it is silent and while it
// has something to send.
func TestKernelIsTold(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := dialer().DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		for name, opt := range map[string]struct{ level, opt, want int }{
			"keepalive":    {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			"idle":         {syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 5},
			"interval":     {syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 2},
			"count":        {syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3},
			"user timeout": {syscall.IPPROTO_TCP, tcpUserTimeout, 10_000},
		} {
			if got, err := syscall.GetsockoptInt(int(fd), opt.level, opt.opt); err != nil || got != opt.want {
				t.Errorf("%s is %d, want %d (%v)", name, got, opt.want, err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
