package remind_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/remind"
	"tianbao/internal/storetest"
)

// watched is a store that knows who had reported before a claim began.
type watched struct {
	remind.Store
	t        testing.TB
	mu       sync.Mutex
	reported map[tianbao.ID]bool
	held     int // reminders of units that had reported, and were held back
}

func (w *watched) note(unit tianbao.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reported[unit] = true
}

func (w *watched) ClaimReminders(ctx context.Context, c *remind.Claim, decide func(*remind.Policy, *remind.Reminder, *remind.Facts) remind.Decision) ([]remind.Message, error) {
	w.mu.Lock()
	before := maps.Clone(w.reported)
	w.mu.Unlock()
	return w.Store.ClaimReminders(ctx, c, func(p *remind.Policy, r *remind.Reminder, f *remind.Facts) remind.Decision {
		d := decide(p, r, f)
		if before[r.Unit] {
			w.mu.Lock()
			w.held++
			w.mu.Unlock()
			if d.Why == remind.WhyNot {
				w.t.Errorf("unit %s is reminded after it reported", r.Unit)
			}
		}
		return d
	})
}

// Two servers deliver while 200 units report, in whatever order it comes: who had
// reported is not reminded, and nobody is reminded twice.
func TestReportsRace(t *testing.T) {
	engines(t, 200, func(h *house) {
		h.policy(func(p *remind.Policy) { p.Channels = []remind.Channel{remind.ChannelPage, remind.ChannelHook} })
		h.at("2026-09-24 09:00:00")
		w := &watched{Store: h.store, t: h.t, reported: map[tianbao.ID]bool{}}
		servers := []*remind.Service{h.server("a"), h.server("b")}
		order := rand.New(rand.NewPCG(6, 4)).Perm(len(h.units))
		for _, i := range order[:20] { // some are early
			h.reports(h.units[i])
			w.note(h.units[i])
		}
		var wg sync.WaitGroup
		for _, s := range servers {
			s.Store, s.Workers = w, 2
			wg.Go(func() { // both at once
				if _, err := s.Round(h.t.Context()); err != nil {
					h.t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, i := range order[20:40] { // some report after the round
			h.reports(h.units[i])
			w.note(h.units[i])
		}
		wg.Go(func() {
			for _, i := range order[40:] {
				if err := h.report(h.units[i]); err != nil {
					h.t.Error(err)
					return
				}
				w.note(h.units[i])
			}
		})
		for _, s := range servers {
			wg.Go(func() {
				for {
					n, err := s.Deliver(h.t.Context())
					if err != nil {
						h.t.Error(err)
					}
					if n == 0 || err != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		sent := map[tianbao.ID]int{}
		for _, m := range h.hook.got {
			sent[m.ID]++
		}
		for id, n := range sent {
			if n > 1 {
				h.t.Errorf("reminder %s went out %d times", id, n)
			}
		}
		type once struct {
			unit tianbao.ID
			c    remind.Channel
		}
		seen := map[once]int{}
		for _, r := range h.log() {
			seen[once{r.Unit, r.Channel}]++
			if r.State != remind.StateSent && r.State != remind.StateDropped {
				h.t.Errorf("a reminder is %s in the end", r.State)
			}
			if r.Channel == remind.ChannelHook && (r.State == remind.StateSent) != (sent[r.ID] == 1) {
				h.t.Errorf("a reminder is %s and went out %d times", r.State, sent[r.ID])
			}
		}
		for k, n := range seen {
			if n != 1 {
				h.t.Errorf("unit %s has %d reminders by %s", k.unit, n, k.c)
			}
		}
		if w.held < 40 || len(sent) < 20 {
			h.t.Errorf("no race: %d held back, %d sent", w.held, len(sent))
		}
	})
}

// A window of 2,000 units, hour by hour, with two servers that take turns.
func TestWindowOfAProvince(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { window(newHouse(t, storetest.OpenSQLite, 2_000)) })
	t.Run("postgres", func(t *testing.T) { window(newHouse(t, storetest.OpenPostgres, 300)) })
}

func window(h *house) {
	r := rand.New(rand.NewPCG(26, 9))
	var pol remind.Policy
	h.policy(func(p *remind.Policy) {
		p.Days, p.Every, p.Channels = 10, 20, []remind.Channel{remind.ChannelPage, remind.ChannelMail}
		p.Off = []string{"2026-09-25", "2026-09-30"}
		p.On = []string{"2026-09-26"}
		pol = *p
	})
	servers := []*remind.Service{h.server("a"), h.server("b")}
	done := map[tianbao.ID]time.Time{}
	left := append([]tianbao.ID{}, h.units...)
	r.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	for h.at("2026-09-20 00:30:00"); h.clock().Before(closes().Add(24 * time.Hour)); h.set(h.clock().Add(time.Hour)) {
		h.tick(servers[r.IntN(2)])
		if n := min(r.IntN(1+len(h.units)/140), len(left)-len(h.units)/10); n > 0 && h.clock().Before(closes()) { // a tenth never do
			for _, u := range left[:n] {
				done[u] = h.clock()
			}
			h.declares(left[:n]...)
			left = left[n:]
		}
	}
	last, times := map[tianbao.ID]time.Time{}, map[tianbao.ID]int{}
	for _, m := range h.log() {
		if m.State != remind.StateSent {
			h.t.Errorf("a reminder is %s", m.State)
			continue
		}
		if end, ok := done[m.Unit]; ok && m.Sent.After(end) {
			h.t.Errorf("unit %s was done at %v and reminded at %v", m.Unit, end, m.Sent)
		}
		if pol.Quiet(m.Sent) || m.Sent.Before(closes().AddDate(0, 0, -10)) || !m.Sent.Before(closes()) {
			h.t.Errorf("reminded at %v", m.Sent)
		}
		if was := last[m.Unit]; !was.IsZero() && m.Sent.Sub(was) < 20*time.Hour {
			h.t.Errorf("unit %s was reminded at %v and at %v", m.Unit, was, m.Sent)
		}
		last[m.Unit] = m.Sent
		times[m.Unit]++
	}
	// 21–24, 26 (at work), 28, 29: every working day once.
	for _, u := range left {
		if times[u] != 7 {
			h.t.Fatalf("unit %s, which never reported, was reminded %d times", u, times[u])
		}
	}
	first := shanghai("2026-09-21 09:30:00")
	for u, end := range done {
		if end.After(first) && times[u] == 0 || end.Before(first) && times[u] != 0 {
			h.t.Fatalf("unit %s, done at %v, was reminded %d times", u, end, times[u])
		}
	}
}
