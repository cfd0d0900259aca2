package load

import (
	"math/bits"
	"sync"
	"time"
)

// Hist counts times in buckets whose width is at most 1/64 of their value, from a
// microsecond to an hour, in memory that does not grow. It is safe for use by several
// goroutines; its zero value is empty.
type Hist struct {
	mu     sync.Mutex
	counts [histSize]uint64
	n      uint64
	sum    time.Duration
	max    time.Duration
}

const (
	histBits = 6 // 64 buckets to each power of two
	histSize = (32 - histBits + 2) << histBits
)

// bucket returns the bucket of so many microseconds.
func bucket(us uint64) int {
	if us < 1<<histBits {
		return int(us)
	}
	us = min(us, 1<<32-1)
	shift := bits.Len64(us) - histBits - 1
	return (shift+1)<<histBits + int(us>>shift) - 1<<histBits
}

// upper returns the largest time of a bucket.
func upper(b int) time.Duration {
	if b < 1<<histBits {
		return time.Duration(b) * time.Microsecond
	}
	shift := b>>histBits - 1
	base := b&(1<<histBits-1) + 1<<histBits
	return time.Duration((base+1)<<shift-1) * time.Microsecond
}

// Add counts a time.
func (h *Hist) Add(d time.Duration) {
	d = max(d, 0)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[bucket(uint64(d/time.Microsecond))]++
	h.n++
	h.sum += d
	h.max = max(h.max, d)
}

// Count returns how many times were counted.
func (h *Hist) Count() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}

// Max returns the longest.
func (h *Hist) Max() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.max
}

// Mean returns the mean, 0 of nothing.
func (h *Hist) Mean() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n == 0 {
		return 0
	}
	return h.sum / time.Duration(h.n) //nolint:gosec // a count
}

// Quantile returns the time that a part q of all do not exceed, rounded up by at most a
// 64th; 0 of nothing.
func (h *Hist) Quantile(q float64) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n == 0 {
		return 0
	}
	rank := min(uint64(q*float64(h.n)), h.n-1)
	var seen uint64
	for b, c := range h.counts {
		if seen += c; seen > rank {
			return min(upper(b), h.max)
		}
	}
	return h.max
}
