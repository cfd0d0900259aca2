package app

import (
	"context"
	"log/slog"
	"time"

	"tianbao/internal/campaign"
)

// daysEvery is how often the server looks for days of collections that are over.
const daysEvery = 20 * time.Minute

// keepDays keeps, while the server runs, where units stood at the end of days that are
// over. The function it returns waits for what is in hand.
func keepDays(ctx context.Context, s *campaign.Service, log *slog.Logger) func() {
	return atOnceAndEvery(ctx, daysEvery, func() {
		n, err := s.KeepDays(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			log.Error("past days of collections are not kept and will be counted when asked for", "err", err)
		case n > 0:
			log.Info("kept past days of collections", "days", n)
		}
	})
}
