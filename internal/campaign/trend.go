package campaign

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Day is how many of the expected units were done at the end of a day.
type Day struct {
	At       time.Time // the last millisecond of the day, or now
	Expected int
	Done     int
}

// Trend is how a collection came along.
type Trend struct {
	Days []Day // the last is now
	// Pending is how many days are still being counted, and missing here.
	Pending int
}

const (
	// maxTrend is how many days a trend goes back.
	maxTrend = 60
	// trendPatience is for how long a view waits for days that are being counted.
	trendPatience = 40 * time.Millisecond
	trendLimit    = 5 * time.Minute
	trendMost     = 20_000 // days that are kept
)

// trends keeps days that are over. Each is the figure of Progress as of its end, so that
// a trend never says another thing than the page of that day; counting it costs one
// question of the past, once, off the way of the view. What the figures of a past day
// follow from is in the key: the collection's own version and the register's.
type trends struct {
	mu   sync.Mutex
	days map[string]Day
	busy map[string]chan struct{} // scopes whose days are being counted
	one  sync.Mutex               // no two of them at once
}

// EndOf returns the last millisecond of the day of a time, in Shanghai.
func EndOf(t time.Time) time.Time {
	t = t.In(clock.Shanghai)
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, clock.Shanghai).Add(-time.Millisecond)
}

// Trend returns how the units in scope came along, from the collection's opening on. now
// is their progress at this moment.
func (s *Service) Trend(ctx context.Context, scope tianbao.Scope, now *Progress, figures *Figures) (Trend, error) {
	c := &now.Plan.Campaign
	ends := ends(c, now.At)
	pulse, err := s.Store.Pulse(ctx, c.ID)
	if err != nil {
		return Trend{}, err
	}
	key := fmt.Sprint(c.ID, pulse.Rules, pulse.Register, strings.Join(scope.Paths, " "))
	dayKey := func(end time.Time) string { return fmt.Sprint(key, "@", end.Unix()) }
	var missing []time.Time
	s.past.mu.Lock()
	for _, end := range ends {
		if _, ok := s.past.days[dayKey(end)]; !ok {
			missing = append(missing, end)
		}
	}
	busy := s.past.busy[key]
	if len(missing) > 0 && busy == nil {
		busy = make(chan struct{})
		if s.past.busy == nil {
			s.past.busy, s.past.days = make(map[string]chan struct{}), make(map[string]Day)
		}
		s.past.busy[key] = busy
		// It goes on when the view is answered; the next one finds the days.
		go s.countDays(context.WithoutCancel(ctx), scope, c.ID, key, missing, dayKey, busy)
	}
	s.past.mu.Unlock()
	if len(missing) > 0 {
		patience := time.NewTimer(trendPatience)
		defer patience.Stop()
		select {
		case <-busy:
		case <-patience.C:
		case <-ctx.Done():
			return Trend{}, ctx.Err()
		}
	}
	var t Trend
	s.past.mu.Lock()
	defer s.past.mu.Unlock()
	for i := len(ends) - 1; i >= 0; i-- {
		if d, ok := s.past.days[dayKey(ends[i])]; ok {
			t.Days = append(t.Days, d)
		} else {
			t.Pending++
		}
	}
	t.Days = append(t.Days, Day{now.At, figures.Expected, figures.Done()})
	return t, nil
}

// ForgetDays drops the days that are known to be over: a clock that ran ahead counted some
// that are not.
func (s *Service) ForgetDays() {
	s.past.mu.Lock()
	defer s.past.mu.Unlock()
	clear(s.past.days)
}

// countDays counts days that are over, the newest first. What cannot be counted is left
// to the next view.
func (s *Service) countDays(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, key string, ends []time.Time, dayKey func(time.Time) string, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, trendLimit)
	defer cancel()
	s.past.one.Lock()
	defer s.past.one.Unlock()
	defer func() {
		s.past.mu.Lock()
		defer s.past.mu.Unlock()
		delete(s.past.busy, key)
		close(done)
	}()
	for _, end := range ends {
		p, err := s.progress(ctx, scope, Question{Campaign: campaign, At: end, Past: true})
		if err != nil {
			return
		}
		s.past.mu.Lock()
		if len(s.past.days) >= trendMost {
			maps.DeleteFunc(s.past.days, func(k string, _ Day) bool { return !strings.HasPrefix(k, key+"@") })
		}
		s.past.days[dayKey(end)] = Day{end, p.Total.Expected, p.Total.Done()}
		s.past.mu.Unlock()
	}
}

// Forecast is where a collection gets if it goes on as in the last days: a straight line
// through what was done at the beginning of that time and now, and nothing cleverer.
type Forecast struct {
	Days    int     // full days that it is made from, 0: not enough of them
	PerDay  float64 // units done a day in these
	Closes  time.Time
	AtClose int       // done at the deadline, at most the expected; with Closes ahead
	Ready   time.Time // when all are done, zero: not at this pace
}

// forecastDays is how many full days a forecast looks back.
const forecastDays = 7

// NewForecast makes the forecast of a trend up to a deadline, zero for none.
func NewForecast(t *Trend, closes time.Time) Forecast {
	f := Forecast{Closes: closes}
	last := len(t.Days) - 1
	if last < 1 || t.Pending > 0 {
		return f
	}
	now := t.Days[last]
	from := t.Days[max(0, last-forecastDays)]
	f.Days = min(last, forecastDays)
	span := now.At.Sub(from.At).Hours() / 24
	if span <= 0 {
		return Forecast{Closes: closes}
	}
	f.PerDay = float64(now.Done-from.Done) / span
	left := float64(now.Expected - now.Done)
	if f.PerDay > 0 {
		f.Ready = now.At.Add(time.Duration(left / f.PerDay * 24 * float64(time.Hour)))
	}
	if closes.After(now.At) {
		f.AtClose = now.Done + int(min(left, max(0, f.PerDay)*closes.Sub(now.At).Hours()/24))
	}
	return f
}
