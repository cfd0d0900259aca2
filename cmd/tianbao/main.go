// Command tianbao runs real-name collections: the server, and the tools that check
// workbooks without one.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tianbao/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
