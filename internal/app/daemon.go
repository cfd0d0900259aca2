package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"tianbao/internal/daemon"
	"tianbao/internal/db"
)

// listener is the socket to serve on: the one that the service manager hands over, which
// keeps who comes during a restart waiting instead of refusing them, else one of its own.
func (o *serveOptions) listener(ctx context.Context, e env) (net.Listener, error) {
	ln, err := daemon.Listener(e.getenv, os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("不能使用服务管理器交来的套接字，请检查 tianbao.socket 只有一个 ListenStream：%w", err)
	}
	if ln != nil {
		if o.addr = ln.Addr().String(); o.demo {
			err = onLoopback(o.addr)
		}
		return ln, err
	}
	var lc net.ListenConfig
	if ln, err = lc.Listen(ctx, "tcp", o.addr); err != nil {
		return nil, fmt.Errorf("不能监听 %s，请检查端口是否已被占用，或用 --addr 换一个地址：%w", o.addr, err)
	}
	return ln, nil
}

// tellAlive tells the service manager, if there is one, that the program serves, and from
// time to time that it has not hung. The function it returns waits for the last word.
func (o *serveOptions) tellAlive(ctx context.Context, e env, in *installation, log *slog.Logger) func() {
	o.manager = daemon.Find(e.getenv)
	if err := o.manager.Ready(); err != nil {
		log.Warn("the service manager is not told", "err", err)
	}
	each := daemon.Watchdog(e.getenv, os.Getpid())
	if each == 0 {
		return func() {}
	}
	return atOnceAndEvery(ctx, each, func() {
		if !in.alive(ctx, each) {
			log.Error("the database does not take a change; the service manager is not told that all is well")
			return
		}
		if err := o.manager.Alive(); err != nil {
			log.Warn("the service manager is not told", "err", err)
		}
	})
}

// alive reports whether the program has not hung. A PostgreSQL server that does not answer
// is not put right by another start; the one writer of SQLite is.
func (in *installation) alive(ctx context.Context, wait time.Duration) bool {
	if in.db.Kind() != db.SQLite {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	err := in.store.Writable(ctx)
	return !errors.Is(err, context.DeadlineExceeded)
}
