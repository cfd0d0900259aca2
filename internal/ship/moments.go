package ship

import (
	"math/rand/v2"
	"time"
)

// Moments chooses n moments of the windows, each as likely as every other.
func Moments(list []Window, n int) []time.Time {
	var all int64
	for _, w := range list {
		all += w.To.UnixMicro() - w.From.UnixMicro() + 1
	}
	out := make([]time.Time, 0, max(n, 0))
	for all > 0 && len(out) < n {
		us := rand.Int64N(all) //#nosec G404 -- no secret
		for _, w := range list {
			if size := w.To.UnixMicro() - w.From.UnixMicro() + 1; us >= size {
				us -= size
				continue
			}
			out = append(out, w.From.Add(time.Duration(us)*time.Microsecond))
			break
		}
	}
	return out
}
