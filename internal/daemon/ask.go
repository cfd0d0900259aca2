package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Ask asks a server of this machine whether it is well, at a path such as /healthz, and
// returns its answer. An address of all interfaces stands for the loopback; one of another
// machine is refused.
func Ask(ctx context.Context, addr, path string) (ok bool, answer string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false, "", fmt.Errorf("daemon: address %q: %w", addr, err)
	}
	ip := net.ParseIP(host)
	switch {
	case host == "" || ip != nil && ip.IsUnspecified():
		host = "127.0.0.1"
	case host != "localhost" && (ip == nil || !ip.IsLoopback()):
		return false, "", errors.New("daemon: that is another machine")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return false, "", err
	}
	req.Header.Set("Accept", "application/json")
	c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Do(req)
	if err != nil {
		return false, "", fmt.Errorf("daemon: ask: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	return res.StatusCode == http.StatusOK, string(b), errors.Join(err, res.Body.Close())
}
