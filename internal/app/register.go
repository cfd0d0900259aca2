package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"tianbao/internal/store"
)

// register is what the rules know of the units' codes: those with leading zeros, by
// what a spreadsheet leaves of them. The rules ask it for every row, so it is kept
// in memory and read anew now and then.
type register struct {
	padded atomic.Pointer[map[string]string]
}

// refreshEvery is how old the register may be. Codes change once a year.
const refreshEvery = 5 * time.Minute

// lookup returns the code with its zeros, if the register has one like it and none
// that is written without them.
func (r *register) lookup(code string) (string, bool) {
	m := r.padded.Load()
	if m == nil {
		return "", false
	}
	full, ok := (*m)[code]
	return full, ok
}

// refresh reads the codes.
func (r *register) refresh(ctx context.Context, s *store.Store) error {
	m, err := s.PaddedCodes(ctx)
	if err != nil {
		return err
	}
	r.padded.Store(&m)
	return nil
}

// keepFresh refreshes until the context ends; the function it returns waits for the
// end.
func (r *register) keepFresh(ctx context.Context, s *store.Store, log *slog.Logger) func() {
	return every(ctx, refreshEvery, func() {
		if err := r.refresh(ctx, s); err != nil && ctx.Err() == nil {
			log.Error("the register of codes was not read", "err", err)
		}
	})
}
