package app

import (
	"context"
	"fmt"
	"strings"

	"tianbao/internal/daemon"
)

// health is `tianbao health`: whether the server of this machine is well, for containers
// and scripts that have no other program to ask with. Exit code 0: it is.
func health(ctx context.Context, e env, args []string) int {
	var addr string
	var ready bool
	fs := e.flags("health")
	fs.StringVar(&addr, "addr", "127.0.0.1:8080", "服务在本机的监听地址；服务自己用 TLS 时，请给出 --metrics 的地址")
	fs.BoolVar(&ready, "ready", false, "问能否接待用户（/readyz），而不只是是否活着（/healthz）")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	path := "/healthz"
	if ready {
		path = "/readyz"
	}
	ok, answer, err := daemon.Ask(ctx, addr, path)
	if err != nil {
		return e.failed(fmt.Errorf("%s 没有应答，请检查服务是否在运行、地址是否正确：%w", addr, err))
	}
	_, _ = fmt.Fprintln(e.stdout, strings.TrimSpace(answer))
	if !ok {
		return exitError
	}
	return exitOK
}
