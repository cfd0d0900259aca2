package web

import (
	"container/heap"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// flood is an overloaded server in virtual time: so many processors, each request needs the
// same time of one, in the order of arrival.
type flood struct {
	valve *valve
	at    time.Time
	ends  ends
	free  []time.Time // when each processor is free
	took  []time.Duration
}

type end struct{ began, at time.Time }

type ends []end

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(end)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// until lets what ends before a time end.
func (f *flood) until(t time.Time) {
	for len(f.ends) > 0 && !f.ends[0].at.After(t) {
		e := heap.Pop(&f.ends).(end)
		f.at = e.at
		f.valve.leave(e.at.Sub(e.began))
		f.took = append(f.took, e.at.Sub(e.began))
	}
	f.at = t
}

func (f *flood) arrive(costs time.Duration) bool {
	if !f.valve.enter(false) {
		return false
	}
	i := 0
	for j := range f.free {
		if f.free[j].Before(f.free[i]) {
			i = j
		}
	}
	begin := f.free[i]
	if begin.Before(f.at) {
		begin = f.at
	}
	f.free[i] = begin.Add(costs)
	heap.Push(&f.ends, end{f.at, f.free[i]})
	return true
}

// At ten times what a server can do it does nearly as much as it can, and whoever is let in
// is answered within a second, whether a request costs little or much; afterwards nobody is
// refused any more.
func TestOverload(t *testing.T) {
	for _, tt := range []struct {
		name  string
		costs time.Duration
	}{{"quick", time.Millisecond}, {"usual", 4 * time.Millisecond}, {"slow", 10 * time.Millisecond}} {
		t.Run(tt.name, func(t *testing.T) {
			f := &flood{at: time.UnixMilli(0), free: make([]time.Time, 2)}
			f.valve = newValve(func() time.Time { return f.at })
			capacity := 2 / tt.costs.Seconds()
			const length = 20 * time.Second
			between := time.Duration(float64(time.Second) / (10 * capacity))
			start := f.at
			for at := time.Duration(0); at < length; at += between {
				f.until(start.Add(at))
				f.arrive(tt.costs)
			}
			f.until(start.Add(length))
			if good := float64(len(f.took)) / length.Seconds() / capacity; good < .95 {
				t.Errorf("%.0f %% of what it can do", 100*good)
			}
			slices.Sort(f.took)
			if p99 := f.took[len(f.took)*99/100]; p99 > time.Second {
				t.Errorf("p99 of those let in is %v", p99)
			}
			f.until(start.Add(2 * length))
			for i := range 1000 { // half of what it can do
				f.until(start.Add(2*length + time.Duration(i)*4*between*5))
				if !f.arrive(tt.costs) {
					t.Fatal("refused when there was room")
				}
			}
		})
	}
}

// A full server turns away with a time and a sentence, what is read before what is written,
// and is still asked about its health; room that is given back is used again.
func TestTurnedAway(t *testing.T) {
	var inside, out sync.WaitGroup
	release := make(chan struct{})
	s := &Server{Config: Config{Now: time.Now}}
	s.valve = newValve(s.Now)
	s.valve.limit = 4
	h := s.paced(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Wait") != "" {
			inside.Done()
			<-release
		}
	}))
	ask := func(method, path, wait string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest(method, path, nil), httptest.NewRecorder()
		r.Header.Set("Wait", wait)
		r.Header.Set("Accept", "application/json")
		h.ServeHTTP(w, r)
		return w
	}
	for range 3 {
		inside.Add(1)
		out.Go(func() { ask("POST", "/reports/1/changes", "yes") })
	}
	inside.Wait()
	if w := ask("GET", "/reports/1", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a reader was answered %d", w.Code)
	}
	inside.Add(1)
	out.Go(func() { ask("POST", "/reports/1/changes", "yes") })
	inside.Wait()
	w := ask("POST", "/reports/1/changes", "")
	if body := w.Body.String(); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(body, `"code":"crowded"`) || !strings.Contains(body, "过几秒再试一次") {
		t.Errorf("%d %v %s", w.Code, w.Header(), body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/ui/site.css", "/reports/1/events"} {
		if w := ask("GET", path, ""); w.Code != http.StatusOK {
			t.Errorf("%s was answered %d", path, w.Code)
		}
	}
	close(release)
	out.Wait()
	if in, _ := s.valve.busy(); in != 0 {
		t.Errorf("%d are said to be inside", in)
	}
	if w := ask("GET", "/reports/1", ""); w.Code != http.StatusOK {
		t.Errorf("with room, %d", w.Code)
	}
}

// Who sends slowly takes nobody's room.
func TestSlowSendersTakeNoRoom(t *testing.T) {
	s := &Server{Config: Config{Now: time.Now}}
	s.valve = newValve(s.Now)
	s.valve.limit = 4
	h := s.paced(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	var sent []*io.PipeWriter
	var out sync.WaitGroup
	for range 20 {
		body, w := io.Pipe()
		sent = append(sent, w)
		out.Go(func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/signin", body)) })
		if _, err := w.Write([]byte("a")); err != nil { // it is let in, and waits for more
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest("POST", "/signin", strings.NewReader("all of it"))); w.Code != http.StatusOK {
		t.Errorf("answered %d while others send slowly", w.Code)
	}
	for _, w := range sent {
		_ = w.Close()
	}
	out.Wait()
	if in, _ := s.valve.busy(); in != 0 {
		t.Errorf("%d are said to be inside", in)
	}
}
