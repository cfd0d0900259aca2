package app

import (
	"context"
	"log/slog"
	"time"

	"tianbao/internal/db"
)

// sweepEvery is how long an import may be silent before another process takes it for
// dead, and how often that is looked at.
const sweepEvery = 15 * time.Minute

// sweepAtStart drops what imports have put aside whose process died, at once where no other
// process can serve the same database: before anybody is answered, who might begin one.
func (in *installation) sweepAtStart(ctx context.Context, log *slog.Logger) {
	silent := sweepEvery
	if in.db.Kind() == db.SQLite {
		silent = 0
	}
	in.sweepOnce(ctx, silent, log)
}

// sweep does so from time to time. The function it returns waits for the sweep in hand.
func (in *installation) sweep(ctx context.Context, log *slog.Logger) func() {
	return every(ctx, sweepEvery, func() { in.sweepOnce(ctx, sweepEvery, log) })
}

func (in *installation) sweepOnce(ctx context.Context, silent time.Duration, log *slog.Logger) {
	n, err := in.store.SweepStagings(ctx, silent)
	switch {
	case err != nil && ctx.Err() == nil:
		log.Error("imports that died are not swept", "err", err)
	case n > 0:
		log.Info("swept imports that died", "imports", n)
	}
}
