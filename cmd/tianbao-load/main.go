// Command tianbao-load puts a tianbao server under the load of a deadline evening and tells
// what it holds. It is no part of the product, which starts no program and connects to
// nothing but what its operator names; see docs/performance.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tianbao/internal/app"
	"tianbao/internal/clock"
	"tianbao/internal/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := load.Run(ctx, os.Args[1:], os.Stdout, os.Stderr, func(ctx context.Context, data, db string, fn func(load.World) error) error {
		return app.WithParts(ctx, data, db, func(p app.Parts) error {
			return fn(load.World{Store: p.Store, Auth: p.Auth, Reports: p.Reports, Form: p.Form("asset-role"), Now: clock.System})
		})
	})
	stop()
	os.Exit(code)
}
