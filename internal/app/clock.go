package app

import (
	"context"
	"log/slog"
	"time"

	"tianbao/internal/clock"
)

const (
	// clockLook is how often the clock is looked at.
	clockLook = 2 * time.Second
	// farAhead is how far a clock is set forward, or gapUnheard how long nothing was written
	// before the start, that what cannot be undone waits for clockDoubt: personal data that are
	// erased, accounts that are disabled, backups that are deleted because time is over. A
	// wrong clock is noticed within a day; the right one costs a day.
	farAhead   = time.Hour
	gapUnheard = 14 * 24 * time.Hour
	clockDoubt = 24 * time.Hour
	// sameTime is how far the clocks of two servers may be apart.
	sameTime = time.Minute
)

// checkClock compares the clock with what was written last, when the program starts.
func (in *installation) checkClock(ctx context.Context, log *slog.Logger) error {
	id, newest, err := in.store.Newest(ctx)
	if err != nil || newest.IsZero() {
		return err
	}
	in.ids.Past(id)
	gap := in.clockWatch.Clock().Sub(newest)
	switch {
	case gap < -sameTime:
		err = in.clockSet(ctx, gap, log)
	case gap > gapUnheard:
		log.Warn("nothing was written for a long time: if the clock is wrong, put it right within a day; until then nothing is erased or disabled because its time is over", "since", newest.In(clock.Shanghai).Format(time.DateTime))
		in.clockWatch.Doubt(clockDoubt)
	}
	return err
}

// keepClock looks at the clock while the server runs. The function it returns waits for the
// look in hand.
func (in *installation) keepClock(ctx context.Context, log *slog.Logger) func() {
	in.clockWatch.Look()
	return every(ctx, clockLook, func() { in.lookAtClock(ctx, log) })
}

func (in *installation) lookAtClock(ctx context.Context, log *slog.Logger) {
	jump := in.clockWatch.Look()
	if in.unset += jump; in.unset == 0 {
		return
	}
	// What is not on the trail for want of a database is told with the next look.
	if err := in.clockSet(ctx, in.unset, log); err != nil {
		if ctx.Err() == nil && jump != 0 {
			log.Error("that the clock was set is not recorded yet", "err", err)
		}
		return
	}
	in.unset = 0
}

func (in *installation) clockSet(ctx context.Context, jump time.Duration, log *slog.Logger) error {
	n, err := in.store.ClockSet(ctx, jump)
	if err != nil {
		return err
	}
	if jump < 0 {
		in.campaigns.ForgetDays()
	}
	log.Error("the clock was set, or the machine stood still; people may find themselves signed out, and windows end by the clock as it is now", "by", jump.Round(time.Second), "brought back", n)
	if in.doubted += jump; in.doubted >= farAhead {
		in.clockWatch.Doubt(clockDoubt)
	} else if in.doubted.Abs() < sameTime { // it is where it was
		in.clockWatch.Doubt(0)
	}
	return nil
}

// timeIsOver reports whether the clock may be believed that something's time is over that
// cannot be had again.
func (in *installation) timeIsOver() bool { return !in.clockWatch.Doubted() }
