package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

const (
	// followEvery is how often a running server looks at the key file.
	followEvery = 2 * time.Second
	// resealAgain is after how long a pass that found nothing is repeated once: a save
	// that was sealed just before the rotation may have been written just after it.
	resealAgain = time.Minute
)

// followKeys takes a new key into use when the key file has one, and seals with it what
// older keys sealed, while the server works. What a killed server did not get to the
// next one goes on with. The function it returns waits for the values in hand.
func (in *installation) followKeys(ctx context.Context, log *slog.Logger) func() {
	return start(func() {
		tick := time.NewTicker(followEvery)
		defer tick.Stop()
		todo := len(in.keys.Ring().Keys()) > 1
		var again time.Time
		said := ""
		for {
			if todo || !again.IsZero() && time.Now().After(again) {
				last := !todo
				todo, again = false, time.Time{}
				if in.resealAll(ctx, log) && !last {
					again = time.Now().Add(resealAgain)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			rotated, err := in.keys.Refresh()
			switch {
			case err != nil && err.Error() != said:
				said = err.Error() // once, not every two seconds
				log.Error("the key file is not followed", "err", err)
			case err == nil:
				said = ""
			}
			if rotated {
				log.Info("another key seals from now on", "key", in.keys.Ring().KeyID())
				todo = true
			}
		}
	})
}

// resealAll makes passes until one finds nothing left, and reports whether that is so.
func (in *installation) resealAll(ctx context.Context, log *slog.Logger) bool {
	if err := in.store.NoteKey(ctx); err != nil {
		log.Error("the newest key is not noted in the database", "err", err)
		return false
	}
	total := int64(0)
	for {
		sum, err := in.store.Reseal(ctx)
		total += sum.Values
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			log.Error("values are not sealed anew; the next start goes on", "err", err)
			return false
		case sum.Values+sum.Lost > 0:
			continue
		}
		if sum.Failed > 0 {
			log.Error("values do not open and stay under their key; put the retired key back or look at: tianbao keys status", "values", sum.Failed)
		}
		if total > 0 {
			log.Info("values are sealed anew", "values", total)
			e := tianbao.Event{At: clock.System(), What: "keys.reseal", Detail: fmt.Sprintf("key=%d values=%d", in.keys.Ring().KeyID(), total)}
			if err := in.store.Record(ctx, e); err != nil {
				log.Error("the sealing anew is not on the trail", "err", err)
			}
		}
		return sum.Failed == 0
	}
}
