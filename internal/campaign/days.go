package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tianbao"
)

// KeepAfter is how long after its end a day is kept at the earliest. A transaction that
// changes where units stand writes the time that it read just before its commit; an hour
// later none of them is under way, and no server's clock is that far behind.
const KeepAfter = time.Hour

// DaysKept is how many days are kept of a collection at most.
const DaysKept = maxTrend

// KeepDays keeps, of every collection under way, where its units stood at the end of each
// day of its trend that is over, and returns how many days are new. A past day is then read
// and not counted from the log. It may be called by several servers and at any time.
func (s *Service) KeepDays(ctx context.Context) (kept int, err error) {
	all, err := s.Store.Collections(ctx)
	if err != nil {
		return 0, err
	}
	var failed []error
	for i := range all {
		if c := &all[i]; c.Released && c.Archived.IsZero() {
			n, err := s.keepDays(ctx, c)
			kept += n
			if err != nil {
				failed = append(failed, fmt.Errorf("campaign: keep the days of collection %s: %w", c.ID, err))
			}
		}
	}
	return kept, errors.Join(failed...)
}

func (s *Service) keepDays(ctx context.Context, c *tianbao.Campaign) (kept int, err error) {
	last := s.Now().Add(-KeepAfter)
	if end := EndOf(c.Ended); !c.Ended.IsZero() && c.Kept.IsZero() && end.Before(last) {
		last = end // days after that are the same
	}
	var there map[time.Time]bool
	for _, end := range ends(c, last.Add(time.Millisecond)) {
		if there == nil {
			if there, err = s.Store.KeptDays(ctx, c.ID); err != nil {
				return kept, err
			}
		}
		if there[end.UTC()] {
			continue
		}
		if err := s.Store.KeepDay(ctx, c.ID, end); err != nil {
			return kept, err
		}
		kept++
	}
	return kept, nil
}

// ends returns the ends of the days of a trend that are over before a time, the last first.
func ends(c *tianbao.Campaign, now time.Time) (out []time.Time) {
	begin := c.Opens
	if c.Opened.After(begin) {
		begin = c.Opened
	}
	for end := EndOf(now).AddDate(0, 0, -1); !end.Before(begin) && len(out) < maxTrend; end = end.AddDate(0, 0, -1) {
		out = append(out, end)
	}
	return out
}
