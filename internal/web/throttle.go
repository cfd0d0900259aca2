package web

import (
	"container/list"
	"sync"
	"time"

	"tianbao/internal/clock"
)

// maxBuckets bounds how many accounts and addresses are remembered at once. Who makes
// up more addresses than that only pushes out the ones that were silent longest.
const maxBuckets = 20_000

// throttle keeps token buckets: a key may do a number of things at once, and as many
// again in each minute. Safe for concurrent use.
type throttle struct {
	now     clock.Clock
	mu      sync.Mutex
	buckets map[string]*list.Element // of *bucket
	recent  *list.List               // the key used last stands in front
}

type bucket struct {
	key    string
	tokens float64
	at     time.Time
	// told is set from the first refusal to the next admission.
	told bool
}

func newThrottle(now clock.Clock) *throttle {
	return &throttle{now: now, buckets: make(map[string]*list.Element), recent: list.New()}
}

// take takes one token of a key. It answers how long to wait for one, 0 if it was
// given, and whether this is the first refusal since the last one given.
func (t *throttle) take(key string, perMinute int) (wait time.Duration, first bool) {
	now := t.now()
	size := float64(perMinute)
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(key, size, now)
	if d := now.Sub(b.at); d > 0 { // a clock that is set back gives nothing
		b.tokens = min(size, b.tokens+d.Minutes()*size)
	}
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		b.told = false
		return 0, false
	}
	first, b.told = !b.told, true
	return max(time.Duration((1-b.tokens)/size*float64(time.Minute)), time.Millisecond), first
}

// bucket finds the bucket of a key or makes a full one.
func (t *throttle) bucket(key string, size float64, now time.Time) *bucket {
	if e := t.buckets[key]; e != nil {
		t.recent.MoveToFront(e)
		b, _ := e.Value.(*bucket)
		return b
	}
	if len(t.buckets) >= maxBuckets {
		last := t.recent.Back()
		if b, ok := t.recent.Remove(last).(*bucket); ok {
			delete(t.buckets, b.key)
		}
	}
	b := &bucket{key: key, tokens: size, at: now}
	t.buckets[key] = t.recent.PushFront(b)
	return b
}
