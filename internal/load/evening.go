package load

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Night is a deadline evening in short: visits of units whose clerks open the sheet, type
// (and are saved as drafts), check, submit and report, or bring a workbook; while bureaus
// look at the progress page.
type Night struct {
	Visits int
	Length time.Duration
	Shape  Shape
	// Think is the mean time between the steps of a visit.
	Think time.Duration
	// Imports is the part of visits that bring a workbook. Book makes it.
	Imports float64
	Book    func(rows []Row) ([]byte, error)
	// Look is how often each city's bureau looks at the progress page.
	Look time.Duration
}

// Tally is what became of one kind of request.
type Tally struct {
	Hist Hist
	// Shed were refused with a time after which to try again, Failed otherwise.
	Shed, Failed atomic.Int64
}

// count counts a request and reports whether it was refused.
func (t *Tally) count(start time.Time, err error) (shed bool) {
	var se *StatusError
	switch {
	case err == nil:
		t.Hist.Add(time.Since(start))
	case errors.As(err, &se) && se.Shed():
		t.Shed.Add(1)
		return true
	case errors.Is(err, context.Canceled):
	default:
		t.Failed.Add(1)
	}
	return false
}

// Acts are the kinds of requests of an evening.
type Acts struct {
	Open, View, Draft, Check, Submit, Report, Import, Progress Tally
	// FirstFailure is what the first failed request met.
	FirstFailure atomic.Pointer[error]
	Late         Hist // how late the generator itself began visits
}

// named returns the tallies with their names, in the order of a visit.
func (a *Acts) named() []namedTally {
	return []namedTally{
		{"open", &a.Open},
		{"view", &a.View},
		{"draft", &a.Draft},
		{"check", &a.Check},
		{"submit", &a.Submit},
		{"report", &a.Report},
		{"import", &a.Import},
		{"progress", &a.Progress},
	}
}

type namedTally struct {
	name string
	*Tally
}

// sizes are how many people units report, as often as they stand here; 6 in the mean.
func sizes() []int { return []int{1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12, 25} }

// Evening plays the night.
func (c *Crowd) Evening(ctx context.Context, n Night) *Acts {
	acts := &Acts{}
	r := rand.New(rand.NewPCG(c.Province.Seed, 1)) //nolint:gosec // a load
	units := r.Perm(c.Reach())
	at := Arrivals(r, n.Visits, n.Length, n.Shape)
	over, stop := context.WithCancel(ctx)
	var bureaus sync.WaitGroup
	for i := range c.cities {
		bureaus.Go(func() { c.look(over, i, n.Look, acts) })
	}
	Open(ctx, at, func(ctx context.Context, i int, start time.Time) {
		acts.Late.Add(time.Since(start))
		r := rand.New(rand.NewPCG(c.Province.Seed, uint64(i)+2)) //nolint:gosec // a load
		c.visit(ctx, &n, units[i%len(units)], start, r, acts)
	})
	stop()
	bureaus.Wait()
	return acts
}

// look lets a city's bureau look at its progress page again and again.
func (c *Crowd) look(ctx context.Context, city int, every time.Duration, acts *Acts) {
	conn := c.take()
	defer c.give(conn)
	clerk := &Clerk{Conn: conn, Session: c.cities[city]}
	next := time.Now().Add(every * time.Duration(city) / time.Duration(len(c.cities)))
	for sleepUntil(ctx, next) {
		acts.note(&acts.Progress, next, clerk.Progress(ctx))
		next = next.Add(every)
	}
}

func (a *Acts) note(t *Tally, start time.Time, err error) bool {
	if err != nil && !errors.Is(err, context.Canceled) {
		a.FirstFailure.CompareAndSwap(nil, &err)
	}
	t.count(start, err)
	return err == nil
}

// visit is one clerk at one sheet. A step is meant to start some thought after the one
// before has been answered, the first when the visit was meant to.
func (c *Crowd) visit(ctx context.Context, n *Night, unit int, start time.Time, r *rand.Rand, acts *Acts) {
	conn := c.take()
	defer c.give(conn)
	clerk := c.clerk(conn, unit, "v"+start.Format("150405.000000000"))
	var s *Sheet
	step := func(t *Tally, think time.Duration, do func() error) bool {
		if think > 0 {
			start = time.Now().Add(time.Duration(r.ExpFloat64() * float64(think)))
			if !sleepUntil(ctx, start) {
				return false
			}
		}
		return acts.note(t, start, do())
	}
	if !step(&acts.Open, 0, func() (err error) { s, err = clerk.Open(ctx, c.Province.UnitID(unit)); return err }) {
		return
	}
	start = time.Now()
	if !step(&acts.View, 0, func() error { return clerk.View(ctx, s) }) {
		return
	}
	rows := c.Rows(unit, sizes()[r.IntN(len(sizes()))])
	if r.Float64() < n.Imports {
		book, err := n.Book(rows)
		if err != nil {
			acts.FirstFailure.CompareAndSwap(nil, &err)
			return
		}
		if !step(&acts.Import, n.Think, func() error { return clerk.Import(ctx, s, book) }) {
			return
		}
	} else {
		typed := time.Now().Format(time.RFC3339)
		for i := range 2 {
			some := rows[:max(1, len(rows)*(i+1)/3)]
			step(&acts.Draft, n.Think, func() error { return clerk.Draft(ctx, s, some, typed) })
		}
		step(&acts.Check, n.Think, func() error { return clerk.Check(ctx, s, rows) })
		if !step(&acts.Submit, n.Think, func() error { return clerk.Save(ctx, s, rows) }) {
			return
		}
	}
	step(&acts.Report, n.Think, func() error { return clerk.Report(ctx, s) })
}

// Flood is an overload: submits arrive evenly at a rate, whatever becomes of them.
type Flood struct {
	Rate   float64 // a second
	Length time.Duration
	Rows   int
}

// floodConns is how many connections a flood goes through; an arrival that finds none free
// waits for one, and its time runs. More of them would only meet the limits of open files.
const floodConns = 1000

// Flooded sends a flood and returns what became of the submits, and how long it took until
// the last answer. What was refused is sent again as it was when its unit's turn comes, as a
// page does; so the generator takes less of the machine that it shares with the server.
func (c *Crowd) Flooded(ctx context.Context, f Flood) (*Tally, time.Duration) {
	t := &Tally{}
	r := rand.New(rand.NewPCG(c.Province.Seed, 3)) //nolint:gosec // a load
	at := Arrivals(r, int(f.Rate*f.Length.Seconds()), f.Length, Evenly)
	c.mu.Lock()
	units := slices.Sorted(maps.Keys(c.sheets)) // Submitters has opened them
	c.mu.Unlock()
	begin := time.Now()
	refused := make(map[int][][]byte) // what units have still to send
	free := make(chan *Conn, floodConns)
	for i := range floodConns {
		free <- NewConn(c.Server.from(i)...)
	}
	Open(ctx, at, func(ctx context.Context, i int, start time.Time) {
		conn := <-free
		defer func() { free <- conn }()
		unit := units[i%len(units)]
		clerk := c.clerk(conn, unit, start.Format("f150405.000000000"))
		c.mu.Lock()
		own := *c.sheets[unit] // of one moment: rows at the end do not mind what came since
		var body []byte
		if n := len(refused[unit]); n > 0 {
			body, refused[unit] = refused[unit][n-1], refused[unit][:n-1]
		}
		c.mu.Unlock()
		if body == nil {
			body = clerk.saving(&own, c.Rows(unit, f.Rows))
		}
		err := clerk.sendSaving(ctx, &own, body)
		if t.count(start, err) {
			c.mu.Lock()
			defer c.mu.Unlock()
			refused[unit] = append(refused[unit], body)
		}
	})
	took := time.Since(begin)
	for range floodConns {
		(<-free).Close()
	}
	return t, took
}
