package app

import (
	"context"
	"time"
)

// start runs fn beside the server; the function it returns waits for its end.
func start(fn func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	return func() { <-done }
}

// every runs fn each time the interval has passed, until the context ends. The function
// it returns waits for the run in hand.
func every(ctx context.Context, interval time.Duration, fn func()) (wait func()) {
	return start(func() { repeat(ctx, interval, fn) })
}

// atOnceAndEvery is every with a first run at once.
func atOnceAndEvery(ctx context.Context, interval time.Duration, fn func()) (wait func()) {
	return start(func() {
		fn()
		repeat(ctx, interval, fn)
	})
}

func repeat(ctx context.Context, interval time.Duration, fn func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			fn()
		}
	}
}
