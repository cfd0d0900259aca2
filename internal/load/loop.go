package load

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Shape gives when arrivals of a length of time come: the part of all that have come when a
// part x of it is over. It grows from 0 to 1.
type Shape func(x float64) float64

// Evenly is the shape of arrivals that are as frequent all the time.
func Evenly(x float64) float64 { return x }

// Evening is the shape of the last hour before a deadline: the rate grows with e^2.5, to 2.7
// times the mean at the end.
func Evening(x float64) float64 { return math.Expm1(2.5*x) / math.Expm1(2.5) }

// Arrivals returns n times within a length, in order: independent of each other, as people
// are, and as frequent as the shape says.
func Arrivals(r *rand.Rand, n int, length time.Duration, shape Shape) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		u := r.Float64()
		lo, hi := 0.0, 1.0
		for range 40 { // shape is turned around by halving
			if mid := (lo + hi) / 2; shape(mid) < u {
				lo = mid
			} else {
				hi = mid
			}
		}
		out[i] = time.Duration(lo * float64(length))
	}
	slices.Sort(out)
	return out
}

// Open calls fn for each arrival at its time, each in a goroutine of its own, and returns
// when all have ended. start is when the arrival was meant to begin; times are taken from
// there. It stops when the context ends.
func Open(ctx context.Context, at []time.Duration, fn func(ctx context.Context, i int, start time.Time)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	zero := time.Now()
	for i, d := range at {
		start := zero.Add(d)
		if !sleepUntil(ctx, start) {
			return
		}
		wg.Go(func() { fn(ctx, i, start) })
	}
}

// sleepUntil waits for a time; false: the context ended before.
func sleepUntil(ctx context.Context, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Slice is what a closed loop measured.
type Slice struct {
	Hist   Hist
	Errors atomic.Int64
	Length time.Duration
}

// Rate returns how many calls ended well in a second.
func (s *Slice) Rate() float64 { return float64(s.Hist.Count()) / s.Length.Seconds() }

// Closed lets n clients call fn one time after another for a length. A call that returns an
// error is counted, not timed.
func Closed(ctx context.Context, n int, length time.Duration, fn func(ctx context.Context, client int) error) *Slice {
	s := &Slice{}
	var wg sync.WaitGroup
	begin := time.Now()
	end := begin.Add(length)
	for client := range n {
		wg.Go(func() {
			for now := time.Now(); now.Before(end) && ctx.Err() == nil; {
				err := fn(ctx, client)
				next := time.Now()
				if err != nil {
					s.Errors.Add(1)
				} else {
					s.Hist.Add(next.Sub(now))
				}
				now = next
			}
		})
	}
	wg.Wait()
	s.Length = time.Since(begin)
	return s
}
