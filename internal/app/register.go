package app

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tianbao/internal/store"
)

// register is what the rules know of the units' codes: those with leading zeros, by
// what a spreadsheet leaves of them. The rules ask it for every row, so it is kept
// in memory and read anew now and then. It is first read when somebody asks, or by a
// server when it has begun to answer: of a province that takes as long as all the rest of
// a start.
type register struct {
	store  *store.Store
	padded atomic.Pointer[map[string]string]
	first  sync.Mutex // held while it is read for the first time
}

// firstWait is how long who asks first may wait for the codes.
const firstWait = 10 * time.Second

// refreshEvery is how old the register may be. Codes change once a year.
const refreshEvery = 5 * time.Minute

// lookup returns the code with its zeros, if the register has one like it and none
// that is written without them.
func (r *register) lookup(code string) (string, bool) {
	m := r.padded.Load()
	if m == nil {
		if m, _ = r.read(); m == nil { // a row is checked without them
			return "", false
		}
	}
	full, ok := (*m)[code]
	return full, ok
}

// read returns the codes, which it reads if nobody has so far.
func (r *register) read() (*map[string]string, error) {
	r.first.Lock()
	defer r.first.Unlock()
	if m := r.padded.Load(); m != nil {
		return m, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), firstWait)
	defer cancel()
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	return r.padded.Load(), nil
}

// refresh reads the codes.
func (r *register) refresh(ctx context.Context) error {
	m, err := r.store.PaddedCodes(ctx)
	if err != nil {
		return err
	}
	r.padded.Store(&m)
	return nil
}

// keepFresh reads the codes anew until the context ends; the function it returns waits for
// the end.
func (r *register) keepFresh(ctx context.Context, log *slog.Logger) func() {
	return every(ctx, refreshEvery, func() {
		if err := r.refresh(ctx); err != nil && ctx.Err() == nil {
			log.Error("the register of codes was not read", "err", err)
		}
	})
}
